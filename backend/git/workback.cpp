// The way back of savedwork.h: putWorkBack, and the small operations over the ref and the branch; lookAtLoss.
#include "backend/git/gittypedjob.h"
#include "backend/git/gitpath.h"
#include "backend/git/savedwork.h"
#include "backend/git/worktreelist.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace foundry::backend {

namespace {

constexpr qsizetype workbackShownPaths = 20;

QString workbackBranch(const QString &branch)
{
    return QStringLiteral("refs/heads/") + branch;
}

QStringList workbackVerify(const QString &revision)
{
    return {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), revision + QStringLiteral("^{commit}")};
}

class PutWorkBackJob final : public TypedGitJob<QString> {
public:
    PutWorkBackJob(const GitEnvironment &git, QString worktree, SavedWork saved, QObject *context, GitDone<QString> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_worktree(std::move(worktree))
        , m_saved(std::move(saved))
    {
    }

private:
    void begin() override
    {
        if (m_saved.head.isEmpty())
            return answerWith({});
        if (QFileInfo(m_worktree).isSymLink())
            return fail(gitErrorOf(QLatin1StringView("path_exists"), QStringLiteral("The work tree “%1” was replaced by a link.").arg(m_worktree)));
        loadGuard(m_worktree, [this](const QList<ScopedSetting> &) {
            gitOk(doing(), {m_worktree, workbackVerify(QStringLiteral("HEAD"))}, [this](const GitOutput &output) {
                if (output.line() == m_saved.head)
                    return fill();
                takeHead();
            });
        });
    }

    // The work tree stood elsewhere than the branch does now: there it shall stand again, as nothing may be made to look
    // changed that nobody changed.
    void takeHead()
    {
        if (m_saved.headBranch.isEmpty())
            return detach({});
        git({m_worktree, workbackVerify(workbackBranch(m_saved.headBranch))}, [this](const GitOutput &tip) {
            if (!tip.ok() || tip.line() != m_saved.head)
                return detach(QStringLiteral("The branch %1 has moved meanwhile: the work stands on the commit it was made on, without a branch.").arg(m_saved.headBranch));
            gitOk(doing(), {m_worktree, worktreeListArguments()}, [this](const GitOutput &listed) {
                for (const WorktreeEntry &entry : parseWorktreeList(listed.out())) {
                    if (entry.branch == m_saved.headBranch && entry.path != resolvedPath(m_worktree) && !entry.isGone)
                        return detach(QStringLiteral("The branch %1 is checked out in “%2”: the work stands on its commit, without a branch.").arg(m_saved.headBranch, entry.path));
                }
                gitOk(doing(), {m_worktree, {QStringLiteral("symbolic-ref"), QStringLiteral("-m"), QStringLiteral("foundry: put back"), QStringLiteral("HEAD"), workbackBranch(m_saved.headBranch)}},
                    [this](const GitOutput &) { fill(); });
            });
        });
    }

    void detach(const QString &note)
    {
        m_note = note;
        gitOk(doing(), {m_worktree, {QStringLiteral("update-ref"), QStringLiteral("--no-deref"), QStringLiteral("-m"), QStringLiteral("foundry: put back"), QStringLiteral("HEAD"), m_saved.head}},
            [this](const GitOutput &) { fill(); });
    }

    void fill()
    {
        report(0.1, QStringLiteral("Putting the files back"));
        const QString content = m_saved.commit.isEmpty() ? m_saved.head : m_saved.commit;
        gitOk(doing(), {m_worktree, {QStringLiteral("read-tree"), QStringLiteral("-u"), QStringLiteral("--reset"), QStringLiteral("--no-recurse-submodules"), content}}, [this](const GitOutput &) {
            const QString index = m_saved.index.isEmpty() ? m_saved.head : m_saved.index;
            gitOk(doing(), {m_worktree, {QStringLiteral("read-tree"), QStringLiteral("--reset"), QStringLiteral("--no-recurse-submodules"), index}}, [this](const GitOutput &) {
                // Only what git remembers of the files' times; with changed files it “fails”.
                git({m_worktree, {QStringLiteral("update-index"), QStringLiteral("-q"), QStringLiteral("--refresh")}}, [this](const GitOutput &) { answerWith(m_note); });
            });
        });
    }

    static QString doing() { return QStringLiteral("put the saved work back"); }

    QString m_worktree;
    SavedWork m_saved;
    QString m_note;
};

class ForgetWorkJob final : public TypedGitJob<Unit> {
public:
    ForgetWorkJob(const GitEnvironment &git, QString repository, QString ref, QString kept, QObject *context, GitDone<Unit> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_repository(std::move(repository))
        , m_ref(std::move(ref))
        , m_kept(std::move(kept))
    {
    }

private:
    void begin() override
    {
        if (m_kept.isEmpty() || !QFileInfo(m_repository).isDir()) // with the repository its refs have gone
            return answerWith(Unit{});
        git({m_repository, workbackVerify(m_ref)}, [this](const GitOutput &output) {
            if (output.outcome.end == ChildEnd::Exited && output.exitCode() == 1)
                return answerWith(Unit{});
            if (!output.ok())
                return fail(output.error(QStringLiteral("look at the saved work")));
            if (output.line() != m_kept) // another one's
                return answerWith(Unit{});
            gitOk(QStringLiteral("remove the ref of the saved work"), {m_repository, {QStringLiteral("update-ref"), QStringLiteral("-d"), m_ref, m_kept}}, [this](const GitOutput &) { answerWith(Unit{}); });
        });
    }

    QString m_repository;
    QString m_ref;
    QString m_kept;
};

class ReleaseBranchJob final : public TypedGitJob<QString> {
public:
    ReleaseBranchJob(const GitEnvironment &git, QString repository, QString branch, QString kept, QObject *context, GitDone<QString> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_repository(std::move(repository))
        , m_branch(std::move(branch))
        , m_kept(std::move(kept))
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_repository).isDir())
            return answerWith({});
        git({m_repository, workbackVerify(workbackBranch(m_branch))}, [this](const GitOutput &output) {
            if (output.outcome.end == ChildEnd::Exited && output.exitCode() == 1)
                return answerWith({}); // it is gone
            if (!output.ok())
                return fail(output.error(doing()));
            m_tip = output.line();
            if (m_kept.isEmpty())
                return stays(QStringLiteral("its commits are not kept elsewhere"));
            git({m_repository, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), m_tip, m_kept}}, [this](const GitOutput &inside) {
                if (!inside.ok())
                    return stays(QStringLiteral("it has moved on meanwhile"));
                look();
            });
        });
    }

    void look()
    {
        gitOk(doing(), {m_repository, worktreeListArguments()}, [this](const GitOutput &listed) {
            for (const WorktreeEntry &entry : parseWorktreeList(listed.out())) {
                if (entry.branch == m_branch && !entry.isBare)
                    return stays(QStringLiteral("it is checked out in “%1”").arg(entry.path));
            }
            // Only as it was looked at: the old value says so, in one atomic step.
            gitOk(doing(), {m_repository, {QStringLiteral("update-ref"), QStringLiteral("-d"), workbackBranch(m_branch), m_tip}}, [this](const GitOutput &) { answerWith({}); });
        });
    }

    void stays(const QString &why) { answerWith(QStringLiteral("The branch %1 stays: %2.").arg(m_branch, why)); }
    QString doing() const { return QStringLiteral("delete the branch %1").arg(m_branch); }

    QString m_repository;
    QString m_branch;
    QString m_kept;
    QString m_tip;
};

