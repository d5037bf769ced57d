// A task in a place that is no work tree of this machine: slow, far, failing on demand. It goes through the same stages,
// with retry, cancel, deadline and crash, and createTask never waits for it. Both providers are asked the same.
#include "backend/sandboxes/worktreeprovider.h"
#include "tests/backend_actors/domainharness.h"
#include "tests/backend_actors/remoteprovider.h"

#include <QDir>
#include <QFile>
#include <QProcess>

#include <csignal>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::DomainHarness;
using foundry::test::RemoteProvider;

namespace {

SandboxProviders providersOf(const QString &machine)
{
    QDir().mkpath(machine);
    return {{QStringLiteral("remote"), [machine] { return std::make_unique<RemoteProvider>(machine); }}};
}

template <class T>
QByteArray whyNot(const Result<T> &result)
{
    return result ? QByteArray() : (result.error().message + result.error().detail).toUtf8();
}

template <class T>
Result<T> answerOf(const std::function<SandboxOperation *(QObject *, SandboxDone<T>)> &begin, const std::function<void(SandboxOperation *)> &then = {})
{
    QObject context;
    std::optional<Result<T>> answer;
    SandboxOperation *operation = begin(&context, [&answer](Result<T> result) { answer = std::move(result); });
    if (then)
        then(operation);
    if (!QTest::qWaitFor([&] { return answer.has_value(); }, 20000))
        qFatal("a provider did not answer");
    return *answer;
}

} // namespace

class tst_Providers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void eachOperation_data();
    void eachOperation();
    void sameStages();
    void unknownProvider();
    void failsAndGoesOn_data();
    void failsAndGoesOn();
    void minutesLate();
    void cancelledWhileSlow();
    void sessionsBeforeTheirPlace();
    void placeIsGone_data();
    void placeIsGone();
    void killed_data();
    void killed();

private:
    void start()
    {
        m_host->providers = providersOf(m_machine);
        m_host->start();
        m_repo = m_host->addRepository(m_repository);
    }
    DomainHarness::Made create(const std::function<void(CreateTask &)> &change = {})
    {
        return m_host->createTask(m_repo, QStringLiteral("/help"), [&](CreateTask &task) {
            task.provider = QStringLiteral("remote");
            if (change)
                change(task);
        });
    }
    void tell(const QString &file, const QByteArray &words) { m_host->git.write(m_machine, file, words); }
    void take(const QString &file) { QVERIFY(QFile::remove(m_machine + QLatin1Char('/') + file)); }
    qsizetype count(const QByteArray &line) { return m_host->git.read(m_machine, QStringLiteral("journal")).count(line + '\n'); }

    std::unique_ptr<DomainHarness> m_host;
    QString m_machine;
    QString m_repository;
    RepoId m_repo;
};

void tst_Providers::init()
{
    m_host = std::make_unique<DomainHarness>();
    m_repository = m_host->git.makeRepository(QStringLiteral("project"));
    m_machine = m_host->git.path(QStringLiteral("machine"));
    QDir().mkpath(m_machine);
}

void tst_Providers::cleanup()
{
    m_host.reset();
    qunsetenv("FOUNDRY_STAGE_DEADLINE_MS");
}

void tst_Providers::eachOperation_data()
{
    QTest::addColumn<bool>("remote");
    QTest::addRow("worktree") << false;
    QTest::addRow("remote") << true;
}

