// applyKept: from one kept state of some files to another, by git's own merge of two trees, which writes no file that is
// other than it expects and never leaves the work tree.
#include "backend/git/editjob.h"
#include "backend/git/refresolver.h"

#include <QSet>

#include <algorithm>
#include <sys/stat.h>

namespace foundry::backend {

namespace {

class ApplyKeptJob final : public EditJob<AppliedKept> {
public:
    ApplyKeptJob(const GitEnvironment &git, const ApplyKeptRequest &request, QObject *context, GitDone<AppliedKept> done, int deadlineMs)
        : EditJob(git, request.worktree, deadlineMs, context, std::move(done))
        , m_request(request)
    {
    }

private:
    void begin() override
    {
        if (!isPlausibleRevision(m_request.commit))
            return fail(gitErrorOf(QLatin1StringView("missing_ref"), QStringLiteral("There is nothing kept under “%1”.").arg(m_request.commit)));
        open(m_request.undo ? QStringLiteral("bring the changes back") : QStringLiteral("take the changes back"), [this] {
            const QString kept = m_request.commit;
            const QString work = kept + QStringLiteral("^1");
            const QString index = kept + QStringLiteral("^1^2");
            const QString staged = kept + QStringLiteral("^2");
            resolve(index, [=, this](const QString &) { // the deepest one: then all are there
                between(m_request.undo ? kept : work, m_request.undo ? work : kept, [=, this](const RawList &files) {
                    m_files = files;
                    for (const QString &path : std::as_const(m_request.skip))
                        m_files.remove(pathToGit(path));
                    between(m_request.undo ? staged : index, m_request.undo ? index : staged, [this](const RawList &entries) {
                        m_entries = entries;
                        for (const QString &path : std::as_const(m_request.skip))
                            m_entries.remove(pathToGit(path));
                        compareBefore();
                    });
                });
            });
        });
    }

    void between(const QString &from, const QString &to, std::function<void(RawList)> then)
    {
        list({QStringLiteral("diff-tree"), from, to}, {}, std::move(then));
    }

    static QMap<QByteArray, TreeEntry> side(const RawList &changes, bool after)
    {
        QMap<QByteArray, TreeEntry> entries;
        for (auto it = changes.cbegin(); it != changes.cend(); ++it)
            entries.insert(it.key(), after ? it->after : it->before);
        return entries;
    }

    // A folder in its place is told by the files in it.
    bool isOnDisk(const QByteArray &path) const
    {
        struct stat found = {};
        return ::lstat(QByteArray(m_worktree.toUtf8() + '/' + path).constData(), &found) == 0 && !S_ISDIR(found.st_mode);
    }

    // Which of the files are other than `entries` says.
    void other(const QString &index, const QMap<QByteArray, TreeEntry> &entries, std::function<void(QSet<QByteArray>)> then)
    {
        copyOwn(QStringLiteral("index"), index, [=, this] {
            set(index, entries, [=, this] {
                refresh(index, [=, this] {
                    run(changedNamesArguments(), [=, this](const GitOutput &output) {
                        QSet<QByteArray> differ;
                        for (const QByteArray &name : parseNameList(output.out())) {
                            if (entries.contains(name))
                                differ.insert(name);
                        }
                        for (auto it = entries.cbegin(); it != entries.cend(); ++it) {
                            if (!it->isThere() && isOnDisk(it.key()))
                                differ.insert(it.key());
                        }
                        then(differ);
                    }, index);
                });
            });
        });
    }

    void compareBefore()
    {
        other(QStringLiteral("before"), side(m_files, false), [this](const QSet<QByteArray> &changed) {
            if (changed.isEmpty())
                return compareIndex({}, {});
            other(QStringLiteral("after"), side(m_files, true), [this, changed](const QSet<QByteArray> &notThere) {
                QSet<QByteArray> done;
                QSet<QByteArray> conflicts;
                for (const QByteArray &path : changed)
                    (notThere.contains(path) ? conflicts : done).insert(path);
                compareIndex(done, conflicts);
            });
        });
    }

