// A running actor: its database, its topics, its connections and the ActorContext it sees. Made, used and destroyed on
// the worker thread its cell is pinned to.
#pragma once

#include "backend/actors/actorfactory.h"
#include "backend/actors/actorpost.h"
#include "backend/actors/actortransaction.h"

#include <QObject>
#include <QTimer>

#include <atomic>

namespace foundry::backend {

struct ActorCall {
    QString action;
    QByteArray args; // a JSON array
    Caller caller = {};
    QString correlationId = {};
};
using ActorReply = std::function<void(Result<QByteArray>)>;

Error actorStoppingError();
// The id of a send that nothing with an id caused.
QString sendCorrelation(const Send &send, const QString &senderId);

class ActorInstance final : public ActorContext {
public:
    // Opens the database and starts the actor. `cause`: the correlation id of what woke it; empty: it began by itself.
    static Result<std::unique_ptr<ActorInstance>> start(const ActorRef &ref, const ActorFactory &factory,
        const QString &dataDir, ActorPost &post, const QString &cause = {});
    ~ActorInstance() override;

    void act(const ActorCall &call, const ActorReply &reply);
    void connected(ConnectionId connection);
    // actor.overloaded for one that listens to more topics than anybody needs.
    Result<> subscribe(ConnectionId connection, const QString &topic, bool on);
    void disconnected(ConnectionId connection);
    void receive(const QString &senderId, const QList<Send> &sends);
    void acknowledged(const QString &targetId, qint64 upTo);
    void refused(const QString &targetId);
    void streamed(const ActorAddress &from, const QString &name, const QByteArray &json);
    // Sends what the outbox still holds.
    void dispatchOutbox();
    // Nothing under way and nobody listening.
    bool mayRest() const;
    // Somebody waits for something that is under way here. An actor that is only to be opened again after a kill
    // (needs wake), such as one with an idle agent, does not work.
    bool isWorking() const { return !m_outboxEmpty || m_actor->works(); }
    bool isRetired() const { return m_retired; }
    // Its files go when it stops, if all that it sent has arrived.
    bool isErased() const { return m_erased && m_outboxEmpty; }
    bool hasConnections() const { return !m_topicsOf.isEmpty(); }
    // Its database was found to be damaged: it must not go on.
    std::optional<Error> damage() const;
    // Any thread, while it lives: the deadline of a stop has passed. From here on its context answers actor.stopping.
    void expire();
    // `told`: what its connections are closed with; nothing for those that the server closes itself.
    void stop(StopReason reason, const std::optional<Error> &told);

    const ActorAddress &address() const override { return m_ref.address; }
    QString id() const override { return m_ref.id; }
    qint64 generation() const override { return m_generation; }
    // The correlation id of what this run of the actor does by itself: "a", its id, its generation.
    QString ownCorrelation() const { return QStringLiteral("a%1-%2").arg(m_ref.id.left(8)).arg(m_generation); }
    QString lostStorage() const override { return m_lostStorage; }
    QList<ActorAddress> children(const QString &name) override;
    Database &database() override { return *m_database; }
    Result<> transaction(const std::function<Result<>(Transaction &)> &body) override;
    std::optional<Entity> row(const QString &topic, const QString &type, const QString &id) override;
    QList<Entity> rows(const QString &topic, const QString &type) override;
    QList<Entity> window(const QString &topic, std::optional<qint64> before, std::optional<qint64> after, qint64 limit) override;
    qint64 rowCount(const QString &topic) override { return m_topics.info(topic).count; }
    TopicRevision revision(const QString &topic) override;
    void notify(const TopicEvent &event) override;
    void noteRevision(const QString &topic, const TopicRevision &revision) override { m_topics.note(topic, revision); }
    void stream(const ActorAddress &to, const QString &name, const QByteArray &json) override;
    int subscriberCount(const QString &topic) const override { return int(m_subscribers.value(topic).size()); }
    QString contentDirectory() override;
    QObject *owner() override { return m_owner.get(); }
    QString correlationId() const override { return m_correlationId; }
    void setCorrelationId(const QString &id) override { m_correlationId = id; }
    HostMetrics &metrics() override { return m_post.metrics(); }

private:
    using Then = QList<std::function<void()>>;
    ActorInstance(const ActorRef &ref, std::unique_ptr<Database> database, const QString &dataDir, ActorPost &post);
    Result<> prepare(const ActorFactory &factory);
    Result<> loadMeta();
    // Its database is a new one although it ran before.
    Result<> beginAnew();
    // Forgets what is past its time: tombstones, recorded answers.
    Result<> clean();
    // Runs the body in a transaction; after the commit events and sends have left, and what is to run then is returned.
    Result<Then> commit(const std::function<Result<>(ActorTransaction &)> &body);
    void count(const ActorCall &call, double seconds, const std::optional<Error> &error);
    Result<QByteArray> command(const ActorCall &call, const CommandHandler &handler, Then &then);
    bool receiveOne(const Send &send, const QString &senderId);
    void broadcast(const QString &topic, const QByteArray &eventJson);
    void setAlarmTimer();
    // Tells the registry, and closes what is connected.
    void retire(bool retired);
    void alarmDue();
    // What the wake index should say of this actor now.
    std::optional<Millis> due(bool outboxEmpty) const;
    void settle();
    void foldLog();

    const ActorRef m_ref;
    const QString m_dataDir;
    ActorPost &m_post;
    const QByteArray m_kind; // as a label of figures
    const Held m_open;
    qint64 m_outboxDepth = 0;
    std::unique_ptr<Database> m_database;
    TopicStore m_topics;
    std::unique_ptr<QObject> m_owner;
    ActionTable m_actions;
    qint64 m_generation = 0;
    QString m_lostStorage;
    qint64 m_commits = 0;
    qint64 m_commitsToFold = 0; // that stand in the database's log only
    QString m_correlationId;
    bool m_inTransaction = false;
    std::atomic<bool> m_expired = false;
    QHash<ConnectionId, int> m_topicsOf; // connection → topics it listens to
    QHash<QString, QList<ConnectionId>> m_subscribers;
    QHash<QString, qint64> m_inFlight; // target → last sequence handed over, waiting for its answer
    QTimer m_retry;
    int m_retryMs = 0;
    QTimer m_alarmTimer;
    QTimer m_settleTimer;
    QTimer m_foldTimer;
    std::optional<Millis> m_alarm;
    bool m_needsWake = false;
    bool m_retired = false;
    bool m_erased = false;
    bool m_outboxEmpty = true;
    std::optional<Millis> m_indexed; // what the wake index says of this actor
    std::unique_ptr<Actor> m_actor;  // last: it goes first
};

} // namespace foundry::backend
