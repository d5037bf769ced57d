// The place where a task's work is done and the agent processes in it: one process per agent, shared by its sessions.
// Carries out what the task asks (stages, prompts, answers) and says how each ended. A process is on record, with its
// start time, before anything is asked of it; after a restart the old group is ended before anything new begins here.
#pragma once

#include "backend/actors/actor.h"
#include "backend/actors/lifecyclemessages.h"
#include "backend/actors/processdesk.h"
#include "backend/actors/sandboxmessages.h"
#include "backend/agents/acpclient.h"
#include "backend/agents/processreaper.h"
#include "backend/sandboxes/sandboxprovider.h"
#include "backend/store/blobstore.h"
#include "backend/observe/metrics.h"

#include <QElapsedTimer>
#include <QHash>
#include <QPointer>
#include <QSet>
#include <QTimer>
#include <map>
#include <memory>

namespace foundry::backend {

struct SandboxActorConfig {
    SandboxProviders providers;
    QString blobRoot;
    QProcessEnvironment environment; // of the host; agents get it with their own settings below
    AcpTimeouts timeouts = {};
};

class SandboxActor : public Actor {
public:
    SandboxActor(ActorContext &context, SandboxActorConfig config);
    ~SandboxActor() override;

    QStringList migrations() const override;
    void started() override;
    void registerActions(ActionTable &table) override;
    Result<> received(Transaction &tx, const Send &send) override;
    void streamed(const ActorAddress &from, const QString &name, const QByteArray &json) override;
    void stopping(StopReason reason) override;
    bool works() const override;
    bool holds() const override;

private:
    // One agent process.
    struct Process {
        AcpClient *client = nullptr; // owned by the context's owner
        AgentLaunch launch;
        QString startingStage; // waits for the process
        qint64 startingAttempt = 0;
        qint64 startedFor = 0; // attempt of agent_starting that made it
        QString readyStage; // waits for the handshake
        qint64 readyAttempt = 0;
        std::optional<Error> failure = {};
        bool isUp = false; // the process runs
        bool leaving = false; // asked to go: no session needs it
        std::shared_ptr<Held> counted = {};
        QString detail;
        QString correlation; // of what it was started for
    };
    // One session as it lives in an agent process.
    struct LiveSession {
        AgentId agent;
        AcpSession acp;
        QString origin; // new, anew, loaded, resumed
        QString turn; // under way
        qint64 updates = 0;
        Usage usage = {};
        QElapsedTimer usageSaid = {};
        QList<AgentChoice> commands = {};
    };
    // A session that the agent was asked to open. `run` is the latest attempt that waits for it.
    struct Opening {
        RunStage run;
        bool closed = false; // closed meanwhile: what comes is put away again
    };
    struct Operation {
        qint64 attempt = 0;
        QPointer<SandboxOperation> running;
        std::optional<RunStage> next = {}; // asked while an earlier attempt winds down
        bool abandoned = false;
        QString waits = {}; // for what, in words, before it begins
    };

    // sandboxactor.cpp: stages of the place itself
    Result<> create(Transaction &tx, const SandboxCreation &creation);
    void runStage(const RunStage &run);
    void abandonStage(const RunStage &run);
    void runPlaceStage(const RunStage &run);
    void preparePlace(const SandboxSpec &spec, int deadlineMs, const std::function<void(SandboxOperation *)> &follow, const std::function<bool()> &stillWanted,
        const SandboxDone<SandboxHandle> &done);
    void followStage(const RunStage &run, SandboxOperation *operation);
    void placeStageEnded(const RunStage &run, const Result<SandboxHandle> &result);
    std::unique_ptr<SandboxProvider> makeProvider(const QString &name) const;
    Error unknownProvider() const;
    void endStage(const StageEnded &ended);
    void failStage(const QString &stage, qint64 attempt, const Error &error);
    void endOrphans();
    void orphansGone(const QStringList &agents, const std::optional<Error> &error);
    ActorAddress task() const;
    void write(const std::function<Result<>(Transaction &)> &body);

    // sandboxagents.cpp: processes
    void startAgent(const RunStage &run);
    void startInPlace(const RunStage &run);
    void awaitAgent(const RunStage &run);
    void agentStarted(const AgentId &agent, const ProcessIdentity &identity);
    void agentAnswered(const AgentId &agent, AcpClient *client, const Result<AcpAgentInfo> &info);
    void agentEnded(const AgentId &agent, AcpClient *client, const AgentExit &exit, const std::optional<Error> &error);
    void agentMissing(const RunStage &run);
    AcpClient *clientOf(const AgentId &agent) const;

