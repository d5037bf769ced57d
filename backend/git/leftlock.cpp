#include "backend/git/leftlock.h"

#include "backend/agents/processidentity.h"
#include "backend/observe/logline.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QRegularExpression>

#include <algorithm>
#include <unistd.h>

namespace foundry::backend {

namespace {

Q_LOGGING_CATEGORY(lcLeftLock, "foundry.git")

QByteArray leftlockRead(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.read(4096) : QByteArray();
}

// When that process began, by the wall clock; 0 when it is gone.
Millis leftlockBegan(const QString &pid, double uptimeSeconds)
{
    const qint64 ticks = processStartTicks(pid.toLongLong());
    if (ticks == 0)
        return 0;
    const double began = double(ticks) / double(::sysconf(_SC_CLK_TCK));
    return QDateTime::currentMSecsSinceEpoch() - Millis((uptimeSeconds - began) * 1000);
}

bool leftlockInside(const QString &path, const QString &folder)
{
    return path == folder || path.startsWith(folder + QLatin1Char('/'));
}

bool leftlockGitAtWork(const QStringList &folders, Millis before)
{
    const double uptime = leftlockRead(QStringLiteral("/proc/uptime")).split(' ').constFirst().toDouble();
    const QStringList pids = QDir(QStringLiteral("/proc")).entryList({QStringLiteral("[1-9]*")}, QDir::Dirs);
    return std::any_of(pids.cbegin(), pids.cend(), [&](const QString &pid) {
        if (!leftlockRead(QStringLiteral("/proc/%1/comm").arg(pid)).startsWith("git"))
            return false;
        const QString place = QFile::symLinkTarget(QStringLiteral("/proc/%1/cwd").arg(pid));
        const bool here = std::any_of(folders.cbegin(), folders.cend(), [&](const QString &folder) { return leftlockInside(place, folder); });
        return here && leftlockBegan(pid, uptime) < before;
    });
}

} // namespace

LeftLock clearLeftLock(const QByteArray &errorText, Millis before)
{
    static const QRegularExpression inTheWay(QStringLiteral("Unable to create '([^']*\\.lock)': File exists"));
    static const QRegularExpression ours(QStringLiteral("^(.*)/(?:worktrees/([^/]+)|refs)/.*\\.lock$"));
    const QString path = inTheWay.match(QString::fromUtf8(errorText)).captured(1);
    const QRegularExpressionMatch place = ours.match(path);
    if (before <= 0 || !path.startsWith(QLatin1Char('/')) || !place.hasMatch())
        return LeftLock::NotOurs;
    const QFileInfo lock(path);
    if (!lock.exists())
        return LeftLock::Cleared; // given back meanwhile
    if (!lock.isFile() || lock.isSymLink() || lock.lastModified().toMSecsSinceEpoch() >= before)
        return LeftLock::NotOurs;

    const QString common = place.captured(1);
    QStringList folders{QFileInfo(common).canonicalFilePath()};
    if (QFileInfo(common).fileName() == QLatin1StringView(".git"))
        folders.append(QFileInfo(QFileInfo(common).path()).canonicalFilePath());
    if (!place.captured(2).isEmpty()) {
        // The file `gitdir` there names the work tree's .git.
        const QString tree = QString::fromUtf8(leftlockRead(common + QStringLiteral("/worktrees/") + place.captured(2) + QStringLiteral("/gitdir"))).trimmed();
        folders.append(QFileInfo(QFileInfo(tree).path()).canonicalFilePath());
    }
    folders.removeAll(QString());
    if (leftlockGitAtWork(folders, before))
        return LeftLock::Held;
    if (!QFile::remove(path) && QFileInfo::exists(path))
        return LeftLock::NotOurs;
    qCInfo(lcLeftLock, "%s", LogLine("left_lock_removed").add("path", path).text().constData());
    return LeftLock::Cleared;
}

} // namespace foundry::backend
