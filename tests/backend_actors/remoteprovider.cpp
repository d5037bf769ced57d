#include "tests/backend_actors/remoteprovider.h"

#include "backend/agents/stdiotransport.h"
#include "backend/sandboxes/sandboxexec.h"

namespace foundry::test {

using namespace foundry::backend;

namespace {

QString remoteScript()
{
    return QStringLiteral(FOUNDRY_SOURCE_DIR "/tests/backend_actors/remotemachine.sh");
}

class RemoteOperation : public SandboxOperation {
public:
    RemoteOperation(ChildSpec spec, QObject *context)
        : SandboxOperation(context)
        , m_child(std::move(spec))
    {
        connect(&m_child, &ChildProcess::errorLine, this, [this](const QByteArray &line) { Q_EMIT progress(0.5, QString::fromUtf8(line)); });
    }
    void cancel() override { m_child.cancel(); }
    ChildProcess &child() { return m_child; }

private:
    ChildProcess m_child;
};

Error remoteError(const ChildOutcome &outcome)
{
    const auto result = sandboxExecResult(QStringLiteral("The machine"), outcome);
    if (!result)
        return result.error();
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("failed"),
        QStringLiteral("The machine refused: %1").arg(QString::fromUtf8(outcome.errorTail).section(QLatin1Char('\n'), -2, -2)),
        QStringLiteral("See its log, then retry from here."), QString::fromUtf8(outcome.errorTail));
}

} // namespace

SandboxOperation *RemoteProvider::order(const QStringList &words, const QByteArray &input, int deadlineMs, QObject *context,
    const std::function<void(const ChildOutcome &)> &done)
{
    ChildSpec spec;
    spec.program = QStringLiteral("/bin/sh");
    spec.arguments = QStringList{remoteScript(), m_machine} + words;
    spec.environment = QProcessEnvironment::systemEnvironment();
    spec.input = input;
    spec.deadlineMs = deadlineMs;
    spec.dieWithParent = true;
    auto *operation = new RemoteOperation(spec, context);
    QObject::connect(&operation->child(), &ChildProcess::finished, operation, [operation, done](const ChildOutcome &outcome) {
        operation->deleteLater();
        done(outcome);
    });
    operation->child().start();
    return operation;
}

SandboxOperation *RemoteProvider::attachBranch(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    return order({QStringLiteral("attach"), spec.repository, spec.branch}, {}, deadlineMs, context,
        [done](const ChildOutcome &outcome) { done(outcome.ok() ? Result<Unit>(Unit{}) : Result<Unit>(remoteError(outcome))); });
}

SandboxOperation *RemoteProvider::allocate(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<SandboxHandle> done)
{
    return order({QStringLiteral("allocate"), spec.task.value}, {}, deadlineMs, context, [this, spec, done](const ChildOutcome &outcome) {
        if (outcome.ok())
            done(SandboxHandle{name(), spec.task.value, {}, spec.branch, {}});
        else
            done(remoteError(outcome));
    });
}

SandboxOperation *RemoteProvider::prepare(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context,
    SandboxDone<SandboxHandle> done)
{
    return order({QStringLiteral("prepare"), handle.place, spec.repository, spec.branch, spec.baseBranch}, {}, deadlineMs, context,
        [this, handle, spec, done](const ChildOutcome &outcome) {
            SandboxHandle ready = handle;
            ready.workTree = m_machine + QLatin1Char('/') + handle.place + QStringLiteral("/work");
            ready.branch = spec.branch;
            ready.head = QString::fromUtf8(outcome.output.trimmed());
            done(outcome.ok() ? Result<SandboxHandle>(ready) : Result<SandboxHandle>(remoteError(outcome)));
        });
}

std::unique_ptr<AgentTransport> RemoteProvider::agent(const SandboxHandle &handle, AgentSpec &spec)
{
    spec.args = QStringList{remoteScript(), m_machine, QStringLiteral("agent"), handle.place, spec.program} + spec.args;
    spec.program = QStringLiteral("/bin/sh");
    spec.workingDirectory = m_machine;
    return std::make_unique<StdioTransport>();
}

SandboxOperation *RemoteProvider::exec(const SandboxHandle &handle, const SandboxExec &exec, int deadlineMs, QObject *context,
    SandboxDone<SandboxExecResult> done)
{
    return order(QStringList{QStringLiteral("exec"), handle.place, exec.program} + exec.args, exec.input, deadlineMs, context,
        [program = exec.program, done](const ChildOutcome &outcome) { done(sandboxExecResult(program, outcome)); });
}

SandboxOperation *RemoteProvider::health(const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    return order({QStringLiteral("health"), handle.place}, {}, deadlineMs, context, [done](const ChildOutcome &outcome) {
        if (outcome.ok())
            done(Unit{});
        else if (outcome.exitCode == 3)
            done(makeError(QLatin1StringView("sandbox"), QLatin1StringView("gone"), QStringLiteral("The machine has lost this place."),
                QStringLiteral("Retry from here to make it again.")));
        else
            done(remoteError(outcome));
    });
}

SandboxOperation *RemoteProvider::destroy(const SandboxSpec &, const SandboxHandle &handle, bool, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    return order({QStringLiteral("destroy"), handle.place}, {}, deadlineMs, context,
        [done](const ChildOutcome &outcome) { done(outcome.ok() ? Result<Unit>(Unit{}) : Result<Unit>(remoteError(outcome))); });
}

} // namespace foundry::test
