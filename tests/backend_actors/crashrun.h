// One life of a host with a fixed script of what its user does: a repository, agents, a task, prompts, permissions, a
// second session, a close (crashjobs.h and crashrest.h have others). The host may be killed at one crash point (backend/workflows/crashpoint.h); then it is
// started again and the user goes on where it was, with the same request ids. Afterwards everything is counted.
#pragma once

#include "tests/backend_host/hosttask.h"
#include "tests/support/gitfixture.h"

#include <QMap>

namespace foundry::test {

struct CrashSpot {
    QString name; // empty: no crash; "*": the pass-th of all points
    bool before = true;
    int pass = 1;
    int afterMs = -1; // instead of a point: killed this long after the script began
    int life = 1;     // of the host, where the script starts it more than once
    QString text() const;
};

class CrashRun {
public:
    explicit CrashRun(CrashSpot spot);
    virtual ~CrashRun();

    // Empty when all is as it has to be; else what is not.
    QString run();
    bool wasHit() const { return m_hit; }
    // What the organization's log tells, by kind and of what, with how often; and what a run without a crash told.
    QMap<QString, int> audited() const { return m_audited; }
    void expectAudit(const QMap<QString, int> &told) { m_expected = told; }
    // Names of the points that were passed before the host ended, with repeats (only without a crash).
    QStringList passed(int life = 1) const;

protected:
    using Act = std::function<QString()>; // empty: done

    virtual bool script();
    virtual void verify();
    virtual QProcessEnvironment environment() const { return m_git.environment(); }
    virtual QString dump();
    // Ids, each of which is another in each run, with their names.
    virtual QMap<QString, QString> names() const;
    // "cancel" cancels the turn instead.
    virtual void answer(const Session &session, const QString &kind);

    static AgentId agentOf(const char *mode);
    static bool lives(qint64 pid);
    Result<> startHost(bool crashing);
    Result<> startLife(int life);
    bool perform(const char *what, const Act &act);
    // A command to the organization, until `then` is content.
    template <class Command>
    bool order(const char *what, const QString &action, const Command &command, const Act &then)
    {
        return perform(what, [&]() -> QString {
            auto *client = organization();
            if (!client)
                return QStringLiteral("no organization");
            if (auto asked = ask(*client, action, command); !asked)
                return asked.error().message;
            return then();
        });
    }
    bool addRepository(const AddRepository &add);
    // The scripted agent, with a journal.
    bool addAgent(const char *mode, const QStringList &more = {});
    wire::WireClient *organization();
    wire::WireClient *task();
    QString settled(const SessionId &session, const QString &optionKind);
    QString create();
    QString send(const SessionId &session, const QString &queueId, const QString &text);
    QString waitFor(const std::function<bool()> &done, const char *what, int ms = 20000);

    void check(bool ok, const QString &what);
    void readTranscript(const SessionId &session);
    // Of what the journal of `mode` tells.
    void checkTranscript(const SessionId &session, const char *mode, const QMap<QString, QString> &ends);
    void checkRows();
    QList<qint64> processesOf(const char *mode, QMap<qint64, int> *opened = nullptr) const;
    void checkProcesses();
    void checkRepository();
    void checkDatabases();
    void readAudit();
    void checkAudit();

    CrashSpot m_spot;
    GitFixture m_git;
    QString m_repository;
    HostTask m_ids;
    SessionId m_second = makeId<SessionId>();
    std::unique_ptr<wire::HostProcess> m_host;
    std::unique_ptr<wire::WireClient> m_organization;
    std::unique_ptr<wire::WireClient> m_task;
    QMap<QString, QList<TranscriptEntry>> m_transcripts; // by session, at the end
    QMap<QString, int> m_audited;
    QMap<QString, int> m_expected;
    QStringList m_doubled;
    QStringList m_wrong;
    bool m_hit = false;
    int m_life = 1;
    int m_resends = 0;
    QElapsedTimer m_clock;
};

} // namespace foundry::test
