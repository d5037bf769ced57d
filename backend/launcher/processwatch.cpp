#include "backend/launcher/processwatch.h"

#include "backend/launcher/connectinfo.h"

#include <QSocketNotifier>
#include <QTimer>

#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>

namespace foundry {

ProcessWatch::ProcessWatch(qint64 pid, QObject *parent)
    : QObject(parent)
{
    m_file = int(::syscall(SYS_pidfd_open, pid_t(pid), 0));
    if (m_file >= 0) {
        auto *notifier = new QSocketNotifier(m_file, QSocketNotifier::Read, this);
        connect(notifier, &QSocketNotifier::activated, this, [this, notifier] {
            notifier->setEnabled(false);
            Q_EMIT ended();
        });
        return;
    }
    if (errno == ESRCH || !processLives(pid)) {
        QTimer::singleShot(0, this, &ProcessWatch::ended);
        return;
    }
    // A system without pidfds: looked at now and then.
    auto *timer = new QTimer(this);
    connect(timer, &QTimer::timeout, this, [this, timer, pid] {
        if (processLives(pid))
            return;
        timer->stop();
        Q_EMIT ended();
    });
    timer->start(500);
}

ProcessWatch::~ProcessWatch()
{
    if (m_file >= 0)
        ::close(m_file);
}

} // namespace foundry
