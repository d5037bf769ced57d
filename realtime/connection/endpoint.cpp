#include "realtime/connection/endpoint.h"

#include <QCoreApplication>
#include <QUrlQuery>

namespace foundry::realtime {

namespace {

// Percent-encoded by hand: QUrl would leave some characters that are legal in a path but split it for the server.
QString endpointPercent(const QString &text)
{
    return QString::fromLatin1(QUrl::toPercentEncoding(text));
}

QUrl endpointAppend(const QUrl &base, const QString &encodedPath, const QString &encodedQuery = {})
{
    QUrl url(base);
    url.setPath(base.path(QUrl::FullyEncoded) + encodedPath, QUrl::StrictMode);
    if (!encodedQuery.isEmpty())
        url.setQuery(encodedQuery, QUrl::StrictMode);
    return url;
}

} // namespace

Result<Endpoint> Endpoint::parse(const QString &text)
{
    const auto invalid = [&](const QString &why) {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), why,
            QCoreApplication::translate("Endpoint", "Use an address such as http://127.0.0.1:6420."));
    };
    QUrl url(text.trimmed(), QUrl::StrictMode);
    if (!url.isValid() || url.host().isEmpty())
        return invalid(QCoreApplication::translate("Endpoint", "The address of the host cannot be read."));
    if (url.scheme() != QLatin1StringView("http") && url.scheme() != QLatin1StringView("https"))
        return invalid(QCoreApplication::translate("Endpoint", "The address of a host begins with http or https."));
    if (url.hasQuery() || url.hasFragment())
        return invalid(QCoreApplication::translate("Endpoint", "The address of a host has no query and no fragment."));

    Endpoint endpoint;
    if (!url.userName().isEmpty())
        endpoint.nameSpace = url.userName(QUrl::FullyDecoded);
    endpoint.token = url.password(QUrl::FullyDecoded);
    url.setUserInfo({});
    QString path = url.path(QUrl::FullyEncoded);
    while (path.endsWith(QLatin1Char('/')))
        path.chop(1);
    url.setPath(path, QUrl::StrictMode);
    endpoint.url = url;
    return endpoint;
}

QUrl Endpoint::metadataUrl() const
{
    return endpointAppend(url, QStringLiteral("/metadata"), QStringLiteral("namespace=") + endpointPercent(nameSpace));
}

QUrl Endpoint::actorsUrl() const
{
    return endpointAppend(url, QStringLiteral("/actors"), QStringLiteral("namespace=") + endpointPercent(nameSpace));
}

QUrl Endpoint::actorsUrl(const QString &name, const QString &encodedKey) const
{
    return endpointAppend(url, QStringLiteral("/actors"),
        QStringLiteral("name=%1&key=%2&namespace=%3")
            .arg(endpointPercent(name), endpointPercent(encodedKey), endpointPercent(nameSpace)));
}

QUrl Endpoint::connectUrl(const QString &actorId) const
{
    QString path = QStringLiteral("/gateway/") + endpointPercent(actorId);
    if (!token.isEmpty())
        path += QLatin1Char('@') + endpointPercent(token);
    QUrl result = endpointAppend(url, path + QStringLiteral("/connect"));
    result.setScheme(url.scheme() == QLatin1StringView("https") ? QStringLiteral("wss") : QStringLiteral("ws"));
    return result;
}

QString Endpoint::describe() const
{
    return url.toString(QUrl::RemoveUserInfo);
}

QStringList connectSubprotocols(const QByteArray &connParamsJson)
{
    // `rivet` first: it is the only one that a server may echo.
    QStringList list{QStringLiteral("rivet"), QStringLiteral("rivet_encoding.json")};
    if (!connParamsJson.isEmpty())
        list << QStringLiteral("rivet_conn_params.") + endpointPercent(QString::fromUtf8(connParamsJson));
    return list;
}

} // namespace foundry::realtime
