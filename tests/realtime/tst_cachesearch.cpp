// The search over everything that the cache holds.
#include "tests/realtime/cachefixture.h"

#include <QTemporaryDir>

using namespace foundry;
using namespace foundry::tests;

class CacheSearchTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_files = 0;
    QString fresh() { return m_dir.filePath(QStringLiteral("c%1/x.cache").arg(++m_files)); }

private Q_SLOTS:
    void searchFindsWhatIsHeld()
    {
        HostCache cache(at(fresh()));
        cache.topics(organization()).write(whole(2, {task(QStringLiteral("t1"), QStringLiteral("Refactor the payments"), 1), task(QStringLiteral("t2"), QStringLiteral("Docs"), 2)}));
        TranscriptEntry tool = entry(1, {}, 1);
        tool.kind = EntryKind::ToolCall;
        tool.tool = ToolCall();
        tool.tool->title = QStringLiteral("Edit ledger");
        tool.tool->locations << ToolLocation{QStringLiteral("src/payments/ledger.cpp")};
        cache.topics(taskOne()).write(ofSession(whole(1, {entry(0, QStringLiteral("The refäctoring is done."), 1), tool})));
        CacheWrite append = ofSession(changes(1, 2, {}));
        append.appends << TextAppend{0, 25, QStringLiteral(" Zanzibar.")};
        cache.topics(taskOne()).write(append);
        cache.keep(taskOne(), QStringLiteral("directory"), QStringLiteral("src"), "{}", {QStringLiteral("src/main.cpp"), QStringLiteral("src/README.md")});
        cache.keep(taskOne(), QStringLiteral("diff"), QStringLiteral("src/main.cpp"), "{}", {QStringLiteral("src/main.cpp"), QStringLiteral("+int quokka = 1;")});

        QList<CacheHit> hits = search(cache, QStringLiteral("refact"));
        QCOMPARE(hits.size(), 2);
        QCOMPARE(hits.at(0).kind, CacheHitKind::Task);
        QCOMPARE(hits.at(0).task, TaskId(QStringLiteral("t1")));
        QCOMPARE(hits.at(0).snippet, QStringLiteral("feature/t1"));
        QCOMPARE(hits.at(1).kind, CacheHitKind::Entry);
        QCOMPARE(hits.at(1).task, TaskId(QStringLiteral("t1")));
        QCOMPARE(hits.at(1).repo, RepoId(QStringLiteral("r1")));
        QCOMPARE(hits.at(1).session, SessionId(QStringLiteral("s1")));
        QCOMPARE(hits.at(1).index, 0);
        QCOMPARE(search(cache, QStringLiteral("zanz")).value(0).index, 0);
        QCOMPARE(search(cache, QStringLiteral("feature/t2")).value(0).task, TaskId(QStringLiteral("t2")));
        QCOMPARE(search(cache, QStringLiteral("ledger.cpp")).value(0).index, 1);
        QCOMPARE(search(cache, QStringLiteral("readme")).value(0).path, QStringLiteral("src/README.md"));
        QCOMPARE(search(cache, QStringLiteral("quokka")).value(0).kind, CacheHitKind::Diff);
        QVERIFY(search(cache, QStringLiteral("\" OR *")).isEmpty());
        QVERIFY(search(cache, QStringLiteral("nowhere")).isEmpty());

        // Kept up to date by the writes.
        cache.topics(organization()).write(changes(2, 3, {task(QStringLiteral("t1"), QStringLiteral("Rename"), 3)}, {{QStringLiteral("TaskSummary"), QStringLiteral("t2")}}));
        QCOMPARE(search(cache, QStringLiteral("refact")).size(), 1);
        QVERIFY(search(cache, QStringLiteral("docs")).isEmpty());
        QCOMPARE(search(cache, QStringLiteral("rename")).size(), 1);
        QCOMPARE(stats(cache).unindexed, 0);
    }

    void aLaterSearchEndsAnEarlierOne()
    {
        HostCache cache(at(fresh()));
        cache.topics(organization()).write(whole(1, {task(QStringLiteral("t1"), QStringLiteral("abc"), 1)}));
        QObject context;
        int first = 0;
        cache.search(QStringLiteral("a"), 10, &context, [&first](const CacheHits &) { ++first; });
        QCOMPARE(search(cache, QStringLiteral("ab")).size(), 1);
        QCOMPARE(first, 0);
    }
};

QTEST_GUILESS_MAIN(CacheSearchTest)
#include "tst_cachesearch.moc"
