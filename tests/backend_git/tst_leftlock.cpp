// Lock files that a git of an earlier life of the host left: cleared away where they are ours, and only there.
#include "backend/git/leftlock.h"
#include "tests/backend_git/gitwait.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QSignalSpy>

using namespace foundry;
using namespace foundry::backend;

class tst_LeftLock : public QObject {
    Q_OBJECT

    test::GitFixture m_fixture;
    QString m_repo;
    QString m_tree;
    QStringList m_update{QStringLiteral("update-ref"), QStringLiteral("refs/heads/topic"), QStringLiteral("HEAD")};

    // As old as `ago` milliseconds.
    static QString lockAt(const QString &path, qint64 ago)
    {
        QFile lock(path);
        if (!lock.open(QIODevice::WriteOnly) || !lock.setFileTime(QDateTime::currentDateTime().addMSecs(-ago), QFileDevice::FileModificationTime))
            qFatal("no lock %s", qPrintable(path));
        return path;
    }

    GitOutput run(const QString &directory, const QStringList &arguments, Millis startedAt, const std::function<void(GitRun &)> &meanwhile = {})
    {
        GitEnvironment git = test::gitFor(m_fixture);
        git.startedAt = startedAt;
        GitRun run(git, {directory, arguments}, nullptr);
        std::optional<GitOutput> output;
        int answers = 0;
        connect(&run, &GitRun::finished, this, [&](const GitOutput &came) {
            output = came;
            ++answers;
        });
        run.start();
        if (meanwhile)
            meanwhile(run);
        const QDeadlineTimer deadline(30000);
        while (!output && !deadline.hasExpired())
            QTest::qWait(5);
        QTest::qWait(20);
        if (answers != 1)
            qFatal("%d answers", answers);
        return *output;
    }

    // A program called git that was at work in that folder before `now()`.
    void beginOther(QProcess &other, const QString &folder)
    {
        const QString program = m_fixture.path(QStringLiteral("git"));
        if (!QFileInfo::exists(program))
            QVERIFY(QFile::copy(QStringLiteral("/bin/sleep"), program));
        other.setWorkingDirectory(folder);
        other.start(program, {QStringLiteral("60")});
        QVERIFY(other.waitForStarted());
        QTest::qWait(100); // the clock of /proc has hundredths
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_repo = m_fixture.makeRepository(QStringLiteral("project"));
        m_tree = m_fixture.path(QStringLiteral("trees/t-1"));
        m_fixture.mustGit(m_repo, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-b"), QStringLiteral("mine"), m_tree});
    }

    void ofARef()
    {
        const QString lock = lockAt(m_repo + QStringLiteral("/.git/refs/heads/topic.lock"), 60000);
        const GitOutput output = run(m_repo, m_update, QDateTime::currentMSecsSinceEpoch());
        QVERIFY2(output.ok(), output.outcome.errorTail.constData());
        QVERIFY(!QFileInfo::exists(lock));
    }

    void ofTheIndexOfAWorkTree()
    {
        const QString lock = lockAt(m_repo + QStringLiteral("/.git/worktrees/t-1/index.lock"), 60000);
        m_fixture.write(m_tree, QStringLiteral("new.txt"), "new\n");
        const GitOutput output = run(m_tree, {QStringLiteral("add"), QStringLiteral("new.txt")}, QDateTime::currentMSecsSinceEpoch());
        QVERIFY2(output.ok(), output.outcome.errorTail.constData());
        QVERIFY(!QFileInfo::exists(lock));
    }

    // The user's own index is the user's own; so are the refs' and the configuration's common files.
    void othersStay_data()
    {
        QTest::addColumn<QString>("lock");
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("index") << QStringLiteral("index.lock") << QStringList{QStringLiteral("add"), QStringLiteral("-A")};
        QTest::newRow("packed refs") << QStringLiteral("packed-refs.lock") << QStringList{QStringLiteral("pack-refs"), QStringLiteral("--all")};
    }
    void othersStay()
    {
        QFETCH(QString, lock);
        QFETCH(QStringList, arguments);
        const QString path = lockAt(m_repo + QStringLiteral("/.git/") + lock, 60000);
        m_fixture.write(m_repo, QStringLiteral("other.txt"), "other\n");
        const GitOutput output = run(m_repo, arguments, QDateTime::currentMSecsSinceEpoch());
        QVERIFY(QFileInfo::exists(path));
        QCOMPARE(output.error(QStringLiteral("do it")).code, QStringLiteral("locked"));
        QVERIFY(QFile::remove(path));
    }

    // Somebody is at work now: a lock of this life, or nothing known of this life.
    void youngOnesStay()
    {
        const QString path = m_repo + QStringLiteral("/.git/refs/heads/topic.lock");
        for (const Millis started : {QDateTime::currentMSecsSinceEpoch() - 120000, Millis(0)}) {
            lockAt(path, 60000);
            QCOMPARE(run(m_repo, m_update, started).error(QStringLiteral("do it")).code, QStringLiteral("locked"));
            QVERIFY(QFile::remove(path));
        }
    }

    void isWaitedForWhileItsGitLives()
    {
        QProcess other;
        beginOther(other, m_repo);
        const QString lock = lockAt(m_repo + QStringLiteral("/.git/refs/heads/topic.lock"), 60000);
        const GitOutput output = run(m_repo, m_update, QDateTime::currentMSecsSinceEpoch(), [&](GitRun &) {
            QTest::qWait(400);
            QVERIFY(QFileInfo::exists(lock));
            other.kill();
            QVERIFY(other.waitForFinished());
        });
        QVERIFY2(output.ok(), output.outcome.errorTail.constData());
        QVERIFY(!QFileInfo::exists(lock));
    }

    void staysWhenItsGitGoesOn()
    {
        QProcess other;
        beginOther(other, m_tree);
        const QString lock = lockAt(m_repo + QStringLiteral("/.git/worktrees/t-1/index.lock"), 60000);
        const QStringList add{QStringLiteral("add"), QStringLiteral("-A")};
        QCOMPARE(run(m_tree, add, QDateTime::currentMSecsSinceEpoch()).error(QStringLiteral("do it")).code, QStringLiteral("locked"));
        QVERIFY(QFileInfo::exists(lock));
        // Cancelled while it is waited for.
        const GitOutput output = run(m_tree, add, QDateTime::currentMSecsSinceEpoch(), [&](GitRun &waiting) {
            QTest::qWait(300);
            waiting.cancel();
            waiting.cancel();
        });
        QCOMPARE(output.outcome.end, ChildEnd::Cancelled);
        other.kill();
        QVERIFY(other.waitForFinished());
        QVERIFY(QFile::remove(lock));
    }
};

QTEST_GUILESS_MAIN(tst_LeftLock)
#include "tst_leftlock.moc"
