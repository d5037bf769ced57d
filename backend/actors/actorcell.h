// The place of one actor: its mailbox, and the running instance while there is one. Messages are posted from any thread
// and run one after the other on the worker thread the cell is pinned to; the first one starts the actor.
#pragma once

#include "backend/actors/actorinstance.h"

#include <deque>
#include <memory>
#include <mutex>

namespace foundry::backend {

struct ActorMessage {
    std::function<void(ActorInstance &)> run;
    // Instead of run, when the actor cannot be started or is going away. May be empty.
    std::function<void(const Error &)> refuse = {};
    bool wakes = true; // false: of no use to an actor that sleeps
};

class ActorCell : public std::enable_shared_from_this<ActorCell> {
public:
    // `worker` lives on the worker thread and outlives the cell's messages. idleMs 0: never sleeps.
    ActorCell(const ActorRef &ref, const ActorFactory &factory, const QString &dataDir, ActorPost &post, QObject *worker,
        int idleMs);
    ~ActorCell();

    const ActorRef &ref() const { return m_ref; }
    // False when the cell is closed: nothing was taken, refuse was not called.
    bool post(ActorMessage message);
    // What is in the mailbox still runs; then the actor stops and `done` is called on the worker thread.
    void close(StopReason reason, std::function<void()> done);

private:
    void schedule();
    void drain();
    Result<> ensureRunning();
    void watchIdleness();
    void rest();

    const ActorRef m_ref;
    const ActorFactory &m_factory;
    const QString m_dataDir;
    ActorPost &m_post;
    QObject *m_worker;
    const int m_idleMs;

    std::mutex m_mutex;
    std::deque<ActorMessage> m_mailbox;
    bool m_scheduled = false;
    bool m_closed = false;
    std::function<void()> m_closeDone;
    StopReason m_closeReason = StopReason::Stop;

    // Only on the worker thread.
    struct Running {
        std::unique_ptr<ActorInstance> instance;
        QTimer idle;
    };
    std::unique_ptr<Running> m_running;
    Millis m_lastUsed = 0;
};

} // namespace foundry::backend
