// Taking changes back and bringing them back again, and commits of some files: against what git itself says, with the
// rest of the work tree and index untouched, repeated after a stop in the middle, and with people and links in the way.
#include "backend/git/workedits.h"
#include "tests/backend_git/gitwait.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>

#include <sys/stat.h>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class TestWorkEdits : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<GitFixture> m_fixture;
    GitEnvironment m_git;
    QString m_repo;
    QString m_tree;
    QString m_base;

    QString out(const QStringList &arguments) const { return QString::fromUtf8(m_fixture->mustGit(m_tree, arguments)); }
    QString status() const { return out({QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("-uall"), QStringLiteral("--no-renames")}); }
    void write(const QString &name, const QByteArray &bytes) const { m_fixture->write(m_tree, name, bytes); }
    QByteArray read(const QString &name) const { return m_fixture->read(m_tree, name); }
    bool exists(const QString &name) const { return QFileInfo(m_tree + QLatin1Char('/') + name).isSymLink() || QFile::exists(m_tree + QLatin1Char('/') + name); }
    void stage(const QString &name) const { m_fixture->mustGit(m_tree, {QStringLiteral("add"), QStringLiteral("--"), name}); }
    // Index entries, and the state of every file.
    QString picture() const { return out({QStringLiteral("ls-files"), QStringLiteral("-s")}) + status() + out({QStringLiteral("diff")}); }

    Result<Kept> keep(const QStringList &paths, const QString &mergeBase = {}) const
    {
        return waitFor<Kept>([&](QObject *context, auto done) {
            keepForRevert(m_git, {m_tree, paths, mergeBase, QStringLiteral("refs/foundry/revert/t/j")}, context, done);
        });
    }
    Result<AppliedKept> apply(const QString &commit, bool undo = false, const QStringList &skip = {}) const
    {
        return waitFor<AppliedKept>([&](QObject *context, auto done) { applyKept(m_git, {m_tree, commit, undo, skip}, context, done); });
    }
    Result<MadeCommit> make(const QString &message, const std::optional<QStringList> &paths = {}) const
    {
        return waitFor<MadeCommit>([&](QObject *context, auto done) { makeCommit(m_git, {m_tree, message, paths}, context, done); });
    }
    Result<Unit> recorded(const MadeCommit &made) const
    {
        return waitFor<Unit>([&](QObject *context, auto done) { recordCommit(m_git, m_tree, made, context, done); });
    }
    Result<Unit> settled(const MadeCommit &made) const
    {
        return waitFor<Unit>([&](QObject *context, auto done) { settleIndex(m_git, m_tree, made, context, done); });
    }
    void edits() const
    {
        write(QStringLiteral("a"), "unstaged\n");
        write(QStringLiteral("b"), "staged\n");
        stage(QStringLiteral("b"));
        write(QStringLiteral("c"), "staged\n");
        stage(QStringLiteral("c"));
        write(QStringLiteral("c"), "and more\n");
        QVERIFY(QFile::remove(m_tree + QStringLiteral("/d")));
        m_fixture->mustGit(m_tree, {QStringLiteral("rm"), QStringLiteral("-q"), QStringLiteral("e")});
        write(QStringLiteral("added"), "staged new\n");
        stage(QStringLiteral("added"));
        write(QStringLiteral("new/deep/file"), "untracked\n");
        write(QStringLiteral("new/-rf\n"), "odd\n");
        QVERIFY(QFile::link(QStringLiteral("/etc/passwd"), m_tree + QStringLiteral("/new/link")));
        ::chmod(QFile::encodeName(m_tree + QStringLiteral("/f")).constData(), 0755);
        m_fixture->mustGit(m_tree, {QStringLiteral("mv"), QStringLiteral("g"), QStringLiteral("moved")});
        // A folder in a file's place.
        QVERIFY(QFile::remove(m_tree + QStringLiteral("/h")));
        write(QStringLiteral("h/inner"), "i\n");
    }

