// What a user can ask of a host, as values. Every command carries a request id: the same id twice is one effect.
#pragma once

#include "models/types/audit.h"
#include "models/types/blob.h"
#include "models/types/commandbase.h"
#include "models/types/filecommands.h"
#include "models/types/lifecycle.h"
#include "models/types/processcommands.h"
#include "models/types/provisioning.h"
#include "models/types/session.h"
#include "models/types/task.h"
#include "models/types/transcript.h"
#include "models/types/user.h"

namespace foundry {

// app
struct CreateOrganization : CommandBase {
    OrganizationId organizationId;
    QString name;
};

// organization
struct AddRepository : CommandBase {
    RepoId repoId;
    std::optional<QString> path = {}; // exactly one of path and url
    std::optional<QString> url = {};
};
struct RemoveRepository : CommandBase {
    RepoId repoId;
};
// Lets git use what the repository itself defines (hooks, filters), as it is at `version`.
struct TrustRepository : CommandBase {
    RepoId repoId;
    QString version;
};
struct ConfirmAgent : CommandBase {
    AgentId agentId;
};
struct InstallAgent : CommandBase {
    AgentId agentId;
};
// Runs the agent's own login in a terminal of the host's user.
struct LoginAgent : CommandBase {
    AgentId agentId;
};
struct RefreshAgents : CommandBase { };
struct AddCustomAgent : CommandBase {
    AgentId agentId;
    QString name;
    QString command;
    QStringList args = {};
};
struct CreateTask : CommandBase {
    TaskId taskId;
    SessionId sessionId;
    RepoId repoId;
    std::optional<Prompt> prompt = {};
    QList<Attachment> attachments = {};
    std::optional<QString> title = {};
    std::optional<QString> branch = {};
    std::optional<QString> onBranch = {};
    std::optional<QString> baseBranch = {};
    std::optional<AgentId> agent = {};
    std::optional<QString> model = {};
    std::optional<QString> mode = {};
    std::optional<QString> provider = {};
};
struct CreateTaskAnswer {
    TaskSummary task;
    Session session;
    QList<Stage> stages;
};
struct PutBlob : CommandBase {
    BlobId blobId;
    qint64 offset = 0;
    QByteArray data; // ≤ 32 KiB a piece, base64 on the wire
    bool last = false;
};

// task
struct CreateSession : CommandBase {
    SessionId sessionId;
    std::optional<AgentId> agent = {};
    std::optional<QString> model = {};
    std::optional<QString> mode = {};
};
struct RenameSession : CommandBase {
    SessionId sessionId;
    QString name;
};
struct CloseSession : CommandBase {
    SessionId sessionId;
};
struct SendMessage : CommandBase {
    QueueId queueId;
    SessionId sessionId;
    Prompt prompt;
    QList<Attachment> attachments = {};
};
struct EditQueued : CommandBase {
    QueueId queueId;
    Prompt prompt;
};
struct DropQueued : CommandBase {
    QueueId queueId;
};
struct CancelTurn : CommandBase {
    SessionId sessionId;
};
struct ResendInterrupted : CommandBase {
    SessionId sessionId;
};
struct AnswerPermission : CommandBase {
    SessionId sessionId;
    QString permissionRequestId;
    QString optionId;
};
struct AnswerQuestion : CommandBase {
    SessionId sessionId;
    QString questionRequestId;
    QString answer; // accept, decline, cancel
    QMap<QString, QString> values = {}; // by field name, as text
};
struct SetModel : CommandBase {
    SessionId sessionId;
    QString model;
};
struct SetMode : CommandBase {
    SessionId sessionId;
    QString mode;
};
struct SetOption : CommandBase {
    SessionId sessionId;
    QString optionId;
    QString value;
};
struct RenameTask : CommandBase {
    QString title;
};
struct RetryStage : CommandBase {
    QString stageId;
};
struct CancelProvisioning : CommandBase { };
struct ResolveBranchClash : CommandBase {
    bool adopt = false;
    std::optional<QString> newName = {};
};
struct RefreshChanges : CommandBase { };

// user
struct SelectOrganization : CommandBase {
    OrganizationId organizationId;
};
struct SetDefaults : CommandBase {
    TaskDefaults defaults;
};
struct SetUnread : CommandBase {
    TaskId taskId;
    bool unread = true;
};
struct SetSeen : CommandBase {
    TaskId taskId;
    Millis at = 0;
};
struct SetOrder : CommandBase {
    TaskId taskId;
    std::optional<double> order = {}; // none: back to the natural order
};
struct SetActiveSession : CommandBase {
    TaskId taskId;
    SessionId sessionId;
};
struct UpdateDraft : CommandBase {
    TaskId taskId;
    SessionId sessionId;
    std::optional<Draft> draft = {};
};

// reads
struct ChangesSince {
    QString topic;
    QString generation; // empty: unknown
    qint64 revision = 0;
    std::optional<QString> cursor = {};
    std::optional<qint64> windowFrom = {};
    std::optional<qint64> windowTo = {};
};
struct GetTranscript {
    SessionId sessionId;
    std::optional<qint64> before = {};
    std::optional<qint64> after = {};
    qint64 limit = 200;
};
struct TranscriptPage {
    QList<TranscriptEntry> entries;
    qint64 count = 0;    // of the whole transcript
    qint64 revision = 0; // of the session topic when it was read
    QString generation;
};
struct GetDiff : CommandBase {
    QString path;
    OpenEnum<ChangeScope> scope = {};
    std::optional<QString> cursor = {};
};
struct GetStageLog {
    QString stageId;
    std::optional<qint64> attempt = {};
};
struct StageLog {
    QString text;
};
struct GetBlob {
    BlobId blobId;
    qint64 offset = 0;
    qint64 limit = 262144;
};
struct BlobPage {
    QByteArray data;
    qint64 size = 0;
};

} // namespace foundry
