// saveWork: the index as it is, then everything as a second tree, each as a commit; then the ref.
#include "backend/git/savedwork.h"

#include "backend/git/gitpath.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/scratchindex.h"
#include "backend/git/worktreelist.h"

#include <QFileInfo>
#include <QStorageInfo>

#include <algorithm>

namespace foundry::backend {

namespace {

constexpr qint64 savedworkFullBelow = 1 << 20;
constexpr QLatin1StringView savedworkPreparing("Foundry Workbench is preparing");

// Content goes in as it lies there, whatever the repository wants to be done to line ends.
QList<GitSetting> savedworkSettings()
{
    return {{QStringLiteral("core.autocrlf"), QStringLiteral("false")}, {QStringLiteral("core.safecrlf"), QStringLiteral("false")},
        {QStringLiteral("core.sparseCheckout"), QStringLiteral("false")}, {QStringLiteral("add.ignoreErrors"), QStringLiteral("false")},
        {QStringLiteral("commit.gpgSign"), QStringLiteral("false")}, {QStringLiteral("advice.addEmbeddedRepo"), QStringLiteral("false")}};
}

QMap<QString, QString> savedworkIdentity()
{
    const QString name = QStringLiteral("Foundry Workbench");
    const QString mail = QStringLiteral("workbench@localhost");
    return {{QStringLiteral("GIT_AUTHOR_NAME"), name}, {QStringLiteral("GIT_AUTHOR_EMAIL"), mail}, {QStringLiteral("GIT_COMMITTER_NAME"), name},
        {QStringLiteral("GIT_COMMITTER_EMAIL"), mail}};
}

class SaveWorkJob final : public TypedGitJob<SavedWork> {
public:
    SaveWorkJob(const GitEnvironment &git, const SaveWorkRequest &request, QObject *context, GitDone<SavedWork> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_request(request)
    {
    }

private:
    void begin() override
    {
        if (!QFileInfo(m_request.repository).isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("There is no folder “%1” any more.").arg(m_request.repository)));
        const QFileInfo place(m_request.worktree);
        if (place.isSymLink())
            return fail(makeError(QLatin1StringView("git"), QLatin1StringView("moved"),
                QStringLiteral("The work tree “%1” was replaced by a link to “%2”. Nothing is read or removed there.").arg(m_request.worktree, place.symLinkTarget()),
                QStringLiteral("Put the folder back in its place, or remove the link, then try again.")));
        report(0, QStringLiteral("Looking at the work tree"));
        // The tip first: it is part of what must not be lost, also when the work tree is gone.
        git({m_request.repository, {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), QStringLiteral("refs/heads/") + m_request.branch + QStringLiteral("^{commit}")}},
            [this, there = place.exists()](const GitOutput &output) {
                if (output.outcome.end != ChildEnd::Exited)
                    return fail(output.error(doing()));
                if (output.ok())
                    m_saved.branchTip = output.line();
                else if (output.exitCode() != 1) // 1: no such branch
                    return fail(output.error(doing()));
                if (there)
                    findWorktree();
                else
                    keepEarlier();
            });
    }

    void findWorktree()
    {
        gitOk(doing(), {m_request.repository, worktreeListArguments()}, [this](const GitOutput &output) {
            const QList<WorktreeEntry> entries = parseWorktreeList(output.out());
            m_worktree = resolvedPath(m_request.worktree);
            const auto here = std::find_if(entries.begin(), entries.end(), [this](const WorktreeEntry &entry) { return entry.path == m_worktree; });
            if (here == entries.end() || here == entries.begin())
                return fail(makeError(QLatin1StringView("git"), QLatin1StringView("not_a_worktree"),
                    QStringLiteral("“%1” is not a work tree of this repository any more.").arg(m_worktree),
                    QStringLiteral("Move what you need out of it and remove the folder, then try again.")));
            if (here->isLocked && here->lockReason.startsWith(savedworkPreparing)) {
                // Half made and never handed out: nobody has worked there.
                return keepEarlier();
            }
            if (here->isLocked)
                return fail(makeError(QLatin1StringView("git"), QLatin1StringView("locked"),
                    here->lockReason.isEmpty() ? QStringLiteral("The work tree “%1” is locked.").arg(m_worktree)
                                               : QStringLiteral("The work tree “%1” is locked: %2").arg(m_worktree, here->lockReason),
                    QStringLiteral("Unlock it with “git worktree unlock”, then try again.")));
            loadGuard(m_worktree, [this](const QList<ScopedSetting> &) { readHead(); });
        });
    }

