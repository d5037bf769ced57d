#include "backend/agents/processidentity.h"

#include <QByteArray>
#include <QDir>
#include <QFile>
#include <QSet>
#include <QStringList>
#include <csignal>
#include <optional>
#include <unistd.h>

namespace foundry::backend {

namespace {

struct ProcStat {
    char state = '?';
    qint64 group = 0;
    qint64 session = 0;
    qint64 startTicks = 0;
};

QByteArray procFile(qint64 pid, const char *name)
{
    QFile file(QStringLiteral("/proc/%1/%2").arg(pid).arg(QLatin1StringView(name)));
    // Files in /proc say that they are empty; read until the end.
    return file.open(QIODevice::ReadOnly | QIODevice::Unbuffered) ? file.readAll() : QByteArray();
}

std::optional<ProcStat> procStat(qint64 pid)
{
    const QByteArray text = procFile(pid, "stat");
    // The name in parentheses may hold anything; what counts comes after the last one.
    const qsizetype close = text.lastIndexOf(')');
    if (close < 0)
        return std::nullopt;
    const QList<QByteArray> fields = text.mid(close + 2).split(' ');
    if (fields.size() < 20)
        return std::nullopt;
    return ProcStat{fields[0].isEmpty() ? '?' : fields[0][0], fields[2].toLongLong(), fields[3].toLongLong(),
        fields[19].toLongLong()};
}

QString procBootId()
{
    QFile file(QStringLiteral("/proc/sys/kernel/random/boot_id"));
    return file.open(QIODevice::ReadOnly) ? QString::fromLatin1(file.readAll().trimmed()) : QString();
}

bool procIsAlive(const ProcStat &stat)
{
    return stat.state != 'Z' && stat.state != 'X';
}

} // namespace

QLatin1StringView processMarkerName()
{
    return QLatin1StringView("FOUNDRY_PROCESS_MARKER");
}

QString ProcessIdentity::toText() const
{
    return QStringLiteral("%1 %2 %3 %4").arg(pid).arg(startTicks).arg(bootId, marker);
}

ProcessIdentity ProcessIdentity::fromText(const QString &text)
{
    const QStringList parts = text.split(QLatin1Char(' '));
    if (parts.size() != 4)
        return {};
    return {parts[0].toLongLong(), parts[1].toLongLong(), parts[2], parts[3]};
}

qint64 processStartTicks(qint64 pid)
{
    const auto stat = procStat(pid);
    return stat ? stat->startTicks : 0;
}

ProcessIdentity identifyProcess(qint64 pid, const QString &marker)
{
    const auto stat = procStat(pid);
    if (!stat)
        return {};
    return {pid, stat->startTicks, procBootId(), marker};
}

bool isSameProcess(const ProcessIdentity &identity)
{
    if (!identity.isValid() || identity.bootId != procBootId())
        return false;
    const auto stat = procStat(identity.pid);
    return stat && procIsAlive(*stat) && stat->startTicks == identity.startTicks;
}

QList<qint64> livingMembers(const ProcessIdentity &identity)
{
    QList<qint64> members;
    if (!identity.isValid() || identity.bootId != procBootId())
        return members;
    const auto leader = procStat(identity.pid);
    // A group lives on without its leader, and its number is not given away while it does. A leader with another start
    // time means that the number was free in between: then it is somebody else's group.
    const bool groupIsOurs = leader && leader->startTicks == identity.startTicks;
    const QByteArray marker
        = identity.marker.isEmpty() ? QByteArray() : (processMarkerName() + QLatin1Char('=') + identity.marker).toUtf8();
    const qint64 self = ::getpid();
    const QStringList names = QDir(QStringLiteral("/proc")).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Unsorted);
    for (const QString &name : names) {
        bool isPid = false;
        const qint64 pid = name.toLongLong(&isPid);
        if (!isPid || pid == self || pid <= 1)
            continue;
        const auto stat = procStat(pid);
        if (!stat || !procIsAlive(*stat) || stat->startTicks < identity.startTicks)
            continue;
        const bool inGroup = groupIsOurs && stat->group == identity.pid && stat->session == identity.pid;
        if (inGroup || (!marker.isEmpty() && procFile(pid, "environ").split('\0').contains(marker)))
            members.append(pid);
    }
    return members;
}

QList<qint64> sessionMembers(const ProcessIdentity &identity)
{
    QList<qint64> members;
    const auto leader = identity.isValid() ? procStat(identity.pid) : std::nullopt;
    if (!leader || leader->startTicks != identity.startTicks || identity.bootId != procBootId())
        return members;
    const qint64 self = ::getpid();
    const QStringList names = QDir(QStringLiteral("/proc")).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Unsorted);
    for (const QString &name : names) {
        bool isPid = false;
        const qint64 pid = name.toLongLong(&isPid);
        if (!isPid || pid == self || pid <= 1)
            continue;
        const auto stat = procStat(pid);
        if (stat && procIsAlive(*stat) && stat->session == identity.pid)
            members.append(pid);
    }
    return members;
}

int signalMembers(const ProcessIdentity &identity, int signal)
{
    // The group at once while its leader is surely the same process; then those that left the group, one by one. What
    // is forked meanwhile is found by the next look.
    const QList<qint64> members = livingMembers(identity);
    const bool asGroup = isSameProcess(identity) && ::kill(-pid_t(identity.pid), signal) == 0;
    int reached = 0;
    for (const qint64 pid : members) {
        if ((asGroup && ::getpgid(pid_t(pid)) == pid_t(identity.pid)) || ::kill(pid_t(pid), signal) == 0)
            ++reached;
    }
    return reached;
}

} // namespace foundry::backend
