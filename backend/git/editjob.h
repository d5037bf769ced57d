// What the operations of workedits.h share: index files of their own that begin as copies of the work tree's, the lists
// of what differs, trees and commits made of them. For the operations' own files.
#pragma once

#include "backend/git/diffarguments.h"
#include "backend/git/difflist.h"
#include "backend/git/gitpath.h"
#include "backend/git/gittypedjob.h"
#include "backend/git/rawlist.h"
#include "backend/git/scratchindex.h"
#include "backend/git/workedits.h"

#include <QFileInfo>

namespace foundry::backend {

template <class T>
class EditJob : public TypedGitJob<T> {
protected:
    using Next = GitJob::Next;
    using Then = std::function<void()>;
    using Line = std::function<void(const QString &)>;

    EditJob(const GitEnvironment &git, const QString &worktree, int deadlineMs, QObject *context, GitDone<T> done)
        : TypedGitJob<T>(git, deadlineMs, context, std::move(done))
        , m_worktree(worktree)
    {
    }

    // Guard, and the copy "index" with the times of its files looked up anew.
    void open(const QString &doing, Then then)
    {
        m_doing = doing;
        if (!QFileInfo(m_worktree).isDir())
            return this->fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("The work tree “%1” is gone.").arg(m_worktree)));
        this->loadGuard(m_worktree, [this, then = std::move(then)](const QList<ScopedSetting> &settings) {
            m_settings = settings;
            this->m_guard.settings.append(bigFileSetting());
            run({QStringLiteral("rev-parse"), QStringLiteral("--show-object-format"), QStringLiteral("--path-format=absolute"), QStringLiteral("--git-common-dir"), QStringLiteral("--git-path"), QStringLiteral("index")}, [this, then](const GitOutput &output) {
                m_idLength = output.line().startsWith(QLatin1StringView("sha256")) ? 64 : 40;
                m_commonDir = output.line().section(QLatin1Char('\n'), 1, 1);
                m_realIndex = output.line().section(QLatin1Char('\n'), 2);
                const auto scratch = ScratchIndex::make(this->m_git.scratchDir);
                if (!scratch)
                    return this->fail(scratch.error());
                m_scratch = *scratch;
                copy(m_realIndex, QStringLiteral("index"), [this, then] { refresh(QStringLiteral("index"), then); });
            });
        });
    }

    void copy(const QString &from, const QString &to, const Then &then)
    {
        if (const auto copied = m_scratch->copyIndex(from, to); !copied)
            return this->fail(copied.error());
        then();
    }
    void copyOwn(const QString &from, const QString &to, const Then &then) { copy(m_scratch->path(from), to, then); }

    // A run that has to end well; `index`: which of ours, empty for the work tree's.
    void run(const QStringList &arguments, Next next, const QString &index = {}, const QByteArray &input = {})
    {
        this->gitOk(m_doing, call(arguments, index, input), std::move(next));
    }
    void refresh(const QString &index, Then then)
    {
        this->git(call(refreshArguments(), index, {}), [this, then = std::move(then)](const GitOutput &output) {
            if (output.outcome.end != ChildEnd::Exited) // another code: some files differ
                return this->fail(output.error(m_doing));
            then();
        });
    }
    void list(const QStringList &arguments, const QString &index, std::function<void(RawList)> then)
    {
        QStringList all = arguments;
        if (all.first() == QLatin1StringView("diff-tree"))
            all.insert(1, QStringLiteral("-r"));
        run(all.mid(0, 1) + rawListArguments() + all.mid(1), [then = std::move(then)](const GitOutput &output) { then(parseRawList(output.out())); }, index);
    }
    void set(const QString &index, const QMap<QByteArray, TreeEntry> &entries, Then then)
    {
        if (entries.isEmpty())
            return then();
        run({QStringLiteral("update-index"), QStringLiteral("--replace"), QStringLiteral("-z"), QStringLiteral("--index-info")},
            [then = std::move(then)](const GitOutput &) { then(); }, index, indexInfo(entries, m_idLength));
    }
    // As the files lie in the work tree; writes their objects.
    void take(const QString &index, const QList<QByteArray> &paths, Then then)
    {
        if (paths.isEmpty())
            return then();
        run({QStringLiteral("update-index"), QStringLiteral("--add"), QStringLiteral("--remove"), QStringLiteral("--replace"), QStringLiteral("-z"), QStringLiteral("--stdin")},
            [then = std::move(then)](const GitOutput &) { then(); }, index, nameInput(paths));
    }
    void tree(const QString &index, Line then)
    {
        run({QStringLiteral("write-tree")}, [then = std::move(then)](const GitOutput &output) { then(output.line()); }, index);
    }
    void commitTree(const QString &treeId, const QStringList &parents, const QString &message, const QMap<QString, QString> &as, Line then)
    {
        QStringList arguments{QStringLiteral("commit-tree"), QStringLiteral("--no-gpg-sign"), treeId};
        for (const QString &parent : parents)
            arguments << QStringLiteral("-p") << parent;
        arguments << QStringLiteral("-F") << QStringLiteral("-");
        GitCall made = call(arguments, {}, message.toUtf8());
        made.environment.insert(as);
        this->gitOk(m_doing, std::move(made), [then = std::move(then)](const GitOutput &output) { then(output.line()); });
    }
    // The commit that a revision names, or an error.
    void resolve(const QString &revision, Line then)
    {
        this->git(call({QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), revision + QStringLiteral("^{commit}")}, {}, {}),
            [this, revision, then = std::move(then)](const GitOutput &output) {
                if (output.ok())
                    return then(output.line());
                this->fail(output.outcome.end == ChildEnd::Exited
                        ? gitErrorOf(QLatin1StringView("missing_ref"), QStringLiteral("Could not %1. The commit %2 is not there any more.").arg(m_doing, revision))
                        : output.error(m_doing));
            });
    }
    static QStringList shown(const QList<QByteArray> &paths)
    {
        QStringList names;
        for (const QByteArray &path : paths)
            names.append(pathFromGit(path));
        return names;
    }
    void failUnmerged(const QList<QByteArray> &paths)
    {
        this->fail(gitErrorOf(QLatin1StringView("conflict"), QStringLiteral("Could not %1. Files are in conflict, or a merge is not finished.").arg(m_doing),
            shown(paths).join(QLatin1Char('\n'))));
    }

    QString m_worktree;
    QString m_doing;
    QList<ScopedSetting> m_settings;
    QString m_commonDir;
    QString m_realIndex;
    qsizetype m_idLength = 40;
    std::shared_ptr<ScratchIndex> m_scratch;

private:
    GitCall call(const QStringList &arguments, const QString &index, const QByteArray &input)
    {
        GitCall made{m_worktree, arguments};
        if (!index.isEmpty())
            made.environment = m_scratch->copyEnvironment(index);
        made.input = input;
        return made;
    }
};

} // namespace foundry::backend
