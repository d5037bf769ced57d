// How long messages may be, in bytes of UTF-8 (docs/CONTRACT.md, "Limits of a host"), and what a text takes in one. Any thread.
#pragma once

#include <QByteArrayView>
#include <QStringView>

namespace foundry::protocol {

inline constexpr qsizetype clientMessageLimit = 48 * 1024;
inline constexpr qsizetype hostMessageLimit = 512 * 1024;

// The answer or the event inside a host's message; the rest is for the frame around it.
inline constexpr qsizetype hostValueLimit = hostMessageLimit - 8 * 1024;

// What pages are filled to: there is room for the other fields of the answer.
inline constexpr qsizetype hostPageLimit = 480 * 1024;

// With the "$" that each of our own arrays gets which looks like one of RivetKit's (escapeExtensions).
qsizetype guardedSize(QByteArrayView json);

// As a JSON string without its quotes: never less than what the writer makes of it.
qsizetype jsonTextSize(QStringView text);

} // namespace foundry::protocol
