#include "backend/host/tlslistener.h"

#include "backend/host/httpmessage.h"
#include "realtime/protocol/frame.h"

#include <QLoggingCategory>
#include <QNetworkProxy>
#include <QSslSocket>
#include <QTimer>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTls, "foundry.host.tls")

namespace {
constexpr char kTlsHandshakeRecord = 0x16;
constexpr int kTlsCloseMs = 1000;
constexpr qint64 kTlsReadBuffer = 64 * 1024;
} // namespace

TlsListener::TlsListener(TlsIdentity identity, QObject *parent)
    : QTcpServer(parent)
    , m_identity(std::move(identity))
{
    setProxy(QNetworkProxy::NoProxy);
}

void TlsListener::incomingConnection(qintptr descriptor)
{
    auto *socket = new QSslSocket(this);
    socket->setReadBufferSize(kTlsReadBuffer);
    socket->setSslConfiguration(m_identity.configuration);
    if (!socket->setSocketDescriptor(descriptor)) {
        delete socket;
        return;
    }
    if (m_handshakes >= kTlsHandshakeLimit) {
        qCWarning(lcTls, "%d handshakes are under way already", m_handshakes);
        socket->abort();
        socket->deleteLater();
        return;
    }
    // Counts while the handshake is under way: ends by success, by the end of the socket, or by the deadline.
    ++m_handshakes;
    auto *pending = new QObject(socket);
    connect(pending, &QObject::destroyed, this, [this] { --m_handshakes; });
    connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    auto *deadline = new QTimer(pending);
    deadline->setSingleShot(true);
    connect(deadline, &QTimer::timeout, socket, [socket] {
        socket->abort();
        socket->deleteLater();
    });
    deadline->start(m_deadlineMs);
    connect(socket, &QTcpSocket::readyRead, pending, [this, socket] {
        if (!socket->isEncrypted())
            begin(socket);
    });
    connect(socket, &QSslSocket::encrypted, pending, [this, socket, pending] {
        disconnect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        socket->disconnect(pending);
        delete pending;
        socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
        Q_EMIT connected(socket);
    });
}

// By its first byte: a TLS client speaks first, and so does one of HTTP.
void TlsListener::begin(QSslSocket *socket)
{
    if (socket->mode() != QSslSocket::UnencryptedMode)
        return;
    const QByteArray first = socket->peek(1);
    if (first.isEmpty())
        return;
    if (first.at(0) == kTlsHandshakeRecord) {
        socket->startServerEncryption();
        return;
    }
    socket->readAll();
    socket->write(encodeHttpResponse(400, "application/json",
        protocol::encodeErrorBody(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("This port speaks TLS only."), QStringLiteral("Use an address that begins with https."))),
        {}, false));
    QTimer::singleShot(kTlsCloseMs, socket, &QSslSocket::abort);
    socket->disconnectFromHost();
}

} // namespace foundry::backend
