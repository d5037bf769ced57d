// Commands: in order, once, over drops; prompts of any size; placeholders that become the host's or go away.
#include "realtime/commands/hostclient.h"
#include "tests/support/loopback.h"

#include <QSignalSpy>
#include <QTest>

using namespace foundry;
using namespace foundry::realtime;
using namespace foundry::tests;

namespace {

// One server in memory stands for all actors: enough, since each connection has its own socket.
struct CommandRig {
    LoopbackResolver resolver;
    LoopbackServer server;
    HostClient host{resolver, server.factory(), options()};
    QList<Entity> organizationRows;

    static HostClientOptions options()
    {
        HostClientOptions options;
        options.times.firstRetry = 1ms;
        options.times.lastRetry = 5ms;
        options.times.steady = 0ms;
        options.grace = 20ms;
        return options;
    }
    CommandRig()
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
    void connectHost() { host.setEndpoint(Endpoint::parse(QStringLiteral("http://127.0.0.1:1")).value()); }
    LoopbackServer::Action take(const char *name)
    {
        LoopbackServer::Action action;
        for (int i = 0; i < 500 && !server.take(QString::fromLatin1(name), &action); ++i)
            QTest::qWait(2);
        return action;
    }
    static CreateTask command(const QString &prompt)
    {
        CreateTask command;
        command.repoId = RepoId(QStringLiteral("r1"));
        command.prompt = Prompt{prompt};
        return command;
    }
    static QByteArray answerFor(const CreateTask &asked)
    {
        CreateTaskAnswer answer;
        answer.task.id = asked.taskId;
        answer.task.repoId = asked.repoId;
        answer.task.title = QStringLiteral("From the host");
        answer.task.branch = QStringLiteral("b");
        answer.task.rev = 7;
        answer.session.id = asked.sessionId;
        answer.session.name = QStringLiteral("Session 1");
        answer.session.rev = 2;
        return protocol::encodeValue(answer);
    }

    QMap<QString, QString> titles;
};

} // namespace

class CommandsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void titles_data()
    {
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("title");
        QTest::newRow("first line") << QStringLiteral("\n  Fix  it \nmore") << QStringLiteral("Fix it");
        QTest::newRow("cut on a word")
            << QStringLiteral("Make the very long first line of this prompt end where a word ends please now")
            << QStringLiteral("Make the very long first line of this prompt end where a word");
        QTest::newRow("one long word") << QString(100, QLatin1Char('x')) << QString(62, QLatin1Char('x'));
        QTest::newRow("empty") << QStringLiteral(" \n ") << QString();
    }

    void titles()
    {
        QFETCH(QString, prompt);
        QFETCH(QString, title);
        QCOMPARE(titleOfPrompt(prompt), title);
    }

    void createdWhileNoHostIsThere()
    {
        CommandRig rig;
        std::optional<Result<CreateTaskAnswer>> answer;
        const TaskId id = rig.host.createTask(CommandRig::command(QStringLiteral("Do it")), this, [&](const auto &result) { answer = result; });
        QCOMPARE(rig.titles.value(id.value), QStringLiteral("Do it")); // in the same frame
        TaskClient &task = rig.host.task(RepoId(QStringLiteral("r1")), id);
        task.feed().view();
        QTest::qWait(20);
        QVERIFY(!answer);
        QCOMPARE(rig.server.opened, 0);

        rig.connectHost();
        const auto action = rig.take("createTask");
        QVERIFY(action.socket);
        const auto asked = protocol::decodeArgs<CreateTask>(action.args);
        QCOMPARE(asked->taskId, id);
        QCOMPARE(asked->prompt->text, QStringLiteral("Do it"));
        // Nobody asks for a task that the host does not know yet.
        QCOMPARE(task.connection().state(), ConnectionState::Idle);
        rig.server.answer(action, CommandRig::answerFor(*asked));
        QVERIFY(answer && answer->ok());
        QCOMPARE(rig.titles.value(id.value), QStringLiteral("From the host"));
        QTRY_COMPARE(task.connection().state(), ConnectionState::Live);
        task.feed().leave();
    }

    void sameRequestIdAfterADrop()
    {
        CommandRig rig;
        rig.connectHost();
        int answers = 0;
        rig.host.organization().addRepositoryPath(QStringLiteral("/one"), this, [&](const auto &) { ++answers; });
        rig.host.organization().addRepositoryPath(QStringLiteral("/two"), this, [&](const auto &) { ++answers; });
        const auto first = protocol::decodeArgs<AddRepository>(rig.take("addRepository").args);
        const auto second = protocol::decodeArgs<AddRepository>(rig.take("addRepository").args);
        QCOMPARE(*first->path, QStringLiteral("/one"));
        rig.server.socket()->drop();
        const auto firstAgain = rig.take("addRepository");
        const auto secondAgain = rig.take("addRepository");
        QCOMPARE(protocol::decodeArgs<AddRepository>(firstAgain.args)->requestId, first->requestId);
        QCOMPARE(protocol::decodeArgs<AddRepository>(secondAgain.args)->requestId, second->requestId);
        QCOMPARE(answers, 0);
        rig.server.answer(secondAgain, "{}");
        rig.server.answer(firstAgain, "{}");
        QCOMPARE(answers, 2);
        // Nothing waits, nobody looks: no socket is kept.
        QTRY_COMPARE(rig.host.connection().state(), ConnectionState::Idle);
    }

    void hostGoingAwayIsNoAnswer()
    {
        CommandRig rig;
        rig.connectHost();
        QStringList answers;
        rig.host.organization().refreshAgents(this, [&](const Result<> &r) { answers << (r ? QStringLiteral("ok") : r.error().key()); });
        rig.server.refuse(rig.take("refreshAgents"), makeError(QLatin1StringView("actor"), QLatin1StringView("stopping"), QString()));
        rig.server.answer(rig.take("refreshAgents"), "{}");
        QCOMPARE(answers, QStringList(QStringLiteral("ok")));
    }

    void rolledBackWithTheReason()
    {
        CommandRig rig;
        rig.connectHost();
        QString reason;
        const TaskId id = rig.host.createTask(
            CommandRig::command(QStringLiteral("x")), this, [&](const auto &result) { reason = result.error().key(); });
        QVERIFY(rig.titles.contains(id.value));
        rig.server.refuse(rig.take("createTask"), makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QString()));
        QCOMPARE(reason, QStringLiteral("input.invalid"));
        QVERIFY(rig.titles.isEmpty());
    }

    void refusedEndsWhatWaits()
    {
        CommandRig rig;
        rig.resolver.nextError = makeError(QLatin1StringView("auth"), QLatin1StringView("unauthorized"), QString());
        rig.connectHost();
        QString reason;
        rig.host.organization().refreshAgents(this, [&](const Result<> &r) { reason = r.error().key(); });
        QTRY_COMPARE(reason, QStringLiteral("auth.unauthorized"));
    }

    void promptOf200KiBGoesUpInPieces()
    {
        CommandRig rig;
        rig.connectHost();
        const QString prompt = QString(200 * 1024, QLatin1Char('p'));
        QByteArray received;
        BlobId blob;
        bool complete = false;
        rig.server.onAction = [&](const LoopbackServer::Action &action) {
            if (action.name != QStringLiteral("putBlob"))
                return false;
            if (action.args.size() > 48 * 1024)
                qFatal("a piece beyond the limit of a message");
            const auto piece = protocol::decodeArgs<PutBlob>(action.args);
            if (piece->offset != received.size())
                qFatal("out of order");
            received += piece->data;
            blob = piece->blobId;
            complete = piece->last;
            rig.server.answer(action, "{}");
            return true;
        };
        rig.host.createTask(CommandRig::command(prompt), this, [](const auto &) {});
        const auto asked = protocol::decodeArgs<CreateTask>(rig.take("createTask").args);
        QVERIFY(complete);
        QCOMPARE(QString::fromUtf8(received), prompt);
        QVERIFY(asked->prompt->text.isEmpty());
        QCOMPARE(*asked->prompt->blobId, blob);
    }

    void promptOf1MBIsRefusedWithWhatToDo()
    {
        CommandRig rig;
        rig.connectHost();
        std::optional<Error> error;
        rig.host.createTask(CommandRig::command(QString(1000 * 1000, QLatin1Char('p'))), this,
            [&](const auto &result) { error = result.error(); });
        QTRY_VERIFY(error);
        QCOMPARE(error->key(), QStringLiteral("input.too_large"));
        QVERIFY(!error->action.isEmpty());
        QVERIFY(rig.titles.isEmpty());
        QVERIFY(rig.server.actions.isEmpty());
    }

    void escapesCountForTheLimit()
    {
        QVERIFY(PromptUpload::fitsInline(QString(39 * 1024, QLatin1Char('a'))));
        QVERIFY(!PromptUpload::fitsInline(QString(30 * 1024, QLatin1Char('"'))));
    }

    void messagesKeepTheirOrder()
    {
        CommandRig rig;
        rig.connectHost();
        TaskClient &task = rig.host.task(RepoId(QStringLiteral("r1")), TaskId(QStringLiteral("t1")));
        QList<QueueId> queued;
        QObject::connect(&task.feed().task(), &TopicFeed::applied, this, [&](const TopicEvent &event) {
            for (const Entity &entity : event.upserts) {
                if (const auto *prompt = std::get_if<QueuedPrompt>(&entity))
                    queued << prompt->id;
            }
        });
        task.feed().view();
        const SessionId session(QStringLiteral("s1"));
        const QueueId large = task.commands().sendMessage(session, QString(100 * 1024, QLatin1Char('l')), this, {});
        const QueueId small = task.commands().sendMessage(session, QStringLiteral("small"), this, {});
        QCOMPARE(queued, QList<QueueId>({large, small})); // both shown at once
        rig.server.onAction = [&](const LoopbackServer::Action &action) {
            if (action.name != QStringLiteral("putBlob"))
                return false;
            rig.server.answer(action, "{}");
            return true;
        };
        QCOMPARE(protocol::decodeArgs<SendMessage>(rig.take("sendMessage").args)->queueId, large);
        QCOMPARE(protocol::decodeArgs<SendMessage>(rig.take("sendMessage").args)->queueId, small);
        task.feed().leave();
    }

    void sessionPlaceholder()
    {
        CommandRig rig;
        TaskClient &task = rig.host.task(RepoId(QStringLiteral("r1")), TaskId(QStringLiteral("t1")));
        QStringList names;
        QObject::connect(&task.feed().task(), &TopicFeed::applied, this, [&](const TopicEvent &event) {
            for (const Entity &entity : event.upserts)
                names << std::get<Session>(entity).name;
        });
        task.commands().createSession(std::nullopt, std::nullopt, this, {});
        QCOMPARE(names.size(), 1);
        rig.connectHost();
        const auto action = rig.take("createSession");
        const auto asked = protocol::decodeArgs<CreateSession>(action.args);
        Session session;
        session.id = asked->sessionId;
        session.name = QStringLiteral("Session 2");
        session.rev = 4;
        rig.server.answer(action, protocol::encodeValue(session));
        QCOMPARE(names.last(), QStringLiteral("Session 2"));
    }

    void pendingDiffComesByItself()
    {
        CommandRig rig;
        rig.connectHost();
        TaskClient &task = rig.host.task(RepoId(QStringLiteral("r1")), TaskId(QStringLiteral("t1")));
        task.feed().view();
        QList<DiffPage> pages;
        task.commands().getDiff(QStringLiteral("a.txt"), ChangeScope::Untracked, {}, this, [&](const Result<DiffPage> &page) { pages << *page; });
        const auto action = rig.take("getDiff");
        const auto asked = protocol::decodeArgs<GetDiff>(action.args);
        DiffPage pending;
        pending.pending = true;
        pending.path = QStringLiteral("a.txt");
        rig.server.answer(action, protocol::encodeValue(pending));
        QCOMPARE(pages.size(), 1);
        QVERIFY(pages.first().pending);
        TopicEvent ready;
        ready.topic = QStringLiteral("changes");
        ready.generation = QStringLiteral("g");
        ready.cause.kind = QStringLiteral("system");
        ready.ready = ReadyNotice{asked->requestId, QStringLiteral("a.txt")};
        rig.server.event(ready);
        DiffPage page;
        page.path = QStringLiteral("a.txt");
        page.unified = QStringLiteral("@@ -0,0 +1 @@\n+x\n");
        rig.server.answer(rig.take("getDiff"), protocol::encodeValue(page));
        QCOMPARE(pages.size(), 2);
        QCOMPARE(pages.last().unified, page.unified);
        task.feed().leave();
    }

    void draftsAreJoined()
    {
        CommandRig rig;
        rig.connectHost();
        const TaskId task(QStringLiteral("t"));
        const SessionId session(QStringLiteral("s"));
        for (const char *text : {"h", "he", "hel"})
            rig.host.user().updateDraft(task, session, Draft{QString::fromLatin1(text)});
        rig.host.user().flushDrafts();
        QCOMPARE(protocol::decodeArgs<UpdateDraft>(rig.take("updateDraft").args)->draft->text, QStringLiteral("hel"));
        QCOMPARE(rig.server.waiting(QStringLiteral("updateDraft")), 0);
    }
};

QTEST_GUILESS_MAIN(CommandsTest)
#include "tst_commands.moc"
