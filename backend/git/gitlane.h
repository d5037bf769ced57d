// One git at a time in one work tree: whatever a task wants of git waits here for its turn. What a person waits for
// comes before what keeps the picture fresh, and a command does not wait for a read at all: the read's git is ended, and
// the read is done again afterwards. Belongs to one thread. An entry that is never released would stop the lane, so
// every entry has an operation with a deadline behind it.
#pragma once

#include "backend/git/gitjob.h"

#include <QList>
#include <QObject>
#include <QPointer>

#include <functional>

namespace foundry::backend {

class GitLane {
public:
    // Background and Asked only read.
    enum class Urgency { Background, Asked, Command };
    // Gives the lane back, once; again is harmless. False: a command took the lane from this read, whose answer means
    // nothing now: its work will be called again.
    using Release = std::function<bool()>;
    // Called when the lane is free, from the event loop at the earliest; calls `release` when its operation has answered.
    // A read returns that operation, so that it can be ended, and may be called several times.
    using Work = std::function<GitJob *(const Release &)>;

    // `owner`: entries that wait are dropped with it.
    explicit GitLane(QObject *owner)
        : m_owner(owner)
    {
    }

    void enter(Urgency urgency, Work work);
    bool isIdle() const { return !m_busy && m_waiting.isEmpty(); }

private:
    struct Entry {
        Urgency urgency = Urgency::Background;
        Work work;
    };
    void callNext();
    void next();
    bool released(quint64 turn);

    QObject *m_owner;
    QList<Entry> m_waiting;
    Entry m_current;           // while m_busy
    QPointer<GitJob> m_job;    // of the current one, when it is a read
    quint64 m_turn = 0;        // releases of earlier entries mean nothing
    bool m_busy = false;
    bool m_givenUp = false;    // the current one's answer does not count
    bool m_called = false;     // next() is on its way
};

} // namespace foundry::backend