    void readHead()
    {
        gitOk(doing(), {m_worktree, {QStringLiteral("rev-parse"), QStringLiteral("--path-format=absolute"), QStringLiteral("--git-path"), QStringLiteral("index"), QStringLiteral("HEAD^{commit}"), QStringLiteral("HEAD^{tree}")}},
            [this](const GitOutput &output) {
                const QList<QByteArray> lines = output.out().split('\n');
                if (lines.size() < 3)
                    return fail(gitErrorOf(QLatin1StringView("damaged"), QStringLiteral("Git did not say where the work tree stands.")));
                m_saved.head = QString::fromLatin1(lines[1]);
                m_headTree = QString::fromLatin1(lines[2]);
                auto scratch = ScratchIndex::make(m_git.scratchDir);
                if (!scratch)
                    return fail(scratch.error());
                m_scratch = *scratch;
                if (auto copied = m_scratch->copyIndex(QFile::decodeName(lines[0])); !copied)
                    return fail(copied.error());
                git({m_worktree, {QStringLiteral("symbolic-ref"), QStringLiteral("-q"), QStringLiteral("HEAD")}}, [this](const GitOutput &named) {
                    if (named.ok())
                        m_saved.headBranch = named.line().mid(11);
                    writeIndexTree();
                });
            });
    }

    GitCall call(const QStringList &arguments)
    {
        GitCall made{m_worktree, arguments, savedworkSettings(), m_scratch->copyEnvironment()};
        made.environment.insert(savedworkIdentity());
        made.deadlineMs = remainingMs();
        return made;
    }

    void writeIndexTree()
    {
        // Fails while files are in conflict: then only the files themselves are kept.
        git(call({QStringLiteral("write-tree")}), [this](const GitOutput &output) {
            if (output.ok())
                m_indexTree = output.line();
            else if (output.outcome.end != ChildEnd::Exited)
                return fail(output.error(doing()));
            report(0.1, QStringLiteral("Saving the files"));
            // Files that the user marked as “assume unchanged” are work too.
            gitOk(doing(), call({QStringLiteral("ls-files"), QStringLiteral("-v"), QStringLiteral("-z")}), [this](const GitOutput &listed) {
                QByteArray hidden;
                for (const QByteArray &entry : listed.out().split('\0')) {
                    if (entry.size() > 2 && entry.at(0) >= 'a' && entry.at(0) <= 'z')
                        hidden += entry.mid(2) + '\0';
                }
                if (hidden.isEmpty())
                    return addAll();
                GitCall show = call({QStringLiteral("update-index"), QStringLiteral("--no-assume-unchanged"), QStringLiteral("-z"), QStringLiteral("--stdin")});
                show.input = hidden;
                gitOk(doing(), std::move(show), [this](const GitOutput &) { addAll(); });
            });
        });
    }

    void addAll()
    {
        gitOk(doing(), call({QStringLiteral("add"), QStringLiteral("-A"), QStringLiteral("--"), QStringLiteral(".")}), [this](const GitOutput &) {
            gitOk(doing(), call({QStringLiteral("ls-files"), QStringLiteral("-s"), QStringLiteral("-z")}), [this](const GitOutput &output) {
                for (const QByteArray &entry : output.out().split('\0')) {
                    const qsizetype tab = entry.indexOf('\t');
                    if (entry.startsWith("160000 ") && tab > 0) {
                        const QString inner = m_worktree + QLatin1Char('/') + QFile::decodeName(entry.mid(tab + 1));
                        if (QFileInfo::exists(inner + QStringLiteral("/.git")))
                            m_inner.append(inner);
                    }
                }
                m_outerGuard = m_guard;
                checkInner();
            });
        });
    }

    // A repository inside is kept by name only: it must have nothing that is nowhere else.
    void checkInner()
    {
        if (m_inner.isEmpty()) {
            m_guard = m_outerGuard;
            return writeWorkTree();
        }
        const QString inner = m_inner.takeFirst();
        const auto refuse = [this, inner] {
            fail(makeError(QLatin1StringView("git"), QLatin1StringView("nested"),
                QStringLiteral("The repository “%1” inside the work tree has work that is nowhere else, and it cannot be kept with the task.").arg(inner),
                QStringLiteral("Commit and push it, or move it out, then try again.")));
        };
        m_guard = m_outerGuard;
        loadGuard(inner, [this, inner, refuse](const QList<ScopedSetting> &) {
            gitOk(doing(), {inner, {QStringLiteral("status"), QStringLiteral("--porcelain=v1"), QStringLiteral("-z"), QStringLiteral("--untracked-files=all")}}, [this, inner, refuse](const GitOutput &status) {
                if (!status.out().isEmpty())
                    return refuse();
                git({inner, {QStringLiteral("rev-list"), QStringLiteral("--max-count=1"), QStringLiteral("HEAD"), QStringLiteral("--branches"), QStringLiteral("--tags"), QStringLiteral("--not"), QStringLiteral("--remotes")}},
                    [this, refuse](const GitOutput &own) {
                        if (!own.ok() || !own.out().isEmpty())
                            return refuse();
                        checkInner();
                    });
            });
        });
    }

    void writeWorkTree()
    {
        report(0.6, QStringLiteral("Saving the files"));
        gitOk(doing(), call({QStringLiteral("write-tree")}), [this](const GitOutput &output) {
            m_workTree = output.line();
            const bool clean = m_workTree == m_headTree && (m_indexTree.isEmpty() || m_indexTree == m_headTree);
            if (clean) {
                m_saved.kept = m_saved.head;
                if (!m_request.always && m_saved.head == m_saved.branchTip) {
                    m_saved.kept.clear();
                    return answerWith(m_saved);
                }
                return joinTip();
            }
            count();
        });
    }

