// What task and sandbox tell each other. Sends are durable and exactly once; streams (progress, updates) may be lost.
// The task says which stage or turn is meant and which attempt; the sandbox answers with the same.
#pragma once

#include "backend/actors/streamflow.h"
#include "backend/actors/taskmessages.h"
#include "backend/sandboxes/sandboxprovider.h"
#include "models/types/transcript.h"

namespace foundry::backend {

// task → sandbox, send "create".
struct SandboxCreation {
    OrganizationId organization = {};
    RepoId repo = {};
    TaskId task = {};
    SandboxId sandbox = {};
    QString provider = {};
};
QByteArray encodeSandboxCreation(const SandboxCreation &creation);
Result<SandboxCreation> decodeSandboxCreation(const QByteArray &json);

// task → sandbox, send "runStage": idempotent by (stage, attempt). "abandonStage" carries the same and ends it.
struct RunStage {
    QString stage = {}; // "sandbox/repo_prepared", "agent:codex/agent_starting", "session:<id>/session_creating"
    qint64 attempt = 0;
    qint64 deadlineMs = 0;
    // sandbox/…
    QString repositoryPath = {};
    QString branch = {};
    QString baseBranch = {};
    bool adopt = false;
    // agent:…
    std::optional<AgentLaunch> launch = {};
    bool fresh = false; // agent_starting: not the process of an earlier attempt
    // session:…
    SessionId session = {};
    AgentId agent = {};
    std::optional<QString> model = {};
    std::optional<QString> mode = {};
    QMap<QString, QString> options = {}; // the agent's own, by id
};
QByteArray encodeRunStage(const RunStage &stage);
Result<RunStage> decodeRunStage(const QByteArray &json);


// sandbox → task, send "stageEnded".
struct StageEnded {
    QString stage = {};
    qint64 attempt = 0;
    std::optional<Error> error = {};
    QString message = {};       // what was done, a few words
    QString workTree = {};      // sandbox/repo_prepared
    QString head = {};          // sandbox/repo_prepared
    QString origin = {};        // session_creating: new, loaded, resumed, anew
};
QByteArray encodeStageEnded(const StageEnded &ended);
Result<StageEnded> decodeStageEnded(const QByteArray &json);

// sandbox → task, stream "stageProgress".
struct StageProgress {
    QString stage = {};
    qint64 attempt = 0;
    QString message = {};
    QString log = {};
    std::optional<bool> waits = {}; // for somebody else's work to end: the deadline stands still; false: it begins
};
QByteArray encodeStageProgress(const StageProgress &progress);
Result<StageProgress> decodeStageProgress(const QByteArray &json);

// task → sandbox, send "prompt": written to the agent once, whatever happens.
struct DeliverPrompt {
    QString turn = {};
    SessionId session = {};
    Prompt prompt = {};
    QList<Attachment> attachments = {};
};
QByteArray encodeDeliverPrompt(const DeliverPrompt &deliver);
Result<DeliverPrompt> decodeDeliverPrompt(const QByteArray &json);

// sandbox → task, sends "turnEnded" and "turnRefused" (it was not delivered, and will not be).
struct TurnReport {
    QString turn = {};
    SessionId session = {};
    QString stopReason = {}; // end_turn … cancelled interrupted error
    qint64 updates = 0; // streamed in this turn
    std::optional<Usage> usage = {};
    std::optional<Error> error = {};
};
QByteArray encodeTurnReport(const TurnReport &report);
Result<TurnReport> decodeTurnReport(const QByteArray &json);

// sandbox → task, stream "update": one thing the agent said, in the form of the entry it becomes (a chunk of
// agent_message or agent_thought, a whole tool_call, a whole plan, a notice). `sequence` counts within the turn.
struct AgentUpdate {
    SessionId session = {};
    QString turn = {};
    qint64 sequence = 0;
    TranscriptEntry entry = {};
    StreamMark mark = {}; // where the stream was before this
};
QByteArray encodeAgentUpdate(const AgentUpdate &update);
Result<AgentUpdate> decodeAgentUpdate(const QByteArray &json);

// sandbox → task, send "permissionAsked".
struct PermissionAsked {
    SessionId session = {};
    QString turn = {};
    PermissionAsk ask = {};
    ToolCall call = {};
};
QByteArray encodePermissionAsked(const PermissionAsked &asked);
Result<PermissionAsked> decodePermissionAsked(const QByteArray &json);

// sandbox → task, send "permissionWithdrawn"; task → sandbox, send "answerPermission" (empty optionId: dismissed).
struct PermissionAnswer {
    SessionId session = {};
    QString permission = {};
    QString optionId = {};
};
QByteArray encodePermissionAnswer(const PermissionAnswer &answer);
Result<PermissionAnswer> decodePermissionAnswer(const QByteArray &json);

// sandbox → task, send "questionAsked".
struct QuestionAsked {
    SessionId session = {};
    QString turn = {};
    QuestionAsk ask = {};
};
QByteArray encodeQuestionAsked(const QuestionAsked &asked);
Result<QuestionAsked> decodeQuestionAsked(const QByteArray &json);

// sandbox → task, send "questionWithdrawn" (action: cancel, or accept for a page that was completed); task → sandbox, send
// "answerQuestion" (action: accept, decline, cancel).
struct QuestionAnswer {
    SessionId session = {};
    QString question = {};
    QString action = {};
    QMap<QString, QString> values = {};
};
QByteArray encodeQuestionAnswer(const QuestionAnswer &answer);
Result<QuestionAnswer> decodeQuestionAnswer(const QByteArray &json);

// task → sandbox, sends "cancelTurn", "closeSession", "setMode", "setModel", "setOption".
struct SessionRequest {
    SessionId session = {};
    AgentId agent = {};
    QString turn = {};
    QString optionId = {};
    QString value = {};
    bool last = false; // closeSession: no session of the task needs this agent any more
};
QByteArray encodeSessionRequest(const SessionRequest &request);
Result<SessionRequest> decodeSessionRequest(const QByteArray &json);

// What is known of a session's usage after something was said about it.
Usage mergedUsage(Usage known, const Usage &said);

// sandbox → task, send "sessionChanged": what the agent offers now; absent: unchanged.
struct SessionChanged {
    SessionId session = {};
    std::optional<QList<SessionOption>> options = {};
    std::optional<QList<AgentChoice>> commands = {};
    std::optional<QString> mode = {};
    std::optional<QString> model = {};
    std::optional<Usage> usage = {};
    std::optional<QString> title = {};
    std::optional<Error> error = {}; // of a setMode, setModel or setOption
};
QByteArray encodeSessionChanged(const SessionChanged &changed);
Result<SessionChanged> decodeSessionChanged(const QByteArray &json);

// sandbox → task, send "agentLost": the process is gone, and with it its sessions' connections.
struct AgentLost {
    AgentId agent = {};
    bool byRestart = false; // the host was restarted; otherwise it ended by itself
    bool asked = false;     // it was stopped because nobody needed it
    std::optional<Error> error = {};
};
QByteArray encodeAgentLost(const AgentLost &lost);
Result<AgentLost> decodeAgentLost(const QByteArray &json);

} // namespace foundry::backend
