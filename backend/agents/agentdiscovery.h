// Which agents are on this machine and how they stand. A scan only looks: PATH, the app's own folder, beside the host's
// binary. A third-party agent is run (to shake hands) only when a person confirmed it, or confirms it now. Produces
// `Agent` values for the organization topic. One thread with an event loop; file lookups run on a worker thread, so
// that a PATH on a dead network drive holds nobody up.
#pragma once

#include "backend/agents/acpclient.h"
#include "backend/agents/agentcatalogue.h"

#include <QObject>
#include <QSet>

namespace foundry::backend {

struct DiscoveryConfig {
    QString dataDirectory;    // agents are installed below dataDirectory/agents/<id>
    QString programDirectory; // of foundry-host: foundry-runner lies beside it
    QProcessEnvironment environment; // of the host; its PATH is searched
    int probeDeadlineMs = 15000;
};

// Where a program of the catalogue was found.
struct FoundAgent {
    QString program;   // absolute; empty: not there
    QString companion; // absolute path of a program that shows the agent without its adapter
    AgentSource source = AgentSource::Path;
};

class AgentDiscovery : public QObject {
    Q_OBJECT
public:
    explicit AgentDiscovery(DiscoveryConfig config, QObject *parent = nullptr);
    // Ends what it probes.
    ~AgentDiscovery() override;

    // What the organization actor has stored; call before scan().
    void setConfirmed(const QSet<AgentId> &confirmed);
    void setCustomAgents(const QList<AgentRow> &rows);

    // Looks, without starting any agent (only `node --version`). agentsFound() follows, and then `done`. One at a time: while
    // one is under way the next follows it, so that what was there at the call is seen. No agent is probed by a scan: a
    // confirmed one that is there counts as ready until a start says otherwise.
    void scan(std::function<void()> done = {});
    // Another scan follows the one that has just ended.
    bool scansAgain() const { return m_scanAgain; }
    // A person confirmed it: it is probed, and is ready (or not, with the reason) when `done` is called. The caller
    // stores the confirmation.
    void confirm(const AgentId &id, std::function<void(Result<Agent>)> done);
    // Runs `initialize` and `session/new` in an empty folder, to learn whether it answers, needs a login, and which models
    // and modes it has, and ends the agent again. An agent that is not confirmed is not run: agent.unconfirmed. One probe
    // for each agent at a time; others wait for its answer.
    void probe(const AgentId &id, std::function<void(Result<Agent>)> done);

    QList<Agent> agents() const; // as last known, in the catalogue's order, custom ones last
    std::optional<Agent> agent(const AgentId &id) const;
    std::optional<AgentRow> row(const AgentId &id) const;
    // How to start it in a folder; an error with its cause and way on when it cannot be used now (agent.not_installed,
    // adapter_missing, unconfirmed, needs_node). What a probe said earlier does not matter here.
    Result<AgentSpec> specFor(const AgentId &id, const QString &workingDirectory) const;
    // Where Node.js was found by the last scan; empty: nowhere.
    QString nodeProgram() const { return m_nodeProgram; }
    // Tells what a start of the agent showed: ready, needs_login or broken, and its models, modes and commands.
    void noteState(const AgentId &id, AgentState state, const QString &detail);
    void noteOptions(const AgentId &id, const AgentOptions &options);

Q_SIGNALS:
    void agentsFound(const QList<foundry::Agent> &agents);
    void agentChanged(const foundry::Agent &agent);

private:
    struct Probe {
        std::unique_ptr<AcpClient> client;
        QList<std::function<void(Result<Agent>)>> waiting;
    };
    // What a start of it showed, until the program is another one.
    struct Noted {
        AgentState state = AgentState::Ready;
        QString detail;
        QString program;
    };

    void looked(const QHash<AgentId, FoundAgent> &found);
    void askNode();
    void finishScan();
    void publish(const AgentId &id);
    void finishProbe(const AgentId &id, const std::optional<Error> &error);
    Agent describe(const AgentRow &row) const;
    std::optional<Error> obstacle(const AgentRow &row) const;
    QList<AgentRow> rows() const;
    int nodeMajor() const;

    DiscoveryConfig m_config;
    QSet<AgentId> m_confirmed;
    QList<AgentRow> m_custom;
    QHash<AgentId, FoundAgent> m_found;
    QHash<AgentId, Noted> m_noted;
    QHash<AgentId, AgentOptions> m_options;
    QHash<AgentId, std::shared_ptr<Probe>> m_probes;
    QString m_nodeProgram;
    QString m_nodeVersion; // "20.20.2"; empty: none
    bool m_scanning = false;
    bool m_scanAgain = false;
    QList<std::function<void()>> m_scanDone; // of the scan under way
    QList<std::function<void()>> m_nextDone;
    bool m_scanned = false;
};

// The host's environment with the row's own settings below it: what a user set deliberately stays.
QProcessEnvironment agentEnvironment(const AgentRow &row, const QString &program, QProcessEnvironment environment,
    const QString &nodeProgram);

// Looks for the programs of these rows. Blocking file access: for a worker thread. Exposed for tests.
QHash<AgentId, FoundAgent> lookForAgents(const DiscoveryConfig &config, const QList<AgentRow> &rows);

} // namespace foundry::backend
