#include "views/mainwindow.h"

#include "models/attentionmodel.h"
#include "models/tasklistmodel.h"
#include "views/common/linkbanner.h"
#include "views/common/uistate.h"
#include "views/dashboard/dashboard.h"
#include "views/sidebar/rail.h"
#include "views/sidebar/sidebar.h"

#include <QBoxLayout>
#include <QCloseEvent>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>

namespace foundry::views {

namespace {

const QLatin1StringView windowGeometryKey("window/geometry");
const QLatin1StringView windowSidebarKey("window/sidebar");
const QLatin1StringView windowSidebarWidthKey("window/sidebarWidth");

} // namespace

MainWindow::MainWindow(ThemeProvider *theme, MinuteClock *clock, UiState *state, const WindowModels &models,
    QWidget *parent)
    : QMainWindow(parent)
    , m_theme(theme)
    , m_state(state)
    , m_models(models)
{
    setWindowTitle(tr("Foundry Workbench"));
    setMinimumSize(640, 420);
    buildLayout(models, clock);
    connectParts();
    addShortcuts();
    restoreLayout();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildLayout(const WindowModels &models, MinuteClock *clock)
{
    m_sidebar = new Sidebar(m_theme, clock, m_state, models.tasks, models.repositories, models.attention);
    m_sidebar->setMinimumWidth(220);
    m_dashboard = new Dashboard(m_theme, clock, models.tasks, models.repositories, models.agents);
    m_banner = new LinkBanner(m_theme, clock);
    m_stack = new QStackedWidget;
    m_stack->addWidget(m_dashboard);
    m_rail = new Rail(m_theme);
    auto *centre = new QWidget;
    auto *row = new QHBoxLayout(centre);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(m_rail);
    auto *column = new QVBoxLayout;
    row->addLayout(column, 1);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_banner);
    column->addWidget(m_stack, 1);
    m_splitter = new QSplitter(Qt::Horizontal);
    m_splitter->addWidget(m_sidebar);
    m_splitter->addWidget(centre);
    m_splitter->setStretchFactor(0, 0);
    m_splitter->setStretchFactor(1, 1);
    m_splitter->setCollapsible(1, false);
    setCentralWidget(m_splitter);
}

void MainWindow::connectParts()
{
    connect(m_banner, &LinkBanner::retryRequested, this, &MainWindow::retryLinkRequested);
    connect(m_banner, &LinkBanner::counted, m_sidebar, &Sidebar::refreshLink);

    connect(m_sidebar, &Sidebar::dashboardRequested, this, &MainWindow::showDashboard);
    connect(m_sidebar, &Sidebar::newTaskRequested, this, &MainWindow::openNewTask);
    connect(m_sidebar, &Sidebar::addRepositoryRequested, this, &MainWindow::openAddRepository);
    connect(m_sidebar, &Sidebar::settingsRequested, this, &MainWindow::openSettings);
    connect(m_sidebar, &Sidebar::collapseRequested, this, [this] { setSidebarShown(false); });
    connect(m_sidebar, &Sidebar::taskActivated, this, &MainWindow::openTask);
    connect(m_sidebar, &Sidebar::entryActivated, this, [this](const TaskId &task, const SessionId &session, qint64 entry) {
        openTask(task);
        Q_EMIT entryActivated(task, session, entry);
    });
    connect(m_sidebar, &Sidebar::permissionAnswered, this, &MainWindow::permissionAnswered);
    connect(m_sidebar, &Sidebar::renameTaskRequested, this, &MainWindow::renameTaskRequested);
    connect(m_sidebar, &Sidebar::unreadRequested, this, &MainWindow::unreadRequested);
    connect(m_sidebar, &Sidebar::removeRepositoryRequested, this, &MainWindow::removeRepositoryRequested);

    connect(m_rail, &Rail::sidebarRequested, this, [this] { setSidebarShown(true); });
    connect(m_rail, &Rail::newTaskRequested, this, [this] { openNewTask(); });
    connect(m_rail, &Rail::dashboardRequested, this, &MainWindow::showDashboard);

    connect(m_dashboard, &Dashboard::taskActivated, this, &MainWindow::openTask);
    connect(m_dashboard, &Dashboard::newTaskWanted, this, &MainWindow::openNewTask);
    connect(m_dashboard, &Dashboard::newTaskRequested, this, &MainWindow::newTaskRequested);
    connect(m_dashboard, &Dashboard::addRepositoryWanted, this, &MainWindow::openAddRepository);
    connect(m_dashboard, &Dashboard::addRepositoryRequested, this, &MainWindow::addRepositoryRequested);
    connect(m_dashboard, &Dashboard::removeRepositoryRequested, this, &MainWindow::removeRepositoryRequested);
    connect(m_dashboard, &Dashboard::confirmAgentWanted, this, &MainWindow::confirmAgent);
    connect(m_dashboard, &Dashboard::installAgentRequested, this, &MainWindow::installAgentRequested);
    connect(m_dashboard, &Dashboard::refreshAgentsRequested, this, &MainWindow::refreshAgentsRequested);
}

void MainWindow::setTaskPage(QWidget *page)
{
    m_taskPage = page;
    m_stack->addWidget(page);
}

void MainWindow::setLinkState(const LinkState &state)
{
    m_link = state;
    m_banner->setLinkState(state);
    m_sidebar->setLinkState(state);
    m_dashboard->setLinkState(state);
}

void MainWindow::setOrganization(const Organization &organization)
{
    m_sidebar->setOrganization(organization);
}

void MainWindow::setHostStatus(const HostStatus &status)
{
    m_dashboard->setHostStatus(status);
}

void MainWindow::showError(const Error &error)
{
    m_banner->showError(error);
}

void MainWindow::openTask(const TaskId &task)
{
    m_task = task;
    m_sidebar->setCurrentTask(task);
    if (m_taskPage)
        m_stack->setCurrentWidget(m_taskPage);
    Q_EMIT taskActivated(task);
}

void MainWindow::showDashboard()
{
    m_task = {};
    m_sidebar->setCurrentTask({});
    m_stack->setCurrentWidget(m_dashboard);
    m_dashboard->focusContent();
    Q_EMIT dashboardShown();
}

void MainWindow::activateNumbered(int number)
{
    if (const TaskId task = m_sidebar->taskAtPosition(number - 1); !task.isEmpty())
        openTask(task);
}

void MainWindow::setSidebarShown(bool shown)
{
    m_sidebar->setVisible(shown);
    m_rail->setVisible(!shown);
    m_state->setValue(QString(windowSidebarKey), shown);
}

void MainWindow::restoreLayout()
{
    if (!restoreGeometry(m_state->value(QString(windowGeometryKey)).toByteArray()))
        resize(1280, 800);
    setSidebarShown(m_state->value(QString(windowSidebarKey), true).toBool());
    const int wide = qBound(220, m_state->value(QString(windowSidebarWidthKey), Space::sidebar).toInt(), 560);
    m_splitter->setSizes({wide, qMax(1, width() - wide)});
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    m_state->setValue(QString(windowGeometryKey), saveGeometry());
    if (m_sidebar->isVisible())
        m_state->setValue(QString(windowSidebarWidthKey), m_sidebar->width());
    QMainWindow::closeEvent(event);
}

bool MainWindow::event(QEvent *event)
{
    const bool handled = QMainWindow::event(event);
    if (!m_painted && event->type() == QEvent::Paint) {
        m_painted = true;
        // After this turn of the event loop, so that the frame is out.
        QTimer::singleShot(0, this, [this] { Q_EMIT firstPainted(); });
    }
    return handled;
}

} // namespace foundry::views
