// Internal to realtime/protocol. The one description of every value's JSON form: a field's name and where it lives.
// `describe(visitor, value)` serves writing (const value) and reading. Included by the codec's .cpp files only.
#pragma once

#include "models/types/commands.h"
#include "models/types/topic.h"
#include "realtime/protocol/fieldvisitors.h"

namespace foundry::protocol {

#define F(name) v(QLatin1StringView(#name), x.name)
#define FL(name) v.lenient(QLatin1StringView(#name), x.name)

template <class V, Same<Error> T> void describe(V &v, T &x) { F(group); F(code); F(message); FL(action); FL(detail); }
template <class V, Same<BlobRef> T> void describe(V &v, T &x) { F(blobId); F(size); F(mime); FL(preview); }
template <class V, Same<Attachment> T> void describe(V &v, T &x) { F(name); F(mime); F(size); F(blobId); }
template <class V, Same<TaskDefaults> T> void describe(V &v, T &x) { F(agent); F(model); F(mode); F(provider); }
template <class V, Same<Draft> T> void describe(V &v, T &x) { FL(text); F(blobId); FL(attachments); }
template <class V, Same<SyncState> T> void describe(V &v, T &x) { F(status); F(phase); F(done); F(total); F(at); F(error); }
template <class V, Same<AgentChoice> T> void describe(V &v, T &x) { F(id); F(name); FL(description); }
template <class V, Same<AgentOptions> T> void describe(V &v, T &x) { FL(models); FL(modes); FL(commands); }
template <class V, Same<AgentInstall> T> void describe(V &v, T &x) { F(package); F(version); F(bytes); }
template <class V, Same<Usage> T> void describe(V &v, T &x)
{
    F(inputTokens); F(outputTokens); F(costUsd); F(contextUsed); F(contextSize);
}
template <class V, Same<SessionOption> T> void describe(V &v, T &x)
{
    F(id); F(name); FL(category); F(currentValue); FL(values);
}
template <class V, Same<SessionBrief> T> void describe(V &v, T &x) { F(id); F(name); F(agent); F(status); F(turnStartedAt); }
template <class V, Same<PullRequestBrief> T> void describe(V &v, T &x) { F(number); F(state); FL(url); }
template <class V, Same<DiffStat> T> void describe(V &v, T &x) { FL(files); F(added); F(removed); }
template <class V, Same<TaskGit> T> void describe(V &v, T &x) { F(head); F(mergeBase); F(ahead); F(behind); F(dirty); }
template <class V, Same<PermissionOption> T> void describe(V &v, T &x) { F(id); F(name); F(kind); }
template <class V, Same<ToolLocation> T> void describe(V &v, T &x) { F(path); F(line); }
template <class V, Same<PlanEntry> T> void describe(V &v, T &x) { F(content); FL(priority); FL(status); }
template <class V, Same<PermissionAsk> T> void describe(V &v, T &x)
{
    F(requestId); FL(toolCallId); FL(title); F(options); F(answer); F(answeredBy);
}
template <class V, Same<QuestionField> T> void describe(V &v, T &x)
{
    F(name); FL(title); FL(description); F(type); FL(required); FL(options); F(value); F(minimum); F(maximum); F(pattern); F(format);
}
template <class V, Same<QuestionAsk> T> void describe(V &v, T &x)
{
    F(requestId); FL(message); FL(fields); F(url); F(answer); FL(values); F(answeredBy);
}
template <class V, Same<TaskLoss> T> void describe(V &v, T &x) { F(uncommitted); F(untracked); F(unpushed); F(at); FL(paths); }
template <class V, Same<TurnEnd> T> void describe(V &v, T &x) { F(stopReason); F(durationMs); F(usage); }
template <class V, Same<ToolCall> T> void describe(V &v, T &x)
{
    F(callId); F(title); FL(kind); FL(status); FL(locations); FL(content); F(rawInput); F(rawOutput); F(startedAt); F(endedAt);
}

// ---- entities (id, rev and updatedAt are beside the value)
template <class V, Same<UnknownEntity> T> void describe(V &, T &) { }
template <class V, Same<HostStatus> T> void describe(V &v, T &x) { F(version); F(load); F(tasksDiskBytes); F(agentsRunning); }
template <class V, Same<User> T> void describe(V &v, T &x) { F(name); F(login); F(avatarUrl); F(activeOrganizationId); FL(defaults); }
template <class V, Same<TaskOverlay> T> void describe(V &v, T &x) { F(unread); F(lastSeenAt); F(order); F(activeSessionId); }
template <class V, Same<SessionOverlay> T> void describe(V &v, T &x) { F(draft); F(lastSeenEntry); }
template <class V, Same<Organization> T> void describe(V &v, T &x) { F(name); F(kind); F(role); F(sync); FL(taskCounts); }
template <class V, Same<Repository> T> void describe(V &v, T &x)
{
    F(name); F(origin); F(defaultBranch); F(state); F(progress); F(progressText); F(error); F(taskCount); F(openPullRequests);
    FL(trustState); F(trustVersion); FL(dirty);
}
template <class V, Same<Agent> T> void describe(V &v, T &x)
{
    F(name); F(source); F(state); F(detail); F(install); F(needsNode); F(lastOptions);
}
template <class V, Same<TaskSummary> T> void describe(V &v, T &x)
{
    F(repoId); F(title); F(branch); F(baseBranch); F(status); F(stage); F(sessions); F(pullRequest); F(ci); F(diffStat);
    F(lastTurnEndedAt); F(owner); F(archivedAt); F(createdAt);
}
template <class V, Same<Attention> T> void describe(V &v, T &x)
{
    F(taskId); F(sessionId); F(reason); F(entryIndex); F(requestId); F(title); F(detail); FL(options); F(at);
}
template <class V, Same<DeletedTask> T> void describe(V &v, T &x) { F(title); F(branch); F(deletedAt); F(restorableUntil); F(lost); }
template <class V, Same<Task> T> void describe(V &v, T &x)
{
    F(prompt); FL(attachments); F(provider); F(sandboxId); F(workTree); F(git); FL(grants); FL(settings);
}
template <class V, Same<Stage> T> void describe(V &v, T &x)
{
    F(state); F(attempt); FL(order); F(startedAt); F(endedAt); F(progressAt); F(deadlineAt); F(message); F(logTail); F(error);
}
template <class V, Same<Session> T> void describe(V &v, T &x)
{
    F(name); F(agent); F(model); F(mode); FL(options); FL(commands); F(status); F(turnStartedAt); F(error); F(usage);
    F(entryCount); FL(interrupted); F(closedAt);
}
template <class V, Same<QueuedPrompt> T> void describe(V &v, T &x) { F(sessionId); F(prompt); FL(attachments); F(order); F(createdAt); F(by); }
template <class V, Same<Job> T> void describe(V &v, T &x)
{
    F(kind); F(target); F(status); F(step); F(message); FL(conflicts); F(error); F(loss); F(createdAt); F(undoUntil);
    F(completedAt);
}
template <class V, Same<ChangesHeader> T> void describe(V &v, T &x)
{
    F(head); F(mergeBase); F(ahead); F(behind); F(upstream); F(upstreamAhead); F(upstreamBehind); F(at); F(refreshing); F(error);
}
template <class V, Same<FileChange> T> void describe(V &v, T &x)
{
    F(path); F(oldPath); F(scope); F(status); F(added); F(removed); F(binary); FL(inLastTurn);
}
template <class V, Same<FileNode> T> void describe(V &v, T &x) { F(isDir); F(size); }
template <class V, Same<TranscriptEntry> T> void describe(V &v, T &x)
{
    F(turn); F(at); F(kind); FL(text); FL(continues); FL(attachments); F(tool); FL(plan); F(permission); F(question); F(turnEnd); F(error);
}
template <class V, Same<Process> T> void describe(V &v, T &x)
{
    F(command); F(args); F(cwd); F(tty); F(status); F(pid); F(exitCode); F(signal); F(startedAt); F(exitedAt); F(logBytes);
    FL(logStart); F(error);
}
template <class V, Same<AuditEvent> T> void describe(V &v, T &x)
{
    F(at); F(actorUser); F(kind); FL(cause); F(taskId); F(repoId); FL(payload);
}

// ---- parts of events
template <class V, Same<Removal> T> void describe(V &v, T &x) { F(type); F(id); }
template <class V, Same<TextAppend> T> void describe(V &v, T &x) { F(index); F(offset); F(text); }
template <class V, Same<ReadyNotice> T> void describe(V &v, T &x) { F(requestId); FL(path); }
template <class V, Same<Cause> T> void describe(V &v, T &x) { F(kind); F(requestId); F(userId); }
template <class V, Same<TopicRevision> T> void describe(V &v, T &x) { F(generation); F(revision); }

// ---- commands
template <class V, Same<CreateOrganization> T> void describe(V &v, T &x) { F(requestId); F(organizationId); F(name); }
template <class V, Same<AddRepository> T> void describe(V &v, T &x) { F(requestId); F(repoId); F(path); F(url); }
template <class V, Same<RemoveRepository> T> void describe(V &v, T &x) { F(requestId); F(repoId); }
template <class V, Same<TrustRepository> T> void describe(V &v, T &x) { F(requestId); F(repoId); F(version); }
template <class V, Same<ConfirmAgent> T> void describe(V &v, T &x) { F(requestId); F(agentId); }
template <class V, Same<InstallAgent> T> void describe(V &v, T &x) { F(requestId); F(agentId); }
template <class V, Same<LoginAgent> T> void describe(V &v, T &x) { F(requestId); F(agentId); }
template <class V, Same<RefreshAgents> T> void describe(V &v, T &x) { F(requestId); }
template <class V, Same<AddCustomAgent> T> void describe(V &v, T &x) { F(requestId); F(agentId); F(name); F(command); FL(args); }
template <class V, Same<CreateTask> T> void describe(V &v, T &x)
{
    F(requestId); F(taskId); F(sessionId); F(repoId); F(prompt); FL(attachments); F(title); F(branch); F(onBranch);
    F(baseBranch); F(agent); F(model); F(mode); F(provider);
}
template <class V, Same<CreateTaskAnswer> T> void describe(V &v, T &x) { F(task); F(session); F(stages); }
template <class V, Same<PutBlob> T> void describe(V &v, T &x)
{
    F(requestId); F(blobId); F(offset); v.base64(QLatin1StringView("dataBase64"), x.data); FL(last);
}
template <class V, Same<CreateSession> T> void describe(V &v, T &x) { F(requestId); F(sessionId); F(agent); F(model); F(mode); }
template <class V, Same<RenameSession> T> void describe(V &v, T &x) { F(requestId); F(sessionId); F(name); }
template <class V, Same<CloseSession> T> void describe(V &v, T &x) { F(requestId); F(sessionId); }
template <class V, Same<SendMessage> T> void describe(V &v, T &x) { F(requestId); F(queueId); F(sessionId); F(prompt); FL(attachments); }
template <class V, Same<EditQueued> T> void describe(V &v, T &x) { F(requestId); F(queueId); F(prompt); }
template <class V, Same<DropQueued> T> void describe(V &v, T &x) { F(requestId); F(queueId); }
template <class V, Same<CancelTurn> T> void describe(V &v, T &x) { F(requestId); F(sessionId); }
template <class V, Same<ResendInterrupted> T> void describe(V &v, T &x) { F(requestId); F(sessionId); }
// A permission is named by its own id beside the command's; a peer that sends one id means both.
template <class V, Same<AnswerPermission> T> void describe(V &v, T &x)
{
    F(requestId); FL(sessionId); FL(permissionRequestId); F(optionId);
}
template <class V, Same<AnswerQuestion> T> void describe(V &v, T &x)
{
    F(requestId); FL(sessionId); F(questionRequestId); F(answer); FL(values);
}
template <class V, Same<SetModel> T> void describe(V &v, T &x) { F(requestId); F(sessionId); F(model); }
template <class V, Same<SetMode> T> void describe(V &v, T &x) { F(requestId); F(sessionId); F(mode); }
template <class V, Same<SetOption> T> void describe(V &v, T &x) { F(requestId); F(sessionId); F(optionId); F(value); }
template <class V, Same<RenameTask> T> void describe(V &v, T &x) { F(requestId); F(title); }
template <class V, Same<RetryStage> T> void describe(V &v, T &x) { F(requestId); F(stageId); }
template <class V, Same<CancelProvisioning> T> void describe(V &v, T &x) { F(requestId); }
template <class V, Same<ResolveBranchClash> T> void describe(V &v, T &x) { F(requestId); FL(adopt); F(newName); }
template <class V, Same<RefreshChanges> T> void describe(V &v, T &x) { F(requestId); }
template <class V, Same<ArchiveTask> T> void describe(V &v, T &x) { F(requestId); F(taskId); }
template <class V, Same<UnarchiveTask> T> void describe(V &v, T &x) { F(requestId); F(taskId); }
template <class V, Same<PreviewDelete> T> void describe(V &v, T &x) { F(requestId); F(taskId); }
template <class V, Same<DeletePreview> T> void describe(V &v, T &x) { F(taskId); F(loss); F(job); }
template <class V, Same<DeleteTask> T> void describe(V &v, T &x) { F(requestId); F(taskId); FL(keepBranch); }
template <class V, Same<RestoreTask> T> void describe(V &v, T &x) { F(requestId); F(taskId); }
template <class V, Same<JobAnswer> T> void describe(V &v, T &x) { F(job); }
template <class V, Same<CancelJob> T> void describe(V &v, T &x) { F(requestId); F(jobId); }
template <class V, Same<Revert> T> void describe(V &v, T &x) { F(requestId); FL(paths); }
template <class V, Same<UndoRevert> T> void describe(V &v, T &x) { F(requestId); F(jobId); }
template <class V, Same<Commit> T> void describe(V &v, T &x) { F(requestId); F(message); F(paths); }
template <class V, Same<CreateProcess> T> void describe(V &v, T &x)
{
    F(requestId); F(processId); F(command); FL(args); F(cwd); FL(tty); F(cols); F(rows);
}
template <class V, Same<WriteInput> T> void describe(V &v, T &x)
{
    F(requestId); F(processId); v.base64(QLatin1StringView("dataBase64"), x.data);
}
template <class V, Same<ResizeTerminal> T> void describe(V &v, T &x) { F(requestId); F(processId); F(cols); F(rows); }
template <class V, Same<StopProcess> T> void describe(V &v, T &x) { F(requestId); F(processId); }
template <class V, Same<KillProcess> T> void describe(V &v, T &x) { F(requestId); F(processId); }
template <class V, Same<DeleteProcess> T> void describe(V &v, T &x) { F(requestId); F(processId); }
template <class V, Same<SelectOrganization> T> void describe(V &v, T &x) { F(requestId); F(organizationId); }
template <class V, Same<SetDefaults> T> void describe(V &v, T &x) { F(requestId); F(defaults); }
template <class V, Same<SetUnread> T> void describe(V &v, T &x) { F(requestId); F(taskId); FL(unread); }
template <class V, Same<SetSeen> T> void describe(V &v, T &x) { F(requestId); F(taskId); FL(at); }
template <class V, Same<SetOrder> T> void describe(V &v, T &x) { F(requestId); F(taskId); F(order); }
template <class V, Same<SetActiveSession> T> void describe(V &v, T &x) { F(requestId); F(taskId); F(sessionId); }
template <class V, Same<UpdateDraft> T> void describe(V &v, T &x) { F(requestId); F(taskId); F(sessionId); F(draft); }

// ---- reads and their answers
template <class V, Same<GetTranscript> T> void describe(V &v, T &x) { F(sessionId); F(before); F(after); FL(limit); }
template <class V, Same<TranscriptPage> T> void describe(V &v, T &x) { F(entries); F(count); F(revision); F(generation); }
template <class V, Same<GetDiff> T> void describe(V &v, T &x) { FL(requestId); F(path); FL(scope); F(cursor); }
template <class V, Same<GetStageLog> T> void describe(V &v, T &x) { F(stageId); F(attempt); }
template <class V, Same<StageLog> T> void describe(V &v, T &x) { F(text); }
template <class V, Same<GetBlob> T> void describe(V &v, T &x) { F(blobId); FL(offset); FL(limit); }
template <class V, Same<BlobPage> T> void describe(V &v, T &x) { v.base64(QLatin1StringView("dataBase64"), x.data); F(size); }

template <class V, Same<SearchTasks> T> void describe(V &v, T &x) { F(query); FL(limit); }
template <class V, Same<TasksFound> T> void describe(V &v, T &x) { F(tasks); }
template <class V, Same<SearchTranscript> T> void describe(V &v, T &x) { F(sessionId); F(query); FL(limit); }
template <class V, Same<TranscriptHit> T> void describe(V &v, T &x) { F(sessionId); F(index); F(at); F(kind); F(snippet); }
template <class V, Same<TranscriptHits> T> void describe(V &v, T &x) { F(hits); FL(truncated); }
template <class V, Same<ListDirectory> T> void describe(V &v, T &x) { FL(requestId); FL(path); F(cursor); }
template <class V, Same<FindFiles> T> void describe(V &v, T &x) { FL(requestId); F(query); FL(limit); }
template <class V, Same<ReadFile> T> void describe(V &v, T &x) { FL(requestId); F(path); F(ref); FL(offset); FL(limit); }
template <class V, Same<GetProcessLogs> T> void describe(V &v, T &x) { F(processId); F(after); F(before); FL(limit); }
template <class V, Same<ProcessLogPage> T> void describe(V &v, T &x)
{
    v.base64(QLatin1StringView("dataBase64"), x.data); F(offset); F(start); F(end); F(seq); FL(generation);
}
template <class V, Same<AuditFilters> T> void describe(V &v, T &x) { F(taskId); F(repoId); F(kind); F(actorUser); }
template <class V, Same<ListAudit> T> void describe(V &v, T &x) { F(before); FL(limit); FL(filters); }
template <class V, Same<AuditPage> T> void describe(V &v, T &x) { F(events); F(count); F(revision); F(generation); F(next); }
template <class V, Same<ExportAudit> T> void describe(V &v, T &x) { F(after); FL(limit); }
template <class V, Same<AuditExport> T> void describe(V &v, T &x) { F(lines); F(next); }

#undef F
#undef FL

} // namespace foundry::protocol
