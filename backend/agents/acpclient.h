// One agent process, spoken to in ACP version 1: initialize, sessions, prompts, permissions, cancel. It keeps what real
// agents need kept: no file or terminal service is offered (fs=false, terminal=false); a tool row may begin in any of
// tool_call, tool_call_update or request_permission; unknown requests are answered -32601; unknown updates are counted.
//
// One thread with an event loop. Callbacks are called exactly once, later or at once, unless the client is destroyed
// before; then never. Session ids here are the agent's own.
//
// Time: requests have deadlines. A prompt has none by the clock; when the agent says nothing for `promptIdleMs` (or
// `toolIdleMs` while a tool runs; never while a permission or a question is open) the turn is cancelled. A cancel that is not answered
// in `cancelGraceMs` ends the process group: SIGTERM, then SIGKILL. That ends all sessions of this process.
#pragma once

#include "backend/agents/acpupdate.h"
#include "backend/agents/agenttransport.h"
#include "models/types/result.h"

#include <QElapsedTimer>
#include <QHash>
#include <QJsonValue>
#include <QTimer>
#include <functional>
#include <memory>

namespace foundry::backend {

class AcpToolCalls;

struct AcpTimeouts {
    int initializeMs = 15000;
    int requestMs = 60000;      // session/new, load, set_mode, …
    int authenticateMs = 600000; // a person logs in meanwhile
    int promptIdleMs = 300000;
    int toolIdleMs = 3600000;
    int cancelGraceMs = 5000;
};

struct AcpAuthMethod {
    QString id;
    QString name;
    QString description;
    bool terminal = false; // a command to run in a terminal instead of `authenticate`
    QStringList args = {};
};

struct AcpAgentInfo {
    QString name;
    QString title;
    QString version;
    bool canLoad = false;   // session/load: replays the history
    bool canResume = false; // session/resume: goes on without replay
    bool canList = false;
    bool canClose = false;
    bool takesImages = false;
    bool takesEmbeddedContext = false;
    QList<AcpAuthMethod> authMethods = {};
};

// A session as the agent described it when it was made or loaded.
struct AcpSession {
    QString sessionId;
    QList<AgentChoice> modes = {};
    QString currentMode;
    QList<AgentChoice> models = {};
    QString currentModel;
    QList<SessionOption> options = {};
};

struct AcpSessionListing {
    QString sessionId;
    QString cwd;
    QString title;
};

// A piece of a prompt.
struct AcpBlock {
    enum class Kind { Text, ResourceLink, Image };
    Kind kind = Kind::Text;
    QString text;    // Text
    QString uri;     // ResourceLink
    QString name;    // ResourceLink
    QString mime;    // Image, ResourceLink
    QByteArray data; // Image: raw bytes
    static AcpBlock fromText(const QString &text);
};

struct AcpTurn {
    QString stopReason; // end_turn max_tokens max_turn_requests refusal cancelled
    std::optional<Usage> usage = {};
    bool agentEnded = false; // cancelled, but the process had to be ended for it
};

struct AcpCounts {
    qint64 messages = 0;
    qint64 unknownUpdates = 0;
    qint64 unknownRequests = 0;
    qint64 unmatchedResponses = 0;
    qint64 garbageLines = 0;
};

class AcpClient : public QObject {
    Q_OBJECT
public:
    template <class T>
    using Then = std::function<void(Result<T>)>;

    explicit AcpClient(std::unique_ptr<AgentTransport> transport, AcpTimeouts timeouts = {}, QObject *parent = nullptr);
    // Ends the process group when it still runs.
    ~AcpClient() override;

    // Starts the process and shakes hands, once in a client's life. Errors: agent.not_installed, crashed, protocol,
    // timeout (then the process is ended too). ended() follows only when started() came.
    void start(const AgentSpec &spec, Then<AcpAgentInfo> done);
    bool isReady() const { return m_ready; } // initialized and alive
    const AcpAgentInfo &info() const { return m_info; }
    const AgentSpec &spec() const { return m_spec; }
    ProcessIdentity identity() const;
    QString stderrTail() const;
    const AcpCounts &counts() const { return m_counts; }

    void authenticate(const QString &methodId, Then<Unit> done);
    // Errors here and in prompt: agent.needs_login for -32000.
    void newSession(const QString &cwd, Then<AcpSession> done);
    // The history comes as update() before the answer.
    void loadSession(const QString &sessionId, const QString &cwd, Then<AcpSession> done);
    void resumeSession(const QString &sessionId, const QString &cwd, Then<AcpSession> done);
    void listSessions(const QString &cwd, Then<QList<AcpSessionListing>> done);
    // Frees the session in the agent where it can; always forgets it here.
    void closeSession(const QString &sessionId, Then<Unit> done);
    // By whichever of the agent's ways it has: session/set_mode, set_model (older agents), or a config option.
    void setMode(const QString &sessionId, const QString &modeId, Then<Unit> done);
    void setModel(const QString &sessionId, const QString &modelId, Then<Unit> done);
    void setConfigOption(const QString &sessionId, const QString &optionId, const QString &value, Then<Unit> done);

    // One at a time per session: state.conflict otherwise.
    void prompt(const QString &sessionId, const QList<AcpBlock> &blocks, Then<AcpTurn> done);
    // Answers open permissions of the session with `cancelled`. Harmless when no turn runs.
    void cancel(const QString &sessionId);
    bool isPrompting(const QString &sessionId) const;

