#include "realtime/protocol/messagelimits.h"

namespace foundry::protocol {

qsizetype guardedSize(QByteArrayView json)
{
    constexpr QByteArrayView mark("[\"$");
    qsizetype size = json.size();
    for (qsizetype at = json.indexOf(mark); at >= 0; at = json.indexOf(mark, at + mark.size()))
        ++size;
    return size;
}

qsizetype jsonTextSize(QStringView text)
{
    qsizetype size = 0;
    for (const QChar c : text) {
        const char16_t unit = c.unicode();
        if (unit == u'"' || unit == u'\\' || unit == u'\n' || unit == u'\t' || unit == u'\r')
            size += 2;
        else if (unit < 0x20 || unit == 0x7f)
            size += 6;
        else if (unit < 0x80)
            size += 1;
        else
            size += unit < 0x800 ? 2 : 3; // half of a pair takes two of four; a lonely one three
    }
    return size;
}

} // namespace foundry::protocol
