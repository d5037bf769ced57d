// What goes wrong around a task, and what it says: a git that hangs, agents that misbehave, cancel and retry. Real
// programs throughout.
#include "tests/backend_actors/domainharness.h"

#include <QDir>
#include <QFile>

using namespace foundry;
using foundry::test::DomainHarness;

class tst_TaskFailures : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_path = qgetenv("PATH");
        m_host = std::make_unique<DomainHarness>();
        m_repository = m_host->git.makeRepository(QStringLiteral("project"));
    }
    void cleanup()
    {
        m_host.reset();
        qputenv("PATH", m_path);
        qunsetenv("FOUNDRY_STAGE_DEADLINE_MS");
    }

    void gitHangs();
    void stageDeadline();
    void badAgents_data();
    void badAgents();
    void needsLoginAtThePrompt();
    void retryAfterLogin_data();
    void retryAfterLogin();
    void agentCrashesInTheTurn();
    void agentIgnoresCancel();
    void branchNames();
    void notAvailable();
    void archivedReadsOfUnknownSessions();

private:
    void start()
    {
        m_host->start();
        m_repo = m_host->addRepository(m_repository);
    }
    DomainHarness::Made createWith(const AgentId &agent, const QString &prompt)
    {
        return m_host->createTask(m_repo, prompt, [&](CreateTask &task) { task.agent = agent; });
    }
    // A program of this name that only sleeps, before all others.
    void hang(const QString &program)
    {
        m_host->git.write(m_host->git.root(), QStringLiteral("hang/") + program, "#!/bin/sh\nexec sleep 600\n", true);
        qputenv("PATH", m_host->git.path(QStringLiteral("hang")).toUtf8() + ':' + m_path);
    }

    QByteArray m_path;
    std::unique_ptr<DomainHarness> m_host;
    QString m_repository;
    RepoId m_repo;
};

void tst_TaskFailures::gitHangs()
{
    start();
    m_host->stop();
    hang(QStringLiteral("git"));
    m_host->start();
    const auto made = m_host->createTask(m_repo, QStringLiteral("/help"));
    QVERIFY(!made.error);
    QVERIFY2(made.ms < 500, qPrintable(QString::number(made.ms)));
    QTRY_COMPARE_WITH_TIMEOUT(m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared")).value_or(Stage{}).state.text(),
        QStringLiteral("running"), 5000);
    // Everything a user can do meanwhile answers at once.
    double ms = 0;
    DomainHarness::Made second = made;
    second.session = makeId<SessionId>();
    QVERIFY(m_host->command(made.address, QStringLiteral("createSession"), CreateSession{{}, second.session, {}, {}, {}}, &ms).ok());
    QVERIFY(ms < 500);
    SendMessage message;
    message.queueId = makeId<QueueId>();
    message.sessionId = second.session;
    message.prompt.text = QStringLiteral("/help");
    QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message, &ms).ok());
    QVERIFY(ms < 500);
    QCOMPARE(m_host->session(made.address, second.session)->status.text(), QStringLiteral("pending_provision"));
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{}, &ms).ok());
    QVERIFY(ms < 500);
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared"))->state.text(), QStringLiteral("cancelled"));
    QCOMPARE(m_host->session(made.address, made.session)->status.text(), QStringLiteral("error"));
    // Git is well again: from here on, and both prompts are delivered.
    m_host->stop();
    qputenv("PATH", m_path);
    m_host->start();
    QVERIFY(m_host->command(made.address, QStringLiteral("retryStage"), RetryStage{{}, QStringLiteral("sandbox/repo_prepared")}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QVERIFY(m_host->waitForStatus(second, SessionStatus::Idle));
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared"))->attempt, 2);
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/sandbox_allocated"))->attempt, 1);
}

void tst_TaskFailures::stageDeadline()
{
    start();
    m_host->stop();
    hang(QStringLiteral("git"));
    qputenv("FOUNDRY_STAGE_DEADLINE_MS", "700");
    m_host->start();
    const auto made = m_host->createTask(m_repo, QStringLiteral("/help"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error, 15000));
    const auto stage = m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared"));
    QCOMPARE(stage->state.text(), QStringLiteral("failed"));
    QVERIFY(stage->error && !stage->error->message.isEmpty() && !stage->error->action.isEmpty());
    QTRY_COMPARE(m_host->summary(made.task)->status.text(), QStringLiteral("error"));
}

void tst_TaskFailures::badAgents_data()
{
    QTest::addColumn<QString>("mode");
    QTest::addColumn<QString>("code");
    QTest::addRow("missing") << QStringLiteral("missing") << QStringLiteral("not_installed");
    QTest::addRow("exits at once") << QStringLiteral("exit") << QStringLiteral("crashed");
    QTest::addRow("garbage") << QStringLiteral("garbageflood") << QStringLiteral("protocol");
    QTest::addRow("never answers") << QStringLiteral("silent") << QStringLiteral("deadline");
    QTest::addRow("needs login") << QStringLiteral("login") << QStringLiteral("needs_login");
    QTest::addRow("root") << QStringLiteral("rootless") << QString();
}

void tst_TaskFailures::badAgents()
{
    QFETCH(QString, mode);
    QFETCH(QString, code);
    qputenv("FOUNDRY_STAGE_DEADLINE_MS", "4000");
    start();
    AgentId agent;
    if (mode == QLatin1StringView("missing")) {
        AddCustomAgent add;
        add.agentId.value = QStringLiteral("missing");
        add.name = QStringLiteral("Missing");
        add.command = QStringLiteral("/nowhere/agent");
        QVERIFY(m_host->command(m_host->organization(), QStringLiteral("addCustomAgent"), add).ok());
        agent = add.agentId;
    } else {
        agent = m_host->addScriptedAgent(mode);
    }
    const auto made = createWith(agent, QStringLiteral("hello"));
    QVERIFY(!made.error);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error, 20000));
    const auto session = m_host->session(made.address, made.session);
    QVERIFY(session->error.has_value());
    if (!code.isEmpty())
        QCOMPARE(session->error->code, code);
    QVERIFY(!session->error->message.isEmpty());
    QVERIFY2(!session->error->action.isEmpty(), qPrintable(session->error->message));
    QTRY_COMPARE(m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).size(), 1);
    // The prompt is kept.
    QCOMPARE(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).size(), 1);
}

