// A repository that wants its own programs run: by hooks, filters, monitors, textconv, ssh, editors, signatures, aliases,
// credential helpers, submodules. Each is a canary that leaves a file. First the user's plain git shows that they bite; then
// none of our operations may wake one.
#include "tests/backend_git/gitwait.h"

#include <QDateTime>
#include <QDir>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class TestHostile : public QObject {
    Q_OBJECT

private:
    GitFixture m_fixture;
    QString m_repo;
    QString m_canaries;

    // Filters pass their input on; the others end at once.
    QString canary(const QString &name)
    {
        const bool isFilter = name.startsWith(QLatin1StringView("clean")) || name.startsWith(QLatin1StringView("smudge"));
        const QString script = QStringLiteral("bin/") + name;
        m_fixture.write(m_fixture.root(), script, "#!/bin/sh\ntouch '" + m_canaries.toUtf8() + "/" + name.toUtf8() + (isFilter ? "'\nexec cat\n" : name.startsWith(QLatin1StringView("hook-")) ? "'\n" : "'\nexit 1\n"), true);
        return m_fixture.path(script);
    }
    QStringList sung() const { return QDir(m_canaries).entryList(QDir::Files); }
    void silence()
    {
        for (const QString &name : sung())
            QFile::remove(m_canaries + QLatin1Char('/') + name);
    }
    void set(const QString &key, const QString &value) { m_fixture.mustGit(m_repo, {QStringLiteral("config"), key, value}); }
    // A canary under a key.
    void arm(const QString &key, const QString &name) { set(key, canary(name)); }

