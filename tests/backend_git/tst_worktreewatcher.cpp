// What is seen of a work tree that anybody writes to: which folders, how often it is said, and how much is watched at most.
#include "backend/git/worktreewatcher.h"
#include "tests/support/gitfixture.h"

#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTest>

using foundry::backend::WorkTreeWatcher;
using foundry::test::GitFixture;

class TestWorkTreeWatcher : public QObject {
    Q_OBJECT

    std::unique_ptr<GitFixture> m_fixture;
    QString m_tree;

    static QSet<QByteArray> said(const QSignalSpy &spy)
    {
        QSet<QByteArray> all;
        for (const auto &signal : spy) {
            for (const QByteArray &folder : signal.first().value<QList<QByteArray>>())
                all.insert(folder);
        }
        return all;
    }

private Q_SLOTS:
    void init()
    {
        m_fixture = std::make_unique<GitFixture>();
        const QString repository = m_fixture->makeRepository(QStringLiteral("project"));
        m_tree = m_fixture->path(QStringLiteral("tree"));
        m_fixture->mustGit(repository, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("task"), m_tree});
        for (const char *folder : {"a", "b", "c", "d"})
            m_fixture->write(m_tree, QString::fromLatin1(folder) + QStringLiteral("/file"), "x\n");
    }
    void cleanup() { m_fixture.reset(); }

    void saysWhichFoldersAndNotHowOften()
    {
        WorkTreeWatcher watcher;
        QSignalSpy touched(&watcher, &WorkTreeWatcher::touched);
        QCOMPARE(watcher.watch(m_tree, {QByteArray(), "a", "b"}), 3);
        QCOMPARE(watcher.watch(m_tree, {QByteArray(), "a", "b"}), 0); // stands already
        for (int i = 0; i < 300; ++i)
            m_fixture->write(m_tree, QStringLiteral("a/many%1").arg(i), "x");
        QTRY_COMPARE(said(touched), QSet<QByteArray>{"a"});
        m_fixture->write(m_tree, QStringLiteral("c/not-watched"), "x");
        m_fixture->write(m_tree, QStringLiteral("b/file"), "y");
        QTRY_VERIFY(said(touched).contains("b"));
        QVERIFY(!said(touched).contains("c"));
        QVERIFY2(touched.size() < 60, qPrintable(QString::number(touched.size()))); // gathered, not one for each of 302
        // Watched no longer.
        watcher.watch(m_tree, {QByteArray()});
        QCOMPARE(watcher.count(), 1);
        QVERIFY(!watcher.isWatching(QByteArray("a")));
        watcher.stop();
        QVERIFY(!watcher.isWatching());
    }

    // A list that was begun before a new folder's first file was written, and comes before that was seen.
    void filesYoungerThanTheList()
    {
        WorkTreeWatcher watcher;
        QSignalSpy touched(&watcher, &WorkTreeWatcher::touched);
        watcher.watch(m_tree, {QByteArray()});
        QDir(m_tree).mkpath(QStringLiteral("deep/er"));
        QTRY_VERIFY(watcher.isWatching("deep/er"));
        QTest::qWait(300);
        touched.clear();
        m_fixture->write(m_tree, QStringLiteral("deep/er/file"), "x");
        watcher.watch(m_tree, {QByteArray()});
        QTRY_VERIFY(said(touched).contains("deep/er"));
        // Nobody lists it now either: it is ignored, and looked at no more.
        touched.clear();
        watcher.watch(m_tree, {QByteArray()});
        m_fixture->write(m_tree, QStringLiteral("deep/er/file"), "y");
        m_fixture->write(m_tree, QStringLiteral("here"), "x");
        QTRY_VERIFY(said(touched).contains(QByteArray()));
        QVERIFY(!said(touched).contains("deep/er"));
    }

    void isBounded()
    {
        WorkTreeWatcher watcher(nullptr, 3);
        QSignalSpy touched(&watcher, &WorkTreeWatcher::touched);
        watcher.watch(m_tree, {QByteArray(), "a", "b", "c", "d"});
        QCOMPARE(watcher.count(), 3);
        QVERIFY(watcher.isWatching("b") && !watcher.isWatching("c"));
        for (int i = 0; i < 20; ++i) // nor by what is made while it looks
            QDir(m_tree).mkpath(QStringLiteral("a/new%1").arg(i));
        m_fixture->write(m_tree, QStringLiteral("d/file"), "y");
        m_fixture->write(m_tree, QStringLiteral("b/file"), "y");
        QTRY_VERIFY(said(touched).contains("b"));
        QVERIFY(!said(touched).contains("d"));
        QVERIFY2(watcher.count() <= 3, qPrintable(QString::number(watcher.count())));
    }

    void seesGitItself()
    {
        WorkTreeWatcher watcher;
        QSignalSpy touched(&watcher, &WorkTreeWatcher::touched);
        watcher.watch(m_tree, {QByteArray()});
        m_fixture->mustGit(m_tree, {QStringLiteral("add"), QStringLiteral("a")});
        QTRY_VERIFY(!touched.isEmpty());
        QCOMPARE(said(touched), QSet<QByteArray>()); // no file changed, but the index did
        touched.clear();
        m_fixture->mustGit(m_tree, {QStringLiteral("commit"), QStringLiteral("-q"), QStringLiteral("-m"), QStringLiteral("one")});
        QTRY_VERIFY(!touched.isEmpty());
    }

    void followsNoLink()
    {
        const QString elsewhere = m_fixture->path(QStringLiteral("elsewhere"));
        m_fixture->write(elsewhere, QStringLiteral("file"), "x");
        QVERIFY(QFile::link(elsewhere, m_tree + QStringLiteral("/link")));
        WorkTreeWatcher watcher;
        QSignalSpy touched(&watcher, &WorkTreeWatcher::touched);
        watcher.watch(m_tree, {QByteArray(), "link", "a"});
        QVERIFY(!watcher.isWatching(QByteArray("link")));
        m_fixture->write(elsewhere, QStringLiteral("file"), "y");
        m_fixture->write(m_tree, QStringLiteral("a/file"), "y");
        QTRY_VERIFY(said(touched).contains("a"));
        QCOMPARE(said(touched), QSet<QByteArray>{"a"});
    }
};

QTEST_GUILESS_MAIN(TestWorkTreeWatcher)
#include "tst_worktreewatcher.moc"
