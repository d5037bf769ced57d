// The pure rules of tasks: titles, branches, statuses, the plan of stages, messages between actors.
#include "backend/actors/sandboxmessages.h"
#include "backend/actors/stageplan.h"
#include "backend/actors/tasknaming.h"
#include "backend/actors/taskstatus.h"
#include "backend/store/blobstore.h"

#include <QDirIterator>
#include <QTemporaryDir>
#include <QTest>

#include <ctime>

#include <fcntl.h>
#include <sys/stat.h>

using namespace foundry;
using namespace foundry::backend;

class tst_TaskRules : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void titles_data();
    void titles();
    void branches();
    void sessionStatus_data();
    void sessionStatus();
    void taskStatus();
    void stagesInWords();
    void messagesRoundTrip();
    void brokenMessages();
    void blobs();
    void blobsOfTasks();
    void deadlines();
};

namespace {

Stage stageIn(const char *id, StageState state)
{
    Stage stage;
    stage.id = QString::fromLatin1(id);
    stage.state = state;
    if (state == StageState::Failed)
        stage.error = makeError(QLatin1StringView("git"), QLatin1StringView("failed"), QStringLiteral("It failed."));
    return stage;
}

QList<Stage> stagesOf(StageState sandbox, StageState agent, StageState session)
{
    return {stageIn("sandbox/repo_prepared", sandbox), stageIn("agent:a/agent_ready", agent), stageIn("session:s/ready", session)};
}

} // namespace

void tst_TaskRules::titles_data()
{
    QTest::addColumn<QString>("prompt");
    QTest::addColumn<QString>("title");
    QTest::addRow("first line") << QStringLiteral("\n  \nFix the login\nand more") << QStringLiteral("Fix the login");
    QTest::addRow("heading") << QStringLiteral("## Fix  it") << QStringLiteral("Fix it");
    QTest::addRow("list") << QStringLiteral("- one\n- two") << QStringLiteral("one");
    QTest::addRow("empty") << QStringLiteral(" \n\t") << QString();
    QTest::addRow("exactly 62") << QString(62, QLatin1Char('x')) << QString(62, QLatin1Char('x'));
    QTest::addRow("cut on a word") << QStringLiteral("Please rewrite the whole authentication module so that it uses tokens everywhere")
                                   << QStringLiteral("Please rewrite the whole authentication module so that it uses");
    QTest::addRow("one endless word") << QString(80, QLatin1Char('x')) << QString(62, QLatin1Char('x'));
}

void tst_TaskRules::titles()
{
    QFETCH(QString, prompt);
    QFETCH(QString, title);
    QCOMPARE(titleFromPrompt(prompt), title);
    QVERIFY(titleFromPrompt(prompt).size() <= 62);
}

void tst_TaskRules::branches()
{
    CreateTask command;
    command.taskId = TaskId(QStringLiteral("01a204a6-80b7-76ae-a831-2195cdb33192"));
    const auto none = [](const QString &) { return false; };
    const auto made = branchForTask(command, QStringLiteral("Fix the Login!"), none);
    QVERIFY(made.ok() && made->branch.startsWith(QStringLiteral("fix-the-login-")) && !made->adopt && !made->isExplicit);
    const auto second = branchForTask(command, QStringLiteral("Fix the Login!"), [&](const QString &name) { return name == made->branch; });
    QVERIFY(second.ok() && second->branch == made->branch + QStringLiteral("-2"));
    command.branch = QStringLiteral("a b");
    QCOMPARE(branchForTask(command, {}, none).error().detail, QStringLiteral("branch"));
    command.branch = QStringLiteral("mine");
    QVERIFY(branchForTask(command, {}, none)->isExplicit);
    QVERIFY(!branchForTask(command, {}, [](const QString &) { return true; }).ok());
    command.onBranch = QStringLiteral("theirs");
    QVERIFY(branchForTask(command, {}, none)->adopt);
}

