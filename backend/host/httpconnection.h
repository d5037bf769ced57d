// One TCP connection that speaks HTTP/1.1: reads a request at a time, answers it, and hands the socket over, unread,
// when a request asks for a WebSocket. Deletes itself when the peer has gone. Main thread.
#pragma once

#include "backend/host/httpmessage.h"

#include <QObject>
#include <QPointer>
#include <QTcpSocket>
#include <QTimer>

namespace foundry::backend {

struct HttpRequest {
    HttpHead head;
    QByteArray body;
};

class HttpConnection;

class HttpHandler {
public:
    virtual ~HttpHandler() = default;
    // Must answer through connection->respond(), now or later; the connection may have gone by then (use a QPointer).
    virtual void handle(HttpConnection *connection, const HttpRequest &request) = 0;
    // Before the body is read: an answer here (true) ends the connection.
    virtual bool refuse(HttpConnection *connection, const HttpHead &head) = 0;
    // Takes the socket over; its request head is not read yet.
    virtual void upgrade(QTcpSocket *socket, const HttpHead &head) = 0;
    virtual void tooLarge(HttpConnection *connection) = 0;
};

class HttpConnection final : public QObject {
    Q_OBJECT

public:
    // Takes the socket as a child.
    HttpConnection(QTcpSocket *socket, HttpHandler &handler, QObject *parent);

    void respond(int status, const QByteArray &contentType, const QByteArray &body,
        const QList<QPair<QByteArray, QByteArray>> &headers = {});
    void respondJson(int status, const QByteArray &body) { respond(status, "application/json", body); }
    // The answer under way is the last one.
    void closeAfterResponse() { m_keepAlive = false; }
    bool isBusy() const { return m_handling; }
    bool isEncrypted() const { return m_isEncrypted; }

private:
    void read();
    bool readHead();
    void handOver(const HttpHead &head);
    void fail(int status);

    QPointer<QTcpSocket> m_socket;
    HttpHandler &m_handler;
    QTimer m_idle;
    HttpHead m_head;
    HttpBodyReader m_reader;
    QByteArray m_buffer;
    const bool m_isEncrypted;
    bool m_hasHead = false;
    bool m_handling = false;
    bool m_keepAlive = true;
    bool m_discard = false; // a body that is too large is read and thrown away, so that the answer arrives
};

constexpr qsizetype kHttpBodyLimit = 48 * 1024; // as a message on a WebSocket

} // namespace foundry::backend
