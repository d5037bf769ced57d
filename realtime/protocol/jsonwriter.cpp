#include "realtime/protocol/jsonwriter.h"

#include <QLocale>
#include <QString>
#include <cmath>

namespace foundry::protocol {

void appendJsonString(QByteArray &out, QStringView text)
{
    const QByteArray utf8 = text.toUtf8();
    out.reserve(out.size() + utf8.size() + 2);
    out.append('"');
    const char *run = utf8.constData();
    const char *const end = run + utf8.size();
    for (const char *at = run; at != end; ++at) {
        const auto byte = static_cast<unsigned char>(*at);
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        out.append(run, at - run);
        run = at + 1;
        switch (byte) {
        case '"': out.append("\\\""); break;
        case '\\': out.append("\\\\"); break;
        case '\n': out.append("\\n"); break;
        case '\r': out.append("\\r"); break;
        case '\t': out.append("\\t"); break;
        default: {
            static constexpr char digits[] = "0123456789abcdef";
            out.append("\\u00");
            out.append(digits[byte >> 4]);
            out.append(digits[byte & 15]);
        }
        }
    }
    out.append(run, end - run);
    out.append('"');
}

void appendJsonNumber(QByteArray &out, double number)
{
    if (!std::isfinite(number))
        out.append("null");
    else
        out.append(QByteArray::number(number, 'g', QLocale::FloatingPointShortest));
}

QByteArray &JsonWriter::value()
{
    if (m_afterKey)
        m_afterKey = false;
    else if (!m_first)
        m_out.append(',');
    m_first = false;
    return m_out;
}

void JsonWriter::key(QLatin1StringView name)
{
    if (!m_first)
        m_out.append(',');
    m_first = false;
    m_out.append('"').append(name.data(), name.size()).append("\":");
    m_afterKey = true;
}

void JsonWriter::key(QStringView name)
{
    if (!m_first)
        m_out.append(',');
    m_first = false;
    appendJsonString(m_out, name);
    m_out.append(':');
    m_afterKey = true;
}

} // namespace foundry::protocol
