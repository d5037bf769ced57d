// One git at a time in one work tree: whatever a task wants of git waits here for its turn. What a person waits for
// comes before what keeps the picture fresh. Belongs to one thread. An entry that is never released would stop the
// lane, so every entry has an operation with a deadline behind it.
#pragma once

#include <QList>
#include <QObject>

#include <functional>

namespace foundry::backend {

class GitLane {
public:
    enum class Urgency { Background, Asked };
    using Release = std::function<void()>;

    // `owner`: entries that wait are dropped with it.
    explicit GitLane(QObject *owner)
        : m_owner(owner)
    {
    }

    // `work` is called when the lane is free, from the event loop at the earliest, and calls `release` once when its
    // operation has answered; again is harmless.
    void enter(Urgency urgency, std::function<void(Release)> work);
    bool isIdle() const { return !m_busy && m_waiting.isEmpty(); }

private:
    struct Entry {
        Urgency urgency;
        std::function<void(Release)> work;
    };
    void next();

    QObject *m_owner;
    QList<Entry> m_waiting;
    quint64 m_turn = 0; // releases of earlier entries mean nothing
    bool m_busy = false;
    bool m_called = false; // next() is on its way
};

} // namespace foundry::backend
