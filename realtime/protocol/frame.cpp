#include "realtime/protocol/frame.h"

#include "realtime/protocol/fieldcodec.h"

namespace foundry::protocol {

namespace {

using simdjson::ondemand::object;
using simdjson::ondemand::value;

QString frameText(std::string_view text)
{
    return QString::fromUtf8(text.data(), qsizetype(text.size()));
}

// ["$BigInt","N"], or a plain number as 2.3 accepts it.
std::optional<quint64> frameActionId(value json)
{
    simdjson::ondemand::json_type type;
    if (json.type().get(type))
        return {};
    if (type == simdjson::ondemand::json_type::number) {
        uint64_t number = 0;
        return json.get(number) ? std::optional<quint64>() : std::optional<quint64>(number);
    }
    simdjson::ondemand::array array;
    if (type != simdjson::ondemand::json_type::array || json.get(array))
        return {};
    QString parts[2];
    int count = 0;
    for (auto item : array) {
        std::string_view text;
        if (count >= 2 || item.get(text))
            return {};
        parts[count++] = frameText(text);
    }
    bool ok = false;
    const quint64 id = parts[1].toULongLong(&ok);
    if (count != 2 || parts[0] != QLatin1StringView("$BigInt") || !ok)
        return {};
    return id;
}

// The raw text of any value. Objects and arrays are balanced by the parser; scalars are trimmed tokens.
std::optional<QByteArray> frameRaw(value json)
{
    simdjson::ondemand::json_type type;
    if (json.type().get(type))
        return {};
    std::string_view raw;
    if (type == simdjson::ondemand::json_type::object) {
        simdjson::ondemand::object inner;
        if (json.get(inner) || inner.raw_json().get(raw))
            return {};
    } else if (type == simdjson::ondemand::json_type::array) {
        simdjson::ondemand::array inner;
        if (json.get(inner) || inner.raw_json().get(raw))
            return {};
    } else {
        raw = json.raw_json_token();
    }
    return QByteArray(raw.data(), qsizetype(raw.size())).trimmed();
}

// Every field of a frame's `val`, whatever their order: each is visited once.
struct FrameFields {
    QString actorId, connectionId, name, eventName, group, code, message;
    QByteArray args, output, metadata;
    std::optional<quint64> id, actionId;
    bool subscribe = true;
    bool hasArgs = false;
};

bool readFrameField(std::string_view key, value json, FrameFields &out)
{
    const auto text = [&json](QString &into) {
        std::string_view view;
        if (json.get(view))
            return false;
        into = frameText(view);
        return true;
    };
    const auto raw = [&json](QByteArray &into) {
        const auto bytes = frameRaw(json);
        if (bytes)
            into = *bytes;
        return bytes.has_value();
    };
    if (key == "actorId")
        return text(out.actorId);
    if (key == "connectionId")
        return text(out.connectionId);
    if (key == "name")
        return text(out.name);
    if (key == "eventName")
        return text(out.eventName);
    if (key == "group")
        return text(out.group);
    if (key == "code")
        return text(out.code);
    if (key == "message")
        return text(out.message);
    if (key == "subscribe")
        return !json.get(out.subscribe);
    if (key == "output")
        return raw(out.output);
    if (key == "metadata")
        return raw(out.metadata);
    if (key == "args")
        return out.hasArgs = raw(out.args) && out.args.startsWith('[');
    if (key == "id")
        return (out.id = frameActionId(json)).has_value();
    if (key == "actionId") {
        out.actionId = frameActionId(json); // null: the connection's own error
        return true;
    }
    return true; // unknown fields are ignored
}

struct DecodedFrame {
    QString tag;
    FrameFields fields;
};

Result<DecodedFrame> decodeFrame(QByteArrayView frame)
{
    // The whole text is checked first: what is skipped on demand would otherwise pass unread.
    const auto valid = withJson(frame, [](const Json &) -> Result<> { return Unit{}; });
    if (!valid)
        return valid.error();
    simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(frame.data(), size_t(frame.size()));
    simdjson::ondemand::document document;
    object root;
    value body;
    object envelope;
    if (parser.iterate(padded).get(document) || document.get_object().get(root) || root.find_field("body").get(body)
        || body.get_object().get(envelope))
        return malformed(QStringLiteral("A frame without a body."));
    DecodedFrame out;
    bool hasVal = false;
    for (auto field : envelope) {
        std::string_view key;
        value json;
        if (field.unescaped_key().get(key) || field.value().get(json))
            return malformed(QStringLiteral("A frame whose body cannot be read."));
        if (key == "tag") {
            std::string_view tag;
            if (json.get(tag))
                return malformed(QStringLiteral("A frame without a tag."));
            out.tag = frameText(tag);
        } else if (key == "val") {
            object val;
            if (json.get_object().get(val))
                return malformed(QStringLiteral("A frame without a value."));
            hasVal = true;
            for (auto inner : val) {
                std::string_view name;
                value innerValue;
                if (inner.unescaped_key().get(name) || inner.value().get(innerValue)
                    || !readFrameField(name, innerValue, out.fields))
                    return malformed(QStringLiteral("A frame with a field of the wrong type."));
            }
        }
    }
    if (out.tag.isEmpty() || !hasVal)
        return malformed(QStringLiteral("A frame without a tag or a value."));
    return out;
}

QByteArray taggedId(quint64 id)
{
    return "[\"$BigInt\",\"" + QByteArray::number(id) + "\"]";
}

bool isVoid(QByteArrayView json)
{
    return json.isEmpty() || json == "null" || QByteArray(json.data(), json.size()).replace(' ', "") == "[\"$Undefined\",0]";
}

// Only what looks like one of RivetKit's own two-element arrays needs a second look.
bool frameHasTags(QByteArrayView json)
{
    return json.contains("[\"$");
}

Result<QByteArray> framePlain(const QByteArray &json)
{
    return frameHasTags(json) ? unescapeExtensions(json) : Result<QByteArray>(json);
}

QByteArray frameGuarded(const QByteArray &json)
{
    if (!frameHasTags(json))
        return json;
    auto guarded = escapeExtensions(json);
    return guarded ? *guarded : json;
}

Error frameError(const QString &group, const QString &code, const QString &message, QByteArrayView metadata)
{
    Error error{group, code, message};
    if (!metadata.isEmpty() && metadata != "null")
        (void)withJson(metadata, [&error](const Json &root) -> Result<> {
            std::string_view text;
            if (!root["action"].get(text))
                error.action = textOf(text);
            if (!root["detail"].get(text))
                error.detail = textOf(text);
            return Unit{};
        });
    return error;
}

void writeErrorFields(FieldWriter &writer, const Error &error)
{
    writer(QLatin1StringView("group"), error.group);
    writer(QLatin1StringView("code"), error.code);
    writer(QLatin1StringView("message"), error.message);
    if (!error.action.isEmpty() || !error.detail.isEmpty()) {
        writer.json().key(QLatin1StringView("metadata"));
        writer.json().beginObject();
        if (!error.action.isEmpty())
            writer(QLatin1StringView("action"), error.action);
        if (!error.detail.isEmpty())
            writer(QLatin1StringView("detail"), error.detail);
        writer.json().endObject();
    }
}

template <class Body>
QByteArray writeFrame(const QString &tag, Body body)
{
    JsonWriter json;
    FieldWriter writer(json);
    json.beginObject();
    json.key(QLatin1StringView("body"));
    json.beginObject();
    writer(QLatin1StringView("tag"), tag);
    json.key(QLatin1StringView("val"));
    json.beginObject();
    body(writer);
    json.endObject();
    json.endObject();
    json.endObject();
    return json.take();
}

} // namespace

Result<ServerFrame> decodeServerFrame(QByteArrayView frame)
{
    auto decoded = decodeFrame(frame);
    if (!decoded)
        return decoded.error();
    FrameFields &f = decoded->fields;
    if (decoded->tag == QLatin1StringView("Init"))
        return ServerFrame(InitFrame{f.actorId, f.connectionId});
    if (decoded->tag == QLatin1StringView("Event")) {
        auto args = framePlain(f.hasArgs ? f.args : QByteArray("[]"));
        if (!args)
            return args.error();
        return ServerFrame(EventFrame{f.name, std::move(*args)});
    }
    if (decoded->tag == QLatin1StringView("ActionResponse")) {
        if (!f.id)
            return malformed(QStringLiteral("An answer without an id."));
        auto output = framePlain(isVoid(f.output) ? QByteArray("null") : f.output);
        if (!output)
            return output.error();
        return ServerFrame(ActionResponseFrame{*f.id, std::move(*output)});
    }
    if (decoded->tag == QLatin1StringView("Error"))
        return ServerFrame(ErrorFrame{frameError(f.group, f.code, f.message, f.metadata), f.actionId});
    return makeError(QLatin1StringView("protocol"), QLatin1StringView("unknown_tag"),
        QStringLiteral("A frame with the unknown tag “%1”.").arg(decoded->tag.left(40)));
}

Result<ClientFrame> decodeClientFrame(QByteArrayView frame)
{
    auto decoded = decodeFrame(frame);
    if (!decoded)
        return decoded.error();
    FrameFields &f = decoded->fields;
    if (decoded->tag == QLatin1StringView("SubscriptionRequest") && !f.eventName.isEmpty())
        return ClientFrame(SubscriptionFrame{f.eventName, f.subscribe});
    if (decoded->tag == QLatin1StringView("ActionRequest") && f.id && !f.name.isEmpty())
        return ClientFrame(ActionFrame{*f.id, f.name, f.hasArgs ? f.args : QByteArray("[]")});
    return makeError(QLatin1StringView("protocol"), QLatin1StringView("unknown_tag"),
        QStringLiteral("A frame with the unknown tag “%1”, or without its fields.").arg(decoded->tag.left(40)));
}

QByteArray encodeServerFrame(const ServerFrame &frame)
{
    if (const auto *init = std::get_if<InitFrame>(&frame))
        return writeFrame(QStringLiteral("Init"), [init](FieldWriter &writer) {
            writer(QLatin1StringView("actorId"), init->actorId);
            writer(QLatin1StringView("connectionId"), init->connectionId);
        });
    if (const auto *event = std::get_if<EventFrame>(&frame))
        return writeFrame(QStringLiteral("Event"), [event](FieldWriter &writer) {
            writer(QLatin1StringView("name"), event->name);
            writer.json().key(QLatin1StringView("args"));
            writer.json().raw(event->args);
        });
    if (const auto *response = std::get_if<ActionResponseFrame>(&frame))
        return writeFrame(QStringLiteral("ActionResponse"), [response](FieldWriter &writer) {
            writer.json().key(QLatin1StringView("id"));
            writer.json().raw(taggedId(response->id));
            writer.json().key(QLatin1StringView("output"));
            writer.json().raw(response->output.isEmpty() ? QByteArray("null") : response->output);
        });
    const auto &failure = std::get<ErrorFrame>(frame);
    return writeFrame(QStringLiteral("Error"), [&failure](FieldWriter &writer) {
        writeErrorFields(writer, failure.error);
        writer.json().key(QLatin1StringView("actionId"));
        writer.json().raw(failure.actionId ? taggedId(*failure.actionId) : QByteArray("null"));
    });
}

QByteArray encodeClientFrame(const ClientFrame &frame)
{
    if (const auto *subscription = std::get_if<SubscriptionFrame>(&frame))
        return writeFrame(QStringLiteral("SubscriptionRequest"), [subscription](FieldWriter &writer) {
            writer(QLatin1StringView("eventName"), subscription->eventName);
            writer(QLatin1StringView("subscribe"), subscription->subscribe);
        });
    const auto &action = std::get<ActionFrame>(frame);
    return writeFrame(QStringLiteral("ActionRequest"), [&action](FieldWriter &writer) {
        writer.json().key(QLatin1StringView("id"));
        writer.json().raw(taggedId(action.id));
        writer(QLatin1StringView("name"), action.name);
        writer.json().key(QLatin1StringView("args"));
        writer.json().raw(action.args.isEmpty() ? QByteArray("[]") : frameGuarded(action.args));
    });
}

QByteArray encodeEventFrame(const QString &name, QByteArrayView oneArgument)
{
    return writeFrame(QStringLiteral("Event"), [&](FieldWriter &writer) {
        writer(QLatin1StringView("name"), name);
        writer.json().key(QLatin1StringView("args"));
        writer.json().beginArray();
        writer.json().raw(oneArgument);
        writer.json().endArray();
    });
}

QByteArray encodeErrorBody(const Error &error)
{
    JsonWriter json;
    FieldWriter writer(json);
    json.beginObject();
    writeErrorFields(writer, error);
    json.endObject();
    return json.take();
}

Error decodeErrorBody(QByteArrayView body)
{
    Error error;
    const auto decoded = withJson(body, [&](const Json &root) -> Result<> {
        std::string_view text;
        if (root["group"].get(text))
            return malformed(QStringLiteral("No group."));
        error.group = textOf(text);
        if (!root["code"].get(text))
            error.code = textOf(text);
        if (!root["message"].get(text))
            error.message = textOf(text);
        if (!root["metadata"]["action"].get(text))
            error.action = textOf(text);
        if (!root["metadata"]["detail"].get(text))
            error.detail = textOf(text);
        return Unit{};
    });
    if (decoded)
        return error;
    return makeError(QLatin1StringView("protocol"), QLatin1StringView("http_error"),
        QString::fromUtf8(body.first(qMin<qsizetype>(body.size(), 300))));
}

} // namespace foundry::protocol
