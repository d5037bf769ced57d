// The cache: what is written comes back, as far as it was told, and never older over newer.
#include "realtime/protocol/codec.h"
#include "tests/realtime/cachefixture.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <algorithm>

using namespace foundry;
using namespace foundry::tests;

class HostCacheTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_files = 0;
    QString fresh() { return m_dir.filePath(QStringLiteral("c%1/x.cache").arg(++m_files)); }

private Q_SLOTS:
    void nothingKnownIsNotEmpty()
    {
        const QString path = fresh();
        HostCache cache(at(path));
        QVERIFY(!load(cache).known);
        cache.topics(organization()).write(whole(3, {}));
        const CachedTopic empty = load(cache);
        QVERIFY(empty.known);
        QVERIFY(empty.rows.isEmpty());
        QCOMPARE(empty.position, (TopicRevision{QStringLiteral("g1"), 3}));
        QCOMPARE(empty.asOf, 1003);
        QVERIFY(!window(cache).known);
        for (const char *part : {"", "-wal", "-shm"}) {
            const QFileDevice::Permissions is = QFile::permissions(path + QLatin1StringView(part));
            QVERIFY2(!(is & (QFileDevice::ReadGroup | QFileDevice::ReadOther | QFileDevice::WriteGroup | QFileDevice::WriteOther)), part);
        }
    }

    void rowsAndPositionComeBack()
    {
        const QString path = fresh();
        {
            HostCache cache(at(path));
            TopicCache &topics = cache.topics(organization());
            topics.write(whole(5, {task(QStringLiteral("t1"), QStringLiteral("one"), 2), task(QStringLiteral("t2"), QStringLiteral("two"), 5)}));
            topics.write(changes(5, 6, {task(QStringLiteral("t1"), QStringLiteral("one!"), 6)}));
            topics.write(changes(6, 7, {task(QStringLiteral("t3"), QStringLiteral("three"), 7)}, {{QStringLiteral("TaskSummary"), QStringLiteral("t2")}}));
        } // its end writes
        HostCache cache(at(path));
        const CachedTopic found = load(cache);
        QCOMPARE(titles(found.rows), (QStringList{QStringLiteral("one!"), QStringLiteral("three")}));
        QCOMPARE(found.position.revision, 7);
        const auto first = std::find_if(found.rows.cbegin(), found.rows.cend(),
            [](const Entity &row) { return std::get<TaskSummary>(row).id.value == QLatin1StringView("t1"); });
        QCOMPARE(protocol::entityMeta(*first).rev, 6);
        QCOMPARE(protocol::encodeEntity(*first), protocol::encodeEntity(Entity(task(QStringLiteral("t1"), QStringLiteral("one!"), 6))));
    }

    void neverOlderOverNewerAndNeverOverAGap()
    {
        HostCache cache(at(fresh()));
        TopicCache &topics = cache.topics(organization());
        topics.write(whole(5, {task(QStringLiteral("t1"), QStringLiteral("five"), 5)}));
        topics.write(whole(4, {task(QStringLiteral("t1"), QStringLiteral("four"), 4)}));
        topics.write(changes(5, 6, {task(QStringLiteral("t1"), QStringLiteral("old"), 3)}));
        QCOMPARE(titles(load(cache).rows), QStringList{QStringLiteral("five")});
        // 7 was never written: 8 does not follow what is here.
        topics.write(changes(7, 8, {task(QStringLiteral("t2"), QStringLiteral("eight"), 8)}));
        QCOMPARE(load(cache).position.revision, 6);
        QCOMPARE(titles(load(cache).rows), QStringList{QStringLiteral("five")});
        // Of a generation that is not here; then its snapshot.
        CacheWrite other = changes(6, 7, {task(QStringLiteral("t3"), QStringLiteral("other"), 7)});
        other.generation = QStringLiteral("g2");
        topics.write(other);
        QCOMPARE(load(cache).position.generation, QStringLiteral("g1"));
        topics.write(whole(2, {task(QStringLiteral("t4"), QStringLiteral("anew"), 1)}, QStringLiteral("g2")));
        QCOMPARE(titles(load(cache).rows), QStringList{QStringLiteral("anew")});
        QCOMPARE(load(cache).position, (TopicRevision{QStringLiteral("g2"), 2}));
    }

    void aSnapshotRemovesWhatItDoesNotName()
    {
        HostCache cache(at(fresh()));
        TopicCache &topics = cache.topics(organization());
        topics.write(whole(5, {task(QStringLiteral("t1"), QStringLiteral("one"), 2), task(QStringLiteral("t2"), QStringLiteral("two"), 5)}));
        topics.write(whole(9, {task(QStringLiteral("t2"), QStringLiteral("two"), 5)}));
        QCOMPARE(titles(load(cache).rows), QStringList{QStringLiteral("two")});
    }

    void rowsOfUnknownTypesAreAskedForAgain()
    {
        HostCache cache(at(fresh()));
        TopicCache &topics = cache.topics(organization());
        topics.write(whole(5, {task(QStringLiteral("t1"), QStringLiteral("one"), 2), UnknownEntity{QStringLiteral("Novel"), QStringLiteral("x")}}));
        const CachedTopic found = load(cache);
        QVERIFY(found.known);
        QCOMPARE(found.rows.size(), 1);
        QVERIFY(found.position.generation.isEmpty());
    }

    void transcriptsAreWindows()
    {
        HostCache cache(at(fresh()));
        TopicCache &topics = cache.topics(taskOne());
        topics.write(ofSession(whole(9, entries(400, 500))));
        CacheWrite page = ofSession(whole(9, entries(200, 400)));
        page.kind = CacheWrite::Kind::Page;
        topics.write(page);
        topics.write(ofSession(changes(9, 10, {entry(500, QStringLiteral("newest"), 10)})));
        CachedWindow last = window(cache);
        QCOMPARE(last.rows.size(), 100);
        QCOMPARE(std::get<TranscriptEntry>(last.rows.last()).index, 500);
        QCOMPARE(last.heldFrom, 200);
        QVERIFY(last.fresh);
        QCOMPARE(last.position.revision, 10);
        QCOMPARE(std::get<TranscriptEntry>(window(cache, 300, 50).rows.first()).index, 250);
        QVERIFY(window(cache, 200).rows.isEmpty()); // known, and 199 is not held
        QVERIFY(window(cache, 200).known);
        QVERIFY(window(cache, 700).rows.isEmpty());

        // Much later, past a hole: what is older can be read, and is known to be from before.
        topics.write(ofSession(whole(50, entries(900, 1000, 50))));
        last = window(cache);
        QCOMPARE(last.heldFrom, 900);
        const CachedWindow old = window(cache, 501);
        QCOMPARE(old.rows.size(), 100);
        QVERIFY(!old.fresh);
        // Another generation: what was said there is not this transcript.
        topics.write(ofSession(whole(2, entries(0, 3), QStringLiteral("g2"))));
        QCOMPARE(window(cache).rows.size(), 3);
        QVERIFY(window(cache, 501).rows.isEmpty());
    }

    void textGrowsAtItsOffset()
    {
        const QString path = fresh();
        {
            HostCache cache(at(path));
            TopicCache &topics = cache.topics(taskOne());
            topics.write(ofSession(whole(1, {entry(0, QStringLiteral("é"), 1), entry(1, QStringLiteral("b"), 1)})));
            const auto append = [&topics](qint64 revision, qint64 index, qint64 offset, const QString &text) {
                CacheWrite write = ofSession(changes(revision - 1, revision, {}));
                write.appends << TextAppend{index, offset, text};
                topics.write(write);
            };
            append(2, 0, 2, QStringLiteral("clair"));
            append(3, 0, 7, QStringLiteral("!"));
            append(4, 0, 7, QStringLiteral("!?")); // said again, with more
            QCOMPARE(std::get<TranscriptEntry>(window(cache).rows.first()).text, QStringLiteral("éclair!?"));
            append(5, 0, 9, QStringLiteral(" Oui."));
            append(6, 1, 5, QStringLiteral("later")); // what lies between is not here
        }
        HostCache cache(at(path));
        const CachedWindow found = window(cache);
        QCOMPARE(std::get<TranscriptEntry>(found.rows.last()).index, 1);
        QVERIFY(!found.fresh); // it is not whole
        QCOMPARE(found.position, (TopicRevision{QStringLiteral("g1"), 0}));
        const CachedWindow first = window(cache, 1);
        QCOMPARE(std::get<TranscriptEntry>(first.rows.first()).text, QStringLiteral("éclair!? Oui."));
        QCOMPARE(protocol::entityMeta(first.rows.first()).rev, 5);
    }

    void anotherVersionAsksForEverythingOnce()
    {
        const QString path = fresh();
        {
            HostCache cache(at(path));
            cache.topics(organization()).write(whole(5, {task(QStringLiteral("t1"), QStringLiteral("one"), 2)}));
            cache.topics(taskOne()).write(ofSession(whole(9, entries(0, 10))));
        }
        {
            QString aside;
            auto file = SqlFile::open(path, cacheSchema(), &aside);
            QVERIFY((*file)->run("UPDATE meta SET value = 'another' WHERE key = 'writer'"));
        }
        HostCache cache(at(path));
        QCOMPARE(load(cache).rows.size(), 1);
        QVERIFY(load(cache).position.generation.isEmpty());
        QCOMPARE(window(cache).rows.size(), 10);
        QCOMPARE(window(cache).position.revision, 0);
        cache.topics(organization()).write(whole(6, {task(QStringLiteral("t1"), QStringLiteral("one"), 2)}));
        QCOMPARE(load(cache).position.revision, 6);
        CacheWrite all = ofSession(changes(0, 9, entries(0, 10)));
        all.windowFrom = 0;
        cache.topics(taskOne()).write(all);
        QVERIFY(window(cache).fresh);
        QCOMPARE(window(cache).position.revision, 9);
    }

    void keptAnswersGoOldestFirst()
    {
        HostCacheOptions options = at(fresh());
        options.limitBytes = 3 * 1024 * 1024;
        HostCache cache(options);
        cache.topics(organization()).write(whole(1, {task(QStringLiteral("t1"), QStringLiteral("stays"), 1)}));
        const QByteArray data(256 * 1024, 'x');
        for (int i = 0; i < 8; ++i) {
            cache.keep(taskOne(), QStringLiteral("blob"), QString::number(i), data);
            QVERIFY(kept(cache, QString::number(i)));
            QTest::qWait(2);
        }
        QVERIFY(kept(cache, QStringLiteral("0"))); // used again: no longer the oldest
        QTest::qWait(2);
        for (int i = 8; i < 16; ++i)
            cache.keep(taskOne(), QStringLiteral("blob"), QString::number(i), data);
        for (int i = 0; i < 2000 && (stats(cache).bytes > options.limitBytes || stats(cache).kept == 16); ++i)
            QTest::qWait(5);
        QVERIFY(stats(cache).bytes <= options.limitBytes);
        QVERIFY(stats(cache).kept >= 4); // and not more than is needed
        QVERIFY(kept(cache, QStringLiteral("15")));
        QVERIFY(kept(cache, QStringLiteral("0")));
        QVERIFY(!kept(cache, QStringLiteral("1")));
        QCOMPARE(kept(cache, QStringLiteral("15"))->data.size(), data.size());
        QCOMPARE(titles(load(cache).rows), QStringList{QStringLiteral("stays")});
    }

    void answersDieWithTheirContext()
    {
        HostCache cache(at(fresh()));
        int answers = 0;
        auto *context = new QObject;
        cache.topics(organization()).load(topicName, context, [&answers](const CachedTopic &) { ++answers; });
        delete context;
        load(cache);
        QCOMPARE(answers, 0);
    }

    void aThousandTasksAtOnce()
    {
        HostCache cache(at(fresh()));
        QList<Entity> rows;
        for (int i = 0; i < 10000; ++i) {
            TaskSummary one = task(QStringLiteral("task-%1").arg(i), QStringLiteral("Make the thing number %1 work again").arg(i), i);
            one.sessions << SessionBrief{SessionId(QStringLiteral("s")), QStringLiteral("Session 1"), AgentId(QStringLiteral("codex")), SessionStatus::Idle};
            one.diffStat = DiffStat{3, 10, 4};
            rows << one;
        }
        CacheWrite small = whole(1, rows.first(1000));
        small.topic = QStringLiteral("small");
        cache.topics(organization()).write(small);
        cache.topics(organization()).write(whole(1, rows));
        QVERIFY(load(cache, QStringLiteral("small")).known);
        for (const QString &topic : {QStringLiteral("small"), topicName}) {
            QElapsedTimer timer;
            timer.start();
            const CachedTopic found = load(cache, topic);
            const qint64 took = timer.nsecsElapsed() / 1000;
            qInfo("%lld rows in %.1f ms", static_cast<long long>(found.rows.size()), double(took) / 1000);
            QVERIFY(took < 3000 * 1000); // the figures that count are those of an optimized build
        }
        QElapsedTimer timer;
        timer.start();
        for (qint64 revision = 1; revision <= 1000; ++revision)
            cache.topics(organization()).write(changes(revision, revision + 1, {task(QStringLiteral("task-%1").arg(revision % 100), QStringLiteral("x"), 10000 + revision)}));
        qInfo("1000 updates given in %.1f ms", double(timer.nsecsElapsed()) / 1e6);
        load(cache, QStringLiteral("small"));
        qInfo("and written in %.1f ms", double(timer.nsecsElapsed()) / 1e6);
        QCOMPARE(load(cache).position.revision, 1001);
    }

    void rangesOfIndices()
    {
        IndexRanges ranges;
        ranges.add(400, 500);
        ranges.add(200, 300);
        ranges.add(300, 400);
        QCOMPARE(ranges.toText(), QStringLiteral("200-500"));
        ranges.ageBefore(450);
        QCOMPARE(ranges.toText(), QStringLiteral("200-450a 450-500"));
        ranges.add(440, 460);
        QCOMPARE(ranges.toText(), QStringLiteral("200-440a 440-500"));
        ranges.remove(300, 310);
        QCOMPARE(ranges.toText(), QStringLiteral("200-300a 310-440a 440-500"));
        QCOMPARE(IndexRanges::fromText(ranges.toText()).all(), ranges.all());
        QCOMPARE(ranges.endingAt(std::nullopt)->first, 440);
        QCOMPARE(ranges.endingAt(420)->first, 310);
        QVERIFY(!ranges.endingAt(310));
        QVERIFY(!ranges.contains(305));
        QVERIFY(ranges.contains(310));
    }
};

QTEST_GUILESS_MAIN(HostCacheTest)
#include "tst_hostcache.moc"
