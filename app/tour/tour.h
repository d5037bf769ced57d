// The tour: the main job done through the real window by itself, on a host and a repository of its own, with pictures
// and measurements. GUI thread.
#pragma once

#include "app/config.h"
#include "app/tour/tourrepository.h"
#include "app/tour/tourrunner.h"

namespace foundry::app {

class Application;

class Tour : public QObject {
    Q_OBJECT

public:
    // `application` owns the tour.
    Tour(Application &application, const Config &config, QObject *parent = nullptr);

    // Ends the program with 0, or with 1 and the name of the step that failed on stderr.
    void start();

private:
    void addSteps();
    void finish(const std::optional<Error> &error);

    Application &m_application;
    Config m_config;
    TourRepository m_maker;
    TourRunner m_runner;
};

} // namespace foundry::app
