#include "backend/store/database.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

class tst_Database : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void valuesComeBack();
    void statementsNest();
    void anIgnoredErrorRollsBack();
    void endedByItself();
    void rollbackUndoes();
    void migrations();
    void aNewerSchemaIsRefused();
    void aDamagedFileIsSetAside();
    void damageInTheMiddleIsMetAtTheNextOpen();

private:
    std::unique_ptr<Database> open(const QString &name = QStringLiteral("a.sqlite"))
    {
        auto opened = Database::open(m_dir.filePath(name));
        return opened ? std::move(*opened) : nullptr;
    }
    QTemporaryDir m_dir;
};

void tst_Database::valuesComeBack()
{
    auto db = open(QStringLiteral("values.sqlite"));
    QVERIFY(db);
    QVERIFY(db->script("CREATE TABLE t(i, r, s, b, n, e)"));
    const QString text = QString::fromUtf8("grün 😀 \"x\"");
    QVERIFY(db->run("INSERT INTO t VALUES(?, ?, ?, ?, ?, ?)", qint64(1) << 60, 0.25, text, Blob{QByteArray("\0\x01", 2)},
        std::optional<qint64>(), QString()));
    QCOMPARE(db->changes(), 1);
    auto q = db->query("SELECT * FROM t");
    QVERIFY(q.next());
    QCOMPARE(q.integer(0), qint64(1) << 60);
    QCOMPARE(q.real(1), 0.25);
    QCOMPARE(q.text(2), text);
    QCOMPARE(q.bytes(3), QByteArray("\0\x01", 2));
    QVERIFY(q.isNull(4));
    QVERIFY(!q.optionalInteger(4));
    QVERIFY(!q.isNull(5)); // an empty text is not absent
    QVERIFY(!q.next());
    QVERIFY(q.result());
}

void tst_Database::statementsNest()
{
    auto db = open(QStringLiteral("nest.sqlite"));
    QVERIFY(db->script("CREATE TABLE t(i); INSERT INTO t VALUES(1), (2), (3)"));
    int pairs = 0;
    auto outer = db->query("SELECT i FROM t");
    while (outer.next()) {
        auto inner = db->query("SELECT i FROM t"); // the same text, while the first is in use
        while (inner.next())
            ++pairs;
    }
    QCOMPARE(pairs, 9);
}

void tst_Database::anIgnoredErrorRollsBack()
{
    auto db = open(QStringLiteral("sticky.sqlite"));
    QVERIFY(db->script("CREATE TABLE t(i INTEGER PRIMARY KEY)"));
    QVERIFY(db->begin());
    (void)db->run("INSERT INTO t VALUES(1)");
    (void)db->run("INSERT INTO t VALUES(1)"); // nobody looks at it
    (void)db->run("INSERT INTO t VALUES(2)");
    const auto committed = db->commit();
    QVERIFY(!committed);
    QCOMPARE(committed.error().key(), QStringLiteral("internal.storage_failed"));
    auto q = db->query("SELECT count(*) FROM t");
    QVERIFY(q.next());
    QCOMPARE(q.integer(0), 0);
}

// SQLite ends some transactions by itself, in the middle of a body that goes on: nothing of the rest may be written.
void tst_Database::endedByItself()
{
    auto db = open(QStringLiteral("ended.sqlite"));
    QVERIFY(db->script("CREATE TABLE t(i INTEGER PRIMARY KEY); CREATE TABLE other(i);"
                       "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.i = 2 BEGIN SELECT RAISE(ROLLBACK, 'no'); END"));
    QVERIFY(db->begin());
    QVERIFY(db->run("INSERT INTO t VALUES(1)"));
    (void)db->run("INSERT INTO t VALUES(2)");
    const auto after = db->run("INSERT INTO other VALUES(3)");
    QVERIFY(!after);
    QCOMPARE(after.error().message, db->failure()->message); // the cause, not what came of it
    QVERIFY(!db->script("INSERT INTO other VALUES(4)"));
    QVERIFY(!db->commit());
    for (const char *table : {"t", "other"}) {
        auto q = db->query(QByteArray("SELECT count(*) FROM ") + table);
        QVERIFY(q.next());
        QCOMPARE(q.integer(0), 0);
    }
    QVERIFY(db->begin());
    QVERIFY(db->run("INSERT INTO t VALUES(1)"));
    QVERIFY(db->commit());
}

