#include "backend/sandboxes/worktreekeeper.h"

#include "backend/git/removetree.h"
#include "backend/git/workedits.h"

#include <QDeadlineTimer>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTimer>

#include <limits>

namespace foundry::backend {

namespace {

class KeeperOperation : public SandboxOperation {
    Q_OBJECT
public:
    explicit KeeperOperation(QObject *context)
        : SandboxOperation(context)
    {
    }
    void follow(GitJob *job)
    {
        m_job = job;
        connect(job, &GitJob::progress, this, &SandboxOperation::progress);
        if (m_cancelled)
            job->cancel();
    }
    void cancel() override
    {
        m_cancelled = true;
        if (m_job)
            m_job->cancel();
    }
    bool isCancelled() const { return m_cancelled; }
    template <class T>
    void answer(const SandboxDone<T> &done, Result<T> result)
    {
        deleteLater();
        done(std::move(result));
    }
    // Never from inside the call that started the operation.
    template <class T>
    void answerLater(const SandboxDone<T> &done, Result<T> result)
    {
        QTimer::singleShot(0, this, [this, done, result] { answer(done, result); });
    }
    template <class T>
    GitDone<T> answering(const SandboxDone<T> &done)
    {
        return [this, done](Result<T> result) { answer(done, std::move(result)); };
    }

private:
    QPointer<GitJob> m_job;
    bool m_cancelled = false;
};

// One release: rename, git's own note, the files, the branch.
class KeeperRelease : public KeeperOperation {
    Q_OBJECT
public:
    struct Order {
        GitEnvironment git;
        QString repository;
        QString branch;
        QString kept;
        QString place; // empty: there is none
        bool deleteBranch = false;
    };
    KeeperRelease(Order order, int deadlineMs, QObject *context, SandboxDone<QString> done)
        : KeeperOperation(context)
        , m_order(std::move(order))
        , m_deadline(deadlineMs)
        , m_done(std::move(done))
    {
        QTimer::singleShot(0, this, &KeeperRelease::setAside);
    }

private:
    QString aside() const { return m_order.place + QStringLiteral(".removed"); }
    int left() const { return int(qMax<qint64>(1000, m_deadline.remainingTime())); }
    bool stopped()
    {
        if (!isCancelled())
            return false;
        answer<QString>(m_done, makeError(QLatin1StringView("sandbox"), QLatin1StringView("cancelled"), QStringLiteral("Cancelled.")));
        return true;
    }

    void setAside()
    {
        if (stopped())
            return;
        if (m_order.place.isEmpty() || (!QFileInfo::exists(m_order.place) && !QFileInfo::exists(aside())))
            return branch();
        if (!QFileInfo::exists(m_order.place))
            return forgetWorktree(); // an earlier call came to here
        removeTree(aside(), this, [this](bool) {
            if (stopped())
                return;
            if (!QFile::rename(m_order.place, aside())) {
                answer<QString>(m_done,
                    makeError(QLatin1StringView("sandbox"), QLatin1StringView("failed"), QStringLiteral("The work tree “%1” could not be set aside.").arg(m_order.place),
                        QStringLiteral("Check that the data directory is writable, then try again.")));
                return;
            }
            forgetWorktree();
        });
    }

    void forgetWorktree()
    {
        if (!QFileInfo(m_order.repository).isDir())
            return removeFiles();
        // What git knows of it is a note about a folder that is not there: without it, it would go with git's next prune.
        follow(removeWorktree(
            m_order.git, {m_order.repository, m_order.place, true}, this,
            [this](const Result<Unit> &) {
                if (!stopped())
                    removeFiles();
            },
            left()));
    }

    void removeFiles()
    {
        removeTree(aside(), this, [this](bool gone) {
            if (!gone)
                m_note = QStringLiteral("Files of “%1” could not be removed.").arg(aside());
            if (!stopped())
                branch();
        });
    }

    void branch()
    {
        if (!m_order.deleteBranch) {
            answer<QString>(m_done, m_note);
            return;
        }
        follow(releaseBranch(
            m_order.git, m_order.repository, m_order.branch, m_order.kept, this,
            [this](const Result<QString> &why) {
                if (!why)
                    answer<QString>(m_done, why.error());
                else
                    answer<QString>(m_done, m_note.isEmpty() ? *why : m_note + QLatin1Char(' ') + *why);
            },
            left()));
    }

