// The tour: the main job done through the real window by itself, on a host and a repository of its own, with pictures
// and measurements. GUI thread.
#pragma once

#include "app/config.h"
#include "app/tour/tourrepository.h"
#include "app/tour/tourrunner.h"
#include "models/types/ids.h"

#include <memory>

namespace foundry {
struct Session;
struct TranscriptEntry;
}

namespace foundry::views {
class TaskPage;
class TranscriptView;
}

namespace foundry::app {

class Application;

class Tour : public QObject {
    Q_OBJECT

public:
    // `application` owns the tour.
    Tour(Application &application, const Config &config, QObject *parent = nullptr);

    // A private folder in the system's place for temporary files, removed when the tour is over.
    static QString hostDataDir(const Config &config);

    // Ends the program with 0, or with 1 and the name of the step that failed on stderr.
    void start();

private:
    void addFirstTask();
    void addReview();
    void addSecondSession();
    void addSecondTask();
    void addThemes();
    void add(const QString &name, std::function<Result<>()> begin, std::function<bool()> reached, bool picture = false,
        std::chrono::milliseconds deadline = std::chrono::seconds(30),
        std::chrono::milliseconds settle = std::chrono::milliseconds(150));
    void finish(const std::optional<Error> &error);

    Result<> writeTask(const QString &prompt);
    Result<> answer(bool allow);
    bool asks() const;
    bool wasAnswered(const QString &permissionRequestId) const;
    bool turnEnded(const QString &stopReason = {}) const;
    views::TaskPage *page() const;
    views::TranscriptView *transcript() const;
    const Session *session() const;

    Application &m_application;
    Config m_config;
    QString m_repository;
    TourRepository m_maker;
    std::unique_ptr<TourRunner> m_runner;
    bool m_made = false;
    bool m_sameFrame = false; // the page was there when the request had been handled
    QString m_answered; // the permission that was clicked last
    qsizetype m_promptSize = 0;
    TaskId m_firstTask;
    SessionId m_firstSession;
};

} // namespace foundry::app
