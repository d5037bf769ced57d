// What organization and task tell each other by sends: a task's creation, and the summaries that come back. JSON both
// ways; an unreadable message is an error of its receiver, never a crash.
#pragma once

#include "models/types/commands.h"
#include "models/types/result.h"

#include <QByteArray>

namespace foundry::backend {

// Send "create": all a task needs to begin, so that it never asks back.
struct TaskCreation {
    OrganizationId organization;
    RepoId repo;
    QString repositoryPath; // where git finds it
    TaskId task;
    SessionId session;
    QString title;
    QString branch;
    bool adopt = false; // an existing branch
    QString baseBranch;
    AgentId agent;
    QString sessionName;
    std::optional<QString> model = {};
    std::optional<QString> mode = {};
    QString provider;
    std::optional<Prompt> prompt = {};
    QList<Attachment> attachments = {};
    QString owner;
    RequestId requestId;
    Millis createdAt = 0;
};
QByteArray encodeCreation(const TaskCreation &creation);
Result<TaskCreation> decodeCreation(const QByteArray &json);

// Send "summary": the row as the task derives it. Older source revisions are dropped.
struct SummaryPush {
    qint64 sourceRevision = 0;
    TaskSummary summary;
    qint64 lifecycle = 0; // the last order of the organization that the task has heard
};
QByteArray encodeSummary(const SummaryPush &push);
Result<SummaryPush> decodeSummary(const QByteArray &json);

// task → organization, "taskTold": the answer to "tellAgain", with which an organization that lost what it had stored asks.
// Summary, attention and, of a deleted task, "lifecycleEnded" follow.
struct TaskTold {
    TaskCreation creation; // without prompt and attachments
    qint64 lifecycle = 0;  // the last order that it heard
    QString job = {};      // of that order, while it is under way and when the task was deleted
    QString jobKind = {};
};
QByteArray encodeTaskTold(const TaskTold &told);
Result<TaskTold> decodeTaskTold(const QByteArray &json);

// Send "attention": put, or removed when `attention` is empty.
struct AttentionPush {
    qint64 sourceRevision = 0;
    QString id;
    std::optional<Attention> attention = {};
};
QByteArray encodeAttention(const AttentionPush &push);
Result<AttentionPush> decodeAttention(const QByteArray &json);

// Send "resolveAgent" to the organization, and its answer "agentResolved": how to start it, without its environment.
struct ResolveAgent {
    AgentId agent;
    QString stage; // workflow/step that waits
    qint64 attempt = 0;
};
QByteArray encodeResolveAgent(const ResolveAgent &ask);
Result<ResolveAgent> decodeResolveAgent(const QByteArray &json);

struct AgentLaunch {
    AgentId agent;
    QString name;
    QString program; // absolute
    QStringList args = {};
    QString nodeProgram = {}; // for those that need it on their PATH
    QString loginHint = {};
    QString askingMode = {}; // the mode that asks before it writes; empty: its default does
    bool custom = false;
};
struct AgentResolved {
    QString stage;
    qint64 attempt = 0;
    std::optional<AgentLaunch> launch = {};
    std::optional<Error> error = {};
};
QByteArray encodeAgentResolved(const AgentResolved &answer);
Result<AgentResolved> decodeAgentResolved(const QByteArray &json);
QByteArray encodeLaunch(const AgentLaunch &launch);
AgentLaunch decodeLaunch(const QByteArray &json);

// Send "agentReported": what a start of the agent showed.
struct AgentReport {
    AgentId agent;
    std::optional<AgentState> state = {};
    QString detail;
    std::optional<AgentOptions> options = {};
};
QByteArray encodeAgentReport(const AgentReport &report);
Result<AgentReport> decodeAgentReport(const QByteArray &json);

// A task asks which version of the repository's own programs is trusted, for a step of a job; the answer is the same
// with the version in it.
struct TrustQuestion {
    RepoId repo;
    QString job;
    QString step;
    qint64 attempt = 1;
    QString version = {}; // empty: none
};
QByteArray encodeTrustQuestion(const TrustQuestion &question);
Result<TrustQuestion> decodeTrustQuestion(const QByteArray &json);

} // namespace foundry::backend
