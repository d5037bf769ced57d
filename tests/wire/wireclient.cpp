#include "tests/wire/wireclient.h"

#include "realtime/protocol/codec.h"
#include "realtime/protocol/manager.h"

#include <QEventLoop>
#include <QNetworkAccessManager>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QTimer>
#include <QUrl>
#include <QWebSocketHandshakeOptions>

namespace foundry::wire {

namespace {

Error failure(const QString &what)
{
    return makeError(QLatin1StringView("client"), QLatin1StringView("failed"), what);
}

} // namespace

WireClient::WireClient(QString endpoint, QString token)
    : m_endpoint(std::move(endpoint))
    , m_token(std::move(token))
{
    m_clock.start();
    m_socket.setProxy(QNetworkProxy::NoProxy);
    connect(&m_socket, &QWebSocket::disconnected, this, [this] { m_gone = true; });
    connect(&m_socket, &QWebSocket::textMessageReceived, this, [this](const QString &text) { receive(text.toUtf8()); });
}

WireClient::~WireClient()
{
    m_socket.abort();
}

bool WireClient::wait(const std::function<bool()> &done, int timeoutMs)
{
    QElapsedTimer clock;
    clock.start();
    while (!done()) {
        if (clock.elapsed() > timeoutMs)
            return false;
        QEventLoop loop;
        QTimer::singleShot(2, &loop, &QEventLoop::quit);
        loop.exec();
    }
    return true;
}

Result<> WireClient::open(const QString &actor, const QStringList &key, bool create, int timeoutMs)
{
    QNetworkAccessManager network;
    network.setProxy(QNetworkProxy::NoProxy);
    QNetworkRequest request(QUrl(m_endpoint + QStringLiteral("/actors?namespace=default")));
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    request.setRawHeader("Authorization", "Bearer " + m_token.toUtf8());
    QNetworkReply *reply = create ? network.put(request, protocol::encodeGetOrCreate(actor, key))
                                  : network.post(request, protocol::encodeGetOrCreate(actor, key));
    if (!wait([reply] { return reply->isFinished(); }, 10000))
        return failure(QStringLiteral("Finding the actor took too long."));
    const QByteArray body = reply->readAll();
    const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    reply->deleteLater();
    if (status != 200)
        return status == 0 ? failure(QStringLiteral("No answer from the host.")) : protocol::decodeErrorBody(body);
    const auto record = protocol::decodeActor(body);
    if (!record)
        return record.error();
    QUrl url(m_endpoint);
    url.setScheme(QStringLiteral("ws"));
    url.setPath(QStringLiteral("/gateway/%1@%2/connect").arg(record->actorId, m_token));
    QWebSocketHandshakeOptions handshake;
    handshake.setSubprotocols({QStringLiteral("rivet"), QStringLiteral("rivet_encoding.json")});
    m_socket.open(url, handshake);
    if (!wait([this] { return m_open || m_gone; }, timeoutMs) || !m_open)
        return failure(QStringLiteral("The host sent no Init: %1").arg(m_socket.closeReason()));
    return Unit{};
}

void WireClient::subscribe(const QString &topic)
{
    m_socket.sendTextMessage(QString::fromUtf8(protocol::encodeClientFrame(protocol::SubscriptionFrame{topic, true})));
}

Result<QByteArray> WireClient::call(const QString &action, const QByteArray &args, int timeoutMs)
{
    m_answer.reset();
    m_waitingFor = m_next++;
    m_socket.sendTextMessage(QString::fromUtf8(protocol::encodeClientFrame(protocol::ActionFrame{m_waitingFor, action, args})));
    if (!wait([this] { return m_answer.has_value() || m_gone; }, timeoutMs))
        return makeError(QLatin1StringView("client"), QLatin1StringView("timeout"), QStringLiteral("%1 was not answered.").arg(action));
    if (!m_answer)
        return makeError(QLatin1StringView("client"), QLatin1StringView("closed"), QStringLiteral("The connection was closed: %1").arg(m_socket.closeReason()));
    if (const auto *error = std::get_if<protocol::ErrorFrame>(&*m_answer))
        return error->error;
    return std::get<protocol::ActionResponseFrame>(*m_answer).output;
}

quint64 WireClient::post(const QString &action, const QByteArray &args)
{
    const quint64 id = m_next++;
    m_posted.insert(id);
    m_socket.sendTextMessage(QString::fromUtf8(protocol::encodeClientFrame(protocol::ActionFrame{id, action, args})));
    return id;
}

void WireClient::receive(const QByteArray &text)
{
    bytesReceived += text.size();
    auto frame = protocol::decodeServerFrame(text);
    if (!frame)
        return;
    if (std::holds_alternative<protocol::InitFrame>(*frame)) {
        m_open = true;
    } else if (const auto *event = std::get_if<protocol::EventFrame>(&*frame)) {
        auto decoded = protocol::decodeEventArgs(event->args);
        if (decoded)
            events.append(ReceivedEvent{*decoded, text.size(), nowNs()});
    } else if (const auto *answer = std::get_if<protocol::ActionResponseFrame>(&*frame)) {
        if (answer->id == m_waitingFor)
            m_answer = *frame;
        else if (m_posted.remove(answer->id))
            answers.insert(answer->id, answer->output);
    } else if (const auto *error = std::get_if<protocol::ErrorFrame>(&*frame)) {
        if (!error->actionId || *error->actionId == m_waitingFor)
            m_answer = *frame;
        else if (m_posted.remove(*error->actionId))
            answers.insert(*error->actionId, error->error);
    }
}

} // namespace foundry::wire
