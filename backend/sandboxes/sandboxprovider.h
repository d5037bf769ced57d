// Where a task's work is done: a place with the repository on the task's branch. One interface for places on this
// machine and elsewhere; the provisioning stages of the contract call it one by one. Every operation is asynchronous,
// can be repeated after a crash (it finds what an earlier call made), has a deadline of its caller, and can be
// cancelled. An answer may come minutes late: whoever asked has gone on by then, and drops it. One thread with an event
// loop.
#pragma once

#include "backend/agents/agenttransport.h"
#include "models/types/ids.h"
#include "models/types/result.h"

#include <QObject>
#include <QPointer>
#include <QString>
#include <functional>
#include <map>
#include <memory>

namespace foundry::backend {

// What the place is made from. Stored by its sandbox, so only plain values.
struct SandboxSpec {
    OrganizationId organization;
    RepoId repo;
    TaskId task;
    QString repository; // absolute path of the repository on this machine
    QString branch;
    QString baseBranch; // branch, tag or commit to start from; empty: the repository's HEAD
    bool adopt = false; // the branch exists already and is taken as it is
};

// What the provider knows a place by. `workTree` is empty until it is prepared.
struct SandboxHandle {
    QString provider;
    QString place; // the provider's own name of it (here: the folder set aside)
    QString workTree;
    QString branch;
    QString head;
};

// A program that runs there once.
struct SandboxExec {
    QString program;
    QStringList args = {};
    QByteArray input = {};
    qint64 outputLimit = 1024 * 1024; // more is an error
};
struct SandboxExecResult {
    int exitCode = 0;
    QByteArray output;
    QByteArray errorTail; // end of what it said on stderr
};

// One operation under way: emits progress, and can be cancelled. Deletes itself after its answer.
class SandboxOperation : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;
    // The answer comes with code `cancelled`, after its programs have ended.
    virtual void cancel() = 0;

Q_SIGNALS:
    void progress(double fraction, const QString &text);
    // It has not begun, because something of somebody else's has to end first (no part of its deadline); false: it begins.
    // Never from inside the call that started the operation.
    void waiting(bool waits, const QString &text);
};

class WorkKeeper;

template <class T>
using SandboxDone = std::function<void(Result<T>)>;

class SandboxProvider {
public:
    virtual ~SandboxProvider() = default;

    virtual QString name() const = 0;
    // Who keeps a task's work when its place is given up. Belongs to the provider.
    virtual WorkKeeper *keeper() = 0;
    // Checks that an existing branch can be taken (stage branch_attach).
    virtual SandboxOperation *attachBranch(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<Unit> done) = 0;
    // Sets a place aside (stage sandbox_allocated).
    virtual SandboxOperation *allocate(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<SandboxHandle> done) = 0;
    // Brings the repository there, on the branch (stage repo_prepared).
    virtual SandboxOperation *prepare(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context,
        SandboxDone<SandboxHandle> done) = 0;
    // The way to an agent that is started there. `spec` names program, arguments and environment; the provider may change
    // it to what is run on this machine to reach it. Nothing is started yet. The transport's process identity is that of
    // the process on this machine that keeps it.
    virtual std::unique_ptr<AgentTransport> agent(const SandboxHandle &handle, AgentSpec &spec) = 0;
    // Runs a program there, in the work tree. An exit code other than 0 is an answer, no error. Errors: sandbox.failed
    // (it did not start, was ended by a signal, said too much), deadline, cancelled.
    virtual SandboxOperation *exec(const SandboxHandle &handle, const SandboxExec &exec, int deadlineMs, QObject *context,
        SandboxDone<SandboxExecResult> done) = 0;
    // Looks whether it is still there and usable; sandbox.gone when it is not.
    virtual SandboxOperation *health(const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done) = 0;
    // Gives back what allocate and prepare made; with an empty handle what they made for this task and nobody got to know.
    // Done when there is nothing (any more). Uncommitted work is refused (git.dirty) unless forced, which is asked when the
    // keeper has saved it. The branch stays.
    virtual SandboxOperation *destroy(const SandboxSpec &spec, const SandboxHandle &handle, bool force, int deadlineMs,
        QObject *context, SandboxDone<Unit> done) = 0;
};

// The kinds of places that this host has, by name: filled by the composition. The one named "worktree" is what a task
// gets that names none.
using SandboxProviders = std::map<QString, std::function<std::unique_ptr<SandboxProvider>()>>;

} // namespace foundry::backend
