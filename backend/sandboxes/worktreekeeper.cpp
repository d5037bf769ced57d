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

QString keeperAside(const QString &place)
{
    return place + QStringLiteral(".removed");
}

// One removal: rename, git's own note, the files.
class KeeperRemoval : public KeeperOperation {
    Q_OBJECT
public:
    KeeperRemoval(GitEnvironment git, QString repository, QString place, int deadlineMs, QObject *context, SandboxDone<Unit> done)
        : KeeperOperation(context)
        , m_git(std::move(git))
        , m_repository(std::move(repository))
        , m_place(std::move(place))
        , m_deadline(deadlineMs)
        , m_done(std::move(done))
    {
        QTimer::singleShot(0, this, &KeeperRemoval::setAside);
    }

private:
    QString aside() const { return keeperAside(m_place); }
    int left() const { return int(qMax<qint64>(1000, m_deadline.remainingTime())); }
    bool stopped()
    {
        if (!isCancelled())
            return false;
        answer<Unit>(m_done, makeError(QLatin1StringView("sandbox"), QLatin1StringView("cancelled"), QStringLiteral("Cancelled.")));
        return true;
    }

    void setAside()
    {
        if (stopped())
            return;
        if (!QFileInfo::exists(m_place) && !QFileInfo::exists(aside())) {
            answer<Unit>(m_done, Unit{});
            return;
        }
        if (!QFileInfo::exists(m_place))
            return forgetWorktree(); // an earlier call came to here
        removeTree(aside(), this, [this](bool) {
            if (stopped())
                return;
            if (!QFile::rename(m_place, aside())) {
                answer<Unit>(m_done,
                    makeError(QLatin1StringView("sandbox"), QLatin1StringView("failed"), QStringLiteral("The work tree “%1” could not be set aside.").arg(m_place),
                        QStringLiteral("Check that the data directory is writable, then try again.")));
                return;
            }
            forgetWorktree();
        });
    }

    void forgetWorktree()
    {
        if (!QFileInfo(m_repository).isDir())
            return removeFiles();
        // What git knows of it is a note about a folder that is not there: without it, it would go with git's next prune.
        follow(removeWorktree(
            m_git, {m_repository, m_place, true}, this,
            [this](const Result<Unit> &) {
                if (!stopped())
                    removeFiles();
            },
            left()));
    }

    void removeFiles()
    {
        // What cannot be removed is no work tree any more: release() says that it is there.
        removeTree(aside(), this, [this](bool) {
            if (!stopped())
                answer<Unit>(m_done, Unit{});
        });
    }

    GitEnvironment m_git;
    QString m_repository;
    QString m_place;
    QDeadlineTimer m_deadline;
    SandboxDone<Unit> m_done;
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

SandboxOperation *WorktreeKeeper::removePlace(const SandboxSpec &spec, const SandboxHandle &handle, int deadlineMs, QObject *context, SandboxDone<Unit> done)
{
    const auto place = ownPlace(handle);
    if (!place || place->isEmpty()) {
        auto *operation = new KeeperOperation(context);
        operation->answerLater<Unit>(done, place ? Result<Unit>(Unit{}) : Result<Unit>(place.error()));
        return operation;
    }
    return new KeeperRemoval(m_git, spec.repository, *place, deadlineMs, context, std::move(done));
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
    auto *operation = new KeeperOperation(context);
    const QString aside = keeperAside(QDir::cleanPath(handle.workTree.isEmpty() ? handle.place : handle.workTree));
    const QString note = handle.place.isEmpty() || !QFileInfo::exists(aside) ? QString() : QStringLiteral("Files of “%1” could not be removed.").arg(aside);
    if (!deleteBranch) {
        operation->answerLater<QString>(done, note);
        return operation;
    }
    operation->follow(releaseBranch(
        m_git, spec.repository, spec.branch, saved.kept, operation,
        [operation, done, note](Result<QString> why) {
            if (why && !note.isEmpty())
                why = note + QLatin1Char(' ') + *why;
            operation->answer(done, std::move(why));
        },
        deadlineMs));
    return operation;
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
