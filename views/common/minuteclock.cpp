#include "views/common/minuteclock.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QEvent>
#include <QLocale>
#include <QWidget>

namespace foundry::views {

namespace {

constexpr Millis clockMinute = 60'000;
constexpr Millis clockHour = 60 * clockMinute;
constexpr Millis clockDay = 24 * clockHour;

QString clockText(const char *text, int n = -1)
{
    return QCoreApplication::translate("Time", text, nullptr, n);
}

} // namespace

QString shortAge(Millis then, Millis now)
{
    if (then <= 0)
        return {};
    const Millis age = qMax<Millis>(0, now - then);
    if (age < clockMinute)
        return clockText(QT_TRANSLATE_NOOP("Time", "now"));
    if (age < clockHour)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1m")).arg(age / clockMinute);
    if (age < clockDay)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1h")).arg(age / clockHour);
    if (age < 14 * clockDay)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1d")).arg(age / clockDay);
    if (age < 60 * clockDay)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1w")).arg(age / (7 * clockDay));
    return QLocale().toString(QDateTime::fromMSecsSinceEpoch(then).date(), QLocale::ShortFormat);
}

QString longAge(Millis then, Millis now)
{
    if (then <= 0)
        return {};
    const Millis age = qMax<Millis>(0, now - then);
    if (age < clockMinute)
        return clockText(QT_TRANSLATE_NOOP("Time", "just now"));
    if (age < clockHour)
        return age < 2 * clockMinute ? clockText(QT_TRANSLATE_NOOP("Time", "1 minute ago")) : clockText(QT_TRANSLATE_NOOP("Time", "%1 minutes ago")).arg(age / clockMinute);
    if (age < clockDay)
        return age < 2 * clockHour ? clockText(QT_TRANSLATE_NOOP("Time", "1 hour ago")) : clockText(QT_TRANSLATE_NOOP("Time", "%1 hours ago")).arg(age / clockHour);
    if (age < 14 * clockDay)
        return age < 2 * clockDay ? clockText(QT_TRANSLATE_NOOP("Time", "yesterday")) : clockText(QT_TRANSLATE_NOOP("Time", "%1 days ago")).arg(age / clockDay);
    return QLocale().toString(QDateTime::fromMSecsSinceEpoch(then).date(), QLocale::LongFormat);
}

QString exactTime(Millis at)
{
    return at <= 0 ? QString() : QLocale().toString(QDateTime::fromMSecsSinceEpoch(at), QLocale::LongFormat);
}

QString clockTime(Millis at, Millis now)
{
    if (at <= 0)
        return {};
    const QDateTime then = QDateTime::fromMSecsSinceEpoch(at);
    if (then.date() == QDateTime::fromMSecsSinceEpoch(now).date())
        return QLocale().toString(then.time(), QStringLiteral("HH:mm"));
    return QLocale().toString(then, QLocale::ShortFormat);
}

QString durationText(qint64 milliseconds)
{
    const qint64 ms = qMax<qint64>(0, milliseconds);
    if (ms < 1000)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1 ms")).arg(ms);
    if (ms < 10'000)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1 s")).arg(QLocale().toString(double(ms) / 1000, 'f', 1));
    if (ms < clockMinute)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1 s")).arg(ms / 1000);
    if (ms < clockHour)
        return clockText(QT_TRANSLATE_NOOP("Time", "%1 min %2 s")).arg(ms / clockMinute).arg(ms % clockMinute / 1000);
    return clockText(QT_TRANSLATE_NOOP("Time", "%1 h %2 min")).arg(ms / clockHour).arg(ms % clockHour / clockMinute);
}

MinuteClock::MinuteClock(std::function<Millis()> now, QObject *parent)
    : QObject(parent)
    , m_now(now ? std::move(now) : std::function<Millis()>(&QDateTime::currentMSecsSinceEpoch))
{
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::CoarseTimer);
    connect(&m_timer, &QTimer::timeout, this, &MinuteClock::tick);
}

void MinuteClock::watch(QWidget *widget)
{
    if (m_watched.contains(widget))
        return;
    m_watched.append(widget);
    widget->installEventFilter(this);
    connect(widget, &QObject::destroyed, this, [this, widget] { m_watched.removeAll(widget); });
    schedule();
}

bool MinuteClock::eventFilter(QObject *watched, QEvent *event)
{
    if (event->type() == QEvent::Show)
        schedule();
    return QObject::eventFilter(watched, event);
}

void MinuteClock::tick()
{
    if (!anyVisible())
        return;
    for (QWidget *widget : std::as_const(m_watched)) {
        if (widget->isVisible())
            widget->update();
    }
    Q_EMIT minutePassed();
    schedule();
}

void MinuteClock::schedule()
{
    if (!m_timer.isActive() && anyVisible())
        m_timer.start(int(clockMinute - m_now() % clockMinute));
}

bool MinuteClock::anyVisible() const
{
    return std::any_of(m_watched.cbegin(), m_watched.cend(),
        [](const QWidget *widget) { return widget->isVisible() && !widget->window()->isMinimized(); });
}

} // namespace foundry::views
