// The place of one actor: its mailbox, and the running instance while there is one. Messages are posted from any thread
// and run one after the other on the worker thread the cell is pinned to; the first one starts the actor.
//
//   sleeping ──message──▶ starting ──▶ running ──drain()──▶ draining ──▶ stopped, or sleeping again
//      ▲                                 │ nobody connected, nothing held
//      └─────────────────────────────────┘
//
// Draining: callers and senders are answered actor.stopping, what is inside the actor's code goes on. After expire() its
// context answers actor.stopping too. The database is closed when the last action has returned, never before.
#pragma once

#include "backend/actors/actorinstance.h"
#include "backend/actors/actormailbox.h"

#include <QElapsedTimer>

#include <memory>
#include <mutex>

namespace foundry::backend {

class ActorCell : public std::enable_shared_from_this<ActorCell> {
public:
    enum class Lifecycle { Sleeping, Starting, Running, Draining, Stopped };
    enum class Posted { Taken, Stopping, Overloaded };
    struct Options {
        QString dataDir;
        int idleMs = 0; // 0: never sleeps by itself
        MailboxLimits mailbox = {};
    };
    struct Drain {
        StopReason reason = StopReason::Stop;
        std::optional<Error> told = {}; // closes the actor's connections with it
        bool forGood = false;           // else the next message starts the actor again
        std::function<void()> done = {}; // on the worker thread
    };

    // `worker` lives on the worker thread and outlives the cell's messages.
    ActorCell(const ActorRef &ref, const ActorFactory &factory, Options options, ActorPost &post, QObject *worker);
    ~ActorCell();

    // Any thread.
    const ActorRef &ref() const { return m_ref; }
    // Other than Taken: nothing was taken, refuse was not called. A message that does not wake is taken and forgotten
    // where nobody is awake.
    Posted post(ActorMessage message);
    void drain(Drain drain);
    // The deadline of a drain.
    void expire();
    // Sleeps as soon as it may, because others need the room.
    void askToRest();
    Lifecycle lifecycle();
    bool isVacant(); // asleep, with nothing to do

private:
    void schedule();
    void turn();
    // False: there is nothing more.
    bool runOne();
    Result<> ensureRunning(const QString &cause);
    void watchIdleness();
    void rest();
    bool tryRest();
    void finishDrain();
    void lose(const Error &error);
    void shut(ActorStop stop, const std::optional<Error> &told);
    void setLifecycle(Lifecycle lifecycle); // but a drain is finished by finishDrain() alone

    const ActorRef m_ref;
    const ActorFactory &m_factory;
    const Options m_options;
    ActorPost &m_post;
    QObject *m_worker;

    struct Running {
        std::unique_ptr<ActorInstance> instance;
        QTimer idle;
    };

    std::mutex m_mutex;
    ActorMailbox m_mailbox;
    Lifecycle m_lifecycle = Lifecycle::Sleeping;
    bool m_scheduled = false;
    bool m_restAsked = false;
    bool m_isActing = false; // an action is inside the actor's code
    bool m_expired = false;
    Drain m_drain;
    ActorStop m_stop;
    std::unique_ptr<Running> m_running; // written with m_mutex, on the worker thread only

    QElapsedTimer m_lastUsed; // only on the worker thread; a clock that is set back must not keep it awake
};

} // namespace foundry::backend
