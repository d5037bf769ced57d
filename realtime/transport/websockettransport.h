// Transport over QWebSocket. Loopback never goes through a proxy.
#pragma once

#include "realtime/transport/transport.h"

#include <QAbstractSocket>

QT_BEGIN_NAMESPACE
class QWebSocket;
QT_END_NAMESPACE

namespace foundry::realtime {

class WebSocketTransport final : public Transport {
    Q_OBJECT

public:
    explicit WebSocketTransport(QObject *parent = nullptr);
    ~WebSocketTransport() override;

    void open(const TransportRequest &request) override;
    void sendText(const QByteArray &utf8) override;
    void ping() override;
    void close(int code, const QString &reason) override;

    static TransportFactory factory();

private:
    void finish();

    QWebSocket *m_socket;
    QStringList m_offered;
    QString m_errorText;
    bool m_ended = false;
};

} // namespace foundry::realtime