void tst_Providers::eachOperation()
{
    QFETCH(bool, remote);
    std::unique_ptr<SandboxProvider> provider;
    if (remote)
        provider = std::make_unique<RemoteProvider>(m_machine);
    else
        provider = std::make_unique<WorktreeProvider>(systemGitEnvironment(), m_host->git.path(QStringLiteral("trees")),
            std::make_shared<RepositoryLanes>());
    SandboxSpec spec;
    spec.repo = RepoId(QStringLiteral("r"));
    spec.task = TaskId(QStringLiteral("t"));
    spec.repository = m_repository;
    spec.branch = QStringLiteral("work");
    spec.baseBranch = QStringLiteral("main");
    QVERIFY(!answerOf<Unit>([&](QObject *context, auto done) { return provider->attachBranch(spec, 10000, context, done); }).ok());
    SandboxHandle handle;
    for (int i = 0; i < 2; ++i) { // each can be asked twice
        auto allocated = answerOf<SandboxHandle>([&](QObject *context, auto done) { return provider->allocate(spec, 10000, context, done); });
        QVERIFY2(allocated.ok(), whyNot(allocated).constData());
        auto prepared = answerOf<SandboxHandle>([&](QObject *context, auto done) { return provider->prepare(spec, *allocated, 10000, context, done); });
        QVERIFY2(prepared.ok(), whyNot(prepared).constData());
        handle = *prepared;
    }
    QCOMPARE(handle.provider, provider->name());
    QCOMPARE(handle.head.size(), 40);
    QVERIFY(answerOf<Unit>([&](QObject *context, auto done) { return provider->health(handle, 10000, context, done); }).ok());

    const auto exec = [&](const SandboxExec &what, int deadline, const std::function<void(SandboxOperation *)> &then = {}) {
        return answerOf<SandboxExecResult>([&](QObject *context, auto done) { return provider->exec(handle, what, deadline, context, done); }, then);
    };
    auto said = exec({QStringLiteral("/bin/cat"), {QStringLiteral("README.md"), QStringLiteral("-")}, QByteArray("more\n")}, 10000);
    QVERIFY2(said.ok(), whyNot(said).constData());
    QVERIFY(said->output.endsWith("more\n") && said->output.size() > 5 && said->exitCode == 0);
    QCOMPARE(exec({QStringLiteral("/bin/sh"), {QStringLiteral("-c"), QStringLiteral("exit 7")}}, 10000)->exitCode, 7);
    const auto late = exec({QStringLiteral("/bin/sleep"), {QStringLiteral("60")}}, 200);
    QVERIFY(!late.ok() && late.error().is(QLatin1StringView("sandbox"), QLatin1StringView("deadline")));
    const auto cancelled = exec({QStringLiteral("/bin/sleep"), {QStringLiteral("60")}}, 0, [](SandboxOperation *operation) { operation->cancel(); });
    QVERIFY(!cancelled.ok() && cancelled.error().is(QLatin1StringView("sandbox"), QLatin1StringView("cancelled")));

    const auto destroy = [&](const SandboxHandle &which, bool force) {
        return answerOf<Unit>([&](QObject *context, auto done) { return provider->destroy(spec, which, force, 10000, context, done); });
    };
    QVERIFY(destroy(handle, false).ok());
    const auto gone = answerOf<Unit>([&](QObject *context, auto done) { return provider->health(handle, 10000, context, done); });
    QVERIFY(!gone.ok() && gone.error().is(QLatin1StringView("sandbox"), QLatin1StringView("gone")));
    // Again; and by somebody who never got to know what was made, with work in it that was kept.
    QVERIFY(destroy(handle, true).ok());
    spec.adopt = true;
    auto allocated = answerOf<SandboxHandle>([&](QObject *context, auto done) { return provider->allocate(spec, 10000, context, done); });
    QVERIFY2(allocated.ok(), whyNot(allocated).constData());
    auto prepared = answerOf<SandboxHandle>([&](QObject *context, auto done) { return provider->prepare(spec, *allocated, 10000, context, done); });
    QVERIFY2(prepared.ok(), whyNot(prepared).constData());
    m_host->git.write(prepared->workTree, QStringLiteral("new"), "kept\n");
    const auto destroyed = destroy({}, true);
    QVERIFY2(destroyed.ok(), whyNot(destroyed).constData());
    QVERIFY(!QFileInfo::exists(prepared->workTree));
    QVERIFY(!answerOf<Unit>([&](QObject *context, auto done) { return provider->health(*prepared, 10000, context, done); }).ok());
}

void tst_Providers::sameStages()
{
    start();
    const auto here = m_host->createTask(m_repo, QStringLiteral("/help"));
    const auto there = create([](CreateTask &task) { task.branch = QStringLiteral("there"); });
    QVERIFY(!here.error && !there.error);
    QVERIFY(m_host->waitForStatus(here, SessionStatus::Idle));
    QVERIFY(m_host->waitForStatus(there, SessionStatus::Idle));
    const auto names = [&](const DomainHarness::Made &made) {
        QStringList found;
        for (const Stage &stage : m_host->rows<Stage>(made.address, QStringLiteral("task")))
            found.append(QString(stage.id).replace(made.session.value, QStringLiteral("S")) + QLatin1Char(' ') + stage.state.text());
        found.sort();
        return found;
    };
    QCOMPARE(names(there), names(here));
    QCOMPARE(m_host->rows<Task>(there.address, QStringLiteral("task")).first().provider, QStringLiteral("remote"));
    for (const char *operation : {"allocate", "prepare"})
        QCOMPARE(count(QByteArray(operation) + " did"), 1);
    QCOMPARE(count("agent begins"), 1);
}

