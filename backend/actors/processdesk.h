// The processes that users start in one actor's place: rows of the topic `processes`, output as events of `terminal/<id>`,
// logs on disk. Commands check and record; a process is started after the commit, is on record with its identity before
// it runs anything, and is never started twice. What an earlier run of the host left is ended first, and says so.
// One desk per actor, on its thread.
#pragma once

#include "backend/actors/actor.h"
#include "backend/actors/terminalfeed.h"
#include "backend/agents/processreaper.h"
#include "backend/processes/processlog.h"
#include "backend/processes/userprocess.h"
#include "models/types/processcommands.h"

#include <map>
#include <memory>

namespace foundry::backend {

class Database;

struct ProcessDeskConfig {
    QProcessEnvironment environment; // of the host; made fit for users' processes here
    // Last in each transaction of the desk's own: the actor says there whether it has to be woken.
    std::function<void(Transaction &tx)> settle = {};
    // A process ended, or somebody types in a terminal: files may have changed. At most once a second.
    std::function<void(Transaction &tx)> touched = {};
    // In the transaction that records a new one, for the audit log.
    std::function<void(Transaction &tx, const foundry::Process &process)> created = {};
    // One ended, and its row says so.
    std::function<void(const ProcessId &id)> ended = {};
    UserProcessLimits limits = {};
    qint64 logBytes = 10 * 1024 * 1024; // kept of each process
    int running = 64;                   // at the same time
    int kept = 256;                     // running or not
};

struct ProcessLaunch {
    ProcessId id = {};
    QString command = {};
    QStringList args = {};
    std::optional<QString> cwd = {}; // relative to root
    bool tty = false;
    qint64 columns = 80;
    qint64 rows = 24;
    QString root = {};
    QMap<QString, QString> variables = {}; // beside the environment
};

class ProcessDesk {
public:
    ProcessDesk(ActorContext &context, ProcessDeskConfig config);
    ~ProcessDesk();

    static QString topic() { return QStringLiteral("processes"); }
    static QString terminalTopic(const ProcessId &id) { return QStringLiteral("terminal/") + id.value; }
    // A step for the actor's migrations().
    static QString schema();
    // Something is on record that a next start has to look after.
    static bool hasUnended(Database &database);

    void started();
    // `root` answers the folder that processes run in, or why there is none yet; without it, createProcess is left out.
    void registerActions(ActionTable &table, std::function<Result<QString>()> root);
    Result<foundry::Process> create(Transaction &tx, const ProcessLaunch &launch);
    // Something runs, or is being ended.
    bool isBusy() const { return !m_live.empty() || m_orphans > 0; }
    // Asks all to end, kills those that do not, and calls back when nothing is left; at once when nothing runs.
    void endAll(std::function<void()> done);
    // Kills all and says so in the rows. Call from Actor::stopping().
    void stopping(StopReason reason);

private:
    struct Live {
        qint64 serial = 0;
        UserProcess *process = nullptr; // owned by the context's owner
        std::unique_ptr<ProcessLog> log;
        std::unique_ptr<TerminalFeed> feed;
        bool isTyped = false;
        bool hasEnded = false; // exited or failed
        bool isRecorded = false; // and the row says so
        bool isGone = false;
        UserProcessExit exit = {};
        std::optional<Error> error = {};
    };

    Result<> write(const std::function<Result<>(Transaction &)> &body);
    std::optional<foundry::Process> row(const ProcessId &id) const;
    Result<foundry::Process> known(const ProcessId &id) const;
    Live *running(const ProcessId &id);
    QString logDirectory(qint64 serial) const;
    void begin(qint64 serial, const QString &generation, const ProcessLaunch &launch);
    void printed(const ProcessId &id, const QByteArray &bytes);
    void ended(const ProcessId &id, const UserProcessExit &exit, const std::optional<Error> &error);
    void recordEnd(const ProcessId &id);
    void forgetGone(const ProcessId &id);
    void lost(qint64 serial, const ProcessId &id, bool hadEnded, const Result<ReapOutcome> &outcome);
    void removeStrayLogs();
    void putSizes();
    void touchSoon();
    Result<QByteArray> readLog(const GetProcessLogs &asked);
    Result<QByteArray> writeInput(Transaction &tx, const WriteInput &command);
    Result<QByteArray> resize(Transaction &tx, const ResizeTerminal &command);
    Result<QByteArray> end(Transaction &tx, const ProcessId &id, bool atOnce);
    Result<QByteArray> remove(Transaction &tx, const ProcessId &id);

    ActorContext &m_context;
    ProcessDeskConfig m_config;
    ProcessReaper *m_reaper = nullptr;
    std::map<QString, Live> m_live; // by id
    QList<std::function<void()>> m_whenEmpty;
    int m_orphans = 0;
    QTimer m_sizes;
    QTimer m_touch;
    QElapsedTimer m_sinceTouch;
};

} // namespace foundry::backend
