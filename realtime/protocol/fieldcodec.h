// Internal to realtime/protocol. Joins the visitors with the descriptions; the few values whose JSON form is not an
// object of fields are here: text or blob, prompts, tool contents, rows.
#pragma once

#include "realtime/protocol/codec.h"
#include "realtime/protocol/entitytraits.h"
#include "realtime/protocol/fields.h"

namespace foundry::protocol {

template <class T>
void writeObject(FieldWriter &writer, const T &value)
{
    writer.json().beginObject();
    describe(writer, value);
    writer.json().endObject();
}

template <class T>
void writeRow(FieldWriter &writer, const T &entity)
{
    JsonWriter &json = writer.json();
    json.beginObject();
    writer(QLatin1StringView("type"), EntityTraits<T>::name());
    writer(QLatin1StringView("id"), EntityTraits<T>::id(entity));
    writer(QLatin1StringView("rev"), entity.rev);
    writer(QLatin1StringView("updatedAt"), entity.updatedAt);
    json.key(QLatin1StringView("value"));
    writeObject(writer, entity);
    json.endObject();
}

inline void writeToolContent(FieldWriter &writer, const ToolContent &content)
{
    writer.json().beginObject();
    if (const auto *text = std::get_if<ToolText>(&content)) {
        writer(QLatin1StringView("type"), QStringLiteral("text"));
        writer(QLatin1StringView("text"), text->text);
    } else if (const auto *diff = std::get_if<ToolDiff>(&content)) {
        writer(QLatin1StringView("type"), QStringLiteral("diff"));
        writer(QLatin1StringView("path"), diff->path);
        writer(QLatin1StringView("old"), diff->oldText);
        writer(QLatin1StringView("new"), diff->newText);
    } else if (const auto *terminal = std::get_if<ToolTerminal>(&content)) {
        writer(QLatin1StringView("type"), QStringLiteral("terminal"));
        writer(QLatin1StringView("processId"), terminal->processId);
    } else if (const auto *image = std::get_if<ToolImage>(&content)) {
        writer(QLatin1StringView("type"), QStringLiteral("image"));
        writer(QLatin1StringView("image"), image->image);
    }
    writer.json().endObject();
}

template <class T>
requires std::is_class_v<T>
void FieldWriter::write(const T &value)
{
    if constexpr (std::same_as<T, TextOrBlob>) {
        if (value.blob)
            write(*value.blob);
        else
            m_json.string(value.text);
    } else if constexpr (std::same_as<T, Prompt>) {
        m_json.beginObject();
        if (value.blobId)
            (*this)(QLatin1StringView("blobId"), *value.blobId);
        else
            (*this)(QLatin1StringView("text"), value.text);
        m_json.endObject();
    } else if constexpr (std::same_as<T, ToolContent>) {
        writeToolContent(*this, value);
    } else if constexpr (EntityTraits<T>::isEntity) {
        writeRow(*this, value);
    } else {
        writeObject(*this, value);
    }
}

template <class T>
bool readObject(const Json &json, T &out, std::optional<Error> &error)
{
    if (!json.is_object())
        return false;
    FieldReader reader(json, error);
    describe(reader, out);
    return true;
}

template <class T>
bool readRow(const Json &json, T &out, std::optional<Error> &error)
{
    FieldReader reader(json, error);
    Json value;
    QString id;
    if (!reader.find(QLatin1StringView("value"), value) || !readObject(value, out, error))
        return false;
    reader(QLatin1StringView("id"), id);
    reader.lenient(QLatin1StringView("rev"), out.rev);
    reader.lenient(QLatin1StringView("updatedAt"), out.updatedAt);
    return EntityTraits<T>::setId(out, id);
}

inline bool readToolContent(FieldReader &reader, ToolContent &out)
{
    QString type;
    reader(QLatin1StringView("type"), type);
    if (type == QLatin1StringView("diff")) {
        ToolDiff diff;
        reader(QLatin1StringView("path"), diff.path);
        reader(QLatin1StringView("old"), diff.oldText);
        reader(QLatin1StringView("new"), diff.newText);
        out = diff;
    } else if (type == QLatin1StringView("terminal")) {
        ToolTerminal terminal;
        reader(QLatin1StringView("processId"), terminal.processId);
        out = terminal;
    } else if (type == QLatin1StringView("image")) {
        ToolImage image;
        reader(QLatin1StringView("image"), image.image);
        out = image;
    } else { // text, or a kind of a newer version: what text it has is shown
        ToolText text;
        if (type == QLatin1StringView("text"))
            reader(QLatin1StringView("text"), text.text);
        else
            text.text.text = QLatin1Char('[') + type + QLatin1Char(']');
        out = text;
    }
    return true;
}

template <class T>
requires std::is_class_v<T>
bool FieldReader::read(const Json &json, T &out)
{
    if constexpr (std::same_as<T, TextOrBlob>) {
        if (read(json, out.text))
            return true;
        BlobRef blob;
        if (!readObject(json, blob, m_error))
            return false;
        out.blob = std::move(blob);
        return true;
    } else if constexpr (std::same_as<T, Prompt>) {
        FieldReader inner(json, m_error);
        inner(QLatin1StringView("blobId"), out.blobId);
        if (!out.blobId)
            inner(QLatin1StringView("text"), out.text);
        return json.is_object();
    } else if constexpr (std::same_as<T, ToolContent>) {
        FieldReader inner(json, m_error);
        return json.is_object() && readToolContent(inner, out);
    } else if constexpr (EntityTraits<T>::isEntity) {
        return readRow(json, out, m_error);
    } else {
        return readObject(json, out, m_error);
    }
}

inline Error malformed(const QString &what)
{
    return makeError(QLatin1StringView("protocol"), QLatin1StringView("malformed"), what);
}

// Parses and hands the root to `body`. Small documents share one parser a thread; a body must not parse again.
template <class Body>
auto withJson(QByteArrayView text, Body body) -> decltype(body(std::declval<Json>()))
{
    static constexpr qsizetype sharedLimit = 64 * 1024;
    thread_local simdjson::dom::parser shared;
    simdjson::dom::parser own;
    simdjson::dom::parser &parser = text.size() <= sharedLimit ? shared : own;
    Json root;
    if (const auto code = parser.parse(text.data(), size_t(text.size()), true).get(root))
        return malformed(QStringLiteral("Not JSON: %1.").arg(QLatin1StringView(simdjson::error_message(code))));
    return body(root);
}

} // namespace foundry::protocol