void tst_Providers::unknownProvider()
{
    start();
    const auto made = create([](CreateTask &task) { task.provider = QStringLiteral("moon"); });
    QVERIFY(made.error && made.error->is(QLatin1StringView("input"), QLatin1StringView("invalid")));
    QCOMPARE(made.error->detail, QStringLiteral("provider"));
    QVERIFY(made.error->action.contains(QLatin1StringView("remote")) && made.error->action.contains(QLatin1StringView("worktree")));
}

void tst_Providers::failsAndGoesOn_data()
{
    QTest::addColumn<QString>("operation");
    QTest::addColumn<QString>("stage");
    QTest::addRow("attach") << QStringLiteral("attach") << QStringLiteral("sandbox/branch_attach");
    QTest::addRow("allocate") << QStringLiteral("allocate") << QStringLiteral("sandbox/sandbox_allocated");
    QTest::addRow("prepare") << QStringLiteral("prepare") << QStringLiteral("sandbox/repo_prepared");
    QTest::addRow("agent") << QStringLiteral("agent") << QStringLiteral("agent:runner/agent_ready");
}

// The stage says what failed and why; a retry goes on from there, and what was done is not done again.
void tst_Providers::failsAndGoesOn()
{
    QFETCH(QString, operation);
    QFETCH(QString, stage);
    tell(QStringLiteral("fail-") + operation, "No machine of that size is free.\n");
    m_host->git.mustGit(m_repository, {QStringLiteral("branch"), QStringLiteral("there")});
    start();
    const auto made = create([](CreateTask &task) { task.onBranch = QStringLiteral("there"); });
    QVERIFY(!made.error);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    const auto failed = m_host->stage(made.address, stage);
    QCOMPARE(failed->state.text(), QStringLiteral("failed"));
    QVERIFY(!failed->error->action.isEmpty());
    QVERIFY2((failed->error->message + failed->error->detail).contains(QLatin1StringView("No machine of that size")), qPrintable(failed->error->message));
    QTRY_COMPARE(m_host->summary(made.task)->status.text(), QStringLiteral("error"));
    take(QStringLiteral("fail-") + operation);
    QVERIFY(m_host->command(made.address, QStringLiteral("retryStage"), RetryStage{{}, stage}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    const QStringList order{QStringLiteral("attach"), QStringLiteral("allocate"), QStringLiteral("prepare"), QStringLiteral("agent")};
    for (const QString &each : order)
        QCOMPARE(count(each.toUtf8() + " begins"), each == operation ? 2 : 1);
    QCOMPARE(m_host->stage(made.address, stage)->attempt, 2);
    // The log of the first attempt is kept.
    GetStageLog log;
    log.stageId = stage;
    const auto logOf = [&](qint64 attempt) {
        log.attempt = attempt;
        const auto answer = m_host->call(made.address, QStringLiteral("getStageLog"), protocol::encodeArgs(log));
        return answer ? protocol::decodeValue<StageLog>(*answer)->text : answer.error().message;
    };
    if (operation != QLatin1StringView("agent")) { // what an agent says is in its error
        QVERIFY2(logOf(1).contains(QStringLiteral("The machine has the order: ") + operation), qPrintable(logOf(1)));
        QVERIFY2(logOf(1).contains(QLatin1StringView("No machine of that size")), qPrintable(logOf(1)));
    }
    QVERIFY2(!logOf(2).contains(QLatin1StringView("No machine of that size")), qPrintable(logOf(2)));
}

// 01-2: the provider answers long after the deadline; createTask was answered long before, and the task shows the stage.
void tst_Providers::minutesLate()
{
    qputenv("FOUNDRY_STAGE_DEADLINE_MS", "700");
    tell(QStringLiteral("delay-prepare"), "90");
    start();
    const Millis before = QDateTime::currentMSecsSinceEpoch();
    const auto made = create();
    QVERIFY(!made.error);
    QVERIFY2(made.ms < 500, qPrintable(QString::number(made.ms)));
    // While it is under way its row says since when, until when, and when it was last heard of.
    const QString id = QStringLiteral("sandbox/repo_prepared");
    QTRY_COMPARE(m_host->stage(made.address, id).value_or(Stage{}).state.text(), QStringLiteral("running"));
    const auto under = m_host->stage(made.address, id);
    QVERIFY(under->startedAt.value_or(0) >= before);
    QVERIFY(!under->endedAt);
    QCOMPARE(under->deadlineAt.value_or(0), *under->startedAt + 700);
    QVERIFY(under->progressAt.value_or(0) >= *under->startedAt);
    QCOMPARE(under->attempt, 1);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    const auto stage = m_host->stage(made.address, id);
    QCOMPARE(stage->startedAt, under->startedAt);
    // At its deadline: the provider's own timer may be early by its coarseness.
    QVERIFY(stage->endedAt.value_or(0) >= *stage->startedAt + 600 && *stage->endedAt <= QDateTime::currentMSecsSinceEpoch());
    QVERIFY(stage->progressAt.value_or(0) >= *stage->startedAt && *stage->progressAt <= *stage->endedAt);
    QVERIFY(!stage->deadlineAt);
    QCOMPARE(stage->attempt, 1);
    const auto allocated = m_host->stage(made.address, QStringLiteral("sandbox/sandbox_allocated"));
    QVERIFY(allocated->endedAt.value_or(0) >= allocated->startedAt.value_or(0) && allocated->startedAt.value_or(0) >= before);
    QCOMPARE(stage->state.text(), QStringLiteral("failed"));
    QVERIFY2(stage->error->is(QLatin1StringView("state"), QLatin1StringView("deadline")) || stage->error->is(QLatin1StringView("sandbox"), QLatin1StringView("deadline")),
        qPrintable(stage->error->key()));
    QVERIFY2(stage->logTail.value_or(QString()).contains(QLatin1StringView("The machine has the order")), qPrintable(stage->logTail.value_or(QString())));
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/sandbox_allocated"))->state.text(), QStringLiteral("done"));
    QVERIFY(m_host->summary(made.task).has_value());
}

void tst_Providers::cancelledWhileSlow()
{
    tell(QStringLiteral("delay-allocate"), "90");
    start();
    const auto made = create();
    QTRY_COMPARE(count("allocate begins"), 1);
    double ms = 0;
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{}, &ms).ok());
    QVERIFY(ms < 500);
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/sandbox_allocated"))->state.text(), QStringLiteral("cancelled"));
    take(QStringLiteral("delay-allocate"));
    QVERIFY(m_host->command(made.address, QStringLiteral("retryStage"), RetryStage{{}, QStringLiteral("sandbox/sandbox_allocated")}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(count("allocate did"), 1);
}

// 04-2, 04-4: sessions are there before their sandbox is; they are named, closed and retried without waiting for it.
void tst_Providers::sessionsBeforeTheirPlace()
{
    tell(QStringLiteral("delay-allocate"), "90");
    start();
    const auto made = create();
    QTRY_COMPARE(count("allocate begins"), 1);
    const SessionId second = makeId<SessionId>();
    const auto status = [&](const SessionId &session) { return m_host->session(made.address, session)->status.text(); };
    QVERIFY(m_host->command(made.address, QStringLiteral("createSession"), CreateSession{{}, second, {}, {}, {}}).ok());
    QCOMPARE(status(made.session), QStringLiteral("pending_provision"));
    QCOMPARE(status(second), QStringLiteral("pending_provision"));
    RenameSession rename;
    rename.sessionId = second;
    rename.name = QStringLiteral("Named");
    QVERIFY(m_host->command(made.address, QStringLiteral("renameSession"), rename).ok());
    QVERIFY(m_host->command(made.address, QStringLiteral("closeSession"), CloseSession{{}, second}).ok());
    QVERIFY(m_host->session(made.address, second)->closedAt.has_value());
    QCOMPARE(m_host->session(made.address, second)->name, QStringLiteral("Named"));
    // Nothing has failed yet; then it has, and the session's own stage is what the user retries.
    const QString stage = QStringLiteral("session:%1/session_creating").arg(made.session.value);
    QCOMPARE(m_host->command(made.address, QStringLiteral("retryStage"), RetryStage{{}, stage}).error().key(), QStringLiteral("state.conflict"));
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{}).ok());
    QCOMPARE(status(made.session), QStringLiteral("error"));
    take(QStringLiteral("delay-allocate"));
    QVERIFY(m_host->command(made.address, QStringLiteral("retryStage"), RetryStage{{}, stage}).ok());
    QCOMPARE(status(made.session), QStringLiteral("pending_provision"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(count("allocate did"), 1);
    QVERIFY(m_host->session(made.address, second)->closedAt.has_value());
    // One more where sandbox and agent are there: nothing is missing but the session itself.
    DomainHarness::Made third = made;
    third.session = makeId<SessionId>();
    const auto answer = m_host->command(made.address, QStringLiteral("createSession"), CreateSession{{}, third.session, {}, {}, {}});
    QVERIFY(answer.ok());
    QVERIFY2(answer->contains("\"pending_session_create\""), answer->constData());
    QVERIFY(m_host->waitForStatus(third, SessionStatus::Ready));
}

void tst_Providers::placeIsGone_data()
{
    QTest::addColumn<bool>("remote");
    QTest::addRow("worktree") << false;
    QTest::addRow("remote") << true;
}

// Taken away by somebody while the host was down: the next prompt says so, and a retry makes it again on its branch.
void tst_Providers::placeIsGone()
{
    QFETCH(bool, remote);
    start();
    const auto made = remote ? create() : m_host->createTask(m_repo, QStringLiteral("/help"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    const QString workTree = m_host->rows<Task>(made.address, QStringLiteral("task")).first().workTree.value_or(QString());
    m_host->stop();
    QVERIFY(QDir(remote ? QFileInfo(workTree).absolutePath() : workTree).removeRecursively());
    m_host->start();
    SendMessage message;
    message.queueId = makeId<QueueId>();
    message.sessionId = made.session;
    message.prompt.text = QStringLiteral("/help");
    QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    QCOMPARE(m_host->session(made.address, made.session)->error->key(), QStringLiteral("sandbox.gone"));
    QVERIFY(m_host->command(made.address, QStringLiteral("retryStage"), RetryStage{{}, QStringLiteral("agent:runner/agent_starting")}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QTRY_COMPARE(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).size(), 0);
    QVERIFY(QFileInfo(workTree + QStringLiteral("/README.md")).isFile());
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared"))->attempt, 2);
}

void tst_Providers::killed_data()
{
    QTest::addColumn<QString>("operation");
    for (const char *operation : {"allocate", "prepare", "agent"})
        QTest::addRow("%s", operation) << QString::fromLatin1(operation);
}

// SIGKILL in the middle of an operation of the machine: the next host goes on from there by itself.
void tst_Providers::killed()
{
    QFETCH(QString, operation);
    tell(QStringLiteral("delay-") + operation, "90");
    QProcess other; // a host with the same providers, in a process that can be killed
    other.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    other.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--serve"), m_host->git.path(QStringLiteral("data")), m_machine, m_repository});
    QTRY_VERIFY_WITH_TIMEOUT(count(operation.toUtf8() + " begins") == 1, 20000);
    const QStringList ids = QString::fromUtf8(other.readAllStandardOutput()).split(QLatin1Char('\n')).value(0).split(QLatin1Char(' '));
    QCOMPARE(ids.size(), 3);
    ::kill(pid_t(other.processId()), SIGKILL);
    QVERIFY(other.waitForFinished(5000));
    take(QStringLiteral("delay-") + operation);
    m_host->providers = providersOf(m_machine);
    m_host->start();
    DomainHarness::Made made;
    made.task = TaskId(ids.at(1));
    made.session = SessionId(ids.at(2));
    made.address = m_host->task(RepoId(ids.at(0)), made.task);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QTRY_COMPARE(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).size(), 0);
    // What was done before is not done again, what was cut is done once.
    for (const char *each : {"allocate", "prepare"}) {
        QCOMPARE(count(QByteArray(each) + " did"), 1);
        QCOMPARE(count(QByteArray(each) + " begins"), operation == QLatin1StringView(each) ? 2 : 1);
    }
}

namespace {

int providersServe(const QStringList &arguments)
{
    DomainHarness host(arguments.at(2));
    host.providers = providersOf(arguments.at(3));
    host.start();
    const RepoId repo = host.addRepository(arguments.at(4));
    const auto made = host.createTask(repo, QStringLiteral("/help"), [](CreateTask &task) { task.provider = QStringLiteral("remote"); });
    std::printf("%s %s %s\n", qPrintable(repo.value), qPrintable(made.task.value), qPrintable(made.session.value));
    std::fflush(stdout);
    return QCoreApplication::exec();
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (app.arguments().value(1) == QLatin1StringView("--serve"))
        return providersServe(app.arguments());
    tst_Providers test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_providers.moc"
