// One filled value of every entity, for tests of both directions.
#pragma once

#include "models/types/commands.h"
#include "models/types/topic.h"

namespace foundry::samples {

inline Error error()
{
    return makeError(QLatin1StringView("git"), QLatin1StringView("conflict"), QStringLiteral("“a.txt” conflicts."),
        QStringLiteral("Resolve it and try again."), QStringLiteral("CONFLICT (content)\n\ttab \"quoted\" \\ back"));
}

inline TaskSummary summary()
{
    TaskSummary x;
    x.id = TaskId(QStringLiteral("t1"));
    x.rev = 42;
    x.updatedAt = 1795349912589;
    x.repoId = RepoId(QStringLiteral("r1"));
    x.title = QStringLiteral("Größe prüfen 😀");
    x.branch = QStringLiteral("groesse-pruefen-1a2b");
    x.baseBranch = QStringLiteral("main");
    x.status = TaskStatus::Running;
    x.stage = QStringLiteral("Starting agent");
    SessionBrief brief;
    brief.id = SessionId(QStringLiteral("s1"));
    brief.name = QStringLiteral("Session 1");
    brief.agent = AgentId(QStringLiteral("runner"));
    brief.status = SessionStatus::Running;
    brief.turnStartedAt = 1795349912000;
    x.sessions = {brief};
    x.diffStat = DiffStat{2, 10, 3};
    x.lastTurnEndedAt = 1795349911000;
    x.owner = QStringLiteral("local");
    x.createdAt = 1795349900000;
    return x;
}

inline TranscriptEntry toolEntry()
{
    TranscriptEntry x;
    x.index = 17;
    x.rev = 901;
    x.updatedAt = 1795349912589;
    x.turn = 2;
    x.at = 1795349912589;
    x.kind = EntryKind::ToolCall;
    ToolCall tool;
    tool.callId = QStringLiteral("call_1");
    tool.title = QStringLiteral("Write NOTES.md");
    tool.kind = QStringLiteral("edit");
    tool.status = QStringLiteral("completed");
    tool.locations = {ToolLocation{QStringLiteral("NOTES.md"), 3}};
    ToolDiff diff;
    diff.path = QStringLiteral("NOTES.md");
    diff.newText.text = QStringLiteral("# Notes\n");
    ToolText big;
    big.text.blob = BlobRef{BlobId(QStringLiteral("b1")), 50000, QStringLiteral("text/plain"), QStringLiteral("first lines")};
    tool.content = {diff, big, ToolTerminal{ProcessId(QStringLiteral("p1"))}};
    tool.rawInput = TextOrBlob{QStringLiteral("{\"path\":\"NOTES.md\"}")};
    x.tool = tool;
    return x;
}

inline QList<Entity> all()
{
    QList<Entity> list;
    HostStatus host;
    host.version = QStringLiteral("0.1.0");
    host.load = 0.25;
    list << host;
    User user;
    user.id = AccountId(QStringLiteral("local"));
    user.name = QStringLiteral("You");
    user.activeOrganizationId = OrganizationId(QStringLiteral("local"));
    user.defaults.agent = AgentId(QStringLiteral("codex"));
    list << user;
    TaskOverlay overlay;
    overlay.id = TaskId(QStringLiteral("t1"));
    overlay.unread = true;
    overlay.order = 1.5;
    list << overlay;
    SessionOverlay sessionOverlay;
    sessionOverlay.id = SessionId(QStringLiteral("s1"));
    sessionOverlay.draft = Draft{QStringLiteral("half a sen"), {}, {}};
    list << sessionOverlay;
    Organization organization;
    organization.id = OrganizationId(QStringLiteral("local"));
    organization.name = QStringLiteral("This machine");
    organization.role = QStringLiteral("owner");
    organization.taskCounts = {{QStringLiteral("idle"), 3}};
    list << organization;
    Repository repository;
    repository.id = RepoId(QStringLiteral("r1"));
    repository.name = QStringLiteral("sample");
    repository.origin = QStringLiteral("/home/me/sample");
    repository.state = RepositoryState::Error;
    repository.error = error();
    list << repository;
    Agent agent;
    agent.id = AgentId(QStringLiteral("claude"));
    agent.name = QStringLiteral("Claude Code");
    agent.state = AgentState::AdapterMissing;
    agent.install = AgentInstall{QStringLiteral("@agentclientprotocol/claude-agent-acp"), QStringLiteral("0.101.0"), 401000000};
    agent.lastOptions = AgentOptions{{AgentChoice{QStringLiteral("m"), QStringLiteral("Model"), {}}}, {}, {}};
    list << agent;
    list << summary();
    Attention attention;
    attention.id = QStringLiteral("a3");
    attention.taskId = TaskId(QStringLiteral("t1"));
    attention.sessionId = SessionId(QStringLiteral("s1"));
    attention.entryIndex = 4;
    attention.requestId = QStringLiteral("perm-1");
    attention.title = QStringLiteral("Write NOTES.md?");
    attention.options = {PermissionOption{QStringLiteral("allow"), QStringLiteral("Allow"), QStringLiteral("allow_once")}};
    list << attention;
    DeletedTask deleted;
    deleted.id = TaskId(QStringLiteral("t9"));
    deleted.title = QStringLiteral("Old");
    list << deleted;
    Task task;
    task.id = TaskId(QStringLiteral("t1"));
    task.prompt.text = QStringLiteral("Do it\nwell");
    task.workTree = QStringLiteral("/data/worktrees/r1/t1");
    list << task;
    Stage stage;
    stage.id = QStringLiteral("agent:codex/agent_starting");
    stage.state = StageState::Failed;
    stage.attempt = 2;
    stage.startedAt = 5;
    stage.error = error();
    list << stage;
    Session session;
    session.id = SessionId(QStringLiteral("s1"));
    session.name = QStringLiteral("Session 1");
    session.agent = AgentId(QStringLiteral("codex"));
    session.options = {SessionOption{QStringLiteral("mode"), QStringLiteral("Mode"), QStringLiteral("mode"),
        QStringLiteral("ask"), {AgentChoice{QStringLiteral("ask"), QStringLiteral("Ask"), {}}}}};
    session.usage = Usage{100, 20, 0.01, {}, {}};
    list << session;
    QueuedPrompt queued;
    queued.id = QueueId(QStringLiteral("q1"));
    queued.sessionId = SessionId(QStringLiteral("s1"));
    queued.prompt.blobId = BlobId(QStringLiteral("b2"));
    list << queued;
    Job job;
    job.id = QStringLiteral("j1");
    job.kind = QStringLiteral("refresh_changes");
    job.conflicts = {QStringLiteral("$money"), QStringLiteral("two of them")};
    list << job;
    ChangesHeader header;
    header.ahead = 1;
    list << header;
    FileChange change;
    change.id = QStringLiteral("untracked:a \"b\"\n.txt");
    change.path = QStringLiteral("a \"b\"\n.txt");
    change.scope = ChangeScope::Untracked;
    change.status = QStringLiteral("A");
    list << change;
    FileNode node;
    node.path = QStringLiteral("src/main.cpp");
    node.size = 12;
    list << node;
    list << toolEntry();
    TranscriptEntry permission;
    permission.index = 18;
    permission.kind = EntryKind::Permission;
    permission.permission = PermissionAsk{QStringLiteral("perm-1"), QStringLiteral("call_1"), QStringLiteral("Write?"),
        attention.options, QStringLiteral("allow"), QStringLiteral("local")};
    list << permission;
    TranscriptEntry end;
    end.index = 19;
    end.kind = EntryKind::TurnEnd;
    end.turnEnd = TurnEnd{QStringLiteral("end_turn"), 1234, Usage{}};
    list << end;
    Process process;
    process.id = ProcessId(QStringLiteral("p1"));
    process.command = QStringLiteral("make");
    process.args = {QStringLiteral("-j"), QStringLiteral("2")};
    process.status = QStringLiteral("running");
    list << process;
    AuditEvent audit;
    audit.index = 7;
    audit.at = 1795349912589;
    audit.actorUser = QStringLiteral("local");
    audit.kind = QStringLiteral("prompt_sent");
    audit.cause = QStringLiteral("command");
    audit.taskId = TaskId(QStringLiteral("t1"));
    audit.payload = {{QStringLiteral("session"), QStringLiteral("s1")}};
    list << audit;
    TranscriptEntry question;
    question.index = 20;
    question.kind = EntryKind::Question;
    QuestionField field;
    field.name = QStringLiteral("branch");
    field.title = QStringLiteral("Branch");
    field.type = QStringLiteral("enum");
    field.required = true;
    field.options = {AgentChoice{QStringLiteral("main"), QStringLiteral("main"), {}}};
    question.question = QuestionAsk{QStringLiteral("ask-1"), QStringLiteral("Which branch?"), {field}, {}, QStringLiteral("accept"),
        {{QStringLiteral("branch"), QStringLiteral("main")}}, QStringLiteral("local")};
    list << question;
    return list;
}

inline TopicEvent event()
{
    TopicEvent x;
    x.topic = QStringLiteral("organization");
    x.generation = QStringLiteral("g7");
    x.revision = 42;
    x.at = 1795349912589;
    x.cause = Cause{QStringLiteral("command"), RequestId(QStringLiteral("r1")), QStringLiteral("local")};
    x.upserts = {summary()};
    x.removals = {Removal{QStringLiteral("Attention"), QStringLiteral("a3")}};
    return x;
}

// One of every command and read, by the name of its action.
template <class Encode>
QList<std::pair<QString, QByteArray>> commands(Encode encode)
{
    const RequestId request(QStringLiteral("r1"));
    const TaskId task(QStringLiteral("t1"));
    const SessionId session(QStringLiteral("s1"));
    const RepoId repo(QStringLiteral("repo1"));
    const AgentId agent(QStringLiteral("codex"));
    const QueueId queue(QStringLiteral("q1"));
    const Prompt prompt{QStringLiteral("Fix the build"), {}};
    QList<std::pair<QString, QByteArray>> all;
    const auto add = [&](const char *name, const auto &value) { all.append({QString::fromLatin1(name), encode(value)}); };
    add("addRepository", AddRepository{{request}, repo, QStringLiteral("/home/me/project"), {}});
    add("removeRepository", RemoveRepository{{request}, repo});
    add("confirmAgent", ConfirmAgent{{request}, agent});
    add("installAgent", InstallAgent{{request}, agent});
    add("refreshAgents", RefreshAgents{{request}});
    add("addCustomAgent", AddCustomAgent{{request}, AgentId(QStringLiteral("mine")), QStringLiteral("Mine"), QStringLiteral("/opt/mine"), {QStringLiteral("--acp")}});
    CreateTask create{{request}, task, session, repo, prompt, {}, {}, {}, {}, QStringLiteral("main"), agent, {}, {}, {}};
    add("createTask", create);
    add("putBlob", PutBlob{{request}, BlobId(QStringLiteral("b1")), 0, QByteArray("Fix the build"), true});
    add("createSession", CreateSession{{request}, session, agent, {}, {}});
    add("renameSession", RenameSession{{request}, session, QStringLiteral("Review")});
    add("closeSession", CloseSession{{request}, session});
    add("sendMessage", SendMessage{{request}, queue, session, prompt, {}});
    add("editQueued", EditQueued{{request}, queue, prompt});
    add("dropQueued", DropQueued{{request}, queue});
    add("cancelTurn", CancelTurn{{request}, session});
    add("resendInterrupted", ResendInterrupted{{request}, session});
    add("answerPermission", AnswerPermission{{request}, session, QStringLiteral("perm-1"), QStringLiteral("allow")});
    add("setModel", SetModel{{request}, session, QStringLiteral("large")});
    add("setMode", SetMode{{request}, session, QStringLiteral("ask")});
    add("setOption", SetOption{{request}, session, QStringLiteral("thought_level"), QStringLiteral("high")});
    add("renameTask", RenameTask{{request}, QStringLiteral("Fix the build for good")});
    add("retryStage", RetryStage{{request}, QStringLiteral("agent:codex/agent_starting")});
    add("cancelProvisioning", CancelProvisioning{{request}});
    add("resolveBranchClash", ResolveBranchClash{{request}, false, QStringLiteral("another-name")});
    add("refreshChanges", RefreshChanges{{request}});
    add("selectOrganization", SelectOrganization{{request}, OrganizationId(QStringLiteral("local"))});
    add("setDefaults", SetDefaults{{request}, TaskDefaults{agent, {}, {}, {}}});
    add("setUnread", SetUnread{{request}, task, true});
    add("setSeen", SetSeen{{request}, task, 1795349912589});
    add("setActiveSession", SetActiveSession{{request}, task, session});
    add("updateDraft", UpdateDraft{{request}, task, session, Draft{QStringLiteral("half a sen"), {}, {}}});
    add("changesSince", ChangesSince{QStringLiteral("session/s1"), QStringLiteral("g9"), 880, {}, 10, 17});
    add("getTranscript", GetTranscript{session, 400, {}, 200});
    add("getDiff", GetDiff{{request}, QStringLiteral("src/main.cpp"), ChangeScope::Unstaged, {}});
    add("getStageLog", GetStageLog{QStringLiteral("sandbox/repo_prepared"), 1});
    add("getBlob", GetBlob{BlobId(QStringLiteral("b1")), 0, 262144});
    const ProcessId process(QStringLiteral("p1"));
    add("createOrganization", CreateOrganization{{request}, OrganizationId(QStringLiteral("team")), QStringLiteral("Team")});
    add("trustRepository", TrustRepository{{request}, repo, QStringLiteral("3f1c")});
    add("loginAgent", LoginAgent{{request}, agent});
    add("archiveTask", ArchiveTask{{request}, task});
    add("unarchiveTask", UnarchiveTask{{request}, task});
    add("previewDelete", PreviewDelete{{request}, task});
    add("deleteTask", DeleteTask{{request}, task, true});
    add("restoreTask", RestoreTask{{request}, task});
    add("searchTasks", SearchTasks{QStringLiteral("build"), 50});
    add("answerQuestion", AnswerQuestion{{request}, session, QStringLiteral("ask-1"), QStringLiteral("accept"), {{QStringLiteral("branch"), QStringLiteral("main")}}});
    add("revert", Revert{{request}, {QStringLiteral("src/main.cpp")}});
    add("undoRevert", UndoRevert{{request}, QStringLiteral("j1")});
    add("commit", Commit{{request}, QStringLiteral("Fix the build"), QStringList{QStringLiteral("src/main.cpp")}});
    add("cancelJob", CancelJob{{request}, QStringLiteral("j1")});
    add("searchTranscript", SearchTranscript{session, QStringLiteral("linker"), 50});
    add("listDirectory", ListDirectory{{request}, QStringLiteral("src"), {}});
    add("findFiles", FindFiles{{request}, QStringLiteral("main"), 100});
    add("readFile", ReadFile{{request}, QStringLiteral("src/main.cpp"), {}, 0, 262144});
    add("createProcess", CreateProcess{{request}, process, QStringLiteral("make"), {QStringLiteral("-j"), QStringLiteral("2")}, {}, true, 80, 24});
    add("writeInput", WriteInput{{request}, process, QByteArray("ls\n")});
    add("resizeTerminal", ResizeTerminal{{request}, process, 100, 30});
    add("stopProcess", StopProcess{{request}, process});
    add("killProcess", KillProcess{{request}, process});
    add("deleteProcess", DeleteProcess{{request}, process});
    add("getProcessLogs", GetProcessLogs{process, 4096, {}, 262144});
    add("list", ListAudit{400, 200, AuditFilters{task, {}, {}, {}}});
    add("exportLines", ExportAudit{400, 500});
    return all;
}

} // namespace foundry::samples
