#include "backend/host/connectfile.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

#include <sys/stat.h>
#include <unistd.h>

namespace foundry::backend {

Result<> writeConnectFile(const HostConfig &config, const QString &endpoint)
{
    const auto failed = [&config](const QString &why) {
        return makeError(QLatin1StringView("internal"), QLatin1StringView("connect_file"),
            QStringLiteral("The connect file %1 cannot be written: %2.").arg(config.connectFile, why));
    };
    QDir().mkpath(QFileInfo(config.connectFile).path());
    const QJsonObject content{{QStringLiteral("version"), config.version}, {QStringLiteral("endpoint"), endpoint},
        {QStringLiteral("token"), config.token}, {QStringLiteral("pid"), QCoreApplication::applicationPid()}};
    // The temporary file of QSaveFile takes the permissions of what it replaces: an old, wider file goes first.
    QFile::remove(config.connectFile);
    const mode_t before = ::umask(0077);
    QSaveFile file(config.connectFile);
    const bool opened = file.open(QIODevice::WriteOnly);
    ::umask(before);
    if (!opened)
        return failed(file.errorString());
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    file.write(QJsonDocument(content).toJson(QJsonDocument::Compact) + '\n');
    if (!file.commit())
        return failed(file.errorString());
    return Unit{};
}

Result<ConnectContent> readConnectFile(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("The host that has the data directory wrote no connect file %1.").arg(path),
            QStringLiteral("If it was started with --connect-file, say the same here."));
    const QFileInfo info(path);
    const auto others = QFileDevice::ReadGroup | QFileDevice::WriteGroup | QFileDevice::ReadOther | QFileDevice::WriteOther;
    const QJsonObject content = QJsonDocument::fromJson(file.readAll()).object();
    const ConnectContent read{content.value(QLatin1StringView("endpoint")).toString(), content.value(QLatin1StringView("token")).toString()};
    if (info.ownerId() != ::geteuid() || (info.permissions() & others) || read.endpoint.isEmpty() || read.token.isEmpty())
        return makeError(QLatin1StringView("internal"), QLatin1StringView("connect_file"),
            QStringLiteral("%1 is not a connect file of yours alone.").arg(path), QStringLiteral("Restart the host."));
    return read;
}

void removeConnectFile(const HostConfig &config)
{
    QFile file(config.connectFile);
    if (!file.open(QIODevice::ReadOnly))
        return;
    const QJsonObject content = QJsonDocument::fromJson(file.readAll()).object();
    file.close();
    if (content.value(QLatin1StringView("pid")).toInteger() == QCoreApplication::applicationPid())
        QFile::remove(config.connectFile);
}

} // namespace foundry::backend
