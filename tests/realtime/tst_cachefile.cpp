// The cache's file: consistent whatever happens to the program, the file or the disk.
#include "tests/realtime/cachefixture.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <cstdio>
#include <sys/mount.h>

using namespace foundry;
using namespace foundry::tests;

namespace {

// The other program: goes on from what is there, each change two rows at once and a new one.
int writeUntilKilled(const QString &path)
{
    HostCache cache(at(path));
    const CachedTopic before = load(cache);
    qint64 revision = before.position.revision;
    if (!before.known)
        cache.topics(organization()).write(whole(0, {}));
    for (;;) {
        ++revision;
        const QString name = QString::number(revision);
        cache.topics(organization()).write(changes(revision - 1, revision,
            {task(QStringLiteral("a"), name, revision), task(QStringLiteral("b"), name, revision),
                task(QStringLiteral("n") + name, name, revision)}));
        if (revision % 20 == 0)
            QTest::qWait(2);
        if (revision == before.position.revision + 200) {
            std::puts("writing");
            std::fflush(stdout);
        }
    }
}

} // namespace

class CacheFileTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_dir;
    int m_files = 0;
    QString fresh() { return m_dir.filePath(QStringLiteral("c%1/x.cache").arg(++m_files)); }

private Q_SLOTS:
    void damagedFilesAreSetAside_data()
    {
        QTest::addColumn<int>("how");
        QTest::newRow("no database at all") << 0;
        QTest::newRow("broken inside") << 1;
        QTest::newRow("of a newer version") << 2;
        QTest::newRow("encrypted") << 3;
    }

    void damagedFilesAreSetAside()
    {
        QFETCH(int, how);
        const QString path = fresh();
        {
            HostCache cache(at(path));
            QList<Entity> rows;
            for (int i = 0; i < 500; ++i)
                rows << task(QString::number(i), QStringLiteral("a title that takes some room %1").arg(i), 1);
            cache.topics(organization()).write(whole(1, rows));
        }
        if (how == 0 || how == 1) {
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadWrite));
            const qint64 size = file.size();
            QVERIFY(size > 40000);
            file.seek(how == 0 ? 0 : 8192);
            file.write(QByteArray(how == 0 ? 4096 : size - 8192, '\x5a'));
        } else {
            QString aside;
            auto file = SqlFile::open(path, cacheSchema(), &aside);
            QVERIFY((*file)->script(how == 2 ? "PRAGMA user_version=99" : "UPDATE meta SET value = 'v2' WHERE key = 'cipher'"));
        }
        HostCache cache(at(path));
        QList<Error> notices;
        connect(&cache, &HostCache::noticed, this, [&notices](const Error &error) { notices << error; });
        QVERIFY(!load(cache).known);
        cache.topics(organization()).write(whole(2, {task(QStringLiteral("t1"), QStringLiteral("anew"), 2)}));
        QCOMPARE(titles(load(cache).rows), QStringList{QStringLiteral("anew")});
        QVERIFY(!notices.isEmpty());
        QCOMPARE(QFileInfo(path).dir().entryList({QStringLiteral("*.damaged-*"), QStringLiteral("*.newer-*")}).filter(QRegularExpression(QStringLiteral("\\d$"))).size(), 1);
    }

    void withoutADiskNothingIsKnown()
    {
        QFile blocking(m_dir.filePath(QStringLiteral("blocking")));
        QVERIFY(blocking.open(QIODevice::WriteOnly));
        HostCache cache(at(m_dir.filePath(QStringLiteral("blocking/x.cache"))));
        int notices = 0;
        connect(&cache, &HostCache::noticed, this, [&notices] { ++notices; });
        cache.topics(organization()).write(whole(1, {}));
        QVERIFY(!load(cache).known);
        QVERIFY(!load(cache).known);
        QCOMPARE(notices, 1);
    }

    void aFullDiskLosesNothingThatWasThere()
    {
        const QString mount = m_dir.filePath(QStringLiteral("small"));
        QVERIFY(QDir().mkpath(mount));
        if (::mount("tmpfs", QFile::encodeName(mount).constData(), "tmpfs", 0, "size=1m") != 0)
            QSKIP("mounting a small disk needs root");
        {
            HostCache cache(at(mount + QStringLiteral("/x.cache")));
            QList<Error> notices;
            connect(&cache, &HostCache::noticed, this, [&notices](const Error &error) { notices << error; });
            TopicCache &topics = cache.topics(organization());
            topics.write(whole(1, {task(QStringLiteral("t0"), QStringLiteral("there"), 1)}));
            QVERIFY(load(cache).known);
            qint64 revision = 1;
            for (int i = 0; i < 200 && notices.isEmpty(); ++i, ++revision) {
                topics.write(changes(revision, revision + 1, {task(QString::number(i), QString(20000, QLatin1Char('x')), revision + 1)}));
                load(cache);
            }
            QCOMPARE(notices.value(0).code, QStringLiteral("storage_full"));
            const CachedTopic full = load(cache);
            QVERIFY(full.known);
            QCOMPARE(full.rows.size(), full.position.revision); // every change up to the position, and none behind it
            // Room again. What was lost in between is a gap: the position does not go over it.
            topics.write(changes(revision + 5, revision + 6, {task(QStringLiteral("late"), QStringLiteral("late"), revision + 6)}));
            QCOMPARE(load(cache).position, full.position);
        }
        QCOMPARE(::umount2(QFile::encodeName(mount).constData(), MNT_DETACH), 0);
    }

    void killedWhileWriting()
    {
        const QString path = fresh();
        qint64 last = 0;
        for (int round = 0; round < 4; ++round) {
            QProcess writer;
            writer.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--write"), path});
            QVERIFY(writer.waitForReadyRead(30000));
            QTest::qWait(int(QRandomGenerator::global()->bounded(60)));
            writer.kill();
            QVERIFY(writer.waitForFinished(10000));
            HostCache cache(at(path));
            bool aside = false;
            connect(&cache, &HostCache::noticed, this, [&aside] { aside = true; });
            const CachedTopic found = load(cache);
            QVERIFY(!aside);
            QVERIFY2(found.position.revision > last, "what was written before is lost");
            last = found.position.revision;
            QCOMPARE(found.rows.size(), last + 2);
            for (const Entity &row : found.rows) {
                const auto &one = std::get<TaskSummary>(row);
                if (one.id.value == QLatin1StringView("a") || one.id.value == QLatin1StringView("b"))
                    QCOMPARE(one.title, QString::number(last));
            }
        }
    }

    void twoProgramsOneFile()
    {
        const QString path = fresh();
        HostCache one(at(path));
        HostCache two(at(path));
        one.topics(organization()).write(whole(1, {}));
        QVERIFY(load(one).known);
        QVERIFY(load(two).known);
        // Both hear every event, at their own pace.
        for (qint64 revision = 1; revision <= 300; ++revision) {
            const CacheWrite write = changes(revision, revision + 1, {task(QString::number(revision), QStringLiteral("x"), revision + 1)});
            one.topics(organization()).write(write);
            if (revision % 7 == 0)
                QTest::qWait(1);
            two.topics(organization()).write(write);
        }
        load(one);
        load(two);
        QCOMPARE(load(one).rows.size(), 300);
        QCOMPARE(load(two).position.revision, 301);
    }

    void signingOutAndForgetting()
    {
        const QString folder = m_dir.filePath(QStringLiteral("hosts"));
        const QString path = HostCache::fileFor(folder, QStringLiteral("me"), QStringLiteral("https://host"));
        QVERIFY(path != HostCache::fileFor(folder, QStringLiteral("you"), QStringLiteral("https://host")));
        {
            HostCache cache(at(path));
            cache.topics(organization()).write(whole(1, {task(QStringLiteral("t1"), QStringLiteral("CANARY-TITLE"), 1)}));
            QCOMPARE(search(cache, QStringLiteral("canary")).size(), 1);
            bool cleared = false;
            cache.clear(this, [&cleared] { cleared = true; });
            QVERIFY(!load(cache).known);
            QVERIFY(cleared);
            QVERIFY(search(cache, QStringLiteral("canary")).isEmpty());
        }
        for (const QString &name : QDir(folder).entryList(QDir::Files)) {
            QFile file(QDir(folder).filePath(name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            QVERIFY(!file.readAll().contains("CANARY-TITLE"));
        }
        QVERIFY(HostCache::forget(folder, QStringLiteral("me"), QStringLiteral("https://host")));
        QVERIFY(QDir(folder).isEmpty());
    }
};

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc == 3 && qstrcmp(argv[1], "--write") == 0)
        return writeUntilKilled(QString::fromLocal8Bit(argv[2]));
    CacheFileTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_cachefile.moc"
