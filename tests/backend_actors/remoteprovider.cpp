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

} // namespace

Error RemoteMachine::error(const ChildOutcome &outcome)
{
    const auto result = sandboxExecResult(QStringLiteral("The machine"), outcome);
    if (!result)
        return result.error();
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("failed"),
        QStringLiteral("The machine refused: %1").arg(QString::fromUtf8(outcome.errorTail).section(QLatin1Char('\n'), -2, -2)),
        QStringLiteral("See its log, then retry from here."), QString::fromUtf8(outcome.errorTail));
}

SandboxOperation *RemoteMachine::order(const QStringList &words, const QByteArray &input, int deadlineMs, QObject *context,
    const std::function<void(const ChildOutcome &)> &done) const
{
    ChildSpec spec;
    spec.program = QStringLiteral("/bin/sh");
    spec.arguments = QStringList{remoteScript(), folder} + words;
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
    return m_machine.order({QStringLiteral("attach"), spec.repository, spec.branch}, {}, deadlineMs, context,
        [done](const ChildOutcome &outcome) { done(outcome.ok() ? Result<Unit>(Unit{}) : Result<Unit>(RemoteMachine::error(outcome))); });
}

SandboxOperation *RemoteProvider::allocate(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<SandboxHandle> done)
{
    return m_machine.order({QStringLiteral("allocate"), spec.task.value}, {}, deadlineMs, context, [this, spec, done](const ChildOutcome &outcome) {
        if (outcome.ok())
            done(SandboxHandle{name(), spec.task.value, {}, spec.branch, {}});
        else
            done(RemoteMachine::error(outcome));
    });
}

SandboxOperation *RemoteProvider::prepare(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context,
    SandboxDone<SandboxHandle> done)
{
    return m_machine.order({QStringLiteral("prepare"), handle.place, spec.repository, spec.branch, spec.baseBranch}, {}, deadlineMs, context,
        [this, handle, spec, done](const ChildOutcome &outcome) {
            SandboxHandle ready = handle;
            ready.workTree = m_machine.folder + QLatin1Char('/') + handle.place + QStringLiteral("/work");
            ready.branch = spec.branch;
            ready.head = QString::fromUtf8(outcome.output.trimmed());
            done(outcome.ok() ? Result<SandboxHandle>(ready) : Result<SandboxHandle>(RemoteMachine::error(outcome)));
        });
}

std::unique_ptr<AgentTransport> RemoteProvider::agent(const SandboxHandle &handle, AgentSpec &spec)
{
    spec.args = QStringList{remoteScript(), m_machine.folder, QStringLiteral("agent"), handle.place, spec.program} + spec.args;
    spec.program = QStringLiteral("/bin/sh");
    spec.workingDirectory = m_machine.folder;
    return std::make_unique<StdioTransport>();
}

SandboxOperation *RemoteProvider::exec(const SandboxHandle &handle, const SandboxExec &exec, int deadlineMs, QObject *context,
    SandboxDone<SandboxExecResult> done)
{
    return m_machine.order(QStringList{QStringLiteral("exec"), handle.place, exec.program} + exec.args, exec.input, deadlineMs, context,
        [program = exec.program, done](const ChildOutcome &outcome) { done(sandboxExecResult(program, outcome)); });
}

SandboxOperation *RemoteProvider::health(const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    return m_machine.order({QStringLiteral("health"), handle.place}, {}, deadlineMs, context, [done](const ChildOutcome &outcome) {
        if (outcome.ok())
            done(Unit{});
        else if (outcome.exitCode == 3)
            done(makeError(QLatin1StringView("sandbox"), QLatin1StringView("gone"), QStringLiteral("The machine has lost this place."),
                QStringLiteral("Retry from here to make it again.")));
        else
            done(RemoteMachine::error(outcome));
    });
}

SandboxOperation *RemoteProvider::destroy(const SandboxSpec &spec, const SandboxHandle &handle, bool, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    const QString place = handle.place.isEmpty() ? spec.task.value : handle.place;
    return m_machine.order({QStringLiteral("destroy"), place}, {}, deadlineMs, context,
        [done](const ChildOutcome &outcome) { done(outcome.ok() ? Result<Unit>(Unit{}) : Result<Unit>(RemoteMachine::error(outcome))); });
}

namespace {

std::function<void(const ChildOutcome &)> remoteAnswer(const SandboxDone<Unit> &done)
{
    return [done](const ChildOutcome &outcome) { done(outcome.ok() ? Result<Unit>(Unit{}) : Result<Unit>(RemoteMachine::error(outcome))); };
}

} // namespace

SandboxOperation *RemoteKeeper::look(const SandboxSpec &, const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<TaskLoss> done)
{
    return m_machine.order({QStringLiteral("look"), handle.place}, {}, deadlineMs, context, [done](const ChildOutcome &outcome) {
        if (!outcome.ok())
            return done(RemoteMachine::error(outcome));
        const QList<QByteArray> words = outcome.output.simplified().split(' ');
        TaskLoss loss;
        loss.uncommitted = words.value(0).toLongLong();
        loss.untracked = words.value(1).toLongLong();
        loss.unpushed = words.value(2).toLongLong();
        done(loss);
    });
}

SandboxOperation *RemoteKeeper::save(const SandboxSpec &spec, const SandboxHandle &handle, const QString &ref, bool, int deadlineMs, QObject *context,
    SandboxDone<SavedWork> done)
{
    return m_machine.order({QStringLiteral("save"), handle.place, spec.repository, ref}, {}, deadlineMs, context, [done, branch = spec.branch](const ChildOutcome &outcome) {
        if (!outcome.ok())
            return done(RemoteMachine::error(outcome));
        const QStringList words = QString::fromUtf8(outcome.output.simplified()).split(QLatin1Char(' '));
        SavedWork saved;
        if (words.size() == 4) { // else there is no place: what was kept before still is
            saved.commit = saved.kept = words.at(0);
            saved.head = saved.branchTip = words.at(1);
            saved.headBranch = branch;
            saved.uncommitted = words.at(2).toLongLong();
            saved.untracked = words.at(3).toLongLong();
        }
        done(saved);
    });
}

SandboxOperation *RemoteKeeper::release(const SandboxSpec &, const SandboxHandle &, const SavedWork &, bool, int deadlineMs, QObject *context,
    SandboxDone<QString> done)
{
    return m_machine.order({QStringLiteral("release")}, {}, deadlineMs, context,
        [done](const ChildOutcome &outcome) { done(outcome.ok() ? Result<QString>(QString()) : Result<QString>(RemoteMachine::error(outcome))); });
}

SandboxOperation *RemoteKeeper::bringBack(const SandboxSpec &, const SavedWork &, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    return m_machine.order({QStringLiteral("bringback")}, {}, deadlineMs, context, remoteAnswer(done));
}

SandboxOperation *RemoteKeeper::putBack(const SandboxSpec &spec, const SandboxHandle &handle, const SavedWork &saved, int deadlineMs, QObject *context,
    SandboxDone<QString> done)
{
    return m_machine.order({QStringLiteral("putback"), handle.place, spec.repository, saved.commit, saved.head, spec.branch}, {}, deadlineMs, context,
        [done](const ChildOutcome &outcome) { done(outcome.ok() ? Result<QString>(QString()) : Result<QString>(RemoteMachine::error(outcome))); });
}

SandboxOperation *RemoteKeeper::forget(const SandboxSpec &spec, const QString &ref, const QString &, bool, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    return m_machine.order({QStringLiteral("forget"), spec.repository, ref}, {}, deadlineMs, context, remoteAnswer(done));
}

} // namespace foundry::test
