// One WebSocket of the actor protocol: one connection to one actor. Its messages are handed to the actor in their order.
// Main thread; deletes itself when it is closed.
#pragma once

#include "backend/actors/actorruntime.h"
#include "backend/host/accessgate.h"
#include "backend/host/deliveries.h"
#include "backend/observe/metrics.h"

#include <QObject>
#include <QPointer>
#include <QTimer>

#include <atomic>
#include <memory>

class QTcpSocket;
class QWebSocket;

namespace foundry::backend {

class ActorSocket final : public QObject {
    Q_OBJECT

public:
    // Takes the WebSocket as a child; `transport` is what it runs on.
    ActorSocket(QWebSocket *socket, QTcpSocket *transport, ConnectionId connection, ActorRuntime &runtime, Deliveries &deliveries, const AccessGate &gate,
        QObject *parent);
    ~ActorSocket() override;

    // Attaches to the actor; Init is sent when that is done.
    void open(const ActorRef &actor, const Caller &caller);
    // An Error frame without an action id, then close 1011 "group.code".
    void reject(const Error &error);
    void sendEvent(const QString &frame);
    void close(quint16 code, const QString &reason);
    // Why its user may not be connected to its actor any more; nothing while they may.
    std::optional<Error> refused() const;
    ConnectionId connection() const { return m_connection; }
    // Both empty before open().
    const ActorAddress &address() const { return m_address; }
    QString user() const { return m_actorId.isEmpty() ? QString() : m_caller.userId; }
    QString tokenId() const { return m_caller.tokenId; }

Q_SIGNALS:
    void opened(const foundry::backend::ActorAddress &actor, const QString &user);
    void closed(foundry::backend::ConnectionId connection);

private:
    void received(const QString &text);
    void act(quint64 id, const QString &name, const QByteArray &args);
    void sendFrame(const QByteArray &frame);
    bool overloaded();
    void rejectUnfinished();

    QWebSocket *m_socket;
    QPointer<QTcpSocket> m_transport;
    const ConnectionId m_connection;
    ActorRuntime &m_runtime;
    Deliveries &m_deliveries;
    const AccessGate &m_gate;
    ActorAddress m_address;
    QString m_actorId;
    Caller m_caller;
    std::unique_ptr<Held> m_counted;
    Stopwatch m_age;
    bool m_closing = false;
    std::shared_ptr<std::atomic<qint64>> m_waiting = std::make_shared<std::atomic<qint64>>(0); // bytes of answers on their way
    quint64 m_calls = 0;
};

} // namespace foundry::backend
