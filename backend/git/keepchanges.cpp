// keepForRevert: what is there, and what shall be, as trees under a ref.
#include "backend/git/editjob.h"
#include "backend/git/refresolver.h"

#include <QSet>

namespace foundry::backend {

namespace {

// The host's own commits are nobody's work: they need no identity and claim none.
QMap<QString, QString> keepIdentity()
{
    const QString name = QStringLiteral("Foundry Workbench");
    const QString mail = QStringLiteral("workbench@localhost");
    return {{QStringLiteral("GIT_AUTHOR_NAME"), name}, {QStringLiteral("GIT_AUTHOR_EMAIL"), mail}, {QStringLiteral("GIT_COMMITTER_NAME"), name},
        {QStringLiteral("GIT_COMMITTER_EMAIL"), mail}};
}

class KeepForRevertJob final : public EditJob<Kept> {
public:
    KeepForRevertJob(const GitEnvironment &git, const KeepRequest &request, QObject *context, GitDone<Kept> done, int deadlineMs)
        : EditJob(git, request.worktree, deadlineMs, context, std::move(done))
        , m_request(request)
    {
        for (const QString &path : request.paths)
            m_named.append(pathToGit(path));
    }

private:
    void begin() override
    {
        for (const QByteArray &path : std::as_const(m_named)) {
            if (const auto fits = checkWorkTreePath(path.endsWith('/') ? path.chopped(1) : path); !fits || path.isEmpty())
                return fail(fits ? nothingAt(path) : fits.error());
        }
        open(QStringLiteral("take the changes back"), [this] {
            resolve(QStringLiteral("HEAD"), [this](const QString &head) {
                m_head = head;
                collect();
            });
        });
    }

    void collect()
    {
        const QString index = QStringLiteral("index");
        list({QStringLiteral("diff-index"), QStringLiteral("--cached"), m_head}, index, [this, index](const RawList &staged) {
            m_staged = staged;
            list({QStringLiteral("diff-files")}, index, [this, index](const RawList &unstaged) {
                m_unstaged = unstaged;
                run(untrackedArguments(), [this](const GitOutput &output) {
                    m_untracked = parseNameList(output.out());
                    if (m_named.isEmpty() || !isPlausibleRevision(m_request.mergeBase) || m_request.mergeBase == m_head)
                        return choose();
                    list({QStringLiteral("diff-tree"), m_request.mergeBase, m_head}, {}, [this](const RawList &committed) {
                        m_committed = committed;
                        choose();
                    });
                }, index);
            });
        });
    }

    bool isWanted(const QByteArray &path)
    {
        if (m_named.isEmpty())
            return true;
        bool wanted = false;
        for (const QByteArray &place : std::as_const(m_named)) {
            if (isAtOrBelow(path, place)) {
                m_met.insert(place);
                wanted = true;
            }
        }
        return wanted;
    }

    // Every wanted path with what shall be there instead.
    void choose()
    {
        QList<QByteArray> unmerged;
        QSet<QByteArray> left;
        const auto offer = [&](QMap<QByteArray, TreeEntry> &into, const QByteArray &path, const TreeEntry &entry, bool untouchable) {
            if (!isWanted(path))
                return;
            if (untouchable)
                left.insert(path);
            else if (!into.contains(path))
                into.insert(path, entry);
        };
        for (auto it = m_staged.cbegin(); it != m_staged.cend(); ++it) {
            if (it->unmerged && isWanted(it.key()))
                unmerged.append(it.key());
            offer(m_uncommitted, it.key(), it->before, it->before.isSubmodule() || it->after.isSubmodule());
        }
        for (auto it = m_unstaged.cbegin(); it != m_unstaged.cend(); ++it) {
            if (it->unmerged && isWanted(it.key()))
                unmerged.append(it.key());
            // Staged as well: what HEAD has is known from there.
            offer(m_uncommitted, it.key(), it->before, it->before.isSubmodule() || it->after.isSubmodule());
        }
        for (const QByteArray &path : std::as_const(m_untracked))
            offer(m_uncommitted, path, {}, path.endsWith('/'));
        for (auto it = m_committed.cbegin(); it != m_committed.cend(); ++it) {
            if (!m_uncommitted.contains(it.key()) && !left.contains(it.key()))
                offer(m_reversed, it.key(), it->before, it->before.isSubmodule() || it->after.isSubmodule());
        }
        if (!unmerged.isEmpty())
            return failUnmerged(unmerged);
        for (const QByteArray &place : std::as_const(m_named)) {
            if (!m_met.contains(place))
                return fail(nothingAt(place));
        }
        for (const QByteArray &path : std::as_const(left)) {
            m_uncommitted.remove(path);
            m_kept.left.append(pathFromGit(path));
        }
        m_kept.left.sort();
        m_kept.files = m_uncommitted.size() + m_reversed.size();
        if (m_kept.files == 0)
            return fail(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                m_kept.left.isEmpty() ? QStringLiteral("There are no changes to take back.") : QStringLiteral("Submodules and repositories inside the work tree are left alone."),
                {}, QStringLiteral("paths")));
        build();
    }

