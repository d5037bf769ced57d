// The log of a process: bounded, read by offset, the same after the host was killed.
#include "backend/processes/processlog.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

namespace {

QByteArray numbered(int from, int to)
{
    QByteArray bytes;
    for (int i = from; i < to; ++i)
        bytes += QByteArray::number(i).rightJustified(9, '0') + '\n';
    return bytes;
}

qint64 bytesOnDisk(const QString &directory)
{
    qint64 bytes = 0;
    for (const QFileInfo &file : QDir(directory).entryInfoList(QDir::Files))
        bytes += file.size();
    return bytes;
}

} // namespace

class tst_ProcessLog : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsByOffset()
    {
        QTemporaryDir dir;
        const QString path = dir.filePath(QStringLiteral("log"));
        {
            ProcessLog empty(path);
            QCOMPARE(empty.start(), 0);
            QCOMPARE(empty.end(), 0);
            QCOMPARE(*empty.read(0, 100), QByteArray());
            QVERIFY(!QDir(path).exists());
        }
        ProcessLog log(path, 80000); // segments of 10,000 bytes
        const QByteArray all = numbered(0, 7000);
        for (qsizetype at = 0; at < all.size(); at += 777)
            log.append(all.mid(at, 777));
        QCOMPARE(log.end(), all.size());
        QCOMPARE(log.start(), 0);
        QCOMPARE(*log.read(0, all.size()), all);
        QCOMPARE(*log.read(9995, 20), all.mid(9995, 20)); // across a border
        QCOMPARE(*log.read(all.size(), 20), QByteArray());
        QCOMPARE(*log.read(all.size() - 5, 20), all.right(5));
    }

    void isBounded()
    {
        QTemporaryDir dir;
        ProcessLog log(dir.path(), 80000);
        const QByteArray all = numbered(0, 100000);
        for (qsizetype at = 0; at < all.size(); at += 4096)
            log.append(all.mid(at, 4096));
        QCOMPARE(log.end(), all.size());
        QVERIFY(log.end() - log.start() <= 80000);
        QVERIFY(log.end() - log.start() >= 70000);
        QCOMPARE(bytesOnDisk(dir.path()), log.end() - log.start());
        QCOMPARE(*log.read(log.start(), 1000000), all.mid(log.start()));
        // One chunk that is larger than all that is kept.
        log.append(all);
        QCOMPARE(log.end(), 2 * all.size());
        QVERIFY(bytesOnDisk(dir.path()) <= 80000);
        QCOMPARE(*log.read(log.end() - 100, 100), all.right(100));
    }

    void isTheSameForTheNextHost()
    {
        QTemporaryDir dir;
        const QByteArray all = numbered(0, 20000);
        ProcessLog log(dir.path(), 80000);
        log.append(all);
        const ProcessLog again(dir.path(), 80000); // while the other lives: nothing is held back in memory
        QCOMPARE(again.start(), log.start());
        QCOMPARE(again.end(), log.end());
        QCOMPARE(*again.read(again.start(), 1000000), all.mid(again.start()));
        ProcessLog more(dir.path(), 80000);
        more.append("more");
        QCOMPARE(more.end(), all.size() + 4);
        QCOMPARE(*more.read(all.size() - 2, 100), all.right(2) + "more");
    }

    // A segment that lost its end with the power: what comes before the hole is not shown as if nothing lacked.
    void leavesOutWhatHasAHoleBehindIt()
    {
        QTemporaryDir dir;
        const QByteArray all = numbered(0, 5000);
        {
            ProcessLog log(dir.path(), 80000);
            log.append(all);
        }
        QFile second(QDir(dir.path()).filePath(QDir(dir.path()).entryList(QDir::Files, QDir::Name).at(1)));
        QVERIFY(second.resize(100));
        const ProcessLog log(dir.path(), 80000);
        QCOMPARE(log.start(), 20000);
        QCOMPARE(log.end(), all.size());
        QCOMPARE(*log.read(log.start(), 1000000), all.mid(20000));
    }

    // A folder that cannot be written: counted on, lost, and no wait.
    void losesWhatCannotBeWritten()
    {
        QTemporaryDir dir;
        QFile inTheWay(dir.filePath(QStringLiteral("file")));
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        ProcessLog log(inTheWay.fileName() + QStringLiteral("/log"), 80000);
        log.append("lost");
        QCOMPARE(log.end(), 4);
        QCOMPARE(log.start(), 4);
        QCOMPARE(*log.read(4, 10), QByteArray());
    }

    void removesNothingElse()
    {
        QTemporaryDir dir;
        ProcessLog log(dir.filePath(QStringLiteral("log")), 80000);
        log.append("some");
        QFile other(dir.filePath(QStringLiteral("log/other.txt")));
        QVERIFY(other.open(QIODevice::WriteOnly));
        ProcessLog::remove(dir.filePath(QStringLiteral("log")));
        QVERIFY(other.exists());
        QVERIFY(other.remove());
        ProcessLog::remove(dir.filePath(QStringLiteral("log")));
        QVERIFY(!QDir(dir.filePath(QStringLiteral("log"))).exists());
    }
};

QTEST_GUILESS_MAIN(tst_ProcessLog)
#include "tst_processlog.moc"
