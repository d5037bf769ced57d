// Bodies of gateway actions over HTTP, and RivetKit's tagged values.
#include "realtime/protocol/fieldcodec.h"
#include "realtime/protocol/frame.h"

namespace foundry::protocol {

namespace {

Result<QByteArray> bodyField(QByteArrayView body, const char *name, char opening)
{
    simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(body.data(), size_t(body.size()));
    simdjson::ondemand::document document;
    simdjson::ondemand::object root;
    if (parser.iterate(padded).get(document) || document.get_object().get(root))
        return malformed(QStringLiteral("The body is no object."));
    for (auto field : root) {
        std::string_view key;
        simdjson::ondemand::value json;
        if (field.unescaped_key().get(key) || field.value().get(json))
            return malformed(QStringLiteral("The body cannot be read."));
        if (key != name)
            continue;
        simdjson::ondemand::json_type type;
        std::string_view raw;
        if (json.type().get(type))
            return malformed(QStringLiteral("The body cannot be read."));
        if (type == simdjson::ondemand::json_type::array) {
            simdjson::ondemand::array inner;
            if (json.get(inner) || inner.raw_json().get(raw))
                return malformed(QStringLiteral("The body cannot be read."));
        } else if (type == simdjson::ondemand::json_type::object) {
            simdjson::ondemand::object inner;
            if (json.get(inner) || inner.raw_json().get(raw))
                return malformed(QStringLiteral("The body cannot be read."));
        } else {
            raw = json.raw_json_token();
        }
        const QByteArray text = QByteArray(raw.data(), qsizetype(raw.size())).trimmed();
        if (opening && !text.startsWith(opening))
            return malformed(QStringLiteral("The body has a field of the wrong type."));
        return text;
    }
    return QByteArray();
}

// Copies JSON text while the extension rule is applied to every array of two that begins with a "$…" string.
class ExtensionRewriter {
public:
    enum class Direction { Escape, Unescape };
    ExtensionRewriter(JsonWriter &out, Direction direction)
        : m_out(out)
        , m_direction(direction)
    {
    }

    bool rewrite(const Json &json)
    {
        switch (json.type()) {
        case simdjson::dom::element_type::ARRAY:
            return rewriteArray(json);
        case simdjson::dom::element_type::OBJECT: {
            simdjson::dom::object object;
            if (json.get(object))
                return false;
            m_out.beginObject();
            for (const auto field : object) {
                m_out.key(QStringView(textOf(field.key)));
                if (!rewrite(field.value))
                    return false;
            }
            m_out.endObject();
            return true;
        }
        default: {
            const std::string text = simdjson::minify(json);
            m_out.raw(QByteArrayView(text.data(), qsizetype(text.size())));
            return true;
        }
        }
    }

private:
    bool rewriteArray(const Json &json)
    {
        simdjson::dom::array array;
        if (json.get(array))
            return false;
        std::string_view first;
        const bool tagged = array.size() == 2 && !array.at(0).get(first) && !first.empty() && first.front() == '$';
        if (tagged && m_direction == Direction::Unescape && first.substr(0, 2) != "$$")
            return rewriteTagged(first, array.at(1).value_unsafe());
        m_out.beginArray();
        bool isFirst = true;
        for (const Json item : array) {
            if (tagged && isFirst) {
                const QString text = textOf(first);
                m_out.string(m_direction == Direction::Escape ? QLatin1Char('$') + text : text.mid(1));
            } else if (!rewrite(item)) {
                return false;
            }
            isFirst = false;
        }
        m_out.endArray();
        return true;
    }

    bool rewriteTagged(std::string_view tag, const Json &inner)
    {
        if (tag == "$Undefined") {
            m_out.null();
            return true;
        }
        if (tag == "$Set")
            return rewrite(inner);
        std::string_view text;
        if (inner.get(text))
            return false;
        if (tag == "$BigInt") {
            bool ok = false;
            const qint64 number = textOf(text).toLongLong(&ok);
            if (ok)
                m_out.number(number);
            else
                m_out.string(textOf(text));
            return true;
        }
        if (tag == "$Uint8Array" || tag == "$ArrayBuffer") {
            m_out.string(textOf(text));
            return true;
        }
        return false; // an unknown tag is an error on every measured server
    }

    JsonWriter &m_out;
    Direction m_direction;
};

Result<QByteArray> rewriteExtensions(QByteArrayView json, ExtensionRewriter::Direction direction)
{
    return withJson(json, [direction](const Json &root) -> Result<QByteArray> {
        JsonWriter out;
        ExtensionRewriter rewriter(out, direction);
        if (!rewriter.rewrite(root))
            return malformed(QStringLiteral("A tagged value that is not known."));
        return out.take();
    });
}

} // namespace

Result<QByteArray> decodeActionBody(QByteArrayView body)
{
    if (body.trimmed().isEmpty())
        return QByteArray("[]");
    const auto valid = withJson(body, [](const Json &) -> Result<> { return Unit{}; });
    if (!valid)
        return valid.error();
    auto args = bodyField(body, "args", '[');
    if (args && args->isEmpty())
        return QByteArray("[]");
    return args;
}

QByteArray encodeActionBody(QByteArrayView args)
{
    return "{\"args\":" + QByteArray(args.data(), args.size()) + '}';
}

Result<QByteArray> decodeOutputBody(QByteArrayView body)
{
    auto output = bodyField(body, "output", 0);
    if (output && (output->isEmpty() || QByteArray(*output).replace(' ', "") == "[\"$Undefined\",0]"))
        return QByteArray("null");
    return output;
}

QByteArray encodeOutputBody(QByteArrayView output)
{
    return "{\"output\":" + (output.isEmpty() ? QByteArray("null") : QByteArray(output.data(), output.size())) + '}';
}

Result<QByteArray> escapeExtensions(QByteArrayView json)
{
    return rewriteExtensions(json, ExtensionRewriter::Direction::Escape);
}

Result<QByteArray> unescapeExtensions(QByteArrayView json)
{
    return rewriteExtensions(json, ExtensionRewriter::Direction::Unescape);
}

} // namespace foundry::protocol
