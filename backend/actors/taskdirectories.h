// The opened folders of a task's work tree: each listing is stored with its FileNode rows, served by pages, and listed
// again when something in it may have changed. Folders nobody has looked at for long are forgotten. Listing is done
// aside; links are never followed.
#pragma once

#include "backend/actors/rowwriter.h"
#include "backend/actors/taskstore.h"
#include "backend/git/worktreefiles.h"

#include <QElapsedTimer>
#include <QSet>

namespace foundry::backend {

class TaskDirectories {
public:
    TaskDirectories(ActorContext &context, TaskStore &store);

    static QString schema();
    static QString topic() { return QStringLiteral("files"); }

    // After a start: forgets what a kill left half written.
    void recover();
    // A stored page, or one that says `pending` and a ready event later.
    Result<QByteArray> list(const ListDirectory &asked);
    // Something in these folders may have changed (as git names them); only opened ones are listed again.
    void changed(const QList<QByteArray> &folders);
    // Anything may have: the folders that were looked at lately are listed again.
    void changedSomewhere();
    // `watched`: changes of this folder are told by changed().
    std::function<bool(const QByteArray &folder)> watched;
    bool isBusy() const { return !m_listing.isEmpty(); }

private:
    struct Known {
        qint64 listedAt = 0; // 0: not since this start
        qint64 lookedAt = 0;
    };
    void start(const QByteArray &folder);
    void listed(const QByteArray &folder, const Result<Folder> &found);
    void store(const QByteArray &folder, const Folder &found);
    void forget(const QByteArray &folder, std::function<void()> then);
    void forgetOld();
    void announce(const QByteArray &folder);
    void over(const QByteArray &folder);
    std::optional<Folder> stored(const QByteArray &folder) const;
    QByteArray page(const QByteArray &folder, const Folder &found, const std::optional<QString> &cursor) const;
    RowChanges difference(const QByteArray &folder, const QList<FolderEntry> &before, const QList<FolderEntry> &after) const;

    ActorContext &m_context;
    TaskStore &m_store;
    RowWriter m_rows;
    QHash<QByteArray, Known> m_known;
    QHash<QByteArray, QList<RequestId>> m_waiting;
    QHash<QByteArray, QPair<Error, qint64>> m_errors; // of folders that could not be listed, for a short time
    QSet<QByteArray> m_listing;
    QSet<QByteArray> m_again;
};

} // namespace foundry::backend
