#include "app/application.h"

#include "app/tour/tour.h"
#include "app/wiring/windowwiring.h"
#include "resources/foundryresources.h"

#include <QStandardPaths>
#include <QTimer>

namespace foundry::app {

namespace {

constexpr QLatin1StringView themeKey("appearance/theme");
constexpr QLatin1StringView cacheLimitKey("cache/limitMiB");
constexpr QLatin1StringView stopHostKey("host/stopWithWindow");

// The tour leaves nothing behind and finds nothing.
QString statePath(const Config &config)
{
    if (!config.tourDir.isEmpty())
        return {};
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) + QStringLiteral("/foundry/workbench.ini");
}

} // namespace

bool WatchedApplication::notify(QObject *receiver, QEvent *event)
{
    m_watchdog.enter(receiver, event);
    const bool handled = QApplication::notify(receiver, event);
    m_watchdog.leave();
    return handled;
}

LauncherOptions Application::launcherOptions(const Config &config)
{
    LauncherOptions options;
    options.dataDir = config.hostDataDir;
    if (!config.tourDir.isEmpty() && config.hostDataDir.isEmpty())
        options.dataDir = Tour::hostDataDir(config);
    options.program = config.hostProgram;
    return options;
}

Application::Application(WatchedApplication &qt, Config config, QObject *parent)
    : QObject(parent)
    , m_qt(qt)
    , m_config(std::move(config))
    , m_state(statePath(m_config))
    , m_theme(m_config.themeFromCommandLine ? m_config.theme : themeChoiceOf(m_state.value(themeKey).toString()))
    , m_stores(m_config, m_state.value(cacheLimitKey).toLongLong())
    , m_link(launcherOptions(m_config), m_stores.clientOptions())
    , m_workspace(m_link.client())
    , m_stopHost(m_state.value(stopHostKey).toBool())
{
    initResources();
    m_theme.applyTo(qt);
    const views::WindowModels models{
        &m_workspace.tasks(), &m_workspace.repositories(), &m_workspace.agents(), &m_workspace.attention()};
    m_window = std::make_unique<views::MainWindow>(&m_theme, &m_clock, &m_state, models);
    m_window->setStopHostWithWindow(m_stopHost);
    m_window->setCacheLimit(m_state.value(cacheLimitKey).toInt());
    connect(m_window.get(), &views::MainWindow::cacheLimitChanged, this, [this](int mebibytes) {
        m_state.setValue(cacheLimitKey, mebibytes);
        m_stores.setCacheLimit(mebibytes);
    });
    const auto sayUse = [this] { m_stores.cacheBytes(m_window.get(), [this](qint64 bytes) { m_window->setCacheBytes(bytes); }); };
    connect(m_window.get(), &views::MainWindow::cacheUseWanted, this, sayUse);
    connect(m_window.get(), &views::MainWindow::emptyCacheRequested, this,
        [this, sayUse] { m_stores.removeCache(m_window.get(), sayUse); });
    wireValues(*m_window, m_link, m_workspace);
    wireIntents(*m_window, m_link, m_workspace);
    connect(m_window.get(), &views::MainWindow::firstPainted, this, &Application::afterFirstPaint, Qt::QueuedConnection);
    connect(m_window.get(), &views::MainWindow::themeChoiceChanged, this, [this](ThemeChoice choice) {
        m_theme.setChoice(choice);
        m_state.setValue(themeKey, themeChoiceName(choice));
    });
    connect(m_window.get(), &views::MainWindow::stopHostWithWindowChanged, this, [this](bool stop) {
        m_stopHost = stop;
        m_state.setValue(stopHostKey, stop);
    });
    connect(&qt, &QApplication::lastWindowClosed, this, &Application::lastWindowClosed);
}

Application::~Application()
{
    if (m_page)
        m_page->flushDraft();
    // What refers to the page goes before the window that owns it.
    m_tour.reset();
    m_unsent.reset();
    m_binding.reset();
    m_window.reset();
}

