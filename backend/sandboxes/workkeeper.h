// What a provider can do with the work in a place that is to be given up, and may be wanted again: look at what would be
// lost, keep it, give the branch back when SandboxProvider::destroy() gave back the place, and bring all of it back into a
// new one. Asynchronous and repeatable like SandboxProvider; nothing outside of the provider's own places is ever removed.
#pragma once

#include "backend/git/savedwork.h"
#include "backend/sandboxes/sandboxprovider.h"

namespace foundry::backend {

class WorkKeeper {
public:
    virtual ~WorkKeeper() = default;

    virtual SandboxOperation *look(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<TaskLoss> done) = 0;
    virtual SandboxOperation *save(const SandboxSpec &spec, const SandboxHandle &handle, const QString &ref, bool always, int deadlineMs, QObject *context,
        SandboxDone<SavedWork> done) = 0;
    // The place is gone; the branch goes only with `deleteBranch`, and only if `saved` reaches all of it. `handle` is as it
    // was before. Answers with a sentence about what stays, or nothing.
    virtual SandboxOperation *release(const SandboxSpec &spec, const SandboxHandle &handle, const SavedWork &saved, bool deleteBranch, int deadlineMs,
        QObject *context, SandboxDone<QString> done) = 0;
    // The branch, before the place is prepared again.
    virtual SandboxOperation *bringBack(const SandboxSpec &spec, const SavedWork &saved, int deadlineMs, QObject *context, SandboxDone<Unit> done) = 0;
    // The work, after it was. Answers with a sentence to show, or nothing.
    virtual SandboxOperation *putBack(const SandboxSpec &spec, const SandboxHandle &handle, const SavedWork &saved, int deadlineMs, QObject *context,
        SandboxDone<QString> done) = 0;
    // What was kept; with `all` also what the task's reverts keep.
    virtual SandboxOperation *forget(const SandboxSpec &spec, const QString &ref, const QString &kept, bool all, int deadlineMs, QObject *context,
        SandboxDone<Unit> done) = 0;
};

} // namespace foundry::backend
