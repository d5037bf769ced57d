// Feeds that begin with what was held: painted at once, brought up to date by differences, written back.
#include "realtime/feeds/sessionfeed.h"
#include "tests/realtime/cachefixture.h"
#include "tests/support/loopback.h"

#include <QTemporaryDir>

using namespace foundry;
using namespace foundry::tests;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

// A disk that answers when it is told to.
class HeldCache final : public TopicCache {
public:
    explicit HeldCache(TopicCache &cache)
        : m_cache(cache)
    {
    }
    void load(const QString &topic, QObject *context, std::function<void(CachedTopic)> then) override
    {
        m_cache.load(topic, context, [this, then](const CachedTopic &cached) { answer([then, cached] { then(cached); }); });
    }
    void loadWindow(const QString &topic, std::optional<qint64> before, qint64 limit, QObject *context,
        std::function<void(CachedWindow)> then) override
    {
        m_cache.loadWindow(topic, before, limit, context,
            [this, then](const CachedWindow &cached) { answer([then, cached] { then(cached); }); });
    }
    void write(CacheWrite write) override { m_cache.write(std::move(write)); }

    bool held = false;
    QList<std::function<void()>> answers;
    void release()
    {
        held = false;
        for (const auto &one : std::exchange(answers, {}))
            one();
    }

private:
    void answer(const std::function<void()> &one)
    {
        if (held)
            answers << one;
        else
            one();
    }
    TopicCache &m_cache;
};

struct Link {
    LoopbackResolver resolver;
    LoopbackServer server;
    ActorConnection connection{organization(), resolver, server.factory(), times()};
    Subscriptions subscriptions{connection, 30ms};

    static ConnectionTimes times()
    {
        ConnectionTimes times;
        times.firstRetry = 1ms;
        times.lastRetry = 5ms;
        times.steady = 0ms;
        return times;
    }
    void connectHost() { connection.setEndpoint(Endpoint::parse(QStringLiteral("http://127.0.0.1:1")).value()); }
    LoopbackServer::Action question(const char *name = "changesSince")
    {
        LoopbackServer::Action action;
        for (int i = 0; i < 1000 && !server.take(QString::fromLatin1(name), &action); ++i)
            QTest::qWait(2);
        return action;
    }
    static ChangesSince asked(const LoopbackServer::Action &action) { return *protocol::decodeArgs<ChangesSince>(action.args); }
    void answer(const LoopbackServer::Action &action, const ChangesPage &page) { server.answer(action, protocol::encodeChangesPage(page)); }
};

// One run of the workbench over a cache that stays.
struct Run : Link {
    HostCache cache;
    HeldCache held{cache.topics(organization())};
    TopicFeed feed{subscriptions, nullptr, topicName};
    QMap<QString, QString> rows;
    int replaced = 0;
    int applied = 0;
    int loaded = 0;
    qsizetype upserts = 0;

    explicit Run(const QString &path)
        : cache(at(path))
    {
        feed.setCache(&held);
        QObject::connect(&feed, &TopicFeed::replaced, &feed, [this](const ChangesPage &page) {
            ++replaced;
            rows.clear();
            put(page.upserts);
        });
        QObject::connect(&feed, &TopicFeed::applied, &feed, [this](const TopicEvent &event) {
            ++applied;
            upserts += event.upserts.size();
            for (const Removal &removal : event.removals)
                rows.remove(removal.id);
            put(event.upserts);
        });
        QObject::connect(&feed, &TopicFeed::loaded, &feed, [this] { ++loaded; });
    }
    void put(const QList<Entity> &entities)
    {
        for (const Entity &entity : entities) {
            const auto &one = std::get<TaskSummary>(entity);
            rows.insert(one.id.value, one.title);
        }
    }
    void event(qint64 revision, const QList<Entity> &changed, const QList<Removal> &removals = {})
    {
        TopicEvent made;
        made.topic = topicName;
        made.generation = s("g1");
        made.revision = revision;
        made.upserts = changed;
        made.removals = removals;
        server.event(made);
    }
};

ChangesPage page(qint64 revision, bool full, const QList<Entity> &upserts, const QString &generation = QStringLiteral("g1"))
{
    ChangesPage made;
    made.generation = generation;
    made.revision = revision;
    made.full = full;
    made.upserts = upserts;
    return made;
}

