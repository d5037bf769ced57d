#include "app/tour/tourrunner.h"

#include <QDialog>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPainter>
#include <QPixmap>
#include <QSaveFile>
#include <QTextStream>

namespace foundry::app {

namespace {

// A driver has no signal to wait for that would not be one of the window's own; it looks at what is on screen, twice a
// frame.
constexpr auto tourLookEvery = std::chrono::milliseconds(8);

} // namespace

TourRunner::TourRunner(QWidget &window, QString directory, LoopWatchdog &watchdog, QObject *parent)
    : QObject(parent)
    , m_window(&window)
    , m_directory(std::move(directory))
    , m_watchdog(watchdog)
{
    m_look.setInterval(tourLookEvery);
    m_deadline.setSingleShot(true);
    connect(&m_look, &QTimer::timeout, this, &TourRunner::look);
    connect(&m_deadline, &QTimer::timeout, this, [this] {
        end(makeError(QLatin1StringView("client"), QLatin1StringView("tour_deadline"),
            tr("The step \"%1\" was not done in %2 s.").arg(m_steps.at(m_current).name).arg(m_steps.at(m_current).deadline.count() / 1000)));
    });
}

void TourRunner::start()
{
    next();
}

void TourRunner::next()
{
    if (++m_current == m_steps.size()) {
        end(std::nullopt);
        return;
    }
    const TourStep &step = m_steps.at(m_current);
    m_watchdog.reset();
    m_watchdog.mark(QStringLiteral("tour: ") + step.name);
    m_clock.start();
    m_deadline.start(step.deadline);
    if (step.begin) {
        if (const Result<> begun = step.begin(); !begun) {
            end(begun.error());
            return;
        }
    }
    m_look.start();
}

void TourRunner::look()
{
    const TourStep &step = m_steps.at(m_current);
    if (!m_window) {
        end(makeError(QLatin1StringView("client"), QLatin1StringView("tour_window"), tr("The window was closed.")));
        return;
    }
    if (step.reached && !step.reached())
        return;
    m_look.stop();
    m_deadline.stop();
    Done done;
    done.name = step.name;
    done.ms = double(m_clock.nsecsElapsed()) / 1e6;
    // Its painting belongs to it, so the longest turn is read after that.
    QTimer::singleShot(step.picture ? step.settle : std::chrono::milliseconds(0), this, [this, done] { stepDone(done); });
}

void TourRunner::stepDone(Done done)
{
    const TourStep &step = m_steps.at(m_current);
    done.longest = m_watchdog.longest();
    if (step.picture && m_window)
        takePicture(done);
    m_done << done;
    QTextStream(stdout) << QStringLiteral("%1 %2 ms, longest GUI turn %3 ms (%4)\n")
                               .arg(done.name, -32)
                               .arg(done.ms, 7, 'f', 0)
                               .arg(done.longest.cpuMs, 5, 'f', 1)
                               .arg(done.longest.handled);
    // Not from within the timer that looked: the next step begins in a turn of its own.
    QMetaObject::invokeMethod(this, &TourRunner::next, Qt::QueuedConnection);
}

void TourRunner::takePicture(Done &done)
{
    const LoopWatchdog::Excluded excluded(m_watchdog);
    done.picture = QStringLiteral("%1-%2.png").arg(++m_pictures, 2, 10, QLatin1Char('0')).arg(done.name);
    QPixmap picture = m_window->grab();
    // Sheets are windows of their own.
    QPainter painter(&picture);
    for (QDialog *sheet : m_window->findChildren<QDialog *>()) {
        if (sheet->isVisible())
            painter.drawPixmap(m_window->mapFromGlobal(sheet->pos()), sheet->grab());
    }
    painter.end();
    if (!picture.save(m_directory + QLatin1Char('/') + done.picture))
        QTextStream(stderr) << tr("%1 could not be written.\n").arg(done.picture);
}

void TourRunner::end(const std::optional<Error> &error)
{
    m_look.stop();
    m_deadline.stop();
    std::optional<Error> outcome = error;
    if (outcome && m_current < m_steps.size()) {
        Done failed;
        failed.name = m_steps.at(m_current).name;
        failed.ms = double(m_clock.nsecsElapsed()) / 1e6;
        failed.longest = m_watchdog.longest();
        if (m_window)
            takePicture(failed); // what the window shows instead
        m_done << failed;
        outcome->message = tr("Step \"%1\": %2").arg(failed.name, outcome->message);
    }
    if (!writeReport(outcome) && !outcome)
        outcome = makeError(QLatin1StringView("client"), QLatin1StringView("tour_report"), tr("tour.json could not be written."));
    Q_EMIT finished(outcome);
}

bool TourRunner::writeReport(const std::optional<Error> &error)
{
    QJsonArray steps;
    for (const Done &done : std::as_const(m_done)) {
        QJsonObject step{{QStringLiteral("name"), done.name}, {QStringLiteral("ms"), done.ms},
            {QStringLiteral("longestGuiTurnMs"), done.longest.cpuMs}, {QStringLiteral("longestGuiTurnWallMs"), done.longest.wallMs},
            {QStringLiteral("longestGuiTurnIn"), done.longest.handled}};
        if (!done.picture.isEmpty())
            step.insert(QStringLiteral("picture"), done.picture);
        steps << step;
    }
    QJsonObject report{{QStringLiteral("steps"), steps}, {QStringLiteral("ok"), !error}};
    if (error)
        report.insert(QStringLiteral("error"), error->message);
    QSaveFile file(m_directory + QStringLiteral("/tour.json"));
    return file.open(QIODevice::WriteOnly) && file.write(QJsonDocument(report).toJson()) > 0 && file.commit();
}

} // namespace foundry::app
