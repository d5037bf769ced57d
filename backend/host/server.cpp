#include "backend/host/server.h"

#include "backend/host/tlslistener.h"
#include "backend/host/tokendesk.h"
#include "realtime/protocol/frame.h"
#include "realtime/protocol/manager.h"

#include <QLoggingCategory>
#include <QNetworkProxy>
#include <QWebSocket>
#include <QWebSocketServer>

#include <algorithm>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcServer, "foundry.host.server")

namespace {
constexpr int kHttpConnectionLimit = 512;
constexpr int kSocketLimit = 512; // of all tokens and of those that have none
constexpr int kSocketsPerToken = 64;
constexpr int kCloseAllMs = 1000;
constexpr double kReturnSeconds = 120;
constexpr qsizetype kLeftKept = 4096;

QString serverPeer(const QHostAddress &address, quint16 port)
{
    return address.toString() + QLatin1Char(' ') + QString::number(port);
}

QString serverAuthority(const QHostAddress &address, quint16 port)
{
    const bool v6 = address.protocol() == QAbstractSocket::IPv6Protocol;
    const QString name = v6 ? QLatin1Char('[') + address.toString() + QLatin1Char(']') : address.toString();
    return name + QLatin1Char(':') + QString::number(port);
}

Error serverCannotListen(const QHostAddress &address, quint16 port, const QString &why)
{
    return makeError(QLatin1StringView("internal"), QLatin1StringView("cannot_listen"),
        QStringLiteral("Cannot listen on %1 port %2: %3.").arg(address.toString()).arg(port).arg(why),
        QStringLiteral("Choose another port, or port 0 for any free one."));
}

ActorAddress serverApp()
{
    return {QStringLiteral("app"), {QStringLiteral("app")}};
}
} // namespace

int httpStatusOf(const Error &error)
{
    if (error.group == QLatin1StringView("auth"))
        return error.code == QLatin1StringView("forbidden") ? 403 : 401;
    if (error.group == QLatin1StringView("actor")) {
        if (error.code == QLatin1StringView("not_found") || error.code == QLatin1StringView("action_not_found"))
            return 404;
        return error.code == QLatin1StringView("stopping") || error.code == QLatin1StringView("overloaded") ? 503 : 400;
    }
    if (error.group == QLatin1StringView("state"))
        return 409;
    return error.group == QLatin1StringView("internal") ? 500 : 400;
}

Server::Server(const HostConfig &config, ActorRuntime &runtime, Deliveries &deliveries, Memberships *members, QObject *parent)
    : QObject(parent)
    , m_config(config)
    , m_runtime(runtime)
    , m_deliveries(deliveries)
    , m_members(members)
    , m_upgrader(std::make_unique<QWebSocketServer>(QStringLiteral("foundry-host"), QWebSocketServer::NonSecureMode))
{
    m_listener.setProxy(QNetworkProxy::NoProxy);
    m_upgrader->setSupportedSubprotocols({QStringLiteral("rivet")});
    connect(&m_listener, &QTcpServer::newConnection, this, &Server::accept);
    connect(m_upgrader.get(), &QWebSocketServer::newConnection, this, &Server::webSocketOpened);
    m_deliveries.setReceiver(this);
    if (m_members) {
        m_members->onLoss([self = QPointer(this), &deliveries] {
            deliveries.run([self] {
                if (self)
                    self->checkMembers();
            });
        });
    }
}

Server::~Server()
{
    if (m_members)
        m_members->onLoss({});
    m_deliveries.setReceiver(nullptr);
    const auto sockets = m_sockets.values();
    m_sockets.clear();
    for (ActorSocket *socket : sockets) {
        socket->disconnect(this);
        delete socket;
    }
}

Result<> Server::listen()
{
    if (!m_config.address.isLoopback() && !m_config.usesTls()) {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("Without a certificate only loopback addresses are listened on, not %1.").arg(m_config.address.toString()),
            QStringLiteral("Use --listen 127.0.0.1:0, or --tls-cert and --tls-key."));
    }
    if (m_config.usesTls()) {
        if (auto listening = listenTls(); !listening)
            return listening;
    }
    const QHostAddress address = m_config.usesTls() ? QHostAddress(QHostAddress::LocalHost) : m_config.address;
    if (!m_listener.listen(address, m_config.usesTls() ? 0 : m_config.port))
        return serverCannotListen(address, m_config.port, m_listener.errorString());
    m_gate = std::make_unique<AccessGate>(
        m_config.token, authoritiesOf(address.toString(), port()), QStringList(), m_members, m_tokens);
    return Unit{};
}