    void compareIndex(const QSet<QByteArray> &done, const QSet<QByteArray> &conflicts)
    {
        if (!conflicts.isEmpty() && (m_request.undo || conflicts.size() == m_files.size()))
            return failChanged(conflicts);
        QList<QByteArray> names(conflicts.cbegin(), conflicts.cend());
        std::sort(names.begin(), names.end());
        m_applied.conflicts = shown(names);
        m_applied.files = m_files.size() - conflicts.size();
        m_conflicts = conflicts;
        QMap<QByteArray, TreeEntry> from;
        QMap<QByteArray, TreeEntry> to;
        for (auto it = m_files.cbegin(); it != m_files.cend(); ++it) {
            if (done.contains(it.key()) || conflicts.contains(it.key()))
                continue;
            from.insert(it.key(), it->before);
            to.insert(it.key(), it->after);
        }
        if (from.isEmpty())
            return writeIndex();
        merge(from, to);
    }

    void merge(const QMap<QByteArray, TreeEntry> &from, const QMap<QByteArray, TreeEntry> &to)
    {
        const QString a = QStringLiteral("from");
        const QString b = QStringLiteral("to");
        copyOwn(QStringLiteral("index"), a, [=, this] {
            set(a, from, [=, this] {
                refresh(a, [=, this] {
                    tree(a, [=, this](const QString &fromTree) {
                        copyOwn(a, b, [=, this] {
                            set(b, to, [=, this] {
                                tree(b, [=, this](const QString &toTree) {
                                    const QStringList merge{QStringLiteral("read-tree"), QStringLiteral("-m"), QStringLiteral("-u"), QStringLiteral("--no-recurse-submodules"), fromTree, toTree};
                                    run(merge, [this](const GitOutput &) { writeIndex(); }, a);
                                });
                            });
                        });
                    });
                });
            });
        });
    }

    // Entries that somebody staged anew meanwhile are theirs.
    void writeIndex()
    {
        QMap<QByteArray, TreeEntry> entries = side(m_entries, true);
        if (entries.isEmpty())
            return answerWith(std::move(m_applied));
        const QString before = m_request.commit + (m_request.undo ? QStringLiteral("^2") : QStringLiteral("^1^2"));
        list({QStringLiteral("diff-index"), QStringLiteral("--cached"), before}, QStringLiteral("index"), [this, entries](const RawList &now) mutable {
            for (auto it = now.cbegin(); it != now.cend(); ++it)
                entries.remove(it.key());
            for (const QByteArray &path : std::as_const(m_conflicts))
                entries.remove(path);
            set({}, entries, [this] { refresh({}, [this] { answerWith(std::move(m_applied)); }); });
        });
    }

    void failChanged(const QSet<QByteArray> &conflicts)
    {
        QList<QByteArray> names(conflicts.cbegin(), conflicts.cend());
        std::sort(names.begin(), names.end());
        Error error = gitErrorOf(QLatin1StringView("conflict"),
            QStringLiteral("Could not %1: %2 changed meanwhile.").arg(m_doing, names.size() == 1 ? QStringLiteral("“%1”").arg(pathFromGit(names.first())) : QStringLiteral("%1 files").arg(names.size())),
            shown(names).join(QLatin1Char('\n')));
        error.action = m_request.undo ? QStringLiteral("Nothing was touched. What was taken back is kept: commit or revert the new changes of these files, then undo again.")
                                      : QStringLiteral("Nothing was touched. Look at the changes again.");
        fail(error);
    }

    ApplyKeptRequest m_request;
    RawList m_files;   // what shall happen to files
    RawList m_entries; // … to index entries
    QSet<QByteArray> m_conflicts;
    AppliedKept m_applied;
};

} // namespace

GitJob *applyKept(const GitEnvironment &git, const ApplyKeptRequest &request, QObject *context, GitDone<AppliedKept> done, int deadlineMs)
{
    return new ApplyKeptJob(git, request, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
