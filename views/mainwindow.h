// The window's shell: sidebar, the centre with dashboard or task page, the state of the link, shortcuts and sheets. It
// shows models and values that it is handed and says by signals what the user wants; nothing here waits or asks anybody.
// GUI thread.
#pragma once

#include "models/types/linkstate.h"
#include "models/types/organization.h"
#include "models/types/task.h"
#include "views/common/intents.h"
#include "views/common/themeprovider.h"

#include <QMainWindow>
#include <QPointer>

class QSplitter;
class QStackedWidget;

namespace foundry {
class AgentListModel;
class AttentionModel;
class RepositoryListModel;
class TaskListModel;
}

namespace foundry::views {

class Dashboard;
class LinkBanner;
class MinuteClock;
class Rail;
class SettingsSheet;
class Sidebar;
class UiState;

// All must outlive the window.
struct WindowModels {
    TaskListModel *tasks = nullptr;
    RepositoryListModel *repositories = nullptr;
    AgentListModel *agents = nullptr;
    AttentionModel *attention = nullptr;
};

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    MainWindow(ThemeProvider *theme, MinuteClock *clock, UiState *state, const WindowModels &models,
        QWidget *parent = nullptr);
    ~MainWindow() override;

    // The page that shows the task of taskActivated(); the window owns it afterwards.
    void setTaskPage(QWidget *page);

    void setLinkState(const LinkState &state);
    void setOrganization(const Organization &organization);
    void setHostStatus(const HostStatus &status);
    // Something failed that belongs to no task; said above the centre until dismissed.
    void showError(const Error &error);

    // Programmatic ways to where the user can go; they emit like the user's.
    void openTask(const TaskId &task);
    void showDashboard();
    TaskId currentTask() const { return m_task; } // empty on the dashboard

    void openNewTask(const RepoId &repository = {});
    void openAddRepository();
    void openSettings();
    void confirmAgent(const AgentId &agent); // asks first, then emits confirmAgentRequested()
    void setStopHostWithWindow(bool stop) { m_stopHost = stop; }
    void setCacheLimit(int mebibytes) { m_cacheLimitMiB = mebibytes; } // 0: the default
    void setCacheBytes(qint64 bytes); // the answer to cacheUseWanted()

    Dashboard *dashboard() const { return m_dashboard; }
    Sidebar *sidebar() const { return m_sidebar; }

Q_SIGNALS:
    // The task page's slot is on screen already: fill the page.
    void taskActivated(const foundry::TaskId &task);
    // As taskActivated(), and this session, at this entry (-1: its end).
    void entryActivated(const foundry::TaskId &task, const foundry::SessionId &session, qint64 entryIndex);
    void dashboardShown();

    void newTaskRequested(const foundry::views::NewTaskRequest &request);
    void addRepositoryRequested(const foundry::views::AddRepositoryRequest &request);
    void removeRepositoryRequested(const foundry::RepoId &repository);
    void confirmAgentRequested(const foundry::AgentId &agent);
    void installAgentRequested(const foundry::AgentId &agent);
    void refreshAgentsRequested();
    void permissionAnswered(const foundry::TaskId &task, const foundry::SessionId &session, const QString &requestId,
        const QString &optionId);
    void renameTaskRequested(const foundry::TaskId &task, const QString &title);
    void unreadRequested(const foundry::TaskId &task, bool unread);
    void retryLinkRequested(); // connect now, or start the host again
    void themeChoiceChanged(foundry::views::ThemeChoice choice);
    void cacheLimitChanged(int mebibytes);
    void cacheUseWanted();
    void emptyCacheRequested();
    void stopHostWithWindowChanged(bool stop);
    // Once, after the first frame: what may wait begins here.
    void firstPainted();

protected:
    void closeEvent(QCloseEvent *event) override;
    bool event(QEvent *event) override;

private:
    void buildLayout(const WindowModels &models, MinuteClock *clock);
    void connectParts();
    void addShortcuts();
    void restoreLayout();
    void setSidebarShown(bool shown);
    void activateNumbered(int number);

    ThemeProvider *m_theme;
    UiState *m_state;
    WindowModels m_models;
    Sidebar *m_sidebar = nullptr;
    Dashboard *m_dashboard = nullptr;
    LinkBanner *m_banner = nullptr;
    Rail *m_rail = nullptr;
    QSplitter *m_splitter = nullptr;
    QStackedWidget *m_stack = nullptr;
    QWidget *m_taskPage = nullptr;
    TaskId m_task;
    bool m_stopHost = false;
    int m_cacheLimitMiB = 0;
    QPointer<SettingsSheet> m_settings;
    LinkState m_link;
    bool m_painted = false;
};

} // namespace foundry::views
