// What a folder is, its branches, and cloning, with real repositories.
#include "tests/backend_git/gitwait.h"

#include <QDir>
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTcpServer>

#include <unistd.h>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class TestRepository : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void ordinary()
    {
        const GitFixture fixture;
        const QString repo = fixture.makeRepository(QStringLiteral("my repo"));
        fixture.mustGit(repo, {QStringLiteral("remote"), QStringLiteral("add"), QStringLiteral("origin"), QStringLiteral("https://ada@example.com/a/app.git")});
        const GitEnvironment git = gitFor(fixture);
        auto info = inspect(git, repo + QStringLiteral("/src"));
        VERIFY_OK(info);
        QCOMPARE(info->topLevel, repo);
        QCOMPARE(info->commonDir, repo + QStringLiteral("/.git"));
        QCOMPARE(info->defaultBranch.value_or(QString()), QStringLiteral("main"));
        QCOMPARE(info->headBranch.value_or(QString()), QStringLiteral("main"));
        QCOMPARE(info->head.value_or(QString()).size(), 40);
        QVERIFY(!info->isBare && !info->isEmpty && !info->dirty && info->hasIdentity);
        QCOMPARE(info->originUrl, QStringLiteral("https://example.com/a/app.git"));
        // The .git folder itself is the same repository.
        info = inspect(git, repo + QStringLiteral("/.git"));
        VERIFY_OK(info);
        QCOMPARE(info->topLevel, repo);
        QVERIFY(!info->isBare);
    }
    void dirtyInEachWay()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("r"));
        const QByteArray index = fixture.read(repo, QStringLiteral(".git/index"));
        fixture.write(repo, QStringLiteral("README.md"), "edited\n");
        QVERIFY(inspect(git, repo)->dirty);
        QCOMPARE(fixture.read(repo, QStringLiteral(".git/index")), index);
        fixture.mustGit(repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("README.md")});
        QVERIFY(!inspect(git, repo)->dirty);
        fixture.write(repo, QStringLiteral("new.txt"), "new\n");
        QVERIFY(inspect(git, repo)->dirty);
        fixture.write(repo, QStringLiteral(".git/info/exclude"), "new.txt\n");
        QVERIFY(!inspect(git, repo)->dirty);
        fixture.write(repo, QStringLiteral("staged.txt"), "staged\n");
        fixture.mustGit(repo, {QStringLiteral("add"), QStringLiteral("staged.txt")});
        QVERIFY(inspect(git, repo)->dirty);
    }
    void unusualStates()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString empty = fixture.makeEmpty(QStringLiteral("empty"));
        auto info = inspect(git, empty);
        VERIFY_OK(info);
        QVERIFY(info->isEmpty && !info->head);
        QCOMPARE(info->headBranch.value_or(QString()), QStringLiteral("main"));

        const QString repo = fixture.makeRepository(QStringLiteral("detached"));
        fixture.mustGit(repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("--detach")});
        info = inspect(git, repo);
        VERIFY_OK(info);
        QVERIFY(!info->headBranch && info->head);
        QCOMPARE(info->defaultBranch.value_or(QString()), QStringLiteral("main"));

        fixture.mustGit(fixture.root(), {QStringLiteral("clone"), QStringLiteral("-q"), QStringLiteral("--bare"), repo, QStringLiteral("bare.git")});
        info = inspect(git, fixture.path(QStringLiteral("bare.git")));
        VERIFY_OK(info);
        QVERIFY(info->isBare && !info->dirty);
        QCOMPARE(info->topLevel, fixture.path(QStringLiteral("bare.git")));

        // origin's own default wins over ours.
        fixture.mustGit(repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("trunk")});
        fixture.mustGit(fixture.root(), {QStringLiteral("clone"), QStringLiteral("-q"), repo, QStringLiteral("copy")});
        fixture.mustGit(fixture.path(QStringLiteral("copy")), {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("main")});
        QCOMPARE(inspect(git, fixture.path(QStringLiteral("copy")))->defaultBranch.value_or(QString()), QStringLiteral("trunk"));
    }
    void noIdentity()
    {
        const GitFixture fixture;
        const QString repo = fixture.makeRepository(QStringLiteral("r"));
        fixture.write(fixture.path(QStringLiteral("home")), QStringLiteral(".gitconfig"), "");
        GitEnvironment git = gitFor(fixture);
        QVERIFY(!inspect(git, repo)->hasIdentity);
        git.environment.insert(QStringLiteral("GIT_COMMITTER_NAME"), QStringLiteral("A"));
        git.environment.insert(QStringLiteral("EMAIL"), QStringLiteral("a@b.c"));
        QVERIFY(inspect(git, repo)->hasIdentity);
    }
    void refused()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString plain = fixture.path(QStringLiteral("plain"));
        QDir().mkpath(plain);
        fixture.write(plain, QStringLiteral("file"), "x");
        VERIFY_CODE(inspect(git, fixture.path(QStringLiteral("nowhere"))), "not_found");
        VERIFY_CODE(inspect(git, plain + QStringLiteral("/file")), "not_found");
        VERIFY_CODE(inspect(git, QStringLiteral("relative")), "not_found");
        VERIFY_CODE(inspect(git, {}), "not_found");
        const auto none = inspect(git, plain);
        VERIFY_CODE(none, "not_a_repository");
        QVERIFY(none.error().action.contains(QLatin1StringView("git init")));
        const QString broken = fixture.makeRepository(QStringLiteral("broken"));
        fixture.write(broken, QStringLiteral(".git/config"), "[core\nnonsense");
        VERIFY_CODE(inspect(git, broken), "damaged");
    }
    void dubiousOwnership()
    {
        if (::geteuid() != 0)
            QSKIP("needs root to give a folder away");
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("theirs"));
        QCOMPARE(::chown(repo.toUtf8().constData(), 12345, 12345), 0);
        QCOMPARE(::chown(QString(repo + QStringLiteral("/.git")).toUtf8().constData(), 12345, 12345), 0);
        const auto info = inspect(git, repo);
        VERIFY_CODE(info, "untrusted");
        QCOMPARE(info.error().action, QStringLiteral("If you trust it, run: git config --global --add safe.directory ") + repo);
        // Doing what it says helps.
        fixture.mustGit(fixture.root(), {QStringLiteral("config"), QStringLiteral("--global"), QStringLiteral("--add"), QStringLiteral("safe.directory"), repo});
        VERIFY_OK(inspect(git, repo));
    }
    void gitMissingOrOld()
    {
        const GitFixture fixture;
        GitEnvironment git = gitFor(fixture);
        const auto version = [&git] { return waitFor<QString>([&](QObject *context, auto done) { checkGitVersion(git, context, done); }); };
        VERIFY_OK(version());
        QVERIFY(version()->startsWith(QLatin1StringView("2.")));
        fixture.write(fixture.root(), QStringLiteral("old"), "#!/bin/sh\necho git version 2.17.1\n", true);
        git.program = fixture.path(QStringLiteral("old"));
        VERIFY_CODE(version(), "too_old");
        git.program = fixture.path(QStringLiteral("absent"));
        VERIFY_CODE(version(), "not_installed");
        VERIFY_CODE(inspect(git, fixture.root()), "not_installed");
    }
    void timeoutAndCancel()
    {
        const GitFixture fixture;
        GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("r"));
        fixture.write(fixture.root(), QStringLiteral("hung"), "#!/bin/sh\nsleep 60\n", true);
        git.program = fixture.path(QStringLiteral("hung"));
        QElapsedTimer clock;
        clock.start();
        VERIFY_CODE(waitFor<RepositoryInfo>([&](QObject *context, auto done) { inspectRepository(git, repo, context, done, 200); }), "timeout");
        VERIFY_CODE(waitFor<RepositoryInfo>([&](QObject *context, auto done) {
            GitJob *job = inspectRepository(git, repo, context, done);
            QTimer::singleShot(100, job, &GitJob::cancel);
        }), "cancelled");
        VERIFY_CODE(waitFor<RepositoryInfo>([&](QObject *context, auto done) { inspectRepository(git, repo, context, done)->cancel(); }), "cancelled");
        QVERIFY(clock.elapsed() < 3000);
        // A context that goes away takes the answer with it.
        bool answered = false;
        auto context = std::make_unique<QObject>();
        inspectRepository(git, repo, context.get(), [&](const Result<RepositoryInfo> &) { answered = true; });
        QTest::qWait(100);
        QTest::failOnWarning(QRegularExpression(QStringLiteral("Destroyed while process")));
        context.reset();
        QTest::qWait(50);
        QVERIFY(!answered);
    }
    void branches()
    {
        const GitFixture fixture;
        const QString repo = fixture.makeRepository(QStringLiteral("r"));
        fixture.mustGit(repo, {QStringLiteral("branch"), QStringLiteral("fix/größe")});
        fixture.mustGit(fixture.root(), {QStringLiteral("clone"), QStringLiteral("-q"), repo, QStringLiteral("copy")});
        const auto all = waitFor<QList<BranchInfo>>([&](QObject *context, auto done) { listBranches(gitFor(fixture), fixture.path(QStringLiteral("copy")), context, done); });
        VERIFY_OK(all);
        QStringList names;
        for (const BranchInfo &branch : *all) {
            names += branch.name + (branch.isRemote ? QStringLiteral(" remote") : QString()) + (branch.current ? QStringLiteral(" current") : QString());
            QCOMPARE(branch.head.size(), 40);
            QVERIFY(branch.committedAt > 1600000000000);
        }
        names.sort();
        QCOMPARE(names, (QStringList{QStringLiteral("main current"), QStringLiteral("origin/fix/größe remote"), QStringLiteral("origin/main remote")}));
    }

    void cloneFromFile()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString source = fixture.makeRepository(QStringLiteral("source"));
        fixture.mustGit(source, {QStringLiteral("branch"), QStringLiteral("fix")});
        const CloneRequest request{QStringLiteral("file://") + source, fixture.path(QStringLiteral("data/repos/r1"))};
        double last = -1;
        const auto cloned = waitFor<CloneInfo>([&](QObject *context, auto done) {
            GitJob *job = cloneRepository(git, request, context, done);
            connect(job, &GitJob::progress, context, [&](double fraction, const QString &text) {
                QVERIFY(fraction >= last && !text.isEmpty());
                last = fraction;
            });
        });
        VERIFY_OK(cloned);
        QCOMPARE(last, 1.0);
        QCOMPARE(cloned->repository, request.targetDir);
        const auto info = inspect(git, cloned->repository);
        VERIFY_OK(info);
        QVERIFY(info->isBare && !info->isEmpty);
        QCOMPARE(info->defaultBranch.value_or(QString()), QStringLiteral("main"));
        QCOMPARE(QDir(fixture.path(QStringLiteral("data/repos"))).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), QStringList{QStringLiteral("r1")});
        // A task may start from a remote's branch, and even take the default branch itself.
        VERIFY_OK(add(git, {cloned->repository, fixture.path(QStringLiteral("wt1")), QStringLiteral("task-1"), QStringLiteral("origin/fix")}));
        VERIFY_OK(add(git, {cloned->repository, fixture.path(QStringLiteral("wt2")), QStringLiteral("main"), {}, true}));
        // Again, as after a crash before it was noted: done. Another address: not that one.
        VERIFY_OK(clone(git, request));
        VERIFY_CODE(clone(git, {QStringLiteral("file:///elsewhere"), request.targetDir}), "path_exists");
    }
    void cloneOfAnEmptyOne()
    {
        const GitFixture fixture;
        const QString source = fixture.makeEmpty(QStringLiteral("source"));
        const auto cloned = clone(gitFor(fixture), {QStringLiteral("file://") + source, fixture.path(QStringLiteral("copy"))});
        VERIFY_OK(cloned);
        QVERIFY(inspect(gitFor(fixture), cloned->repository)->isEmpty);
    }
    void cloneThatFails()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString target = fixture.path(QStringLiteral("data/r"));
        VERIFY_CODE(clone(git, {QStringLiteral("file:///no/such/repository"), target}), "not_found");
        VERIFY_CODE(clone(git, {QStringLiteral("ext::sh -c true"), target}), "invalid");
        VERIFY_CODE(clone(git, {QStringLiteral("http://127.0.0.1:1/x"), target}), "network");
        VERIFY_CODE(clone(git, {QStringLiteral("https://no-such-host.invalid/x"), target}), "network");
        QVERIFY(QDir(fixture.path(QStringLiteral("data"))).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot).isEmpty());
    }
    // A server that wants a password: refused at once, whatever the user's configuration would ask with.
    void neverAsks()
    {
        GitFixture fixture;
        const QString canary = fixture.path(QStringLiteral("asked"));
        fixture.write(fixture.root(), QStringLiteral("ask"), "#!/bin/sh\ntouch '" + canary.toUtf8() + "'\necho secret\n", true);
        for (const char *name : {"GIT_ASKPASS", "SSH_ASKPASS"})
            fixture.setVariable(QString::fromLatin1(name), fixture.path(QStringLiteral("ask")));
        fixture.mustGit(fixture.root(), {QStringLiteral("config"), QStringLiteral("--global"), QStringLiteral("core.askPass"), fixture.path(QStringLiteral("ask"))});
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        connect(&server, &QTcpServer::newConnection, &server, [&] {
            QTcpSocket *socket = server.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [socket] {
                socket->readAll();
                socket->write("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                socket->disconnectFromHost();
            });
        });
        const auto cloned = clone(gitFor(fixture), {QStringLiteral("http://127.0.0.1:%1/a.git").arg(server.serverPort()), fixture.path(QStringLiteral("c"))});
        VERIFY_CODE(cloned, "auth_failed");
        QVERIFY(!QFile::exists(canary));
    }
    // A stand-in that has begun to write and then hangs; and what it leaves when the host itself is killed.
    void cancelAClone()
    {
        const GitFixture fixture;
        GitEnvironment git = gitFor(fixture);
        fixture.write(fixture.root(), QStringLiteral("slow/git"),
            "#!/bin/sh\nfor last; do :; done\nmkdir -p \"$last/.git/objects\"; echo part > \"$last/.git/objects/x\"\n"
            "printf 'Receiving objects:  10%% (1/10)\\r' >&2\nsleep 60\n", true);
        git.program = fixture.path(QStringLiteral("slow/git"));
        const QString target = fixture.path(QStringLiteral("data/r"));
        QElapsedTimer clock;
        clock.start();
        const auto cancelled = waitFor<CloneInfo>([&](QObject *context, auto done) {
            GitJob *job = cloneRepository(git, {QStringLiteral("file:///x"), target}, context, done);
            connect(job, &GitJob::progress, job, [job](double fraction, const QString &) {
                if (fraction > 0.05)
                    job->cancel();
            });
        });
        VERIFY_CODE(cancelled, "cancelled");
        QVERIFY(clock.elapsed() < 3000);
        QVERIFY(QDir(fixture.path(QStringLiteral("data"))).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot).isEmpty());
        VERIFY_CODE(waitFor<CloneInfo>([&](QObject *context, auto done) { cloneRepository(git, {QStringLiteral("file:///x"), target}, context, done, 60000, 300); }), "timeout");
        QVERIFY(QDir(fixture.path(QStringLiteral("data"))).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot).isEmpty());
        // A rest from before does not stand in the way.
        const QString source = fixture.makeRepository(QStringLiteral("source"));
        fixture.write(fixture.path(QStringLiteral("data/.r.cloning/.git")), QStringLiteral("junk"), "x");
        git.program = QStringLiteral("git");
        VERIFY_OK(clone(git, {QStringLiteral("file://") + source, target}));
        QVERIFY(!QFile::exists(target + QStringLiteral("/junk")));
    }
};

QTEST_GUILESS_MAIN(TestRepository)
#include "tst_repository.moc"
