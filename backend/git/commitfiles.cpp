// makeCommit, recordCommit, settleIndex: a commit of named files without disturbing what else is staged. The three are
// apart because each is recorded before the next begins.
#include "backend/git/editjob.h"
#include "backend/git/gittrust.h"
#include "backend/git/refresolver.h"

#include <QFile>
#include <QSet>

#include <algorithm>

namespace foundry::backend {

namespace {

class MakeCommitJob final : public EditJob<MadeCommit> {
public:
    MakeCommitJob(const GitEnvironment &git, const CommitRequest &request, QObject *context, GitDone<MadeCommit> done, int deadlineMs)
        : EditJob(git, request.worktree, deadlineMs, context, std::move(done))
        , m_request(request)
    {
        for (const QString &path : request.paths.value_or(QStringList{}))
            m_named.append(pathToGit(path));
    }

private:
    void begin() override
    {
        if (m_request.message.trimmed().isEmpty())
            return fail(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("A commit needs a message."),
                QStringLiteral("Say in a line what it changes."), QStringLiteral("message")));
        if (m_request.paths && m_named.isEmpty())
            return fail(nothing());
        for (const QByteArray &path : std::as_const(m_named)) {
            if (const auto fits = checkWorkTreePath(path.endsWith('/') ? path.chopped(1) : path); !fits || path.isEmpty())
                return fail(fits ? nothingAt(path) : fits.error());
        }
        open(QStringLiteral("commit"), [this] {
            // Never a name that git made up from the machine's.
            const OwnPrograms own = ownPrograms(m_settings, m_commonDir, m_worktree);
            if (!own.version.isEmpty() && own.version == m_request.trusted) {
                m_guard = {};
                m_guard.settings.append(bigFileSetting());
                m_hooks = own.hooksPath;
            } else {
                m_made.untrusted = !own.version.isEmpty();
            }
            m_guard.settings.append({QStringLiteral("user.useConfigOnly"), QStringLiteral("true")});
            run({QStringLiteral("var"), QStringLiteral("GIT_COMMITTER_IDENT")}, [this](const GitOutput &) {
                run({QStringLiteral("var"), QStringLiteral("GIT_AUTHOR_IDENT")}, [this](const GitOutput &) { checkState(); });
            });
        });
    }

    // In the middle of these a commit of some files would lose what they are about.
    void checkState()
    {
        QStringList ask{QStringLiteral("rev-parse"), QStringLiteral("--path-format=absolute")};
        for (const char *name : {"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"})
            ask << QStringLiteral("--git-path") << QString::fromLatin1(name);
        run(ask, [this](const GitOutput &output) {
            for (const QString &path : output.line().split(QLatin1Char('\n'))) {
                if (QFileInfo::exists(path))
                    return fail(underWay());
            }
            resolve(QStringLiteral("HEAD"), [this](const QString &head) {
                m_made.parent = head;
                collect();
            });
        });
    }

    void collect()
    {
        const QString index = QStringLiteral("index");
        list({QStringLiteral("diff-index"), QStringLiteral("--cached"), m_made.parent}, index, [this, index](const RawList &staged) {
            m_staged = staged;
            list({QStringLiteral("diff-files")}, index, [this, index](const RawList &unstaged) {
                m_unstaged = unstaged;
                run(untrackedArguments(), [this](const GitOutput &output) {
                    m_untracked = parseNameList(output.out());
                    choose();
                }, index);
            });
        });
    }

