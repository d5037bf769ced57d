#include "backend/launcher/connectinfo.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QVersionNumber>

#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace foundry {

Result<ConnectInfo> readConnectInfo(const QString &path)
{
    const auto unusable = [&path](const QString &why) {
        return makeError(QLatin1StringView("client"), QLatin1StringView("no_connect_file"),
            QStringLiteral("%1: %2.").arg(path, why));
    };
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return unusable(file.errorString());
    // A file that others could have written would tell where to send a token of theirs choosing.
    if (QFileInfo(file).ownerId() != ::geteuid())
        return unusable(QStringLiteral("it belongs to another user"));
    if (file.permissions() & (QFileDevice::WriteGroup | QFileDevice::WriteOther))
        return unusable(QStringLiteral("others may write it"));
    const QJsonObject content = QJsonDocument::fromJson(file.read(64 * 1024)).object();
    ConnectInfo info{content.value(QLatin1StringView("version")).toString(),
        content.value(QLatin1StringView("endpoint")).toString(), content.value(QLatin1StringView("token")).toString(),
        content.value(QLatin1StringView("pid")).toInteger()};
    if (info.endpoint.isEmpty() || info.token.isEmpty() || info.pid <= 0)
        return unusable(QStringLiteral("it is incomplete"));
    return info;
}

bool processLives(qint64 pid)
{
    return pid > 0 && (::kill(pid_t(pid), 0) == 0 || errno == EPERM);
}

QString fileTail(const QString &path, qsizetype bytes)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const bool cut = file.size() > bytes;
    if (cut)
        file.seek(file.size() - bytes);
    QString text = QString::fromUtf8(file.readAll());
    if (cut)
        text = text.section(QLatin1Char('\n'), 1);
    return text.trimmed();
}

int compareVersions(const QString &a, const QString &b)
{
    return QVersionNumber::compare(QVersionNumber::fromString(a), QVersionNumber::fromString(b));
}

} // namespace foundry
