// Small helps of the shell's tests: CPU time of this thread, an active window, a settled layout.
#pragma once

#include <QApplication>
#include <QTest>

#include <ctime>

namespace foundry::test {

inline double cpuMilliseconds()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return double(time.tv_sec) * 1e3 + double(time.tv_nsec) / 1e6;
}

// Shortcuts belong to the active window.
inline bool activate(QWidget &window)
{
    window.activateWindow();
    return QTest::qWaitForWindowActive(&window);
}

inline void settle()
{
    QCoreApplication::sendPostedEvents();
    QApplication::processEvents();
}

} // namespace foundry::test
