// A transcript's window: last page first, older on demand, text at its offset.
#include "realtime/feeds/sessionfeed.h"
#include "tests/support/loopback.h"

#include <QSignalSpy>
#include <QTest>

using namespace foundry;
using namespace foundry::realtime;
using namespace foundry::tests;

namespace {

TranscriptEntry entry(qint64 index, const QString &text, qint64 rev)
{
    TranscriptEntry made;
    made.index = index;
    made.kind = EntryKind::AgentMessage;
    made.text = text;
    made.rev = rev;
    return made;
}

struct SessionRig {
    LoopbackResolver resolver;
    LoopbackServer server;
    ActorConnection connection{appActor(), resolver, server.factory(), times()};
    Subscriptions subscriptions{connection, 30ms};
    SessionFeed feed{subscriptions, nullptr, SessionId(QStringLiteral("s1"))};
    QMap<qint64, QString> rows;
    QList<TranscriptPage> pages;

    static ConnectionTimes times()
    {
        ConnectionTimes times;
        times.firstRetry = 1ms;
        times.steady = 0ms;
        return times;
    }
    SessionRig()
    {
        QObject::connect(&feed, &TopicFeed::replaced, &feed, [this](const ChangesPage &page) {
            rows.clear();
            put(page.upserts);
        });
        QObject::connect(&feed, &TopicFeed::applied, &feed, [this](const TopicEvent &event) {
            put(event.upserts);
            for (const TextAppend &append : event.appends) {
                QCOMPARE(append.offset, qint64(rows[append.index].toUtf8().size()));
                rows[append.index] += append.text;
            }
        });
        QObject::connect(&feed, &SessionFeed::pageLoaded, &feed, [this](const TranscriptPage &page) { pages << page; });
        connection.setEndpoint(Endpoint::parse(QStringLiteral("http://127.0.0.1:1")).value());
        feed.view();
    }
    void put(const QList<Entity> &entities)
    {
        for (const Entity &entity : entities) {
            const auto &one = std::get<TranscriptEntry>(entity);
            rows[one.index] = one.text;
        }
    }
    LoopbackServer::Action question(const char *name)
    {
        LoopbackServer::Action action;
        for (int i = 0; i < 500 && !server.take(QString::fromLatin1(name), &action); ++i)
            QTest::qWait(2);
        return action;
    }
    void load(qint64 from, qint64 count, qint64 revision)
    {
        answerPage(question("getTranscript"), from, count, revision);
    }
    void answerPage(const LoopbackServer::Action &action, qint64 from, qint64 end, qint64 revision)
    {
        TranscriptPage page;
        page.generation = QStringLiteral("g1");
        page.revision = revision;
        page.count = 500;
        for (qint64 i = from; i < end; ++i)
            page.entries << entry(i, QStringLiteral("e%1").arg(i), 1);
        server.answer(action, protocol::encodeValue(page));
    }
    void append(qint64 revision, qint64 index, qint64 offset, const QString &text)
    {
        TopicEvent event;
        event.topic = feed.topic();
        event.generation = QStringLiteral("g1");
        event.revision = revision;
        event.cause.kind = QStringLiteral("agent");
        event.appends << TextAppend{index, offset, text};
        server.event(event);
    }
};

} // namespace

class SessionFeedTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lastPageFirstThenOlder()
    {
        SessionRig rig;
        rig.load(400, 500, 9);
        QVERIFY(rig.feed.isCurrent());
        QCOMPARE(rig.rows.size(), 100);
        QVERIFY(rig.feed.hasOlder());
        rig.feed.loadOlder();
        rig.feed.loadOlder(); // one at a time
        QCOMPARE(rig.server.waiting(QStringLiteral("getTranscript")), 1);
        const auto action = rig.question("getTranscript");
        QCOMPARE(*protocol::decodeArgs<GetTranscript>(action.args)->before, 400);
        rig.answerPage(action, 200, 400, 9);
        QCOMPARE(rig.pages.size(), 1);
        QCOMPARE(rig.pages.first().entries.size(), 200);
        QCOMPARE(rig.feed.firstHeld(), 200);
    }

    void textOnlyAtItsOffset()
    {
        SessionRig rig;
        rig.load(498, 500, 9);
        QCOMPARE(rig.rows.value(499), QStringLiteral("e499"));
        rig.append(10, 499, 4, QStringLiteral(" é"));
        rig.append(11, 499, 7, QStringLiteral("!"));
        QCOMPARE(rig.rows.value(499), QStringLiteral("e499 é!"));
        // Said again with more: only what is new is added.
        rig.append(12, 499, 7, QStringLiteral("!?"));
        QCOMPARE(rig.rows.value(499), QStringLiteral("e499 é!?"));
        rig.append(13, 499, 4, QStringLiteral(" é"));
        QCOMPARE(rig.rows.value(499), QStringLiteral("e499 é!?"));
    }

    void missingTextIsFetched()
    {
        SessionRig rig;
        rig.load(498, 500, 9);
        rig.append(10, 499, 40, QStringLiteral("later"));
        const auto action = rig.question("changesSince");
        const auto asked = protocol::decodeArgs<ChangesSince>(action.args);
        QCOMPARE(*asked->windowFrom, 498);
        ChangesPage page;
        page.generation = QStringLiteral("g1");
        page.revision = 10;
        page.upserts << entry(499, QStringLiteral("whole"), 10);
        rig.server.answer(action, protocol::encodeChangesPage(page));
        QCOMPARE(rig.rows.value(499), QStringLiteral("whole"));
        QVERIFY(rig.feed.isCurrent());
    }

    void historyLostStartsAnew()
    {
        SessionRig rig;
        rig.load(498, 500, 9);
        rig.server.socket()->drop();
        ChangesPage unknown;
        unknown.generation = QStringLiteral("g2");
        unknown.revision = 3;
        unknown.count = 1;
        rig.server.answer(rig.question("changesSince"), protocol::encodeChangesPage(unknown));
        TranscriptPage page;
        page.generation = QStringLiteral("g2");
        page.revision = 3;
        page.count = 1;
        page.entries << entry(0, QStringLiteral("new"), 3);
        rig.server.answer(rig.question("getTranscript"), protocol::encodeValue(page));
        QCOMPARE(rig.rows, (QMap<qint64, QString>{{0, QStringLiteral("new")}}));
        QVERIFY(!rig.feed.hasOlder());
    }
};

QTEST_GUILESS_MAIN(SessionFeedTest)
#include "tst_sessionfeed.moc"
