#include "backend/sandboxes/worktreeprovider.h"

#include "backend/agents/stdiotransport.h"
#include "backend/git/childprocess.h"
#include "backend/git/giterror.h"
#include "backend/git/gitoperations.h"
#include "backend/sandboxes/sandboxexec.h"

#include <QDir>
#include <QFileInfo>
#include <QStorageInfo>
#include <QTimer>

namespace foundry::backend {

namespace {

// Below this a work tree is not begun: git would fail in the middle with half of the files written.
constexpr qint64 worktreeFreeBytes = 32ll * 1024 * 1024;

Error worktreeCancelled()
{
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("cancelled"), QStringLiteral("Cancelled."));
}

class WorktreeOperation : public SandboxOperation {
    Q_OBJECT
public:
    explicit WorktreeOperation(QObject *context)
        : SandboxOperation(context)
    {
    }
    void follow(GitJob *job)
    {
        m_job = job;
        connect(job, &GitJob::progress, this, &SandboxOperation::progress);
    }
    void follow(ChildProcess *child) { m_child = child; }
    // `start` makes the job when nobody else is at work in the repository; what is cancelled before is answered here.
    template <class T>
    void waitFor(RepositoryLanes &lanes, const QString &repository, std::function<GitJob *()> start, const SandboxDone<T> &done)
    {
        m_refuse = [this, done] { answer<T>(done, worktreeCancelled()); };
        m_place = lanes.enter(repository, this, [this, start = std::move(start)] {
            if (m_cancelled)
                return;
            m_refuse = {};
            if (m_saidWaiting)
                Q_EMIT waiting(false, QStringLiteral("Its turn has come"));
            follow(start());
        });
        // Whose turn it is already is called before this.
        QTimer::singleShot(0, this, [this] {
            if (m_cancelled || !m_refuse)
                return;
            m_saidWaiting = true;
            Q_EMIT waiting(true, QStringLiteral("Waiting for another task's work tree of this repository"));
        });
    }
    void cancel() override
    {
        if (!m_cancelled && m_refuse) {
            m_place.reset(); // it waits no longer
            QTimer::singleShot(0, this, std::exchange(m_refuse, {}));
        }
        m_cancelled = true;
        if (m_job)
            m_job->cancel();
        if (m_child)
            m_child->cancel();
    }
    bool isCancelled() const { return m_cancelled; }
    template <class T>
    void answer(const SandboxDone<T> &done, Result<T> result)
    {
        m_place.reset();
        deleteLater();
        done(std::move(result));
    }

private:
    std::unique_ptr<RepositoryLanes::Place> m_place;
    std::function<void()> m_refuse; // while it waits for its turn
    QPointer<GitJob> m_job;
    QPointer<ChildProcess> m_child;
    bool m_cancelled = false;
    bool m_saidWaiting = false;
};

// An id is opaque text: only what cannot leave the folder is taken over into a path.
QString worktreeFolder(const QString &id)
{
    QString safe;
    for (const QChar c : id) {
        const bool plain = (c >= QLatin1Char('a') && c <= QLatin1Char('z')) || (c >= QLatin1Char('A') && c <= QLatin1Char('Z'))
            || (c >= QLatin1Char('0') && c <= QLatin1Char('9')) || c == QLatin1Char('-') || c == QLatin1Char('_');
        safe += plain ? QString(c) : QStringLiteral("%") + QString::number(c.unicode(), 16);
    }
    return safe;
}

} // namespace

WorktreeProvider::WorktreeProvider(GitEnvironment git, QString root, std::shared_ptr<RepositoryLanes> lanes)
    : m_git(std::move(git))
    , m_root(std::move(root))
    , m_lanes(std::move(lanes))
    , m_keeper(m_git, m_root)
{
}

QString WorktreeProvider::placeOf(const SandboxSpec &spec) const
{
    return m_root + QLatin1Char('/') + worktreeFolder(spec.repo.value) + QLatin1Char('/') + worktreeFolder(spec.task.value);
}

SandboxOperation *WorktreeProvider::attachBranch(const SandboxSpec &spec, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    auto *operation = new WorktreeOperation(context);
    operation->follow(listBranches(
        m_git, spec.repository, operation,
        [operation, spec, done](Result<QList<BranchInfo>> branches) {
            if (!branches) {
                operation->answer<Unit>(done, branches.error());
                return;
            }
            for (const BranchInfo &branch : *branches) {
                if (branch.name == spec.branch || (branch.isRemote && branch.name.section(QLatin1Char('/'), 1) == spec.branch)) {
                    operation->answer<Unit>(done, Unit{});
                    return;
                }
            }
            operation->answer<Unit>(done,
                makeError(QLatin1StringView("git"), QLatin1StringView("missing_ref"),
                    QStringLiteral("The repository has no branch “%1”.").arg(spec.branch),
                    QStringLiteral("Fetch it in the repository and retry this stage, or start the task on a new branch.")));
        },
        100000, deadlineMs));
    return operation;
}

