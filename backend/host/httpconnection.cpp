#include "backend/host/httpconnection.h"

#include <QSslSocket>

namespace foundry::backend {

namespace {
constexpr qint64 kReadBuffer = kHttpHeadLimit + kHttpBodyLimit;
constexpr qint64 kWebSocketReadBuffer = 512 * 1024; // more than a frame may have; a flood waits in the peer's kernel
constexpr int kDiscardMs = 1000;
constexpr int kRequestMs = 15000;   // a request that was begun must be whole by then
constexpr int kKeepAliveMs = 90000; // longer than clients keep theirs, so that they close first
} // namespace

HttpConnection::HttpConnection(QTcpSocket *socket, HttpHandler &handler, QObject *parent)
    : QObject(parent)
    , m_socket(socket)
    , m_handler(handler)
    , m_isEncrypted(qobject_cast<QSslSocket *>(socket))
{
    socket->setParent(this);
    socket->setReadBufferSize(kReadBuffer);
    m_idle.setSingleShot(true);
    m_idle.setTimerType(Qt::VeryCoarseTimer);
    connect(&m_idle, &QTimer::timeout, this, [this] {
        if (m_socket && !m_handling)
            m_socket->disconnectFromHost();
    });
    connect(socket, &QTcpSocket::readyRead, this, &HttpConnection::read);
    connect(socket, &QTcpSocket::disconnected, this, &QObject::deleteLater);
    m_idle.start(kRequestMs);
    if (socket->bytesAvailable() > 0)
        QMetaObject::invokeMethod(this, &HttpConnection::read, Qt::QueuedConnection);
}

void HttpConnection::read()
{
    if (m_discard && m_socket) {
        m_socket->readAll();
        return;
    }
    while (m_socket && !m_handling) {
        if (!m_hasHead && !readHead())
            return;
        m_buffer += m_socket->readAll();
        switch (m_reader.feed(m_buffer)) {
        case HttpBodyReader::State::NeedMore:
            return;
        case HttpBodyReader::State::Invalid:
            fail(400);
            return;
        case HttpBodyReader::State::TooLarge:
            m_keepAlive = false;
            m_handling = true;
            m_discard = true;
            m_handler.tooLarge(this);
            return;
        case HttpBodyReader::State::Complete:
            break;
        }
        m_hasHead = false;
        m_handling = true;
        m_idle.stop();
        m_handler.handle(this, HttpRequest{std::exchange(m_head, {}), m_reader.body()});
    }
}

bool HttpConnection::readHead()
{
    // What came behind the last request's body was taken already; the rest is only looked at, because a WebSocket
    // handshake has to stay in the socket. A client sends no upgrade before the answer to its last request.
    const bool fromBuffer = !m_buffer.isEmpty();
    if (fromBuffer)
        m_buffer += m_socket->readAll();
    const QByteArray seen = fromBuffer ? m_buffer : m_socket->peek(kHttpHeadLimit + 1);
    if (seen.isEmpty())
        return false;
    if (!m_idle.isActive() || m_idle.interval() != kRequestMs)
        m_idle.start(kRequestMs);
    HttpHeadResult parsed = parseHttpHead(seen);
    switch (parsed.state) {
    case HttpHeadResult::State::NeedMore:
        return false;
    case HttpHeadResult::State::Invalid:
        fail(400);
        return false;
    case HttpHeadResult::State::TooLarge:
        fail(431);
        return false;
    case HttpHeadResult::State::Complete:
        break;
    }
    m_keepAlive = parsed.head.keepAlive();
    m_handling = true;
    if (m_handler.refuse(this, parsed.head))
        return false;
    m_handling = false;
    if (parsed.head.isWebSocketUpgrade()) {
        if (fromBuffer)
            fail(400);
        else
            handOver(parsed.head);
        return false;
    }
    if (fromBuffer)
        m_buffer.remove(0, parsed.length);
    else
        m_socket->read(parsed.length);
    m_head = std::move(parsed.head);
    m_hasHead = true;
    m_reader = HttpBodyReader(m_head, kHttpBodyLimit);
    if (m_reader.state() == HttpBodyReader::State::NeedMore && m_head.headerHasToken("expect", "100-continue"))
        m_socket->write("HTTP/1.1 100 Continue\r\n\r\n");
    return true;
}

void HttpConnection::handOver(const HttpHead &head)
{
    QTcpSocket *socket = m_socket;
    m_socket.clear();
    m_idle.stop();
    socket->disconnect(this);
    socket->setParent(nullptr);
    socket->setReadBufferSize(kWebSocketReadBuffer);
    m_handler.upgrade(socket, head);
    deleteLater();
}

void HttpConnection::respond(int status, const QByteArray &contentType, const QByteArray &body,
    const QList<QPair<QByteArray, QByteArray>> &headers)
{
    if (!m_socket)
        return;
    m_socket->write(encodeHttpResponse(status, contentType, body, headers, m_keepAlive));
    m_handling = false;
    if (!m_keepAlive) {
        m_handling = true; // no other request
        // Closing over unread bytes would reset the connection, and take the answer with it.
        if (m_discard)
            QTimer::singleShot(kDiscardMs, m_socket, &QTcpSocket::disconnectFromHost);
        else
            m_socket->disconnectFromHost();
        return;
    }
    m_idle.start(kKeepAliveMs);
    if (!m_buffer.isEmpty() || m_socket->bytesAvailable() > 0)
        QMetaObject::invokeMethod(this, &HttpConnection::read, Qt::QueuedConnection);
}

void HttpConnection::fail(int status)
{
    m_keepAlive = false;
    m_handling = true;
    respond(status, "text/plain", httpReason(status));
}

} // namespace foundry::backend
