// addWorktree. The work tree is made detached and locked with a mark of ours, then the branch, then the files, then the
// mark goes: whatever is found with the mark after a crash is half made, was never handed to anybody, and is made anew.
#include "backend/git/branchname.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/refresolver.h"
#include "backend/git/worktreelist.h"
#include "backend/git/worktreeremoval.h"

#include <QDir>
#include <QFileInfo>
#include <QStorageInfo>

#include <algorithm>

namespace foundry::backend {

namespace {

constexpr QLatin1StringView addMark("Foundry Workbench is preparing this folder for ");
constexpr qint64 addFullBelow = 1 << 20;

class AddWorktreeJob final : public TypedGitJob<WorktreeInfo> {
public:
    AddWorktreeJob(const GitEnvironment &git, const AddWorktreeRequest &request, QObject *context, GitDone<WorktreeInfo> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_request(request)
    {
    }

private:
    void begin() override
    {
        if (!isValidBranchName(m_request.branch))
            return fail(gitErrorOf(QLatin1StringView("invalid_name"), QStringLiteral("Git does not allow “%1” as a branch name.").arg(m_request.branch)));
        if (!QFileInfo(m_request.path).isAbsolute())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("The work tree's folder needs an absolute path.")));
        if (!QFileInfo(m_request.repository).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("There is no folder “%1” any more.").arg(m_request.repository)));
        m_path = resolvedPath(m_request.path);
        report(0, QStringLiteral("Looking at the repository"));
        const QStringList ask{QStringLiteral("rev-parse"), QStringLiteral("--path-format=absolute"), QStringLiteral("--git-common-dir")};
        gitOk(doing(), {m_request.repository, ask}, [this](const GitOutput &output) {
            m_commonDir = output.line();
            loadGuard(m_request.repository, [this](const QList<ScopedSetting> &) { look(); });
        });
    }

    void look()
    {
        gitOk(doing(), {m_request.repository, worktreeListArguments()}, [this](const GitOutput &output) {
            const QList<WorktreeEntry> entries = parseWorktreeList(output.out());
            const auto here = std::find_if(entries.begin(), entries.end(), [this](const WorktreeEntry &entry) { return entry.path == m_path; });
            const auto there = std::find_if(entries.begin(), entries.end(), [this](const WorktreeEntry &entry) {
                return entry.path != m_path && entry.branch == m_request.branch && !entry.isGone && !entry.isBare;
            });
            if (there != entries.end())
                return fail(gitErrorOf(QLatin1StringView("branch_in_use"),
                    QStringLiteral("The branch %1 is checked out in “%2”.").arg(m_request.branch, there->path), there->path));
            if (here == entries.end())
                return findBranch();
            const bool half = here->isLocked && here->lockReason.startsWith(addMark);
            const bool gone = here->isGone || !QFileInfo::exists(m_path + QStringLiteral("/.git"));
            if (!half && !gone) {
                if (here->branch == m_request.branch)
                    return answerWith({m_path, here->branch, here->head, false});
                return fail(gitErrorOf(QLatin1StringView("path_exists"),
                    QStringLiteral("The folder “%1” is a work tree already, on the branch %2.").arg(m_path, here->branch.isEmpty() ? QStringLiteral("(none)") : here->branch)));
            }
            // Ours from an earlier attempt, and so is the branch it stood for.
            m_ownLeftover = half ? here->lockReason == mark() : here->branch == m_request.branch;
            if (!half && here->branch != m_request.branch)
                return fail(gitErrorOf(QLatin1StringView("path_exists"), QStringLiteral("The folder “%1” stands for another work tree, which is missing.").arg(m_path)));
            forceRemoveWorktree(m_git, {m_request.repository, m_commonDir, m_path, m_guard}, this, [this](const Result<> &removed) {
                if (isOver())
                    return;
                if (!removed)
                    return fail(removed.error());
                findBranch();
            });
        });
    }

    void findBranch()
    {
        gitOk(doing(), {m_request.repository, refCandidateArguments(m_request.branch)}, [this](const GitOutput &output) {
            const std::optional<QString> found = bestRef(m_request.branch, output.out());
            const bool exists = found == QStringLiteral("refs/heads/") + m_request.branch;
            if (exists && !m_request.adopt && !m_ownLeftover)
                return fail(gitErrorOf(QLatin1StringView("branch_exists"), QStringLiteral("A branch named %1 exists already.").arg(m_request.branch), m_request.branch));
            if (exists) {
                m_branchIsThere = true;
                return resolveCommit(*found);
            }
            if (m_request.adopt && (!found || !found->startsWith(QLatin1StringView("refs/remotes/"))))
                return fail(gitErrorOf(QLatin1StringView("missing_ref"), QStringLiteral("There is no branch %1, neither here nor on a remote.").arg(m_request.branch), m_request.branch));
            if (m_request.adopt) { // it becomes a local branch at the remote's commit
                if (found->startsWith(QStringLiteral("refs/remotes/") + m_request.branch.section(QLatin1Char('/'), 0, 0) + QLatin1Char('/')))
                    m_request.branch = found->section(QLatin1Char('/'), 3);
                return resolveCommit(*found);
            }
            findBase();
        });
    }

    void findBase()
    {
        if (m_request.base.isEmpty())
            return resolveCommit(QStringLiteral("HEAD"));
        if (isObjectId(m_request.base))
            return resolveCommit(m_request.base);
        if (!isPlausibleRevision(m_request.base))
            return fail(missingBase());
        gitOk(doing(), {m_request.repository, refCandidateArguments(m_request.base)},
            [this](const GitOutput &output) { resolveCommit(bestRef(m_request.base, output.out()).value_or(m_request.base)); });
    }

