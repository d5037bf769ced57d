// The files of a task: opened folders, pieces of files, finding by name; and the watch over the work tree that keeps
// them and the changes fresh while somebody looks or a turn runs. Reads serve what is stored or kept, or say `pending`
// and a ready event later.
#pragma once

#include "backend/actors/taskdirectories.h"
#include "backend/git/filesearch.h"
#include "backend/git/gitlane.h"
#include "backend/git/gitoperations.h"
#include "backend/git/worktreewatcher.h"

namespace foundry::backend {

class TaskFiles {
public:
    struct Events {
        std::function<void(int delayMs)> touched;  // the work tree changed: the changes should be looked at
        std::function<bool()> turnRuns;
    };
    TaskFiles(ActorContext &context, TaskStore &store, GitEnvironment git, GitLane &lane, Events events);

    static QString schema() { return TaskDirectories::schema(); }
    static QString topic() { return TaskDirectories::topic(); }

    void recover() { m_directories.recover(); }
    Result<QByteArray> listDirectory(const ListDirectory &asked) { return m_directories.list(asked); }
    Result<QByteArray> findFiles(const FindFiles &asked);
    Result<QByteArray> readFile(const ReadFile &asked);

    // The changes were derived anew: the list of files and what is kept of them may be old.
    void refreshed();
    // Listeners came or went, a turn began or ended.
    void reconsider();
    bool isBusy() const { return m_directories.isBusy() || m_listing || !m_reading.isEmpty(); }

private:
    struct Kept {
        QByteArray page;
        qint64 at = 0;
    };
    bool isWanted() const;
    void touched(const QList<QByteArray> &folders);
    void refreshNames();
    void loadNames();
    void gotNames(const std::shared_ptr<const FileSearch> &names);
    void watchFolders();
    QString namesFile() const;
    void startReading(const QByteArray &key, const ReadFile &asked);
    void gotPiece(const QByteArray &key, const ReadFile &asked, const Result<FilePiece> &piece);
    void announce(const RequestId &id, const QString &path);
    void forgetPieces();

    ActorContext &m_context;
    TaskStore &m_store;
    GitEnvironment m_git;
    GitLane &m_lane;
    Events m_events;
    TaskDirectories m_directories;
    WorkTreeWatcher *m_watcher;
    QTimer *m_leave; // nobody looks any more: the watch ends a little later
    std::shared_ptr<const FileSearch> m_names;
    std::optional<Error> m_namesError;
    QList<RequestId> m_namesWaiting;
    bool m_searched = false; // since this start somebody looked for names
    bool m_listing = false;  // git lists them now
    bool m_loading = false;  // the kept ones are read
    QHash<QByteArray, Kept> m_pieces;
    QList<QByteArray> m_pieceOrder;
    qsizetype m_pieceBytes = 0;
    QHash<QByteArray, QList<RequestId>> m_reading;
};

} // namespace foundry::backend
