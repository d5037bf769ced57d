#include "backend/git/worktreeremoval.h"

#include "backend/git/gittypedjob.h"
#include "backend/git/removetree.h"
#include "backend/git/worktreelist.h"

#include <QDir>
#include <QFileInfo>

#include <algorithm>

namespace foundry::backend {

namespace {

QString removalDoing(const QString &path)
{
    return QStringLiteral("remove the work tree “%1”").arg(path);
}

class RemoveWorktreeJob final : public TypedGitJob<Unit> {
public:
    RemoveWorktreeJob(const GitEnvironment &git, const RemoveWorktreeRequest &request, QObject *context, GitDone<Unit> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_request(request)
    {
    }

private:
    void begin() override
    {
        m_path = resolvedPath(m_request.path);
        const QStringList ask{QStringLiteral("rev-parse"), QStringLiteral("--path-format=absolute"), QStringLiteral("--git-common-dir")};
        gitOk(removalDoing(m_path), {m_request.repository, ask}, [this](const GitOutput &output) {
            m_commonDir = output.line();
            gitOk(removalDoing(m_path), {m_request.repository, worktreeListArguments()}, [this](const GitOutput &listed) { look(parseWorktreeList(listed.out())); });
        });
    }

    void look(const QList<WorktreeEntry> &entries)
    {
        const auto here = std::find_if(entries.begin(), entries.end(), [this](const WorktreeEntry &entry) { return entry.path == m_path; });
        const bool onDisk = QFileInfo::exists(m_path);
        if (here == entries.end() && !onDisk)
            return answerWith(Unit{});
        if (here == entries.end() || here == entries.begin()) // the first is the repository's own checkout
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("“%1” is not a work tree of a task in this repository.").arg(m_path)));
        // Its checks look into the folder: guard against the configuration that holds there.
        loadGuard(onDisk ? m_path : m_request.repository, [this](const QList<ScopedSetting> &) {
            if (m_request.force)
                return removeByForce();
            gitOk(removalDoing(m_path), {m_request.repository, {QStringLiteral("worktree"), QStringLiteral("remove"), m_path}},
                [this](const GitOutput &) { answerWith(Unit{}); });
        });
    }

    void removeByForce()
    {
        forceRemoveWorktree(
            m_git, {m_request.repository, m_commonDir, m_path, m_guard}, this,
            [this](const Result<> &removed) {
                if (isOver())
                    return;
                if (!removed)
                    return fail(removed.error());
                answerWith(Unit{});
            },
            remainingMs());
    }

    RemoveWorktreeRequest m_request;
    QString m_path;
    QString m_commonDir;
};

} // namespace

void forceRemoveWorktree(const GitEnvironment &git, const ForcedRemoval &removal, QObject *context, std::function<void(Result<>)> done, int deadlineMs)
{
    // Twice --force: also when it is locked, as a half-made one is.
    GitCall call{removal.repository,
        {QStringLiteral("worktree"), QStringLiteral("remove"), QStringLiteral("--force"), QStringLiteral("--force"), removal.path}, removal.guard.settings, removal.guard.environment};
    call.deadlineMs = deadlineMs;
    auto *run = new GitRun(git, std::move(call), context);
    QObject::connect(run, &GitRun::finished, context, [removal, context, done = std::move(done), run](const GitOutput &output) {
        run->deleteLater();
        const QString admin = worktreeAdminDir(removal.commonDir, removal.path);
        if (output.ok() && admin.isEmpty() && !QFileInfo::exists(removal.path))
            return done(Unit{});
        const Error error = output.error(removalDoing(removal.path));
        if (output.outcome.end != ChildEnd::Exited || admin.isEmpty())
            return done(output.ok() ? Result<>(Unit{}) : Result<>(error));
        // The folder first: what git knows of it is the note that there is something to remove.
        removeTree(removal.path, context, [admin, context, error, done](bool gone) {
            if (!gone)
                return done(error);
            removeTree(admin, context, [error, done](bool adminGone) { done(adminGone ? Result<>(Unit{}) : Result<>(error)); });
        });
    });
    run->start();
}

GitJob *removeWorktree(const GitEnvironment &git, const RemoveWorktreeRequest &request, QObject *context, GitDone<Unit> done, int deadlineMs)
{
    return new RemoveWorktreeJob(git, request, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