void Application::start()
{
    if (m_trace.isOn()) {
        connect(&m_link.client().organizationFeed(), &realtime::TopicFeed::loaded, this,
            [this] { markWhenPainted(QStringLiteral("dashboard")); });
    }
    m_link.view();
    m_window->show();
}

void Application::afterFirstPaint()
{
    m_trace.mark(QStringLiteral("first-paint"));
    watchdog().begin();
    m_link.start();
    if (m_trace.isOn()) {
        connect(&m_link, &HostLink::stateChanged, this, [this](const LinkState &state) {
            if (state.phase == LinkPhase::Live)
                m_trace.mark(QStringLiteral("live"));
        });
    }
    // Each in a turn of its own: none of them is needed for what is on screen.
    QTimer::singleShot(0, this, [] { initLateFonts(); });
    QTimer::singleShot(0, this, [this] { m_changes = std::make_unique<views::ChangesPanel>(&m_theme); });
    QTimer::singleShot(0, this, &Application::makeTaskPage);
    QTimer::singleShot(0, this, [this] {
        m_appearance = std::make_unique<views::DesktopAppearance>();
        connect(m_appearance.get(), &views::DesktopAppearance::preferenceChanged, &m_theme, &views::ThemeProvider::setDesktopPrefersDark);
        m_appearance->start();
    });
}

void Application::makeTaskPage()
{
    m_highlighter = std::make_unique<views::CodeHighlighter>();
    m_page = new views::TaskPage(&m_theme, m_highlighter.get(), m_changes.release());
    m_binding = std::make_unique<TaskPageBinding>(*m_page, m_link.client(), m_workspace.tasks(), watchdog());
    m_unsent = std::make_unique<OutboxBinding>(*m_page, m_link.client());
    m_window->setTaskPage(m_page);
    wireTaskPage(*m_window, *m_page, *m_binding, m_workspace);
    // A task that was chosen before there was a page for it.
    if (!m_window->currentTask().isEmpty())
        m_window->openTask(m_window->currentTask());
    if (!m_config.openTask.isEmpty())
        openWhenKnown();
    // Its own turn: it draws its first picture, and building the page was work enough for this one.
    if (!m_config.tourDir.isEmpty())
        QTimer::singleShot(0, this, &Application::startTour);
}

void Application::startTour()
{
    m_tour = std::make_unique<Tour>(*this, m_config);
    m_tour->start();
}

void Application::openWhenKnown()
{
    // The cache may not know it yet when the host does. Queued: not while the model tells of its rows.
    connect(&m_workspace.tasks(), &TaskListModel::rowsInserted, this, &Application::openIfKnown, Qt::QueuedConnection);
    openIfKnown();
}

void Application::openIfKnown()
{
    const TaskId task(m_config.openTask);
    const TaskRow *row = m_workspace.tasks().find(task);
    if (!row)
        return;
    disconnect(&m_workspace.tasks(), &TaskListModel::rowsInserted, this, &Application::openIfKnown);
    if (std::exchange(m_opened, true))
        return;
    if (m_trace.isOn()) {
        connect(&m_link.client().task(row->task.repoId, task).feed().task(), &realtime::TopicFeed::loaded, this,
            [this] { markWhenPainted(QStringLiteral("task")); });
    }
    m_window->openTask(task);
}

void Application::markWhenPainted(const QString &name)
{
    // The models have announced it: the widgets have asked for their painting, which is done before this comes.
    QTimer::singleShot(0, this, [this, name] { QTimer::singleShot(0, this, [this, name] { m_trace.mark(name); }); });
}

void Application::lastWindowClosed()
{
    if (m_page)
        m_page->flushDraft();
    m_link.client().user().flushDrafts();
    // A moment for what was just written to leave; the window is gone already.
    QTimer::singleShot(50, this, [this] {
        if (!m_stopHost) {
            m_qt.quit();
            return;
        }
        m_link.stopHostWhenIdle();
        QTimer::singleShot(500, &m_qt, &QApplication::quit);
    });
}

} // namespace foundry::app
