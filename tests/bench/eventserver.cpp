#include "tests/bench/eventserver.h"

#include "realtime/protocol/codec.h"
#include "realtime/protocol/frame.h"

#include <QElapsedTimer>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTimer>
#include <QWebSocket>
#include <QWebSocketServer>

namespace foundry::bench {

EventServer::EventServer(std::function<QByteArray(int)> frame)
    : m_frame(std::move(frame))
{
    m_context = new QObject;
    m_context->moveToThread(&m_thread);
    m_thread.start();
    QMetaObject::invokeMethod(
        m_context,
        [this] {
            m_server = new QWebSocketServer(QStringLiteral("bench"), QWebSocketServer::NonSecureMode, m_context);
            m_server->setSupportedSubprotocols({QStringLiteral("rivet")});
            QObject::connect(m_server, &QWebSocketServer::newConnection, m_context, [this] { accept(); });
            auto *listener = new QTcpServer(m_context);
            QObject::connect(listener, &QTcpServer::newConnection, m_context, [this, listener] {
                QTcpSocket *socket = listener->nextPendingConnection();
                // As the host does it: else Nagle's algorithm holds single events back for 40 ms.
                socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
                m_server->handleConnection(socket);
            });
            listener->listen(QHostAddress::LocalHost, 0);
            m_port = listener->serverPort();
        },
        Qt::BlockingQueuedConnection);
}

EventServer::~EventServer()
{
    QMetaObject::invokeMethod(m_context, [this] { delete m_context; }, Qt::BlockingQueuedConnection);
    m_thread.quit();
    m_thread.wait();
}

void EventServer::accept()
{
    m_client = m_server->nextPendingConnection();
    m_client->setParent(m_context);
    QObject::connect(m_client, &QWebSocket::textMessageReceived, m_context,
        [this, socket = m_client](const QString &text) { answer(socket, text); });
    m_client->sendTextMessage(QString::fromUtf8(
        protocol::encodeServerFrame(protocol::InitFrame{QStringLiteral("actor"), QStringLiteral("connection")})));
}

void EventServer::answer(QWebSocket *socket, const QString &text)
{
    const auto frame = protocol::decodeClientFrame(text.toUtf8());
    const auto *action = frame ? std::get_if<protocol::ActionFrame>(&*frame) : nullptr;
    if (!action)
        return;
    ChangesPage page;
    page.generation = QStringLiteral("g");
    page.full = true;
    const QByteArray output = action->name == QLatin1StringView("changesSince")
        ? protocol::encodeChangesPage(page)
        : protocol::encodeRevisions({});
    socket->sendTextMessage(QString::fromUtf8(protocol::encodeServerFrame(protocol::ActionResponseFrame{action->id, output})));
}

void EventServer::send(int count, int perSecond)
{
    QMetaObject::invokeMethod(m_context, [this, count, perSecond] {
        if (perSecond == 0) {
            for (int i = 0; i < count; ++i)
                m_client->sendTextMessage(QString::fromUtf8(m_frame(m_next++)));
            return;
        }
        auto *timer = new QTimer(m_context);
        timer->setTimerType(Qt::PreciseTimer);
        auto left = std::make_shared<int>(count);
        QObject::connect(timer, &QTimer::timeout, m_context, [this, timer, left] {
            m_client->sendTextMessage(QString::fromUtf8(m_frame(m_next++)));
            if (--*left == 0)
                timer->deleteLater();
        });
        timer->start(qMax(1, 1000 / perSecond));
    });
}

} // namespace foundry::bench
