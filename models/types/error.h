// A failure as a value: where it belongs (group), which it is (code), what to tell people, and what they can do.
// Decide by group and code, never by the text.
#pragma once

#include <QString>
#include <QStringList>

namespace foundry {

struct Error {
    QString group;   // auth, actor, input, state, sandbox, agent, git, forge, internal, client, protocol
    QString code;    // e.g. not_found, invalid, crashed
    QString message; // the cause, one or two sentences for people
    QString action = {}; // what to do about it, a sentence; empty when there is nothing to do
    QString detail = {}; // stderr tail, file names, a correlation id: shown on demand

    bool is(QLatin1StringView g, QLatin1StringView c) const { return group == g && code == c; }
    QString key() const { return group + QLatin1Char('.') + code; }
    friend bool operator==(const Error &, const Error &) = default;
};

inline Error makeError(QLatin1StringView group, QLatin1StringView code, QString message, QString action = {},
    QString detail = {})
{
    return {QString(group), QString(code), std::move(message), std::move(action), std::move(detail)};
}

} // namespace foundry
