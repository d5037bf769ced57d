// Runs the steps of a tour one after the other: begins a step, waits until what it is to show is there, takes a picture,
// notes how long it took and the longest turn of the event loop in it. A step that does not get there in its time fails
// the tour. GUI thread.
#pragma once

#include "app/loopwatchdog.h"
#include "models/types/result.h"

#include <QElapsedTimer>
#include <QList>
#include <QPointer>
#include <QTimer>
#include <QWidget>

#include <functional>
#include <optional>

namespace foundry::app {

struct TourStep {
    QString name;
    // Does what a user would do; an error ends the tour.
    std::function<Result<>()> begin;
    // True when the step has come to its end; looked at after each turn of the event loop, and cheap.
    std::function<bool()> reached;
    bool picture = false;
    std::chrono::milliseconds deadline = std::chrono::seconds(30);
    // Before the picture: what the step set off is laid out and painted.
    std::chrono::milliseconds settle = std::chrono::milliseconds(150);
};

class TourRunner : public QObject {
    Q_OBJECT

public:
    // Pictures are of `window`; `directory` exists.
    TourRunner(QWidget &window, QString directory, LoopWatchdog &watchdog, QObject *parent = nullptr);

    void add(TourStep step) { m_steps << std::move(step); }
    void start();

Q_SIGNALS:
    // Without a value: all steps were done.
    void finished(const std::optional<foundry::Error> &error);

private:
    struct Done {
        QString name;
        double ms = 0;
        LoopTurn longest;
        QString picture;
    };

    void next();
    void look();
    void stepDone(Done done);
    void end(const std::optional<Error> &error);
    void takePicture(Done &done);
    bool writeReport(const std::optional<Error> &error);

    QPointer<QWidget> m_window;
    QString m_directory;
    LoopWatchdog &m_watchdog;
    QList<TourStep> m_steps;
    QList<Done> m_done;
    qsizetype m_current = -1;
    int m_pictures = 0;
    QElapsedTimer m_clock;
    QTimer m_look;
    QTimer m_deadline;
};

} // namespace foundry::app