using Rows = QMap<QString, QString>;

} // namespace

class CachedFeedTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_files = 0;

    // t1 and t2 at revision 6, delivered and written by a run that is over.
    QString delivered()
    {
        QString path = m_dir.filePath(QStringLiteral("c%1/x.cache").arg(++m_files));
        Run run(path);
        run.connectHost();
        run.feed.view();
        run.answer(run.question(), page(5, true, {task(s("t1"), s("one"), 2), task(s("t2"), s("two"), 5)}));
        run.event(6, {task(s("t1"), s("one!"), 6)});
        return path;
    }

private Q_SLOTS:
    void nothingHeldIsAsWithoutACache()
    {
        Run run(m_dir.filePath(QStringLiteral("none/x.cache")));
        run.feed.view();
        QTest::qWait(30);
        QCOMPARE(run.loaded, 0); // not known is not empty
        QCOMPARE(run.feed.asOf(), 0);
        run.connectHost();
        const auto action = run.question();
        QVERIFY(Link::asked(action).generation.isEmpty());
        run.answer(action, page(1, true, {}));
        QTRY_VERIFY(run.feed.isCurrent());
        QCOMPARE(run.loaded, 1);
        QCOMPARE(run.feed.fetches(FetchReason::Bootstrap), 1);
    }

    void startsOfflineThenCatchesUpByDifference()
    {
        const QString path = delivered();
        Run run(path);
        run.feed.view();
        QTRY_COMPARE(run.loaded, 1);
        QCOMPARE(run.rows, Rows({{s("t1"), s("one!")}, {s("t2"), s("two")}}));
        QVERIFY(!run.feed.isCurrent());
        QVERIFY(run.feed.asOf() > 1700000000000);
        QCOMPARE(run.server.opened, 0);

        run.connectHost();
        const auto action = run.question();
        QCOMPARE(Link::asked(action).generation, s("g1"));
        QCOMPARE(Link::asked(action).revision, 6);
        ChangesPage newer = page(9, false, {task(s("t3"), s("three"), 8)});
        newer.removals << Removal{s("TaskSummary"), s("t2")}; // gone meanwhile
        run.event(10, {task(s("t1"), s("ten"), 10)});
        run.answer(action, newer);
        QTRY_VERIFY(run.feed.isCurrent());
        QCOMPARE(run.rows, Rows({{s("t1"), s("ten")}, {s("t3"), s("three")}}));
        QCOMPARE(run.replaced, 1);
        QCOMPARE(run.loaded, 1);
        QCOMPARE(run.applied, 2);
        QCOMPARE(run.feed.fetches(FetchReason::Bootstrap), 1);
        QCOMPARE(run.feed.fetches(FetchReason::Reconnect), 0);
        const CachedTopic now = load(run.cache);
        QCOMPARE(now.position.revision, 10);
        QCOMPARE(titles(now.rows), QStringList({s("ten"), s("three")}));

        run.server.socket()->drop();
        run.question();
        QCOMPARE(run.feed.fetches(FetchReason::Reconnect), 1);
    }

    void aWholeAnswerBecomesTheDifferences()
    {
        const QString path = delivered();
        Run run(path);
        run.connectHost();
        run.feed.view();
        run.answer(run.question(), page(9, true, {task(s("t1"), s("one!"), 6), task(s("t3"), s("three"), 9)}));
        QTRY_VERIFY(run.feed.isCurrent());
        QCOMPARE(run.rows, Rows({{s("t1"), s("one!")}, {s("t3"), s("three")}}));
        QCOMPARE(run.replaced, 1); // the cached ones
        QCOMPARE(run.upserts, 1);  // what is equal is not said again
    }

    void generationChanged()
    {
        const QString path = delivered();
        {
            Run run(path);
            run.connectHost();
            run.feed.view();
            run.answer(run.question(), page(2, true, {task(s("t1"), s("anew"), 1), task(s("t4"), s("four"), 2)}, s("g2")));
            QTRY_VERIFY(run.feed.isCurrent());
            QCOMPARE(run.rows, Rows({{s("t1"), s("anew")}, {s("t4"), s("four")}}));
            QCOMPARE(run.replaced, 1);
        }
        Run next(path);
        next.feed.view();
        QTRY_COMPARE(next.rows, Rows({{s("t1"), s("anew")}, {s("t4"), s("four")}}));
        QCOMPARE(next.feed.position(), (TopicRevision{s("g2"), 2}));
    }

    void theNetworkIsFaster()
    {
        Run run(delivered());
        run.held.held = true;
        run.connectHost();
        run.feed.view();
        const auto action = run.question(); // the disk had its moment
        QVERIFY(Link::asked(action).generation.isEmpty());
        run.answer(action, page(20, true, {task(s("t1"), s("twenty"), 20)}));
        QTRY_VERIFY(run.feed.isCurrent());
        run.held.release();
        QCOMPARE(run.rows, Rows({{s("t1"), s("twenty")}})); // never older over newer
        QCOMPARE(run.replaced, 1);
        QCOMPARE(load(run.cache).position.revision, 20);
        QCOMPARE(run.feed.fetches(FetchReason::Bootstrap), 1);
    }

    void theCacheAnswersWhileTheSnapshotIsOnItsWay()
    {
        Run run(delivered());
        run.held.held = true;
        run.connectHost();
        run.feed.view();
        const auto action = run.question();
        run.held.release();
        QCOMPARE(run.rows.value(s("t2")), s("two"));
        run.answer(action, page(20, true, {task(s("t1"), s("twenty"), 20)}));
        QTRY_VERIFY(run.feed.isCurrent());
        QCOMPARE(run.rows, Rows({{s("t1"), s("twenty")}}));
        QCOMPARE(run.replaced, 1);
        QCOMPARE(run.server.waiting(s("changesSince")), 0);
        QCOMPARE(run.feed.fetches(FetchReason::Bootstrap), 1);
    }

    void eventsBeforeTheCacheAnswered()
    {
        Run run(delivered());
        run.held.held = true;
        run.connectHost();
        run.feed.view();
        QTRY_VERIFY(run.server.subscribed.contains(topicName));
        run.event(7, {task(s("t1"), s("seven"), 7)});
        run.event(8, {task(s("t2"), s("eight"), 8)});
        QCOMPARE(run.applied, 0);
        QTRY_VERIFY(!run.held.answers.isEmpty());
        run.held.release();
        const auto action = run.question();
        run.answer(action, page(7, false, {task(s("t1"), s("seven"), 7)}));
        QTRY_VERIFY(run.feed.isCurrent());
        QCOMPARE(run.rows, Rows({{s("t1"), s("seven")}, {s("t2"), s("eight")}}));
        QCOMPARE(load(run.cache).position.revision, 8);
    }

    void theRowsOfAnEventWhoseTextIsMissingAreAskedFor()
    {
        const QString path = m_dir.filePath(QStringLiteral("session-gap/x.cache"));
        HostCache cache(at(path));
        Link link;
        SessionFeed feed(link.subscriptions, nullptr, SessionId(s("s1")));
        feed.setCache(&cache.topics(taskOne()));
        link.connectHost();
        feed.view();
        TranscriptPage first;
        first.generation = s("g1");
        first.revision = 9;
        first.count = 1;
        first.entries << entry(0, s("abc"), 9);
        link.server.answer(link.question("getTranscript"), protocol::encodeValue(first));
        QTRY_VERIFY(feed.isCurrent());
        TopicEvent event;
        event.topic = sessionTopic;
        event.generation = s("g1");
        event.revision = 10;
        event.appends << TextAppend{0, 40, s("later")};
        link.server.event(event);
        const auto action = link.question();
        QCOMPARE(Link::asked(action).revision, 9);
        link.answer(action, page(10, false, {entry(0, s("whole"), 10)}));
        QTRY_VERIFY(feed.isCurrent());
        QCOMPARE(std::get<TranscriptEntry>(window(cache).rows.first()).text, s("whole"));
    }

    void aTranscriptIsReadWithoutAHost()
    {
        const QString path = m_dir.filePath(QStringLiteral("session/x.cache"));
        const auto transcript = [](qint64 from, qint64 end, qint64 revision) {
            TranscriptPage made;
            made.generation = s("g1");
            made.revision = revision;
            made.count = 500;
            for (const Entity &one : entries(from, end))
                made.entries << std::get<TranscriptEntry>(one);
            return made;
        };
        {
            HostCache cache(at(path));
            Link link;
            SessionFeed feed(link.subscriptions, nullptr, SessionId(s("s1")));
            feed.setCache(&cache.topics(taskOne()));
            link.connectHost();
            feed.view();
            link.server.answer(link.question("getTranscript"), protocol::encodeValue(transcript(400, 500, 9)));
            QTRY_VERIFY(feed.isCurrent());
            feed.loadOlder();
            link.server.answer(link.question("getTranscript"), protocol::encodeValue(transcript(200, 400, 9)));
            QTRY_COMPARE(feed.firstHeld(), 200);
        }
        HostCache cache(at(path));
        Link link;
        SessionFeed feed(link.subscriptions, nullptr, SessionId(s("s1")));
        QMap<qint64, QString> rows;
        int replaced = 0;
        Error older;
        const auto put = [&rows](const QList<Entity> &entities) {
            for (const Entity &one : entities)
                rows[std::get<TranscriptEntry>(one).index] = std::get<TranscriptEntry>(one).text;
        };
        connect(&feed, &TopicFeed::replaced, this, [&](const ChangesPage &all) { ++replaced, put(all.upserts); });
        connect(&feed, &TopicFeed::applied, this, [&](const TopicEvent &event) { put(event.upserts); });
        connect(&feed, &SessionFeed::pageLoaded, this, [&](const TranscriptPage &read) {
            for (const TranscriptEntry &one : read.entries)
                rows[one.index] = one.text;
        });
        connect(&feed, &SessionFeed::olderFailed, this, [&older](const Error &error) { older = error; });
        feed.setCache(&cache.topics(taskOne()));
        feed.view();
        QTRY_COMPARE(rows.size(), 100);
        QCOMPARE(feed.firstHeld(), 400);

        // The host is there: what is held below the window counts as held.
        link.connectHost();
        const auto action = link.question();
        QCOMPARE(*Link::asked(action).windowFrom, 200);
        QCOMPARE(Link::asked(action).revision, 9);
        link.answer(action, page(12, false, {entry(250, s("changed"), 10), entry(450, s("shown"), 11), entry(500, s("new"), 12)}));
        QTRY_VERIFY(feed.isCurrent());
        QCOMPARE(rows.size(), 101);
        QCOMPARE(rows.value(450), s("shown"));
        QCOMPARE(feed.firstHeld(), 400);

        // And gone: what was held is read, with what changed of it meanwhile.
        link.connection.setEndpoint(std::nullopt);
        QTRY_VERIFY(!feed.isCurrent());
        feed.loadOlder();
        QTRY_COMPARE(feed.firstHeld(), 200);
        QCOMPARE(rows.value(250), s("changed"));
        QCOMPARE(rows.size(), 301);
        QCOMPARE(replaced, 1);
        feed.loadOlder();
        QTRY_COMPARE(older.group, s("client")); // nobody here has it
        QCOMPARE(feed.firstHeld(), 200);
    }

    void anotherTranscriptUnderTheSameName()
    {
        const QString path = m_dir.filePath(QStringLiteral("session-anew/x.cache"));
        HostCache cache(at(path));
        cache.topics(taskOne()).write(ofSession(whole(9, entries(0, 20))));
        Link link;
        SessionFeed feed(link.subscriptions, nullptr, SessionId(s("s1")));
        feed.setCache(&cache.topics(taskOne()));
        link.connectHost();
        feed.view();
        ChangesPage unknown = page(3, false, {}, s("g2"));
        unknown.count = 1;
        link.answer(link.question(), unknown);
        TranscriptPage anew;
        anew.generation = s("g2");
        anew.revision = 3;
        anew.count = 1;
        anew.entries << entry(0, s("new"), 3);
        link.server.answer(link.question("getTranscript"), protocol::encodeValue(anew));
        QTRY_VERIFY(feed.isCurrent());
        const CachedWindow now = window(cache);
        QCOMPARE(now.rows.size(), 1);
        QCOMPARE(now.position, (TopicRevision{s("g2"), 3}));
        QCOMPARE(feed.fetches(FetchReason::Gap), 0);
        QCOMPARE(feed.fetches(FetchReason::Bootstrap), 2); // asked what is newer, and then for all
    }
};

QTEST_GUILESS_MAIN(CachedFeedTest)
#include "tst_cachedfeed.moc"
