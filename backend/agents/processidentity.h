// Which process this was: enough to find it again after a restart of the host, and never to mistake another for it.
// Linux: /proc. Pure functions, any thread; each reads a handful of small files.
#pragma once

#include <QList>
#include <QString>

namespace foundry::backend {

// A process that leads its own session and process group. A pid alone is reused; pid, start time and boot are not.
// `marker` is in the environment of the process and of all that it starts (FOUNDRY_PROCESS_MARKER), so that children
// which left the group are found too. It is random, and no secret.
struct ProcessIdentity {
    qint64 pid = 0;        // also the id of its process group and session
    qint64 startTicks = 0; // clock ticks since boot, field 22 of /proc/PID/stat
    QString bootId;        // /proc/sys/kernel/random/boot_id
    QString marker;

    bool isValid() const { return pid > 1 && startTicks > 0; }
    // One line of text for a database column, and back. An unreadable text gives an invalid identity.
    QString toText() const;
    static ProcessIdentity fromText(const QString &text);
    friend bool operator==(const ProcessIdentity &, const ProcessIdentity &) = default;
};

QLatin1StringView processMarkerName();

// Field 22 of /proc/PID/stat, see proc(5); 0: there is none.
qint64 processStartTicks(qint64 pid);

// Reads start time and boot of a process that runs now; invalid when there is none.
ProcessIdentity identifyProcess(qint64 pid, const QString &marker);
// The very same process still exists (a zombie does not count).
bool isSameProcess(const ProcessIdentity &identity);
// Pids of all living processes that belong to it: the same process, members of its group, and those that carry its
// marker. Empty when the machine was booted since, or all are gone. Never names the caller itself.
QList<qint64> livingMembers(const ProcessIdentity &identity);
// Pids of all living processes in its session, whichever group they are in; empty unless the leader is still there, be it
// as a zombie that nobody waited for: that keeps the number from being given away. Never names the caller itself.
QList<qint64> sessionMembers(const ProcessIdentity &identity);
// Sends a signal to the group (when it still is that group) and to members that left it. Returns how many were reached.
int signalMembers(const ProcessIdentity &identity, int signal);

} // namespace foundry::backend
