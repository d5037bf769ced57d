// What the user gave is not lost and not done twice, whatever happens to the program.
#include "realtime/commands/commandsender.h"
#include "tests/support/loopback.h"

#include <QFile>
#include <QProcess>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>

using namespace foundry;
using namespace foundry::realtime;
using namespace foundry::tests;

namespace {

TaskId taskOne()
{
    return TaskId(QStringLiteral("t1"));
}
SessionId sessionOne()
{
    return SessionId(QStringLiteral("s1"));
}

ActorName actorOne()
{
    return taskActor(OrganizationId(QStringLiteral("local")), RepoId(QStringLiteral("r1")), taskOne());
}

UpdateDraft draftOf(const QString &text, const SessionId &session = sessionOne())
{
    UpdateDraft draft;
    draft.taskId = taskOne();
    draft.sessionId = session;
    if (!text.isEmpty())
        draft.draft = Draft{text, {}, {}};
    return draft;
}

// One run of the workbench; the file stays.
struct OutboxRun {
    LoopbackResolver resolver;
    LoopbackServer server;
    Outbox outbox;
    ActorConnection connection{actorOne(), resolver, server.factory(), times()};
    CommandQueue queue{connection, 200ms};
    QStringList answers;

    explicit OutboxRun(const QString &path)
        : outbox(path)
    {
        queue.setOutbox(&outbox);
    }
    static ConnectionTimes times()
    {
        ConnectionTimes times;
        times.firstRetry = 1ms;
        times.lastRetry = 5ms;
        times.steady = 0ms;
        return times;
    }
    void connectHost() { connection.setEndpoint(Endpoint::parse(QStringLiteral("http://127.0.0.1:1")).value()); }
    RequestId send(const QString &text, const std::optional<UpdateDraft> &draft = {})
    {
        SendMessage message;
        message.queueId = makeId<QueueId>();
        message.sessionId = sessionOne();
        message.prompt = Prompt{text};
        return sendCommand(queue, QStringLiteral("sendMessage"), message, &queue,
            Answered<Unit>([this](const Result<> &answer) { answers << (answer ? QStringLiteral("ok") : answer.error().key()); }),
            Kept{text, draft});
    }
    LoopbackServer::Action next()
    {
        LoopbackServer::Action action;
        for (int i = 0; i < 1000 && !server.take(QStringLiteral("sendMessage"), &action); ++i)
            QTest::qWait(2);
        return action;
    }
    static SendMessage said(const LoopbackServer::Action &action) { return *protocol::decodeArgs<SendMessage>(action.args); }
    bool written()
    {
        bool done = false;
        outbox.flush(&outbox, [&done](const Result<> &) { done = true; });
        for (int i = 0; i < 5000 && !done; ++i)
            QTest::qWait(1);
        return done;
    }
};

QStringList labels(const Outbox &outbox)
{
    QStringList all;
    for (const OutboxEntry &entry : outbox.entries())
        all << entry.label;
    return all;
}

void age(const QString &path, Millis by)
{
    SqlSchema schema;
    schema.steps << QByteArray();
    QString aside;
    auto file = SqlFile::open(path, schema, &aside);
    QVERIFY((*file)->run("UPDATE commands SET sent_at = sent_at - ? WHERE sent_at > 0", by));
}

// The other program: writes down numbers, and says which are on the disk.
int giveUntilKilled(const QString &path)
{
    Outbox outbox(path);
    for (qint64 number = 0;; ++number) {
        OutboxEntry entry;
        entry.id = makeId<RequestId>();
        entry.actor = actorOne();
        entry.action = QStringLiteral("sendMessage");
        entry.args = "[{}]";
        entry.label = QString::number(number);
        bool written = false;
        outbox.setDraft(draftOf(QString::number(number)));
        outbox.flushDrafts();
        outbox.add(entry, draftOf({}), &outbox, [&written](const Result<> &) { written = true; });
        while (!written)
            QTest::qWait(1);
        std::printf("%lld\n", static_cast<long long>(number));
        std::fflush(stdout);
    }
}

} // namespace

class OutboxTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_files = 0;
    QString fresh() { return m_dir.filePath(QStringLiteral("o%1/x.outbox").arg(++m_files)); }

private Q_SLOTS:
    void writtenBeforeItIsSent()
    {
        OutboxRun run(fresh());
        QTRY_VERIFY(run.outbox.isRestored());
        run.connectHost();
        run.connection.retain();
        QTRY_VERIFY(run.connection.isLive());
        QList<OutboxState> states;
        connect(&run.outbox, &Outbox::changed, this, [&](const RequestId &id) { states << run.outbox.find(id)->state; });
        const RequestId id = run.send(QStringLiteral("hello"));
        QCOMPARE(run.server.waiting(QStringLiteral("sendMessage")), 0); // not in the same turn
        const auto action = run.next();
        QCOMPARE(OutboxRun::said(action).requestId, id);
        QCOMPARE(run.outbox.entries().size(), 1);
        run.server.answer(action, "{}");
        QCOMPARE(run.answers, QStringList{QStringLiteral("ok")});
        QCOMPARE(states, QList<OutboxState>({OutboxState::Sent, OutboxState::Accepted, OutboxState::Done}));
        QVERIFY(run.outbox.entries().isEmpty());
        run.connection.release();
    }

    void waitsOverARestartInOrder()
    {
        const QString path = fresh();
        QList<RequestId> ids;
        {
            OutboxRun run(path);
            ids << run.send(QStringLiteral("first")) << run.send(QStringLiteral("second"));
            QVERIFY(run.written());
        }
        QVERIFY(!(QFile::permissions(path) & (QFileDevice::ReadGroup | QFileDevice::ReadOther)));
        OutboxRun run(path);
        ids << run.send(QStringLiteral("third")); // given before the file was read
        run.connectHost();
        QTRY_COMPARE(labels(run.outbox), QStringList({QStringLiteral("first"), QStringLiteral("second"), QStringLiteral("third")}));
        for (const RequestId &id : ids) {
            const auto action = run.next();
            QCOMPARE(OutboxRun::said(action).requestId, id);
            run.server.answer(action, "{}");
        }
        QTRY_VERIFY(run.outbox.entries().isEmpty());
        QCOMPARE(run.queue.waiting(), 0);
        QVERIFY(run.written());
        OutboxRun next(path);
        QTRY_VERIFY(next.outbox.isRestored());
        QVERIFY(next.outbox.entries().isEmpty());
    }

    void sentGoesAgainWithTheSameId()
    {
        const QString path = fresh();
        RequestId id;
        {
            OutboxRun run(path);
            run.connectHost();
            id = run.send(QStringLiteral("hello"));
            QCOMPARE(OutboxRun::said(run.next()).requestId, id); // and never answered
        }
        {
            OutboxRun run(path);
            QTRY_COMPARE(run.outbox.entries().size(), 1);
            QCOMPARE(run.outbox.entries().first().state, OutboxState::Sent);
            QVERIFY(!run.outbox.edit(id, "[]", {})); // too late
            QVERIFY(!run.outbox.remove(id));
            run.connectHost();
            QCOMPARE(OutboxRun::said(run.next()).requestId, id);
            run.server.socket()->drop();
            QCOMPARE(OutboxRun::said(run.next()).requestId, id);
        }
        // A week later the host no longer knows the id.
        age(path, qint64(8) * 24 * 3600 * 1000);
        OutboxRun run(path);
        run.connectHost();
        QTRY_COMPARE(run.outbox.entries().size(), 1);
        QCOMPARE(run.outbox.entries().first().state, OutboxState::Uncertain);
        const RequestId other = run.send(QStringLiteral("later")); // is not held up by it
        const auto action = run.next();
        QCOMPARE(OutboxRun::said(action).requestId, other);
        run.server.answer(action, "{}");
        QTest::qWait(30);
        QCOMPARE(run.server.waiting(QStringLiteral("sendMessage")), 0); // never unasked
        QVERIFY(run.outbox.sendAgain(id));
        const auto again = run.next();
        QCOMPARE(OutboxRun::said(again).requestId, id);
        run.server.answer(again, "{}");
        QTRY_VERIFY(run.outbox.entries().isEmpty());
    }

    void editedAndTakenBackWhileQueued()
    {
        const QString path = fresh();
        RequestId first;
        RequestId second;
        {
            OutboxRun run(path);
            first = run.send(QStringLiteral("frist"));
            second = run.send(QStringLiteral("regretted"));
            QVERIFY(run.outbox.editMessage(first, QStringLiteral("first")));
            QVERIFY(run.outbox.remove(second));
            QCOMPARE(run.answers, QStringList{QStringLiteral("client.cancelled")});
            QVERIFY(run.written());
        }
        OutboxRun run(path);
        run.connectHost();
        const auto action = run.next();
        QCOMPARE(OutboxRun::said(action).requestId, first);
        QCOMPARE(OutboxRun::said(action).prompt.text, QStringLiteral("first"));
        run.server.answer(action, "{}");
        QTRY_COMPARE(run.queue.waiting(), 0);
    }

    // What is changed stays where it was: before what came after it, with its id, for this window and for the next.
    void editedInItsPlace_data()
    {
        QTest::addColumn<bool>("restarted");
        QTest::newRow("in the same window") << false;
        QTest::newRow("by the next one") << true;
    }
    void editedInItsPlace()
    {
        QFETCH(bool, restarted);
        const QString path = fresh();
        auto run = std::make_unique<OutboxRun>(path);
        QList<RequestId> ids;
        for (const char *text : {"one", "tow", "three"})
            ids << run->send(QString::fromLatin1(text));
        QVERIFY(run->outbox.editMessage(ids.at(1), QStringLiteral("two")));
        QCOMPARE(labels(run->outbox), (QStringList{QStringLiteral("one"), QStringLiteral("two"), QStringLiteral("three")}));
        if (restarted) {
            QVERIFY(run->written());
            run = std::make_unique<OutboxRun>(path);
        }
        run->connectHost();
        const QStringList wanted{QStringLiteral("one"), QStringLiteral("two"), QStringLiteral("three")};
        for (qsizetype i = 0; i < ids.size(); ++i) {
            const auto action = run->next();
            QCOMPARE(OutboxRun::said(action).prompt.text, wanted.at(i));
            QCOMPARE(OutboxRun::said(action).requestId, ids.at(i));
            run->server.answer(action, "{}");
        }
        QTRY_COMPARE(run->queue.waiting(), 0);
    }

    void refusalsStayToBeRead()
    {
        const QString path = fresh();
        {
            OutboxRun run(path);
            run.connectHost();
            run.send(QStringLiteral("hello"));
            run.server.refuse(run.next(), makeError(QLatin1StringView("state"), QLatin1StringView("archived"), QStringLiteral("Archived.")));
            QTRY_COMPARE(run.answers, QStringList{QStringLiteral("state.archived")});
            QVERIFY(run.written());
        }
        OutboxRun run(path);
        run.connectHost();
        QTRY_COMPARE(run.outbox.entries().size(), 1);
        const OutboxEntry entry = run.outbox.entries().first();
        QCOMPARE(entry.state, OutboxState::Failed);
        QCOMPARE(entry.error->message, QStringLiteral("Archived."));
        QCOMPARE(run.queue.waiting(), 0);
        QVERIFY(run.outbox.remove(entry.id));
    }

    void withoutSignInItWaits()
    {
        OutboxRun run(fresh());
        run.resolver.nextError = makeError(QLatin1StringView("auth"), QLatin1StringView("expired"), QStringLiteral("Expired."));
        run.connectHost();
        const RequestId id = run.send(QStringLiteral("hello"));
        QTRY_COMPARE(run.answers, QStringList{QStringLiteral("auth.expired")});
        QCOMPARE(run.outbox.entries().size(), 1);
        run.resolver.nextError.reset();
        run.connection.setEndpoint(std::nullopt);
        run.connectHost();
        const auto action = run.next();
        QCOMPARE(OutboxRun::said(action).requestId, id);
        run.server.answer(action, "{}");
        QTRY_VERIFY(run.outbox.entries().isEmpty());
        QCOMPARE(run.answers.size(), 1); // told once
    }

    void draftsComeBack()
    {
        const QString path = fresh();
        const SessionId other(QStringLiteral("s2"));
        {
            Outbox outbox(path);
            outbox.setDraft(draftOf(QStringLiteral("half a tho")));
            outbox.setDraft(draftOf(QStringLiteral("half a thought")));
            outbox.setDraft(draftOf(QStringLiteral("known to the host"), other));
            outbox.confirmDraft(draftOf(QStringLiteral("an older one"), other));
            QVERIFY(outbox.draft(other));
            outbox.confirmDraft(draftOf(QStringLiteral("known to the host"), other));
            QVERIFY(!outbox.draft(other));
        }
        {
            OutboxRun run(path);
            QSignalSpy came(&run.outbox, &Outbox::draftRestored);
            QTRY_VERIFY(run.outbox.isRestored());
            QCOMPARE(came.size(), 1);
            QCOMPARE(run.outbox.draft(sessionOne())->draft->text, QStringLiteral("half a thought"));
            run.send(QStringLiteral("half a thought, whole"), draftOf({}));
            QVERIFY(run.written());
        }
        OutboxRun run(path);
        QTRY_VERIFY(run.outbox.isRestored());
        QVERIFY(!run.outbox.draft(sessionOne())->draft); // it became the message, which the host has yet to be told
        QCOMPARE(run.outbox.entries().size(), 1);
    }

    void killedWhileGiving()
    {
        const QString path = fresh();
        qint64 before = 0;
        for (int round = 0; round < 3; ++round) {
            QProcess giver;
            giver.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--give"), path});
            QVERIFY(giver.waitForReadyRead(30000));
            QTest::qWait(int(QRandomGenerator::global()->bounded(80)));
            giver.kill();
            QVERIFY(giver.waitForFinished(10000));
            const qint64 told = giver.readAllStandardOutput().trimmed().split('\n').size();
            Outbox outbox(path);
            QTRY_VERIFY(outbox.isRestored());
            const qint64 more = outbox.entries().size() - before;
            QVERIFY2(more == told || more == told + 1, "what was told to be on the disk is not there");
            before = outbox.entries().size();
            // The number that was under way is there: as a command, or still as a draft; never both.
            QVERIFY(outbox.draft(sessionOne()));
            if (outbox.draft(sessionOne())->draft)
                QCOMPARE(outbox.draft(sessionOne())->draft->text, QString::number(more));
        }
    }

    void aDamagedFileIsKept()
    {
        const QString path = fresh();
        {
            OutboxRun run(path);
            run.send(QStringLiteral("hello"));
            QVERIFY(run.written());
        }
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadWrite));
        file.write(QByteArray(4096, 'x'));
        file.close();
        Outbox outbox(path);
        QSignalSpy noticed(&outbox, &Outbox::noticed);
        QTRY_VERIFY(outbox.isRestored());
        QCOMPARE(noticed.size(), 1);
        QVERIFY(QFile::exists(noticed.first().first().value<Error>().detail));
    }
};

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc == 3 && qstrcmp(argv[1], "--give") == 0)
        return giveUntilKilled(QString::fromLocal8Bit(argv[2]));
    OutboxTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_outbox.moc"