void tst_TaskRules::sessionStatus_data()
{
    QTest::addColumn<StageState>("sandbox");
    QTest::addColumn<StageState>("agent");
    QTest::addColumn<StageState>("session");
    QTest::addColumn<bool>("running");
    QTest::addColumn<bool>("hadTurn");
    QTest::addColumn<SessionStatus>("status");
    using S = StageState;
    QTest::addRow("new") << S::Running << S::Pending << S::Pending << false << false << SessionStatus::PendingProvision;
    QTest::addRow("agent starts") << S::Done << S::Running << S::Pending << false << false << SessionStatus::PendingProvision;
    QTest::addRow("session is made") << S::Done << S::Done << S::Running << false << false << SessionStatus::PendingSessionCreate;
    QTest::addRow("ready") << S::Done << S::Skipped << S::Done << false << false << SessionStatus::Ready;
    QTest::addRow("running") << S::Done << S::Done << S::Done << true << true << SessionStatus::Running;
    QTest::addRow("idle") << S::Done << S::Done << S::Done << false << true << SessionStatus::Idle;
    QTest::addRow("idle while its agent is started for another") << S::Done << S::Running << S::Done << false << true << SessionStatus::Idle;
    QTest::addRow("sandbox failed") << S::Failed << S::Pending << S::Pending << false << false << SessionStatus::Error;
    QTest::addRow("cancelled") << S::Cancelled << S::Cancelled << S::Cancelled << false << false << SessionStatus::Error;
    QTest::addRow("agent failed") << S::Done << S::Failed << S::Pending << false << false << SessionStatus::Error;
}

void tst_TaskRules::sessionStatus()
{
    QFETCH(StageState, sandbox);
    QFETCH(StageState, agent);
    QFETCH(StageState, session);
    QFETCH(bool, running);
    QFETCH(bool, hadTurn);
    QFETCH(SessionStatus, status);
    SessionFacts facts;
    facts.turnRunning = running;
    facts.hadTurn = hadTurn;
    const auto stages = stagesOf(sandbox, agent, session);
    QCOMPARE(int(deriveSessionStatus(facts, stages, QStringLiteral("session:s"), QStringLiteral("agent:a"))), int(status));
    const auto error = sessionError(facts, stages, QStringLiteral("session:s"), QStringLiteral("agent:a"));
    QCOMPARE(error.has_value(), status == SessionStatus::Error);
}

void tst_TaskRules::taskStatus()
{
    TaskFacts facts;
    facts.stages = stagesOf(StageState::Done, StageState::Done, StageState::Done);
    const auto with = [&](QList<SessionStatus> sessions) {
        facts.openSessions = std::move(sessions);
        return OpenEnum<TaskStatus>(deriveTaskStatus(facts)).text();
    };
    using S = SessionStatus;
    QCOMPARE(with({}), QStringLiteral("idle"));
    QCOMPARE(with({S::Ready}), QStringLiteral("ready"));
    QCOMPARE(with({S::Ready, S::Idle}), QStringLiteral("idle"));
    QCOMPARE(with({S::Idle, S::Running, S::Error}), QStringLiteral("running"));
    QCOMPARE(with({S::Idle, S::Error}), QStringLiteral("error"));
    QCOMPARE(with({S::Idle, S::PendingSessionCreate}), QStringLiteral("provisioning"));
    facts.archived = true;
    QCOMPARE(with({S::Running}), QStringLiteral("archived"));
    facts.deleting = true;
    QCOMPARE(with({S::Running}), QStringLiteral("deleting"));
}

void tst_TaskRules::stagesInWords()
{
    QVERIFY(!stageInWords(stagesOf(StageState::Done, StageState::Skipped, StageState::Done)));
    QCOMPARE(*stageInWords(stagesOf(StageState::Done, StageState::Running, StageState::Pending)), QStringLiteral("Shaking hands with the agent"));
    QCOMPARE(*stageInWords(stagesOf(StageState::Failed, StageState::Pending, StageState::Pending)), QStringLiteral("Preparing the repository failed"));
    TaskCreation creation;
    creation.agent.value = QStringLiteral("x/y");
    creation.session.value = QStringLiteral("s");
    creation.adopt = true;
    const QList<Stage> plan = plannedStages(creation);
    QCOMPARE(plan.size(), 8);
    QCOMPARE(plan.first().id, QStringLiteral("sandbox/branch_attach"));
    QCOMPARE(stageWorkflow(QStringLiteral("agent:x/y/agent_ready")), QStringLiteral("agent:x/y"));
    QCOMPARE(stageStep(QStringLiteral("agent:x/y/agent_ready")), QStringLiteral("agent_ready"));
}