    // sandboxsessions.cpp: sessions in them
    void createSession(const RunStage &run);
    void openAnew(const SessionId &session, const QString &origin);
    void opened(const SessionId &session, const Result<AcpSession> &answer, const QString &origin);
    void sessionOpened(const RunStage &run, const AcpSession &session, const QString &origin);
    void sessionRefused(const RunStage &run, const Error &error);
    void applySettings(const RunStage &run);
    void describe(const SessionId &session);
    void closeSession(const SessionRequest &request);
    void changeSetting(const QString &name, SessionRequest request);
    void applyNext(const RunStage &run, QList<SessionRequest> wanted);
    void carryOut(const SessionRequest &request, const std::function<void(const Result<Unit> &)> &done);
    void sayRefused(const SessionId &session, const Error &error);
    SessionId sessionOf(const AgentId &agent, const QString &acpSession) const;

    // sandboxturns.cpp: prompts and what comes back
    Result<> prompt(Transaction &tx, const DeliverPrompt &deliver);
    void deliver(const DeliverPrompt &deliver);
    void turnEnded(const SessionId &session, const QString &turn, const Result<AcpTurn> &result);
    void updated(const AgentId &agent, const QString &acpSession, const AcpUpdate &update);
    void permissionAsked(const AgentId &agent, const QString &acpSession, const AcpPermission &permission);
    void answerPermission(const PermissionAnswer &answer);
    void questionAsked(const AgentId &agent, const QString &acpSession, const QuestionAsk &ask);
    void answerQuestion(const QuestionAnswer &answer);
    void say(const SessionId &session, TranscriptEntry entry);
    void resumeAgents();
    QList<AcpBlock> blocksOf(const DeliverPrompt &deliver, const AcpAgentInfo &info);

    // sandboxprocesses.cpp: processes of users
    ProcessDeskConfig processDeskConfig();
    Result<QString> processRoot() const;
    void noteWake(Transaction &tx) const;
    // sandboxlifecycle.cpp: what it uses, told to the app when that changes; the whole place is given up, or brought back
    void tellUsage(Transaction &tx);
    void measure();
    bool receivedPlaceOrder(Transaction &tx, const Send &send, Result<> *outcome);
    void takePlaceOrder(const PlaceOrder &order);
    void abandonPlaceOrder(const PlaceOrder &order);
    void nextPlaceOrder();
    void runPlaceOrder(const PlaceOrder &order);
    void stopEverything();
    void somethingStopped();
    void forgetBlobs();
    void followPlaceOperation(SandboxOperation *operation);
    void releasePlace(const PlaceOrder &order, const SandboxSpec &spec, int deadlineMs);
    void placeOrderDone(PlaceReport report);
    void keepHandle(Transaction &tx);

    SandboxActorConfig m_config;
    BlobStore m_blobs;
    StreamFlow m_flow;       // of what agents say, to the task
    QTimer *m_flowTimer;     // runs while agents are paused
    std::optional<SandboxCreation> m_creation;
    SandboxHandle m_handle;
    bool m_placeKnown = false; // seen whole since this actor started
    std::unique_ptr<SandboxProvider> m_provider;
    ProcessReaper *m_reaper = nullptr;
    QHash<QString, Operation> m_operations; // by stage
    std::map<QString, Process> m_processes; // by agent
    std::map<QString, LiveSession> m_live;  // by session
    std::map<QString, Opening> m_opening;   // by session
    QHash<QString, Error> m_lastFailures;   // by agent: why its last process ended
    QSet<QString> m_loading;                // agent's sessions whose history is being replayed
    QList<std::function<void()>> m_afterOrphans;
    int m_orphans = 0;
    bool m_isClosed = false; // the task is archived or deleted, or about to be: nothing begins here
    QList<PlaceOrder> m_placeOrders;
    std::optional<PlaceOrder> m_placeOrder; // under way
    QPointer<SandboxOperation> m_placeOperation;
    bool m_placeAbandoned = false;
    int m_measuring = 0;
    ProcessDesk m_desk;
};

} // namespace foundry::backend