    void choose()
    {
        QSet<QByteArray> met;
        QSet<QByteArray> wanted;
        QList<QByteArray> unmerged;
        const auto offer = [&](const QByteArray &path, bool inConflict) {
            bool take = !m_request.paths;
            for (const QByteArray &place : std::as_const(m_named)) {
                if (isAtOrBelow(path, place)) {
                    met.insert(place);
                    take = true;
                }
            }
            if (inConflict)
                unmerged.append(path); // a tree cannot be made beside one, named or not
            else if (take && !path.endsWith('/'))
                wanted.insert(path);
        };
        for (auto it = m_staged.cbegin(); it != m_staged.cend(); ++it)
            offer(it.key(), it->unmerged);
        for (auto it = m_unstaged.cbegin(); it != m_unstaged.cend(); ++it)
            offer(it.key(), it->unmerged);
        for (const QByteArray &path : std::as_const(m_untracked))
            offer(path, false);
        if (!unmerged.isEmpty())
            return failUnmerged(unmerged);
        for (const QByteArray &place : std::as_const(m_named)) {
            if (!met.contains(place))
                return fail(nothingAt(place));
        }
        if (wanted.isEmpty())
            return fail(nothing());
        // What is staged and not named goes back to HEAD's version in our index, and only there.
        QMap<QByteArray, TreeEntry> others;
        for (auto it = m_staged.cbegin(); it != m_staged.cend(); ++it) {
            if (!wanted.contains(it.key()))
                others.insert(it.key(), it->before);
        }
        const QString commit = QStringLiteral("commit");
        QList<QByteArray> paths(wanted.cbegin(), wanted.cend());
        std::sort(paths.begin(), paths.end());
        copyOwn(QStringLiteral("index"), commit, [=, this] {
            set(commit, others, [=, this] { take(commit, paths, [=, this] { hook({QStringLiteral("pre-commit")}, [=, this] { tree(commit, [this](const QString &made) { finishCommit(made); }); }); }); });
        });
    }

    // A trusted hook, on our index; it may add to it.
    void hook(const QStringList &what, Then then)
    {
        if (m_hooks.isEmpty())
            return then();
        GitCall call{m_worktree, QStringList{QStringLiteral("hook"), QStringLiteral("run"), QStringLiteral("--ignore-missing")} + what};
        call.environment = m_scratch->copyEnvironment(QStringLiteral("commit"));
        call.settings.append({QStringLiteral("core.hooksPath"), m_hooks});
        git(std::move(call), [this, what, then = std::move(then)](const GitOutput &output) {
            if (output.ok())
                return then();
            if (output.outcome.end != ChildEnd::Exited)
                return fail(output.error(m_doing));
            Error error = gitErrorOf(QLatin1StringView("hook_refused"), QStringLiteral("The repository's hook %1 refused the commit.").arg(what.first()),
                QString::fromUtf8(output.outcome.errorTail).right(2000));
            error.action = QStringLiteral("See what it said below, change the files or the message, and commit again.");
            fail(error);
        });
    }

    void finishCommit(const QString &treeId)
    {
        list({QStringLiteral("diff-tree"), m_made.parent, treeId}, {}, [this, treeId](const RawList &changes) {
            if (changes.isEmpty())
                return fail(nothing());
            m_made.files = changes.size();
            QString message = m_request.message.trimmed();
            message.remove(QLatin1Char('\0')).append(QLatin1Char('\n'));
            QFile file(m_scratch->path(QStringLiteral("message")));
            if (!file.open(QIODevice::WriteOnly) || file.write(message.toUtf8()) < 0 || !file.flush())
                return fail(gitErrorOf(QLatin1StringView("no_space"), QStringLiteral("The message could not be written.")));
            file.close();
            hook({QStringLiteral("commit-msg"), QStringLiteral("--"), file.fileName()}, [this, treeId, name = file.fileName()] { // it may change the message
                QFile kept(name);
                const QString said = kept.open(QIODevice::ReadOnly) ? QString::fromUtf8(kept.readAll()) : QString();
                commitTree(treeId, {m_made.parent}, said, {}, [this](const QString &commit) {
                    m_made.commit = commit;
                    answerWith(std::move(m_made));
                });
            });
        });
    }

    static Error nothing()
    {
        return gitErrorOf(QLatin1StringView("nothing_to_commit"), QStringLiteral("There is nothing to commit."));
    }
    static Error nothingAt(const QByteArray &path)
    {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is nothing to commit in “%1”.").arg(pathFromGit(path)),
            QStringLiteral("Look at the changes again."), QStringLiteral("paths"));
    }
    static Error underWay()
    {
        Error error = gitErrorOf(QLatin1StringView("conflict"), QStringLiteral("Could not commit: a merge, rebase or the like is under way in this work tree."));
        error.action = QStringLiteral("Let the agent finish or abort it, or do it in a terminal; then commit again.");
        return error;
    }

