// Small HTTP requests with a deadline; every request is answered exactly once. Bodies are bounded. GUI thread.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QObject>
#include <QUrl>
#include <chrono>
#include <functional>

QT_BEGIN_NAMESPACE
class QNetworkAccessManager;
QT_END_NAMESPACE

namespace foundry::realtime {

struct HttpRequest {
    QByteArray verb; // GET, PUT, POST
    QUrl url;
    QString token = {}; // sent as a bearer token when not empty
    QByteArray body = {};
    std::chrono::milliseconds deadline = std::chrono::seconds(10);
};

struct HttpAnswer {
    int status = 0;
    QByteArray body;
    bool ok() const { return status >= 200 && status < 300; }
};

class HttpClient : public QObject {
    Q_OBJECT

public:
    explicit HttpClient(QObject *parent = nullptr);

    // An answer with any status is a value; errors are client.unreachable, client.timeout and protocol.too_large.
    // Not answered when `context` is gone.
    void send(const HttpRequest &request, QObject *context, std::function<void(Result<HttpAnswer>)> answer);

private:
    QNetworkAccessManager *m_network;
};

} // namespace foundry::realtime
