// Everything the host does with git, as asynchronous operations. All take a GitEnvironment, a context that the answer
// dies with, and a deadline in milliseconds; all return a GitJob to cancel. Errors have the group `git` and the codes of
// giterror.h. None runs hooks, filters, or other programs that a repository's own configuration names; none ever asks
// for a password; none touches the user's own checkout. File names are as gitpath.h writes them.
#pragma once

#include "backend/git/gitjob.h"
#include "backend/git/worktreefiles.h"
#include "models/types/changes.h"

namespace foundry::backend {

template <class T>
using GitDone = std::function<void(Result<T>)>;

struct RepositoryInfo {
    QString topLevel;                     // of the work tree; of the repository itself when it is bare
    QString commonDir;                    // where objects and branches are: the identity of the repository on this machine
    std::optional<QString> defaultBranch; // origin's HEAD, else init.defaultBranch, main or master when there, else the present one
    std::optional<QString> headBranch;    // nothing when HEAD is detached
    std::optional<QString> head;          // nothing when there is no commit yet
    bool isBare = false;
    bool isEmpty = false; // no commit anywhere: no task can start from it
    bool dirty = false;   // the checkout has edits that are in no commit
    bool hasIdentity = false; // user.name and user.email are set, so that commits can be made
    QString ownPrograms;      // version of what git would run of the repository's own (gittrust.h); empty: nothing
    QStringList ownNames = {};
    QString originUrl;        // without user information; empty when there is no origin
};
// An empty, a bare and a detached repository are answers, not errors: the caller decides. Errors: not_found,
// not_a_repository, untrusted, not_installed, timeout, cancelled, failed.
GitJob *inspectRepository(const GitEnvironment &git, const QString &path, QObject *context,
    GitDone<RepositoryInfo> done, int deadlineMs = 30000);

struct CloneRequest {
    QString url;       // file://, http(s)://, ssh://, or host:path
    QString targetDir; // must not exist, or be an earlier clone of the same address (then: done)
};
struct CloneInfo {
    QString repository; // a bare repository with remote-tracking branches; the default branch exists locally
    QString shownUrl;   // without user information
};
// Made beside the target and renamed when whole: after a SIGKILL there is no half repository under the target's name,
// and the next call clears the rest away. Errors: input/invalid, auth_failed, network, not_found, no_space, path_exists, …
GitJob *cloneRepository(const GitEnvironment &git, const CloneRequest &request, QObject *context,
    GitDone<CloneInfo> done, int deadlineMs = 6 * 3600 * 1000, int idleDeadlineMs = 300000);

struct AddWorktreeRequest {
    QString repository; // any folder of it, or a bare one
    QString path;       // absolute, where the work tree shall be
    QString branch;     // a full branch name without refs/heads/
    QString base = {};  // branch, tag or commit to start from; empty: HEAD. Not used when the branch is adopted
    bool adopt = false; // the branch is to exist already (locally or on a remote) and is taken as it is
};
struct WorktreeInfo {
    QString path;
    QString branch;
    QString head;
    bool created = true; // false: it was there already, whole
};
// Can be repeated after any crash. Errors: branch_exists, branch_in_use (another work tree has it), missing_ref,
// empty_repository, path_exists, no_space, …; whatever a failed call made is removed again, its new branch included.
GitJob *addWorktree(const GitEnvironment &git, const AddWorktreeRequest &request, QObject *context,
    GitDone<WorktreeInfo> done, int deadlineMs = 600000);

struct RemoveWorktreeRequest {
    QString repository;
    QString path;
    bool force = false; // also with uncommitted work; otherwise error `dirty`
};
// The branch stays. Succeeds when there is nothing to remove any more.
GitJob *removeWorktree(const GitEnvironment &git, const RemoveWorktreeRequest &request, QObject *context,
    GitDone<Unit> done, int deadlineMs = 120000);

// What the work tree holds now, as an index file of our own at `file` (replaced when whole): paths and content ids,
// tracked and untracked files alike. Nothing is written into the repository, not even objects.
GitJob *recordWorkTree(const GitEnvironment &git, const QString &worktree, const QString &file, QObject *context,
    GitDone<Unit> done, int deadlineMs = 60000);

// The last recordWorkTree() of a turn's start, to tell what changed since then.
struct TurnMark {
    QString file;
    Millis startedAt = 0;  // of the turn; what was written between these two counts as changed in it
    Millis recordedAt = 0; // 0: there is no record
};
struct ChangesRequest {
    QString worktree;
    QString base; // what the task started from: branch or commit
    int maxFiles = 10000;
    TurnMark turn = {};
};
struct Changes {
    ChangesHeader header; // at, head, mergeBase, ahead, behind
    QList<FileChange> files; // by scope, then path; ids are `scope:path`
    bool truncated = false;  // there are more than maxFiles
    qint64 added = 0;        // lines over all files
    qint64 removed = 0;
};
// Reads only: neither the index nor a file of the work tree is written. One git at a time.
GitJob *computeChanges(const GitEnvironment &git, const ChangesRequest &request, QObject *context,
    GitDone<Changes> done, int deadlineMs = 60000);

struct FileDiffRequest {
    QString worktree;
    QString path;
    std::optional<QString> oldPath = {}; // of a rename or copy
    ChangeScope scope = ChangeScope::Committed;
    QString mergeBase = {}; // for Committed
    std::optional<QString> cursor = {}; // from the page before
    qint64 pageBytes = 400 * 1024; // as JSON text
};
// An unchanged file gives an empty page. A cursor of a diff that has changed meanwhile: error git/changed, begin again.
GitJob *fileDiff(const GitEnvironment &git, const FileDiffRequest &request, QObject *context,
    GitDone<DiffPage> done, int deadlineMs = 30000);

struct FileNames {
    QByteArray names; // as git has them, each ended by NUL; a file in conflict comes more than once
    bool truncated = false;
};
// Tracked and untracked files, ignored ones not.
GitJob *listFiles(const GitEnvironment &git, const QString &worktree, QObject *context, GitDone<FileNames> done,
    int deadlineMs = 60000);

struct CommittedFileRequest {
    QString worktree;
    QString path;
    QString revision; // a commit or branch; empty: the index
    qint64 offset = 0;
    qint64 limit = 262144;
};
// Errors: missing_ref (no such commit, or no such file in it), input/invalid (a folder or a submodule).
GitJob *readCommitted(const GitEnvironment &git, const CommittedFileRequest &request, QObject *context,
    GitDone<FilePiece> done, int deadlineMs = 30000);

struct BranchInfo {
    QString name; // main; origin/main when remote
    bool isRemote = false;
    bool current = false; // checked out in the folder that was asked
    QString head;
    qint64 committedAt = 0; // milliseconds
    friend bool operator==(const BranchInfo &, const BranchInfo &) = default;
};
// Newest first, at most `limit`.
GitJob *listBranches(const GitEnvironment &git, const QString &repository, QObject *context,
    GitDone<QList<BranchInfo>> done, int limit = 5000, int deadlineMs = 30000);

// "2.39.5"; errors: not_installed, too_old.
GitJob *checkGitVersion(const GitEnvironment &git, QObject *context, GitDone<QString> done, int deadlineMs = 10000);

} // namespace foundry::backend
