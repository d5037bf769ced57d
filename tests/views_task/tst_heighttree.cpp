// The tree of heights against a plain list.
#include "views/transcript/heighttree.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTest>

using namespace foundry::views;

class HeightTreeTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void againstPlainList();
    void ends();
    void millions();
};

void HeightTreeTest::againstPlainList()
{
    QRandomGenerator random(5);
    HeightTree tree;
    QList<int> plain;
    for (int step = 0; step < 4000; ++step) {
        const int what = random.bounded(10);
        if (what < 4) {
            const int height = random.bounded(1, 300);
            tree.append(height);
            plain.append(height);
        } else if (what < 7 && !plain.isEmpty()) {
            const int row = random.bounded(int(plain.size()));
            const int height = random.bounded(1, 300);
            tree.set(row, height);
            plain[row] = height;
        } else if (what < 9) {
            const int row = random.bounded(int(plain.size()) + 1);
            const QList<int> heights{random.bounded(1, 50), random.bounded(1, 50)};
            tree.insert(row, heights);
            plain.insert(row, heights.at(1));
            plain.insert(row, heights.at(0));
        } else if (!plain.isEmpty()) {
            const int row = random.bounded(int(plain.size()));
            tree.remove(row, 1);
            plain.remove(row);
        }
        QCOMPARE(tree.count(), int(plain.size()));
        const int at = random.bounded(int(plain.size()) + 1);
        qint64 top = 0;
        for (int row = 0; row < at; ++row)
            top += plain.at(row);
        QCOMPARE(tree.top(at), top);
        if (at < plain.size()) {
            QCOMPARE(tree.rowAt(top), at);
            QCOMPARE(tree.rowAt(top + plain.at(at) - 1), at);
        }
        qint64 total = 0;
        for (const int height : std::as_const(plain))
            total += height;
        QCOMPARE(tree.total(), total);
    }
}

void HeightTreeTest::ends()
{
    HeightTree tree;
    QCOMPARE(tree.rowAt(0), -1);
    tree.append(10);
    tree.append(20);
    QCOMPARE(tree.rowAt(-5), 0);
    QCOMPARE(tree.rowAt(10), 1);
    QCOMPARE(tree.rowAt(1'000'000), 1);
    QCOMPARE(tree.top(2), 30);
}

void HeightTreeTest::millions()
{
    HeightTree tree;
    for (int i = 0; i < 1'000'000; ++i)
        tree.append(3000); // more than 32 bits of pixels
    QCOMPARE(tree.total(), 3'000'000'000);
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 1000; ++i)
        tree.set(i * 997 % 1'000'000, 40);
    QVERIFY(timer.elapsed() < 100);
    QCOMPARE(tree.rowAt(tree.top(765'432)), 765'432);
}

QTEST_APPLESS_MAIN(HeightTreeTest)
#include "tst_heighttree.moc"
