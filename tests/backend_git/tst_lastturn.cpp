// What changed since a turn began, the upstream's counts, and that looking leaves everything as it was.
#include "backend/git/gitlane.h"
#include "tests/backend_git/gitwait.h"

#include <QDateTime>
#include <QDir>
#include <QDirIterator>
#include <QProcess>

#include <sys/stat.h>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class TestLastTurn : public QObject {
    Q_OBJECT

private:
    GitFixture m_fixture;
    GitEnvironment m_git;
    QString m_repo;
    QString m_base;

    QString makeTree(const QString &name)
    {
        const auto made = add(m_git, {m_repo, m_fixture.path(name), name, m_base});
        if (!made)
            qFatal("%s", qPrintable(describe(made.error())));
        return made->path;
    }
    static QStringList inTurn(const Result<Changes> &found)
    {
        QStringList ids;
        for (const FileChange &file : found->files) {
            if (file.inLastTurn)
                ids.append(file.id);
        }
        return ids;
    }
    // Every file below, with its time, size and content.
    static QMap<QString, QByteArray> picture(const QString &folder)
    {
        QMap<QString, QByteArray> all;
        QDirIterator each(folder, QDir::Files | QDir::Hidden | QDir::System, QDirIterator::Subdirectories);
        while (each.hasNext()) {
            const QString path = each.next();
            struct stat found = {};
            ::lstat(QFile::encodeName(path).constData(), &found);
            QFile file(path);
            const QByteArray bytes = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
            all.insert(path, QByteArray::number(qint64(found.st_mtim.tv_sec)) + '.' + QByteArray::number(qint64(found.st_mtim.tv_nsec)) + ' ' + bytes);
        }
        return all;
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_git = gitFor(m_fixture);
        m_repo = m_fixture.makeRepository(QStringLiteral("repo"));
        for (const char *name : {"a", "b", "c", "d", "e"})
            m_fixture.write(m_repo, QString::fromLatin1(name), QByteArray(name) + "\n1\n2\n3\n4\n");
        m_fixture.write(m_repo, QStringLiteral(".gitignore"), "*.log\n");
        m_fixture.commitAll(m_repo, QStringLiteral("more"));
        m_base = m_fixture.git(m_repo, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
    }

    void sinceTheTurnBegan()
    {
        const QString tree = makeTree(QStringLiteral("turns"));
        const QString mark = m_fixture.path(QStringLiteral("mark"));
        // Before: an edit, a commit, something new, something staged, a deletion.
        m_fixture.write(tree, QStringLiteral("a"), "before\n");
        m_fixture.commitAll(tree, QStringLiteral("committed before"));
        m_fixture.write(tree, QStringLiteral("b"), "before\n");
        m_fixture.write(tree, QStringLiteral("new-before"), "x\n");
        m_fixture.write(tree, QStringLiteral("staged-before"), "x\n");
        m_fixture.mustGit(tree, {QStringLiteral("add"), QStringLiteral("staged-before")});
        QVERIFY(QFile::remove(tree + QStringLiteral("/c")));
        QTest::qWait(20); // its time lies before the turn
        const Millis startedAt = QDateTime::currentMSecsSinceEpoch();
        VERIFY_OK(record(m_git, tree, mark));
        ChangesRequest asked{tree, m_base};
        asked.turn = {mark, startedAt, QDateTime::currentMSecsSinceEpoch()};
        auto found = changes(m_git, asked);
        VERIFY_OK(found);
        QCOMPARE(found->files.size(), 5);
        QCOMPARE(inTurn(found), QStringList{});
        QTest::qWait(20);

        // In it: again one of those, a new one, one that is committed, one only touched, one moved, one staged only.
        m_fixture.write(tree, QStringLiteral("b"), "in it\n");
        m_fixture.write(tree, QStringLiteral("new-in-turn"), "y\n");
        m_fixture.mustGit(tree, {QStringLiteral("mv"), QStringLiteral("d"), QStringLiteral("moved")});
        m_fixture.mustGit(tree, {QStringLiteral("add"), QStringLiteral("new-before")});
        QFile touched(tree + QStringLiteral("/staged-before"));
        QVERIFY(touched.open(QIODevice::ReadWrite) && touched.setFileTime(QDateTime::currentDateTime().addSecs(50), QFileDevice::FileModificationTime));
        touched.close();
        m_fixture.write(tree, QStringLiteral("e"), "in it, committed\n");
        m_fixture.mustGit(tree, {QStringLiteral("commit"), QStringLiteral("-qm"), QStringLiteral("in it"), QStringLiteral("--"), QStringLiteral("e")});
        found = changes(m_git, asked);
        VERIFY_OK(found);
        QCOMPARE(inTurn(found), (QStringList{QStringLiteral("committed:e"), QStringLiteral("staged:moved"), QStringLiteral("unstaged:b"), QStringLiteral("untracked:new-in-turn")}));

        // The next turn begins where this one ended.
        QTest::qWait(20);
        const Millis again = QDateTime::currentMSecsSinceEpoch();
        VERIFY_OK(record(m_git, tree, mark));
        asked.turn = {mark, again, QDateTime::currentMSecsSinceEpoch()};
        found = changes(m_git, asked);
        VERIFY_OK(found);
        QCOMPARE(inTurn(found), QStringList{});
        // Written while it was noted: counts as of the turn, whatever the note saw.
        m_fixture.write(tree, QStringLiteral("b"), "in the middle\n");
        VERIFY_OK(record(m_git, tree, mark));
        asked.turn.recordedAt = QDateTime::currentMSecsSinceEpoch();
        found = changes(m_git, asked);
        QCOMPARE(inTurn(found), QStringList{QStringLiteral("unstaged:b")});
    }

    void nothingIsTouched()
    {
        const QString tree = makeTree(QStringLiteral("untouched"));
        m_fixture.write(tree, QStringLiteral("a"), "edited\n");
        m_fixture.write(tree, QStringLiteral("b"), "staged\n");
        m_fixture.mustGit(tree, {QStringLiteral("add"), QStringLiteral("b")});
        m_fixture.write(tree, QStringLiteral("new/file"), "n\n");
        QFile file(tree + QStringLiteral("/c"));
        QVERIFY(file.open(QIODevice::ReadWrite) && file.setFileTime(QDateTime::currentDateTime().addSecs(-5), QFileDevice::FileModificationTime));
        file.close();
        const QString mark = m_fixture.path(QStringLiteral("mark2"));
        const auto files = picture(tree);
        const auto repository = picture(m_repo + QStringLiteral("/.git"));
        VERIFY_OK(record(m_git, tree, mark));
        ChangesRequest asked{tree, m_base};
        asked.turn = {mark, 1, 2};
        VERIFY_OK(changes(m_git, asked));
        VERIFY_OK(waitFor<FileNames>([&](QObject *context, auto done) { listFiles(m_git, tree, context, done); }));
        VERIFY_OK(waitFor<FilePiece>([&](QObject *context, auto done) { readCommitted(m_git, {tree, QStringLiteral("a"), m_base}, context, done); }));
        VERIFY_OK(foundry::test::diff(m_git, {tree, QStringLiteral("new/file"), {}, ChangeScope::Untracked}));
        QCOMPARE(picture(tree), files);
        QCOMPARE(picture(m_repo + QStringLiteral("/.git")), repository); // not even an object
        // Another git holds the index: we neither wait for it nor stand in its way.
        const QString lock = m_repo + QStringLiteral("/.git/worktrees/untouched/index.lock");
        m_fixture.write(m_repo, QStringLiteral(".git/worktrees/untouched/index.lock"), "theirs");
        VERIFY_OK(changes(m_git, asked));
        VERIFY_OK(record(m_git, tree, mark));
        QVERIFY(QFile::exists(lock));
        QVERIFY(QFile::remove(lock));
        // And one that works all the time never meets a lock of ours.
        QProcess busy;
        busy.setProcessEnvironment(m_fixture.environment());
        busy.start(QStringLiteral("sh"), {QStringLiteral("-c"), QStringLiteral("i=0; while [ $i -lt 30 ]; do git -C \"$0\" add -A && git -C \"$0\" reset -q || exit 1; i=$((i+1)); done"), tree});
        QVERIFY(busy.waitForStarted());
        int rounds = 0;
        while (busy.state() != QProcess::NotRunning && rounds < 200) {
            VERIFY_OK(changes(m_git, asked));
            VERIFY_OK(record(m_git, tree, mark));
            ++rounds;
        }
        QVERIFY(busy.state() == QProcess::NotRunning || busy.waitForFinished(30000));
        QVERIFY2(busy.exitCode() == 0, busy.readAllStandardError().constData());
        QVERIFY(rounds > 0);
    }

    void upstreamCounts()
    {
        const QString tree = makeTree(QStringLiteral("tracking"));
        auto found = changes(m_git, {tree, m_base});
        VERIFY_OK(found);
        QVERIFY(!found->header.upstream && !found->header.upstreamAhead);
        m_fixture.write(tree, QStringLiteral("a"), "one\n");
        m_fixture.commitAll(tree, QStringLiteral("one"));
        m_fixture.mustGit(tree, {QStringLiteral("update-ref"), QStringLiteral("refs/remotes/origin/tracking"), QStringLiteral("HEAD")});
        m_fixture.mustGit(m_repo, {QStringLiteral("config"), QStringLiteral("remote.origin.url"), QStringLiteral("/nowhere")});
        m_fixture.mustGit(m_repo, {QStringLiteral("config"), QStringLiteral("remote.origin.fetch"), QStringLiteral("+refs/heads/*:refs/remotes/origin/*")});
        m_fixture.mustGit(tree, {QStringLiteral("branch"), QStringLiteral("-q"), QStringLiteral("-u"), QStringLiteral("origin/tracking")});
        m_fixture.write(tree, QStringLiteral("a"), "two\n");
        m_fixture.commitAll(tree, QStringLiteral("two"));
        found = changes(m_git, {tree, m_base});
        VERIFY_OK(found);
        QCOMPARE(found->header.upstream.value_or(QString()), QStringLiteral("origin/tracking"));
        QCOMPARE(found->header.upstreamAhead.value_or(-1), 1);
        QCOMPARE(found->header.upstreamBehind.value_or(-1), 0);
        QCOMPARE(found->header.ahead, 2);
    }

    void submodules()
    {
        const QString library = m_fixture.makeRepository(QStringLiteral("library"));
        const QString app = m_fixture.makeRepository(QStringLiteral("app"));
        m_fixture.mustGit(app, {QStringLiteral("-c"), QStringLiteral("protocol.file.allow=always"), QStringLiteral("submodule"), QStringLiteral("add"), QStringLiteral("-q"), library, QStringLiteral("lib")});
        m_fixture.commitAll(app, QStringLiteral("with a submodule"));
        m_fixture.write(app, QStringLiteral("lib/README.md"), "only dirty inside\n");
        auto found = changes(m_git, {app, QStringLiteral("HEAD")});
        VERIFY_OK(found);
        QVERIFY(found->files.isEmpty());
        m_fixture.commitAll(app + QStringLiteral("/lib"), QStringLiteral("moved on"));
        found = changes(m_git, {app, QStringLiteral("HEAD")});
        VERIFY_OK(found);
        QCOMPARE(found->files.size(), 1);
        QCOMPARE(found->files.first().id, QStringLiteral("unstaged:lib"));
        QCOMPARE(found->files.first().status, QStringLiteral("M"));
    }

    // One git at a time, people's questions before the housekeeping.
    void lane()
    {
        QObject owner;
        GitLane lane(&owner);
        QStringList order;
        int inside = 0;
        const auto enter = [&](GitLane::Urgency urgency, const QString &name) {
            lane.enter(urgency, [&, name](const GitLane::Release &release) -> GitJob * {
                if (++inside != 1)
                    order.append(QStringLiteral("two at once"));
                order.append(name);
                QTimer::singleShot(2, &owner, [&, release] {
                    --inside;
                    release();
                    release(); // again is harmless
                });
                return nullptr;
            });
        };
        enter(GitLane::Urgency::Background, QStringLiteral("b1"));
        enter(GitLane::Urgency::Background, QStringLiteral("b2"));
        enter(GitLane::Urgency::Asked, QStringLiteral("a1"));
        QVERIFY(order.isEmpty());
        QTRY_COMPARE(order.size(), 1);
        enter(GitLane::Urgency::Asked, QStringLiteral("a2"));
        QTRY_VERIFY(lane.isIdle());
        QCOMPARE(order, (QStringList{QStringLiteral("a1"), QStringLiteral("a2"), QStringLiteral("b1"), QStringLiteral("b2")}));
    }

    // A command does not wait for a read: its git is ended, and the read is done again afterwards.
    void laneForCommands()
    {
        const QString tree = makeTree(QStringLiteral("lane"));
        m_fixture.write(m_fixture.root(), QStringLiteral("hanging/git"), "#!/bin/sh\nexec sleep 600\n", true);
        GitEnvironment hanging = m_git;
        hanging.program = m_fixture.path(QStringLiteral("hanging/git"));
        QObject owner;
        GitLane lane(&owner);
        QStringList order;
        const auto read = [&](GitLane::Urgency urgency, const QString &name) {
            lane.enter(urgency, [&, name](const GitLane::Release &release) {
                const bool again = order.contains(name);
                order.append(name);
                return listFiles(again ? m_git : hanging, tree, &owner, [&, name, release](const Result<FileNames> &found) {
                    if (release())
                        order.append(name + (found ? QStringLiteral(" read") : QStringLiteral(" failed")));
                });
            });
        };
        read(GitLane::Urgency::Background, QStringLiteral("b1"));
        QTRY_COMPARE(order, QStringList{QStringLiteral("b1")});
        read(GitLane::Urgency::Asked, QStringLiteral("a1"));
        GitLane::Release keep;
        for (const QString &name : {QStringLiteral("c1"), QStringLiteral("c2")}) {
            lane.enter(GitLane::Urgency::Command, [&, name](const GitLane::Release &release) -> GitJob * {
                order.append(name);
                keep = release;
                return nullptr;
            });
        }
        // One command after the other; a command is not ended for another.
        QTRY_COMPARE(order, (QStringList{QStringLiteral("b1"), QStringLiteral("c1")}));
        QVERIFY(keep());
        QTRY_COMPARE(order.last(), QStringLiteral("c2"));
        QVERIFY(keep());
        QTRY_COMPARE(order.last(), QStringLiteral("a1")); // hangs
        lane.enter(GitLane::Urgency::Command, [&](const GitLane::Release &release) -> GitJob * {
            order.append(QStringLiteral("c3"));
            release();
            return nullptr;
        });
        QTRY_VERIFY(lane.isIdle());
        QCOMPARE(order.mid(3), (QStringList{QStringLiteral("a1"), QStringLiteral("c3"), QStringLiteral("a1"), QStringLiteral("a1 read"), QStringLiteral("b1"), QStringLiteral("b1 read")}));
    }

    // The whole of it in one process after the other.
    void oneAtATime()
    {
        const QString tree = makeTree(QStringLiteral("single"));
        m_fixture.write(tree, QStringLiteral("a"), "edited\n");
        m_fixture.write(tree, QStringLiteral("new"), "n\n");
        const QString real = QString::fromUtf8(m_fixture.git(tree, {QStringLiteral("--exec-path")}).out.trimmed()) + QStringLiteral("/git");
        m_fixture.write(m_fixture.root(), QStringLiteral("bin/git"),
            "#!/bin/sh\nmkdir '" + m_fixture.root().toUtf8() + "/inside' || touch '" + m_fixture.root().toUtf8() + "/two'\n" + real.toUtf8() + " \"$@\"\nr=$?\nrmdir '"
                + m_fixture.root().toUtf8() + "/inside'\nexit $r\n",
            true);
        GitEnvironment git = m_git;
        git.program = m_fixture.path(QStringLiteral("bin/git"));
        const auto found = changes(git, {tree, m_base});
        VERIFY_OK(found);
        QCOMPARE(found->files.size(), 2);
        QVERIFY(!QFile::exists(m_fixture.path(QStringLiteral("two"))));
    }
};

QTEST_GUILESS_MAIN(TestLastTurn)
#include "tst_lastturn.moc"
