#include "backend/host/tokendesk.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace foundry::backend {

namespace {

QJsonObject tokendeskRow(const TokenRow &row)
{
    QJsonObject json{{QStringLiteral("id"), row.id}, {QStringLiteral("user"), row.user}, {QStringLiteral("role"), roleText(row.role)},
        {QStringLiteral("createdAt"), row.createdAt}};
    if (row.expiresAt)
        json.insert(QStringLiteral("expiresAt"), *row.expiresAt);
    if (row.revokedAt)
        json.insert(QStringLiteral("revokedAt"), *row.revokedAt);
    return json;
}

std::optional<qint64> tokendeskTime(const QJsonObject &json, QLatin1StringView name)
{
    const QJsonValue value = json.value(name);
    return value.isDouble() ? std::optional(value.toInteger()) : std::nullopt;
}

TokenRow tokendeskRow(const QJsonObject &json)
{
    return {json.value(QLatin1StringView("id")).toString(), json.value(QLatin1StringView("user")).toString(),
        roleFromText(json.value(QLatin1StringView("role")).toString()), json.value(QLatin1StringView("createdAt")).toInteger(),
        tokendeskTime(json, QLatin1StringView("expiresAt")), tokendeskTime(json, QLatin1StringView("revokedAt"))};
}

Error tokendeskUnreadable()
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("This cannot be read."));
}

QByteArray tokendeskText(const QJsonObject &json)
{
    return QJsonDocument(json).toJson(QJsonDocument::Compact);
}

} // namespace

QByteArray encodeMadeToken(const MadeToken &made)
{
    return tokendeskText({{QStringLiteral("token"), tokendeskRow(made.row)}, {QStringLiteral("secret"), made.text}});
}

Result<MadeToken> decodeMadeToken(const QByteArray &json)
{
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    const MadeToken made{tokendeskRow(object.value(QLatin1StringView("token")).toObject()), object.value(QLatin1StringView("secret")).toString()};
    if (made.row.id.isEmpty() || made.text.isEmpty())
        return tokendeskUnreadable();
    return made;
}

QByteArray encodeTokenRows(const QList<TokenRow> &rows)
{
    QJsonArray all;
    for (const TokenRow &row : rows)
        all.append(tokendeskRow(row));
    return tokendeskText({{QStringLiteral("tokens"), all}});
}

Result<QList<TokenRow>> decodeTokenRows(const QByteArray &json)
{
    const QJsonValue all = QJsonDocument::fromJson(json).object().value(QLatin1StringView("tokens"));
    if (!all.isArray())
        return tokendeskUnreadable();
    QList<TokenRow> rows;
    const QJsonArray array = all.toArray();
    for (const auto &row : array)
        rows.append(tokendeskRow(row.toObject()));
    return rows;
}

QByteArray encodeTokenWish(const QString &name, Role role, std::optional<qint64> expiresAt)
{
    QJsonObject wish{{QStringLiteral("user"), name}, {QStringLiteral("role"), roleText(role)}};
    if (expiresAt)
        wish.insert(QStringLiteral("expiresAt"), *expiresAt);
    return tokendeskText(wish);
}

Result<QByteArray> answerTokens(TokenStore &tokens, const HttpRequest &request, const Caller &caller, Role role)
{
    const QByteArray &verb = request.head.method;
    const QString id = QString::fromLatin1(request.head.target.split('?').constFirst().mid(qsizetype(qstrlen("/tokens/"))));
    const auto revoked = [&](const QString &which) -> Result<QByteArray> {
        if (auto done = tokens.revoke(which); !done)
            return done.error();
        return QByteArray("{\"ok\":true}");
    };
    if (verb == "DELETE" && id == QLatin1StringView("current")) {
        if (caller.tokenId.isEmpty())
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
                QStringLiteral("The token of the connect file is this start's and cannot be given up."));
        return revoked(caller.tokenId);
    }
    if (role != Role::Owner)
        return makeError(QLatin1StringView("auth"), QLatin1StringView("forbidden"), QStringLiteral("Tokens are the owners' to give and to take."),
            QStringLiteral("Ask whoever runs this host."));
    if (verb == "DELETE" && !id.isEmpty())
        return revoked(id);
    if (verb == "GET" && id.isEmpty())
        return encodeTokenRows(tokens.rows());
    if (verb == "POST" && id.isEmpty()) {
        const QJsonObject wish = QJsonDocument::fromJson(request.body).object();
        auto made = tokens.create(wish.value(QLatin1StringView("user")).toString(), roleFromText(wish.value(QLatin1StringView("role")).toString()),
            tokendeskTime(wish, QLatin1StringView("expiresAt")));
        return made ? Result<QByteArray>(encodeMadeToken(*made)) : Result<QByteArray>(made.error());
    }
    return makeError(QLatin1StringView("actor"), QLatin1StringView("invalid_request"), QStringLiteral("Tokens are listed, made and revoked."));
}

} // namespace foundry::backend
