#include "realtime/protocol/keys.h"

namespace foundry::protocol {

QString encodeKey(const QStringList &parts)
{
    if (parts.isEmpty())
        return QStringLiteral("/");
    QStringList escaped;
    for (const QString &part : parts) {
        QString text = part;
        text.replace(QLatin1Char('\\'), QLatin1StringView("\\\\")).replace(QLatin1Char('/'), QLatin1StringView("\\/"));
        escaped.append(part.isEmpty() ? QStringLiteral("\\0") : text);
    }
    return escaped.join(QLatin1Char('/'));
}

QStringList decodeKey(QStringView text)
{
    if (text == QLatin1StringView("/"))
        return {};
    QStringList parts;
    QString part;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text[i];
        if (c == QLatin1Char('\\') && i + 1 < text.size()) {
            const QChar next = text[++i];
            if (next != QLatin1Char('0')) // "\0" is an empty part
                part.append(next);
        } else if (c == QLatin1Char('/')) {
            parts.append(std::exchange(part, {}));
        } else {
            part.append(c);
        }
    }
    parts.append(part);
    return parts;
}

} // namespace foundry::protocol
