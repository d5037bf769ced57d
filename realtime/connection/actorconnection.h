// One socket to one actor, shared by all its topics and windows. Finds the actor, connects, waits for Init, asks for
// the topics that are wanted, comes back by itself when the link drops, and answers every call exactly once.
// The only owner of its state (connectionstate.h). GUI thread.
#pragma once

#include "realtime/connection/actorresolver.h"
#include "realtime/connection/backoff.h"
#include "realtime/connection/connectionstate.h"
#include "realtime/connection/pendingcalls.h"
#include "realtime/transport/transport.h"

#include <QSet>

namespace foundry::realtime {

struct ConnectionTimes {
    std::chrono::milliseconds init = std::chrono::seconds(10);     // from the opening of the socket to Init
    std::chrono::milliseconds ping = std::chrono::seconds(15);     // between pings; one missed pong drops the link
    std::chrono::milliseconds probe = std::chrono::seconds(5);     // for the pong after a call had no answer
    std::chrono::milliseconds steady = std::chrono::seconds(5);    // live so long: the next drop starts the backoff anew
    std::chrono::milliseconds firstRetry = std::chrono::milliseconds(250);
    std::chrono::milliseconds lastRetry = std::chrono::seconds(30);
    int failuresToOffline = 5;
};

struct ConnectionCounters {
    qint64 reconnects = 0;
    qint64 framesReceived = 0;
    qint64 bytesReceived = 0;
    qint64 badFrames = 0;
    qint64 lateAnswers = 0;
};

class ActorConnection : public QObject {
    Q_OBJECT

public:
    // `resolver` outlives the connection.
    ActorConnection(ActorName actor, ActorResolver &resolver, TransportFactory factory, ConnectionTimes times = {},
        QObject *parent = nullptr);
    ~ActorConnection() override;

    const ActorName &actor() const { return m_actor; }
    ConnectionState state() const { return m_state; }
    bool isLive() const { return m_state == ConnectionState::Live; }
    const Error &lastError() const { return m_lastError; }
    const ConnectionCounters &counters() const { return m_counters; }
    int pendingCalls() const { return m_pending.count(); }
    // When the next attempt is due, milliseconds from now; -1 when none is planned.
    qint64 retryIn() const { return m_retry.isActive() ? m_retry.remainingTime() : -1; }

    void setEndpoint(const std::optional<Endpoint> &endpoint);
    // Connected while it is wanted at least once and not held.
    void retain();
    void release();
    // The actor does not exist yet: its creation is on the way.
    void setHeld(bool held);
    // The system woke up, or its network came back.
    void wake();

    void subscribe(const QString &topic);
    void unsubscribe(const QString &topic);

    // Answered exactly once, never before call() returns, and not at all when `context` is gone. While not live:
    // client.not_connected. When the link drops: client.link_lost. `args` is a JSON array.
    void call(const QString &action, const QByteArray &args, std::chrono::milliseconds deadline, QObject *context,
        CallAnswer answer);

Q_SIGNALS:
    void stateChanged(foundry::realtime::ConnectionState state);
    // After each Init, topics asked for: time to catch up and to send what waited.
    void becameLive();
    void eventReceived(const QString &topic, const QByteArray &args);
    // The next attempt has a time, or began: retryIn() says.
    void retryPlanned();

private:
    void handle(ConnectionEvent event);
    void act(ConnectionAction action);
    void applyWanted();
    void openAttempt();
    void connectTo(const ResolvedActor &target);
    void receive(const QByteArray &frame);
    void initialized();
    void ended(const TransportEnd &end);
    void failed(const Error &error);
    void dropTransport(int closeCode, const QString &reason);
    void checkLiveness();

    ActorName m_actor;
    ActorResolver &m_resolver;
    TransportFactory m_factory;
    ConnectionTimes m_times;
    std::optional<Endpoint> m_endpoint;
    ConnectionState m_state = ConnectionState::Idle;
    int m_wanted = 0;
    bool m_held = false;
    quint64 m_attempt = 0; // answers of an older attempt count for nothing
    std::unique_ptr<Transport> m_transport;
    PendingCalls m_pending;
    QSet<QString> m_topics;
    Backoff m_backoff;
    QTimer m_retry;
    QTimer m_initDeadline;
    QTimer m_pinger;
    QElapsedTimer m_liveSince;
    bool m_awaitingPong = false;
    std::optional<Error> m_serverError; // said by the server before it closed
    Error m_lastError;
    ConnectionCounters m_counters;
};

} // namespace foundry::realtime
