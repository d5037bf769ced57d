// foundry-host is killed while its built-in runner works: the new host ends the old agent before anything else, says
// that the turn was cut, loses nothing, and sends the prompt again only when it is asked to.
#include "realtime/protocol/codec.h"
#include "tests/support/gitfixture.h"
#include "tests/wire/hostprocess.h"
#include "tests/wire/wireclient.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <csignal>

using namespace foundry;

namespace {

template <class Command>
Result<QByteArray> ask(wire::WireClient &client, const QString &action, Command command)
{
    if (command.requestId.isEmpty())
        command.requestId = makeId<RequestId>();
    return client.call(action, protocol::encodeArgs(command));
}

template <class T>
QList<T> rows(wire::WireClient &client, const QString &topic)
{
    QList<T> found;
    ChangesSince since;
    since.topic = topic;
    auto answer = client.call(QStringLiteral("changesSince"), protocol::encodeArgs(since));
    auto page = answer ? protocol::decodeChangesPage(*answer) : Result<ChangesPage>(answer.error());
    if (!page)
        return found;
    for (const Entity &entity : page->upserts) {
        if (const auto *value = std::get_if<T>(&entity))
            found.append(*value);
    }
    return found;
}

QList<TranscriptEntry> transcript(wire::WireClient &client, const SessionId &session)
{
    GetTranscript asked;
    asked.sessionId = session;
    auto answer = client.call(QStringLiteral("getTranscript"), protocol::encodeArgs(asked));
    auto page = answer ? protocol::decodeValue<TranscriptPage>(*answer) : Result<TranscriptPage>(answer.error());
    return page ? page->entries : QList<TranscriptEntry>();
}

} // namespace

class tst_HostKill : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void killedInATurn();
    void killedWhileProvisioning_data();
    void killedWhileProvisioning();

private:
    struct Task {
        RepoId repo = makeId<RepoId>();
        TaskId task = makeId<TaskId>();
        SessionId session = makeId<SessionId>();
        QStringList key() const
        {
            return {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("task"), repo.value, task.value};
        }
    };
    static bool create(wire::HostProcess &host, const QString &repository, const Task &ids, const QString &prompt)
    {
        wire::WireClient organization(host.endpoint(), host.token());
        if (!organization.open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}))
            return false;
        AddRepository add;
        add.repoId = ids.repo;
        add.path = repository;
        if (!ask(organization, QStringLiteral("addRepository"), add))
            return false;
        const bool ready = QTest::qWaitFor(
            [&] {
                const auto known = rows<Repository>(organization, QStringLiteral("organization"));
                return !known.isEmpty() && known.first().state == RepositoryState::Ready;
            },
            20000);
        CreateTask task;
        task.taskId = ids.task;
        task.sessionId = ids.session;
        task.repoId = ids.repo;
        task.prompt = Prompt{prompt};
        task.agent = AgentId(QStringLiteral("runner"));
        return ready && ask(organization, QStringLiteral("createTask"), task).ok();
    }
    static std::optional<Session> session(wire::WireClient &client, const SessionId &id)
    {
        for (const Session &row : rows<Session>(client, QStringLiteral("task"))) {
            if (row.id == id)
                return row;
        }
        return std::nullopt;
    }
};