SandboxOperation *WorktreeProvider::allocate(const SandboxSpec &spec, int deadlineMs, QObject *context,
    SandboxDone<SandboxHandle> done)
{
    Q_UNUSED(deadlineMs);
    auto *operation = new WorktreeOperation(context);
    const QString place = placeOf(spec);
    const QString name = this->name();
    // From the event loop, so that the answer never comes before the caller knows the operation.
    QTimer::singleShot(0, operation, [operation, place, name, spec, done] {
        if (operation->isCancelled()) {
            operation->answer<SandboxHandle>(done, worktreeCancelled());
            return;
        }
        const QString parent = QFileInfo(place).absolutePath();
        if (!QDir().mkpath(parent)) {
            operation->answer<SandboxHandle>(done,
                makeError(QLatin1StringView("sandbox"), QLatin1StringView("failed"),
                    QStringLiteral("The folder “%1” for work trees cannot be made.").arg(parent),
                    QStringLiteral("Check that the data directory is writable and not full, then retry.")));
            return;
        }
        const qint64 free = QStorageInfo(parent).bytesAvailable();
        if (free >= 0 && free < worktreeFreeBytes) {
            operation->answer<SandboxHandle>(done,
                makeError(QLatin1StringView("sandbox"), QLatin1StringView("no_space"),
                    QStringLiteral("Only %1 MB are free where work trees are kept (%2).").arg(free / 1000000).arg(parent),
                    QStringLiteral("Free some disk space, then retry from here.")));
            return;
        }
        SandboxHandle handle;
        handle.provider = name;
        handle.place = place;
        handle.branch = spec.branch;
        operation->answer<SandboxHandle>(done, handle);
    });
    return operation;
}

SandboxOperation *WorktreeProvider::prepare(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context,
    SandboxDone<SandboxHandle> done)
{
    auto *operation = new WorktreeOperation(context);
    AddWorktreeRequest request;
    request.repository = spec.repository;
    request.path = handle.place;
    request.branch = spec.branch;
    request.base = spec.adopt ? QString() : spec.baseBranch;
    request.adopt = spec.adopt;
    const auto made = [operation, handle, done](Result<WorktreeInfo> info) {
        if (!info) {
            operation->answer<SandboxHandle>(done, info.error());
            return;
        }
        SandboxHandle ready = handle;
        ready.workTree = info->path;
        ready.branch = info->branch;
        ready.head = info->head;
        operation->answer<SandboxHandle>(done, ready);
    };
    operation->waitFor<SandboxHandle>(
        *m_lanes, spec.repository,
        [git = m_git, request, operation, made, deadlineMs] { return addWorktree(git, request, operation, made, deadlineMs); },
        done);
    return operation;
}

std::unique_ptr<AgentTransport> WorktreeProvider::agent(const SandboxHandle &handle, AgentSpec &spec)
{
    spec.workingDirectory = handle.workTree;
    return std::make_unique<StdioTransport>();
}

SandboxOperation *WorktreeProvider::exec(const SandboxHandle &handle, const SandboxExec &exec, int deadlineMs, QObject *context,
    SandboxDone<SandboxExecResult> done)
{
    auto *operation = new WorktreeOperation(context);
    ChildSpec spec;
    spec.program = exec.program;
    spec.arguments = exec.args;
    spec.workingDirectory = handle.workTree;
    spec.environment = m_git.environment;
    spec.input = exec.input;
    spec.deadlineMs = deadlineMs;
    spec.outputCap = exec.outputLimit;
    spec.dieWithParent = true;
    auto *child = new ChildProcess(spec, operation);
    operation->follow(child);
    QObject::connect(child, &ChildProcess::finished, operation, [operation, exec, done](const ChildOutcome &outcome) {
        operation->answer<SandboxExecResult>(done, sandboxExecResult(exec.program, outcome));
    });
    child->start();
    return operation;
}

SandboxOperation *WorktreeProvider::health(const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    auto *operation = new WorktreeOperation(context);
    const bool there = !handle.workTree.isEmpty() && QFileInfo(handle.workTree).isDir();
    if (!there) {
        QTimer::singleShot(0, operation, [operation, handle, done] {
            operation->answer<Unit>(done,
                makeError(QLatin1StringView("sandbox"), QLatin1StringView("gone"),
                    QStringLiteral("The work tree %1 is not there any more.").arg(handle.workTree),
                    QStringLiteral("Retry from here to make it again on its branch. What was not committed in it cannot be brought back.")));
        });
        return operation;
    }
    operation->follow(inspectRepository(
        m_git, handle.workTree, operation,
        [operation, handle, done](Result<RepositoryInfo> info) {
            if (!info)
                operation->answer<Unit>(done, info.error());
            else
                operation->answer<Unit>(done, Unit{});
        },
        deadlineMs));
    return operation;
}

SandboxOperation *WorktreeProvider::destroy(const SandboxSpec &spec, const SandboxHandle &handle, bool force, int deadlineMs,
    QObject *context, SandboxDone<Unit> done)
{
    SandboxHandle place = handle;
    if (place.place.isEmpty() && place.workTree.isEmpty())
        place.place = placeOf(spec);
    if (force)
        return m_keeper.removePlace(spec, place, deadlineMs, context, std::move(done));
    auto *operation = new WorktreeOperation(context);
    RemoveWorktreeRequest request;
    request.repository = spec.repository;
    request.path = place.workTree.isEmpty() ? place.place : place.workTree;
    const auto removed = [operation, done](Result<Unit> result) { operation->answer<Unit>(done, std::move(result)); };
    operation->waitFor<Unit>(
        *m_lanes, spec.repository,
        [git = m_git, request, operation, removed, deadlineMs] { return removeWorktree(git, request, operation, removed, deadlineMs); },
        done);
    return operation;
}

} // namespace foundry::backend

#include "worktreeprovider.moc"