private Q_SLOTS:
    void initTestCase()
    {
        m_canaries = m_fixture.path(QStringLiteral("canaries"));
        QDir().mkpath(m_canaries);
        m_repo = m_fixture.makeRepository(QStringLiteral("repo"));
        m_fixture.write(m_repo, QStringLiteral("a.txt"), "1\n2\n3\n");
        m_fixture.write(m_repo, QStringLiteral("b.inc"), "b\n");
        m_fixture.write(m_repo, QStringLiteral("c.eq"), "c\n");
        m_fixture.write(m_repo, QStringLiteral("d.branch"), "d\n");
        m_fixture.write(m_repo, QStringLiteral("e.proc"), "e\n");
        m_fixture.write(m_repo, QStringLiteral("f.tree"), "f\n");
        m_fixture.write(m_repo, QStringLiteral(".gitattributes"),
            "*.txt filter=evil diff=evil merge=evil\n*.inc filter=included\n*.eq filter=a=b.c\n*.branch filter=onbranch\n*.proc filter=proc\n*.tree filter=intree\n");
        // A submodule: its address runs a program, and its checkout has a configuration of its own.
        const QString library = m_fixture.makeRepository(QStringLiteral("library"));
        m_fixture.mustGit(m_repo, {QStringLiteral("submodule"), QStringLiteral("add"), QStringLiteral("-q"), QStringLiteral("file://") + library, QStringLiteral("lib")});
        m_fixture.commitAll(m_repo, QStringLiteral("second"));
        m_fixture.mustGit(m_repo, {QStringLiteral("config"), QStringLiteral("-f"), QStringLiteral(".gitmodules"), QStringLiteral("submodule.lib.url"),
            QStringLiteral("ext::") + canary(QStringLiteral("submodule-url"))});
        m_fixture.commitAll(m_repo, QStringLiteral("third"));
        m_fixture.mustGit(m_repo + QStringLiteral("/lib"), {QStringLiteral("config"), QStringLiteral("core.fsmonitor"), canary(QStringLiteral("submodule-fsmonitor"))});

        for (const char *hook : {"post-checkout", "post-index-change", "reference-transaction", "pre-commit", "post-commit", "commit-msg", "pre-push", "post-merge", "fsmonitor-watchman"}) {
            const QString name = QStringLiteral("hook-") + QString::fromLatin1(hook);
            QVERIFY(QFile::copy(canary(name), m_repo + QStringLiteral("/.git/hooks/") + QString::fromLatin1(hook)));
            QDir().mkpath(m_fixture.path(QStringLiteral("hooks")));
            QVERIFY(QFile::copy(canary(name + QStringLiteral("-path")), m_fixture.path(QStringLiteral("hooks/")) + QString::fromLatin1(hook)));
        }
        arm(QStringLiteral("filter.evil.clean"), QStringLiteral("clean"));
        arm(QStringLiteral("filter.evil.smudge"), QStringLiteral("smudge"));
        set(QStringLiteral("filter.evil.required"), QStringLiteral("true"));
        arm(QStringLiteral("filter.a=b.c.smudge"), QStringLiteral("smudge-equals"));
        arm(QStringLiteral("filter.a=b.c.clean"), QStringLiteral("clean-equals"));
        arm(QStringLiteral("filter.proc.process"), QStringLiteral("process"));
        arm(QStringLiteral("diff.evil.textconv"), QStringLiteral("textconv"));
        arm(QStringLiteral("diff.evil.command"), QStringLiteral("diff-command"));
        arm(QStringLiteral("diff.external"), QStringLiteral("diff-external"));
        arm(QStringLiteral("merge.evil.driver"), QStringLiteral("merge-driver"));
        arm(QStringLiteral("core.fsmonitor"), QStringLiteral("fsmonitor"));
        arm(QStringLiteral("core.sshCommand"), QStringLiteral("ssh-command"));
        arm(QStringLiteral("core.gitProxy"), QStringLiteral("git-proxy"));
        arm(QStringLiteral("core.askPass"), QStringLiteral("askpass"));
        arm(QStringLiteral("core.editor"), QStringLiteral("editor"));
        arm(QStringLiteral("core.pager"), QStringLiteral("pager"));
        arm(QStringLiteral("core.alternateRefsCommand"), QStringLiteral("alternate-refs"));
        arm(QStringLiteral("sequence.editor"), QStringLiteral("sequence-editor"));
        arm(QStringLiteral("gpg.program"), QStringLiteral("gpg"));
        set(QStringLiteral("commit.gpgSign"), QStringLiteral("true"));
        set(QStringLiteral("log.showSignature"), QStringLiteral("true"));
        arm(QStringLiteral("credential.helper"), QStringLiteral("credential-helper"));
        arm(QStringLiteral("uploadpack.packObjectsHook"), QStringLiteral("pack-objects"));
        for (const char *command : {"status", "diff", "worktree", "config", "read-tree", "ls-files"})
            set(QStringLiteral("alias.") + QString::fromLatin1(command), QLatin1Char('!') + canary(QStringLiteral("alias")));
        set(QStringLiteral("submodule.lib.update"), QLatin1Char('!') + canary(QStringLiteral("submodule-update")));
        set(QStringLiteral("remote.origin.url"), QStringLiteral("ext::") + canary(QStringLiteral("remote-ext")));
        set(QStringLiteral("protocol.ext.allow"), QStringLiteral("always"));
        // By ways that a plain look at .git/config does not show.
        m_fixture.write(m_repo, QStringLiteral(".git/more"), "[filter \"included\"]\n\tsmudge = " + canary(QStringLiteral("smudge-include")).toUtf8() + "\n\tclean = "
                + canary(QStringLiteral("clean-include")).toUtf8() + '\n');
        m_fixture.write(m_repo, QStringLiteral(".git/branch"), "[filter \"onbranch\"]\n\tsmudge = " + canary(QStringLiteral("smudge-onbranch")).toUtf8() + "\n\tclean = "
                + canary(QStringLiteral("clean-onbranch")).toUtf8() + '\n');
        set(QStringLiteral("include.path"), QStringLiteral("more"));
        set(QStringLiteral("includeIf.onbranch:task-**.path"), QStringLiteral("branch"));
        set(QStringLiteral("extensions.worktreeConfig"), QStringLiteral("true"));
        m_fixture.write(m_repo, QStringLiteral(".git/config.worktree"), "[filter \"intree\"]\n\tsmudge = " + canary(QStringLiteral("smudge-worktree")).toUtf8() + "\n\tclean = "
                + canary(QStringLiteral("clean-worktree")).toUtf8() + '\n');
        set(QStringLiteral("core.hooksPath"), m_fixture.path(QStringLiteral("hooks")));
        // Edits that make git look into files.
        m_fixture.write(m_repo, QStringLiteral("a.txt"), "1\nuser\n3\n");
        // The same bytes at another time: else only a git that is quick enough to distrust the index would look.
        QFile same(m_repo + QStringLiteral("/c.eq"));
        QVERIFY(same.open(QIODevice::ReadWrite));
        QVERIFY(same.setFileTime(QDateTime::fromSecsSinceEpoch(1'000'000'000), QFileDevice::FileModificationTime));
        silence();
    }

    // Otherwise the test below would prove nothing.
    void plainGitWakesThem()
    {
        const QString tree = m_fixture.path(QStringLiteral("plain"));
        // The filter process makes git die; without it the rest is reached.
        m_fixture.git(m_repo, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-b"), QStringLiteral("task-dies"), m_fixture.path(QStringLiteral("dies"))});
        m_fixture.mustGit(m_repo, {QStringLiteral("config"), QStringLiteral("--unset"), QStringLiteral("filter.proc.process")});
        m_fixture.git(m_repo, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-b"), QStringLiteral("task-plain"), tree});
        arm(QStringLiteral("filter.proc.process"), QStringLiteral("process"));
        m_fixture.git(m_repo, {QStringLiteral("status")});
        m_fixture.git(m_repo, {QStringLiteral("diff")});
        m_fixture.git(m_repo, {QStringLiteral("log"), QStringLiteral("-p"), QStringLiteral("-1"), QStringLiteral("--ext-diff")});
        m_fixture.git(m_repo, {QStringLiteral("fetch")});
        set(QStringLiteral("core.hooksPath"), m_repo + QStringLiteral("/.git/hooks"));
        m_fixture.git(m_repo, {QStringLiteral("branch"), QStringLiteral("x")});
        m_fixture.git(m_repo, {QStringLiteral("branch"), QStringLiteral("-D"), QStringLiteral("x")});
        set(QStringLiteral("core.hooksPath"), m_fixture.path(QStringLiteral("hooks")));
        const QStringList awake = sung();
        for (const char *name : {"hook-post-checkout-path", "hook-reference-transaction", "smudge", "smudge-equals", "clean-equals", "diff-external", "process", "smudge-include", "smudge-onbranch", "smudge-worktree",
                 "fsmonitor", "remote-ext"})
            QVERIFY2(awake.contains(QString::fromLatin1(name)), qPrintable(QString::fromLatin1(name) + QStringLiteral(" did not bite; these did: ") + awake.join(QLatin1Char(' '))));
        m_fixture.git(m_repo, {QStringLiteral("worktree"), QStringLiteral("remove"), QStringLiteral("-f"), QStringLiteral("-f"), tree});
        m_fixture.git(m_repo, {QStringLiteral("branch"), QStringLiteral("-D"), QStringLiteral("task-plain")});
        // These two make the user's own git fail before it comes to the others.
        set(QStringLiteral("filter.proc.required"), QStringLiteral("true"));
        set(QStringLiteral("submodule.recurse"), QStringLiteral("true"));
        silence();
    }

    void oursDoNot()
    {
        const GitEnvironment git = gitFor(m_fixture);
        const auto info = inspect(git, m_repo);
        VERIFY_OK(info);
        QVERIFY(info->dirty);
        QCOMPARE(sung(), QStringList{});
        VERIFY_OK(waitFor<QList<BranchInfo>>([&](QObject *context, auto done) { listBranches(git, m_repo, context, done); }));
        QCOMPARE(sung(), QStringList{});

        const QString tree = m_fixture.path(QStringLiteral("wt"));
        const auto made = add(git, {m_repo, tree, QStringLiteral("task-1")});
        VERIFY_OK(made);
        QCOMPARE(sung(), QStringList{});
        QCOMPARE(m_fixture.read(tree, QStringLiteral("a.txt")), QByteArray("1\n2\n3\n"));
        QCOMPARE(m_fixture.read(tree, QStringLiteral("e.proc")), QByteArray("e\n"));

        // Every kind of change, without the agent's git.
        for (const char *file : {"a.txt", "b.inc", "c.eq", "d.branch", "e.proc", "f.tree", "new.txt"})
            m_fixture.write(tree, QString::fromLatin1(file), "changed\nby the agent\n");
        const auto found = changes(git, {tree, QStringLiteral("main")});
        VERIFY_OK(found);
        QCOMPARE(found->files.size(), 7);
        QCOMPARE(sung(), QStringList{});
        for (const FileChange &file : found->files) {
            const auto page = foundry::test::diff(git, {tree, file.path, {}, *std::find_if(std::begin(scopes), std::end(scopes), [&](ChangeScope s) { return file.scope.is(s); }), made->head});
            VERIFY_OK(page);
            QVERIFY2(page->unified.contains(QLatin1StringView("+by the agent")), qPrintable(file.path));
        }
        QCOMPARE(sung(), QStringList{});
        // Staged and committed too, written by a git without programs.
        const QStringList quiet{QStringLiteral("-c"), QStringLiteral("core.hooksPath=/dev/null"), QStringLiteral("-c"), QStringLiteral("commit.gpgSign=false"), QStringLiteral("-c"), QStringLiteral("core.fsmonitor=false")};
        m_fixture.mustGit(tree, quiet + QStringList{QStringLiteral("rm"), QStringLiteral("-q"), QStringLiteral("--cached"), QStringLiteral("README.md")});
        silence();
        VERIFY_OK(changes(git, {tree, QStringLiteral("main")}));
        VERIFY_OK(foundry::test::diff(git, {tree, QStringLiteral("README.md"), {}, ChangeScope::Staged}));
        QCOMPARE(sung(), QStringList{});

        VERIFY_CODE(foundry::test::remove(git, {m_repo, tree}), "dirty");
        QCOMPARE(sung(), QStringList{});
        VERIFY_OK(foundry::test::remove(git, {m_repo, tree, true}));
        QCOMPARE(sung(), QStringList{});
        // Adopting, removing without force, failing and tidying up.
        VERIFY_OK(add(git, {m_repo, tree, QStringLiteral("task-1"), {}, true}));
        VERIFY_OK(foundry::test::remove(git, {m_repo, tree}));
        VERIFY_CODE(add(git, {m_repo, tree, QStringLiteral("task-1")}), "branch_exists");
        QCOMPARE(sung(), QStringList{});
        // As the source of a clone.
        VERIFY_OK(clone(git, {QStringLiteral("file://") + m_repo, m_fixture.path(QStringLiteral("clone"))}));
        VERIFY_OK(add(git, {m_fixture.path(QStringLiteral("clone")), m_fixture.path(QStringLiteral("wt3")), QStringLiteral("task-3")}));
        QCOMPARE(sung(), QStringList{});
    }

    // Objects that are missing are fetched, but not by a program that the repository names: then it is refused.
    void promisedObjects()
    {
        const QString source = m_fixture.makeRepository(QStringLiteral("source"));
        m_fixture.mustGit(source, {QStringLiteral("config"), QStringLiteral("uploadpack.allowFilter"), QStringLiteral("true")});
        m_fixture.mustGit(source, {QStringLiteral("config"), QStringLiteral("uploadpack.allowAnySHA1InWant"), QStringLiteral("true")});
        m_fixture.mustGit(m_fixture.root(), {QStringLiteral("clone"), QStringLiteral("-q"), QStringLiteral("--no-checkout"), QStringLiteral("--filter=blob:none"), QStringLiteral("file://") + source,
            QStringLiteral("partial")});
        const QString partial = m_fixture.path(QStringLiteral("partial"));
        const auto made = add(gitFor(m_fixture), {partial, m_fixture.path(QStringLiteral("wt4")), QStringLiteral("task-4")});
        VERIFY_OK(made);
        QCOMPARE(m_fixture.read(made->path, QStringLiteral("README.md")), QByteArray("# Example\n\nA small repository.\n"));
        QCOMPARE(sung(), QStringList{});
        m_fixture.mustGit(m_fixture.root(), {QStringLiteral("clone"), QStringLiteral("-q"), QStringLiteral("--no-checkout"), QStringLiteral("--filter=blob:none"), QStringLiteral("file://") + source,
            QStringLiteral("partial3")});
        const QString third = m_fixture.path(QStringLiteral("partial3"));
        m_fixture.mustGit(third, {QStringLiteral("config"), QStringLiteral("remote.origin.uploadpack"), canary(QStringLiteral("uploadpack"))});
        QVERIFY(!add(gitFor(m_fixture), {third, m_fixture.path(QStringLiteral("wt6")), QStringLiteral("task-6")}));
        QCOMPARE(sung(), QStringList{});
        // And never from an address that is a program.
        m_fixture.mustGit(m_fixture.root(), {QStringLiteral("clone"), QStringLiteral("-q"), QStringLiteral("--no-checkout"), QStringLiteral("--filter=blob:none"), QStringLiteral("file://") + source,
            QStringLiteral("partial2")});
        const QString second = m_fixture.path(QStringLiteral("partial2"));
        m_fixture.mustGit(second, {QStringLiteral("config"), QStringLiteral("remote.origin.url"), QStringLiteral("ext::") + canary(QStringLiteral("promised-ext"))});
        m_fixture.mustGit(second, {QStringLiteral("config"), QStringLiteral("protocol.allow"), QStringLiteral("always")});
        QVERIFY(!add(gitFor(m_fixture), {second, m_fixture.path(QStringLiteral("wt5")), QStringLiteral("task-5")}));
        QCOMPARE(sung(), QStringList{});
    }

    // What the user has set for all repositories is the user's: it goes on working (git-lfs).
    void theUsersOwnFilterStays()
    {
        GitFixture fixture;
        fixture.write(fixture.root(), QStringLiteral("upper"), "#!/bin/sh\ntr a-z A-Z\n", true);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        fixture.write(repo, QStringLiteral(".gitattributes"), "*.up filter=upper\n");
        fixture.write(repo, QStringLiteral("x.up"), "text\n");
        fixture.commitAll(repo, QStringLiteral("x"));
        fixture.mustGit(repo, {QStringLiteral("config"), QStringLiteral("--global"), QStringLiteral("filter.upper.smudge"), fixture.path(QStringLiteral("upper"))});
        fixture.mustGit(repo, {QStringLiteral("config"), QStringLiteral("filter.upper.smudge"), QStringLiteral("false")}); // the repository's word does not count
        const auto made = add(gitFor(fixture), {repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task")});
        VERIFY_OK(made);
        QCOMPARE(fixture.read(made->path, QStringLiteral("x.up")), QByteArray("TEXT\n"));
    }

    // A configuration that never ends: the deadline holds.
    void hangingInclude()
    {
        const GitFixture fixture;
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        QCOMPARE(QProcess::execute(QStringLiteral("mkfifo"), {repo + QStringLiteral("/.git/pipe")}), 0);
        fixture.mustGit(repo, {QStringLiteral("config"), QStringLiteral("include.path"), QStringLiteral("pipe")});
        const auto info = waitFor<RepositoryInfo>([&](QObject *context, auto done) { inspectRepository(gitFor(fixture), repo, context, done, 500); });
        VERIFY_CODE(info, "timeout");
    }

private:
    static constexpr ChangeScope scopes[] = {ChangeScope::Committed, ChangeScope::Staged, ChangeScope::Unstaged, ChangeScope::Untracked};
};

QTEST_GUILESS_MAIN(TestHostile)
#include "tst_hostile.moc"
