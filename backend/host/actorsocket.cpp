#include "backend/host/actorsocket.h"

#include "backend/host/socketdrain.h"
#include "backend/observe/logline.h"
#include "realtime/protocol/frame.h"
#include "realtime/protocol/messagelimits.h"

#include <QLoggingCategory>
#include <QPointer>
#include <QTcpSocket>
#include <QUuid>
#include <QWebSocket>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcSockets, "foundry.host.sockets")

namespace {

constexpr qint64 kUnsentLimit = 16 * 1024 * 1024;
constexpr quint64 kManyFramesLimit = 1024 * 1024;
constexpr qsizetype kFrameHead = 14;
constexpr int kDrainMs = 2000; // a peer in the midst of a message that is not wanted is read that long
constexpr int kCloseMs = 2000; // a peer that does not answer the close is cut off

Error actorsocketTooLong()
{
    return makeError(QLatin1StringView("message"), QLatin1StringView("incoming_too_long"),
        QStringLiteral("A message may have at most %1 bytes.").arg(protocol::clientMessageLimit),
        QStringLiteral("Send long texts as blobs, in pieces."));
}

QString actorsocketReason(const Error &error)
{
    return error.key().left(120);
}

} // namespace

ActorSocket::ActorSocket(
    QWebSocket *socket, QTcpSocket *transport, ConnectionId connection, ActorRuntime &runtime, Deliveries &deliveries, const AccessGate &gate, QObject *parent)
    : QObject(parent)
    , m_socket(socket)
    , m_transport(transport)
    , m_connection(connection)
    , m_runtime(runtime)
    , m_deliveries(deliveries)
    , m_gate(gate)
{
    socket->setParent(this);
    // Qt's own limits end a connection without a reason. They are for messages of very many frames; what one frame brings is
    // looked at here: QWebSocket has taken all that is whole, and what waits in the connection's bounded buffer is the
    // beginning of one frame.
    socket->setMaxAllowedIncomingMessageSize(kManyFramesLimit);
    socket->setMaxAllowedIncomingFrameSize(QWebSocket::maxIncomingFrameSize());
    if (transport) {
        connect(transport, &QTcpSocket::readyRead, this, [this, transport] {
            if (!m_closing && transport->bytesAvailable() > protocol::clientMessageLimit + kFrameHead)
                rejectUnfinished();
        });
    }
    // Also where Qt begins to close (a frame that is broken or far too large): a peer that goes on sending is cut off.
    connect(socket, &QWebSocket::aboutToClose, this, [socket] { QTimer::singleShot(kCloseMs, socket, [socket] { socket->abort(); }); });
    connect(socket, &QWebSocket::textMessageReceived, this, &ActorSocket::received);
    connect(socket, &QWebSocket::binaryMessageReceived, this,
        [this](const QByteArray &bytes) { received(QString::fromUtf8(bytes)); });
    connect(socket, &QWebSocket::disconnected, this, [this] {
        qCInfo(lcSockets, "%s", LogLine("connection_closed").add("correlation", m_runtime.connectionCorrelation(m_connection))
                .add("actor", m_address.name).add("user", m_caller.userId).add("code", qint64(m_socket->closeCode()))
                .add("reason", m_socket->closeReason()).add("calls", qint64(m_calls)).addMilliseconds("ms", m_age.seconds())
                .text().constData());
        m_counted.reset();
        Q_EMIT closed(m_connection);
        deleteLater();
    });
}

ActorSocket::~ActorSocket()
{
    if (!m_actorId.isEmpty())
        m_runtime.detach(m_actorId, m_connection);
}

void ActorSocket::open(const ActorRef &actor, const Caller &caller)
{
    m_actorId = actor.id;
    m_address = actor.address;
    m_caller = caller;
    const QByteArray kind = actor.address.name.toLatin1();
    m_runtime.metrics().connectionsOpened.with({kind}).add();
    m_counted = std::make_unique<Held>(m_runtime.metrics().connections.with({kind}));
    qCInfo(lcSockets, "%s", LogLine("connection_opened").add("correlation", m_runtime.connectionCorrelation(m_connection))
            .add("actor", actor.address.name).add("key", actor.address.key.join(QLatin1Char('/'))).add("user", caller.userId)
            .text().constData());
    Q_EMIT opened(m_address, caller.userId);
    m_runtime.attach(actor.id, m_connection, [self = QPointer(this), &deliveries = m_deliveries](Result<> attached) {
        deliveries.run([self, attached] {
            if (!self)
                return;
            if (!attached) {
                self->reject(attached.error());
                return;
            }
            self->sendFrame(protocol::encodeServerFrame(
                protocol::InitFrame{self->m_actorId, QUuid::createUuid().toString(QUuid::WithoutBraces)}));
        });
    });
}

