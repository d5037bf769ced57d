// Says when files of a work tree, or what git keeps about it (HEAD, index, its branch), are written by anybody. Watches
// folders, at most so many; what it cannot watch it leaves out, so whoever listens has other reasons to look as well.
// One thread with an event loop.
#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QSocketNotifier>
#include <QTimer>

#include <memory>

namespace foundry::backend {

class WorkTreeWatcher : public QObject {
    Q_OBJECT
public:
    explicit WorkTreeWatcher(QObject *parent = nullptr, qsizetype mostFolders = 4096);
    ~WorkTreeWatcher() override;

    // Watches these folders (relative, the root is the empty one; the first ones when there are too many) and no others.
    // Returns how many are watched anew: something may have happened in them before.
    qsizetype watch(const QString &worktree, const QList<QByteArray> &folders);
    void stop();
    bool isWatching() const { return m_fd >= 0; }
    bool isWatching(const QByteArray &folder) const { return m_byFolder.contains(folder); }
    qsizetype count() const { return m_byFolder.size(); }

Q_SIGNALS:
    // Some time after the first of several changes: the folders whose files changed; none when only git's own did.
    void touched(const QList<QByteArray> &folders);

private:
    void watchGit();
    void addNew(const QByteArray &folder, int depth);
    void add(const QByteArray &path, const QByteArray &folder);
    void read();
    void note(const QByteArray *folder);

    const qsizetype m_most;
    QByteArray m_root;
    int m_fd = -1;
    bool m_full = false; // the system gives no more
    std::unique_ptr<QSocketNotifier> m_notifier;
    QTimer m_gather;
    QHash<int, QByteArray> m_byWatch;
    QHash<QByteArray, int> m_byFolder;
    QSet<QByteArray> m_new; // seen being made; they hold no file yet, so no list names them
    QHash<int, QSet<QByteArray>> m_gitNames; // folders of git's own → the names in them that matter
    QSet<QByteArray> m_touched;
};

} // namespace foundry::backend
