#include "tests/views_shell/sampledata.h"

namespace foundry::test {

namespace {

constexpr Millis minute = 60'000;
constexpr Millis hour = 60 * minute;
constexpr Millis day = 24 * hour;

QString s(const char *text)
{
    return QString::fromUtf8(text);
}

Repository repository(const char *id, const char *name, const char *origin, RepositoryState state)
{
    Repository value;
    value.id = RepoId(s(id));
    value.name = s(name);
    value.origin = s(origin);
    value.defaultBranch = s("main");
    value.state = state;
    return value;
}

Agent agent(const char *id, const char *name, AgentState state, const char *detail, AgentSource source = AgentSource::Path)
{
    Agent value;
    value.id = AgentId(s(id));
    value.name = s(name);
    value.state = state;
    value.source = source;
    value.detail = s(detail);
    return value;
}

TaskSummary task(const char *id, const char *repo, const char *title, const char *branch, TaskStatus status, Millis age,
    const char *agentName = "claude")
{
    TaskSummary value;
    value.id = TaskId(s(id));
    value.repoId = RepoId(s(repo));
    value.title = s(title);
    value.branch = s(branch);
    value.status = status;
    value.createdAt = sampleNow - age;
    SessionBrief session;
    session.id = SessionId(s(id) + s("-s"));
    session.agent = AgentId(s(agentName));
    if (status == TaskStatus::Running)
        session.turnStartedAt = sampleNow - 4 * minute;
    value.sessions = {session};
    return value;
}

TaskOverlay seen(const char *id, Millis at = sampleNow)
{
    TaskOverlay value;
    value.id = TaskId(s(id));
    value.lastSeenAt = at;
    return value;
}

} // namespace

void SampleModels::apply(const TopicEvent &event)
{
    repositories.apply(event);
    agents.apply(event);
    tasks.apply(event);
    attention.apply(event);
}

void SampleModels::setReady()
{
    for (ListModelBase *model : {static_cast<ListModelBase *>(&tasks), static_cast<ListModelBase *>(&repositories),
             static_cast<ListModelBase *>(&agents), static_cast<ListModelBase *>(&attention)})
        model->setReady(true);
}

TopicEvent sampleRepositories()
{
    TopicEvent event;
    Repository payments = repository("r1", "payments-api", "/home/mara/src/payments-api", RepositoryState::Ready);
    payments.dirty = true;
    Repository cloning = repository("r4", "design-tokens", "https://git.example.org/web/design-tokens.git", RepositoryState::Cloning);
    cloning.progress = 0.42;
    cloning.progressText = s("Receiving objects: 8,412 of 20,031");
    Repository broken = repository("r5", "legacy-reports", "/mnt/archive/legacy-reports", RepositoryState::Error);
    broken.error = Error{s("git"), s("untrusted"), s("This folder belongs to another user, so git does not trust it."),
        s("Add it to git's safe.directory, then add it again.")};
    event.upserts = {payments, repository("r2", "web-console", "/home/mara/src/web-console", RepositoryState::Ready),
        repository("r3", "infra", "ssh://git@git.example.org/ops/infra.git", RepositoryState::Ready), cloning, broken};
    return event;
}

TopicEvent sampleAgents()
{
    TopicEvent event;
    Agent claude = agent("claude", "Claude Code", AgentState::Ready, "claude 2.1.4, adapter 0.9.2");
    claude.lastOptions = AgentOptions{{}, {{s("default"), s("Ask before edits"), s("Asks before each action")},
        {s("plan"), s("Plan only"), {}}}, {}};
    Agent gemini = agent("gemini", "Gemini CLI", AgentState::NeedsLogin, "gemini 0.18.0 at /usr/local/bin/gemini");
    Agent opencode = agent("opencode", "OpenCode", AgentState::NotInstalled, "");
    opencode.detail = std::nullopt;
    opencode.install = AgentInstall{s("opencode-ai"), s("1.0.3"), 182'000'000};
    event.upserts = {claude, agent("codex", "Codex", AgentState::Unconfirmed, "codex 0.58.0 at /usr/local/bin/codex"), gemini,
        opencode, agent("runner", "Built-in runner", AgentState::Ready, "", AgentSource::Builtin)};
    return event;
}

TopicEvent sampleTasks()
{
    TopicEvent event;
    TaskSummary permission = task("t1", "r1", "Retry failed webhooks with backoff and a dead-letter queue",
        "retry-failed-webhooks-7f3a", TaskStatus::Running, 52 * minute);
    permission.diffStat = DiffStat{6, 218, 34};
    TaskSummary question = task("t2", "r2", "Keyboard navigation in the invoice table", "keyboard-navigation-invoice-19c2",
        TaskStatus::Running, 3 * hour, "codex");
    question.diffStat = DiffStat{3, 87, 12};
    TaskSummary failed = task("t3", "r3", "Move the staging cluster to arm64 nodes", "staging-arm64-0b7e", TaskStatus::Error,
        26 * minute, "codex");
    failed.stage = s("agent:codex/agent_starting");
    TaskSummary finished = task("t4", "r1", "Explain and fix the flaky settlement test", "flaky-settlement-test-a41d",
        TaskStatus::Idle, 11 * hour);
    finished.lastTurnEndedAt = sampleNow - 9 * hour;
    finished.diffStat = DiffStat{2, 14, 41};
    TaskSummary running = task("t5", "r1", "Replace hand-written SQL in the ledger with prepared statements",
        "ledger-prepared-statements-52d0", TaskStatus::Running, 38 * minute);
    running.diffStat = DiffStat{11, 1240, 986};
    TaskSummary running2 = task("t6", "r2", "Dark theme for the settings pages", "dark-theme-settings-e88b", TaskStatus::Running,
        14 * minute, "codex");
    running2.diffStat = DiffStat{4, 96, 0};
    TaskSummary provisioning = task("t7", "r3", "Document the backup restore drill", "backup-restore-drill-6c11",
        TaskStatus::Provisioning, minute / 2);
    provisioning.stage = s("sandbox/sandbox_allocated");
    TaskSummary provisioning2 = task("t8", "r2", "Upgrade the router to version 7", "router-7-91af", TaskStatus::Provisioning,
        minute, "codex");
    provisioning2.stage = s("agent:codex/agent_starting");
    TaskSummary ready = task("t9", "r2", "Accessible names for icon buttons", "accessible-names-icon-b3c4", TaskStatus::Idle,
        2 * day, "codex");
    ready.lastTurnEndedAt = sampleNow - 2 * day + hour;
    ready.diffStat = DiffStat{19, 133, 58};
    TaskSummary ready2 = task("t10", "r1", "Größenangaben in der Preisliste korrigieren 🧮", "groessenangaben-preisliste-44e0",
        TaskStatus::Idle, 5 * day, "runner");
    ready2.lastTurnEndedAt = sampleNow - 5 * day + hour;
    TaskSummary ready3 = task("t11", "r3", "Rotate the CI deploy keys", "rotate-ci-keys-d2aa", TaskStatus::Ready, 4 * hour);
    TaskSummary archived = task("t12", "r1", "Bump tokio to 1.41", "bump-tokio-141-9e01", TaskStatus::Archived, 6 * day);
    archived.archivedAt = sampleNow - 3 * day;
    archived.diffStat = DiffStat{2, 4, 4};
    TaskSummary archived2 = task("t13", "r2", "Remove the unused feature flags", "unused-flags-27bd", TaskStatus::Archived, 8 * day);
    archived2.archivedAt = sampleNow - 5 * day;
    archived2.diffStat = DiffStat{31, 12, 640};

    Attention ask;
    ask.id = s("a1");
    ask.taskId = permission.id;
    ask.sessionId = SessionId(s("t1-s"));
    ask.reason = AttentionReason::Permission;
    ask.title = s("Run cargo test --workspace?");
    ask.entryIndex = 42;
    ask.requestId = s("p1");
    ask.options = {{s("allow"), s("Allow once"), s("allow_once")}, {s("reject"), s("Reject"), s("reject_once")}};
    ask.at = sampleNow - 2 * minute;
    Attention doubt;
    doubt.id = s("a2");
    doubt.taskId = question.id;
    doubt.reason = AttentionReason::Question;
    doubt.title = s("Should Escape close the row editor or only clear it?");
    doubt.at = sampleNow - 41 * minute;

    event.upserts = {permission, question, failed, finished, running, running2, provisioning, provisioning2, ready, ready2,
        ready3, archived, archived2, ask, doubt, seen("t9"), seen("t10"), seen("t5"), seen("t6")};
    return event;
}

TopicEvent manyTasks(int count)
{
    static const char *const titles[] = {"Fix the race in the job queue", "Add a health check endpoint",
        "Write property tests for the parser", "Trim the docker image", "Explain the memory growth of the importer",
        "Split the settings page", "Cache the exchange rates"};
    static const TaskStatus states[] = {TaskStatus::Idle, TaskStatus::Running, TaskStatus::Idle, TaskStatus::Ready,
        TaskStatus::Provisioning, TaskStatus::Idle, TaskStatus::Archived};
    TopicEvent event;
    for (int n = 0; n < count; ++n) {
        const QByteArray id = "m" + QByteArray::number(n);
        const QByteArray repo = "r" + QByteArray::number(n % 3 + 1);
        const QByteArray branch = "branch-" + QByteArray::number(n, 16);
        TaskSummary value = task(id.constData(), repo.constData(), titles[n % 7], branch.constData(), states[n % 7],
            minute * (n + 1), n % 2 ? "codex" : "claude");
        value.diffStat = DiffStat{n % 9, n * 7 % 400, n * 3 % 90};
        if (value.status.is(TaskStatus::Archived))
            value.archivedAt = sampleNow - minute * n;
        event.upserts.append(value);
    }
    return event;
}

} // namespace foundry::test
