// The keeper of work trees on this machine.
#pragma once

#include "backend/git/gitrunner.h"
#include "backend/sandboxes/workkeeper.h"

namespace foundry::backend {

class WorktreeKeeper : public WorkKeeper {
public:
    // `root`: nothing outside of this folder is ever removed.
    WorktreeKeeper(GitEnvironment git, QString root);

    // The place, for WorktreeProvider::destroy(): first renamed, in one step, then taken apart, so that after a kill it is
    // whole or gone, never half there to be saved again.
    SandboxOperation *removePlace(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done);

    SandboxOperation *look(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<TaskLoss> done) override;
    SandboxOperation *save(const SandboxSpec &spec, const SandboxHandle &handle, const QString &ref, bool always, int deadlineMs, QObject *context,
        SandboxDone<SavedWork> done) override;
    SandboxOperation *release(const SandboxSpec &spec, const SandboxHandle &handle, const SavedWork &saved, bool deleteBranch, int deadlineMs,
        QObject *context, SandboxDone<QString> done) override;
    SandboxOperation *bringBack(const SandboxSpec &spec, const SavedWork &saved, int deadlineMs, QObject *context, SandboxDone<Unit> done) override;
    SandboxOperation *putBack(const SandboxSpec &spec, const SandboxHandle &handle, const SavedWork &saved, int deadlineMs, QObject *context,
        SandboxDone<QString> done) override;
    SandboxOperation *forget(const SandboxSpec &spec, const QString &ref, const QString &kept, bool all, int deadlineMs, QObject *context,
        SandboxDone<Unit> done) override;

private:
    // The place's folder, if it lies where this keeper's places lie once all links are resolved.
    Result<QString> ownPlace(const SandboxHandle &handle) const;

    GitEnvironment m_git;
    QString m_root;
};

} // namespace foundry::backend