private Q_SLOTS:
    void init()
    {
        m_fixture = std::make_unique<GitFixture>();
        m_git = gitFor(*m_fixture);
        m_repo = m_fixture->makeRepository(QStringLiteral("repo"));
        for (const char *name : {"a", "b", "c", "d", "e", "f", "g", "h", "other"})
            m_fixture->write(m_repo, QString::fromLatin1(name), QByteArray("the content of ") + name + "\n");
        m_fixture->write(m_repo, QStringLiteral(".gitignore"), "*.log\n");
        m_fixture->commitAll(m_repo, QStringLiteral("more"));
        m_base = m_fixture->git(m_repo, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
        const auto made = add(m_git, {m_repo, m_fixture->path(QStringLiteral("wt")), QStringLiteral("task"), m_base});
        if (!made)
            qFatal("%s", qPrintable(describe(made.error())));
        m_tree = made->path;
    }
    void cleanup() { m_fixture.reset(); }

    void everythingThereAndBack()
    {
        edits();
        write(QStringLiteral("x.log"), "ignored\n");
        const QString before = picture();
        const auto kept = keep({});
        VERIFY_OK(kept);
        QCOMPARE(picture(), before); // only looked at
        QCOMPARE(out({QStringLiteral("rev-parse"), QStringLiteral("refs/foundry/revert/t/j")}).trimmed(), kept->commit);
        QCOMPARE(kept->files, 14);
        auto done = apply(kept->commit);
        VERIFY_OK(done);
        QVERIFY(done->conflicts.isEmpty());
        QCOMPARE(status(), QString());
        QCOMPARE(read(QStringLiteral("h")), QByteArray("the content of h\n"));
        QVERIFY(!exists(QStringLiteral("new")) && exists(QStringLiteral("x.log")) && exists(QStringLiteral("g")) && !exists(QStringLiteral("moved")));
        VERIFY_OK(apply(kept->commit)); // again is nothing
        QCOMPARE(status(), QString());
        done = apply(kept->commit, true);
        VERIFY_OK(done);
        QCOMPARE(picture(), before);
        QCOMPARE(read(QStringLiteral("c")), QByteArray("and more\n"));
        QCOMPARE(read(QStringLiteral("new/-rf\n")), QByteArray("odd\n"));
        QCOMPARE(QFile::symLinkTarget(m_tree + QStringLiteral("/new/link")), QStringLiteral("/etc/passwd"));
        VERIFY_OK(apply(kept->commit, true));
        QCOMPARE(picture(), before);
        // Nobody's name was used.
        QVERIFY(out({QStringLiteral("log"), QStringLiteral("--format=%an"), kept->commit, QStringLiteral("-1")}).contains(QStringLiteral("Foundry")));
    }

    void onlyWhatIsNamed()
    {
        edits();
        write(QStringLiteral("other"), "stays edited\n");
        const auto kept = keep({QStringLiteral("c"), QStringLiteral("new"), QStringLiteral("d")});
        VERIFY_OK(kept);
        QCOMPARE(kept->files, 5);
        VERIFY_OK(apply(kept->commit));
        QVERIFY(!status().contains(QStringLiteral(" c\n")) && !status().contains(QStringLiteral("new/")) && !status().contains(QStringLiteral(" d\n")));
        for (const char *line : {" M a\n", "M  b\n", "D  e\n", " M f\n", "A  added\n", "A  moved\n", " M other\n", "?? h/inner\n"})
            QVERIFY2(status().contains(QString::fromLatin1(line)), line);
        QCOMPARE(read(QStringLiteral("c")), QByteArray("the content of c\n"));
        VERIFY_OK(apply(kept->commit, true));
        QCOMPARE(read(QStringLiteral("c")), QByteArray("and more\n"));
        QVERIFY(status().contains(QStringLiteral("MM c\n")));
        QVERIFY(status().contains(QStringLiteral(" D d\n")));
    }

    // A committed change comes back as an edit that says the opposite; the commits stay.
    void committedOnes()
    {
        write(QStringLiteral("a"), "committed\n");
        write(QStringLiteral("made"), "committed\n");
        m_fixture->commitAll(m_tree, QStringLiteral("one"));
        write(QStringLiteral("b"), "edit\n");
        const QString head = out({QStringLiteral("rev-parse"), QStringLiteral("HEAD")});
        const auto kept = keep({QStringLiteral("a"), QStringLiteral("made")}, m_base);
        VERIFY_OK(kept);
        VERIFY_OK(apply(kept->commit));
        QCOMPARE(status(), QStringLiteral(" M a\n M b\n D made\n"));
        QCOMPARE(read(QStringLiteral("a")), QByteArray("the content of a\n"));
        QCOMPARE(out({QStringLiteral("rev-parse"), QStringLiteral("HEAD")}), head);
        VERIFY_OK(apply(kept->commit, true));
        QCOMPARE(status(), QStringLiteral(" M b\n"));
        // Without names only what is in no commit.
        const auto all = keep({}, m_base);
        VERIFY_OK(all);
        QCOMPARE(all->files, 1);
    }

    void changedMeanwhile()
    {
        write(QStringLiteral("a"), "mine\n");
        write(QStringLiteral("b"), "mine\n");
        write(QStringLiteral("new"), "mine\n");
        const auto kept = keep({});
        VERIFY_OK(kept);
        // Between keeping and reverting somebody goes on in one of them: it stays, and is named.
        write(QStringLiteral("a"), "theirs\n");
        auto done = apply(kept->commit);
        VERIFY_OK(done);
        QCOMPARE(done->conflicts, QStringList{QStringLiteral("a")});
        QCOMPARE(done->files, 2);
        QCOMPARE(status(), QStringLiteral(" M a\n"));
        QCOMPARE(read(QStringLiteral("a")), QByteArray("theirs\n"));
        // Undo: not while one of the files is somebody's again, and then not a single one.
        write(QStringLiteral("new"), "theirs too\n");
        const auto refused = apply(kept->commit, true, done->conflicts);
        VERIFY_CODE(refused, "conflict");
        QCOMPARE(refused.error().detail, QStringLiteral("new"));
        QCOMPARE(status(), QStringLiteral(" M a\n?? new\n"));
        QCOMPARE(read(QStringLiteral("new")), QByteArray("theirs too\n"));
        QVERIFY(QFile::remove(m_tree + QStringLiteral("/new")));
        VERIFY_OK(apply(kept->commit, true, done->conflicts));
        QCOMPARE(read(QStringLiteral("b")), QByteArray("mine\n"));
        QCOMPARE(read(QStringLiteral("new")), QByteArray("mine\n"));
        QCOMPARE(read(QStringLiteral("a")), QByteArray("theirs\n"));
    }

    // Killed in the middle of writing: the same again brings it to its end, either way.
    void goesOn()
    {
        edits();
        const QString before = picture();
        const auto kept = keep({});
        VERIFY_OK(kept);
        write(QStringLiteral("a"), "the content of a\n");
        QVERIFY(QFile::remove(m_tree + QStringLiteral("/new/deep/file")));
        m_fixture->mustGit(m_tree, {QStringLiteral("reset"), QStringLiteral("-q"), QStringLiteral("--"), QStringLiteral("b")});
        auto done = apply(kept->commit);
        VERIFY_OK(done);
        QVERIFY(done->conflicts.isEmpty());
        QCOMPARE(status(), QString());
        write(QStringLiteral("a"), "unstaged\n");
        VERIFY_OK(apply(kept->commit, true));
        QCOMPARE(picture(), before);
    }

    // A folder on the way became a link out of the work tree: nothing is written or removed there.
    void linksInTheWay()
    {
        const QString outside = m_fixture->path(QStringLiteral("outside"));
        m_fixture->write(outside, QStringLiteral("file"), "precious\n");
        write(QStringLiteral("dir/file"), "mine\n");
        auto kept = keep({QStringLiteral("dir")});
        VERIFY_OK(kept);
        QVERIFY(QDir(m_tree + QStringLiteral("/dir")).removeRecursively());
        QVERIFY(QFile::link(outside, m_tree + QStringLiteral("/dir")));
        const auto reverted = apply(kept->commit);
        QCOMPARE(m_fixture->read(outside, QStringLiteral("file")), QByteArray("precious\n"));
        const auto undone = apply(kept->commit, true);
        QCOMPARE(m_fixture->read(outside, QStringLiteral("file")), QByteArray("precious\n"));
        QCOMPARE(QDir(outside).entryList(QDir::Files), QStringList{QStringLiteral("file")});
        for (const char *path : {"../repo/a", "/etc/passwd", ".git/config", "dir/../a", ""})
            VERIFY_CODE(keep({QString::fromLatin1(path)}), "invalid");
        VERIFY_CODE(keep({QStringLiteral("a")}), "invalid"); // no change there
        VERIFY_CODE(apply(QStringLiteral("refs/foundry/revert/t/none")), "missing_ref");
        VERIFY_CODE(apply(QStringLiteral("--help")), "missing_ref");
    }

    void leftAlone()
    {
        m_fixture->makeRepository(QStringLiteral("wt/nested"));
        write(QStringLiteral("a"), "mine\n");
        auto kept = keep({});
        VERIFY_OK(kept);
        QCOMPARE(kept->left, QStringList{QStringLiteral("nested/")});
        VERIFY_OK(apply(kept->commit));
        QVERIFY(exists(QStringLiteral("nested/README.md")));
        VERIFY_CODE(keep({QStringLiteral("nested/")}), "invalid");
        // In conflict: neither reverted nor committed.
        m_fixture->mustGit(m_tree, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("side")});
        write(QStringLiteral("b"), "side\n");
        m_fixture->mustGit(m_tree, {QStringLiteral("commit"), QStringLiteral("-qam"), QStringLiteral("side")});
        m_fixture->mustGit(m_tree, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("task")});
        write(QStringLiteral("b"), "task\n");
        m_fixture->mustGit(m_tree, {QStringLiteral("commit"), QStringLiteral("-qam"), QStringLiteral("task")});
        QVERIFY(!m_fixture->git(m_tree, {QStringLiteral("merge"), QStringLiteral("-q"), QStringLiteral("side")}).ok());
        const QString before = picture();
        VERIFY_CODE(keep({QStringLiteral("b")}), "conflict");
        VERIFY_CODE(make(QStringLiteral("x")), "conflict");
        QCOMPARE(picture(), before);
    }

    void forgetting()
    {
        write(QStringLiteral("a"), "mine\n");
        VERIFY_OK(keep({}));
        const auto forget = [&](const QString &prefix, Millis olderThan) {
            return waitFor<Unit>([&](QObject *context, auto done) { forgetKept(m_git, m_tree, prefix, olderThan, context, done); });
        };
        const Millis now = QDateTime::currentMSecsSinceEpoch();
        VERIFY_OK(forget(QStringLiteral("refs/foundry/revert/t/"), now - 60000));
        QVERIFY(out({QStringLiteral("for-each-ref")}).contains(QStringLiteral("refs/foundry/revert/t/j")));
        VERIFY_OK(forget(QStringLiteral("refs/foundry/revert/other/"), now + 60000));
        QVERIFY(out({QStringLiteral("for-each-ref")}).contains(QStringLiteral("refs/foundry/revert/t/j")));
        VERIFY_OK(forget(QStringLiteral("refs/foundry/revert/t/"), now + 60000));
        QVERIFY(!out({QStringLiteral("for-each-ref")}).contains(QStringLiteral("refs/foundry")));
        VERIFY_CODE(forget(QStringLiteral("refs/heads/"), now + 60000), "invalid_name");
    }

    void commitsSome()
    {
        edits();
        // The repository's hooks would leave a mark.
        m_fixture->write(m_repo, QStringLiteral(".git/hooks/pre-commit"), "#!/bin/sh\ntouch '" + m_fixture->root().toUtf8() + "/hooked'\nexit 1\n", true);
        const QString before = picture();
        const auto made = make(QStringLiteral("  Some of it\n\nwith a body \n"), QStringList{QStringLiteral("c"), QStringLiteral("new"), QStringLiteral("d"), QStringLiteral("h")});
        VERIFY_OK(made);
        QCOMPARE(picture(), before);
        QCOMPARE(made->parent, m_base);
        VERIFY_OK(recorded(*made));
        VERIFY_OK(recorded(*made)); // a repeated step
        VERIFY_OK(settled(*made));
        VERIFY_OK(settled(*made));
        QCOMPARE(out({QStringLiteral("log"), QStringLiteral("-1"), QStringLiteral("--format=%an|%B")}).trimmed(),
            m_fixture->git(m_tree, {QStringLiteral("config"), QStringLiteral("user.name")}).line() + QStringLiteral("|Some of it\n\nwith a body"));
        QCOMPARE(out({QStringLiteral("show"), QStringLiteral("--name-status"), QStringLiteral("--no-renames"), QStringLiteral("--format="), QStringLiteral("-z")}).replace(QChar(0), QLatin1Char(' ')),
            QStringLiteral("M c D d D h A h/inner A new/-rf\n A new/deep/file A new/link "));
        QCOMPARE(out({QStringLiteral("show"), QStringLiteral("HEAD:c")}), QStringLiteral("and more\n"));
        // All the rest is as it was: staged stays staged.
        QCOMPARE(status(), QStringLiteral(" M a\nA  added\nM  b\nD  e\n M f\nD  g\nA  moved\n"));
        QVERIFY(!QFile::exists(m_fixture->path(QStringLiteral("hooked"))));
        QCOMPARE(out({QStringLiteral("reflog"), QStringLiteral("-1"), QStringLiteral("--format=%gs")}).trimmed(), QStringLiteral("commit: Some of it"));
        // And everything.
        const auto rest = make(QStringLiteral("The rest"));
        VERIFY_OK(rest);
        VERIFY_OK(recorded(*rest));
        VERIFY_OK(settled(*rest));
        QCOMPARE(status(), QString());
        VERIFY_CODE(make(QStringLiteral("Nothing")), "nothing_to_commit");
        VERIFY_CODE(make(QStringLiteral("Nothing"), QStringList{QStringLiteral("a")}), "invalid");
    }

    void commitsCarefully()
    {
        write(QStringLiteral("a"), "mine\n");
        VERIFY_CODE(make(QStringLiteral(" \n ")), "invalid");
        VERIFY_CODE(make(QStringLiteral("x"), QStringList{}), "nothing_to_commit");
        VERIFY_CODE(make(QStringLiteral("x"), QStringList{QStringLiteral("../a")}), "invalid");
        const auto made = make(QStringLiteral("mine"));
        VERIFY_OK(made);
        // Another git at the index: the branch moves, the index follows when it is free.
        VERIFY_OK(recorded(*made));
        const QString lock = QStringLiteral(".git/worktrees/wt/index.lock");
        m_fixture->write(m_repo, lock, "");
        VERIFY_CODE(settled(*made), "locked");
        QVERIFY(QFile::remove(m_repo + QLatin1Char('/') + lock));
        VERIFY_OK(settled(*made));
        QCOMPARE(status(), QString());
        // Somebody else commits first.
        write(QStringLiteral("a"), "again\n");
        const auto late = make(QStringLiteral("late"));
        VERIFY_OK(late);
        m_fixture->mustGit(m_tree, {QStringLiteral("commit"), QStringLiteral("-q"), QStringLiteral("--allow-empty"), QStringLiteral("-m"), QStringLiteral("theirs")});
        VERIFY_CODE(recorded(*late), "conflict");
        QCOMPARE(status(), QStringLiteral(" M a\n"));
        // Nobody's name.
        m_fixture->mustGit(m_tree, {QStringLiteral("config"), QStringLiteral("--global"), QStringLiteral("--unset"), QStringLiteral("user.email")});
        const auto nobody = make(QStringLiteral("nobody"));
        VERIFY_CODE(nobody, "no_identity");
        QVERIFY(!nobody.error().action.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestWorkEdits)
#include "tst_workedits.moc"