class BringBranchBackJob final : public TypedGitJob<Unit> {
public:
    BringBranchBackJob(const GitEnvironment &git, QString repository, QString branch, QString tip, QObject *context, GitDone<Unit> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_repository(std::move(repository))
        , m_branch(std::move(branch))
        , m_tip(std::move(tip))
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_repository).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("There is no folder “%1” any more.").arg(m_repository)));
        if (m_tip.isEmpty())
            return answerWith(Unit{});
        git({m_repository, workbackVerify(workbackBranch(m_branch))}, [this](const GitOutput &output) {
            if (output.outcome.end != ChildEnd::Exited)
                return fail(output.error(doing()));
            if (output.ok())
                return compare();
            const QStringList create{QStringLiteral("update-ref"), QStringLiteral("--create-reflog"), QStringLiteral("-m"), QStringLiteral("branch: restored with its task"), workbackBranch(m_branch), m_tip, QString()};
            gitOk(doing(), {m_repository, create}, [this](const GitOutput &) { answerWith(Unit{}); });
        });
    }

    void compare()
    {
        git({m_repository, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), m_tip, workbackBranch(m_branch)}}, [this](const GitOutput &inside) {
            if (inside.ok())
                return answerWith(Unit{});
            fail(makeError(QLatin1StringView("git"), QLatin1StringView("branch_exists"),
                QStringLiteral("There is another branch %1 now.").arg(m_branch), QStringLiteral("Rename that branch, then restore the task again.")));
        });
    }

    QString doing() const { return QStringLiteral("make the branch %1 again").arg(m_branch); }

    QString m_repository;
    QString m_branch;
    QString m_tip;
};

