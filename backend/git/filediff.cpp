// fileDiff: one page of one file's diff.
#include "backend/git/diffarguments.h"
#include "backend/git/diffpager.h"
#include "backend/git/gitpath.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/refresolver.h"
#include "backend/git/scratchindex.h"

#include <QFileInfo>

#include <algorithm>

namespace foundry::backend {

namespace {

// Arguments reach programs as UTF-8, so a name that is not is matched by a pattern with `?` for each such byte.
QString fileDiffPattern(const QByteArray &path)
{
    QString pattern = QStringLiteral(":(top,glob)");
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) {
            pattern += QLatin1Char('?');
            continue;
        }
        if (QByteArrayView("*?[]\\").contains(c))
            pattern += QLatin1Char('\\');
        pattern += QLatin1Char(c);
    }
    return pattern;
}

bool fileDiffIsUtf8(const QByteArray &path)
{
    return QString::fromUtf8(path).toUtf8() == path;
}

class FileDiffJob final : public TypedGitJob<DiffPage> {
public:
    FileDiffJob(const GitEnvironment &git, const FileDiffRequest &request, QObject *context, GitDone<DiffPage> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_request(request)
        , m_path(pathToGit(request.path))
        , m_pager(m_path, request.cursor, request.pageBytes)
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_request.worktree).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("The work tree “%1” is gone.").arg(m_request.worktree)));
        if (!m_pager.cursorIsValid())
            return fail(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("The cursor is not one of this diff's."), {}, QStringLiteral("cursor")));
        if (m_path.isEmpty() || m_path.contains('\0') || m_path.startsWith('/'))
            return fail(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("This is not a path inside the work tree."), {}, QStringLiteral("path")));
        loadGuard(m_request.worktree, [this](const QList<ScopedSetting> &) {
            m_guard.settings.append(bigFileSetting());
            m_guard.settings.append({QStringLiteral("core.quotePath"), QStringLiteral("false")});
            compare();
        });
    }

    void compare()
    {
        switch (m_request.scope) {
        case ChangeScope::Committed:
            if (!isPlausibleRevision(m_request.mergeBase))
                return fail(gitErrorOf(QLatin1StringView("missing_ref"), QStringLiteral("There is no commit to compare with.")));
            return read(QStringList{QStringLiteral("diff-tree"), QStringLiteral("-r")} + textDiffArguments()
                    + QStringList{m_request.mergeBase, QStringLiteral("HEAD")}, {});
        case ChangeScope::Staged:
            // Compares without looking at files, and so never writes the index.
            return read(QStringList{QStringLiteral("diff"), QStringLiteral("--cached")} + textDiffArguments(), {});
        case ChangeScope::Unstaged:
            return read(QStringList{QStringLiteral("diff-files")} + textDiffArguments(), {});
        case ChangeScope::Untracked:
            return compareUntracked();
        }
    }

    void compareUntracked()
    {
        gitOk(doing(), {m_request.worktree, {QStringLiteral("rev-parse"), QStringLiteral("--show-object-format")}}, [this](const GitOutput &format) {
            const auto scratch = ScratchIndex::make(m_git.scratchDir);
            if (!scratch)
                return fail(scratch.error());
            m_scratch = *scratch;
            const auto input = m_scratch->emptyEntries({m_path}, format.line());
            if (!input)
                return fail(input.error());
            GitCall fill{m_request.worktree, {QStringLiteral("update-index"), QStringLiteral("-z"), QStringLiteral("--index-info")}};
            fill.environment = m_scratch->emptyEnvironment();
            fill.input = *input;
            gitOk(doing(), std::move(fill), [this](const GitOutput &) {
                read(QStringList{QStringLiteral("diff-files")} + textDiffArguments(), m_scratch->emptyEnvironment());
            });
        });
    }

    void read(const QStringList &arguments, const QMap<QString, QString> &environment)
    {
        GitCall call{m_request.worktree, arguments};
        call.environment = environment;
        call.stream = true;
        call.arguments.append(QStringLiteral("--"));
        QList<QByteArray> paths{m_path};
        if (m_request.oldPath)
            paths.append(pathToGit(*m_request.oldPath));
        const bool plain = std::all_of(paths.begin(), paths.end(), fileDiffIsUtf8);
        if (!plain)
            call.environment.insert(QStringLiteral("GIT_LITERAL_PATHSPECS"), QStringLiteral("0"));
        for (const QByteArray &path : std::as_const(paths))
            call.arguments.append(plain ? QString::fromUtf8(path) : fileDiffPattern(path));
        GitRun *run = gitOk(doing(), std::move(call), [this](const GitOutput &) {
            m_pager.end();
            if (m_pager.hasChanged())
                return fail(gitErrorOf(QLatin1StringView("changed"), QStringLiteral("The file changed while its diff was read.")));
            DiffPage page;
            page.path = m_request.path;
            page.binary = m_pager.isBinary();
            page.unified = m_pager.page();
            page.cursor = m_pager.next();
            answerWith(std::move(page));
        });
        connect(run, &GitRun::output, this, [this, run](const QByteArray &chunk) {
            if (!m_pager.feed(chunk))
                run->finishEarly();
        });
    }

    QString doing() const { return QStringLiteral("read the changes of %1").arg(m_request.path); }

    FileDiffRequest m_request;
    QByteArray m_path;
    DiffPager m_pager;
    std::shared_ptr<ScratchIndex> m_scratch;
};

} // namespace

GitJob *fileDiff(const GitEnvironment &git, const FileDiffRequest &request, QObject *context, GitDone<DiffPage> done, int deadlineMs)
{
    return new FileDiffJob(git, request, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
