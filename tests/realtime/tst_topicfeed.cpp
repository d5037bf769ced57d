// The races between snapshot and stream, each by its name, against a scripted actor.
#include "realtime/feeds/topicfeed.h"
#include "tests/support/loopback.h"

#include <QSignalSpy>
#include <QTest>

using namespace foundry;
using namespace foundry::realtime;
using namespace foundry::tests;

namespace {

QString topicName()
{
    return QStringLiteral("organization");
}

Repository repository(const QString &id, const QString &name, qint64 rev)
{
    Repository repo;
    repo.id = RepoId(id);
    repo.name = name;
    repo.origin = QStringLiteral("/o");
    repo.rev = rev;
    return repo;
}

TopicEvent change(qint64 revision, const QList<Entity> &upserts, const QList<Removal> &removals = {},
    const QString &generation = QStringLiteral("g1"))
{
    TopicEvent event;
    event.topic = topicName();
    event.generation = generation;
    event.revision = revision;
    event.at = 1;
    event.cause.kind = QStringLiteral("command");
    event.upserts = upserts;
    event.removals = removals;
    return event;
}

ChangesPage page(qint64 revision, bool full, const QList<Entity> &upserts, const QString &generation = QStringLiteral("g1"))
{
    ChangesPage made;
    made.generation = generation;
    made.revision = revision;
    made.full = full;
    made.upserts = upserts;
    return made;
}

// What a model would show, by the same door.
struct Shown {
    explicit Shown(TopicFeed &feed)
    {
        QObject::connect(&feed, &TopicFeed::replaced, &feed, [this](const ChangesPage &snapshot) {
            ++replacedCount;
            rows.clear();
            for (const Entity &entity : snapshot.upserts)
                put(entity);
        });
        QObject::connect(&feed, &TopicFeed::applied, &feed, [this](const TopicEvent &event) {
            ++appliedCount;
            for (const Removal &removal : event.removals)
                rows.remove(removal.id);
            for (const Entity &entity : event.upserts)
                put(entity);
            largest = std::max(largest, event.upserts.size());
        });
        QObject::connect(&feed, &TopicFeed::loaded, &feed, [this] { ++loadedCount; });
    }
    void put(const Entity &entity)
    {
        const auto &repo = std::get<Repository>(entity);
        rows.insert(repo.id.value, repo.name);
    }

    QMap<QString, QString> rows;
    int replacedCount = 0;
    int appliedCount = 0;
    int loadedCount = 0;
    qsizetype largest = 0;
};

using Rows = QMap<QString, QString>;

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

struct FeedRig {
    LoopbackResolver resolver;
    LoopbackServer server;
    ActorConnection connection{appActor(), resolver, server.factory(), times()};
    Subscriptions subscriptions{connection, 30ms};
    Heartbeat heartbeat{subscriptions, 1h};
    TopicFeed feed{subscriptions, &heartbeat, topicName()};
    Shown shown{feed};

    static ConnectionTimes times()
    {
        ConnectionTimes times;
        times.firstRetry = 1ms;
        times.lastRetry = 5ms;
        times.steady = 0ms;
        return times;
    }
    FeedRig()
    {
        connection.setEndpoint(Endpoint::parse(QStringLiteral("http://127.0.0.1:1")).value());
        feed.view();
    }
    LoopbackServer::Action question()
    {
        LoopbackServer::Action action;
        for (int i = 0; i < 500 && !server.take(QStringLiteral("changesSince"), &action); ++i)
            QTest::qWait(2);
        return action;
    }
    ChangesSince asked(const LoopbackServer::Action &action) { return *protocol::decodeArgs<ChangesSince>(action.args); }
    void answer(const LoopbackServer::Action &action, const ChangesPage &page) { server.answer(action, protocol::encodeChangesPage(page)); }
    void load()
    {
        answer(question(), page(1, true, {repository(s("a"), s("A"), 1)}));
        QTRY_VERIFY(feed.isCurrent());
    }
};

} // namespace

class TopicFeedTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void subscribesBeforeItAsks()
    {
        FeedRig rig;
        const auto action = rig.question();
        QVERIFY(action.socket);
        QVERIFY(action.socket->sent.at(0).contains("Subscription"));
        QVERIFY(action.socket->sent.at(1).contains("changesSince"));
        QVERIFY(rig.asked(action).generation.isEmpty());
        QVERIFY(!rig.feed.isLoaded());
        rig.answer(action, page(3, true, {}));
        QVERIFY(rig.feed.isLoaded());
        QCOMPARE(rig.shown.loadedCount, 1);
        QCOMPARE(rig.shown.replacedCount, 1); // empty and loaded, not "not ready"
        QCOMPARE(rig.feed.fetches(FetchReason::Bootstrap), 1);
    }

    void eventBeforeSnapshot()
    {
        FeedRig rig;
        const auto action = rig.question();
        rig.server.event(change(6, {repository(s("b"), s("B6"), 6)}));
        rig.server.event(change(7, {repository(s("a"), s("A7"), 7)}));
        QCOMPARE(rig.shown.appliedCount, 0); // buffered
        rig.answer(action, page(5, true, {repository(s("a"), s("A5"), 5)}));
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A7")}, {s("b"), s("B6")}}));
        QCOMPARE(rig.feed.position().revision, 7);
        QCOMPARE(rig.feed.fetches(FetchReason::Gap), 0);
    }

    void eventsPartOfTheSnapshot()
    {
        FeedRig rig;
        const auto action = rig.question();
        rig.server.event(change(4, {repository(s("a"), s("A4"), 4)}));
        rig.server.event(change(5, {}, {{s("Repository"), s("b")}}));
        rig.answer(action, page(5, true, {repository(s("a"), s("A4"), 4)}));
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A4")}}));
        QCOMPARE(rig.shown.appliedCount, 0);
    }

    void snapshotOlderThanEvent()
    {
        // Pages: the second was read later than the first says, and holds a row newer than the event behind it.
        FeedRig rig;
        auto first = page(5, true, {repository(s("a"), s("A5"), 5)});
        first.cursor = s("2");
        const auto action = rig.question();
        rig.server.event(change(6, {repository(s("b"), s("B6"), 6)}));
        rig.answer(action, first);
        const auto next = rig.question();
        QCOMPARE(*rig.asked(next).cursor, s("2"));
        rig.server.event(change(7, {repository(s("b"), s("B7"), 7)}));
        rig.answer(next, page(7, true, {repository(s("b"), s("B7"), 7)}));
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A5")}, {s("b"), s("B7")}}));
        QCOMPARE(rig.feed.position().revision, 7);
    }

    void gapAsksOnce()
    {
        FeedRig rig;
        rig.load();
        rig.server.event(change(4, {repository(s("d"), s("D"), 4)}));
        rig.server.event(change(6, {repository(s("f"), s("F"), 6)}));
        QCOMPARE(rig.server.waiting(s("changesSince")), 1);
        const auto action = rig.question();
        QCOMPARE(rig.asked(action).revision, 1);
        QCOMPARE(rig.asked(action).generation, s("g1"));
        rig.answer(action, page(6, false, {repository(s("b"), s("B"), 2), repository(s("d"), s("D"), 4), repository(s("f"), s("F"), 6)}));
        QCOMPARE(rig.shown.rows.size(), 4);
        QCOMPARE(rig.feed.fetches(FetchReason::Gap), 1);
        QVERIFY(rig.feed.isCurrent());
        rig.server.event(change(7, {}, {{s("Repository"), s("a")}}));
        QCOMPARE(rig.shown.rows.size(), 3);
        QCOMPARE(rig.server.waiting(s("changesSince")), 0);
    }

    void doubledEventChangesNothing()
    {
        FeedRig rig;
        rig.load();
        rig.server.event(change(2, {repository(s("b"), s("B"), 2)}));
        rig.server.event(change(3, {repository(s("b"), s("C"), 3)}));
        const int applied = rig.shown.appliedCount;
        rig.server.event(change(2, {repository(s("b"), s("B"), 2)}));
        QCOMPARE(rig.shown.appliedCount, applied);
        QCOMPARE(rig.shown.rows.value(s("b")), s("C"));
        QCOMPARE(rig.server.waiting(s("changesSince")), 0);
    }

    void generationChanged()
    {
        FeedRig rig;
        rig.load();
        rig.server.event(change(1, {repository(s("n"), s("N"), 1)}, {}, s("g2")));
        const auto action = rig.question();
        rig.answer(action, page(1, true, {repository(s("n"), s("N"), 1)}, s("g2")));
        QCOMPARE(rig.shown.rows, Rows({{s("n"), s("N")}})); // "a" is not named by it: gone
        QCOMPARE(rig.feed.position(), (TopicRevision{s("g2"), 1}));
        // What still comes of the old one is dropped, and asks for nothing.
        rig.server.event(change(2, {repository(s("o"), s("O"), 2)}, {}, s("g1")));
        QCOMPARE(rig.shown.rows.size(), 1);
        QCOMPARE(rig.server.waiting(s("changesSince")), 0);
        rig.server.event(change(2, {repository(s("p"), s("P"), 2)}, {}, s("g2")));
        QCOMPARE(rig.shown.rows.size(), 2);
    }

    void reconnectCatchesUpOnce()
    {
        FeedRig rig;
        rig.load();
        rig.server.socket()->drop();
        QVERIFY(!rig.feed.isCurrent());
        const auto action = rig.question();
        QCOMPARE(rig.asked(action).revision, 1);
        QCOMPARE(rig.asked(action).generation, s("g1"));
        auto caughtUp = page(9, false, {repository(s("b"), s("B9"), 9)});
        caughtUp.removals << Removal{s("Repository"), s("a")};
        rig.answer(action, caughtUp);
        QCOMPARE(rig.shown.rows, Rows({{s("b"), s("B9")}}));
        QCOMPARE(rig.feed.fetches(FetchReason::Reconnect), 1);
        QCOMPARE(rig.server.waiting(s("changesSince")), 0);
    }

    void reconnectDuringCatchUp()
    {
        FeedRig rig;
        rig.load();
        rig.server.socket()->drop();
        auto half = page(9, false, {repository(s("x"), s("half"), 9)});
        half.cursor = s("more");
        const auto first = rig.question();
        rig.answer(first, half);
        const auto second = rig.question();
        QVERIFY(rig.asked(second).cursor);
        rig.server.event(change(10, {repository(s("y"), s("Y10"), 10)}));
        rig.server.socket()->drop();
        // From the beginning: what came of the broken catch-up is not applied by halves.
        const auto again = rig.question();
        QVERIFY(!rig.asked(again).cursor);
        QCOMPARE(rig.asked(again).revision, 1);
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A")}}));
        rig.answer(again, page(11, false, {repository(s("x"), s("X"), 9), repository(s("y"), s("Y11"), 11)}));
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A")}, {s("x"), s("X")}, {s("y"), s("Y11")}}));
    }

    void bootstrapFailsAndIsTriedAgain()
    {
        FeedRig rig;
        QSignalSpy failed(&rig.feed, &TopicFeed::failed);
        rig.server.refuse(rig.question(), makeError(QLatin1StringView("internal"), QLatin1StringView("failed"), s("disk")));
        QCOMPARE(failed.count(), 1);
        QVERIFY(!rig.feed.isLoaded());
        rig.answer(rig.question(), page(1, true, {}));
        QVERIFY(rig.feed.isLoaded());
    }

    void ownerDeletedMeanwhile()
    {
        FeedRig rig;
        rig.load();
        QSignalSpy failed(&rig.feed, &TopicFeed::failed);
        rig.resolver.nextError = makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"), s("deleted"));
        rig.server.socket()->drop(s("actor.not_found"), 1011);
        QTRY_COMPARE(failed.count(), 1);
        QCOMPARE(failed.first().first().value<Error>().key(), s("actor.not_found"));
        QVERIFY(!rig.feed.isCurrent());
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A")}})); // what was delivered stays readable
    }

    void feedGoneBeforeTheAnswer()
    {
        LoopbackResolver resolver;
        LoopbackServer server;
        ActorConnection connection(appActor(), resolver, server.factory());
        Subscriptions subscriptions(connection, 1ms);
        connection.setEndpoint(Endpoint::parse(QStringLiteral("http://127.0.0.1:1")).value());
        auto feed = std::make_unique<TopicFeed>(subscriptions, nullptr, topicName());
        feed->view();
        LoopbackServer::Action action;
        QTRY_COMPARE(server.waiting(s("changesSince")), 1);
        QVERIFY(server.take(s("changesSince"), &action));
        feed.reset();
        server.answer(action, protocol::encodeChangesPage(page(1, true, {})));
        QTRY_COMPARE(connection.state(), ConnectionState::Idle);
    }

    void heartbeatFindsALostFrame()
    {
        FeedRig rig;
        rig.load();
        QMap<QString, TopicRevision> host{{topicName(), {s("g1"), 1}}};
        Q_EMIT rig.heartbeat.revisionsRead(host);
        QCOMPARE(rig.server.waiting(s("changesSince")), 0);
        host[topicName()].revision = 2;
        Q_EMIT rig.heartbeat.revisionsRead(host);
        rig.answer(rig.question(), page(2, false, {repository(s("b"), s("B"), 2)}));
        QCOMPARE(rig.shown.rows.size(), 2);
        QCOMPARE(rig.feed.fetches(FetchReason::Gap), 1);
    }

    void viewedAgainWithinGraceAsksNothing()
    {
        FeedRig rig;
        rig.load();
        rig.feed.leave();
        rig.feed.view();
        QTest::qWait(60);
        QCOMPARE(rig.server.waiting(s("changesSince")), 0);
        rig.feed.leave();
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Idle);
        rig.feed.view();
        const auto action = rig.question();
        QCOMPARE(rig.asked(action).revision, 1); // only what is newer than what it has
        rig.answer(action, page(1, false, {}));
        QVERIFY(rig.feed.isCurrent());
        QCOMPARE(rig.shown.replacedCount, 1);
    }

    void forgottenIsLoadedAnew()
    {
        FeedRig rig;
        rig.load();
        rig.feed.publishLocal({repository(s("p"), s("P"), 0)});
        rig.feed.leave();
        rig.feed.forget(); // within the grace: the topic is still subscribed
        QCOMPARE(rig.feed.placeholders().size(), 1);
        rig.feed.view();
        const auto action = rig.question();
        QVERIFY(rig.asked(action).generation.isEmpty());
        rig.answer(action, page(5, true, {repository(s("b"), s("B"), 5)}));
        QCOMPARE(rig.shown.rows, Rows({{s("b"), s("B")}, {s("p"), s("P")}}));
        QCOMPARE(rig.shown.replacedCount, 2);
    }

    void placeholderIsReplacedInPlace()
    {
        FeedRig rig;
        rig.feed.publishLocal({repository(s("p"), s("placeholder"), 0)});
        QCOMPARE(rig.shown.rows, Rows({{s("p"), s("placeholder")}})); // at once, before any link
        rig.answer(rig.question(), page(1, true, {repository(s("a"), s("A"), 1)}));
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A")}, {s("p"), s("placeholder")}}));
        rig.server.event(change(2, {repository(s("p"), s("P"), 2)}));
        QCOMPARE(rig.shown.rows.value(s("p")), s("P"));
        // The answer of the command says the same row again, later: silence.
        const int applied = rig.shown.appliedCount;
        rig.feed.adopt({repository(s("p"), s("P"), 2)});
        rig.feed.withdraw(s("Repository"), s("p"));
        QCOMPARE(rig.shown.appliedCount, applied);
        QVERIFY(rig.shown.rows.contains(s("p")));
    }

    void placeholderIsTakenBack()
    {
        FeedRig rig;
        rig.load();
        rig.feed.publishLocal({repository(s("p"), s("placeholder"), 0)});
        rig.feed.withdraw(s("Repository"), s("p"));
        QCOMPARE(rig.shown.rows, Rows({{s("a"), s("A")}}));
    }

    void answerBeforeEvent()
    {
        FeedRig rig;
        rig.load();
        rig.feed.adopt({repository(s("b"), s("B2"), 2)});
        QCOMPARE(rig.shown.rows.value(s("b")), s("B2"));
        rig.server.event(change(2, {repository(s("b"), s("B2"), 2)}));
        rig.server.event(change(3, {repository(s("b"), s("B3"), 3)}));
        QCOMPARE(rig.shown.rows.value(s("b")), s("B3"));
        QCOMPARE(rig.feed.fetches(FetchReason::Gap), 0);
    }

    void largeSnapshotIsDecodedAsideAndSliced()
    {
        FeedRig rig;
        QList<Entity> many;
        for (int i = 0; i < 3000; ++i)
            many << repository(s("r") + QString::number(i), QString(100, QLatin1Char('n')), 1);
        const auto action = rig.question();
        rig.answer(action, page(1, true, many));
        QVERIFY(!rig.feed.isLoaded()); // on a worker
        rig.server.event(change(2, {repository(s("late"), s("L"), 2)}));
        QTRY_COMPARE(rig.shown.loadedCount, 1);
        QTRY_COMPARE(rig.shown.rows.size(), 3001);
        QVERIFY(rig.shown.largest <= 100);
        QCOMPARE(rig.shown.replacedCount, 1);
    }

    void largeEventKeepsItsPlace()
    {
        FeedRig rig;
        rig.load();
        QList<Entity> many;
        for (int i = 0; i < 800; ++i)
            many << repository(s("r") + QString::number(i), QString(100, QLatin1Char('n')), 2);
        rig.server.event(change(2, many));
        rig.server.event(change(3, {repository(s("r1"), s("newer"), 3)}));
        QTRY_COMPARE(rig.feed.position().revision, 3);
        QTRY_COMPARE(rig.shown.rows.value(s("r1")), s("newer"));
        QCOMPARE(rig.feed.fetches(FetchReason::Gap), 0);
    }
};

QTEST_GUILESS_MAIN(TopicFeedTest)
#include "tst_topicfeed.moc"
