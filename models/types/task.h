// Tasks: the summary that lists show, and the task itself.
#pragma once

#include "models/types/blob.h"
#include "models/types/changes.h"
#include "models/types/session.h"

namespace foundry {

enum class TaskStatus { Provisioning, Ready, Running, Idle, Error, Archiving, Archived, Deleting };
template <>
struct EnumNames<TaskStatus> {
    static constexpr EnumName<TaskStatus> all[] = {{TaskStatus::Provisioning, QLatin1StringView("provisioning")},
        {TaskStatus::Ready, QLatin1StringView("ready")}, {TaskStatus::Running, QLatin1StringView("running")},
        {TaskStatus::Idle, QLatin1StringView("idle")}, {TaskStatus::Error, QLatin1StringView("error")},
        {TaskStatus::Archiving, QLatin1StringView("archiving")}, {TaskStatus::Archived, QLatin1StringView("archived")},
        {TaskStatus::Deleting, QLatin1StringView("deleting")}};
};

struct SessionBrief {
    SessionId id;
    QString name;
    AgentId agent;
    OpenEnum<SessionStatus> status = {};
    std::optional<Millis> turnStartedAt = {};
    friend bool operator==(const SessionBrief &, const SessionBrief &) = default;
};

struct PullRequestBrief {
    qint64 number = 0;
    QString state;
    QString url;
    friend bool operator==(const PullRequestBrief &, const PullRequestBrief &) = default;
};

struct DiffStat {
    qint64 files = 0;
    qint64 added = 0;
    qint64 removed = 0;
    friend bool operator==(const DiffStat &, const DiffStat &) = default;
};

struct TaskSummary : EntityMeta {
    TaskId id;
    RepoId repoId;
    QString title;
    QString branch;
    std::optional<QString> baseBranch = {};
    OpenEnum<TaskStatus> status = {};
    std::optional<QString> stage = {}; // the stage under way or failed, in words
    QList<SessionBrief> sessions = {};
    std::optional<PullRequestBrief> pullRequest = {};
    std::optional<QString> ci = {};
    std::optional<DiffStat> diffStat = {};
    std::optional<Millis> lastTurnEndedAt = {};
    std::optional<QString> owner = {};
    std::optional<Millis> archivedAt = {};
    Millis createdAt = 0;
    friend bool operator==(const TaskSummary &, const TaskSummary &) = default;
};

struct TaskGit {
    std::optional<QString> head = {};
    std::optional<QString> mergeBase = {};
    qint64 ahead = 0;
    qint64 behind = 0;
    bool dirty = false;
    friend bool operator==(const TaskGit &, const TaskGit &) = default;
};

struct Task : EntityMeta {
    TaskId id;
    Prompt prompt;
    QList<Attachment> attachments = {};
    QString provider = QStringLiteral("worktree");
    std::optional<SandboxId> sandboxId = {};
    std::optional<QString> workTree = {}; // absolute path, once there is one
    TaskGit git = {};
    QMap<QString, QString> grants = {}; // what was allowed always, by tool kind
    QMap<QString, QString> settings = {};
    friend bool operator==(const Task &, const Task &) = default;
};

enum class AttentionReason { Permission, Question, Error };
template <>
struct EnumNames<AttentionReason> {
    static constexpr EnumName<AttentionReason> all[] = {{AttentionReason::Permission, QLatin1StringView("permission")},
        {AttentionReason::Question, QLatin1StringView("question")}, {AttentionReason::Error, QLatin1StringView("error")}};
};

struct PermissionOption {
    QString id;
    QString name;
    QString kind; // allow_once, allow_always, reject_once, reject_always
    friend bool operator==(const PermissionOption &, const PermissionOption &) = default;
};

struct Attention : EntityMeta {
    QString id;
    TaskId taskId;
    std::optional<SessionId> sessionId = {};
    OpenEnum<AttentionReason> reason = {};
    std::optional<qint64> entryIndex = {};
    std::optional<QString> requestId = {};
    QString title;
    std::optional<QString> detail = {};
    QList<PermissionOption> options = {};
    Millis at = 0;
    friend bool operator==(const Attention &, const Attention &) = default;
};

} // namespace foundry
