#include "realtime/connection/httpclient.h"

#include <QNetworkAccessManager>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QNetworkRequest>
#include <QPointer>
#include <QTimer>
#include <memory>

namespace foundry::realtime {

namespace {

constexpr qint64 httpBodyLimit = 4 * 1024 * 1024;

bool httpIsLoopback(const QUrl &url)
{
    return url.host() == QLatin1StringView("localhost") || url.host() == QLatin1StringView("::1")
        || url.host().startsWith(QLatin1StringView("127."));
}

} // namespace

HttpClient::HttpClient(QObject *parent)
    : QObject(parent)
    , m_network(new QNetworkAccessManager(this))
{
    m_network->setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
}

void HttpClient::send(
    const HttpRequest &request, QObject *context, std::function<void(Result<HttpAnswer>)> answer)
{
    // Hosts on this machine are never asked for through a system proxy.
    if (httpIsLoopback(request.url) && m_network->proxy().type() != QNetworkProxy::NoProxy)
        m_network->setProxy(QNetworkProxy::NoProxy);
    QNetworkRequest http(request.url);
    http.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    http.setHeader(QNetworkRequest::UserAgentHeader, QStringLiteral("FoundryWorkbench/" FOUNDRY_VERSION));
    if (!request.token.isEmpty())
        http.setRawHeader("Authorization", "Bearer " + request.token.toUtf8());

    QNetworkReply *reply = m_network->sendCustomRequest(http, request.verb, request.body);
    struct State {
        QPointer<QObject> context;
        std::function<void(Result<HttpAnswer>)> answer;
        bool late = false;
        bool large = false;
    };
    auto state = std::make_shared<State>();
    state->context = context;
    state->answer = std::move(answer);

    auto *deadline = new QTimer(reply);
    deadline->setSingleShot(true);
    connect(deadline, &QTimer::timeout, reply, [reply, state] {
        state->late = true;
        reply->abort();
    });
    deadline->start(request.deadline);
    connect(reply, &QNetworkReply::downloadProgress, reply, [reply, state](qint64 received) {
        if (received > httpBodyLimit) {
            state->large = true;
            reply->abort();
        }
    });
    connect(reply, &QNetworkReply::finished, reply, [reply, state] {
        reply->deleteLater();
        if (!state->context)
            return;
        const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        if (state->late) {
            state->answer(makeError(QLatin1StringView("client"), QLatin1StringView("timeout"),
                HttpClient::tr("The host did not answer in time."), HttpClient::tr("It is tried again by itself.")));
        } else if (state->large) {
            state->answer(makeError(QLatin1StringView("protocol"), QLatin1StringView("too_large"),
                HttpClient::tr("The host's answer was larger than allowed.")));
        } else if (status == 0) {
            state->answer(makeError(QLatin1StringView("client"), QLatin1StringView("unreachable"),
                HttpClient::tr("The host cannot be reached: %1").arg(reply->errorString()),
                HttpClient::tr("It is tried again by itself.")));
        } else {
            state->answer(HttpAnswer{status, reply->readAll()});
        }
    });
}

} // namespace foundry::realtime
