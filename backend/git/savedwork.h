// Keeps what a task's work tree holds beyond its commits, before the work tree is given up, and brings it back: a commit
// made with an index of our own, under a ref of the task's. Neither the index, the branch nor a file of the work tree is
// changed by saving. The content is kept as it is: no filter of the repository's runs. Ignored files are not kept.
// Asynchronous like gitoperations.h; errors have the group `git`.
#pragma once

#include "backend/git/gitoperations.h"
#include "models/types/provisioning.h"

namespace foundry::backend {

struct SaveWorkRequest {
    QString repository;
    QString worktree; // absolute; one that is not there holds nothing
    QString branch;   // of the task, without refs/heads/
    QString ref;      // full name, e.g. refs/foundry/trash/<task>
    bool always = false; // a ref also when all is committed: before the branch is deleted
};
struct SavedWork {
    QString commit;     // content of the work tree; empty: nothing was uncommitted, or there was none
    QString index;      // what was staged, a commit of its own; empty: as HEAD
    QString kept;       // what the ref names: reaches all of it and the branch; empty: no ref
    QString head;       // commit of the work tree; empty: it was not there
    QString headBranch; // its branch, without refs/heads/; empty: detached
    QString branchTip;  // of the task's branch; empty: it is gone
    qint64 uncommitted = 0;
    qint64 untracked = 0;
    friend bool operator==(const SavedWork &, const SavedWork &) = default;
};
// Errors: moved (a link stands in the work tree's place), locked (by the user), not_a_worktree, nested (a repository inside
// that has work of its own), no_space, …. A work tree that is not there leaves what an earlier call kept as it is.
GitJob *saveWork(const GitEnvironment &git, const SaveWorkRequest &request, QObject *context, GitDone<SavedWork> done,
    int deadlineMs = 600000);

// Into a work tree that was just prepared and that nobody has worked in: HEAD, files and index as they were when saved.
// Answers with a sentence to show, or nothing. Can be repeated.
GitJob *putWorkBack(const GitEnvironment &git, const QString &worktree, const SavedWork &saved, QObject *context,
    GitDone<QString> done, int deadlineMs = 600000);

// Removes the ref, if it still names what was kept.
GitJob *forgetWork(const GitEnvironment &git, const QString &repository, const QString &ref, const QString &kept, QObject *context,
    GitDone<Unit> done, int deadlineMs = 30000);

// Deletes the task's branch if all of it is kept and no work tree has it; otherwise it stays, and the answer says why.
GitJob *releaseBranch(const GitEnvironment &git, const QString &repository, const QString &branch, const QString &kept,
    QObject *context, GitDone<QString> done, int deadlineMs = 30000);

// Makes the branch again where it was, if there is none; one that has gone on from there is left. Error: branch_exists.
GitJob *bringBranchBack(const GitEnvironment &git, const QString &repository, const QString &branch, const QString &tip,
    QObject *context, GitDone<Unit> done, int deadlineMs = 30000);

// What would be lost without keeping it. `unpushed` counts commits of the task that neither a remote nor another branch
// nor a tag has.
GitJob *lookAtLoss(const GitEnvironment &git, const QString &repository, const QString &worktree, const QString &branch,
    QObject *context, GitDone<TaskLoss> done, int deadlineMs = 60000);

QByteArray encodeSavedWork(const SavedWork &saved);
SavedWork decodeSavedWork(const QByteArray &json);

} // namespace foundry::backend
