// Work trees for tasks: made, found again, made anew after a crash, removed.
#include "backend/git/worktreelist.h"
#include "tests/backend_git/gitwait.h"

#include <QDir>

#include <csignal>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class TestWorktree : public QObject {
    Q_OBJECT

private:
    static QStringList worktrees(const GitFixture &fixture, const QString &repo)
    {
        QStringList paths;
        const auto entries = parseWorktreeList(fixture.mustGit(repo, worktreeListArguments()));
        for (const WorktreeEntry &entry : entries)
            paths += QDir(fixture.root()).relativeFilePath(entry.path) + QLatin1Char(' ') + entry.branch + (entry.isLocked ? QStringLiteral(" locked") : QString());
        return paths;
    }
    static QString head(const GitFixture &fixture, const QString &where, const QString &revision = QStringLiteral("HEAD"))
    {
        return fixture.git(where, {QStringLiteral("rev-parse"), revision}).line();
    }

private Q_SLOTS:
    void newBranch()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        // The user's own edits: staged, unstaged and new.
        fixture.write(repo, QStringLiteral("README.md"), "mine\n");
        fixture.write(repo, QStringLiteral("mine.txt"), "mine\n");
        fixture.mustGit(repo, {QStringLiteral("add"), QStringLiteral("mine.txt")});
        const QByteArray before = fixture.mustGit(repo, {QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("--branch")});
        const QByteArray index = fixture.read(repo, QStringLiteral(".git/index"));

        QStringList texts;
        double last = 0;
        const AddWorktreeRequest request{repo, fixture.path(QStringLiteral("data/tasks/t 1")), QStringLiteral("fix-login-abc123")};
        const auto made = waitFor<WorktreeInfo>([&](QObject *context, auto done) {
            GitJob *job = addWorktree(git, request, context, done);
            connect(job, &GitJob::progress, context, [&](double fraction, const QString &text) {
                QVERIFY(fraction >= last);
                last = fraction;
                texts += text;
            });
        });
        VERIFY_OK(made);
        QVERIFY(made->created);
        QCOMPARE(made->path, request.path);
        QCOMPARE(last, 1.0);
        QVERIFY(texts.size() >= 3);
        QCOMPARE(fixture.read(made->path, QStringLiteral("README.md")), QByteArray("# Example\n\nA small repository.\n"));
        QVERIFY(!QFile::exists(made->path + QStringLiteral("/mine.txt")));
        QCOMPARE(fixture.git(made->path, {QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("--branch")}).line(), QStringLiteral("## fix-login-abc123"));
        QCOMPARE(made->head, head(fixture, repo));
        QCOMPARE(worktrees(fixture, repo), (QStringList{QStringLiteral("repo main"), QStringLiteral("data/tasks/t 1 fix-login-abc123")}));
        // The checkout is as it was, to the byte.
        QCOMPARE(fixture.mustGit(repo, {QStringLiteral("--no-optional-locks"), QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("--branch")}), before);
        QCOMPARE(fixture.read(repo, QStringLiteral(".git/index")), index);
        // Commits by a user's git work there, with a reflog.
        fixture.write(made->path, QStringLiteral("x"), "x");
        fixture.commitAll(made->path, QStringLiteral("x"));

        // Again: it is there, with what was committed since.
        const auto again = add(git, request);
        VERIFY_OK(again);
        QVERIFY(!again->created);
        QCOMPARE(again->head, head(fixture, made->path));
    }
    void bases_data()
    {
        QTest::addColumn<QString>("base");
        QTest::addColumn<QString>("is");
        QTest::newRow("branch") << QStringLiteral("old") << QStringLiteral("main~1");
        QTest::newRow("tag") << QStringLiteral("v1") << QStringLiteral("main~1");
        QTest::newRow("remote branch") << QStringLiteral("origin/far") << QStringLiteral("main~2");
        QTest::newRow("remote branch by its name") << QStringLiteral("far") << QStringLiteral("main~2");
        QTest::newRow("revision") << QStringLiteral("HEAD~2") << QStringLiteral("main~2");
        QTest::newRow("nothing said") << QString() << QStringLiteral("main");
    }
    void bases()
    {
        QFETCH(QString, base);
        QFETCH(QString, is);
        const GitFixture fixture;
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        for (const char *name : {"second", "third"}) {
            fixture.write(repo, QString::fromLatin1(name), "x");
            fixture.commitAll(repo, QString::fromLatin1(name));
        }
        fixture.mustGit(repo, {QStringLiteral("branch"), QStringLiteral("old"), QStringLiteral("HEAD~1")});
        fixture.mustGit(repo, {QStringLiteral("tag"), QStringLiteral("-m"), QStringLiteral("x"), QStringLiteral("v1"), QStringLiteral("HEAD~1")});
        fixture.mustGit(repo, {QStringLiteral("update-ref"), QStringLiteral("refs/remotes/origin/far"), QStringLiteral("HEAD~2")});
        const auto made = add(gitFor(fixture), {repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task"), base});
        VERIFY_OK(made);
        QCOMPARE(made->head, head(fixture, repo, is));
        QCOMPARE(head(fixture, made->path, QStringLiteral("task")), made->head);
    }
    void refused()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        const QString path = fixture.path(QStringLiteral("wt"));
        fixture.mustGit(repo, {QStringLiteral("branch"), QStringLiteral("taken")});
        fixture.mustGit(repo, {QStringLiteral("branch"), QStringLiteral("dir/leaf")});
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("taken")}), "branch_exists");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("taken/below")}), "branch_exists");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("dir")}), "branch_exists");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("main"), {}, true}), "branch_in_use");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("absent"), {}, true}), "missing_ref");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("new"), QStringLiteral("no-such-base")}), "missing_ref");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("new"), QStringLiteral("--help")}), "missing_ref");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("new"), QString(40, QLatin1Char('1'))}), "missing_ref");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("a b")}), "invalid_name");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("-x")}), "invalid_name");
        VERIFY_CODE(add(git, {fixture.path(QStringLiteral("gone")), path, QStringLiteral("new")}), "not_found");
        VERIFY_CODE(add(git, {fixture.root(), path, QStringLiteral("new")}), "not_a_repository");
        VERIFY_CODE(add(git, {fixture.makeEmpty(QStringLiteral("empty")), path, QStringLiteral("new")}), "empty_repository");
        QVERIFY(!QFile::exists(path));
        fixture.write(path, QStringLiteral("somebody's"), "x");
        VERIFY_CODE(add(git, {repo, path, QStringLiteral("new")}), "path_exists");
        QCOMPARE(fixture.read(path, QStringLiteral("somebody's")), QByteArray("x"));
        // Nothing was left of all this.
        QCOMPARE(worktrees(fixture, repo), QStringList{QStringLiteral("repo main")});
        QCOMPARE(fixture.mustGit(repo, {QStringLiteral("branch"), QStringLiteral("--format=%(refname:short)")}), QByteArray("dir/leaf\nmain\ntaken\n"));
        QVERIFY(!QFile::exists(repo + QStringLiteral("/.git/worktrees")) || QDir(repo + QStringLiteral("/.git/worktrees")).isEmpty());
    }
    void adopt()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        fixture.mustGit(repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("work")});
        fixture.write(repo, QStringLiteral("w"), "w");
        fixture.commitAll(repo, QStringLiteral("w"));
        fixture.mustGit(repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("main")});
        fixture.mustGit(repo, {QStringLiteral("update-ref"), QStringLiteral("refs/remotes/origin/theirs"), QStringLiteral("work")});
        const auto local = add(git, {repo, fixture.path(QStringLiteral("wt1")), QStringLiteral("work"), {}, true});
        VERIFY_OK(local);
        QCOMPARE(fixture.read(local->path, QStringLiteral("w")), QByteArray("w"));
        for (const char *name : {"theirs", "origin/theirs"}) {
            const auto remote = add(git, {repo, fixture.path(QStringLiteral("wt2")), QString::fromLatin1(name), {}, true});
            VERIFY_OK(remote);
            QCOMPARE(remote->branch, QStringLiteral("theirs"));
            QCOMPARE(head(fixture, repo, QStringLiteral("refs/heads/theirs")), head(fixture, repo, QStringLiteral("work")));
            VERIFY_OK(foundry::test::remove(git, {repo, remote->path, true}));
            fixture.mustGit(repo, {QStringLiteral("branch"), QStringLiteral("-q"), QStringLiteral("-D"), QStringLiteral("theirs")});
        }
    }
    void detachedAndBare()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        fixture.mustGit(repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("--detach")});
        VERIFY_OK(add(git, {repo, fixture.path(QStringLiteral("a")), QStringLiteral("a")}));
        fixture.mustGit(fixture.root(), {QStringLiteral("clone"), QStringLiteral("-q"), QStringLiteral("--bare"), repo, QStringLiteral("bare.git")});
        const QString bare = fixture.path(QStringLiteral("bare.git"));
        VERIFY_OK(add(git, {bare, fixture.path(QStringLiteral("b")), QStringLiteral("b"), QStringLiteral("main")}));
        QCOMPARE(fixture.read(fixture.path(QStringLiteral("b")), QStringLiteral("src/main.cpp")), QByteArray("int main()\n{\n    return 0;\n}\n"));
    }
    // SIGKILL at every moment: a git stand-in that kills the whole program's git at its Nth call is too coarse, so the
    // states that lie between the steps are made by hand.
    void afterACrash_data()
    {
        QTest::addColumn<int>("steps"); // how far the earlier attempt came
        QTest::newRow("work tree made") << 1;
        QTest::newRow("branch made") << 2;
        QTest::newRow("branch taken") << 3;
        QTest::newRow("half of the files") << 4;
        QTest::newRow("folder without its pointer") << 5;
        QTest::newRow("folder gone") << 6;
        QTest::newRow("all but the unlock") << 7;
    }
    void afterACrash()
    {
        QFETCH(int, steps);
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        const QString path = fixture.path(QStringLiteral("wt"));
        fixture.mustGit(repo, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-q"), QStringLiteral("--no-checkout"), QStringLiteral("--detach"), QStringLiteral("--lock"),
            QStringLiteral("--reason"), QStringLiteral("Foundry Workbench is preparing this folder for task"), path, QStringLiteral("HEAD")});
        if (steps >= 2)
            fixture.mustGit(repo, {QStringLiteral("branch"), QStringLiteral("task")});
        if (steps >= 3)
            fixture.mustGit(path, {QStringLiteral("symbolic-ref"), QStringLiteral("HEAD"), QStringLiteral("refs/heads/task")});
        if (steps >= 4)
            fixture.write(path, QStringLiteral("README.md"), "# Exa");
        if (steps == 5)
            QVERIFY(QFile::remove(path + QStringLiteral("/.git")));
        if (steps == 6)
            QVERIFY(QDir(path).removeRecursively());
        if (steps == 7)
            fixture.mustGit(path, {QStringLiteral("reset"), QStringLiteral("-q"), QStringLiteral("--hard")});
        const auto made = add(git, {repo, path, QStringLiteral("task")});
        VERIFY_OK(made);
        QVERIFY(made->created);
        QCOMPARE(worktrees(fixture, repo), (QStringList{QStringLiteral("repo main"), QStringLiteral("wt task")}));
        QCOMPARE(fixture.git(path, {QStringLiteral("status"), QStringLiteral("--porcelain")}).out, QByteArray());
        QCOMPARE(fixture.read(path, QStringLiteral("README.md")), QByteArray("# Example\n\nA small repository.\n"));
    }
    // Really killed, in the middle of writing files.
    void killedGit()
    {
        const GitFixture fixture;
        GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        fixture.write(fixture.root(), QStringLiteral("bin/git"), "#!/bin/sh\ncase \"$*\" in *read-tree*) kill -9 $$;; esac\nexec git \"$@\"\n", true);
        git.program = fixture.path(QStringLiteral("bin/git"));
        const AddWorktreeRequest request{repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task")};
        const auto crashed = add(git, request);
        VERIFY_CODE(crashed, "failed");
        QVERIFY(crashed.error().message.contains(QLatin1StringView("signal 9")));
        QCOMPARE(worktrees(fixture, repo), QStringList{QStringLiteral("repo main")});
        QVERIFY(!QFile::exists(request.path));
        QVERIFY(!fixture.git(repo, {QStringLiteral("rev-parse"), QStringLiteral("--verify"), QStringLiteral("-q"), QStringLiteral("task")}).ok());
        git.program = QStringLiteral("git");
        VERIFY_OK(add(git, request));
    }
    void cancelled()
    {
        const GitFixture fixture;
        GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        fixture.write(fixture.root(), QStringLiteral("bin/git"), "#!/bin/sh\ncase \"$*\" in *read-tree*) echo half > \"$3/half\"; sleep 60;; esac\nexec git \"$@\"\n", true);
        git.program = fixture.path(QStringLiteral("bin/git"));
        const AddWorktreeRequest request{repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task")};
        VERIFY_CODE(waitFor<WorktreeInfo>([&](QObject *context, auto done) {
            GitJob *job = addWorktree(git, request, context, done);
            connect(job, &GitJob::progress, job, [job](double, const QString &text) {
                if (text == QLatin1StringView("Writing files"))
                    QTimer::singleShot(50, job, &GitJob::cancel);
            });
        }), "cancelled");
        QVERIFY(!QFile::exists(request.path));
        QCOMPARE(worktrees(fixture, repo), QStringList{QStringLiteral("repo main")});
        QVERIFY(!fixture.git(repo, {QStringLiteral("rev-parse"), QStringLiteral("--verify"), QStringLiteral("-q"), QStringLiteral("task")}).ok());
    }
    // The user removed the folder by hand: the task's branch is still its own.
    void folderRemovedByHand()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        const AddWorktreeRequest request{repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task")};
        VERIFY_OK(add(git, request));
        fixture.write(request.path, QStringLiteral("x"), "x");
        fixture.commitAll(request.path, QStringLiteral("x"));
        QVERIFY(QDir(request.path).removeRecursively());
        const auto again = add(git, request);
        VERIFY_OK(again);
        QVERIFY(again->created);
        QCOMPARE(fixture.read(request.path, QStringLiteral("x")), QByteArray("x"));
    }
    void removing()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        const QString path = fixture.path(QStringLiteral("wt"));
        VERIFY_OK(add(git, {repo, path, QStringLiteral("task")}));
        fixture.write(path, QStringLiteral("new.txt"), "work");
        VERIFY_CODE(foundry::test::remove(git, {repo, path}), "dirty");
        QCOMPARE(fixture.read(path, QStringLiteral("new.txt")), QByteArray("work"));
        VERIFY_OK(foundry::test::remove(git, {repo, path, true}));
        QVERIFY(!QFile::exists(path));
        VERIFY_OK(foundry::test::remove(git, {repo, path}));
        QVERIFY(fixture.git(repo, {QStringLiteral("rev-parse"), QStringLiteral("task")}).ok());
        // Never the user's own checkout, nor a folder that is none of ours.
        VERIFY_CODE(foundry::test::remove(git, {repo, repo, true}), "not_found");
        fixture.write(path, QStringLiteral("somebody's"), "x");
        VERIFY_CODE(foundry::test::remove(git, {repo, path, true}), "not_found");
        QVERIFY(QFile::exists(repo + QStringLiteral("/README.md")) && QFile::exists(path + QStringLiteral("/somebody's")));
        // A broken one, by hand.
        QVERIFY(QDir(path).removeRecursively());
        VERIFY_OK(add(git, {repo, path, QStringLiteral("task"), {}, true}));
        QVERIFY(QFile::remove(path + QStringLiteral("/.git")));
        VERIFY_OK(foundry::test::remove(git, {repo, path, true}));
        QVERIFY(!QFile::exists(path));
        QCOMPARE(worktrees(fixture, repo), QStringList{QStringLiteral("repo main")});
    }
    void longAndOddPaths()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("rep'o \"x\" ünï\n😀"));
        const QString path = fixture.path(QString(200, QLatin1Char('n')) + QStringLiteral("/$(touch x);\nw"));
        const QString branch = QString(180, QLatin1Char('b'));
        const auto made = add(git, {repo, path, branch});
        VERIFY_OK(made);
        QCOMPARE(made->path, path);
        const auto info = inspect(git, path);
        VERIFY_OK(info);
        QCOMPARE(info->topLevel, path);
        QCOMPARE(info->commonDir, repo + QStringLiteral("/.git"));
        QVERIFY(!add(git, {repo, path, branch})->created);
        VERIFY_OK(foundry::test::remove(git, {repo, path}));
    }
    // A link on the way to the folder: git writes the real path.
    void throughALink()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        QDir().mkpath(fixture.path(QStringLiteral("real")));
        QVERIFY(QFile::link(fixture.path(QStringLiteral("real")), fixture.path(QStringLiteral("link"))));
        const AddWorktreeRequest request{repo, fixture.path(QStringLiteral("link/wt")), QStringLiteral("task")};
        const auto made = add(git, request);
        VERIFY_OK(made);
        QCOMPARE(made->path, fixture.path(QStringLiteral("real/wt")));
        QVERIFY(!add(git, request)->created);
        VERIFY_OK(foundry::test::remove(git, {repo, request.path}));
    }
};

QTEST_GUILESS_MAIN(TestWorktree)
#include "tst_worktree.moc"