void tst_HostKill::killedInATurn()
{
    test::GitFixture git;
    const QString repository = git.makeRepository(QStringLiteral("project"));
    const QString dataDir = git.path(QStringLiteral("data"));
    Task ids;
    qint64 agentPid = 0;
    qsizetype before = 0;
    QString workTree;
    {
        wire::HostProcess host(dataDir);
        host.setEnvironment(git.environment());
        {
            const auto started = host.start();
            QVERIFY2(started, started ? "" : qPrintable(started.error().message));
        }
        QVERIFY(create(host, repository, ids, QStringLiteral("/run sh -c 'echo $PPID > agent.pid; exec sleep 300'")));
        wire::WireClient task(host.endpoint(), host.token());
        QVERIFY(task.open(QStringLiteral("task"), ids.key()));
        AnswerPermission answer;
        QTRY_VERIFY_WITH_TIMEOUT(
            [&] {
                for (const TranscriptEntry &entry : transcript(task, ids.session)) {
                    if (!entry.permission)
                        continue;
                    answer.permissionRequestId = entry.permission->requestId;
                    for (const PermissionOption &option : entry.permission->options) {
                        if (option.kind == QLatin1StringView("allow_once"))
                            answer.optionId = option.id;
                    }
                }
                return !answer.optionId.isEmpty();
            }(),
            20000);
        answer.sessionId = ids.session;
        QVERIFY(ask(task, QStringLiteral("answerPermission"), answer));
        // A prompt that waits behind the one that will be cut.
        SendMessage next;
        next.queueId = makeId<QueueId>();
        next.sessionId = ids.session;
        next.prompt.text = QStringLiteral("/help");
        QVERIFY(ask(task, QStringLiteral("sendMessage"), next));
        workTree = rows<foundry::Task>(task, QStringLiteral("task")).constFirst().workTree.value_or(QString());
        QTRY_VERIFY_WITH_TIMEOUT(git.read(workTree, QStringLiteral("agent.pid")).trimmed().toLongLong() > 0, 10000);
        agentPid = git.read(workTree, QStringLiteral("agent.pid")).trimmed().toLongLong();
        QCOMPARE(::kill(pid_t(agentPid), 0), 0);
        before = transcript(task, ids.session).size();
        host.kill(SIGKILL);
    }
    wire::HostProcess host(dataDir);
    host.setEnvironment(git.environment());
    {
            const auto started = host.start();
            QVERIFY2(started, started ? "" : qPrintable(started.error().message));
        }
    wire::WireClient task(host.endpoint(), host.token());
    QVERIFY(task.open(QStringLiteral("task"), ids.key()));
    QTRY_VERIFY_WITH_TIMEOUT(session(task, ids.session)->interrupted, 20000);
    QVERIFY(::kill(pid_t(agentPid), 0) != 0 || QFile::exists(QStringLiteral("/proc/%1/stat").arg(agentPid)) == false);
    const QList<TranscriptEntry> entries = transcript(task, ids.session);
    QVERIFY(entries.size() > before);
    const auto end = std::find_if(entries.begin(), entries.end(), [](const auto &entry) { return entry.kind == EntryKind::TurnEnd; });
    QVERIFY(end != entries.end());
    QCOMPARE(end->turnEnd->stopReason, QStringLiteral("interrupted"));
    QVERIFY(std::any_of(entries.begin(), entries.end(), [](const auto &entry) { return entry.kind == EntryKind::Notice; }));
    // The agent comes back, and the queue waits: nothing is sent unasked.
    const auto agentStage = [&] {
        for (const Stage &stage : rows<Stage>(task, QStringLiteral("task"))) {
            if (stage.id == QLatin1StringView("agent:runner/agent_ready"))
                return stage;
        }
        return Stage{};
    };
    QTRY_VERIFY_WITH_TIMEOUT(agentStage().attempt == 2 && agentStage().state == StageState::Done, 20000);
    QTRY_COMPARE_WITH_TIMEOUT(session(task, ids.session)->status.text(), QStringLiteral("idle"), 20000);
    QCOMPARE(rows<QueuedPrompt>(task, QStringLiteral("task")).size(), 1);
    QTest::qWait(500);
    int said = 0;
    for (const TranscriptEntry &entry : transcript(task, ids.session))
        said += entry.kind == EntryKind::UserMessage ? 1 : 0;
    QCOMPARE(said, 1);
    // One click sends it again; it stands before what waited.
    QVERIFY(ask(task, QStringLiteral("resendInterrupted"), ResendInterrupted{{}, ids.session}));
    QTRY_VERIFY_WITH_TIMEOUT(session(task, ids.session)->status == SessionStatus::Running, 20000);
    QVERIFY(!session(task, ids.session)->interrupted);
    QCOMPARE(rows<QueuedPrompt>(task, QStringLiteral("task")).size(), 1);
    QVERIFY(ask(task, QStringLiteral("cancelTurn"), CancelTurn{{}, ids.session}));
    // And then the rest of the queue goes on.
    QTRY_COMPARE_WITH_TIMEOUT(rows<QueuedPrompt>(task, QStringLiteral("task")).size(), 0, 20000);
    QTRY_COMPARE_WITH_TIMEOUT(session(task, ids.session)->status.text(), QStringLiteral("idle"), 20000);
}

void tst_HostKill::killedWhileProvisioning_data()
{
    QTest::addColumn<int>("ms");
    for (const int ms : {0, 10, 25, 45, 70, 85, 100, 115, 130, 140, 160})
        QTest::addRow("after %d ms", ms) << ms;
}

// Wherever it is cut, the next start brings the task to its end, and the first prompt is delivered once.
void tst_HostKill::killedWhileProvisioning()
{
    QFETCH(int, ms);
    test::GitFixture git;
    const QString repository = git.makeRepository(QStringLiteral("project"));
    const QString dataDir = git.path(QStringLiteral("data"));
    Task ids;
    {
        wire::HostProcess host(dataDir);
        host.setEnvironment(git.environment());
        {
            const auto started = host.start();
            QVERIFY2(started, started ? "" : qPrintable(started.error().message));
        }
        QVERIFY(create(host, repository, ids, QStringLiteral("/help")));
        QTest::qSleep(ms);
        host.kill(SIGKILL);
    }
    wire::HostProcess host(dataDir);
    host.setEnvironment(git.environment());
    {
            const auto started = host.start();
            QVERIFY2(started, started ? "" : qPrintable(started.error().message));
        }
    wire::WireClient task(host.endpoint(), host.token());
    QVERIFY(task.open(QStringLiteral("task"), ids.key()));
    const bool idle = QTest::qWaitFor(
        [&] { return session(task, ids.session) && session(task, ids.session)->status == SessionStatus::Idle; }, 20000);
    if (!idle) {
        for (const Stage &stage : rows<Stage>(task, QStringLiteral("task")))
            qWarning("%ls %ls attempt %lld %ls", qUtf16Printable(stage.id), qUtf16Printable(stage.state.text()), qlonglong(stage.attempt),
                qUtf16Printable(stage.error ? stage.error->message + stage.error->detail : stage.message.value_or(QString())));
        for (const TranscriptEntry &entry : transcript(task, ids.session))
            qWarning("%lld %ls %ls", qlonglong(entry.index), qUtf16Printable(entry.kind.text()), qUtf16Printable(entry.text.left(80)));
    }
    QVERIFY(idle);
    QList<TranscriptEntry> entries;
    QTRY_VERIFY_WITH_TIMEOUT((entries = transcript(task, ids.session), std::any_of(entries.begin(), entries.end(), [](const auto &entry) {
        return entry.kind == EntryKind::TurnEnd;
    })),
        20000);
    int said = 0;
    for (const TranscriptEntry &entry : entries)
        said += entry.kind == EntryKind::UserMessage ? 1 : 0;
    QCOMPARE(said, 1);
    QCOMPARE(git.mustGit(repository, {QStringLiteral("worktree"), QStringLiteral("list"), QStringLiteral("--porcelain")}).count("worktree "), 2);
}

QTEST_GUILESS_MAIN(tst_HostKill)
#include "tst_hostkill.moc"
