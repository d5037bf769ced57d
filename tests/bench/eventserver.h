// A server of one actor that answers the least a client asks and then sends events as fast as the socket takes them.
// Runs on its own thread, so that the client's thread is measured alone.
#pragma once

#include <QByteArray>
#include <QObject>
#include <QThread>
#include <functional>

QT_BEGIN_NAMESPACE
class QWebSocket;
class QWebSocketServer;
QT_END_NAMESPACE

namespace foundry::bench {

class EventServer : public QObject {
    Q_OBJECT

public:
    // `frame(n)` makes the n-th event frame, n from 1; called on the server's thread.
    explicit EventServer(std::function<QByteArray(int)> frame);
    ~EventServer() override;

    quint16 port() const { return m_port; }
    // After the client's changesSince was answered: `count` events, `perSecond` of them (0: all at once).
    void send(int count, int perSecond);

private:
    void accept();
    void answer(QWebSocket *socket, const QString &text);

    QThread m_thread;
    QObject *m_context = nullptr; // lives on the thread
    QWebSocketServer *m_server = nullptr;
    QWebSocket *m_client = nullptr;
    std::function<QByteArray(int)> m_frame;
    quint16 m_port = 0;
    int m_next = 1;
};

} // namespace foundry::bench
