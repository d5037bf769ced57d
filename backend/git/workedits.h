// What the host itself changes in a work tree, each time because a person asked: taking changes back, bringing them back
// again, committing. Nothing is removed that a ref does not hold first; an index entry is written only for the files
// named. All can be repeated after a crash. Hooks and filters of the repository run in
// makeCommit() only, and only when their version is the trusted one.
#pragma once

#include "backend/git/gitoperations.h"

namespace foundry::backend {

struct KeepRequest {
    QString worktree;
    QStringList paths;  // files, or folders for all changes below; empty: all that is in no commit
    QString mergeBase;  // for files whose changes are committed
    QString ref;        // a full name; what is there now and what shall be there is kept under it
};
struct Kept {
    QString commit;
    qint64 files = 0;
    QStringList left = {}; // submodules and repositories inside: never touched
};
// Uncommitted changes shall become HEAD's version (untracked files shall go), a file that has committed changes only the
// merge base's, as an uncommitted change. Looks and keeps; nothing in the work tree or index changes yet. The commit has
// the tree that shall be; its first parent the work tree as it is (that one's second parent: the index as it is), its
// second parent the index that shall be. Errors: conflict (unmerged files, in detail), input/invalid (no change there).
GitJob *keepForRevert(const GitEnvironment &git, const KeepRequest &request, QObject *context, GitDone<Kept> done,
    int deadlineMs = 120000);

struct ApplyKeptRequest {
    QString worktree;
    QString commit;      // of keepForRevert()
    bool undo = false;   // back to what was there
    QStringList skip = {}; // when undoing: what reverting had to leave
};
struct AppliedKept {
    qint64 files = 0;
    QStringList conflicts = {}; // changed by somebody meanwhile: left as they are
};
// Files that are as they shall be already are left alone, so that it can be repeated. When reverting, files that changed
// since they were kept are skipped and named; when undoing, any such file is an error (git/conflict, names in detail) and
// nothing is done.
GitJob *applyKept(const GitEnvironment &git, const ApplyKeptRequest &request, QObject *context, GitDone<AppliedKept> done,
    int deadlineMs = 120000);

// Deletes refs below `prefix` (a full name with a slash at its end) whose commits are older than that time.
GitJob *forgetKept(const GitEnvironment &git, const QString &worktree, const QString &prefix, Millis olderThan, QObject *context,
    GitDone<Unit> done, int deadlineMs = 30000);

struct CommitRequest {
    QString worktree;
    QString message;
    std::optional<QStringList> paths = {}; // files or folders; absent: everything
    QString trusted = {}; // version of the repository's own programs (gittrust.h) that may run: filters and hooks
};
struct MadeCommit {
    QString commit;
    QString parent;
    qint64 files = 0;
    bool untrusted = false; // the repository has hooks or filters, and they did not run
};
// Makes the commit's object of the files as they lie in the work tree; no branch, index or file changes yet. Errors:
// no_identity, nothing_to_commit, hook_refused (a trusted hook said no), conflict (unmerged files, or a merge, rebase … under way), input/invalid.
GitJob *makeCommit(const GitEnvironment &git, const CommitRequest &request, QObject *context, GitDone<MadeCommit> done,
    int deadlineMs = 120000);
// Moves the branch to it, if it is where the commit began (or there already). Error conflict: somebody else moved it.
GitJob *recordCommit(const GitEnvironment &git, const QString &worktree, const MadeCommit &made, QObject *context,
    GitDone<Unit> done, int deadlineMs = 30000);
// Brings the index entries of the committed files up to it; all others stay as they are staged. Error locked.
GitJob *settleIndex(const GitEnvironment &git, const QString &worktree, const MadeCommit &made, QObject *context,
    GitDone<Unit> done, int deadlineMs = 30000);

} // namespace foundry::backend
