// A socket that carries text frames, as thin as it can be: no protocol, no retries. One opening per object.
// GUI thread (or the thread of its owner). `closed` comes exactly once after open(), whatever happened.
#pragma once

#include "models/types/error.h"

#include <QByteArray>
#include <QObject>
#include <QStringList>
#include <QUrl>
#include <functional>
#include <memory>

namespace foundry::realtime {

struct TransportRequest {
    QUrl url; // ws or wss; the token is a part of its path and never logged
    QStringList subprotocols = {};
};

// Why a socket ended. `code` is the WebSocket close code; 1006 when there was no close frame.
struct TransportEnd {
    int code = 1006;
    QString reason = {}; // the server's words, `group.code[#ray]` by convention
    Error error = {};    // the same as a value; group client, code link_lost when the link just dropped
};

class Transport : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    virtual void open(const TransportRequest &request) = 0;
    virtual void sendText(const QByteArray &utf8) = 0;
    virtual void ping() = 0;
    virtual void close(int code, const QString &reason) = 0;

Q_SIGNALS:
    void opened();
    void textReceived(const QByteArray &utf8);
    void pongReceived();
    void closed(const foundry::realtime::TransportEnd &end);
};

// A new socket for each attempt.
using TransportFactory = std::function<std::unique_ptr<Transport>()>;

} // namespace foundry::realtime