class LookAtLossJob final : public TypedGitJob<TaskLoss> {
public:
    LookAtLossJob(const GitEnvironment &git, QString repository, QString worktree, QString branch, QObject *context, GitDone<TaskLoss> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_repository(std::move(repository))
        , m_worktree(std::move(worktree))
        , m_branch(std::move(branch))
    {
    }

private:
    void begin() override
    {
        m_loss.at = QDateTime::currentMSecsSinceEpoch();
        const QFileInfo place(m_worktree);
        if (m_worktree.isEmpty() || !place.exists() || place.isSymLink())
            return countCommits();
        loadGuard(m_worktree, [this](const QList<ScopedSetting> &) {
            gitOk(doing(), {m_worktree, {QStringLiteral("--no-optional-locks"), QStringLiteral("status"), QStringLiteral("--porcelain=v1"), QStringLiteral("-z"), QStringLiteral("--no-renames"), QStringLiteral("--untracked-files=all")}},
                [this](const GitOutput &output) {
                    for (const QByteArray &entry : output.out().split('\0')) {
                        if (entry.size() < 4)
                            continue;
                        (entry.startsWith("??") ? m_loss.untracked : m_loss.uncommitted) += 1;
                        if (m_loss.paths.size() < workbackShownPaths)
                            m_loss.paths.append(QString::fromUtf8(entry.mid(3)));
                    }
                    countCommits();
                });
        });
    }

    void countCommits()
    {
        git({m_repository, workbackVerify(workbackBranch(m_branch))}, [this](const GitOutput &output) {
            if (!output.ok() && (output.outcome.end != ChildEnd::Exited || output.exitCode() != 1))
                return fail(output.error(doing()));
            if (!output.ok())
                return answerWith(m_loss);
            gitOk(doing(), {m_repository, {QStringLiteral("rev-list"), QStringLiteral("--count"), output.line(), QStringLiteral("--not"), QStringLiteral("--remotes"), QStringLiteral("--tags"), QStringLiteral("--exclude=") + m_branch, QStringLiteral("--branches")}},
                [this](const GitOutput &counted) {
                    m_loss.unpushed = counted.line().toLongLong();
                    answerWith(m_loss);
                });
        });
    }

    static QString doing() { return QStringLiteral("look at what would be lost"); }

    QString m_repository;
    QString m_worktree;
    QString m_branch;
    TaskLoss m_loss;
};

} // namespace

GitJob *putWorkBack(const GitEnvironment &git, const QString &worktree, const SavedWork &saved, QObject *context, GitDone<QString> done, int deadlineMs)
{
    return new PutWorkBackJob(git, worktree, saved, context, std::move(done), deadlineMs);
}

GitJob *forgetWork(const GitEnvironment &git, const QString &repository, const QString &ref, const QString &kept, QObject *context, GitDone<Unit> done, int deadlineMs)
{
    return new ForgetWorkJob(git, repository, ref, kept, context, std::move(done), deadlineMs);
}

GitJob *releaseBranch(const GitEnvironment &git, const QString &repository, const QString &branch, const QString &kept, QObject *context, GitDone<QString> done, int deadlineMs)
{
    return new ReleaseBranchJob(git, repository, branch, kept, context, std::move(done), deadlineMs);
}

GitJob *bringBranchBack(const GitEnvironment &git, const QString &repository, const QString &branch, const QString &tip, QObject *context, GitDone<Unit> done, int deadlineMs)
{
    return new BringBranchBackJob(git, repository, branch, tip, context, std::move(done), deadlineMs);
}

GitJob *lookAtLoss(const GitEnvironment &git, const QString &repository, const QString &worktree, const QString &branch, QObject *context, GitDone<TaskLoss> done, int deadlineMs)
{
    return new LookAtLossJob(git, repository, worktree, branch, context, std::move(done), deadlineMs);
}

QByteArray encodeSavedWork(const SavedWork &saved)
{
    return QJsonDocument(QJsonObject{{QStringLiteral("commit"), saved.commit}, {QStringLiteral("index"), saved.index}, {QStringLiteral("kept"), saved.kept},
                             {QStringLiteral("head"), saved.head}, {QStringLiteral("headBranch"), saved.headBranch}, {QStringLiteral("branchTip"), saved.branchTip},
                             {QStringLiteral("uncommitted"), saved.uncommitted}, {QStringLiteral("untracked"), saved.untracked}})
        .toJson(QJsonDocument::Compact);
}

SavedWork decodeSavedWork(const QByteArray &json)
{
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    const auto text = [&object](const char *key) { return object.value(QLatin1StringView(key)).toString(); };
    SavedWork saved;
    saved.commit = text("commit");
    saved.index = text("index");
    saved.kept = text("kept");
    saved.head = text("head");
    saved.headBranch = text("headBranch");
    saved.branchTip = text("branchTip");
    saved.uncommitted = object.value(QLatin1StringView("uncommitted")).toInteger();
    saved.untracked = object.value(QLatin1StringView("untracked")).toInteger();
    return saved;
}

} // namespace foundry::backend
