// A second kind of sandbox, made for tests: slow, remote-like, failing on demand. Its machine is a folder that is reached
// only through a program (remotemachine.sh), which can be told to wait and to fail in each operation.
#pragma once

#include "backend/git/childprocess.h"
#include "backend/sandboxes/workkeeper.h"

namespace foundry::test {

class RemoteMachine {
public:
    explicit RemoteMachine(QString path)
        : folder(std::move(path))
    {
    }
    backend::SandboxOperation *order(const QStringList &words, const QByteArray &input, int deadlineMs, QObject *context,
        const std::function<void(const backend::ChildOutcome &)> &done) const;
    static Error error(const backend::ChildOutcome &outcome);

    const QString folder;
};

// Work goes from the machine into the repository here, under its ref, and from there into another place of the machine.
class RemoteKeeper : public backend::WorkKeeper {
public:
    explicit RemoteKeeper(const RemoteMachine &machine)
        : m_machine(machine)
    {
    }
    backend::SandboxOperation *look(const backend::SandboxSpec &spec, const backend::SandboxHandle &handle, int deadlineMs, QObject *context,
        backend::SandboxDone<TaskLoss> done) override;
    backend::SandboxOperation *save(const backend::SandboxSpec &spec, const backend::SandboxHandle &handle, const QString &ref, bool always, int deadlineMs,
        QObject *context, backend::SandboxDone<backend::SavedWork> done) override;
    backend::SandboxOperation *release(const backend::SandboxSpec &spec, const backend::SandboxHandle &handle, const backend::SavedWork &saved,
        bool deleteBranch, int deadlineMs, QObject *context, backend::SandboxDone<QString> done) override;
    backend::SandboxOperation *bringBack(const backend::SandboxSpec &spec, const backend::SavedWork &saved, int deadlineMs, QObject *context,
        backend::SandboxDone<Unit> done) override;
    backend::SandboxOperation *putBack(const backend::SandboxSpec &spec, const backend::SandboxHandle &handle, const backend::SavedWork &saved,
        int deadlineMs, QObject *context, backend::SandboxDone<QString> done) override;
    backend::SandboxOperation *forget(const backend::SandboxSpec &spec, const QString &ref, const QString &kept, bool all, int deadlineMs,
        QObject *context, backend::SandboxDone<Unit> done) override;

private:
    const RemoteMachine &m_machine;
};

class RemoteProvider : public backend::SandboxProvider {
public:
    explicit RemoteProvider(QString machine)
        : m_machine(std::move(machine))
        , m_keeper(m_machine)
    {
    }

    QString name() const override { return QStringLiteral("remote"); }
    backend::WorkKeeper *keeper() override { return &m_keeper; }
    backend::SandboxOperation *attachBranch(const backend::SandboxSpec &spec, int deadlineMs, QObject *context,
        backend::SandboxDone<Unit> done) override;
    backend::SandboxOperation *allocate(const backend::SandboxSpec &spec, int deadlineMs, QObject *context,
        backend::SandboxDone<backend::SandboxHandle> done) override;
    backend::SandboxOperation *prepare(const backend::SandboxSpec &spec, const backend::SandboxHandle &handle, int deadlineMs,
        QObject *context, backend::SandboxDone<backend::SandboxHandle> done) override;
    std::unique_ptr<backend::AgentTransport> agent(const backend::SandboxHandle &handle, backend::AgentSpec &spec) override;
    backend::SandboxOperation *exec(const backend::SandboxHandle &handle, const backend::SandboxExec &exec, int deadlineMs,
        QObject *context, backend::SandboxDone<backend::SandboxExecResult> done) override;
    backend::SandboxOperation *health(const backend::SandboxHandle &handle, int deadlineMs, QObject *context,
        backend::SandboxDone<Unit> done) override;
    backend::SandboxOperation *destroy(const backend::SandboxSpec &spec, const backend::SandboxHandle &handle, bool force,
        int deadlineMs, QObject *context, backend::SandboxDone<Unit> done) override;

private:
    RemoteMachine m_machine;
    RemoteKeeper m_keeper;
};

} // namespace foundry::test
