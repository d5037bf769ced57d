#include "realtime/transport/websockettransport.h"

#include <QHostAddress>
#include <QNetworkProxy>
#include <QNetworkRequest>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>

namespace foundry::realtime {

namespace {

// A host's message stays below 512 KiB; twice that leaves room for the envelope and its escapes.
constexpr quint64 webSocketFrameLimit = 2 * 1024 * 1024;

bool isLoopback(const QUrl &url)
{
    const QString host = url.host();
    return host == QLatin1StringView("localhost") || QHostAddress(host).isLoopback();
}

} // namespace

WebSocketTransport::WebSocketTransport(QObject *parent)
    : Transport(parent)
    , m_socket(new QWebSocket(QString(), QWebSocketProtocol::VersionLatest, this))
{
    m_socket->setMaxAllowedIncomingFrameSize(webSocketFrameLimit);
    m_socket->setMaxAllowedIncomingMessageSize(webSocketFrameLimit);
    connect(m_socket, &QWebSocket::connected, this, [this] {
        // A server that names no sub-protocol may still speak ours; one that names another does not.
        const QString chosen = m_socket->subprotocol();
        if (!chosen.isEmpty() && !m_offered.contains(chosen)) {
            m_errorText = tr("The server chose the sub-protocol \"%1\", which was not offered.").arg(chosen);
            m_socket->close(QWebSocketProtocol::CloseCodeProtocolError);
            return;
        }
        Q_EMIT opened();
    });
    connect(m_socket, &QWebSocket::textMessageReceived, this,
        [this](const QString &text) { Q_EMIT textReceived(text.toUtf8()); });
    connect(m_socket, &QWebSocket::binaryMessageReceived, this, &Transport::textReceived);
    connect(m_socket, &QWebSocket::pong, this, [this] { Q_EMIT pongReceived(); });
    connect(m_socket, qOverload<QAbstractSocket::SocketError>(&QWebSocket::error), this, [this] {
        m_errorText = m_socket->errorString();
        // A refused or failed handshake does not always say `disconnected`.
        if (m_socket->state() == QAbstractSocket::UnconnectedState)
            finish();
    });
    connect(m_socket, &QWebSocket::disconnected, this, &WebSocketTransport::finish);
}

WebSocketTransport::~WebSocketTransport()
{
    // QWebSocket aborts in its destructor and would tell half-destroyed listeners about it.
    m_socket->disconnect(this);
}

void WebSocketTransport::open(const TransportRequest &request)
{
    if (isLoopback(request.url))
        m_socket->setProxy(QNetworkProxy::NoProxy);
    m_offered = request.subprotocols;
    QWebSocketHandshakeOptions options;
    options.setSubprotocols(request.subprotocols);
    QNetworkRequest handshake(request.url);
    m_socket->open(handshake, options);
}

void WebSocketTransport::sendText(const QByteArray &utf8)
{
    m_socket->sendTextMessage(QString::fromUtf8(utf8));
}

void WebSocketTransport::ping()
{
    m_socket->ping();
}

void WebSocketTransport::close(int code, const QString &reason)
{
    if (m_socket->state() == QAbstractSocket::ConnectedState)
        m_socket->close(static_cast<QWebSocketProtocol::CloseCode>(code), reason);
    else
        m_socket->abort();
}

TransportFactory WebSocketTransport::factory()
{
    return [] { return std::make_unique<WebSocketTransport>(); };
}

void WebSocketTransport::finish()
{
    if (m_ended)
        return;
    m_ended = true;
    TransportEnd end;
    end.reason = m_socket->closeReason();
    // Qt says 1000 for a link that dropped without a close frame too; the text tells them apart.
    const bool dropped = !m_errorText.isEmpty();
    end.code = dropped ? 1006 : static_cast<int>(m_socket->closeCode());
    end.error = makeError(QLatin1StringView("client"), QLatin1StringView("link_lost"),
        dropped ? m_errorText : tr("The connection was closed (%1 %2).").arg(end.code).arg(end.reason));
    Q_EMIT closed(end);
}

} // namespace foundry::realtime