void tst_Database::rollbackUndoes()
{
    auto db = open(QStringLiteral("undo.sqlite"));
    QVERIFY(db->script("CREATE TABLE t(i)"));
    QVERIFY(db->begin());
    QVERIFY(db->run("INSERT INTO t VALUES(1)"));
    db->rollback();
    QVERIFY(!db->inTransaction());
    QVERIFY(db->begin());
    QVERIFY(db->run("INSERT INTO t VALUES(2)"));
    QVERIFY(db->commit());
    auto q = db->query("SELECT i FROM t");
    QVERIFY(q.next());
    QCOMPARE(q.integer(0), 2);
}

void tst_Database::migrations()
{
    const QStringList one{QStringLiteral("CREATE TABLE a(x)")};
    const QStringList two{one.first(), QStringLiteral("ALTER TABLE a ADD COLUMN y; CREATE TABLE b(z)")};
    {
        auto db = open(QStringLiteral("m.sqlite"));
        QVERIFY(db->migrate(QStringLiteral("part"), one));
        QVERIFY(db->run("INSERT INTO a(x) VALUES(7)"));
    }
    auto db = open(QStringLiteral("m.sqlite"));
    QVERIFY(db->migrate(QStringLiteral("part"), two));
    QVERIFY(db->migrate(QStringLiteral("part"), two)); // nothing left to do
    auto q = db->query("SELECT x, y FROM a");
    QVERIFY(q.next());
    QCOMPARE(q.integer(0), 7);
    // A step that fails leaves nothing of itself.
    QVERIFY(!db->migrate(QStringLiteral("other"), {QStringLiteral("CREATE TABLE c(x); SELECT nonsense FROM nowhere")}));
    auto missing = db->query("SELECT count(*) FROM sqlite_master WHERE name = 'c'");
    QVERIFY(missing.next());
    QCOMPARE(missing.integer(0), 0);
}

void tst_Database::aNewerSchemaIsRefused()
{
    auto db = open(QStringLiteral("newer.sqlite"));
    QVERIFY(db->migrate(QStringLiteral("part"), {QStringLiteral("CREATE TABLE a(x)"), QStringLiteral("CREATE TABLE b(x)")}));
    const auto refused = db->migrate(QStringLiteral("part"), {QStringLiteral("CREATE TABLE a(x)")});
    QVERIFY(!refused);
    QCOMPARE(refused.error().key(), QStringLiteral("internal.storage_newer"));
    QVERIFY(!refused.error().action.isEmpty());
}

void tst_Database::aDamagedFileIsSetAside()
{
    const QString path = m_dir.filePath(QStringLiteral("bad.sqlite"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray(8192, 'x'));
    file.close();
    auto db = open(QStringLiteral("bad.sqlite"));
    QVERIFY(db);
    QVERIFY(!db->setAside().isEmpty());
    QVERIFY(QFile::exists(db->setAside()));
    QVERIFY(db->script("CREATE TABLE t(i)"));
}

void tst_Database::damageInTheMiddleIsMetAtTheNextOpen()
{
    const QString path = m_dir.filePath(QStringLiteral("middle.sqlite"));
    {
        auto db = open(QStringLiteral("middle.sqlite"));
        QVERIFY(db->script("CREATE TABLE t(i INTEGER PRIMARY KEY, s TEXT)"));
        QVERIFY(db->begin());
        for (int i = 0; i < 2000; ++i)
            QVERIFY(db->run("INSERT INTO t VALUES(?, ?)", i, QString(200, QLatin1Char('a'))));
        QVERIFY(db->commit());
    }
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadWrite));
    file.seek(4096);
    file.write(QByteArray(int(file.size() - 4096), '\xff'));
    file.close();
    {
        auto db = open(QStringLiteral("middle.sqlite"));
        QVERIFY(db);
        QVERIFY(db->setAside().isEmpty()); // not seen yet
        auto q = db->query("SELECT sum(length(s)) FROM t");
        QVERIFY(!q.next());
        QCOMPARE(q.result().error().key(), QStringLiteral("internal.storage_corrupt"));
    }
    auto db = open(QStringLiteral("middle.sqlite"));
    QVERIFY(db);
    QVERIFY(!db->setAside().isEmpty());
}

QTEST_GUILESS_MAIN(tst_Database)
#include "tst_database.moc"
