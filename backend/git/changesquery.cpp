// computeChanges: four comparisons one after the other, on index files of our own, and what of it is new since a turn began.
#include "backend/git/diffarguments.h"
#include "backend/git/difflist.h"
#include "backend/git/gitpath.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/refresolver.h"
#include "backend/git/scratchindex.h"

#include <QDateTime>
#include <QFileInfo>
#include <QSet>

#include <algorithm>
#include <sys/stat.h>

namespace foundry::backend {

namespace {

class ChangesJob final : public TypedGitJob<Changes> {
public:
    ChangesJob(const GitEnvironment &git, const ChangesRequest &request, QObject *context, GitDone<Changes> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_request(request)
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_request.worktree).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("The work tree “%1” is gone.").arg(m_request.worktree)));
        if (!isPlausibleRevision(m_request.base))
            return fail(missingBase());
        m_changes.header.at = QDateTime::currentMSecsSinceEpoch();
        loadGuard(m_request.worktree, [this](const QList<ScopedSetting> &) {
            m_guard.settings.append(bigFileSetting());
            const QStringList ask{QStringLiteral("rev-parse"), QStringLiteral("--show-object-format"), QStringLiteral("--path-format=absolute"),
                QStringLiteral("--git-path"), QStringLiteral("index")};
            gitOk(doing(), {m_request.worktree, ask}, [this](const GitOutput &output) {
                m_objectFormat = output.line().section(QLatin1Char('\n'), 0, 0);
                const QString index = output.line().section(QLatin1Char('\n'), 1);
                const auto scratch = ScratchIndex::make(m_git.scratchDir);
                if (!scratch)
                    return fail(scratch.error());
                m_scratch = *scratch;
                if (const auto copied = m_scratch->copyIndex(index); !copied)
                    return fail(copied.error());
                findBase();
            });
        });
    }

    void findBase()
    {
        if (isObjectId(m_request.base))
            return findHead(m_request.base);
        gitOk(doing(), {m_request.worktree, refCandidateArguments(m_request.base)},
            [this](const GitOutput &output) { findHead(bestRef(m_request.base, output.out()).value_or(m_request.base)); });
    }

    void findHead(const QString &base)
    {
        const auto verify = [](const QString &revision) {
            return QStringList{QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), revision + QStringLiteral("^{commit}")};
        };
        git({m_request.worktree, verify(base)}, [this, verify](const GitOutput &output) {
            if (!output.ok())
                return fail(output.outcome.end == ChildEnd::Exited ? missingBase() : output.error(doing()));
            m_base = output.line();
            git({m_request.worktree, verify(QStringLiteral("HEAD"))}, [this](const GitOutput &head) {
                if (!head.ok()) // a branch without a commit: everything is in the index or untracked
                    return compare();
                m_changes.header.head = head.line();
                findMergeBase(head.line());
            });
        });
    }

    void findMergeBase(const QString &head)
    {
        git({m_request.worktree, {QStringLiteral("merge-base"), m_base, head}}, [this, head](const GitOutput &output) {
            if (!output.ok() && (output.outcome.end != ChildEnd::Exited || output.exitCode() != 1))
                return fail(output.error(doing()));
            // Without common history the base itself is what there is to compare with.
            m_changes.header.mergeBase = output.ok() ? output.line() : m_base;
            count(m_base, head, [this, head](qint64 behind, qint64 ahead) {
                m_changes.header.behind = behind;
                m_changes.header.ahead = ahead;
                findUpstream(head);
            });
        });
    }

    void count(const QString &left, const QString &right, std::function<void(qint64, qint64)> then)
    {
        gitOk(doing(), {m_request.worktree, {QStringLiteral("rev-list"), QStringLiteral("--left-right"), QStringLiteral("--count"), left + QStringLiteral("...") + right}},
            [then = std::move(then)](const GitOutput &counts) {
                then(counts.line().section(QLatin1Char('\t'), 0, 0).toLongLong(), counts.line().section(QLatin1Char('\t'), 1).toLongLong());
            });
    }

    void findUpstream(const QString &head)
    {
        git({m_request.worktree, {QStringLiteral("rev-parse"), QStringLiteral("--symbolic-full-name"), QStringLiteral("@{upstream}")}},
            [this, head](const GitOutput &output) {
                const QString upstream = output.line();
                if (!output.ok() || !upstream.startsWith(QLatin1StringView("refs/")))
                    return output.outcome.end == ChildEnd::Exited ? compare() : fail(output.error(doing()));
                count(upstream, head, [this, upstream](qint64 behind, qint64 ahead) {
                    m_changes.header.upstream = upstream.section(QLatin1Char('/'), 2);
                    m_changes.header.upstreamBehind = behind;
                    m_changes.header.upstreamAhead = ahead;
                    compare();
                });
            });
    }

    void compare()
    {
        list(ChangeScope::Staged, QStringList{QStringLiteral("diff"), QStringLiteral("--cached")} + listDiffArguments(), m_scratch->copyEnvironment(), [this] {
            list(ChangeScope::Unstaged, QStringList{QStringLiteral("diff")} + listDiffArguments(), m_scratch->copyEnvironment(), [this] { listUntracked(); });
        });
    }

    void listUntracked()
    {
        git({m_request.worktree, untrackedArguments()}, [this](const GitOutput &output) {
            if (!takeable(output))
                return fail(output.error(doing()));
            m_untracked = parseNameList(output.out());
            if (m_untracked.size() > m_request.maxFiles) {
                m_untracked.resize(m_request.maxFiles);
                m_changes.truncated = true;
            }
            countUntracked();
        });
    }

    void listCommitted()
    {
        if (!m_changes.header.head || *m_changes.header.head == *m_changes.header.mergeBase)
            return markTurn();
        list(ChangeScope::Committed, QStringList{QStringLiteral("diff-tree"), QStringLiteral("-r")} + listDiffArguments()
                + QStringList{*m_changes.header.mergeBase, *m_changes.header.head}, {}, [this] { markTurn(); });
    }

    void list(ChangeScope scope, const QStringList &arguments, const QMap<QString, QString> &environment, std::function<void()> then)
    {
        GitCall call{m_request.worktree, arguments};
        call.environment = environment;
        git(std::move(call), [this, scope, then = std::move(then)](const GitOutput &output) {
            if (!takeable(output))
                return fail(output.error(doing()));
            m_changes.files += parseDiffList(output.out(), scope);
            then();
        });
    }

    // A list too long to take in is cut and said to be.
    bool takeable(const GitOutput &output)
    {
        m_changes.truncated = m_changes.truncated || output.outcome.end == ChildEnd::OutputCap;
        return output.ok() || output.outcome.end == ChildEnd::OutputCap;
    }

    // As an index of empty files: the comparison counts the lines and tells binary files.
    void countUntracked()
    {
        if (m_untracked.isEmpty())
            return listCommitted();
        const auto input = m_scratch->emptyEntries(m_untracked, m_objectFormat);
        if (!input)
            return fail(input.error());
        GitCall fill{m_request.worktree, {QStringLiteral("update-index"), QStringLiteral("-z"), QStringLiteral("--index-info")}};
        fill.environment = m_scratch->emptyEnvironment();
        fill.input = *input;
        gitOk(doing(), std::move(fill), [this](const GitOutput &) {
            GitCall count{m_request.worktree, QStringList{QStringLiteral("diff-files"), QStringLiteral("--no-renames")} + listDiffArguments()};
            count.arguments.removeAll(QStringLiteral("-M"));
            count.environment = m_scratch->emptyEnvironment();
            git(std::move(count), [this](const GitOutput &output) {
                if (!takeable(output))
                    return fail(output.error(doing()));
                QHash<QString, FileChange> counted;
                const QList<FileChange> listed = parseDiffList(output.out(), ChangeScope::Untracked);
                for (const FileChange &change : listed)
                    counted.insert(change.path, change);
                for (const QByteArray &name : std::as_const(m_untracked)) {
                    FileChange change;
                    change.path = pathFromGit(name);
                    change.id = changeId(ChangeScope::Untracked, change.path);
                    change.scope = ChangeScope::Untracked;
                    change.status = QStringLiteral("A");
                    const auto found = counted.constFind(change.path);
                    change.added = found == counted.constEnd() ? 0 : found->added;
                    change.binary = found != counted.constEnd() && found->binary;
                    m_changes.files.append(change);
                }
                listCommitted();
            });
        });
    }

    // What the record of the turn's start says is other now. Without files to mark, or a record, there is nothing to do.
    void markTurn()
    {
        const TurnMark &turn = m_request.turn;
        if (m_changes.files.isEmpty() || turn.recordedAt == 0 || !QFileInfo::exists(turn.file))
            return finishList();
        if (const auto copied = m_scratch->copyIndex(turn.file, turnName()); !copied)
            return fail(copied.error());
        GitCall refresh{m_request.worktree, refreshArguments()};
        refresh.environment = m_scratch->copyEnvironment(turnName());
        git(std::move(refresh), [this](const GitOutput &refreshed) { // code 1: some have changed
            if (refreshed.outcome.end != ChildEnd::Exited)
                return fail(refreshed.error(doing()));
            names(changedNamesArguments(), [this] { names(untrackedArguments(), [this] { finishTurn(); }); });
        });
    }

    void names(const QStringList &arguments, std::function<void()> then)
    {
        GitCall call{m_request.worktree, arguments};
        call.environment = m_scratch->copyEnvironment(turnName());
        git(std::move(call), [this, then = std::move(then)](const GitOutput &output) {
            if (!takeable(output))
                return fail(output.error(doing()));
            for (const QByteArray &name : parseNameList(output.out()))
                m_inTurn.insert(pathFromGit(name));
            then();
        });
    }

    void finishTurn()
    {
        for (FileChange &change : m_changes.files) {
            change.inLastTurn = m_inTurn.contains(change.path) || (change.oldPath && m_inTurn.contains(*change.oldPath))
                || writtenMeanwhile(change.path);
        }
        finishList();
    }

    // Between the turn's start and the end of the record nobody can tell what the record saw.
    bool writtenMeanwhile(const QString &path) const
    {
        struct stat found = {};
        const QByteArray full = m_request.worktree.toUtf8() + '/' + pathToGit(path);
        if (::lstat(full.constData(), &found) != 0)
            return false;
        const Millis at = Millis(found.st_mtim.tv_sec) * 1000 + found.st_mtim.tv_nsec / 1000000;
        return at >= m_request.turn.startedAt && at <= m_request.turn.recordedAt;
    }

    void finishList()
    {
        const auto rank = [](const FileChange &change) { return static_cast<int>(change.scope.valueOr(ChangeScope::Untracked)); };
        std::sort(m_changes.files.begin(), m_changes.files.end(), [rank](const FileChange &a, const FileChange &b) {
            return rank(a) != rank(b) ? rank(a) < rank(b) : a.path < b.path;
        });
        if (m_changes.files.size() > m_request.maxFiles) {
            m_changes.files.resize(m_request.maxFiles);
            m_changes.truncated = true;
        }
        for (const FileChange &change : std::as_const(m_changes.files)) {
            m_changes.added += change.added;
            m_changes.removed += change.removed;
        }
        answerWith(std::move(m_changes));
    }

    static QString turnName() { return QStringLiteral("turn"); }
    static QString doing() { return QStringLiteral("look for changes"); }
    Error missingBase() const
    {
        return gitErrorOf(QLatin1StringView("missing_ref"),
            QStringLiteral("The branch or commit “%1” that this task started from is gone.").arg(m_request.base), m_request.base);
    }

    ChangesRequest m_request;
    Changes m_changes;
    QString m_base;
    QString m_objectFormat;
    QList<QByteArray> m_untracked;
    QSet<QString> m_inTurn;
    std::shared_ptr<ScratchIndex> m_scratch;
};

} // namespace

GitJob *computeChanges(const GitEnvironment &git, const ChangesRequest &request, QObject *context, GitDone<Changes> done, int deadlineMs)
{
    return new ChangesJob(git, request, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
