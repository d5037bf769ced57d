// A second kind of sandbox, made for tests: slow, remote-like, failing on demand. Its machine is a folder that is reached
// only through a program (remotemachine.sh), which can be told to wait and to fail in each operation.
#pragma once

#include "backend/git/childprocess.h"
#include "backend/sandboxes/sandboxprovider.h"

namespace foundry::test {

class RemoteProvider : public backend::SandboxProvider {
public:
    explicit RemoteProvider(QString machine)
        : m_machine(std::move(machine))
    {
    }

    QString name() const override { return QStringLiteral("remote"); }
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
    backend::SandboxOperation *order(const QStringList &words, const QByteArray &input, int deadlineMs, QObject *context,
        const std::function<void(const backend::ChildOutcome &)> &done);

    QString m_machine;
};

} // namespace foundry::test
