// One at a time in one repository: before `git worktree add` makes a work tree it reads the `commondir` of all that are
// there, and ends with "failed to read …/commondir: Success" when one of them was made empty and is not filled yet (seen
// with git 2.39.5: one in seventeen of thirty at once). Other gits that read all work trees can meet the same moment, a
// thousand times more rarely; giterror.cpp has its words. Shared by the providers of a host, whatever thread each lives in.
#pragma once

#include <QHash>
#include <QObject>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace foundry::backend {

class RepositoryLanes : public std::enable_shared_from_this<RepositoryLanes> {
    struct Entry {
        QString repository;
        QObject *context;
        std::function<void()> go;
    };

public:
    // A place in the lane, waiting or at work; giving it up lets the next one in.
    class Place {
    public:
        Place(std::shared_ptr<RepositoryLanes> lanes, std::shared_ptr<Entry> entry);
        ~Place();
        Place(const Place &) = delete;
        Place &operator=(const Place &) = delete;

    private:
        std::shared_ptr<RepositoryLanes> m_lanes;
        std::shared_ptr<Entry> m_entry;
    };

    // `go` is called when it is this one's turn, from the event loop of `context`, in whose thread this is called and the
    // place given up, before the context goes. Never once it was given up.
    std::unique_ptr<Place> enter(const QString &repository, QObject *context, std::function<void()> go);

private:
    void leave(const std::shared_ptr<Entry> &entry);
    void call(const Entry &entry); // with m_mutex held, so that the context is there

    std::mutex m_mutex;
    QHash<QString, std::deque<std::shared_ptr<Entry>>> m_lanes; // the first of each is at work
};

} // namespace foundry::backend
