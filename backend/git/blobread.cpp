// listFiles and readCommitted: names of all files, and a piece of a file as a commit or the index has it.
#include "backend/git/diffarguments.h"
#include "backend/git/gitpath.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/refresolver.h"
#include "backend/git/worktreefiles.h"

#include <QFileInfo>

namespace foundry::backend {

namespace {

constexpr qint64 blobreadListCap = 64 << 20;

class ListFilesJob final : public TypedGitJob<FileNames> {
public:
    ListFilesJob(const GitEnvironment &git, const QString &worktree, QObject *context, GitDone<FileNames> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_worktree(worktree)
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_worktree).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("The work tree “%1” is gone.").arg(m_worktree)));
        loadGuard(m_worktree, [this](const QList<ScopedSetting> &) {
            GitCall call{m_worktree, {QStringLiteral("ls-files"), QStringLiteral("--cached"), QStringLiteral("--others"), QStringLiteral("--exclude-standard"), QStringLiteral("-z")}};
            call.outputCap = blobreadListCap;
            git(std::move(call), [this](const GitOutput &output) {
                const bool cut = output.outcome.end == ChildEnd::OutputCap;
                if (!output.ok() && !cut)
                    return fail(output.error(QStringLiteral("list the files")));
                answerWith({output.out().left(output.out().lastIndexOf('\0') + 1), cut});
            });
        });
    }

    QString m_worktree;
};

class ReadCommittedJob final : public TypedGitJob<FilePiece> {
public:
    ReadCommittedJob(const GitEnvironment &git, const CommittedFileRequest &request, QObject *context, GitDone<FilePiece> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_request(request)
        , m_path(pathToGit(request.path))
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_request.worktree).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("The work tree “%1” is gone.").arg(m_request.worktree)));
        if (const auto fits = checkWorkTreePath(m_path); !fits || m_path.isEmpty())
            return fail(fits ? notFile() : fits.error());
        if (!m_request.revision.isEmpty() && !isPlausibleRevision(m_request.revision))
            return fail(gitErrorOf(QLatin1StringView("missing_ref"), QStringLiteral("There is no commit “%1”.").arg(m_request.revision)));
        const QByteArray name = m_request.revision.toUtf8() + ':' + m_path;
        if (!name.contains('\n'))
            return read(name);
        // Names go in line by line; one that has a line break goes as an argument.
        git({m_request.worktree, {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), QString::fromUtf8(name)}},
            [this](const GitOutput &output) { output.ok() ? read(output.line().toUtf8()) : fail(missing()); });
    }

    void read(const QByteArray &object)
    {
        loadGuard(m_request.worktree, [this, object](const QList<ScopedSetting> &) {
            GitCall call{m_request.worktree, {QStringLiteral("cat-file"), QStringLiteral("--batch")}};
            call.input = object + '\n';
            call.stream = true;
            GitRun *run = gitOk(doing(), std::move(call), [this](const GitOutput &) { conclude(); });
            connect(run, &GitRun::output, this, [this, run](const QByteArray &chunk) {
                if (!take(chunk))
                    run->finishEarly();
            });
        });
    }

    // <id> <type> <size> LF <contents> LF, or … missing LF. False: nothing more is needed.
    bool take(const QByteArray &chunk)
    {
        m_pending += chunk;
        if (!m_header) {
            const qsizetype end = m_pending.indexOf('\n');
            if (end < 0)
                return m_pending.size() < 64 * 1024;
            const QList<QByteArray> words = m_pending.left(end).split(' ');
            if (words.size() < 3 || words.last() == "missing" || words.at(words.size() - 2) != "blob") {
                m_isFile = words.size() < 3 || words.last() == "missing" ? std::nullopt : std::optional(false);
                return false;
            }
            m_isFile = true;
            m_header = true;
            m_piece.size = words.last().toLongLong();
            m_pending.remove(0, end + 1);
        }
        const qint64 left = m_piece.size - m_seen;
        const QByteArray part = m_pending.left(left);
        m_pending.clear();
        if (m_beginning.size() < 8000)
            m_beginning += part.left(8000 - m_beginning.size());
        const qint64 from = qBound(qint64(0), m_request.offset - m_seen, qint64(part.size()));
        if (m_piece.data.size() < m_request.limit)
            m_piece.data += part.mid(from, m_request.limit - m_piece.data.size());
        m_seen += part.size();
        return m_seen < m_piece.size && (m_piece.data.size() < m_request.limit || m_beginning.size() < 8000);
    }

    void conclude()
    {
        if (!m_isFile)
            return fail(missing());
        if (!*m_isFile)
            return fail(notFile());
        m_piece.binary = looksBinary(m_beginning);
        answerWith(std::move(m_piece));
    }

    QString doing() const { return QStringLiteral("read %1").arg(m_request.path); }
    Error missing() const
    {
        return gitErrorOf(QLatin1StringView("missing_ref"),
            m_request.revision.isEmpty() ? QStringLiteral("“%1” is not in the index.").arg(m_request.path)
                                         : QStringLiteral("There is no “%1” in %2.").arg(m_request.path, m_request.revision));
    }
    Error notFile() const
    {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("“%1” is not a file.").arg(m_request.path), {},
            QStringLiteral("path"));
    }

    CommittedFileRequest m_request;
    QByteArray m_path;
    QByteArray m_pending;
    QByteArray m_beginning;
    FilePiece m_piece;
    qint64 m_seen = 0;
    bool m_header = false;
    std::optional<bool> m_isFile;
};

} // namespace

GitJob *listFiles(const GitEnvironment &git, const QString &worktree, QObject *context, GitDone<FileNames> done, int deadlineMs)
{
    return new ListFilesJob(git, worktree, context, std::move(done), deadlineMs);
}

GitJob *readCommitted(const GitEnvironment &git, const CommittedFileRequest &request, QObject *context, GitDone<FilePiece> done, int deadlineMs)
{
    return new ReadCommittedJob(git, request, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