    void resolveCommit(const QString &revision)
    {
        git({m_request.repository, {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), revision + QStringLiteral("^{commit}")}},
            [this](const GitOutput &output) {
                if (output.ok()) {
                    m_commit = output.line();
                    return make();
                }
                if (output.outcome.end != ChildEnd::Exited)
                    return fail(output.error(doing()));
                // No such commit: is there any?
                git({m_request.repository, {QStringLiteral("rev-list"), QStringLiteral("--all"), QStringLiteral("--max-count=1")}}, [this](const GitOutput &any) {
                    if (any.ok() && any.out().isEmpty())
                        return fail(gitErrorOf(QLatin1StringView("empty_repository"), QStringLiteral("The repository has no commit yet.")));
                    fail(missingBase());
                });
            });
    }

    void make()
    {
        report(0.05, QStringLiteral("Making the folder"));
        m_making = true;
        const QStringList add{QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("--no-checkout"), QStringLiteral("--detach"),
            QStringLiteral("--lock"), QStringLiteral("--reason"), mark(), m_path, m_commit};
        gitOk(doing(), {m_request.repository, add}, [this](const GitOutput &) {
            if (m_branchIsThere)
                return takeBranch();
            // Only when it is not there: the empty old value says so, in one atomic step.
            const QStringList create{QStringLiteral("update-ref"), QStringLiteral("--create-reflog"), QStringLiteral("-m"),
                QStringLiteral("branch: made for a task"), branchRef(), m_commit, QString()};
            gitOk(doing(), {m_request.repository, create}, [this](const GitOutput &) {
                m_branchMade = true;
                takeBranch();
            });
        });
    }

    void takeBranch()
    {
        gitOk(doing(), {m_path, {QStringLiteral("symbolic-ref"), QStringLiteral("-m"), QStringLiteral("checkout: task"), QStringLiteral("HEAD"), branchRef()}},
            [this](const GitOutput &) {
                // Again: conditional includes may hold for this folder or branch only.
                loadGuard(m_path, [this](const QList<ScopedSetting> &) { checkOut(); });
            });
    }

    void checkOut()
    {
        report(0.1, QStringLiteral("Writing files"));
        const QStringList fill{QStringLiteral("read-tree"), QStringLiteral("-v"), QStringLiteral("-u"), QStringLiteral("--reset"),
            QStringLiteral("--no-recurse-submodules"), QStringLiteral("HEAD")};
        GitRun *run = gitOk(doing(), {m_path, fill}, [this](const GitOutput &) {
            gitOk(doing(), {m_request.repository, {QStringLiteral("worktree"), QStringLiteral("unlock"), m_path}}, [this](const GitOutput &) {
                report(1, QStringLiteral("Ready"));
                answerWith({m_path, m_request.branch, m_commit, true});
            });
        });
        connect(run, &GitRun::progress, this, [this](double fraction, const QString &) { report(0.1 + 0.88 * fraction, QStringLiteral("Writing files")); });
    }

    void tidyUp(const Error &error) override
    {
        Error told = error;
        if (told.code == QLatin1StringView("failed") && m_making && QStorageInfo(QFileInfo(m_path).absolutePath()).bytesAvailable() < addFullBelow)
            told = gitErrorOf(QLatin1StringView("no_space"), QStringLiteral("Could not %1. There is no space left on the disk.").arg(doing()), error.detail);
        if (!m_making)
            return finish(told);
        // Only what carries our mark is removed.
        GitCall list{m_request.repository, worktreeListArguments()};
        git(std::move(list), [this, told](const GitOutput &output) {
            const QList<WorktreeEntry> entries = parseWorktreeList(output.out());
            const bool ours = std::any_of(entries.begin(), entries.end(),
                [this](const WorktreeEntry &entry) { return entry.path == m_path && entry.lockReason == mark(); });
            if (!ours)
                return finish(told);
            forceRemoveWorktree(m_git, {m_request.repository, m_commonDir, m_path, m_guard}, this, [this, told](const Result<> &removed) mutable {
                if (!removed)
                    told.detail += QStringLiteral("\nThe unfinished folder “%1” could not be removed: ").arg(m_path) + removed.error().message;
                if (!m_branchMade)
                    return finish(told);
                git({m_request.repository, {QStringLiteral("update-ref"), QStringLiteral("-d"), branchRef(), m_commit}},
                    [this, told](const GitOutput &) { finish(told); });
            });
        });
    }

    QString branchRef() const { return QStringLiteral("refs/heads/") + m_request.branch; }
    QString mark() const { return QString(addMark) + m_request.branch; }
    QString doing() const { return QStringLiteral("make a work tree for the branch %1").arg(m_request.branch); }
    Error missingBase() const
    {
        const QString name = m_request.base.isEmpty() ? QStringLiteral("HEAD") : m_request.base;
        return gitErrorOf(QLatin1StringView("missing_ref"), QStringLiteral("There is no branch or commit “%1” to start from.").arg(name), name);
    }

    AddWorktreeRequest m_request;
    QString m_path;
    QString m_commonDir;
    QString m_commit;
    bool m_ownLeftover = false;
    bool m_branchIsThere = false;
    bool m_branchMade = false;
    bool m_making = false;
};

} // namespace

GitJob *addWorktree(const GitEnvironment &git, const AddWorktreeRequest &request, QObject *context, GitDone<WorktreeInfo> done, int deadlineMs)
{
    return new AddWorktreeJob(git, request, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