    Order m_order;
    QDeadlineTimer m_deadline;
    SandboxDone<QString> m_done;
    QString m_note;
};

} // namespace

WorktreeKeeper::WorktreeKeeper(GitEnvironment git, QString root)
    : m_git(std::move(git))
    , m_root(std::move(root))
{
}

Result<QString> WorktreeKeeper::ownPlace(const SandboxHandle &handle) const
{
    const QString place = QDir::cleanPath(handle.workTree.isEmpty() ? handle.place : handle.workTree);
    if (handle.place.isEmpty() && handle.workTree.isEmpty())
        return QString();
    const QFileInfo info(place);
    if (info.isSymLink())
        return makeError(QLatin1StringView("git"), QLatin1StringView("moved"),
            QStringLiteral("The work tree “%1” was replaced by a link to “%2”. Nothing is read or removed there.").arg(place, info.symLinkTarget()),
            QStringLiteral("Put the folder back in its place, or remove the link, then try again."));
    const QString root = QFileInfo(m_root).canonicalFilePath();
    const QString parent = QFileInfo(info.absolutePath()).canonicalFilePath();
    if (parent.isEmpty()) // the folder above is gone, and all in it
        return place;
    if (root.isEmpty() || !parent.startsWith(root + QLatin1Char('/')))
        return makeError(QLatin1StringView("sandbox"), QLatin1StringView("outside"),
            QStringLiteral("“%1” does not lie among the work trees of this host, in “%2”. It is left alone.").arg(place, m_root),
            QStringLiteral("Look what became of that folder."));
    return place;
}

SandboxOperation *WorktreeKeeper::look(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<TaskLoss> done)
{
    auto *operation = new KeeperOperation(context);
    operation->follow(lookAtLoss(m_git, spec.repository, handle.workTree, spec.branch, operation, operation->answering<TaskLoss>(done), deadlineMs));
    return operation;
}

SandboxOperation *WorktreeKeeper::save(const SandboxSpec &spec, const SandboxHandle &handle, const QString &ref, bool always, int deadlineMs,
    QObject *context, SandboxDone<SavedWork> done)
{
    auto *operation = new KeeperOperation(context);
    const auto place = ownPlace(handle);
    if (!place) {
        operation->answerLater<SavedWork>(done, place.error());
        return operation;
    }
    SaveWorkRequest request{spec.repository, *place, spec.branch, ref, always};
    if (request.worktree.isEmpty())
        request.worktree = m_root + QStringLiteral("/none");
    operation->follow(saveWork(m_git, request, operation, operation->answering<SavedWork>(done), deadlineMs));
    return operation;
}

SandboxOperation *WorktreeKeeper::release(const SandboxSpec &spec, const SandboxHandle &handle, const SavedWork &saved, bool deleteBranch, int deadlineMs,
    QObject *context, SandboxDone<QString> done)
{
    const auto place = ownPlace(handle);
    if (!place) {
        auto *operation = new KeeperOperation(context);
        operation->answerLater<QString>(done, place.error());
        return operation;
    }
    return new KeeperRelease({m_git, spec.repository, spec.branch, saved.kept, *place, deleteBranch}, deadlineMs, context, std::move(done));
}

SandboxOperation *WorktreeKeeper::bringBack(const SandboxSpec &spec, const SavedWork &saved, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    auto *operation = new KeeperOperation(context);
    operation->follow(bringBranchBack(m_git, spec.repository, spec.branch, saved.branchTip, operation, operation->answering<Unit>(done), deadlineMs));
    return operation;
}

SandboxOperation *WorktreeKeeper::putBack(const SandboxSpec &spec, const SandboxHandle &handle, const SavedWork &saved, int deadlineMs, QObject *context,
    SandboxDone<QString> done)
{
    Q_UNUSED(spec);
    auto *operation = new KeeperOperation(context);
    const auto place = ownPlace(handle);
    if (!place) {
        operation->answerLater<QString>(done, place.error());
        return operation;
    }
    operation->follow(putWorkBack(m_git, *place, saved, operation, operation->answering<QString>(done), deadlineMs));
    return operation;
}

SandboxOperation *WorktreeKeeper::forget(const SandboxSpec &spec, const QString &ref, const QString &kept, bool all, int deadlineMs, QObject *context,
    SandboxDone<Unit> done)
{
    auto *operation = new KeeperOperation(context);
    operation->follow(forgetWork(m_git, spec.repository, ref, kept, operation, [=, this](Result<Unit> gone) {
        if (!gone || !all || operation->isCancelled() || !QFileInfo(spec.repository).isDir())
            return operation->answer(done, std::move(gone));
        const QString reverts = QStringLiteral("refs/foundry/revert/%1/").arg(spec.task.value);
        operation->follow(forgetKept(m_git, spec.repository, reverts, std::numeric_limits<Millis>::max(), operation, operation->answering<Unit>(done), deadlineMs));
    }, deadlineMs));
    return operation;
}

} // namespace foundry::backend

#include "worktreekeeper.moc"