    CommitRequest m_request;
    QList<QByteArray> m_named;
    RawList m_staged;
    RawList m_unstaged;
    QList<QByteArray> m_untracked;
    QString m_hooks; // folder of the hooks that may run
    MadeCommit m_made;
};

class RecordCommitJob final : public EditJob<Unit> {
public:
    RecordCommitJob(const GitEnvironment &git, const QString &worktree, const MadeCommit &made, QObject *context, GitDone<Unit> done, int deadlineMs)
        : EditJob(git, worktree, deadlineMs, context, std::move(done))
        , m_made(made)
    {
    }

private:
    void begin() override
    {
        open(QStringLiteral("commit"), [this] {
            m_guard.settings.append({QStringLiteral("user.useConfigOnly"), QStringLiteral("true")}); // the branch's log names who
            resolve(m_made.commit, [this](const QString &) {
                resolve(QStringLiteral("HEAD"), [this](const QString &head) {
                    if (head == m_made.commit) // a run before this one came so far
                        return answerWith(Unit{});
                    if (head != m_made.parent)
                        return fail(moved());
                    run({QStringLiteral("log"), QStringLiteral("-1"), QStringLiteral("--format=%s"), m_made.commit}, [this](const GitOutput &subject) {
                        const QStringList move{QStringLiteral("update-ref"), QStringLiteral("--create-reflog"), QStringLiteral("-m"),
                            QStringLiteral("commit: ") + subject.line().left(200), QStringLiteral("HEAD"), m_made.commit, m_made.parent};
                        run(move, [this](const GitOutput &) { answerWith(Unit{}); });
                    });
                });
            });
        });
    }
    static Error moved()
    {
        Error error = gitErrorOf(QLatin1StringView("conflict"), QStringLiteral("Could not commit: the branch moved meanwhile."));
        error.action = QStringLiteral("Nothing was touched. Commit again.");
        return error;
    }

    MadeCommit m_made;
};

class SettleIndexJob final : public EditJob<Unit> {
public:
    SettleIndexJob(const GitEnvironment &git, const QString &worktree, const MadeCommit &made, QObject *context, GitDone<Unit> done, int deadlineMs)
        : EditJob(git, worktree, deadlineMs, context, std::move(done))
        , m_made(made)
    {
    }

private:
    void begin() override
    {
        open(QStringLiteral("note in the index what was committed"), [this] {
            resolve(QStringLiteral("HEAD"), [this](const QString &head) {
                if (head != m_made.commit) // somebody went on already: the index is theirs
                    return answerWith(Unit{});
                list({QStringLiteral("diff-tree"), m_made.parent, m_made.commit}, {}, [this](const RawList &changes) {
                    QMap<QByteArray, TreeEntry> entries;
                    for (auto it = changes.cbegin(); it != changes.cend(); ++it)
                        entries.insert(it.key(), it->after);
                    set({}, entries, [this] { refresh({}, [this] { answerWith(Unit{}); }); });
                });
            });
        });
    }

    MadeCommit m_made;
};

} // namespace

GitJob *makeCommit(const GitEnvironment &git, const CommitRequest &request, QObject *context, GitDone<MadeCommit> done, int deadlineMs)
{
    return new MakeCommitJob(git, request, context, std::move(done), deadlineMs);
}

GitJob *recordCommit(const GitEnvironment &git, const QString &worktree, const MadeCommit &made, QObject *context, GitDone<Unit> done, int deadlineMs)
{
    return new RecordCommitJob(git, worktree, made, context, std::move(done), deadlineMs);
}

GitJob *settleIndex(const GitEnvironment &git, const QString &worktree, const MadeCommit &made, QObject *context, GitDone<Unit> done, int deadlineMs)
{
    return new SettleIndexJob(git, worktree, made, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