std::optional<Error> ActorSocket::refused() const
{
    return m_actorId.isEmpty() ? std::nullopt : m_gate.refuseConnection(m_caller, m_address);
}

void ActorSocket::reject(const Error &error)
{
    m_runtime.metrics().connectionsRefused.with({error.key().toLatin1()}).add();
    sendFrame(protocol::encodeServerFrame(protocol::ErrorFrame{error}));
    close(1011, actorsocketReason(error));
}

// The peer is in the midst of a message: closing over what it still sends would reset the connection, and take the reason
// with it.
void ActorSocket::rejectUnfinished()
{
    drainSocket(m_transport->socketDescriptor(), kDrainMs);
    reject(actorsocketTooLong());
}

void ActorSocket::close(quint16 code, const QString &reason)
{
    if (m_closing)
        return;
    m_closing = true;
    m_socket->close(QWebSocketProtocol::CloseCode(code), reason);
    if (m_socket->state() != QAbstractSocket::UnconnectedState)
        QTimer::singleShot(kCloseMs, m_socket, [socket = m_socket] { socket->abort(); });
}

bool ActorSocket::overloaded()
{
    if (m_socket->bytesToWrite() <= kUnsentLimit)
        return false;
    // The peer does not read: it catches up by revision when it is back.
    close(1011, QStringLiteral("actor.overloaded"));
    return true;
}

void ActorSocket::sendEvent(const QString &frame)
{
    if (!m_closing && !overloaded())
        m_socket->sendTextMessage(frame);
}

void ActorSocket::sendFrame(const QByteArray &frame)
{
    if (!m_closing && !overloaded())
        m_socket->sendTextMessage(QString::fromUtf8(frame));
}

void ActorSocket::received(const QString &text)
{
    if (m_closing || m_actorId.isEmpty())
        return;
    const QByteArray utf8 = text.toUtf8();
    if (utf8.size() > protocol::clientMessageLimit) {
        reject(actorsocketTooLong());
        return;
    }
    const auto frame = protocol::decodeClientFrame(utf8);
    if (!frame) {
        m_runtime.metrics().decodeErrors.with({"frame"}).add();
        qCInfo(lcSockets, "%s", LogLine("decode_error").add("correlation", m_runtime.connectionCorrelation(m_connection))
                .add("actor", m_address.name).add("error", frame.error().key()).add("bytes", qint64(utf8.size())).text().constData());
        reject(makeError(QLatin1StringView("actor"), QLatin1StringView("invalid_request"), frame.error().message));
        return;
    }
    if (const auto *subscription = std::get_if<protocol::SubscriptionFrame>(&*frame))
        m_runtime.subscribe(m_actorId, m_connection, subscription->eventName, subscription->subscribe);
    else if (const auto *action = std::get_if<protocol::ActionFrame>(&*frame))
        act(action->id, action->name, action->args);
}

void ActorSocket::act(quint64 id, const QString &name, const QByteArray &args)
{
    if (const auto refused = m_gate.refuseAction(m_caller, m_address, name)) {
        sendFrame(protocol::encodeServerFrame(protocol::ErrorFrame{*refused, id}));
        return;
    }
    ActorCall call{name, args, m_gate.callerAt(m_caller, m_address), m_runtime.connectionCorrelation(m_connection) + QStringLiteral("-%1").arg(++m_calls)};
    if (args.contains("[\"$")) {
        auto plain = protocol::unescapeExtensions(args);
        if (!plain) {
            reject(makeError(QLatin1StringView("actor"), QLatin1StringView("invalid_request"), plain.error().message));
            return;
        }
        call.args = *plain;
    }
    m_runtime.act(m_actorId, std::move(call),
        [self = QPointer(this), &deliveries = m_deliveries, waiting = m_waiting, id](Result<QByteArray> answer) {
            QByteArray frame;
            if (!answer) {
                frame = protocol::encodeServerFrame(protocol::ErrorFrame{answer.error(), id});
            } else {
                QByteArray output = *answer;
                if (output.contains("[\"$")) {
                    if (const auto escaped = protocol::escapeExtensions(output))
                        output = *escaped;
                }
                frame = protocol::encodeServerFrame(protocol::ActionResponseFrame{id, output});
            }
            // Answers on their way count as unsent: nobody gathers them here faster than they are taken.
            const qint64 bytes = frame.size();
            const bool tooMuch = waiting->fetch_add(bytes) + bytes > kUnsentLimit;
            if (tooMuch)
                frame.clear();
            deliveries.run([self, frame, waiting, bytes, tooMuch] {
                waiting->fetch_sub(bytes);
                if (self && tooMuch)
                    self->close(1011, QStringLiteral("actor.overloaded"));
                else if (self)
                    self->sendFrame(frame);
            });
        });
}

} // namespace foundry::backend
