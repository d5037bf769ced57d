// Times as people read them, and one tick a minute that keeps them true: it runs only while something that shows an age
// is visible. GUI thread.
#pragma once

#include "models/types/entity.h"

#include <QObject>
#include <QString>
#include <QTimer>

#include <functional>

class QWidget;

namespace foundry::views {

// "now", "5m", "3h", "2d", "6w", then the date; for lists. `then` in the future counts as now.
QString shortAge(Millis then, Millis now);
// "just now", "5 minutes ago", … for sentences.
QString longAge(Millis then, Millis now);
// The whole date and time in the locale's form; for tool tips.
QString exactTime(Millis at);
// "09:41" today, else with the date.
QString clockTime(Millis at, Millis now);
// "4.2 s", "3 min 12 s", "1 h 5 min".
QString durationText(qint64 milliseconds);

class MinuteClock : public QObject {
    Q_OBJECT
public:
    // `now` can be given for tests and screenshots.
    explicit MinuteClock(std::function<Millis()> now = {}, QObject *parent = nullptr);

    Millis now() const { return m_now(); }
    // Repaints `widget` at each tick while it is visible.
    void watch(QWidget *widget);
    bool isTicking() const { return m_timer.isActive(); }

Q_SIGNALS:
    void minutePassed();

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void tick();
    void schedule();
    bool anyVisible() const;

    std::function<Millis()> m_now;
    QTimer m_timer;
    QList<QWidget *> m_watched;
};

} // namespace foundry::views
