// Which agents are on this machine and how they stand. A scan only looks: PATH, the app's own folder, beside the host's
// binary. A third-party agent is run (to shake hands) only when a person confirmed it, or confirms it now. Produces
// `Agent` values for the organization topic. One thread with an event loop; file lookups run on a worker.
#pragma once

#include "backend/agents/acpclient.h"
#include "backend/agents/agentcatalogue.h"

#include <QObject>
#include <QSet>

namespace foundry::backend {

struct DiscoveryConfig {
    QString dataDirectory;  // agents are installed below dataDirectory/agents/<id>
    QString programDirectory; // of foundry-host: foundry-runner lies beside it
    QProcessEnvironment environment; // of the host; PATH is searched
    int probeDeadlineMs = 15000;
    bool isRoot = false; // geteuid() == 0
};

class AgentDiscovery : public QObject {
    Q_OBJECT
public:
    explicit AgentDiscovery(DiscoveryConfig config, QObject *parent = nullptr);
    ~AgentDiscovery() override;

    // What the organization actor has stored; call before scan().
    void setConfirmed(const QSet<AgentId> &confirmed);
    void setCustomAgents(const QList<AgentRow> &rows);

    // Looks, without starting any agent (only `node --version`, once). agentsFound() follows, then agentChanged() for
    // each confirmed agent whose probe says more. Coalesced: a scan under way is not started twice.
    void scan();
    // A person confirmed it: it is probed, and is ready (or not, with the reason) when agentChanged() comes.
    void confirm(const AgentId &id, std::function<void(Result<Agent>)> done);
    // Runs `initialize` (and `session/new` in an empty folder, to learn whether it needs a login) and ends it again.
    void probe(const AgentId &id, std::function<void(Result<Agent>)> done);

    QList<Agent> agents() const; // as last known
    std::optional<Agent> agent(const AgentId &id) const;
    const AgentRow *row(const AgentId &id) const;
    // How to start it in a folder; an error with its cause and way on when it cannot be used now (agent.not_installed,
    // adapter_missing, unconfirmed, needs_node, refused_as_root).
    Result<AgentSpec> specFor(const AgentId &id, const QString &workingDirectory) const;
    // Tells what a start of the agent showed (needs login, its models, modes and commands).
    void noteState(const AgentId &id, AgentState state, const QString &detail);
    void noteOptions(const AgentId &id, const AgentOptions &options);

Q_SIGNALS:
    void agentsFound(const QList<foundry::Agent> &agents);
    void agentChanged(const foundry::Agent &agent);

private:
    struct Found {
        QString program;   // absolute; empty: not there
        QString companion; // absolute path of a program that shows the agent without its adapter
        AgentSource source = AgentSource::Path;
    };
    struct Probe;

    static QHash<AgentId, Found> look(const DiscoveryConfig &config, const QList<AgentRow> &rows);
    void looked(const QHash<AgentId, Found> &found);
    void askNode();
    Agent describe(const AgentRow &row) const;
    void publish(const Agent &agent);
    QList<AgentRow> rows() const;
    bool isNodeTooOld(const AgentRow &row) const;
    AgentSpec makeSpec(const AgentRow &row, const Found &found, const QString &workingDirectory) const;
    void finishProbe(const AgentId &id, const Result<AcpAgentInfo> &outcome);

    DiscoveryConfig m_config;
    QSet<AgentId> m_confirmed;
    QList<AgentRow> m_custom;
    QHash<AgentId, Found> m_found;
    QHash<AgentId, Agent> m_agents;
    QHash<AgentId, std::shared_ptr<Probe>> m_probes;
    QString m_nodeVersion; // "20.20.2"; empty: none
    bool m_scanning = false;
};

} // namespace foundry::backend