    // Exactly once for each permissionRequested(): state.conflict when it was answered before (by cancel, the end of the
    // agent, or somebody else), input.invalid when it has no such option.
    Result<> answerPermission(const QString &requestId, const QString &optionId);
    Result<> dismissPermission(const QString &requestId); // `cancelled`
    // The same for questionAsked(): `action` is accept (with the values of its fields, as text), decline or cancel.
    Result<> answerQuestion(const QString &requestId, const QString &action, const QMap<QString, QString> &values = {});

    // For a consumer that cannot keep up: nothing more is read from the agent meanwhile.
    void setPaused(bool paused);
    // Ends the process: gentle at first unless forced. ended() follows.
    void stop(bool force = false);

Q_SIGNALS:
    void started(const foundry::backend::ProcessIdentity &identity);
    void update(const QString &sessionId, const foundry::backend::AcpUpdate &update);
    void permissionRequested(const QString &sessionId, const foundry::backend::AcpPermission &permission);
    // A permission needs no answer any more, without one from above (cancelled, or the agent has gone).
    void permissionWithdrawn(const QString &sessionId, const QString &requestId);
    void questionAsked(const QString &sessionId, const foundry::QuestionAsk &ask);
    // `done`: a page in the browser was completed; otherwise as for permissions.
    void questionWithdrawn(const QString &sessionId, const QString &requestId, bool done);
    // The process is gone, and its group with it: the last signal. Every pending callback was answered before. `error` is agent.crashed
    // unless it was asked to stop.
    void ended(const foundry::backend::AgentExit &exit, const std::optional<foundry::Error> &error);

private:
    struct Pending {
        QString method;
        QString sessionId;
        std::function<void(Result<QJsonObject>)> done;
        qint64 deadline = 0; // of m_clock, ms; 0: none
        int limitMs = 0;
    };
    // What the agent waits for: a permission, or a question.
    struct OpenAsk {
        QString sessionId;
        QJsonValue rpcId;
        QStringList optionIds = {};
        std::optional<QuestionAsk> question = {};
        QString elicitationId = {}; // of a question with a URL
    };
    struct SessionState {
        AcpSession described;
        bool hasModes = false;  // session/set_mode is understood
        bool hasModels = false; // session/set_model is understood
        std::shared_ptr<AcpToolCalls> calls; // shared with whoever works on it while the table changes
        qint64 promptId = 0;    // of m_pending; 0: no turn
        qint64 heardAt = 0;     // of m_clock, ms
        qint64 cancelledAt = 0; // of m_clock, ms; 0: not
        bool timedOut = false;  // the watchdog cancelled it
        std::optional<Usage> usage;
    };

    qint64 request(const QString &method, const QJsonObject &params, int deadlineMs,
        std::function<void(Result<QJsonObject>)> done, const QString &sessionId = {});
    void notify(const QString &method, const QJsonObject &params);
    void respond(const QJsonValue &id, const QJsonObject &result);
    void respondError(const QJsonValue &id, int code, const QString &message);
    void onMessage(const QJsonObject &message);
    void onResponse(const QJsonObject &message);
    void onRequest(const QString &method, const QJsonValue &id, const QJsonObject &params);
    void onNotification(const QString &method, const QJsonObject &params);
    void onUpdate(const QString &sessionId, const QJsonObject &update);
    void onPermission(const QJsonValue &id, const QJsonObject &params);
    void onQuestion(const QJsonValue &id, const QJsonObject &params);
    void onQuestionDone(const QString &elicitationId);
    void withdrawn(const QString &requestId, const OpenAsk &ask, bool done = false);
    void onExited(const AgentExit &exit);
    void onFailed(const Error &error);
    void openSession(const QString &method, QJsonObject params, const QString &sessionId, Then<AcpSession> done);
    void finishPrompt(const QString &sessionId, const Result<QJsonObject> &answer, const Then<AcpTurn> &done);
    void withdrawAsks(const QString &sessionId);
    bool hasOpenAsk(const QString &sessionId) const;
    Result<> answer(const QString &requestId, bool isQuestion, const QJsonObject &result);
    void finishStart(Result<AcpAgentInfo> result);
    void failAll(const Error &error);
    void watch();
    void armWatch();
    int idleLimit(const SessionState &state) const;
    Error rpcError(const QJsonObject &error, const QString &method) const;

    std::unique_ptr<AgentTransport> m_transport;
    AcpTimeouts m_timeouts;
    AgentSpec m_spec;
    AcpAgentInfo m_info;
    AcpCounts m_counts;
    QHash<qint64, Pending> m_pending; // ours to the agent
    QHash<QString, OpenAsk> m_asks;   // the agent's to us, by our handle
    QHash<QString, SessionState> m_sessions;
    QHash<QString, QList<QJsonObject>> m_early; // updates of a session whose session/new is not answered yet
    qsizetype m_earlyBytes = 0;
    Then<AcpAgentInfo> m_startDone;
    QString m_firstGarbage;
    QElapsedTimer m_clock;
    QTimer m_watch; // runs only while something is awaited
    qint64 m_nextId = 0;
    std::optional<Error> m_failure; // why it ends, when that is known better than its exit
    bool m_ready = false;
    bool m_gone = false;
    bool m_paused = false;
};

} // namespace foundry::backend