void tst_TaskFailures::needsLoginAtThePrompt()
{
    start();
    const auto made = createWith(m_host->addScriptedAgent(QStringLiteral("latelogin")), QStringLiteral("hello"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    QCOMPARE(m_host->session(made.address, made.session)->error->code, QStringLiteral("needs_login"));
    const auto entries = m_host->transcript(made.address, made.session);
    QCOMPARE(entries.last().turnEnd->stopReason, QStringLiteral("error"));
    QVERIFY(std::any_of(entries.begin(), entries.end(), [](const TranscriptEntry &entry) { return entry.error.has_value(); }));
}

void tst_TaskFailures::retryAfterLogin_data()
{
    QTest::addColumn<bool>("byPrompt");
    QTest::addColumn<bool>("otherWorks");
    QTest::addRow("retry from here") << false << false;
    QTest::addRow("a new prompt") << true << false;
    QTest::addRow("not while another session of the agent works") << false << true;
}

// An agent reads its login when it begins: the retry ends the process that was refused and starts another.
void tst_TaskFailures::retryAfterLogin()
{
    QFETCH(bool, byPrompt);
    QFETCH(bool, otherWorks);
    start();
    const QString login = m_host->git.path(QStringLiteral("login"));
    const QString journal = m_host->git.path(QStringLiteral("journal"));
    if (otherWorks)
        m_host->git.write(m_host->git.root(), QStringLiteral("login"), "yes\n");
    const AgentId agent = m_host->addScriptedAgent(otherWorks ? QStringLiteral("mute") : QStringLiteral("ok"),
        {QStringLiteral("--login"), login, QStringLiteral("--journal"), journal});
    const QString scope = QStringLiteral("agent:") + agent.value;
    // The probe of a new custom agent is a process of its own.
    const auto starts = [&] { return m_host->git.read(m_host->git.root(), QStringLiteral("journal")).count(" start\n"); };
    QTRY_VERIFY_WITH_TIMEOUT(starts() == 1, 10000);
    auto made = createWith(agent, QStringLiteral("hello"));
    if (otherWorks) {
        QVERIFY(m_host->waitForStatus(made, SessionStatus::Running));
        QCOMPARE(starts(), 2);
        // The retry of another session's stage does not touch the process in which a turn runs.
        DomainHarness::Made second = made;
        second.session = makeId<SessionId>();
        QVERIFY(m_host->command(made.address, QStringLiteral("createSession"), CreateSession{{}, second.session, agent, {}, {}}).ok());
        QVERIFY(m_host->waitForStatus(second, SessionStatus::Ready));
        QCOMPARE(starts(), 2);
        QCOMPARE(m_host->session(made.address, made.session)->status.text(), QStringLiteral("running"));
        return;
    }
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    QCOMPARE(m_host->session(made.address, made.session)->error->code, QStringLiteral("needs_login"));
    QCOMPARE(starts(), 2);
    m_host->git.write(m_host->git.root(), QStringLiteral("login"), "yes\n");
    if (byPrompt) {
        SendMessage message;
        message.queueId = makeId<QueueId>();
        message.sessionId = made.session;
        message.prompt.text = QStringLiteral("again");
        QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message).ok());
    } else {
        const RetryStage retry{{}, QStringLiteral("session:") + made.session.value + QStringLiteral("/session_creating")};
        QVERIFY(m_host->command(made.address, QStringLiteral("retryStage"), retry).ok());
    }
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QTRY_COMPARE(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).size(), 0);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(starts(), 3);
    QCOMPARE(m_host->stage(made.address, scope + QStringLiteral("/agent_starting"))->attempt, 2);
    QCOMPARE(m_host->stage(made.address, scope + QStringLiteral("/agent_ready"))->state.text(), QStringLiteral("done"));
    QCOMPARE(m_host->git.read(m_host->git.root(), QStringLiteral("journal")).count("prompt hello"), 1);
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared"))->attempt, 1);
}

