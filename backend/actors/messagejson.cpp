#include "backend/actors/messagejson.h"

namespace foundry::backend::messagejson {

Result<QJsonObject> object(const QByteArray &json, std::initializer_list<QLatin1StringView> required)
{
    const QJsonDocument document = QJsonDocument::fromJson(json);
    if (!document.isObject())
        return makeError(QLatin1StringView("protocol"), QLatin1StringView("malformed"),
            QStringLiteral("A message between actors is not a JSON object."));
    QJsonObject found = document.object();
    for (const QLatin1StringView key : required) {
        if (!found.contains(key))
            return makeError(QLatin1StringView("protocol"), QLatin1StringView("missing_field"),
                QStringLiteral("A message between actors lacks “%1”.").arg(key), {}, key);
    }
    return found;
}

void putError(QJsonObject &object, const std::optional<Error> &error)
{
    if (error)
        object.insert(QLatin1StringView("error"), errorToObject(*error));
}

std::optional<Error> optionalError(const QJsonObject &object)
{
    const QJsonValue value = object.value(QLatin1StringView("error"));
    return value.isObject() ? std::optional<Error>(errorFromObject(value.toObject())) : std::nullopt;
}

QJsonObject textsObject(const QMap<QString, QString> &texts)
{
    QJsonObject object;
    for (auto it = texts.cbegin(); it != texts.cend(); ++it)
        object.insert(it.key(), it.value());
    return object;
}

QMap<QString, QString> textsFrom(const QJsonObject &object)
{
    QMap<QString, QString> texts;
    for (auto it = object.begin(); it != object.end(); ++it)
        texts.insert(it.key(), it.value().toString());
    return texts;
}

QJsonObject promptObject(const Prompt &prompt)
{
    QJsonObject object;
    if (prompt.blobId)
        object.insert(QLatin1StringView("blobId"), prompt.blobId->value);
    else
        object.insert(QLatin1StringView("text"), prompt.text);
    return object;
}

Prompt promptFrom(const QJsonObject &object)
{
    Prompt prompt;
    prompt.text = object.value(QLatin1StringView("text")).toString();
    if (const auto blob = optionalText(object, QLatin1StringView("blobId")))
        prompt.blobId = BlobId(*blob);
    return prompt;
}

QJsonArray attachmentsArray(const QList<Attachment> &attachments)
{
    QJsonArray array;
    for (const Attachment &attachment : attachments)
        array.append(QJsonObject{{QStringLiteral("name"), attachment.name}, {QStringLiteral("mime"), attachment.mime},
            {QStringLiteral("size"), attachment.size}, {QStringLiteral("blobId"), attachment.blobId.value}});
    return array;
}

QList<Attachment> attachmentsFrom(const QJsonArray &array)
{
    QList<Attachment> attachments;
    for (const auto &value : array) {
        const QJsonObject object = value.toObject();
        attachments.append({object.value(QLatin1StringView("name")).toString(), object.value(QLatin1StringView("mime")).toString(),
            object.value(QLatin1StringView("size")).toInteger(), BlobId(object.value(QLatin1StringView("blobId")).toString())});
    }
    return attachments;
}

} // namespace foundry::backend::messagejson
