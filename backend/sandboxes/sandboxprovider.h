// Where a task's work is done: a place with the repository on the task's branch. One interface for places on this
// machine and elsewhere; the provisioning stages of the contract call it one by one. Every operation is asynchronous,
// can be repeated after a crash (it finds what an earlier call made), has a deadline of its caller, and can be
// cancelled. One thread with an event loop.
#pragma once

#include "models/types/ids.h"
#include "models/types/result.h"

#include <QObject>
#include <QPointer>
#include <QString>
#include <functional>

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

// One operation under way: emits progress, and can be cancelled. Deletes itself after its answer.
class SandboxOperation : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;
    // The answer comes with code `cancelled`, after its programs have ended.
    virtual void cancel() = 0;

Q_SIGNALS:
    void progress(double fraction, const QString &text);
};

class WorkKeeper;

template <class T>
using SandboxDone = std::function<void(Result<T>)>;

class SandboxProvider {
public:
    virtual ~SandboxProvider() = default;

    virtual QString name() const = 0;
    // Who keeps a task's work when its place is given up; without one its tasks cannot be archived or deleted.
    virtual WorkKeeper *keeper() { return nullptr; }
    // Checks that an existing branch can be taken (stage branch_attach).
    virtual SandboxOperation *attachBranch(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<Unit> done) = 0;
    // Sets a place aside (stage sandbox_allocated).
    virtual SandboxOperation *allocate(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<SandboxHandle> done) = 0;
    // Brings the repository there, on the branch (stage repo_prepared).
    virtual SandboxOperation *prepare(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context,
        SandboxDone<SandboxHandle> done) = 0;
    // Looks whether it is still there and usable.
    virtual SandboxOperation *health(const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done) = 0;
    // Gives it back. Uncommitted work is refused (git.dirty) unless forced; the branch stays.
    virtual SandboxOperation *destroy(const SandboxSpec &spec, const SandboxHandle &handle, bool force, int deadlineMs,
        QObject *context, SandboxDone<Unit> done) = 0;
};

} // namespace foundry::backend
