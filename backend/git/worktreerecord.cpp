// recordWorkTree: a copy of the index that is brought up to what the files hold, ids only.
#include "backend/git/diffarguments.h"
#include "backend/git/difflist.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/scratchindex.h"

#include <QDir>
#include <QFileInfo>

#include <cstdio>

namespace foundry::backend {

namespace {

class RecordWorkTreeJob final : public TypedGitJob<Unit> {
public:
    RecordWorkTreeJob(const GitEnvironment &git, const QString &worktree, const QString &file, QObject *context, GitDone<Unit> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_worktree(worktree)
        , m_file(file)
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_worktree).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("The work tree “%1” is gone.").arg(m_worktree)));
        loadGuard(m_worktree, [this](const QList<ScopedSetting> &) {
            m_guard.settings.append(bigFileSetting());
            gitOk(doing(), {m_worktree, {QStringLiteral("rev-parse"), QStringLiteral("--path-format=absolute"), QStringLiteral("--git-path"), QStringLiteral("index")}},
                [this](const GitOutput &output) {
                    // Beside the target, so that the finished one can be renamed.
                    const auto scratch = ScratchIndex::make(QFileInfo(m_file).absolutePath());
                    if (!scratch)
                        return fail(scratch.error());
                    m_scratch = *scratch;
                    if (const auto copied = m_scratch->copyIndex(output.line()); !copied)
                        return fail(copied.error());
                    onCopy(refreshArguments(), {}, [this](const GitOutput &) { collect(); });
                });
        });
    }

    void collect()
    {
        onCopy(changedNamesArguments(), {}, [this](const GitOutput &changed) {
            if (!changed.ok())
                return fail(changed.error(doing()));
            m_names = changed.out();
            onCopy(untrackedArguments(), {}, [this](const GitOutput &untracked) {
                if (!untracked.ok())
                    return fail(untracked.error(doing()));
                m_names += untracked.out();
                take();
            });
        });
    }

    void take()
    {
        if (m_names.isEmpty())
            return keep();
        const QStringList update{QStringLiteral("update-index"), QStringLiteral("--info-only"), QStringLiteral("--add"), QStringLiteral("--remove"),
            QStringLiteral("--replace"), QStringLiteral("-z"), QStringLiteral("--stdin")};
        onCopy(update, m_names, [this](const GitOutput &output) {
            if (!output.ok())
                return fail(output.error(doing()));
            keep();
        });
    }

    void keep()
    {
        const QString made = m_scratch->path(QStringLiteral("index"));
        if (!QFileInfo::exists(made)) { // nothing is tracked and nothing lies about
            QFile::remove(m_file);
            return answerWith(Unit{});
        }
        if (std::rename(QFile::encodeName(made).constData(), QFile::encodeName(m_file).constData()) != 0)
            return fail(gitErrorOf(QLatin1StringView("failed"), QStringLiteral("The state of the work tree could not be kept in “%1”.").arg(m_file)));
        answerWith(Unit{});
    }

    void onCopy(const QStringList &arguments, const QByteArray &input, Next next)
    {
        GitCall call{m_worktree, arguments};
        call.environment = m_scratch->copyEnvironment();
        call.input = input;
        git(std::move(call), [this, next = std::move(next)](const GitOutput &output) {
            if (output.outcome.end != ChildEnd::Exited)
                return fail(output.error(doing()));
            next(output);
        });
    }

    static QString doing() { return QStringLiteral("note the state of the work tree"); }

    QString m_worktree;
    QString m_file;
    QByteArray m_names;
    std::shared_ptr<ScratchIndex> m_scratch;
};

} // namespace

GitJob *recordWorkTree(const GitEnvironment &git, const QString &worktree, const QString &file, QObject *context, GitDone<Unit> done, int deadlineMs)
{
    return new RecordWorkTreeJob(git, worktree, file, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
