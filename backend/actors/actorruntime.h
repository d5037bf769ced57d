// Finds, makes and runs actors: by name and key, or by id, each pinned to one of a few worker threads. Made, started and
// stopped on the main thread; what is marked so may be called from any thread. Answers come on worker threads.
#pragma once

#include "backend/actors/actorcell.h"

#include <QHash>
#include <QObject>
#include <QThread>

namespace foundry::backend {

struct RuntimeOptions {
    QString dataDir;
    int workers = 3;
    int idleMs = 30000; // an actor that nobody uses sleeps after this; 0: never
    int openDeadlineMs = 20000; // what is under way from before is waited for this long before ready
};

class ActorRuntime final : public QObject, private ActorPost {
    Q_OBJECT

public:
    ActorRuntime(RuntimeOptions options, QList<ActorFactory> factories, QObject *parent = nullptr);
    ~ActorRuntime() override;

    // Opens the registry and the worker threads. `sink` outlives the runtime's stop.
    Result<> open(EventSink *sink);
    // Opens the actors of the wake index; `ready` comes when all have been opened (on the main thread).
    void start(std::function<void()> ready);
    // New messages are refused with actor.stopping; what was posted runs; then every actor stops. `done` on the main thread.
    void stop(std::function<void()> done);
    bool isStopping() const { return m_stopping; }

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

    const ActorFactory *factoryFor(const ActorAddress &address) const;
    // Both with m_mutex held.
    Result<std::shared_ptr<ActorCell>> cellOf(const QString &id);
    std::shared_ptr<ActorCell> cellOf(const ActorRef &ref, const ActorFactory &factory);
    // Posts, or refuses outside of the lock.
    void post(const QString &id, ActorMessage message);
    void setClock();
    void wakeDue();

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
    QHash<QString, std::shared_ptr<ActorCell>> m_cells;
    std::atomic<bool> m_stopping = false;
    std::atomic<bool> m_clockAsked = false;
    QTimer m_clock;
};

} // namespace foundry::backend
