#include "backend/host/gatewayroute.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QStringConverter>

namespace foundry::backend {

namespace {

QString gatewayrouteDecode(QByteArrayView text)
{
    return QString::fromUtf8(QByteArray::fromPercentEncoding(text.toByteArray()));
}

// Rejects what is no text, so that a broken escape cannot name something else than it seems to.
bool gatewayrouteIsText(const QString &text)
{
    return !text.contains(QChar::ReplacementCharacter) && !text.contains(QChar(0));
}

void gatewayrouteReadKey(GatewayRoute &route, const QList<QPair<QString, QString>> &query)
{
    for (const auto &[name, value] : query) {
        if (name == QLatin1StringView("rvt-method")) {
            route.byKey = true;
            route.mayCreate = value == QLatin1StringView("getOrCreate");
        } else if (name == QLatin1StringView("rvt-key")) {
            route.address.key = value.split(QLatin1Char(','));
        } else if (name == QLatin1StringView("rvt-token")) {
            route.tokens.append(value);
        } else if (!name.startsWith(QLatin1StringView("rvt-"))) {
            route.query.append({name, value});
        }
    }
}

void gatewayrouteReadGateway(GatewayRoute &route, const QList<QByteArray> &segments)
{
    // /gateway/{id}[@{token}]/… or /gateway/{name}/…?rvt-…
    const QByteArray who = segments.value(2);
    const qsizetype at = who.indexOf('@');
    const QString name = gatewayrouteDecode(at < 0 ? who : who.first(at));
    if (at >= 0)
        route.tokens.append(gatewayrouteDecode(who.sliced(at + 1)));
    if (name.isEmpty() || !gatewayrouteIsText(name))
        return;
    if (route.byKey)
        route.address.name = name;
    else
        route.actorId = name;
    if (segments.size() == 5 && segments.at(3) == "action") {
        route.action = gatewayrouteDecode(segments.at(4));
        if (!route.action.isEmpty() && gatewayrouteIsText(route.action))
            route.kind = GatewayRoute::Kind::Action;
    } else if (segments.size() == 4 && segments.at(3) == "connect") {
        route.kind = GatewayRoute::Kind::Connect;
    }
}

} // namespace

QString GatewayRoute::param(QStringView name) const
{
    for (const auto &[key, value] : query) {
        if (key == name)
            return value;
    }
    return {};
}

GatewayRoute parseRoute(const HttpHead &head)
{
    GatewayRoute route;
    const qsizetype mark = head.target.indexOf('?');
    QByteArray path = mark < 0 ? head.target : head.target.first(mark);
    gatewayrouteReadKey(route, parseQuery(mark < 0 ? QByteArrayView() : QByteArrayView(head.target).sliced(mark + 1)));
    while (path.size() > 1 && path.endsWith('/'))
        path.chop(1);

    const QByteArray bearer = head.header("authorization");
    if (bearer.left(7).toLower() == "bearer ")
        route.tokens.append(QString::fromUtf8(bearer.sliced(7).trimmed()));
    if (const QByteArray token = head.header("x-rivet-token"); !token.isEmpty())
        route.tokens.append(QString::fromUtf8(token));
    if (const QByteArray params = head.header("x-rivet-conn-params"); !params.isEmpty())
        route.tokens.append(tokenOfParams(QString::fromLatin1(params).toUtf8()));
    const OfferedProtocols offered = parseProtocols(head.header("sec-websocket-protocol"));
    if (!offered.connParams.isEmpty())
        route.tokens.append(tokenOfParams(offered.connParams));
    if (!offered.token.isEmpty())
        route.tokens.append(offered.token);

    const QList<QByteArray> segments = path.split('/'); // the first is empty
    const QByteArray first = segments.value(1);
    if (segments.size() == 2 && first == "metadata")
        route.kind = GatewayRoute::Kind::Metadata;
    else if (segments.size() == 2 && (first == "health" || first.isEmpty()))
        route.kind = GatewayRoute::Kind::Health;
    else if (segments.size() == 2 && first == "metrics")
        route.kind = GatewayRoute::Kind::Metrics;
    else if (segments.size() == 2 && first == "actors")
        route.kind = GatewayRoute::Kind::Actors;
    else if (segments.size() == 2 && first == "drain")
        route.kind = GatewayRoute::Kind::Drain;
    else if (segments.size() <= 3 && first == "tokens")
        route.kind = GatewayRoute::Kind::Tokens;
    else if (first == "gateway")
        gatewayrouteReadGateway(route, segments);
    return route;
}

OfferedProtocols parseProtocols(QByteArrayView header)
{
    OfferedProtocols offered;
    for (const QByteArray &part : header.toByteArray().split(',')) {
        const QByteArray protocol = part.trimmed();
        if (protocol.startsWith("rivet_encoding."))
            offered.encoding = QString::fromUtf8(protocol.sliced(15));
        else if (protocol.startsWith("rivet_conn_params."))
            offered.connParams = QByteArray::fromPercentEncoding(protocol.sliced(18));
        else if (protocol.startsWith("rivet_token."))
            offered.token = QString::fromUtf8(QByteArray::fromPercentEncoding(protocol.sliced(12)));
    }
    return offered;
}

QString tokenOfParams(QByteArrayView json)
{
    const QJsonObject params = QJsonDocument::fromJson(json.toByteArray()).object();
    const QString token = params.value(QLatin1StringView("authToken")).toString();
    return token.isEmpty() ? params.value(QLatin1StringView("token")).toString() : token;
}

} // namespace foundry::backend
