// A workbench without a host, ended and started again: what it was given goes on, what it had read can be read.
#include "realtime/commands/hostclient.h"
#include "tests/support/loopback.h"

#include <QDateTime>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::realtime;
using namespace foundry::tests;

namespace {

RepoId repoOne()
{
    return RepoId(QStringLiteral("r1"));
}

struct Workbench {
    LoopbackResolver resolver;
    LoopbackServer server;
    HostCache cache;
    Outbox outbox;
    HostClient host;
    QMap<QString, QString> titles;

    explicit Workbench(const QString &folder)
        : cache({folder + QStringLiteral("/a.cache")})
        , outbox(folder + QStringLiteral("/a.outbox"))
        , host(resolver, server.factory(), options())
    {
        QObject::connect(&host.organizationFeed(), &TopicFeed::applied, &host, [this](const TopicEvent &event) {
            for (const Removal &removal : event.removals)
                titles.remove(removal.id);
            for (const Entity &entity : event.upserts) {
                if (const auto *task = std::get_if<TaskSummary>(&entity))
                    titles[task->id.value] = task->title;
            }
        });
    }
    HostClientOptions options()
    {
        HostClientOptions options;
        options.times.firstRetry = 1ms;
        options.times.lastRetry = 5ms;
        options.times.steady = 0ms;
        options.grace = 20ms;
        options.cache = &cache;
        options.outbox = &outbox;
        return options;
    }
    void connectHost() { host.setEndpoint(Endpoint::parse(QStringLiteral("http://127.0.0.1:1")).value()); }
    LoopbackServer::Action take(const char *name)
    {
        LoopbackServer::Action action;
        for (int i = 0; i < 1000 && !server.take(QString::fromLatin1(name), &action); ++i)
            QTest::qWait(2);
        return action;
    }
    bool written()
    {
        int done = 0;
        outbox.flush(&host, [&done](const Result<> &) { ++done; });
        cache.flush(&host, [&done] { ++done; });
        for (int i = 0; i < 5000 && done < 2; ++i)
            QTest::qWait(1);
        return done == 2;
    }
};

CreateTask creation(const QString &prompt)
{
    CreateTask command;
    command.repoId = repoOne();
    command.prompt = Prompt{prompt};
    return command;
}

QStringList queuedTexts(TopicFeed &feed)
{
    QStringList texts;
    for (const Entity &entity : feed.placeholders()) {
        if (const auto *queued = std::get_if<QueuedPrompt>(&entity))
            texts << queued->prompt.text;
    }
    return texts;
}

} // namespace

class ResumeTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_folders = 0;
    QString fresh() { return m_dir.filePath(QString::number(++m_folders)); }

