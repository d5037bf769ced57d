// A full disk, and a repository of 20,000 files and 5,000 commits. Times are printed, and bounded generously: this is a
// test; how fast this machine is, the bench says.
#include "tests/backend_git/gitwait.h"

#include <QDir>
#include <QElapsedTimer>

#include <sys/mount.h>
#include <unistd.h>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

namespace {

// A small file system of its own; unmounted at the end.
class SmallDisk {
public:
    SmallDisk(const QString &path, const char *options)
        : m_path(path.toUtf8())
    {
        QDir().mkpath(path);
        m_mounted = ::geteuid() == 0 && ::mount("tmpfs", m_path.constData(), "tmpfs", 0, options) == 0;
    }
    ~SmallDisk()
    {
        if (m_mounted)
            ::umount2(m_path.constData(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk &) = delete;
    SmallDisk &operator=(const SmallDisk &) = delete;
    bool isThere() const { return m_mounted; }

private:
    QByteArray m_path;
    bool m_mounted = false;
};

} // namespace

class TestGitLimits : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void diskFull()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        quint64 state = 1;
        for (int i = 0; i < 6; ++i) { // nothing that could be packed smaller
            QByteArray noise;
            for (int byte = 0; byte < 1000000; ++byte) {
                state = state * 6364136223846793005ULL + 1442695040888963407ULL;
                noise += static_cast<char>(state >> 56);
            }
            fixture.write(repo, QStringLiteral("big%1.bin").arg(i), noise);
        }
        fixture.commitAll(repo, QStringLiteral("big"));
        const QString disk = fixture.path(QStringLiteral("disk"));
        const SmallDisk small(disk, "size=3m,mode=0755");
        if (!small.isThere())
            QSKIP("needs root to mount a small file system");
        const auto made = add(git, {repo, disk + QStringLiteral("/wt"), QStringLiteral("task")});
        VERIFY_CODE(made, "no_space");
        QVERIFY2(made.error().message.contains(QLatin1StringView("no space left")), qPrintable(describe(made.error())));
        QVERIFY(!made.error().action.isEmpty());
        // Nothing is left: not the folder, not git's note of it, not the branch.
        QVERIFY(QDir(disk).isEmpty());
        QVERIFY(!fixture.git(repo, {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), QStringLiteral("task")}).ok());
        QCOMPARE(fixture.mustGit(repo, {QStringLiteral("worktree"), QStringLiteral("list")}).count('\n'), 1);

        const auto cloned = clone(git, {QStringLiteral("file://") + repo, disk + QStringLiteral("/clone")});
        VERIFY_CODE(cloned, "no_space");
        QVERIFY(QDir(disk).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot).isEmpty());

        // With room it goes.
        VERIFY_OK(add(git, {repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task")}));
    }
    // The folder for our own index files is full: an error, not a wrong answer.
    void scratchFull()
    {
        const GitFixture fixture;
        GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        for (int i = 0; i < 400; ++i)
            fixture.write(repo, QStringLiteral("file-with-a-name-that-makes-the-index-larger-%1").arg(i), "x");
        fixture.commitAll(repo, QStringLiteral("many"));
        const SmallDisk small(fixture.path(QStringLiteral("scratch")), "size=16k,mode=0755");
        if (!small.isThere())
            QSKIP("needs root to mount a small file system");
        git.scratchDir = fixture.path(QStringLiteral("scratch"));
        VERIFY_CODE(changes(git, {repo, QStringLiteral("main")}), "no_space");
        QVERIFY(QDir(git.scratchDir).isEmpty());
    }
    void bigRepository()
    {
        GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.path(QStringLiteral("big"));
        QElapsedTimer clock;
        QStringList table;
        const auto took = [&](const char *what, qint64 limitMs) {
            const qint64 ms = clock.restart();
            table += QStringLiteral("%1 %2 ms").arg(QLatin1StringView(what), -46).arg(ms, 6);
            QVERIFY2(ms <= limitMs, what);
        };
        clock.start();
        VERIFY_OK(makeBigRepository(repo, {}, fixture.environment()));
        took("generate 20,000 files, 5,000 commits", 120000);
        QCOMPARE(fixture.git(repo, {QStringLiteral("rev-list"), QStringLiteral("--count"), QStringLiteral("HEAD")}).line(), QStringLiteral("5000"));
        clock.restart();
        VERIFY_OK(inspect(git, repo));
        took("inspectRepository", 5000);
        const auto made = add(git, {repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task")});
        VERIFY_OK(made);
        took("addWorktree", 30000);
        QVERIFY(add(git, {repo, made->path, QStringLiteral("task")}).ok());
        took("addWorktree again", 2000);
        fixture.mustGit(repo, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("floor"), fixture.path(QStringLiteral("floor"))});
        took("(git worktree add itself)", 60000);
        VERIFY_OK(changes(git, {made->path, made->head}));
        took("computeChanges, nothing", 5000);
        const QByteArrayList names = fixture.mustGit(made->path, {QStringLiteral("ls-files"), QStringLiteral("-z")}).split('\0');
        for (int i = 0; i < 300; ++i)
            fixture.write(made->path, QString::fromUtf8(names[i * 60]), "changed\n");
        for (int i = 0; i < 12000; ++i)
            fixture.write(made->path, QStringLiteral("generated/%1/file%2.txt").arg(i % 100).arg(i), "one\ntwo\n");
        clock.restart();
        const auto found = changes(git, {made->path, made->head});
        VERIFY_OK(found);
        took("computeChanges, 300 edited, 12,000 untracked", 20000);
        QVERIFY(found->truncated);
        QCOMPARE(found->files.size(), 10000);
        fixture.mustGit(made->path, {QStringLiteral("status")}); // the user's own, for comparison
        took("(git status itself)", 20000);
        VERIFY_OK(foundry::test::diff(git, {made->path, found->files[0].path, {}, ChangeScope::Unstaged}));
        took("fileDiff", 2000);
        VERIFY_OK(clone(git, {QStringLiteral("file://") + repo, fixture.path(QStringLiteral("clone"))}));
        took("cloneRepository", 60000);
        VERIFY_OK(foundry::test::remove(git, {repo, made->path, true}));
        took("removeWorktree", 30000);
        qInfo("\n%s", qPrintable(table.join(QLatin1Char('\n'))));
    }
    // The same seed, the same repository.
    void generatorIsSeeded()
    {
        const GitFixture fixture;
        QStringList heads;
        for (const quint32 seed : {7U, 7U, 8U}) {
            const QString repo = fixture.path(QStringLiteral("g%1").arg(heads.size()));
            VERIFY_OK(makeBigRepository(repo, {50, 20, 3, seed, true}, fixture.environment()));
            heads += fixture.git(repo, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
            QCOMPARE(fixture.mustGit(repo, {QStringLiteral("status"), QStringLiteral("--porcelain")}), QByteArray());
        }
        QCOMPARE(heads[0], heads[1]);
        QVERIFY(heads[0] != heads[2]);
    }
};

QTEST_GUILESS_MAIN(TestGitLimits)
#include "tst_gitlimits.moc"
