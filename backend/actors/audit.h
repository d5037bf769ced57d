// The one way to write into an organization's audit log: a durable send of the transaction that does what is told, so
// that the event is there exactly once when that was committed, and not otherwise. Who did it and why are those of the
// transaction (Transaction::setCause): set the cause first. Actor code, inside a transaction.
#pragma once

#include "backend/actors/actorcontext.h"
#include "models/types/audit.h"

namespace foundry::backend {

namespace auditkind {
inline constexpr QLatin1StringView organizationCreated("organization_created");
inline constexpr QLatin1StringView repositoryAdded("repository_added");
inline constexpr QLatin1StringView repositoryRemoved("repository_removed");
inline constexpr QLatin1StringView repositoryTrusted("repository_trusted");
inline constexpr QLatin1StringView agentConfirmed("agent_confirmed");
inline constexpr QLatin1StringView agentInstalled("agent_installed"); // the command; its end is agent_install_failed or nothing
inline constexpr QLatin1StringView agentInstallFailed("agent_install_failed");
inline constexpr QLatin1StringView agentAdded("agent_added");
inline constexpr QLatin1StringView defaultsChanged("defaults_changed");
inline constexpr QLatin1StringView taskCreated("task_created");
inline constexpr QLatin1StringView taskRenamed("task_renamed");
inline constexpr QLatin1StringView taskArchived("task_archived");
inline constexpr QLatin1StringView taskUnarchived("task_unarchived");
inline constexpr QLatin1StringView taskDeleted("task_deleted");
inline constexpr QLatin1StringView taskRestored("task_restored");
inline constexpr QLatin1StringView stageDone("stage_done");
inline constexpr QLatin1StringView stageFailed("stage_failed");
inline constexpr QLatin1StringView stageRetried("stage_retried");
inline constexpr QLatin1StringView provisioningCancelled("provisioning_cancelled");
inline constexpr QLatin1StringView sessionCreated("session_created");
inline constexpr QLatin1StringView sessionClosed("session_closed");
inline constexpr QLatin1StringView sessionFailed("session_failed");
inline constexpr QLatin1StringView promptSent("prompt_sent");
inline constexpr QLatin1StringView turnCancelled("turn_cancelled");
inline constexpr QLatin1StringView permissionAnswered("permission_answered");
inline constexpr QLatin1StringView questionAnswered("question_answered");
inline constexpr QLatin1StringView modelChanged("model_changed");
inline constexpr QLatin1StringView modeChanged("mode_changed");
inline constexpr QLatin1StringView optionChanged("option_changed");
inline constexpr QLatin1StringView committed("committed");
inline constexpr QLatin1StringView pushed("pushed");
inline constexpr QLatin1StringView pullRequestChanged("pull_request_changed");
inline constexpr QLatin1StringView reverted("reverted");
inline constexpr QLatin1StringView revertUndone("revert_undone");
inline constexpr QLatin1StringView processStarted("process_started");
} // namespace auditkind

struct AuditRecord {
    QString kind; // one of auditkind
    std::optional<TaskId> taskId = {};
    std::optional<RepoId> repoId = {};
    // Short facts: ids, names, codes. Never the text of a prompt, an answer or a secret. Values are cut at 400 characters.
    QMap<QString, QString> payload = {};
    std::optional<QString> actorUser = {}; // who asked for it, when that is not who caused this transaction
};

void audit(Transaction &tx, const OrganizationId &organization, const AuditRecord &record);

} // namespace foundry::backend
