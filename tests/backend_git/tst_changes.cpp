// What a task changed, and the text of it, against what git itself says.
#include "tests/backend_git/gitwait.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>

#include <fcntl.h>
#include <sys/stat.h>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class TestChanges : public QObject {
    Q_OBJECT

private:
    // scope status path [<oldPath] +a -r [bin]
    static QStringList lines(const QList<FileChange> &files)
    {
        QStringList all;
        for (const FileChange &file : files) {
            if (file.id != file.scope.text() + QLatin1Char(':') + file.path)
                return {QStringLiteral("bad id ") + file.id};
            all += file.scope.text() + QLatin1Char(' ') + file.status + QLatin1Char(' ') + file.path + (file.oldPath ? QStringLiteral(" <") + *file.oldPath : QString())
                + QStringLiteral(" +%1 -%2").arg(file.added).arg(file.removed) + (file.binary ? QStringLiteral(" bin") : QString());
        }
        return all;
    }
    struct Task {
        QString repo;
        QString tree;
        QString base;
    };
    static Task makeTask(const GitFixture &fixture, const GitEnvironment &git)
    {
        Task task;
        task.repo = fixture.makeRepository(QStringLiteral("repo"));
        fixture.write(task.repo, QStringLiteral("a.txt"), "1\n2\n3\n");
        fixture.write(task.repo, QStringLiteral("b.txt"), "b\n");
        fixture.write(task.repo, QStringLiteral("move.txt"), "x\ny\nz\nx2\ny2\nz2\n");
        fixture.write(task.repo, QStringLiteral("logo.png"), QByteArray("\x89PNG\0\1", 6));
        fixture.write(task.repo, QStringLiteral(".gitignore"), "build/\n*.log\n");
        fixture.commitAll(task.repo, QStringLiteral("more"));
        task.base = fixture.git(task.repo, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
        const auto made = add(git, {task.repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task"), task.base});
        if (!made)
            qFatal("%s", qPrintable(describe(made.error())));
        task.tree = made->path;
        return task;
    }
    static QByteArray indexOf(const GitFixture &fixture, const Task &task) { return fixture.read(task.repo, QStringLiteral(".git/worktrees/wt/index")); }
    // The whole diff, page by page.
    static QString whole(const GitEnvironment &git, FileDiffRequest request, int *pages = nullptr)
    {
        QString text;
        do {
            const auto page = foundry::test::diff(git, request);
            if (!page)
                return describe(page.error());
            text += page->unified;
            if (pages)
                ++*pages;
            request.cursor = page->cursor;
        } while (request.cursor);
        return text;
    }

private Q_SLOTS:
    void nothingYet()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        const auto found = changes(git, {task.tree, task.base});
        VERIFY_OK(found);
        QVERIFY(found->files.isEmpty() && !found->truncated);
        QCOMPARE(found->header.head.value_or(QString()), task.base);
        QCOMPARE(found->header.mergeBase.value_or(QString()), task.base);
        QVERIFY(qAbs(found->header.at - QDateTime::currentMSecsSinceEpoch()) < 60000);
    }
    void everyKind()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        // Meanwhile on main.
        fixture.write(task.repo, QStringLiteral("main-only.txt"), "x\n");
        fixture.commitAll(task.repo, QStringLiteral("on main"));
        // Committed.
        fixture.write(task.tree, QStringLiteral("a.txt"), "1\ntwo\n3\n4\n");
        fixture.mustGit(task.tree, {QStringLiteral("mv"), QStringLiteral("move.txt"), QStringLiteral("moved to.txt")});
        fixture.commitAll(task.tree, QStringLiteral("one"));
        fixture.write(task.tree, QStringLiteral("c.txt"), "c\n");
        fixture.commitAll(task.tree, QStringLiteral("two"));
        // Staged, unstaged, and one file in both.
        fixture.write(task.tree, QStringLiteral("b.txt"), "b\nstaged\n");
        fixture.write(task.tree, QStringLiteral("logo.png"), QByteArray("\x89PNG\0\2", 6));
        fixture.mustGit(task.tree, {QStringLiteral("add"), QStringLiteral("b.txt"), QStringLiteral("logo.png")});
        fixture.write(task.tree, QStringLiteral("b.txt"), "b\nstaged\nand more\n");
        QVERIFY(QFile::remove(task.tree + QStringLiteral("/c.txt")));
        // Untracked: seen with all their lines; ignored ones are not.
        fixture.write(task.tree, QStringLiteral("new/deep/file.md"), "1\n2\n3");
        fixture.write(task.tree, QStringLiteral("new/empty"), "");
        fixture.write(task.tree, QStringLiteral("new/data.bin"), QByteArray("a\0b", 3));
        QVERIFY(QFile::link(QStringLiteral("file.md"), task.tree + QStringLiteral("/new/deep/link")));
        fixture.write(task.tree, QStringLiteral("build/out.o"), "x");
        fixture.write(task.tree, QStringLiteral("x.log"), "x");
        fixture.makeEmpty(QStringLiteral("wt/nested"));
        const QByteArray index = indexOf(fixture, task);

        const auto found = changes(git, {task.tree, QStringLiteral("main")});
        VERIFY_OK(found);
        const QStringList wanted{
            QStringLiteral("committed M a.txt +2 -1"),
            QStringLiteral("committed A c.txt +1 -0"),
            QStringLiteral("committed R moved to.txt <move.txt +0 -0"),
            QStringLiteral("staged M b.txt +1 -0"),
            QStringLiteral("staged M logo.png +0 -0 bin"),
            QStringLiteral("unstaged M b.txt +1 -0"),
            QStringLiteral("unstaged D c.txt +0 -1"),
            QStringLiteral("untracked A nested/ +0 -0"),
            QStringLiteral("untracked A new/data.bin +0 -0 bin"),
            QStringLiteral("untracked A new/deep/file.md +3 -0"),
            QStringLiteral("untracked A new/deep/link +1 -0"),
            QStringLiteral("untracked A new/empty +0 -0"),
        };
        QCOMPARE(lines(found->files), wanted);
        QCOMPARE(found->header.ahead, 2);
        QCOMPARE(found->header.behind, 1);
        QCOMPARE(found->header.mergeBase.value_or(QString()), task.base);
        QCOMPARE(found->added, 9);
        QCOMPARE(found->removed, 2);
        // Nothing was written: neither the index nor an object for the empty file.
        QCOMPARE(indexOf(fixture, task), index);
        QVERIFY(!QFile::exists(task.repo + QStringLiteral("/.git/objects/e6/9de29bb2d1d6434b8b29ae775ad8c2e48c5391")));
        QVERIFY(!QFile::exists(task.repo + QStringLiteral("/.git/worktrees/wt/index.lock")));

        // The same list from a short id, a cap, and an agent that holds the index lock.
        fixture.write(task.repo, QStringLiteral(".git/worktrees/wt/index.lock"), "");
        const auto capped = changes(git, {task.tree, task.base.left(12), 5});
        VERIFY_OK(capped);
        QVERIFY(capped->truncated);
        QCOMPARE(lines(capped->files), wanted.mid(0, 5));
    }
    // A submodule is one row, when it stands at another commit; what is inside is a repository of its own, and not looked at.
    void submodules()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        const QString library = fixture.makeRepository(QStringLiteral("library"));
        fixture.mustGit(task.tree, {QStringLiteral("-c"), QStringLiteral("protocol.file.allow=always"), QStringLiteral("submodule"), QStringLiteral("add"), QStringLiteral("-q"), library, QStringLiteral("lib")});
        const auto now = [&] {
            const auto found = changes(git, {task.tree, task.base});
            return found ? lines(found->files).filter(QStringLiteral(" lib")) : QStringList(describe(found.error()));
        };
        QCOMPARE(now(), QStringList(QStringLiteral("staged A lib +1 -0")));
        fixture.commitAll(task.tree, QStringLiteral("with a library"));
        QCOMPARE(now(), QStringList(QStringLiteral("committed A lib +1 -0")));
        fixture.write(task.tree, QStringLiteral("lib/README.md"), "work inside\n");
        QCOMPARE(now().size(), 1);
        fixture.commitAll(task.tree + QStringLiteral("/lib"), QStringLiteral("another"));
        QCOMPARE(now().value(1), QStringLiteral("unstaged M lib +1 -1"));
        fixture.mustGit(task.tree, {QStringLiteral("add"), QStringLiteral("lib")});
        QCOMPARE(now().value(1), QStringLiteral("staged M lib +1 -1"));
    }
    // Only the time of a file is newer: no change, and the index still not written.
    void touchedFiles()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        QFile file(task.tree + QStringLiteral("/a.txt"));
        QVERIFY(file.open(QIODevice::ReadWrite));
        QVERIFY(file.setFileTime(QDateTime::currentDateTime().addSecs(100), QFileDevice::FileModificationTime));
        file.close();
        const QByteArray index = indexOf(fixture, task);
        const auto found = changes(git, {task.tree, task.base});
        VERIFY_OK(found);
        QCOMPARE(lines(found->files), QStringList{});
        QCOMPARE(indexOf(fixture, task), index);
        QCOMPARE(whole(git, {task.tree, QStringLiteral("a.txt"), {}, ChangeScope::Unstaged}), QString());
        QCOMPARE(indexOf(fixture, task), index);
    }
    // Written in the same tick as the index, with the same size: git's own trap, not sprung by copying the index.
    void racyEdit()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        const QString index = task.repo + QStringLiteral("/.git/worktrees/wt/index");
        struct stat times = {};
        QCOMPARE(::stat(QString(task.tree + QStringLiteral("/b.txt")).toUtf8().constData(), &times), 0);
        const timespec same[2] = {times.st_mtim, times.st_mtim};
        fixture.write(task.tree, QStringLiteral("b.txt"), "B\n");
        QCOMPARE(::utimensat(AT_FDCWD, QString(task.tree + QStringLiteral("/b.txt")).toUtf8().constData(), same, 0), 0);
        QCOMPARE(::utimensat(AT_FDCWD, index.toUtf8().constData(), same, 0), 0);
        fixture.mustGit(task.repo, {QStringLiteral("config"), QStringLiteral("core.trustctime"), QStringLiteral("false")});
        const auto found = changes(git, {task.tree, task.base});
        VERIFY_OK(found);
        QCOMPARE(lines(found->files), QStringList{QStringLiteral("unstaged M b.txt +1 -1")});
    }
    void oddNames()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        const QList<QByteArray> names{"new\nline", "tab\there", "quote\"d", "\"whole\"", "back\\slash", "-dash", ":(glob)*", "*.txt", "d[ir]/x y", "über/日本 😀",
            "caf\xe9", "bad\xff/\xfe?", QByteArray(200, 'n'), "a -> b", " lead", "trail ", "'"};
        const auto writeRaw = [&](const QByteArray &name, const QByteArray &text) {
            const QByteArray full = task.tree.toUtf8() + '/' + name;
            ::mkdir(full.left(full.lastIndexOf('/')).constData(), 0755);
            FILE *file = ::fopen(full.constData(), "w");
            QVERIFY(file);
            ::fwrite(text.constData(), 1, static_cast<size_t>(text.size()), file);
            ::fclose(file);
        };
        for (const QByteArray &name : names)
            writeRaw(name, "one\ntwo\n");
        const auto check = [&](ChangeScope scope, qint64 added, const QString &text) {
            const auto found = changes(git, {task.tree, task.base});
            VERIFY_OK(found);
            QCOMPARE(found->files.size(), names.size());
            for (const FileChange &file : found->files) {
                QVERIFY(file.scope.is(scope));
                QVERIFY2(file.added == added, qPrintable(file.path));
                QVERIFY(!file.path.contains(QChar::ReplacementCharacter));
                QCOMPARE(whole(git, {task.tree, file.path, file.oldPath, scope, task.base}), text);
            }
        };
        check(ChangeScope::Untracked, 2, QStringLiteral("@@ -0,0 +1,2 @@\n+one\n+two\n"));
        fixture.mustGit(task.tree, {QStringLiteral("add"), QStringLiteral("-A")});
        check(ChangeScope::Staged, 2, QStringLiteral("@@ -0,0 +1,2 @@\n+one\n+two\n"));
        fixture.commitAll(task.tree, QStringLiteral("odd"));
        check(ChangeScope::Committed, 2, QStringLiteral("@@ -0,0 +1,2 @@\n+one\n+two\n"));
    }
    void diffs()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        fixture.write(task.tree, QStringLiteral("a.txt"), "1\ntwo\n3\n");
        fixture.mustGit(task.tree, {QStringLiteral("mv"), QStringLiteral("move.txt"), QStringLiteral("moved.txt")});
        fixture.write(task.tree, QStringLiteral("moved.txt"), "x\ny\nz\nx2\ny2\nZ2\n");
        fixture.commitAll(task.tree, QStringLiteral("one"));
        QCOMPARE(whole(git, {task.tree, QStringLiteral("a.txt"), {}, ChangeScope::Committed, task.base}), QStringLiteral("@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"));
        QCOMPARE(whole(git, {task.tree, QStringLiteral("moved.txt"), QStringLiteral("move.txt"), ChangeScope::Committed, task.base}),
            QStringLiteral("@@ -3,4 +3,4 @@ y\n z\n x2\n y2\n-z2\n+Z2\n"));
        // A file whose name is now a folder.
        QVERIFY(QFile::remove(task.tree + QStringLiteral("/b.txt")));
        fixture.write(task.tree, QStringLiteral("b.txt/inner"), "i\n");
        fixture.mustGit(task.tree, {QStringLiteral("add"), QStringLiteral("-A")});
        QCOMPARE(whole(git, {task.tree, QStringLiteral("b.txt"), {}, ChangeScope::Staged}), QStringLiteral("@@ -1 +0,0 @@\n-b\n"));
        QCOMPARE(whole(git, {task.tree, QStringLiteral("b.txt/inner"), {}, ChangeScope::Staged}), QStringLiteral("@@ -0,0 +1 @@\n+i\n"));
        fixture.write(task.tree, QStringLiteral("b.txt/inner"), "i\nj\n");
        QCOMPARE(whole(git, {task.tree, QStringLiteral("b.txt/inner"), {}, ChangeScope::Unstaged}), QStringLiteral("@@ -1 +1,2 @@\n i\n+j\n"));
        // Binary, a link, an empty file, and one that is not there.
        fixture.write(task.tree, QStringLiteral("logo.png"), QByteArray("\x89PNG\0\3", 6));
        const auto binary = foundry::test::diff(git, {task.tree, QStringLiteral("logo.png"), {}, ChangeScope::Unstaged});
        VERIFY_OK(binary);
        QVERIFY(binary->binary && binary->unified.isEmpty());
        QVERIFY(QFile::link(QStringLiteral("a.txt"), task.tree + QStringLiteral("/link")));
        QCOMPARE(whole(git, {task.tree, QStringLiteral("link"), {}, ChangeScope::Untracked}), QStringLiteral("@@ -0,0 +1 @@\n+a.txt\n\\ No newline at end of file\n"));
        fixture.write(task.tree, QStringLiteral("empty"), "");
        QCOMPARE(whole(git, {task.tree, QStringLiteral("empty"), {}, ChangeScope::Untracked}), QString());
        QCOMPARE(whole(git, {task.tree, QStringLiteral("absent"), {}, ChangeScope::Unstaged}), QString());
        VERIFY_CODE(foundry::test::diff(git, {task.tree, QStringLiteral("/etc/passwd"), {}, ChangeScope::Untracked}), "invalid");
        VERIFY_CODE(foundry::test::diff(git, {task.tree, QStringLiteral("a.txt"), {}, ChangeScope::Committed, QStringLiteral("--output=x")}), "missing_ref");
        // Outside the work tree git itself says no.
        QVERIFY(!foundry::test::diff(git, {task.tree, QStringLiteral("../repo/README.md"), {}, ChangeScope::Untracked}));
    }
    void userSettingsDoNotShow()
    {
        const GitFixture fixture;
        fixture.write(fixture.path(QStringLiteral("home")), QStringLiteral(".gitconfig"),
            "[user]\nname=A\nemail=a@b\n[diff]\nnoprefix=true\nmnemonicPrefix=true\ncontext=0\nrenames=false\nsubmodule=log\ncolorMoved=true\nalgorithm=patience\n"
            "external=false\nrelative=true\n[color]\nui=always\n[core]\nquotePath=true\n[init]\ndefaultBranch=main\n");
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        fixture.mustGit(task.tree, {QStringLiteral("mv"), QStringLiteral("move.txt"), QStringLiteral("möved.txt")});
        fixture.write(task.tree, QStringLiteral("möved.txt"), "x\ny\nz\nx2\ny2\nZ2\n");
        fixture.mustGit(task.tree, {QStringLiteral("add"), QStringLiteral("-A")});
        const auto found = changes(git, {task.tree, task.base});
        QCOMPARE(lines(found->files), QStringList{QStringLiteral("staged R möved.txt <move.txt +1 -1")});
        QCOMPARE(whole(git, {task.tree, QStringLiteral("möved.txt"), QStringLiteral("move.txt"), ChangeScope::Staged}),
            QStringLiteral("@@ -3,4 +3,4 @@ y\n z\n x2\n y2\n-z2\n+Z2\n"));
    }
    void pages()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        QByteArray text;
        for (int i = 0; i < 50000; ++i)
            text += "\tline number " + QByteArray::number(i) + " \"quoted\"\n";
        fixture.write(task.tree, QStringLiteral("long.txt"), text);
        fixture.write(task.tree, QStringLiteral("minified.js"), QByteArray("x=\"\xc3\xa4\";").repeated(200000));
        for (const char *name : {"long.txt", "minified.js"}) {
            int count = 0;
            const QString all = whole(git, {task.tree, QString::fromLatin1(name), {}, ChangeScope::Untracked}, &count);
            QVERIFY(count >= 4);
            QByteArray plain = all.toUtf8();
            plain = plain.mid(plain.indexOf('\n') + 1);
            if (QByteArrayView(name) == "long.txt")
                QCOMPARE(plain.replace("\n+", "\n").mid(1), text);
            else
                QCOMPARE(plain.size(), 200000 * 7 + 1 + qsizetype(qstrlen("\n\\ No newline at end of file\n")));
        }
        const auto first = foundry::test::diff(git, {task.tree, QStringLiteral("long.txt"), {}, ChangeScope::Untracked});
        VERIFY_OK(first);
        QVERIFY(first->cursor);
        fixture.write(task.tree, QStringLiteral("long.txt"), "changed\n" + text);
        VERIFY_CODE(foundry::test::diff(git, {task.tree, QStringLiteral("long.txt"), {}, ChangeScope::Untracked, {}, first->cursor}), "changed");
        VERIFY_CODE(foundry::test::diff(git, {task.tree, QStringLiteral("long.txt"), {}, ChangeScope::Untracked, {}, QStringLiteral("nonsense")}), "invalid");
    }
    void conflict()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        fixture.write(task.repo, QStringLiteral("a.txt"), "1\nmain\n3\n");
        fixture.commitAll(task.repo, QStringLiteral("main"));
        fixture.write(task.tree, QStringLiteral("a.txt"), "1\ntask\n3\n");
        fixture.commitAll(task.tree, QStringLiteral("task"));
        QVERIFY(!fixture.git(task.tree, {QStringLiteral("merge"), QStringLiteral("main")}).ok());
        const auto found = changes(git, {task.tree, task.base});
        VERIFY_OK(found);
        const QStringList all = lines(found->files);
        QVERIFY2(all.contains(QStringLiteral("unstaged U a.txt +4 -0")), qPrintable(all.join(QLatin1Char('\n'))));
        const QString text = whole(git, {task.tree, QStringLiteral("a.txt"), {}, ChangeScope::Unstaged});
        QVERIFY2(text.contains(QLatin1StringView("+<<<<<<<")), qPrintable(text));
    }
    void goneBases()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const Task task = makeTask(fixture, git);
        VERIFY_CODE(changes(git, {task.tree, QStringLiteral("no-such-branch")}), "missing_ref");
        VERIFY_CODE(changes(git, {task.tree, QStringLiteral("--all")}), "missing_ref");
        VERIFY_CODE(changes(git, {fixture.path(QStringLiteral("gone")), task.base}), "not_found");
        // No common history: the base itself is compared with.
        fixture.mustGit(task.tree, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("--orphan"), QStringLiteral("other")});
        const auto unborn = changes(git, {task.tree, task.base});
        VERIFY_OK(unborn);
        QVERIFY(!unborn->header.head);
        QCOMPARE(unborn->files.size(), 7);
        QVERIFY(unborn->files[0].scope.is(ChangeScope::Staged));
        fixture.write(task.tree, QStringLiteral("x"), "x\n");
        fixture.commitAll(task.tree, QStringLiteral("other"));
        const auto unrelated = changes(git, {task.tree, task.base});
        VERIFY_OK(unrelated);
        QCOMPARE(lines(unrelated->files), QStringList{QStringLiteral("committed A x +1 -0")});
    }
    void sha256()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.path(QStringLiteral("r256"));
        QDir().mkpath(repo);
        fixture.mustGit(repo, {QStringLiteral("init"), QStringLiteral("-q"), QStringLiteral("--object-format=sha256")});
        fixture.write(repo, QStringLiteral("a"), "a\n");
        fixture.commitAll(repo, QStringLiteral("a"));
        const auto made = add(git, {repo, fixture.path(QStringLiteral("wt")), QStringLiteral("task")});
        VERIFY_OK(made);
        QCOMPARE(made->head.size(), 64);
        fixture.write(made->path, QStringLiteral("new"), "1\n2\n");
        const auto found = changes(git, {made->path, made->head});
        VERIFY_OK(found);
        QCOMPARE(lines(found->files), QStringList{QStringLiteral("untracked A new +2 -0")});
        QCOMPARE(whole(git, {made->path, QStringLiteral("new"), {}, ChangeScope::Untracked}), QStringLiteral("@@ -0,0 +1,2 @@\n+1\n+2\n"));
    }
};

QTEST_GUILESS_MAIN(TestChanges)
#include "tst_changes.moc"
