// What a work tree holds beyond its commits: kept without touching it, put back as it was, let go of with its branch; and
// everything that stands in the way of that.
#include "backend/git/savedwork.h"
#include "backend/git/worktreelist.h"
#include "backend/sandboxes/worktreekeeper.h"
#include "tests/backend_git/gitwait.h"

#include <QDir>
#include <QFile>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

namespace {

QString savedRef()
{
    return QStringLiteral("refs/foundry/trash/t1");
}

struct Place {
    GitFixture fixture;
    GitEnvironment git = gitFor(fixture);
    QString repo = fixture.makeRepository(QStringLiteral("repo"));
    QString tree = fixture.path(QStringLiteral("trees/t1"));

    Place()
    {
        QDir().mkpath(fixture.path(QStringLiteral("trees")));
        add();
    }
    void add(bool adopt = false)
    {
        AddWorktreeRequest request{repo, tree, QStringLiteral("topic")};
        request.adopt = adopt;
        auto made = waitFor<WorktreeInfo>([&](QObject *context, auto done) { addWorktree(git, request, context, done); });
        if (!made)
            qFatal("%ls", qUtf16Printable(made.error().message));
    }
    // Staged, unstaged, both in one file, removed, new.
    void edit() const
    {
        fixture.write(tree, QStringLiteral("README.md"), "staged\n");
        fixture.mustGit(tree, {QStringLiteral("add"), QStringLiteral("README.md")});
        fixture.write(tree, QStringLiteral("README.md"), "staged\nand more\n");
        QFile::remove(tree + QStringLiteral("/src/main.cpp"));
        fixture.write(tree, QStringLiteral("new \"one\"\n.txt"), "new\r\n");
        fixture.write(tree, QStringLiteral("sub/run.sh"), "#!/bin/sh\n", true);
    }
    QByteArray index() const { return fixture.read(fixture.git(tree, {QStringLiteral("rev-parse"), QStringLiteral("--absolute-git-dir")}).line(), QStringLiteral("index")); }
    QByteArray status() const { return fixture.mustGit(tree, {QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("-z"), QStringLiteral("-uall"), QStringLiteral("--branch")}); }
    Result<SavedWork> save(bool always = false) const
    {
        return waitFor<SavedWork>([&](QObject *context, auto done) { saveWork(git, {repo, tree, QStringLiteral("topic"), savedRef(), always}, context, done); });
    }
    Result<QString> putBack(const SavedWork &saved) const
    {
        return waitFor<QString>([&](QObject *context, auto done) { putWorkBack(git, tree, saved, context, done); });
    }
    Result<QString> release(const QString &kept) const
    {
        return waitFor<QString>([&](QObject *context, auto done) { releaseBranch(git, repo, QStringLiteral("topic"), kept, context, done); });
    }
    void remove() const
    {
        auto gone = waitFor<Unit>([&](QObject *context, auto done) { removeWorktree(git, {repo, tree, true}, context, done); });
        if (!gone)
            qFatal("%ls", qUtf16Printable(gone.error().message));
    }
    QString rev(const QString &name) const { return fixture.git(repo, {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), name}).line(); }
};

} // namespace

