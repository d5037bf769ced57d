#include "app/loopwatchdog.h"

#include <QAbstractEventDispatcher>
#include <QEvent>
#include <QMetaEnum>

#include <time.h>

namespace foundry::app {

LoopWatchdog::LoopWatchdog(QObject *parent)
    : QObject(parent)
{
    m_clock.start();
}

double LoopWatchdog::cpuNow()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

void LoopWatchdog::begin()
{
    if (m_running)
        return;
    m_running = true;
    m_cpuAtStart = cpuNow();
    // Both dispatchers of Qt say this once in each turn, right before they wait; what they say after the wait comes at
    // different places.
    connect(QAbstractEventDispatcher::instance(), &QAbstractEventDispatcher::aboutToBlock, this, &LoopWatchdog::turnEnded);
}

void LoopWatchdog::enter(const QObject *receiver, const QEvent *event)
{
    if (m_depth++ > 0)
        return;
    m_enteredWall = wallNow();
    m_receiver = receiver->metaObject()->className(); // it may be gone when it has handled this
    m_eventType = event->type();
}

void LoopWatchdog::leave()
{
    if (--m_depth > 0)
        return;
    const double wall = wallNow() - m_enteredWall;
    m_wallInTurn += wall;
    if (wall > m_slowestWall) {
        m_slowestWall = wall;
        m_slowestReceiver = m_receiver;
        m_slowestType = m_eventType;
    }
}

void LoopWatchdog::turnEnded()
{
    const double cpu = cpuNow();
    const double spent = cpu - m_cpuAtStart - m_excludedCpu;
    ++m_turns;
    if (spent > m_longest.cpuMs) {
        m_longest.cpuMs = spent;
        m_longest.wallMs = m_wallInTurn - m_excludedWall;
        m_longest.stage = m_stage;
        const char *type = QMetaEnum::fromType<QEvent::Type>().valueToKey(m_slowestType);
        m_longest.handled = QString::fromLatin1(m_slowestReceiver ? m_slowestReceiver : "")
            + QLatin1Char(' ') + (type ? QString::fromLatin1(type) : QString::number(m_slowestType));
    }
    m_cpuAtStart = cpu;
    m_wallInTurn = 0;
    m_excludedCpu = 0;
    m_excludedWall = 0;
    m_slowestWall = -1;
    m_slowestReceiver = nullptr;
}

LoopWatchdog::Excluded::Excluded(LoopWatchdog &watchdog)
    : m_watchdog(watchdog)
    , m_cpu(cpuNow())
    , m_wall(watchdog.wallNow())
{
}

LoopWatchdog::Excluded::~Excluded()
{
    m_watchdog.m_excludedCpu += cpuNow() - m_cpu;
    m_watchdog.m_excludedWall += m_watchdog.wallNow() - m_wall;
}

} // namespace foundry::app