Result<> Server::listenTls()
{
    auto identity = readTlsIdentity(m_config.tlsCertFile, m_config.tlsKeyFile);
    if (!identity)
        return identity.error();
    m_tls = std::make_unique<TlsListener>(std::move(*identity));
    connect(m_tls.get(), &TlsListener::connected, this, &Server::acceptOne);
    if (!m_tls->listen(m_config.address, m_config.port))
        return serverCannotListen(m_config.address, m_config.port, m_tls->errorString());
    return Unit{};
}

void Server::stopListening()
{
    m_listener.close();
    if (m_tls)
        m_tls->close();
}

QString Server::tlsEndpoint() const
{
    return m_tls ? QStringLiteral("https://") + serverAuthority(m_config.address, m_tls->serverPort()) : QString();
}

QString Server::tlsFingerprint() const
{
    return m_tls ? m_tls->identity().fingerprint : QString();
}

QString Server::endpoint() const
{
    return QStringLiteral("http://") + serverAuthority(m_listener.serverAddress(), port());
}

void Server::accept()
{
    while (QTcpSocket *socket = m_listener.nextPendingConnection()) {
        socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
        acceptOne(socket);
    }
}

void Server::acceptOne(QTcpSocket *socket)
{
    if (m_httpConnections >= kHttpConnectionLimit) {
        socket->write(encodeHttpResponse(503, "application/json",
            protocol::encodeErrorBody(makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
                QStringLiteral("There are %1 connections already.").arg(kHttpConnectionLimit))),
            {}, false));
        connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        QTimer::singleShot(kCloseAllMs, socket, &QTcpSocket::abort);
        socket->disconnectFromHost();
        return;
    }
    ++m_httpConnections;
    auto *connection = new HttpConnection(socket, *this, this);
    connect(connection, &QObject::destroyed, this, [this] { --m_httpConnections; });
}

bool Server::refuse(HttpConnection *connection, const HttpHead &head)
{
    const bool isOurName = connection->isEncrypted() && m_tls
        && tlsAnswersTo(m_tls->identity(), QString::fromLatin1(head.header("host")));
    const auto foreign = m_gate->refuseForeign(head, isOurName);
    if (!foreign)
        return false;
    connection->closeAfterResponse();
    connection->respondJson(403, protocol::encodeErrorBody(*foreign));
    return true;
}

void Server::tooLarge(HttpConnection *connection)
{
    connection->respondJson(400,
        protocol::encodeErrorBody(makeError(QLatin1StringView("message"), QLatin1StringView("incoming_too_long"),
            QStringLiteral("A request may have at most %1 bytes.").arg(kHttpBodyLimit))));
}

void Server::handle(HttpConnection *connection, const HttpRequest &request)
{
    using Kind = GatewayRoute::Kind;
    if (request.head.method == "OPTIONS") {
        answerOptions(connection, request.head);
        return;
    }
    const GatewayRoute route = parseRoute(request.head);
    if (route.kind == Kind::Metadata || route.kind == Kind::Health) {
        if (request.head.method != "GET" && request.head.method != "HEAD")
            connection->respond(405, "text/plain", httpReason(405));
        else if (route.kind == Kind::Metadata)
            answerMetadata(connection, route);
        else
            connection->respondJson(200, "{\"status\":\"ok\",\"runtime\":\"rivetkit\"}");
        return;
    }
    const auto caller = m_gate->authorize(route);
    if (!caller) {
        connection->respondJson(httpStatusOf(caller.error()), protocol::encodeErrorBody(caller.error()));
    } else if (route.kind == Kind::Actors) {
        answerActors(connection, request, route, *caller);
    } else if (route.kind == Kind::Action && request.head.method == "POST") {
        answerAction(connection, request, route, *caller);
    } else if (route.kind == Kind::Metrics && request.head.method == "GET") {
        answerMetrics(connection, *caller);
    } else if (route.kind == Kind::Drain && request.head.method == "POST") {
        answerDrain(connection, route, *caller);
    } else if (route.kind == Kind::Tokens && m_tokenStore) {
        answerTokenRequest(connection, request, *caller);
    } else {
        connection->respond(404, "text/plain", httpReason(404));
    }
}

void Server::answerOptions(HttpConnection *connection, const HttpHead &head)
{
    // Only allowed origins come this far.
    QList<QPair<QByteArray, QByteArray>> headers;
    if (const QByteArray origin = head.header("origin"); !origin.isEmpty()) {
        headers = {{"Access-Control-Allow-Origin", origin}, {"Access-Control-Allow-Credentials", "true"},
            {"Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS, PATCH"},
            {"Access-Control-Allow-Headers", head.header("access-control-request-headers")},
            {"Access-Control-Max-Age", "600"}, {"Vary", "Origin"}};
    }
    connection->respond(204, {}, {}, headers);
}