class TestSavedWork : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void thereAndBack()
    {
        Place place;
        place.edit();
        const QByteArray before = place.status();
        const QByteArray index = place.index();
        const auto saved = place.save();
        VERIFY_OK(saved);
        QCOMPARE(saved->untracked, 2);
        QCOMPARE(saved->uncommitted, 2);
        QCOMPARE(saved->headBranch, QStringLiteral("topic"));
        QCOMPARE(place.rev(savedRef()), saved->kept);
        // Nothing was changed by it.
        QCOMPARE(place.index(), index);
        QCOMPARE(place.status(), before);
        place.remove();
        QVERIFY(!QFile::exists(place.tree));
        place.add(true);
        VERIFY_OK(place.putBack(*saved));
        QCOMPARE(place.status(), before);
        QCOMPARE(place.fixture.read(place.tree, QStringLiteral("new \"one\"\n.txt")), QByteArray("new\r\n"));
        QVERIFY(QFileInfo(place.tree + QStringLiteral("/sub/run.sh")).isExecutable());
        QCOMPARE(place.fixture.mustGit(place.tree, {QStringLiteral("show"), QStringLiteral(":README.md")}), QByteArray("staged\n"));
        // Again, as after a kill: the same.
        VERIFY_OK(place.putBack(*saved));
        QCOMPARE(place.status(), before);
    }

    void nothingToKeep()
    {
        Place place;
        const auto saved = place.save();
        VERIFY_OK(saved);
        QVERIFY(saved->commit.isEmpty() && saved->kept.isEmpty());
        QVERIFY(place.rev(savedRef()).isEmpty());
        // Before the branch goes, its commits are kept all the same.
        const auto kept = place.save(true);
        VERIFY_OK(kept);
        QCOMPARE(place.rev(savedRef()), place.rev(QStringLiteral("topic")));
    }

    void conflictAndHiddenFiles()
    {
        Place place;
        // A merge in conflict has no index that could be written as a tree.
        place.fixture.write(place.repo, QStringLiteral("README.md"), "theirs\n");
        place.fixture.commitAll(place.repo, QStringLiteral("theirs"));
        place.fixture.write(place.tree, QStringLiteral("README.md"), "ours\n");
        place.fixture.commitAll(place.tree, QStringLiteral("ours"));
        place.fixture.git(place.tree, {QStringLiteral("merge"), QStringLiteral("main")});
        place.fixture.mustGit(place.tree, {QStringLiteral("update-index"), QStringLiteral("--assume-unchanged"), QStringLiteral("src/main.cpp")});
        place.fixture.write(place.tree, QStringLiteral("src/main.cpp"), "hidden work\n");
        const QByteArray conflicted = place.fixture.read(place.tree, QStringLiteral("README.md"));
        QVERIFY(conflicted.contains("<<<<<<<"));
        const auto saved = place.save();
        VERIFY_OK(saved);
        QVERIFY(saved->index.isEmpty());
        place.remove();
        place.add(true);
        VERIFY_OK(place.putBack(*saved));
        QCOMPARE(place.fixture.read(place.tree, QStringLiteral("README.md")), conflicted);
        QCOMPARE(place.fixture.read(place.tree, QStringLiteral("src/main.cpp")), QByteArray("hidden work\n"));
    }

    void detachedHeadIsKept()
    {
        Place place;
        place.fixture.mustGit(place.tree, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("--detach")});
        place.fixture.write(place.tree, QStringLiteral("lonely.txt"), "no branch has me\n");
        place.fixture.commitAll(place.tree, QStringLiteral("lonely"));
        const QString lonely = place.fixture.git(place.tree, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
        const auto saved = place.save();
        VERIFY_OK(saved);
        QVERIFY(place.fixture.git(place.repo, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), lonely, savedRef()}).ok());
        QVERIFY(place.fixture.git(place.repo, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), QStringLiteral("topic"), savedRef()}).ok());
        place.remove();
        place.add(true);
        VERIFY_OK(place.putBack(*saved));
        QCOMPARE(place.fixture.git(place.tree, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line(), lonely);
        QVERIFY(QFile::exists(place.tree + QStringLiteral("/lonely.txt")));
    }

    void branchThatMovedMeanwhile()
    {
        Place place;
        place.edit();
        const QByteArray file = place.fixture.read(place.tree, QStringLiteral("README.md"));
        const auto saved = place.save();
        VERIFY_OK(saved);
        place.remove();
        place.fixture.mustGit(place.repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("topic")});
        place.fixture.write(place.repo, QStringLiteral("later.txt"), "later\n");
        place.fixture.commitAll(place.repo, QStringLiteral("later"));
        place.fixture.mustGit(place.repo, {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("main")});
        place.add(true);
        const auto note = place.putBack(*saved);
        VERIFY_OK(note);
        QVERIFY2(note->contains(QStringLiteral("moved meanwhile")), qPrintable(*note));
        QCOMPARE(place.fixture.read(place.tree, QStringLiteral("README.md")), file);
        // The later commit is not undone by anything that stands there now.
        QVERIFY(place.fixture.git(place.repo, {QStringLiteral("cat-file"), QStringLiteral("-e"), QStringLiteral("topic:later.txt")}).ok());
    }

    void goneWorkTreeLeavesWhatWasKept()
    {
        Place place;
        place.edit();
        const auto saved = place.save();
        VERIFY_OK(saved);
        place.remove();
        place.fixture.mustGit(place.repo, {QStringLiteral("branch"), QStringLiteral("-f"), QStringLiteral("topic"), QStringLiteral("main")});
        const auto again = place.save(true);
        VERIFY_OK(again);
        QVERIFY(again->head.isEmpty());
        QVERIFY(place.fixture.git(place.repo, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), saved->commit, savedRef()}).ok());
        QVERIFY(place.fixture.git(place.repo, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), QStringLiteral("topic"), savedRef()}).ok());
    }

    void refuses()
    {
        Place place;
        place.edit();
        place.fixture.mustGit(place.repo, {QStringLiteral("worktree"), QStringLiteral("lock"), QStringLiteral("--reason"), QStringLiteral("mine"), place.tree});
        VERIFY_CODE(place.save(), "locked");
        place.fixture.mustGit(place.repo, {QStringLiteral("worktree"), QStringLiteral("unlock"), place.tree});
        // A repository inside with work of its own.
        const QString inner = place.tree + QStringLiteral("/inner");
        QDir().mkpath(inner);
        place.fixture.mustGit(inner, {QStringLiteral("init"), QStringLiteral("-q")});
        place.fixture.write(inner, QStringLiteral("a"), "a\n");
        place.fixture.commitAll(inner, QStringLiteral("a"));
        const auto nested = place.save();
        VERIFY_CODE(nested, "nested");
        QVERIFY(nested.error().message.contains(QStringLiteral("inner")));
        QDir(inner).removeRecursively();
        // Moved by hand, with a link in its place: nothing behind the link is looked at.
        const QString elsewhere = place.fixture.path(QStringLiteral("elsewhere"));
        QVERIFY(QFile::rename(place.tree, elsewhere));
        QVERIFY(QFile::link(elsewhere, place.tree));
        VERIFY_CODE(place.save(), "moved");
        QVERIFY(QFile::remove(place.tree));
        QVERIFY(QFile::rename(elsewhere, place.tree));
        QVERIFY(place.rev(savedRef()).isEmpty());
        VERIFY_OK(place.save());
        // The repository is gone.
        QVERIFY(QFile::rename(place.repo, place.repo + QStringLiteral(".away")));
        VERIFY_CODE(place.save(), "not_found");
    }

    void branchGoesOnlyWhenKept()
    {
        Place place;
        place.fixture.write(place.tree, QStringLiteral("x"), "x\n");
        place.fixture.commitAll(place.tree, QStringLiteral("x"));
        const auto saved = place.save(true);
        VERIFY_OK(saved);
        // Still checked out by its own work tree.
        auto stays = place.release(saved->kept);
        VERIFY_OK(stays);
        QVERIFY2(stays->contains(QStringLiteral("checked out")), qPrintable(*stays));
        place.remove();
        stays = place.release(place.rev(QStringLiteral("main")));
        VERIFY_OK(stays);
        QVERIFY2(stays->contains(QStringLiteral("moved on")), qPrintable(*stays));
        stays = place.release({});
        VERIFY_OK(stays);
        QVERIFY(!stays->isEmpty() && !place.rev(QStringLiteral("topic")).isEmpty());
        const auto gone = place.release(saved->kept);
        VERIFY_OK(gone);
        QVERIFY(gone->isEmpty());
        QVERIFY(place.rev(QStringLiteral("refs/heads/topic")).isEmpty());
        const auto bring = [&](const QString &tip) {
            return waitFor<Unit>([&](QObject *context, auto done) { bringBranchBack(place.git, place.repo, QStringLiteral("topic"), tip, context, done); });
        };
        VERIFY_OK(bring(saved->branchTip));
        QCOMPARE(place.rev(QStringLiteral("refs/heads/topic")), saved->branchTip);
        VERIFY_OK(bring(saved->branchTip));
        place.fixture.mustGit(place.repo, {QStringLiteral("branch"), QStringLiteral("-f"), QStringLiteral("topic"), QStringLiteral("main")});
        VERIFY_CODE(bring(saved->branchTip), "branch_exists");
        QCOMPARE(place.rev(QStringLiteral("refs/heads/topic")), place.rev(QStringLiteral("main")));
        VERIFY_OK(waitFor<Unit>([&](QObject *context, auto done) { forgetWork(place.git, place.repo, savedRef(), place.rev(QStringLiteral("main")), context, done); }));
        QVERIFY(!place.rev(savedRef()).isEmpty()); // another one's
        VERIFY_OK(waitFor<Unit>([&](QObject *context, auto done) { forgetWork(place.git, place.repo, savedRef(), saved->kept, context, done); }));
        QVERIFY(place.rev(savedRef()).isEmpty());
    }

    // A kill between the steps of a release: the next one goes on, and what is half gone is never saved again.
    void releaseGoesOn()
    {
        Place place;
        place.edit();
        const auto saved = place.save(true);
        VERIFY_OK(saved);
        WorktreeKeeper keeper(place.git, place.fixture.root());
        SandboxSpec spec;
        spec.repository = place.repo;
        spec.branch = QStringLiteral("topic");
        SandboxHandle handle;
        handle.place = handle.workTree = place.tree;
        QVERIFY(QFile::rename(place.tree, place.tree + QStringLiteral(".removed")));
        QFile::remove(place.tree + QStringLiteral(".removed/README.md"));
        const auto again = place.save(true);
        VERIFY_OK(again);
        QCOMPARE(place.rev(savedRef()), saved->kept);
        VERIFY_OK(waitFor<Unit>([&](QObject *context, auto done) { keeper.removePlace(spec, handle, 60000, context, done); }));
        const auto released = waitFor<QString>([&](QObject *context, auto done) { keeper.release(spec, handle, *saved, true, 60000, context, done); });
        VERIFY_OK(released);
        QVERIFY2(released->isEmpty(), qPrintable(*released));
        QVERIFY(!QFile::exists(place.tree + QStringLiteral(".removed")));
        QVERIFY(place.rev(QStringLiteral("refs/heads/topic")).isEmpty());
        QCOMPARE(parseWorktreeList(place.fixture.mustGit(place.repo, worktreeListArguments())).size(), 1);
        // Once more: nothing is left to do.
        VERIFY_OK(waitFor<Unit>([&](QObject *context, auto done) { keeper.removePlace(spec, handle, 60000, context, done); }));
        VERIFY_OK(waitFor<QString>([&](QObject *context, auto done) { keeper.release(spec, handle, *saved, true, 60000, context, done); }));
    }

    // What does not lie among this host's work trees is left alone, whatever the record says.
    void placesOfOthers()
    {
        Place place;
        QDir().mkpath(place.fixture.path(QStringLiteral("own")));
        WorktreeKeeper keeper(place.git, place.fixture.path(QStringLiteral("own")));
        SandboxSpec spec;
        spec.repository = place.repo;
        spec.branch = QStringLiteral("topic");
        const auto remove = [&](const QString &where) {
            SandboxHandle handle;
            handle.place = handle.workTree = where;
            return waitFor<Unit>([&](QObject *context, auto done) { keeper.removePlace(spec, handle, 60000, context, done); });
        };
        VERIFY_CODE(remove(place.tree), "outside");
        VERIFY_CODE(remove(place.repo), "outside");
        VERIFY_CODE(remove(place.fixture.path(QStringLiteral("own/../trees/t1"))), "outside");
        // A link in the path leads out.
        QVERIFY(QFile::link(place.fixture.path(QStringLiteral("trees")), place.fixture.path(QStringLiteral("own/linked"))));
        VERIFY_CODE(remove(place.fixture.path(QStringLiteral("own/linked/t1"))), "outside");
        QVERIFY(QFile::exists(place.tree + QStringLiteral("/README.md")));
        QVERIFY(!place.rev(QStringLiteral("topic")).isEmpty());
    }

    void loss()
    {
        Place place;
        place.edit();
        place.fixture.write(place.tree, QStringLiteral("c"), "c\n");
        place.fixture.mustGit(place.tree, {QStringLiteral("add"), QStringLiteral("c")});
        place.fixture.mustGit(place.tree, {QStringLiteral("commit"), QStringLiteral("-q"), QStringLiteral("-m"), QStringLiteral("c"), QStringLiteral("--"), QStringLiteral("c")});
        const auto look = [&] {
            return waitFor<TaskLoss>([&](QObject *context, auto done) { lookAtLoss(place.git, place.repo, place.tree, QStringLiteral("topic"), context, done); });
        };
        auto loss = look();
        VERIFY_OK(loss);
        QCOMPARE(loss->uncommitted, 2);
        QCOMPARE(loss->untracked, 2);
        QCOMPARE(loss->unpushed, 1);
        QCOMPARE(loss->paths.size(), 4);
        place.fixture.mustGit(place.repo, {QStringLiteral("branch"), QStringLiteral("copy"), QStringLiteral("topic")});
        loss = look();
        VERIFY_OK(loss);
        QCOMPARE(loss->unpushed, 0); // another branch has it
        place.remove();
        loss = look();
        VERIFY_OK(loss);
        QCOMPARE(loss->uncommitted, 0);
    }
};

QTEST_GUILESS_MAIN(TestSavedWork)
#include "tst_savedwork.moc"
