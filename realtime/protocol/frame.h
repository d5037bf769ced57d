// The frames of the RivetKit actor client protocol in JSON, as measured on live servers 2.1.5, 2.2.1 and 2.3.19: one
// JSON object per WebSocket text frame, `{"body":{"tag":…,"val":…}}`, action ids as ["$BigInt","N"].
// Payloads (event arguments, action output) stay JSON text here; codec.h turns them into values. No I/O, any thread.
// A client's side is plain JSON: RivetKit's tagged values are guarded in encodeClientFrame and undone in
// decodeServerFrame. A server guards its payloads itself, once for all receivers (escapeExtensions).
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QByteArrayView>
#include <optional>
#include <variant>

namespace foundry::protocol {

// server → client
struct InitFrame {
    QString actorId;
    QString connectionId;
    friend bool operator==(const InitFrame &, const InitFrame &) = default;
};
struct EventFrame {
    QString name;
    QByteArray args; // a JSON array
    friend bool operator==(const EventFrame &, const EventFrame &) = default;
};
struct ActionResponseFrame {
    quint64 id = 0;
    QByteArray output; // JSON; "null" for void (missing, null and ["$Undefined",0] all mean void)
    friend bool operator==(const ActionResponseFrame &, const ActionResponseFrame &) = default;
};
struct ErrorFrame {
    Error error;
    std::optional<quint64> actionId = {}; // absent: the connection's own error
    friend bool operator==(const ErrorFrame &, const ErrorFrame &) = default;
};
using ServerFrame = std::variant<InitFrame, EventFrame, ActionResponseFrame, ErrorFrame>;

// client → server
struct SubscriptionFrame {
    QString eventName;
    bool subscribe = true;
    friend bool operator==(const SubscriptionFrame &, const SubscriptionFrame &) = default;
};
struct ActionFrame {
    quint64 id = 0; // 1…, never 0
    QString name;
    QByteArray args; // a JSON array
    friend bool operator==(const ActionFrame &, const ActionFrame &) = default;
};
using ClientFrame = std::variant<SubscriptionFrame, ActionFrame>;

// Errors: protocol.malformed (not JSON, no body, wrong types), protocol.unknown_tag.
Result<ServerFrame> decodeServerFrame(QByteArrayView frame);
Result<ClientFrame> decodeClientFrame(QByteArrayView frame);
QByteArray encodeServerFrame(const ServerFrame &frame);
QByteArray encodeClientFrame(const ClientFrame &frame);

// A broadcast is encoded once for all its connections.
QByteArray encodeEventFrame(const QString &name, QByteArrayView oneArgument);

// `{"group","code","message","metadata":{"action","detail"}}`, the body of every non-2xx answer. Bodies that are not
// JSON (some servers answer plain text) become group "protocol", code "http_error".
QByteArray encodeErrorBody(const Error &error);
Error decodeErrorBody(QByteArrayView body);

// `{"args":[…]}` of a gateway action over HTTP and its answer `{"output":…}`.
Result<QByteArray> decodeActionBody(QByteArrayView body);
QByteArray encodeActionBody(QByteArrayView args);
Result<QByteArray> decodeOutputBody(QByteArrayView body);
QByteArray encodeOutputBody(QByteArrayView output);

// Two-element arrays that begin with a "$…" string are RivetKit's own values. `escape` guards ours before sending,
// `unescape` undoes it ("$BigInt" to a number, "$Undefined" to null, "$Uint8Array" to its base64 text).
Result<QByteArray> escapeExtensions(QByteArrayView json);
Result<QByteArray> unescapeExtensions(QByteArrayView json);

} // namespace foundry::protocol