void Server::answerMetadata(HttpConnection *connection, const GatewayRoute &route)
{
    protocol::Metadata metadata;
    metadata.runtime = QStringLiteral("rivetkit");
    metadata.version = QStringLiteral("2.1.5");
    metadata.hostVersion = m_config.version;
    metadata.hostInstance = m_config.instance;
    if (const QString proof = m_gate->proof(route.param(u"challenge")); !proof.isEmpty())
        metadata.proof = proof;
    connection->respondJson(200, protocol::encodeMetadata(metadata));
}

void Server::answerMetrics(HttpConnection *connection, const Caller &caller)
{
    if (const auto refused = m_gate->refuseAction(caller, serverApp(), QStringLiteral("metrics")))
        connection->respondJson(httpStatusOf(*refused), protocol::encodeErrorBody(*refused));
    else
        connection->respond(200, "text/plain; version=0.0.4; charset=utf-8", m_runtime.metrics().prometheus());
}

void Server::answerDrain(HttpConnection *connection, const GatewayRoute &route, const Caller &caller)
{
    if (const auto refused = m_gate->refuseAction(caller, serverApp(), QStringLiteral("drain"))) {
        connection->respondJson(httpStatusOf(*refused), protocol::encodeErrorBody(*refused));
        return;
    }
    connection->closeAfterResponse();
    connection->respondJson(200, "{\"ok\":true}");
    Q_EMIT drainRequested(route.param(u"when") == QLatin1StringView("idle"));
}

void Server::setTokenStore(TokenStore *store)
{
    m_tokenStore = store;
    m_tokens = store;
}

void Server::answerTokenRequest(HttpConnection *connection, const HttpRequest &request, const Caller &caller)
{
    const auto answer = answerTokens(*m_tokenStore, request, caller, m_gate->callerAt(caller, serverApp()).role);
    if (answer)
        connection->respondJson(200, *answer);
    else
        connection->respondJson(httpStatusOf(answer.error()), protocol::encodeErrorBody(answer.error()));
}

Result<ActorRef> Server::resolve(const GatewayRoute &route, const Caller &caller)
{
    if (!route.byKey) {
        auto found = m_runtime.byId(route.actorId);
        if (found) {
            if (auto refused = m_gate->refuseConnection(caller, found->address))
                return *refused;
        }
        return found;
    }
    if (auto refused = m_gate->refuseConnection(caller, route.address))
        return *refused;
    return route.mayCreate ? m_runtime.getOrCreate(route.address) : m_runtime.get(route.address);
}

void Server::answerAction(
    HttpConnection *connection, const HttpRequest &request, const GatewayRoute &route, const Caller &caller)
{
    const auto refuseWith = [connection](const Error &error) {
        connection->respondJson(httpStatusOf(error), protocol::encodeErrorBody(error));
    };
    auto args = protocol::decodeActionBody(request.body);
    if (args && args->contains("[\"$"))
        args = protocol::unescapeExtensions(*args);
    if (!args) {
        refuseWith(makeError(QLatin1StringView("actor"), QLatin1StringView("invalid_request"), args.error().message));
        return;
    }
    const auto actor = resolve(route, caller);
    if (!actor) {
        refuseWith(actor.error());
        return;
    }
    if (const auto refused = m_gate->refuseAction(caller, actor->address, route.action)) {
        refuseWith(*refused);
        return;
    }
    ActorCall call{route.action, *args, m_gate->callerAt(caller, actor->address), QStringLiteral("h%1").arg(++m_calls)};
    m_runtime.act(actor->id, std::move(call),
        [target = QPointer(connection), &deliveries = m_deliveries](Result<QByteArray> answer) {
            if (answer && answer->contains("[\"$"))
                answer = protocol::escapeExtensions(*answer);
            deliveries.run([target, answer] {
                if (!target)
                    return;
                if (answer)
                    target->respondJson(200, protocol::encodeOutputBody(*answer));
                else
                    target->respondJson(httpStatusOf(answer.error()), protocol::encodeErrorBody(answer.error()));
            });
        });
}

void Server::upgrade(QTcpSocket *socket, const HttpHead &)
{
    connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    const QString peer = serverPeer(socket->peerAddress(), socket->peerPort());
    m_upgrading.insert(peer, socket);
    connect(socket, &QObject::destroyed, this, [this, peer] {
        if (m_upgrading.value(peer).isNull()) // else another one has the port by now
            m_upgrading.remove(peer);
    });
    m_upgrader->handleConnection(socket);
    // The handshake is in the socket already, so it would not announce it again.
    QMetaObject::invokeMethod(socket, &QTcpSocket::readyRead, Qt::QueuedConnection);
}

