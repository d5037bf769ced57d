// An enumeration that came over the wire. A value that this version does not know keeps its text, so that it is
// shown as it is and never crashes anything.
#pragma once

#include <QLatin1StringView>
#include <QString>

namespace foundry {

template <class E>
struct EnumName {
    E value;
    QLatin1StringView name;
};

// Specialized beside each enumeration: `static constexpr EnumName<E> all[]`. The first is the default.
template <class E>
struct EnumNames;

template <class E>
class OpenEnum {
public:
    OpenEnum(E value = EnumNames<E>::all[0].value)
        : m_value(value)
    {
    }

    static OpenEnum fromText(QStringView text)
    {
        for (const auto &entry : EnumNames<E>::all) {
            if (text == entry.name)
                return OpenEnum(entry.value);
        }
        OpenEnum unknown;
        unknown.m_known = false;
        unknown.m_text = text.toString();
        return unknown;
    }

    // False for a value of a newer version: it equals no known value, and `text()` says what it was.
    bool isKnown() const { return m_known; }
    bool is(E value) const { return m_known && m_value == value; }
    E valueOr(E fallback) const { return m_known ? m_value : fallback; }
    QString text() const
    {
        if (!m_known)
            return m_text;
        for (const auto &entry : EnumNames<E>::all) {
            if (entry.value == m_value)
                return entry.name;
        }
        return {};
    }

    friend bool operator==(const OpenEnum &a, const OpenEnum &b)
    {
        return a.m_known == b.m_known && (a.m_known ? a.m_value == b.m_value : a.m_text == b.m_text);
    }
    friend bool operator==(const OpenEnum &a, E b) { return a.is(b); }

private:
    E m_value;
    bool m_known = true;
    QString m_text;
};

} // namespace foundry
