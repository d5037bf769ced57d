// Small helpers for the JSON of messages between actors: optional members stay out, a lacking id is an error.
#pragma once

#include "backend/workflows/errorjson.h"
#include "models/types/blob.h"
#include "models/types/result.h"
#include "realtime/protocol/codec.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace foundry::backend::messagejson {

inline QByteArray text(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

// The object, or protocol.missing_field naming the first of `required` that is not there.
Result<QJsonObject> object(const QByteArray &json, std::initializer_list<QLatin1StringView> required);

inline void putText(QJsonObject &object, QLatin1StringView key, const QString &value)
{
    if (!value.isEmpty())
        object.insert(key, value);
}
inline void putText(QJsonObject &object, QLatin1StringView key, const std::optional<QString> &value)
{
    if (value)
        object.insert(key, *value);
}
inline std::optional<QString> optionalText(const QJsonObject &object, QLatin1StringView key)
{
    const QJsonValue value = object.value(key);
    return value.isString() ? std::optional<QString>(value.toString()) : std::nullopt;
}
void putError(QJsonObject &object, const std::optional<Error> &error);
std::optional<Error> optionalError(const QJsonObject &object);

QJsonObject textsObject(const QMap<QString, QString> &texts);
QMap<QString, QString> textsFrom(const QJsonObject &object);

QJsonObject promptObject(const Prompt &prompt);
Prompt promptFrom(const QJsonObject &object);
QJsonArray attachmentsArray(const QList<Attachment> &attachments);
QList<Attachment> attachmentsFrom(const QJsonArray &array);

// Values of the contract, by the codec's own words.
template <class T>
QJsonObject entityObject(const T &entity)
{
    return QJsonDocument::fromJson(protocol::encodeEntity(Entity(entity))).object();
}
template <class T>
Result<T> entityFrom(const QJsonObject &object, QLatin1StringView type, const QString &id)
{
    auto entity = protocol::decodeEntity(QString(type), id, {}, QJsonDocument(object).toJson(QJsonDocument::Compact));
    if (!entity)
        return entity.error();
    if (auto *value = std::get_if<T>(&*entity))
        return std::move(*value);
    return makeError(QLatin1StringView("protocol"), QLatin1StringView("malformed"),
        QStringLiteral("The message does not hold a %1.").arg(type));
}

} // namespace foundry::backend::messagejson