void Server::webSocketOpened()
{
    while (QWebSocket *webSocket = m_upgrader->nextPendingConnection()) {
        // A QWebSocket does not tell what it runs on.
        QTcpSocket *transport = m_upgrading.take(serverPeer(webSocket->peerAddress(), webSocket->peerPort()));
        if (m_sockets.size() >= kSocketLimit) {
            webSocket->abort();
            webSocket->deleteLater();
            continue;
        }
        HttpHead head;
        head.method = "GET";
        head.target = webSocket->requestUrl().toEncoded(QUrl::RemoveScheme | QUrl::RemoveAuthority);
        for (const QByteArray &name : webSocket->request().rawHeaderList())
            head.headers.append({name.toLower(), webSocket->request().rawHeader(name)});
        auto *socket = new ActorSocket(webSocket, transport, ++m_lastConnection, m_runtime, m_deliveries, *m_gate, this);
        connect(socket, &ActorSocket::opened, this, &Server::noteReturn);
        connect(socket, &ActorSocket::closed, this, [this](ConnectionId connection) {
            if (const ActorSocket *gone = m_sockets.take(connection); gone && !gone->address().name.isEmpty())
                m_left[gone->user() + QLatin1Char('@') + gone->address().key.join(QLatin1Char('/'))] = Stopwatch();
            Q_EMIT socketsChanged(m_sockets.size());
            if (m_sockets.isEmpty() && m_allClosed)
                std::exchange(m_allClosed, {})();
        });
        openSocket(socket, head);
    }
}

void Server::openSocket(ActorSocket *socket, const HttpHead &head)
{
    const GatewayRoute route = parseRoute(head);
    m_sockets.insert(socket->connection(), socket);
    Q_EMIT socketsChanged(m_sockets.size());
    const auto caller = m_gate->authorize(route);
    if (!caller) {
        socket->reject(caller.error());
        return;
    }
    if (route.kind != GatewayRoute::Kind::Connect) {
        socket->reject(makeError(QLatin1StringView("actor"), QLatin1StringView("invalid_request"),
            QStringLiteral("WebSockets are opened at /gateway/…/connect.")));
        return;
    }
    if (parseProtocols(head.header("sec-websocket-protocol")).encoding != QLatin1StringView("json")) {
        socket->close(1003, QStringLiteral("actor.unsupported_websocket_encoding"));
        return;
    }
    const auto others = std::count_if(m_sockets.cbegin(), m_sockets.cend(),
        [&](const ActorSocket *other) { return other->user() == caller->userId && other->tokenId() == caller->tokenId; });
    if (others >= kSocketsPerToken) {
        socket->reject(makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
            QStringLiteral("There are %1 connections already.").arg(kSocketsPerToken)));
        return;
    }
    if (m_runtime.isStopping()) {
        socket->reject(makeError(QLatin1StringView("actor"), QLatin1StringView("stopping"),
            QStringLiteral("The host is stopping.")));
        return;
    }
    const auto actor = resolve(route, *caller);
    if (!actor)
        socket->reject(actor.error());
    else
        socket->open(*actor, *caller);
}

void Server::noteReturn(const ActorAddress &actor, const QString &user)
{
    const QString key = actor.key.join(QLatin1Char('/'));
    if (m_left.size() > kLeftKept)
        m_left.removeIf([](const auto &left) { return left.value().seconds() > kReturnSeconds; });
    if (m_left.size() > kLeftKept)
        m_left.clear(); // more than anybody has: begin to count anew
    if (const auto left = m_left.constFind(user + QLatin1Char('@') + key); left != m_left.cend() && left->seconds() <= kReturnSeconds)
        m_runtime.metrics().reconnects.with({key.toUtf8()}).add();
}

void Server::checkMembers()
{
    const auto sockets = m_sockets.values();
    for (ActorSocket *socket : sockets) {
        if (const auto refused = socket->refused())
            socket->reject(*refused);
    }
}

void Server::deliverEvent(const QList<ConnectionId> &connections, const QByteArray &frame)
{
    const QString text = QString::fromUtf8(frame);
    for (const ConnectionId connection : connections) {
        if (ActorSocket *socket = m_sockets.value(connection))
            socket->sendEvent(text);
    }
}

void Server::closeConnections(const QList<ConnectionId> &connections, const Error &reason)
{
    for (const ConnectionId connection : connections) {
        if (ActorSocket *socket = m_sockets.value(connection))
            socket->reject(reason);
    }
}

void Server::closeAll(std::function<void()> done)
{
    if (m_sockets.isEmpty()) {
        done();
        return;
    }
    m_allClosed = std::move(done);
    const auto sockets = m_sockets.values();
    for (ActorSocket *socket : sockets)
        socket->close(1001, QStringLiteral("actor.stopping"));
    QTimer::singleShot(kCloseAllMs, this, [this] {
        if (m_allClosed)
            std::exchange(m_allClosed, {})();
    });
}

} // namespace foundry::backend