void tst_TaskRules::messagesRoundTrip()
{
    TaskCreation creation;
    creation.organization.value = QStringLiteral("local");
    creation.repo.value = QStringLiteral("r");
    creation.task.value = QStringLiteral("t");
    creation.session.value = QStringLiteral("s");
    creation.branch = QStringLiteral("b");
    creation.prompt = Prompt{{}, BlobId(QStringLiteral("blob"))};
    creation.attachments = {{QStringLiteral("a.png"), QStringLiteral("image/png"), 7, BlobId(QStringLiteral("x"))}};
    creation.mode = QStringLiteral("ask");
    const auto creationBack = decodeCreation(encodeCreation(creation));
    QVERIFY(creationBack.ok());
    QCOMPARE(creationBack->prompt, creation.prompt);
    QCOMPARE(creationBack->attachments, creation.attachments);
    QCOMPARE(creationBack->mode, creation.mode);
    QVERIFY(!creationBack->model);

    TurnReport report;
    report.turn = QStringLiteral("u");
    report.session.value = QStringLiteral("s");
    report.usage = Usage{1, 2, 0.5, {}, {}};
    report.error = makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"), QStringLiteral("Gone."), QStringLiteral("Retry."));
    const auto reportBack = decodeTurnReport(encodeTurnReport(report));
    QVERIFY(reportBack.ok());
    QCOMPARE(reportBack->usage, report.usage);
    QCOMPARE(reportBack->error, report.error);

    PermissionAsked asked;
    asked.session.value = QStringLiteral("s");
    asked.ask.requestId = QStringLiteral("p");
    asked.ask.options = {{QStringLiteral("o"), QStringLiteral("Allow"), QStringLiteral("allow_once")}};
    asked.call.callId = QStringLiteral("c");
    asked.call.title = QStringLiteral("Write");
    asked.call.content = {ToolDiff{QStringLiteral("f"), TextOrBlob{QStringLiteral("a"), {}}, TextOrBlob{QStringLiteral("b"), {}}}};
    const auto askedBack = decodePermissionAsked(encodePermissionAsked(asked));
    QVERIFY(askedBack.ok());
    QCOMPARE(askedBack->ask, asked.ask);
    QCOMPARE(askedBack->call, asked.call);

    SessionChanged changed;
    changed.session.value = QStringLiteral("s");
    changed.commands = QList<AgentChoice>{{QStringLiteral("run"), QStringLiteral("run"), {}}};
    const auto changedBack = decodeSessionChanged(encodeSessionChanged(changed));
    QVERIFY(changedBack.ok() && !changedBack->options && changedBack->commands == changed.commands && !changedBack->usage);
}

void tst_TaskRules::brokenMessages()
{
    for (const QByteArray &json : {QByteArray(), QByteArray("[]"), QByteArray("{}"), QByteArray("{\"session\":5,\"entry\":7}")}) {
        QVERIFY(!decodeCreation(json).ok());
        QVERIFY(!decodeSummary(json).ok());
        QVERIFY(!decodeRunStage(json).ok());
        QVERIFY(!decodeTurnReport(json).ok());
        QVERIFY(!decodeAgentUpdate(json).ok());
        QVERIFY(!decodePermissionAsked(json).ok());
    }
}

