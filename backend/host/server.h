// The one listening port of the host: HTTP requests and WebSockets of the actor protocol. Main thread.
#pragma once

#include "backend/actors/actorruntime.h"
#include "backend/host/accessgate.h"
#include "backend/host/actorsocket.h"
#include "backend/host/deliveries.h"
#include "backend/host/hostconfig.h"
#include "backend/host/httpconnection.h"

#include <QHash>
#include <QTcpServer>

#include <memory>

class QWebSocket;
class QWebSocketServer;

namespace foundry::backend {

class TlsListener;
class TokenStore;

class Server final : public QObject, private HttpHandler, private Deliveries::Receiver {
    Q_OBJECT

public:
    // `members` outlives the server; its losses close connections. Without it there is the user `local` alone.
    Server(const HostConfig &config, ActorRuntime &runtime, Deliveries &deliveries, Memberships *members = nullptr,
        QObject *parent = nullptr);
    ~Server() override;

    // Who the tokens beside the connect file's belong to; before listen(), and outlives the server.
    void setTokens(const TokenDirectory *tokens) { m_tokens = tokens; }
    // The same, and owners may make, list and revoke them.
    void setTokenStore(TokenStore *store);
    // Listens at the configured address, beyond loopback with TLS only. The port is known afterwards. With TLS there is a
    // plain port of loopback beside it.
    Result<> listen();
    quint16 port() const { return m_listener.serverPort(); }
    QString endpoint() const;
    // "https://…" of the listener that speaks TLS, and its certificate's SHA-256; empty without one.
    QString tlsEndpoint() const;
    QString tlsFingerprint() const;
    // No new connections from here on.
    void stopListening();
    // Closes what is open, with 1001 "actor.stopping"; `done` when all have gone or after a second.
    void closeAll(std::function<void()> done);
    qsizetype openSockets() const { return m_sockets.size(); }

Q_SIGNALS:
    // Somebody who has the token asks this host to go: at once, or when nothing runs.
    void drainRequested(bool whenIdle);
    void socketsChanged(qsizetype open);

private:
    void accept();
    void acceptOne(QTcpSocket *socket);
    Result<> listenTls();
    void handle(HttpConnection *connection, const HttpRequest &request) override;
    bool refuse(HttpConnection *connection, const HttpHead &head) override;
    void upgrade(QTcpSocket *socket, const HttpHead &head) override;
    void tooLarge(HttpConnection *connection) override;
    void deliverEvent(const QList<ConnectionId> &connections, const QByteArray &frame) override;
    void closeConnections(const QList<ConnectionId> &connections, const Error &reason) override;

    void answerMetrics(HttpConnection *connection, const Caller &caller);
    void answerMetadata(HttpConnection *connection, const GatewayRoute &route);
    void answerActors(HttpConnection *connection, const HttpRequest &request, const GatewayRoute &route, const Caller &caller);
    void answerAction(HttpConnection *connection, const HttpRequest &request, const GatewayRoute &route, const Caller &caller);
    void answerTokenRequest(HttpConnection *connection, const HttpRequest &request, const Caller &caller);
    void answerDrain(HttpConnection *connection, const GatewayRoute &route, const Caller &caller);
    void answerOptions(HttpConnection *connection, const HttpHead &head);
    Result<ActorRef> resolve(const GatewayRoute &route, const Caller &caller);
    // Closes the connections of those who have lost what they had.
    void checkMembers();
    // Counts who comes back to an actor that they left a moment ago.
    void noteReturn(const ActorAddress &actor, const QString &user);
    void webSocketOpened();
    void openSocket(ActorSocket *socket, const HttpHead &head);

    const HostConfig m_config;
    ActorRuntime &m_runtime;
    Deliveries &m_deliveries;
    Memberships *const m_members;
    const TokenDirectory *m_tokens = nullptr;
    TokenStore *m_tokenStore = nullptr;
    QTcpServer m_listener;
    std::unique_ptr<TlsListener> m_tls;
    std::unique_ptr<QWebSocketServer> m_upgrader;
    std::unique_ptr<AccessGate> m_gate;
    QHash<QString, QPointer<QTcpSocket>> m_upgrading; // peer → the connection whose handshake is under way
    QHash<ConnectionId, ActorSocket *> m_sockets;
    ConnectionId m_lastConnection = 0;
    QHash<QString, Stopwatch> m_left; // user@key → since when the last connection is gone
    quint64 m_calls = 0;
    int m_httpConnections = 0;
    std::function<void()> m_allClosed;
};

int httpStatusOf(const Error &error);

} // namespace foundry::backend
