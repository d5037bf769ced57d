// Files of a work tree as they are read, found and watched; with names and links made by somebody who means harm.
#include "backend/git/filesearch.h"
#include "backend/git/worktreewatcher.h"
#include "tests/backend_git/gitwait.h"

#include <QDir>
#include <QElapsedTimer>
#include <QSignalSpy>

#include <sys/stat.h>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class TestWorkTreeFiles : public QObject {
    Q_OBJECT

private:
    static QStringList names(const Folder &folder)
    {
        QStringList all;
        for (const FolderEntry &entry : folder.entries)
            all.append(QString::fromUtf8(entry.name) + (entry.isDir ? QStringLiteral("/") : QString()));
        return all;
    }

private Q_SLOTS:
    void folders()
    {
        const GitFixture fixture;
        const QString tree = fixture.makeRepository(QStringLiteral("repo"));
        fixture.write(tree, QStringLiteral("B.txt"), "four");
        fixture.write(tree, QStringLiteral("a.txt"), "");
        fixture.write(tree, QStringLiteral("zoo/x"), "x");
        fixture.write(tree, QStringLiteral("-rf"), "x");
        fixture.write(tree, QStringLiteral("new\nline"), "x");
        QVERIFY(QFile::link(QStringLiteral("/etc"), tree + QStringLiteral("/out")));
        QVERIFY(QFile::link(QStringLiteral("zoo"), tree + QStringLiteral("/in")));
        const auto root = listFolder(tree, {}, 100);
        VERIFY_OK(root);
        QCOMPARE(names(*root), (QStringList{QStringLiteral("src/"), QStringLiteral("zoo/"), QStringLiteral("-rf"), QStringLiteral("a.txt"), QStringLiteral("B.txt"), QStringLiteral("in"),
                                   QStringLiteral("new\nline"), QStringLiteral("out"), QStringLiteral("README.md")}));
        QCOMPARE(root->entries.at(4).size, 4);
        QVERIFY(!root->truncated);
        const auto cut = listFolder(tree, {}, 3);
        VERIFY_OK(cut);
        QVERIFY(cut->truncated && cut->entries.size() == 3);
        VERIFY_OK(listFolder(tree, "zoo", 10));
        // No way out, by words or by links; not even a link that stays inside is a folder.
        for (const char *path : {"..", "zoo/..", "zoo/../..", "/etc", "zoo//x", "./zoo", "out", "in", "out/ssh", ".git", "zoo/.GIT/x", "a.txt"})
            VERIFY_CODE(listFolder(tree, path, 10), "invalid");
        VERIFY_CODE(listFolder(tree, QByteArray("zoo\0", 4), 10), "invalid");
        VERIFY_CODE(listFolder(tree, "gone", 10), "not_found");
        VERIFY_CODE(listFolder(tree + QStringLiteral("-gone"), {}, 10), "not_found");
    }

    void pieces()
    {
        const GitFixture fixture;
        const QString tree = fixture.makeRepository(QStringLiteral("repo"));
        fixture.write(fixture.root(), QStringLiteral("secret"), "outside");
        fixture.write(tree, QStringLiteral("big"), QByteArray(9000, 'x') + QByteArray("\0tail", 5));
        fixture.write(tree, QStringLiteral("binary"), QByteArray("a\0b", 3));
        fixture.write(tree, QStringLiteral("dir/file"), "inside");
        const auto whole = readPiece(tree, "dir/file", 0, 100);
        VERIFY_OK(whole);
        QCOMPARE(whole->data, QByteArray("inside"));
        QVERIFY(whole->size == 6 && !whole->binary);
        QCOMPARE(readPiece(tree, "dir/file", 2, 3)->data, QByteArray("sid"));
        QCOMPARE(readPiece(tree, "dir/file", 6, 3)->data, QByteArray());
        QCOMPARE(readPiece(tree, "dir/file", 600, 3)->data, QByteArray());
        const auto tail = readPiece(tree, "big", 9001, 100);
        VERIFY_OK(tail);
        QVERIFY(tail->data == "tail" && tail->size == 9005 && !tail->binary);
        QVERIFY(readPiece(tree, "binary", 2, 1)->binary);
        // Links: within, out, in a circle, through a folder.
        const auto link = [&](const QString &to, const char *name) { QVERIFY(QFile::link(to, tree + QLatin1Char('/') + QString::fromLatin1(name))); };
        link(QStringLiteral("dir/file"), "good");
        link(tree + QStringLiteral("/dir"), "gooddir");
        link(QStringLiteral("../secret"), "bad");
        link(fixture.root(), "baddir");
        link(QStringLiteral("circle"), "circle");
        link(QStringLiteral(".git/config"), "config");
        link(QStringLiteral("/dev/zero"), "zero");
        QCOMPARE(readPiece(tree, "good", 0, 100)->data, QByteArray("inside"));
        QCOMPARE(readPiece(tree, "gooddir/file", 0, 100)->data, QByteArray("inside"));
        for (const char *path : {"bad", "baddir/secret", "config", "zero", "../secret", "dir", "", ".git/config", "/etc/passwd", "dir/../../secret"})
            VERIFY_CODE(readPiece(tree, path, 0, 100), "invalid");
        QCOMPARE(::mkfifo(QFile::encodeName(tree + QStringLiteral("/pipe")).constData(), 0600), 0);
        VERIFY_CODE(readPiece(tree, "pipe", 0, 100), "invalid");
        for (const char *path : {"circle", "absent", "dir/file/x"})
            VERIFY_CODE(readPiece(tree, path, 0, 100), "not_found");
    }

    void committed()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString tree = fixture.makeRepository(QStringLiteral("repo"));
        const QStringList odd{QStringLiteral("new\nline"), QStringLiteral("-dash"), QStringLiteral("dir/ü 1"), QStringLiteral("c:d")};
        for (const QString &name : odd)
            fixture.write(tree, name, "committed " + name.toUtf8());
        fixture.write(tree, QStringLiteral("big"), QByteArray(3 << 20, 'b'));
        fixture.commitAll(tree, QStringLiteral("odd"));
        const QString head = fixture.git(tree, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
        const auto read = [&](const QString &path, const QString &revision, qint64 offset = 0, qint64 limit = 1000) {
            return waitFor<FilePiece>([&](QObject *context, auto done) { readCommitted(git, {tree, path, revision, offset, limit}, context, done); });
        };
        for (const QString &name : odd) {
            fixture.write(tree, name, "staged");
            fixture.mustGit(tree, {QStringLiteral("add"), QStringLiteral("-A")});
            fixture.write(tree, name, "edited");
            const auto was = read(name, head);
            VERIFY_OK(was);
            QCOMPARE(was->data, "committed " + name.toUtf8());
            QCOMPARE(was->size, was->data.size());
            QCOMPARE(read(name, {})->data, QByteArray("staged"));
        }
        const auto piece = read(QStringLiteral("big"), head, (3 << 20) - 5, 100);
        VERIFY_OK(piece);
        QVERIFY(piece->data == "bbbbb" && piece->size == 3 << 20);
        VERIFY_CODE(read(QStringLiteral("absent"), head), "missing_ref");
        VERIFY_CODE(read(QStringLiteral("big"), QStringLiteral("no-such")), "missing_ref");
        VERIFY_CODE(read(QStringLiteral("big"), QStringLiteral("--batch-all-objects")), "missing_ref");
        VERIFY_CODE(read(QStringLiteral("dir"), head), "invalid");
        VERIFY_CODE(read(QStringLiteral("../x"), head), "invalid");
    }

    void search()
    {
        QByteArray names;
        for (const char *name : {"src/main.cpp", "src/domain/maintenance.h", "docs/remain.txt", "m/a/i/n/x", "src/main.cpp", "Übung/Größe.TXT", "nested/", "README.md"})
            names += QByteArray(name) + '\0';
        const FileSearch files(names, false);
        QCOMPARE(files.count(), 6);
        bool more = false;
        QCOMPARE(files.find(QStringLiteral("MAIN"), 10, &more), (QStringList{QStringLiteral("src/main.cpp"), QStringLiteral("src/domain/maintenance.h"), QStringLiteral("docs/remain.txt"), QStringLiteral("m/a/i/n/x")}));
        QVERIFY(!more);
        QCOMPARE(files.find(QStringLiteral("main"), 1, &more), QStringList{QStringLiteral("src/main.cpp")});
        QVERIFY(more);
        QCOMPARE(files.find(QStringLiteral("größe"), 10, &more), QStringList{QStringLiteral("Übung/Größe.TXT")});
        QCOMPARE(files.find(QStringLiteral("src/main"), 10, &more).value(0), QStringLiteral("src/main.cpp"));
        QCOMPARE(files.find(QStringLiteral("s main"), 10, &more).value(0), QStringLiteral("src/main.cpp"));
        QCOMPARE(files.find(QStringLiteral("readme.md"), 10, &more), QStringList{QStringLiteral("README.md")});
        QVERIFY(files.find(QStringLiteral("zzz"), 10, &more).isEmpty());
        QCOMPARE(files.find({}, 100, &more).size(), 6);
        QCOMPARE(files.folders().value(0), QByteArray());
        QVERIFY(files.folders().contains("src/domain") && files.folders().contains("m/a/i") && !files.folders().contains("nested"));
    }

    void searchIsQuick()
    {
        QByteArray names;
        for (int i = 0; i < 200000; ++i)
            names += "packages/part" + QByteArray::number(i % 500) + "/source/module" + QByteArray::number(i) + ".cpp" + '\0';
        const FileSearch files(names, false);
        QElapsedTimer clock;
        clock.start();
        bool more = false;
        QCOMPARE(files.find(QStringLiteral("pmodule199999"), 100, &more).size(), 1);
        QVERIFY2(clock.elapsed() < 2000, qPrintable(QString::number(clock.elapsed()))); // a loaded machine; without optimizing
    }

    void watch()
    {
        const GitFixture fixture;
        const GitEnvironment git = gitFor(fixture);
        const QString repo = fixture.makeRepository(QStringLiteral("repo"));
        const auto made = add(git, {repo, fixture.path(QStringLiteral("wt")), QStringLiteral("deep/task"), QStringLiteral("main")});
        VERIFY_OK(made);
        const QString tree = made->path;
        fixture.write(tree, QStringLiteral("ignored/x"), "x");
        WorkTreeWatcher watcher;
        QSignalSpy spy(&watcher, &WorkTreeWatcher::touched);
        QCOMPARE(watcher.watch(tree, {QByteArray(), "src"}), 2);
        QCOMPARE(watcher.watch(tree, {QByteArray(), "src"}), 0);
        const auto told = [&spy] {
            QSet<QByteArray> folders;
            for (const QList<QVariant> &call : std::as_const(spy)) {
                for (const QByteArray &folder : call.first().value<QList<QByteArray>>())
                    folders.insert(folder);
            }
            return folders;
        };
        fixture.write(tree, QStringLiteral("ignored/y"), "y");
        fixture.write(tree, QStringLiteral("src/main.cpp"), "edited");
        QTRY_VERIFY(told().contains("src"));
        QVERIFY(!told().contains("ignored") && !told().contains(""));
        spy.clear();
        QVERIFY(QFile::remove(tree + QStringLiteral("/README.md")));
        QTRY_VERIFY(told().contains(""));
        spy.clear();
        // Git's own: staged, and committed from elsewhere by moving the branch.
        fixture.mustGit(tree, {QStringLiteral("add"), QStringLiteral("src/main.cpp")});
        QTRY_COMPARE(spy.size(), 1);
        QVERIFY(told().isEmpty());
        spy.clear();
        const QString tip = fixture.git(repo, {QStringLiteral("rev-parse"), QStringLiteral("main")}).line();
        fixture.mustGit(repo, {QStringLiteral("update-ref"), QStringLiteral("refs/heads/deep/task"), tip, tip});
        fixture.mustGit(repo, {QStringLiteral("commit-tree"), QStringLiteral("-m"), QStringLiteral("x"), tip + QStringLiteral("^{tree}")});
        const QString other = fixture.git(repo, {QStringLiteral("commit-tree"), QStringLiteral("-m"), QStringLiteral("y"), tip + QStringLiteral("^{tree}")}).line();
        spy.clear();
        fixture.mustGit(repo, {QStringLiteral("update-ref"), QStringLiteral("refs/heads/deep/task"), other});
        QTRY_VERIFY(!spy.isEmpty());
        // Folders that come: also what is written in one that held nothing when it was made.
        spy.clear();
        QVERIFY(QDir(tree).mkpath(QStringLiteral("fresh/inner")));
        QTRY_VERIFY(watcher.isWatching("fresh/inner"));
        QCOMPARE(watcher.watch(tree, {QByteArray(), "src"}), 0); // no list names it; it stays
        QVERIFY(watcher.isWatching("fresh/inner"));
        spy.clear();
        fixture.write(tree, QStringLiteral("fresh/inner/file"), "f");
        QTRY_VERIFY(told().contains("fresh/inner"));
        QCOMPARE(watcher.watch(tree, {QByteArray(), "src"}), 0); // files, and still not named: ignored
        QVERIFY(!watcher.isWatching("fresh/inner"));
        // A bound; and a folder that is a link is none.
        WorkTreeWatcher small(nullptr, 1);
        QCOMPARE(small.watch(tree, {QByteArray(), "src"}), 1);
        QVERIFY(QFile::link(QStringLiteral("/etc"), tree + QStringLiteral("/out")));
        QCOMPARE(watcher.watch(tree, {QByteArray(), "out"}), 0);
        QVERIFY(!watcher.isWatching("out") && !watcher.isWatching("src"));
        watcher.stop();
        QVERIFY(!watcher.isWatching());
    }
};

QTEST_GUILESS_MAIN(TestWorkTreeFiles)
#include "tst_worktreefiles.moc"
