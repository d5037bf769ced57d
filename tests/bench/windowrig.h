// The real foundry-workbench as a process, with private XDG folders, offscreen at 1600×1000. With FOUNDRY_TRACE=1 it
// prints a line of JSON for each mark ({"mark":"first-paint"}, "dashboard" with the number of tasks, "live", "task").
#pragma once

#include "models/types/result.h"

#include <QElapsedTimer>
#include <QHash>
#include <QProcess>
#include <QTemporaryDir>

namespace foundry::bench {

class WindowRig {
public:
    // `home`: a folder that outlives this, for a window that finds what an earlier one left; none: a new one.
    explicit WindowRig(const QString &home = {})
        : m_home(home.isEmpty() ? m_own.path() : home)
    {
    }
    ~WindowRig();
    // Attaches to the host of this data directory; `more` are further arguments.
    Result<> start(const QString &hostDataDir, const QStringList &more = {});
    // Milliseconds from the start of the process to the mark.
    Result<double> mark(const QString &name, int timeoutMs = 20000);
    qint64 pid() const { return m_process.processId(); }
    void stop();

private:
    QTemporaryDir m_own;
    QString m_home;
    QProcess m_process;
    QElapsedTimer m_clock;
    QByteArray m_buffer;
    QHash<QString, double> m_marks;
};

// Sum of PSS of a process in MB.
Result<double> pssMb(qint64 pid);
// Voluntary context switches of all threads.
Result<qint64> wakeUps(qint64 pid);

} // namespace foundry::bench
