// Measures the turns of the GUI thread's event loop: its CPU time from one wait to the next (other programs on the
// machine do not count), and the wall time of what was handled in it. Remembers the longest since the last reset, with
// what was being handled and the stage that was named. Costs a few hundred nanoseconds a turn. GUI thread.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>

class QEvent;

namespace foundry::app {

struct LoopTurn {
    double cpuMs = 0;
    double wallMs = 0;
    QString handled = {}; // class and event type of the slowest event in it
    QString stage = {};
};

class LoopWatchdog : public QObject {
    Q_OBJECT

public:
    explicit LoopWatchdog(QObject *parent = nullptr);

    // From now on; the event loop must exist.
    void begin();
    // Around each event, from QApplication::notify.
    void enter(const QObject *receiver, const QEvent *event);
    void leave();
    // Names what follows, for the turn that becomes the longest.
    void mark(const QString &stage) { m_stage = stage; }

    LoopTurn longest() const { return m_longest; }
    void reset() { m_longest = {}; }
    qint64 turns() const { return m_turns; }

    // Not the window's work (a screenshot): left out of the turn it happens in.
    class Excluded {
    public:
        explicit Excluded(LoopWatchdog &watchdog);
        ~Excluded();
        Excluded(const Excluded &) = delete;
        Excluded &operator=(const Excluded &) = delete;

    private:
        LoopWatchdog &m_watchdog;
        double m_cpu;
        double m_wall;
    };

private:
    void turnEnded();
    static double cpuNow();
    double wallNow() const { return double(m_clock.nsecsElapsed()) / 1e6; }

    QElapsedTimer m_clock;
    bool m_running = false;
    double m_cpuAtStart = 0;
    double m_wallInTurn = 0;
    double m_excludedCpu = 0;
    double m_excludedWall = 0;
    int m_depth = 0;
    double m_enteredWall = 0;
    const char *m_receiver = nullptr;
    int m_eventType = 0;
    double m_slowestWall = -1;
    const char *m_slowestReceiver = nullptr;
    int m_slowestType = 0;
    QString m_stage;
    LoopTurn m_longest;
    qint64 m_turns = 0;
};

} // namespace foundry::app