private Q_SLOTS:
    void aChainGivenWithoutAHost()
    {
        const QString folder = fresh();
        TaskId id;
        QueueId message;
        {
            Workbench run(folder);
            id = run.host.createTask(creation(QStringLiteral("Do it")), this, {});
            message = run.host.task(repoOne(), id).commands().sendMessage(
                SessionId(QStringLiteral("s1")), QStringLiteral("and test it"), this, {});
            QVERIFY(run.written());
        }
        Workbench run(folder);
        QTRY_COMPARE(run.titles.value(id.value), QStringLiteral("Do it")); // shown again, before any host
        QTRY_COMPARE(queuedTexts(run.host.task(repoOne(), id).feed().task()), QStringList{QStringLiteral("and test it")});
        run.connectHost();
        const auto action = run.take("createTask");
        const auto asked = protocol::decodeArgs<CreateTask>(action.args);
        QCOMPARE(asked->taskId, id);
        QTest::qWait(30);
        QCOMPARE(run.server.waiting(QStringLiteral("sendMessage")), 0); // there is no task yet
        CreateTaskAnswer answer;
        answer.task.id = id;
        answer.task.repoId = repoOne();
        answer.task.title = QStringLiteral("From the host");
        answer.task.branch = QStringLiteral("b");
        answer.task.rev = 7;
        answer.session.id = asked->sessionId;
        answer.session.name = QStringLiteral("Session 1");
        answer.session.rev = 2;
        run.server.answer(action, protocol::encodeValue(answer));
        const auto sent = run.take("sendMessage");
        QCOMPARE(protocol::decodeArgs<SendMessage>(sent.args)->queueId, message);
        run.server.answer(sent, "{}");
        QTRY_VERIFY(run.outbox.entries().isEmpty());
        QCOMPARE(run.titles.value(id.value), QStringLiteral("From the host"));
    }

    void aCreationTakenBackTakesItsMessagesAlong()
    {
        Workbench run(fresh());
        QTRY_VERIFY(run.outbox.isRestored());
        Error said;
        const TaskId id = run.host.createTask(creation(QStringLiteral("Do it")), this, [&said](const auto &answer) { said = answer.error(); });
        run.host.task(repoOne(), id).commands().sendMessage(SessionId(QStringLiteral("s1")), QStringLiteral("more"), this, {});
        QCOMPARE(run.outbox.entries().size(), 2);
        QVERIFY(run.outbox.remove(run.outbox.entries().first().id));
        QCOMPARE(said.code, QStringLiteral("cancelled"));
        QVERIFY(!run.titles.contains(id.value));
        QCOMPARE(run.outbox.entries().size(), 1);
        QCOMPARE(run.outbox.entries().first().state, OutboxState::Failed); // to be read: it will not be sent
    }

    void aMessageIsChangedAndTakenBackWhileItWaits()
    {
        Workbench run(fresh());
        QTRY_VERIFY(run.outbox.isRestored());
        const TaskId id(QStringLiteral("t1"));
        const SessionId session(QStringLiteral("s1"));
        TaskCommands &commands = run.host.task(repoOne(), id).commands();
        Error said;
        const QueueId first = commands.sendMessage(session, QStringLiteral("one"), this, {});
        const QueueId second
            = commands.sendMessage(session, QStringLiteral("two"), this, [&said](const auto &answer) { said = answer.error(); });
        bool edited = false;
        bool dropped = false;
        commands.editQueued(first, QStringLiteral("changed"), this, [&edited](const auto &answer) { edited = answer.ok(); });
        commands.dropQueued(second, this, [&dropped](const auto &answer) { dropped = answer.ok(); });
        QVERIFY(edited && dropped);
        QCOMPARE(said.code, QStringLiteral("cancelled"));
        QTRY_COMPARE(queuedTexts(run.host.task(repoOne(), id).feed().task()), QStringList{QStringLiteral("changed")});
        QCOMPARE(run.outbox.entries().size(), 1);
        run.connectHost();
        const auto sent = run.take("sendMessage");
        const auto message = protocol::decodeArgs<SendMessage>(sent.args);
        QCOMPARE(message->queueId, first);
        QCOMPARE(message->prompt.text, QStringLiteral("changed"));
        run.server.answer(sent, "{}");
        QTRY_VERIFY(run.outbox.entries().isEmpty());
        for (const char *other : {"sendMessage", "editQueued", "dropQueued"})
            QCOMPARE(run.server.waiting(QString::fromLatin1(other)), 0);
    }

    void draftsReachTheHostLater()
    {
        const QString folder = fresh();
        const TaskId task(QStringLiteral("t1"));
        const SessionId session(QStringLiteral("s1"));
        {
            Workbench run(folder);
            QTRY_VERIFY(run.outbox.isRestored());
            for (const char *text : {"h", "he", "hel"}) {
                run.host.user().updateDraft(task, session, Draft{QString::fromLatin1(text), {}, {}});
                run.host.user().flushDrafts();
            }
            QCOMPARE(run.host.waitingCommands(), 0); // none for each letter
            QVERIFY(run.written());
        }
        Workbench run(folder);
        QTRY_VERIFY(run.outbox.draft(session));
        run.connectHost();
        run.host.view();
        const auto action = run.take("updateDraft");
        QCOMPARE(protocol::decodeArgs<UpdateDraft>(action.args)->draft->text, QStringLiteral("hel"));
        run.server.answer(action, "{}");
        QTRY_VERIFY(!run.outbox.draft(session));
        QCOMPARE(run.server.waiting(QStringLiteral("updateDraft")), 0);
    }

    // Nobody can tell any more whether it arrived: it waits for the user, and is in the queue again when it goes once more.
    void anUncertainMessageGoesAgainByTheUsersWish()
    {
        const QString folder = fresh();
        const TaskId task(QStringLiteral("t1"));
        SendMessage message;
        message.requestId = RequestId(QStringLiteral("old"));
        message.queueId = QueueId(QStringLiteral("q1"));
        message.sessionId = SessionId(QStringLiteral("s1"));
        message.prompt = Prompt{QStringLiteral("a week ago")};
        {
            OutboxEntry entry;
            entry.id = message.requestId;
            entry.actor = taskActor(OrganizationId(QStringLiteral("local")), repoOne(), task);
            entry.action = QStringLiteral("sendMessage");
            entry.args = protocol::encodeArgs(message);
            entry.state = OutboxState::Sent;
            entry.createdAt = entry.sentAt = QDateTime::currentMSecsSinceEpoch() - qint64(8) * 24 * 3600 * 1000;
            QVERIFY(QDir().mkpath(folder));
            OutboxStore store(folder + QStringLiteral("/a.outbox"));
            QVERIFY(store.add(entry, std::nullopt));
        }
        Workbench run(folder);
        TaskClient &client = run.host.task(repoOne(), task);
        client.keep();
        client.feed().view();
        run.connectHost();
        QTRY_COMPARE(run.outbox.entries().size(), 1);
        QCOMPARE(run.outbox.entries().first().state, OutboxState::Uncertain);
        QVERIFY(client.commands().isInOutbox(message.queueId));
        QVERIFY(queuedTexts(client.feed().task()).isEmpty()); // it is not in the queue
        QTest::qWait(30);
        QCOMPARE(run.server.waiting(QStringLiteral("sendMessage")), 0);
        QVERIFY(run.outbox.sendAgain(message.requestId));
        QCOMPARE(queuedTexts(client.feed().task()), QStringList{message.prompt.text});
        const auto action = run.take("sendMessage");
        QCOMPARE(protocol::decodeArgs<SendMessage>(action.args)->queueId, message.queueId);
        QCOMPARE(run.server.waiting(QStringLiteral("sendMessage")), 0); // once
        run.server.answer(action, "{}");
        QTRY_VERIFY(run.outbox.entries().isEmpty());
        QTRY_VERIFY(queuedTexts(client.feed().task()).isEmpty()); // taken up at once: the host has no row of it
        client.letGo();
    }

    void diffsAndBlobsAreReadWithoutALink()
    {
        const QString folder = fresh();
        const TaskId task(QStringLiteral("t1"));
        {
            Workbench run(folder);
            run.connectHost();
            TaskClient &client = run.host.task(repoOne(), task);
            client.feed().view();
            QTRY_VERIFY(client.connection().isLive());
            int answers = 0;
            client.commands().getDiff(QStringLiteral("a.txt"), ChangeScope::Unstaged, {}, this, [&answers](const auto &) { ++answers; });
            DiffPage page;
            page.path = QStringLiteral("a.txt");
            page.unified = QStringLiteral("@@ -0,0 +1 @@\n+x\n");
            run.server.answer(run.take("getDiff"), protocol::encodeValue(page));
            client.commands().getBlob(BlobId(QStringLiteral("b1")), 1000, this, [&answers](const auto &) { ++answers; });
            BlobPage blob;
            blob.data = "blob";
            blob.size = 4;
            run.server.answer(run.take("getBlob"), protocol::encodeValue(blob));
            QCOMPARE(answers, 2);
            client.feed().leave();
        }
        Workbench run(folder);
        TaskClient &client = run.host.task(repoOne(), task);
        client.keep();
        QString unified;
        QByteArray blob;
        bool other = false;
        client.commands().getDiff(QStringLiteral("a.txt"), ChangeScope::Unstaged, {}, this, [&unified](const Result<DiffPage> &page) { unified = page->unified; });
        client.commands().getDiff(QStringLiteral("b.txt"), ChangeScope::Unstaged, {}, this, [&other](const auto &) { other = true; });
        client.commands().getBlob(BlobId(QStringLiteral("b1")), 1000, this, [&blob](const Result<QByteArray> &data) { blob = *data; });
        QTRY_COMPARE(unified, QStringLiteral("@@ -0,0 +1 @@\n+x\n"));
        QTRY_COMPARE(blob, QByteArray("blob"));
        QVERIFY(!other); // nobody here has it: it waits for the link
    }
};

QTEST_GUILESS_MAIN(ResumeTest)
#include "tst_resume.moc"