    void build()
    {
        const QString index = QStringLiteral("index");
        const QString work = QStringLiteral("work");
        const QString target = QStringLiteral("target");
        const QString staged = QStringLiteral("staged");
        tree(index, [=, this](const QString &indexTree) {
            m_indexTree = indexTree;
            copyOwn(index, work, [=, this] {
                take(work, m_uncommitted.keys(), [=, this] {
                    tree(work, [=, this](const QString &workTree) {
                        m_workTree = workTree;
                        copyOwn(work, target, [=, this] {
                            QMap<QByteArray, TreeEntry> all = m_uncommitted;
                            all.insert(m_reversed);
                            set(target, all, [=, this] {
                                tree(target, [=, this](const QString &targetTree) {
                                    m_targetTree = targetTree;
                                    copyOwn(index, staged, [=, this] {
                                        set(staged, m_uncommitted, [=, this] {
                                            tree(staged, [this](const QString &stagedTree) { commits(stagedTree); });
                                        });
                                    });
                                });
                            });
                        });
                    });
                });
            });
        });
    }

    void commits(const QString &stagedTree)
    {
        const auto as = keepIdentity();
        commitTree(m_indexTree, {m_head}, QStringLiteral("The index before changes were taken back\n"), as, [=, this](const QString &indexCommit) {
            commitTree(m_workTree, {m_head, indexCommit}, QStringLiteral("The work tree before changes were taken back\n"), as, [=, this](const QString &workCommit) {
                commitTree(stagedTree, {m_head}, QStringLiteral("The index afterwards\n"), as, [=, this](const QString &stagedCommit) {
                    commitTree(m_targetTree, {workCommit, stagedCommit}, QStringLiteral("Changes taken back\n"), as, [this](const QString &commit) {
                        m_kept.commit = commit;
                        run({QStringLiteral("update-ref"), m_request.ref, commit}, [this](const GitOutput &) { answerWith(std::move(m_kept)); });
                    });
                });
            });
        });
    }

    static Error nothingAt(const QByteArray &path)
    {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is no change in “%1”.").arg(pathFromGit(path)),
            QStringLiteral("Look at the changes again."), QStringLiteral("paths"));
    }

    KeepRequest m_request;
    QList<QByteArray> m_named;
    QSet<QByteArray> m_met;
    QString m_head;
    RawList m_staged;
    RawList m_unstaged;
    RawList m_committed;
    QList<QByteArray> m_untracked;
    QMap<QByteArray, TreeEntry> m_uncommitted; // path → HEAD's entry
    QMap<QByteArray, TreeEntry> m_reversed;    // path → the merge base's
    QString m_indexTree;
    QString m_workTree;
    QString m_targetTree;
    Kept m_kept;
};

class ForgetKeptJob final : public TypedGitJob<Unit> {
public:
    ForgetKeptJob(const GitEnvironment &git, const QString &worktree, const QString &prefix, Millis olderThan, QObject *context, GitDone<Unit> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_worktree(worktree)
        , m_prefix(prefix)
        , m_olderThan(olderThan)
    {
    }

private:
    void begin() override
    {
        const QString doing = QStringLiteral("forget what was kept");
        if (!m_prefix.startsWith(QLatin1StringView("refs/foundry/")) || !m_prefix.endsWith(QLatin1Char('/')))
            return fail(gitErrorOf(QLatin1StringView("invalid_name"), QStringLiteral("Only the host's own refs are forgotten.")));
        const QStringList ask{QStringLiteral("for-each-ref"), QStringLiteral("--format=%(committerdate:unix) %(objectname) %(refname)"), m_prefix.chopped(1)};
        gitOk(doing, {m_worktree, ask}, [this, doing](const GitOutput &output) {
            QByteArray input;
            for (const QByteArray &line : output.out().split('\n')) {
                const QList<QByteArray> words = line.split(' ');
                if (words.size() == 3 && words.at(0).toLongLong() * 1000 < m_olderThan)
                    input += "delete " + words.at(2) + ' ' + words.at(1) + '\n';
            }
            if (input.isEmpty())
                return answerWith(Unit{});
            GitCall remove{m_worktree, {QStringLiteral("update-ref"), QStringLiteral("--stdin")}};
            remove.input = input;
            gitOk(doing, std::move(remove), [this](const GitOutput &) { answerWith(Unit{}); });
        });
    }

    QString m_worktree;
    QString m_prefix;
    Millis m_olderThan;
};

} // namespace

GitJob *keepForRevert(const GitEnvironment &git, const KeepRequest &request, QObject *context, GitDone<Kept> done, int deadlineMs)
{
    return new KeepForRevertJob(git, request, context, std::move(done), deadlineMs);
}

GitJob *forgetKept(const GitEnvironment &git, const QString &worktree, const QString &prefix, Millis olderThan, QObject *context, GitDone<Unit> done, int deadlineMs)
{
    return new ForgetKeptJob(git, worktree, prefix, olderThan, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
