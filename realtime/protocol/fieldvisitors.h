// Internal to realtime/protocol. Writes or reads the fields that fields.h describes, by type: text, ids, numbers,
// enumerations, lists, maps, optionals and described structs. The writer leaves an absent optional out; the reader
// keeps the first error and goes quiet after it.
#pragma once

#include "models/types/blob.h"
#include "models/types/ids.h"
#include "models/types/openenum.h"
#include "models/types/result.h"
#include "realtime/protocol/jsonwriter.h"

#include <QList>
#include <QMap>
#include <QStringList>
#include <optional>
#include <simdjson.h>

namespace foundry::protocol {

using Json = simdjson::dom::element;

template <class T, class U>
concept Same = std::same_as<std::remove_const_t<T>, U>;

inline QString textOf(std::string_view text)
{
    return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

inline Error missingField(QLatin1StringView field)
{
    return makeError(QLatin1StringView("protocol"), QLatin1StringView("missing_field"),
        QStringLiteral("The field “%1” is missing or has the wrong type.").arg(field), {}, field);
}

class FieldWriter {
public:
    explicit FieldWriter(JsonWriter &json)
        : m_json(json)
    {
    }

    template <class T>
    void operator()(QLatin1StringView name, const T &value)
    {
        m_json.key(name);
        write(value);
    }
    template <class T>
    void operator()(QLatin1StringView name, const std::optional<T> &value)
    {
        if (value)
            (*this)(name, *value);
    }
    // A field that readers do without.
    template <class T>
    void lenient(QLatin1StringView name, const T &value)
    {
        (*this)(name, value);
    }
    void base64(QLatin1StringView name, const QByteArray &value)
    {
        m_json.key(name);
        m_json.string(QString::fromLatin1(value.toBase64()));
    }

    void write(const QString &text) { m_json.string(text); }
    void write(bool on) { m_json.boolean(on); }
    void write(qint64 number) { m_json.number(number); }
    void write(double number) { m_json.number(number); }
    template <class Tag>
    void write(const Id<Tag> &id)
    {
        m_json.string(id.value);
    }
    template <class E>
    void write(const OpenEnum<E> &value)
    {
        m_json.string(value.text());
    }
    template <class T>
    void write(const QList<T> &list)
    {
        m_json.beginArray();
        for (const T &item : list)
            write(item);
        m_json.endArray();
    }
    template <class T>
    void write(const QMap<QString, T> &map)
    {
        m_json.beginObject();
        for (auto it = map.begin(); it != map.end(); ++it) {
            m_json.key(QStringView(it.key()));
            write(it.value());
        }
        m_json.endObject();
    }
    template <class T>
    requires std::is_class_v<T>
    void write(const T &value);

    JsonWriter &json() { return m_json; }

private:
    JsonWriter &m_json;
};

class FieldReader {
public:
    explicit FieldReader(const Json &json, std::optional<Error> &error)
        : m_json(json)
        , m_error(error)
    {
    }

    template <class T>
    void operator()(QLatin1StringView name, T &value)
    {
        Json field;
        if (!find(name, field) || !read(field, value))
            fail(name);
    }
    template <class T>
    void operator()(QLatin1StringView name, std::optional<T> &value)
    {
        Json field;
        value.reset();
        if (!find(name, field) || field.is_null())
            return;
        T read_{};
        if (read(field, read_))
            value = std::move(read_);
        else
            fail(name);
    }
    template <class T>
    void lenient(QLatin1StringView name, T &value)
    {
        Json field;
        if (find(name, field) && !field.is_null() && !read(field, value))
            fail(name);
    }
    void base64(QLatin1StringView name, QByteArray &value)
    {
        Json field;
        std::string_view text;
        if (!find(name, field) || field.get(text)) {
            fail(name);
            return;
        }
        auto decoded = QByteArray::fromBase64Encoding(QByteArray(text.data(), qsizetype(text.size())),
            QByteArray::Base64Encoding | QByteArray::AbortOnBase64DecodingErrors);
        if (decoded)
            value = std::move(*decoded);
        else
            fail(name);
    }

    bool read(const Json &json, QString &out)
    {
        std::string_view text;
        if (json.get(text))
            return false;
        out = textOf(text);
        return true;
    }
    bool read(const Json &json, bool &out) { return !json.get(out); }
    bool read(const Json &json, qint64 &out)
    {
        int64_t number = 0;
        if (!json.get(number)) {
            out = number;
            return true;
        }
        double real = 0; // JavaScript peers may write 1e3 or 5.0
        if (json.get(real) || real < -9e15 || real > 9e15)
            return false;
        out = qint64(real);
        return true;
    }
    bool read(const Json &json, double &out) { return !json.get(out); }
    template <class Tag>
    bool read(const Json &json, Id<Tag> &out)
    {
        return read(json, out.value);
    }
    template <class E>
    bool read(const Json &json, OpenEnum<E> &out)
    {
        QString text;
        if (!read(json, text))
            return false;
        out = OpenEnum<E>::fromText(text);
        return true;
    }
    template <class T>
    bool read(const Json &json, QList<T> &out)
    {
        simdjson::dom::array array;
        if (json.get(array))
            return false;
        out.clear();
        out.reserve(qsizetype(array.size()));
        for (const Json item : array) {
            T value{};
            if (!read(item, value))
                return false;
            out.append(std::move(value));
        }
        return true;
    }
    template <class T>
    bool read(const Json &json, QMap<QString, T> &out)
    {
        simdjson::dom::object object;
        if (json.get(object))
            return false;
        out.clear();
        for (const auto field : object) {
            T value{};
            if (!read(field.value, value))
                return false;
            out.insert(textOf(field.key), std::move(value));
        }
        return true;
    }
    template <class T>
    requires std::is_class_v<T>
    bool read(const Json &json, T &out);

    bool find(QLatin1StringView name, Json &out) const
    {
        simdjson::dom::object object;
        return !m_json.get(object) && !object.at_key(std::string_view(name.data(), size_t(name.size()))).get(out);
    }
    void fail(QLatin1StringView name)
    {
        if (!m_error)
            m_error = missingField(name);
    }
    const Json &json() const { return m_json; }

private:
    Json m_json;
    std::optional<Error> &m_error;
};

} // namespace foundry::protocol