void tst_TaskRules::blobs()
{
    QTemporaryDir dir;
    const BlobStore store(dir.path());
    const BlobId id(QStringLiteral("../../escape"));
    QVERIFY(!store.put(id, 5, "x", false).ok()); // a gap
    QVERIFY(store.put(id, 0, "hello ", false).ok());
    QVERIFY(!store.size(id));
    QVERIFY(store.put(id, 0, "hello ", false).ok()); // the same piece again
    QVERIFY(store.put(id, 6, "world", true).ok());
    QCOMPARE(*store.size(id), 11);
    QVERIFY(store.put(id, 6, "other", true).ok());
    QCOMPARE(store.read(id, 6, 100)->data, QByteArray("world"));
    QVERIFY(!store.read(BlobId(QStringLiteral("none")), 0, 1).ok());
    QVERIFY(store.put(BlobId(QStringLiteral("big")), 20 * 1024 * 1024, "x", true).error().is(QLatin1StringView("input"), QLatin1StringView("too_large")));
    QVERIFY(!textOrBlob(store, QString(16 * 1024, QLatin1Char('x')), QStringLiteral("text/plain")).blob);
    const TextOrBlob kept = textOrBlob(store, QString(16 * 1024 + 1, QLatin1Char('x')), QStringLiteral("text/plain"));
    QVERIFY(kept.blob && kept.blob->size == 16 * 1024 + 1 && kept.text.isEmpty());
    QCOMPARE(store.readAll(kept.blob->blobId, 100000)->size(), 16 * 1024 + 1);
}

// What a task took stays its own, whatever becomes of the others'; and goes with it, with what nobody else uses.
void tst_TaskRules::blobsOfTasks()
{
    QTemporaryDir dir;
    const BlobStore uploads(dir.path() + QStringLiteral("/blobs"));
    const BlobStore one = uploads.ofTask(TaskId(QStringLiteral("one/../..")));
    const BlobStore two = uploads.ofTask(TaskId(QStringLiteral("two")));
    const BlobId id(QStringLiteral("upload"));
    QCOMPARE(one.take(id).error().key(), QStringLiteral("input.invalid"));
    QVERIFY(uploads.put(id, 0, "hello", true).ok());
    QCOMPARE(one.readAll(id, 100).value(), QByteArray("hello")); // also before it is taken
    QVERIFY(one.take(id).ok());
    QVERIFY(one.take(id).ok());
    QVERIFY(two.take(id).ok());
    const auto output = one.keep("a long output", QStringLiteral("text/plain"));
    QVERIFY(output.ok());
    QVERIFY(!two.size(output->blobId).has_value());
    const auto files = [&dir] {
        QStringList found;
        QDirIterator all(dir.path(), QDir::Files, QDirIterator::Subdirectories);
        while (all.hasNext())
            found.append(all.next());
        return found;
    };
    QCOMPARE(files().size(), 4);
    const auto grow = [&files](int seconds) { // older
        const timespec then{::time(nullptr) - seconds, 0};
        const timespec times[2] = {then, then};
        for (const QString &file : files())
            ::utimensat(AT_FDCWD, QFile::encodeName(file).constData(), times, 0);
    };
    grow(2 * 24 * 3600);
    QVERIFY(uploads.put(id, 0, "hello", true).ok()); // sent again: about to be used
    QVERIFY(one.removeTask().ok());
    QVERIFY(one.removeTask().ok());
    QVERIFY(!one.size(output->blobId).has_value());
    QCOMPARE(uploads.readAll(id, 100).value(), QByteArray("hello"));
    QVERIFY(one.take(id).ok());
    grow(2 * 24 * 3600);
    QVERIFY(one.removeTask().ok());
    QVERIFY(!uploads.size(id).has_value());
    QCOMPARE(two.readAll(id, 100).value(), QByteArray("hello"));
    QVERIFY(two.removeTask().ok());
    QCOMPARE(files(), QStringList());
    QVERIFY(uploads.removeTask().ok()); // of no task: nothing
}

void tst_TaskRules::deadlines()
{
    QProcessEnvironment environment;
    QCOMPARE(StageDeadlines::fromEnvironment(environment).agentStart, StageDeadlines().agentStart);
    environment.insert(QStringLiteral("FOUNDRY_STAGE_DEADLINE_MS"), QStringLiteral("250"));
    QCOMPARE(StageDeadlines::fromEnvironment(environment).prepare, 250);
}

QTEST_APPLESS_MAIN(tst_TaskRules)
#include "tst_taskrules.moc"