void tst_TaskFailures::agentCrashesInTheTurn()
{
    start();
    const auto made = createWith(m_host->addScriptedAgent(QStringLiteral("crash")), QStringLiteral("hello"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    QCOMPARE(m_host->session(made.address, made.session)->error->code, QStringLiteral("crashed"));
    // Not sent again unasked; a new prompt starts the agent again.
    QCOMPARE(m_host->stage(made.address, QStringLiteral("agent:scripted-crash/agent_starting"))->attempt, 1);
    SendMessage message;
    message.queueId = makeId<QueueId>();
    message.sessionId = made.session;
    message.prompt.text = QStringLiteral("again");
    QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message).ok());
    QTRY_COMPARE_WITH_TIMEOUT(m_host->stage(made.address, QStringLiteral("agent:scripted-crash/agent_ready"))->attempt, 2, 10000);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    const auto said = [&] {
        int count = 0;
        for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session))
            count += entry.kind == EntryKind::UserMessage ? 1 : 0;
        return count;
    };
    if (!QTest::qWaitFor([&] { return said() == 2; })) m_host->waitForStatus(made, SessionStatus::Ready, 10);
    QTRY_COMPARE(said(), 2);
}

void tst_TaskFailures::agentIgnoresCancel()
{
    start();
    const auto made = createWith(m_host->addScriptedAgent(QStringLiteral("mute")), QStringLiteral("hello"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Running));
    QTest::qWait(300);
    double ms = 0;
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelTurn"), CancelTurn{{}, made.session}, &ms).ok());
    QVERIFY(ms < 500);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle, 20000));
    QCOMPARE(m_host->transcript(made.address, made.session).last().turnEnd->stopReason, QStringLiteral("cancelled"));
}

void tst_TaskFailures::branchNames()
{
    start();
    const auto bad = m_host->createTask(m_repo, QStringLiteral("x"), [](CreateTask &task) { task.branch = QStringLiteral("a..b"); });
    QVERIFY(bad.error && bad.error->is(QLatin1StringView("input"), QLatin1StringView("invalid")));
    QCOMPARE(bad.error->detail, QStringLiteral("branch"));
    const auto gone = m_host->createTask(m_repo, QStringLiteral("x"), [](CreateTask &task) { task.onBranch = QStringLiteral("nowhere"); });
    QVERIFY(!gone.error);
    QVERIFY(m_host->waitForStatus(gone, SessionStatus::Error));
    QCOMPARE(m_host->session(gone.address, gone.session)->error->code, QStringLiteral("missing_ref"));
    ResolveBranchClash fresh;
    fresh.newName = QStringLiteral("fresh");
    QVERIFY(m_host->command(gone.address, QStringLiteral("resolveBranchClash"), fresh).ok());
    QVERIFY(m_host->waitForStatus(gone, SessionStatus::Idle));
    const auto unknown = m_host->createTask(m_repo, QStringLiteral("x"), [](CreateTask &task) { task.agent = AgentId(QStringLiteral("nobody")); });
    QVERIFY(unknown.error && unknown.error->detail == QLatin1StringView("agent"));
}

void tst_TaskFailures::notAvailable()
{
    start();
    const auto made = m_host->createTask(m_repo, QStringLiteral("/help"));
    const backend::ActorAddress repository{QStringLiteral("repository"),
        {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("repo"), m_repo.value}};
    const QList<QPair<backend::ActorAddress, QString>> later{{made.address, QStringLiteral("push")},
        {repository, QStringLiteral("runRepoAction")}, {made.address, QStringLiteral("mergePullRequest")}};
    for (const auto &[actor, action] : later) {
        auto answer = m_host->call(actor, action, "[{\"requestId\":\"r-" + action.toUtf8() + "\"}]");
        QVERIFY(!answer && answer.error().is(QLatin1StringView("state"), QLatin1StringView("not_available")));
        QVERIFY(!answer.error().message.isEmpty());
    }
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
}

void tst_TaskFailures::archivedReadsOfUnknownSessions()
{
    start();
    const auto made = m_host->createTask(m_repo, QString());
    QVERIFY(!m_host->call(made.address, QStringLiteral("getTranscript"), "[{\"sessionId\":\"nobody\"}]").ok());
    QVERIFY(!m_host->call(made.address, QStringLiteral("getStageLog"), "[{\"stageId\":\"sandbox/none\"}]").ok());
    QVERIFY(!m_host->call(made.address, QStringLiteral("getBlob"), "[{\"blobId\":\"none\"}]").ok());
    // A key that no creation stands behind.
    const auto nobody = m_host->call(m_host->task(m_repo, TaskId(QStringLiteral("never"))), QStringLiteral("revisions"), "[]");
    QVERIFY(!nobody && nobody.error().is(QLatin1StringView("actor"), QLatin1StringView("not_found")));
}

QTEST_GUILESS_MAIN(tst_TaskFailures)
#include "tst_taskfailures.moc"
