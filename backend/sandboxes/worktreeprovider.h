// The provider on this machine: a git work tree of the repository under <data>/worktrees/<repo>/<task>. The user's own
// checkout is never touched.
#pragma once

#include "backend/git/gitrunner.h"
#include "backend/sandboxes/repositorylanes.h"
#include "backend/sandboxes/worktreekeeper.h"

namespace foundry::backend {

class WorktreeProvider : public SandboxProvider {
public:
    // `lanes` belongs to all providers of a host: work trees of one repository are made and removed one after another.
    WorktreeProvider(GitEnvironment git, QString root, std::shared_ptr<RepositoryLanes> lanes);

    QString name() const override { return QStringLiteral("worktree"); }
    WorkKeeper *keeper() override { return &m_keeper; }
    SandboxOperation *attachBranch(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<Unit> done) override;
    SandboxOperation *allocate(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<SandboxHandle> done) override;
    SandboxOperation *prepare(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context,
        SandboxDone<SandboxHandle> done) override;
    std::unique_ptr<AgentTransport> agent(const SandboxHandle &handle, AgentSpec &spec) override;
    SandboxOperation *exec(const SandboxHandle &handle, const SandboxExec &exec, int deadlineMs, QObject *context,
        SandboxDone<SandboxExecResult> done) override;
    SandboxOperation *health(const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done) override;
    SandboxOperation *destroy(const SandboxSpec &spec, const SandboxHandle &handle, bool force, int deadlineMs, QObject *context,
        SandboxDone<Unit> done) override;

private:
    QString placeOf(const SandboxSpec &spec) const;

    GitEnvironment m_git;
    QString m_root;
    std::shared_ptr<RepositoryLanes> m_lanes;
    WorktreeKeeper m_keeper;
};

} // namespace foundry::backend
