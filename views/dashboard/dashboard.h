// Home: the host, repositories and agents above, all tasks on one board below; or the first start while there is nothing.
// GUI thread.
#pragma once

#include "models/types/linkstate.h"
#include "views/common/controls.h"
#include "views/common/intents.h"

#include "models/types/organization.h"

class QLineEdit;
class QStackedWidget;

namespace foundry {
class AgentListModel;
class BoardModel;
class RepositoryListModel;
class TaskListModel;
}

namespace foundry::views {

class BoardView;
class ChipStrip;
class EmptyState;
class FirstStart;
class MinuteClock;

class Dashboard : public QWidget {
    Q_OBJECT
public:
    Dashboard(ThemeProvider *theme, MinuteClock *clock, TaskListModel *tasks, RepositoryListModel *repositories,
        AgentListModel *agents, QWidget *parent = nullptr);

    void setHostStatus(const HostStatus &status);
    void setLinkState(const LinkState &state);
    bool showsFirstStart() const;
    void focusContent();

Q_SIGNALS:
    void taskActivated(const foundry::TaskId &task);
    void newTaskWanted(const foundry::RepoId &repository); // opens the sheet
    void newTaskRequested(const foundry::views::NewTaskRequest &request);
    void addRepositoryWanted(); // opens the sheet
    void addRepositoryRequested(const foundry::views::AddRepositoryRequest &request);
    void removeRepositoryRequested(const foundry::RepoId &repository);
    void confirmAgentWanted(const foundry::AgentId &agent);
    void installAgentRequested(const foundry::AgentId &agent);
    void refreshAgentsRequested();

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QWidget *buildHeader();
    QWidget *buildOverview();
    void choosePage();
    void updateHostLine();
    void openAgentMenu(const AgentId &agent, const QPoint &at);
    void openRepositoryMenu(int row, const QPoint &at);

    ThemeProvider *m_theme;
    MinuteClock *m_clock;
    TaskListModel *m_tasks;
    RepositoryListModel *m_repositories;
    AgentListModel *m_agents;
    BoardModel *m_model;
    HostStatus m_host;
    LinkState m_link;

    Label *m_hostLine;
    QLineEdit *m_filter;
    Button *m_newTask;
    QWidget *m_overview;
    ChipStrip *m_repositoryStrip;
    ChipStrip *m_agentStrip;
    QStackedWidget *m_stack;
    BoardView *m_board;
    FirstStart *m_firstStart = nullptr; // made when it is first needed
    EmptyState *m_empty;
};

} // namespace foundry::views
