// Finds, makes and runs actors: by name and key, or by id, each pinned to one of a few worker threads. Made, started and
// stopped on the main thread; what is marked so may be called from any thread. Answers come on worker threads.
#pragma once

#include "backend/actors/actorcell.h"
#include "backend/actors/idleactors.h"

#include <QHash>
#include <QObject>
#include <QThread>
#include <QUuid>

namespace foundry::backend {

struct RuntimeOptions {
    HostMetrics *metrics = nullptr; // outlives the runtime; without one it counts for itself
    QString dataDir;
    int workers = 3;
    int idleMs = 30000; // an actor that nobody uses sleeps after this; 0: never
    int idleActors = 64; // so many that nobody is connected to stay loaded, the most recently used ones
    int drainMs = 5000; // an action may go on for so long when its actor is to stop; then its context refuses
    MailboxLimits mailbox = {};
    // Counts stops; the runtime itself writes the line into the log. Worker threads.
    std::function<void(const ActorStop &)> onStop = {};
    int openDeadlineMs = 20000; // what is under way from before is waited for this long before ready
};

struct RuntimeOpening;

class ActorRuntime final : public QObject, private ActorPost {
    Q_OBJECT

public:
    ActorRuntime(RuntimeOptions options, QList<ActorFactory> factories, QObject *parent = nullptr);
    ~ActorRuntime() override;

    // Opens the registry and the worker threads. `sink` outlives the runtime's stop.
    Result<> open(EventSink *sink);
    // Opens the actors of the wake index; `ready` comes when all have been opened (on the main thread).
    void start(std::function<void()> ready);
    // Every actor drains and stops, then the host may go. `done` on the main thread.
    void stop(std::function<void()> done);
    bool isStopping() const { return m_stopping; }
    HostMetrics &metrics() override { return *m_metrics; }

    // Any thread. actor.not_found for a kind or key that no factory knows, and for actors that only a send may make.
    Result<ActorRef> get(const ActorAddress &address);
    Result<ActorRef> getOrCreate(const ActorAddress &address, bool *created = nullptr);
    Result<ActorRef> byId(const QString &id);
    QList<ActorRef> list(const QString &name);
    QStringList actorNames() const;

    // Any thread. The reply always comes, once.
    void act(const QString &id, ActorCall call, ActorReply reply);
    // A connection of the server: attached before it subscribes, detached when it has gone.
    void attach(const QString &id, ConnectionId connection, std::function<void(Result<>)> reply);
    void subscribe(const QString &id, ConnectionId connection, const QString &topic, bool on);
    void detach(const QString &id, ConnectionId connection);
    // The correlation id of a connection, also beside those of other runs of the host: workflows keep theirs. Any thread.
    QString connectionCorrelation(ConnectionId connection) const { return QStringLiteral("c%1-%2").arg(m_run).arg(connection); }
    // One actor drains and stops, its connections are closed with `told`; the next message starts it again. Any thread;
    // `done` on a worker thread.
    void stopActor(const QString &id, StopReason reason, const Error &told, std::function<void()> done = {});
    // How many actors are loaded: their databases are open. Any thread.
    int loadedCount() const { return m_loaded; }
    // How many actors do something that somebody waits for; `done` on the main thread.
    void countWorking(std::function<void(int working)> done);

private:
    ActorRegistry &registry() override { return *m_registry; }
    EventSink *sink() override { return m_sink; }
    void announce(const ActorAddress &target) override;
    void deliver(const QString &senderId, const ActorAddress &target, const QList<Send> &sends) override;
    void acknowledge(const QString &senderId, const QString &targetId, qint64 upTo) override;
    void stream(const ActorAddress &from, const ActorAddress &to, const QString &name, const QByteArray &json) override;
    void dueChanged() override;
    void started(const QString &id) override;
    void idled(const QString &id) override;
    void idleEnded(const QString &id) override { m_idle.gone(id); }
    void stopped(const ActorStop &stop) override;
    void vacated(const QString &id) override;

    const ActorFactory *factoryFor(const ActorAddress &address) const;
    // Under the lock: whether asking for it brings it into being.
    bool mayTouch(const ActorFactory &factory, const ActorAddress &address) const;
    // Both with m_mutex held.
    Result<std::shared_ptr<ActorCell>> cellOf(const QString &id);
    std::shared_ptr<ActorCell> cellOf(const ActorRef &ref, const ActorFactory &factory);
    // Posts, or refuses outside of the lock.
    void post(const QString &id, ActorMessage message);
    void finishOpening(RuntimeOpening &opening);
    void openNext(const std::shared_ptr<RuntimeOpening> &opening);
    void setClock();
    void wakeDue();

    const std::unique_ptr<HostMetrics> m_ownMetrics;
    HostMetrics *const m_metrics;
    const QString m_run = QUuid::createUuid().toString(QUuid::Id128).left(6); // this run of the host
    const RuntimeOptions m_options;
    const QList<ActorFactory> m_factories;
    EventSink *m_sink = nullptr;
    std::unique_ptr<ActorRegistry> m_registry;
    struct Worker {
        QThread thread;
        std::unique_ptr<QObject> loop;
    };
    std::vector<std::unique_ptr<Worker>> m_workers;
    std::mutex m_mutex;
    QHash<QString, std::shared_ptr<ActorCell>> m_cells; // of loaded actors and those with mail
    IdleActors m_idle;
    std::atomic<int> m_loaded = 0;
    std::atomic<int> m_droppedStreams = 0;
    std::atomic<bool> m_stopping = false;
    std::atomic<bool> m_clockAsked = false;
    QTimer m_clock;
};

} // namespace foundry::backend