    void count()
    {
        const QString from = m_indexTree.isEmpty() ? m_headTree : m_indexTree;
        gitOk(doing(), call({QStringLiteral("diff-tree"), QStringLiteral("-r"), QStringLiteral("-z"), QStringLiteral("--name-only"), QStringLiteral("--no-renames"), m_headTree, m_workTree}), [this, from](const GitOutput &all) {
            m_saved.uncommitted = all.out().count('\0');
            gitOk(doing(), call({QStringLiteral("diff-tree"), QStringLiteral("-r"), QStringLiteral("-z"), QStringLiteral("--name-only"), QStringLiteral("--no-renames"), QStringLiteral("--diff-filter=A"), from, m_workTree}), [this](const GitOutput &added) {
                m_saved.untracked = added.out().count('\0');
                m_saved.uncommitted = qMax<qint64>(0, m_saved.uncommitted - m_saved.untracked);
                commitIndex();
            });
        });
    }

    void commitIndex()
    {
        if (m_indexTree.isEmpty() || m_indexTree == m_headTree)
            return commitWork();
        commit(m_indexTree, {m_saved.head}, QStringLiteral("Staged in a task's work tree"), [this](const QString &made) {
            m_saved.index = made;
            commitWork();
        });
    }

    void commitWork()
    {
        QStringList parents{m_saved.head};
        if (!m_saved.index.isEmpty())
            parents.append(m_saved.index);
        commit(m_workTree, parents, QStringLiteral("Uncommitted work of a task"), [this](const QString &made) {
            m_saved.commit = made;
            m_saved.kept = made;
            joinTip();
        });
    }

    // The ref reaches the branch too, also when the work tree stood elsewhere.
    void joinTip()
    {
        if (m_saved.branchTip.isEmpty() || m_saved.branchTip == m_saved.head || m_saved.branchTip == m_saved.kept)
            return writeRef();
        commit(m_saved.kept + QStringLiteral("^{tree}"), {m_saved.kept, m_saved.branchTip}, QStringLiteral("Uncommitted work and branch of a task"), [this](const QString &made) {
            m_saved.kept = made;
            writeRef();
        });
    }

    void commit(const QString &tree, const QStringList &parents, const QString &message, const std::function<void(const QString &)> &next)
    {
        QStringList arguments{QStringLiteral("commit-tree"), tree};
        for (const QString &parent : parents)
            arguments << QStringLiteral("-p") << parent;
        GitCall made{m_request.repository, arguments, savedworkSettings(), savedworkIdentity(), message.toUtf8() + '\n'};
        gitOk(doing(), std::move(made), [next](const GitOutput &output) { next(output.line()); });
    }

    void writeRef()
    {
        report(0.9, QStringLiteral("Saving the files"));
        gitOk(doing(), {m_request.repository, {QStringLiteral("update-ref"), QStringLiteral("-m"), QStringLiteral("foundry: kept"), m_request.ref, m_saved.kept}}, [this](const GitOutput &) { answerWith(m_saved); });
    }

    // The work tree is not there: what an earlier call kept stays, with the branch as it is now.
    void keepEarlier()
    {
        git({m_request.repository, {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), m_request.ref + QStringLiteral("^{commit}")}}, [this](const GitOutput &output) {
            if (output.outcome.end != ChildEnd::Exited)
                return fail(output.error(doing()));
            const QString tip = m_saved.branchTip;
            if (!output.ok()) {
                if (!m_request.always || tip.isEmpty())
                    return answerWith(m_saved);
                m_saved.kept = tip;
                return writeRef();
            }
            m_saved.kept = output.line();
            if (tip.isEmpty())
                return answerWith(m_saved);
            git({m_request.repository, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), tip, m_saved.kept}}, [this](const GitOutput &inside) {
                if (inside.ok())
                    return answerWith(m_saved);
                joinTip();
            });
        });
    }

    void tidyUp(const Error &error) override
    {
        Error told = error;
        // Git says little about a full disk; objects it began are swept away by its own housekeeping.
        if (told.code == QLatin1StringView("failed")
            && (QStorageInfo(m_request.repository).bytesAvailable() < savedworkFullBelow
                || (!m_git.scratchDir.isEmpty() && QStorageInfo(m_git.scratchDir).bytesAvailable() < savedworkFullBelow)))
            told = gitErrorOf(QLatin1StringView("no_space"), QStringLiteral("Could not %1. There is no space left on the disk.").arg(doing()), error.detail);
        finish(told);
    }

    static QString doing() { return QStringLiteral("save the uncommitted work"); }

    SaveWorkRequest m_request;
    SavedWork m_saved;
    QString m_worktree;
    QString m_headTree;
    QString m_indexTree;
    QString m_workTree;
    QStringList m_inner;
    GitGuard m_outerGuard;
    std::shared_ptr<ScratchIndex> m_scratch;
};

} // namespace

GitJob *saveWork(const GitEnvironment &git, const SaveWorkRequest &request, QObject *context, GitDone<SavedWork> done, int deadlineMs)
{
    return new SaveWorkJob(git, request, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
