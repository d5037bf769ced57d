// cloneRepository: into a folder beside the target, made bare, then renamed.
#include "backend/git/gitprogress.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/giturl.h"
#include "backend/git/removetree.h"

#include <QDir>
#include <QFileInfo>
#include <QStorageInfo>

namespace foundry::backend {

namespace {

constexpr qint64 cloneFullBelow = 2 << 20; // a disk with less free than this is why git failed

class CloneJob final : public TypedGitJob<CloneInfo> {
public:
    CloneJob(const GitEnvironment &git, const CloneRequest &request, QObject *context, GitDone<CloneInfo> done, int deadlineMs, int idleDeadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_request(request)
        , m_idleDeadlineMs(idleDeadlineMs)
    {
    }

private:
    void begin() override
    {
        const auto url = parseGitUrl(m_request.url);
        if (!url)
            return fail(url.error());
        m_url = *url;
        const QFileInfo target(QDir::cleanPath(m_request.targetDir));
        m_target = target.absoluteFilePath();
        m_partial = target.absolutePath() + QStringLiteral("/.") + target.fileName() + QStringLiteral(".cloning");
        if (target.exists())
            return reuse();
        if (!QDir().mkpath(target.absolutePath()))
            return fail(gitErrorOf(QLatin1StringView("read_only"), QStringLiteral("The folder “%1” cannot be made.").arg(target.absolutePath())));
        report(0, QStringLiteral("Connecting"));
        // What an earlier, killed run may have left.
        removeTree(m_partial, this, [this](bool gone) {
            if (isOver())
                return;
            if (!gone)
                return fail(gitErrorOf(QLatin1StringView("read_only"), QStringLiteral("What an earlier attempt left at “%1” cannot be removed.").arg(m_partial)));
            m_ours = true;
            clone();
        });
    }

    // Done before, and nobody noted it: the rename is the last step.
    void reuse()
    {
        const QStringList ask{QStringLiteral("config"), QStringLiteral("--file"), m_target + QStringLiteral("/config"),
            QStringLiteral("--get"), QStringLiteral("remote.origin.url")};
        git({{}, ask}, [this](const GitOutput &output) {
            if (output.ok() && output.line() == m_url.forGit)
                return answerWith({m_target, m_url.shown});
            fail(gitErrorOf(QLatin1StringView("path_exists"), QStringLiteral("The folder “%1” exists already.").arg(m_target)));
        });
    }

    void clone()
    {
        // Without a checkout: tasks have work trees of their own. Without templates: they may bring hooks.
        GitCall call{{},
            {QStringLiteral("clone"), QStringLiteral("--progress"), QStringLiteral("--no-checkout"), QStringLiteral("--no-recurse-submodules"),
                QStringLiteral("--template="), QStringLiteral("--origin"), QStringLiteral("origin"), QStringLiteral("--"), m_url.forGit, m_partial}};
        call.idleDeadlineMs = m_idleDeadlineMs;
        GitRun *run = gitOk(doing(), std::move(call), [this](const GitOutput &) { complete(); });
        connect(run, &GitRun::progress, this, [this](double fraction, const QString &phase) {
            report(0.99 * cloneFraction({phase, fraction}), clonePhaseText(phase));
        });
    }

    void complete()
    {
        // The checkout that was never made shall not count as one: a task may take the default branch itself.
        setInClone(QStringLiteral("core.logAllRefUpdates"), [this] {
            setInClone(QStringLiteral("core.bare"), [this] {
                if (!QDir().rename(m_partial + QStringLiteral("/.git"), m_target))
                    return fail(gitErrorOf(QLatin1StringView("failed"), QStringLiteral("The finished clone could not be moved to “%1”.").arg(m_target)));
                QDir().rmdir(m_partial);
                report(1, QStringLiteral("Done"));
                answerWith({m_target, m_url.shown});
            });
        });
    }

    void setInClone(const QString &key, std::function<void()> next)
    {
        gitOk(doing(), {{}, {QStringLiteral("config"), QStringLiteral("--file"), m_partial + QStringLiteral("/.git/config"), key, QStringLiteral("true")}},
            [next = std::move(next)](const GitOutput &) { next(); });
    }

    void tidyUp(const Error &error) override
    {
        Error told = error;
        if (told.code == QLatin1StringView("failed") && m_ours
            && QStorageInfo(QFileInfo(m_target).absolutePath()).bytesAvailable() < cloneFullBelow)
            told = gitErrorOf(QLatin1StringView("no_space"), QStringLiteral("Could not %1. There is no space left on the disk.").arg(doing()), error.detail);
        if (!m_ours)
            return finish(told);
        removeTree(m_partial, this, [this, told](bool gone) mutable {
            if (!gone)
                told.detail += QStringLiteral("\nThe unfinished clone at “%1” could not be removed.").arg(m_partial);
            finish(told);
        });
    }

    QString doing() const { return QStringLiteral("clone %1").arg(m_url.shown); }

    CloneRequest m_request;
    GitUrl m_url;
    QString m_target;
    QString m_partial;
    int m_idleDeadlineMs;
    bool m_ours = false;
};

} // namespace

GitJob *cloneRepository(const GitEnvironment &git, const CloneRequest &request, QObject *context, GitDone<CloneInfo> done,
    int deadlineMs, int idleDeadlineMs)
{
    return new CloneJob(git, request, context, std::move(done), deadlineMs, idleDeadlineMs);
}

} // namespace foundry::backend
