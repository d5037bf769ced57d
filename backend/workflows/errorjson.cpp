#include "backend/workflows/errorjson.h"

#include <QJsonDocument>

namespace foundry::backend {

QJsonObject errorToObject(const Error &error)
{
    return {{QStringLiteral("group"), error.group}, {QStringLiteral("code"), error.code},
        {QStringLiteral("message"), error.message}, {QStringLiteral("action"), error.action},
        {QStringLiteral("detail"), error.detail}};
}

Error errorFromObject(const QJsonObject &object)
{
    return {object[QLatin1StringView("group")].toString(), object[QLatin1StringView("code")].toString(),
        object[QLatin1StringView("message")].toString(), object[QLatin1StringView("action")].toString(),
        object[QLatin1StringView("detail")].toString()};
}

QByteArray errorToJson(const Error &error)
{
    return QJsonDocument(errorToObject(error)).toJson(QJsonDocument::Compact);
}

Error errorFromJson(const QByteArray &json)
{
    return errorFromObject(QJsonDocument::fromJson(json).object());
}

} // namespace foundry::backend
