// The composition root: makes the parts, hands each what it needs, shows the window first and lets everything else begin
// after its first paint. GUI thread.
#pragma once

#include "app/config.h"
#include "app/hostlink.h"
#include "app/localstores.h"
#include "app/loopwatchdog.h"
#include "app/tracemarks.h"
#include "app/wiring/outboxbinding.h"
#include "app/wiring/taskpagebinding.h"
#include "app/workspace.h"
#include "views/common/codehighlighter.h"
#include "views/common/desktopappearance.h"
#include "views/common/minuteclock.h"
#include "views/common/uistate.h"
#include "views/diff/changespanel.h"
#include "views/mainwindow.h"

#include <QApplication>

namespace foundry::app {

// Tells the watchdog of every event.
class WatchedApplication : public QApplication {
    Q_OBJECT

public:
    using QApplication::QApplication;
    bool notify(QObject *receiver, QEvent *event) override;

    LoopWatchdog &watchdog() { return m_watchdog; }

private:
    LoopWatchdog m_watchdog;
};

class Tour;

class Application : public QObject {
    Q_OBJECT

public:
    Application(WatchedApplication &qt, Config config, QObject *parent = nullptr);
    ~Application() override;

    // Returns at once; the event loop does the rest.
    void start();

    views::MainWindow &window() { return *m_window; }
    Workspace &workspace() { return m_workspace; }
    HostLink &link() { return m_link; }
    views::ThemeProvider &theme() { return m_theme; }
    LoopWatchdog &watchdog() { return m_qt.watchdog(); }
    // The models of a task whose page is or was shown; null else.
    OpenTask *openTask(const TaskId &task) { return m_binding ? m_binding->of(task) : nullptr; }

private:
    void afterFirstPaint();
    void makeTaskPage();
    void startTour();
    void openWhenKnown();
    void openIfKnown();
    void markWhenPainted(const QString &name);
    void lastWindowClosed();
    static LauncherOptions launcherOptions(const Config &config);

    WatchedApplication &m_qt;
    Config m_config;
    TraceMarks m_trace;
    views::UiState m_state;
    views::ThemeProvider m_theme;
    views::MinuteClock m_clock;
    LocalStores m_stores; // before the link, whose client reads from them
    HostLink m_link;
    Workspace m_workspace;
    std::unique_ptr<views::MainWindow> m_window;
    std::unique_ptr<views::CodeHighlighter> m_highlighter;
    std::unique_ptr<views::DesktopAppearance> m_appearance;
    std::unique_ptr<views::ChangesPanel> m_changes; // until the page takes it
    views::TaskPage *m_page = nullptr; // the window's
    std::unique_ptr<TaskPageBinding> m_binding;
    std::unique_ptr<OutboxBinding> m_unsent;
    std::unique_ptr<Tour> m_tour;
    bool m_opened = false; // the task of the command line
    bool m_stopHost = false;
};

} // namespace foundry::app
