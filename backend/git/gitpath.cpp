#include "backend/git/gitpath.h"

#include <QStringDecoder>

namespace foundry::backend {

QString pathFromGit(const QByteArray &bytes)
{
    if (!bytes.startsWith('"')) {
        // A mark of byte order at the beginning belongs to the name.
        QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless | QStringDecoder::Flag::ConvertInitialBom);
        QString text = decoder.decode(bytes);
        if (!decoder.hasError())
            return text;
    }
    QString quoted(QLatin1Char('"'));
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '"' || byte == '\\')
            quoted += QString(QLatin1Char('\\')) + QLatin1Char(c);
        else if (byte >= 0x20 && byte < 0x7f)
            quoted += QLatin1Char(c);
        else
            quoted += QLatin1Char('\\') + QString::number(byte, 8).rightJustified(3, QLatin1Char('0'));
    }
    return quoted + QLatin1Char('"');
}

QByteArray pathToGit(const QString &path)
{
    if (path.size() < 2 || !path.startsWith(QLatin1Char('"')) || !path.endsWith(QLatin1Char('"')))
        return path.toUtf8();
    const QByteArray text = path.mid(1, path.size() - 2).toUtf8();
    QByteArray bytes;
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 >= text.size()) {
            bytes += text[i];
            continue;
        }
        bool ok = false;
        const int code = text.mid(i + 1, 3).toInt(&ok, 8);
        if (ok && i + 3 < text.size() && code >= 0 && code < 256) {
            bytes += static_cast<char>(code);
            i += 3;
        } else {
            bytes += text[++i];
        }
    }
    return bytes;
}

} // namespace foundry::backend
