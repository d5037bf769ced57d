// The sidebar: organization and link, new task, what needs the user, the filter, repositories with their tasks. It says by
// signals what the user wants. GUI thread.
#pragma once

#include "models/types/linkstate.h"
#include "views/common/controls.h"

#include "models/types/task.h"

class QLineEdit;

namespace foundry {
class AttentionModel;
class RepositoryListModel;
class SidebarModel;
class TaskListModel;
}

namespace foundry::views {

class AttentionList;
class EmptyState;
class MinuteClock;
class TaskTree;
class UiState;

class Sidebar : public QWidget {
    Q_OBJECT
public:
    Sidebar(ThemeProvider *theme, MinuteClock *clock, UiState *state, TaskListModel *tasks,
        RepositoryListModel *repositories, AttentionModel *attention, QWidget *parent = nullptr);

    void setOrganization(const Organization &organization);
    void setLinkState(const LinkState &state);
    void refreshLink(); // the words of a countdown
    // The task that the centre shows; empty: the dashboard.
    void setCurrentTask(const TaskId &task);
    TaskId taskAtPosition(int position) const;
    void focusFilter();

Q_SIGNALS:
    void dashboardRequested();
    void newTaskRequested(const foundry::RepoId &repository); // empty: the last one
    void addRepositoryRequested();
    void settingsRequested();
    void collapseRequested();
    void taskActivated(const foundry::TaskId &task);
    void entryActivated(const foundry::TaskId &task, const foundry::SessionId &session, qint64 entryIndex);
    void permissionAnswered(const foundry::TaskId &task, const foundry::SessionId &session, const QString &requestId,
        const QString &optionId);
    void renameTaskRequested(const foundry::TaskId &task, const QString &title);
    void unreadRequested(const foundry::TaskId &task, bool unread);
    void removeRepositoryRequested(const foundry::RepoId &repository);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    void buildLayout();
    void updateEmpty();

    ThemeProvider *m_theme;
    MinuteClock *m_clock;
    TaskListModel *m_tasks;
    RepositoryListModel *m_repositories;
    SidebarModel *m_model;
    LinkState m_link;

    Label *m_organization;
    IconLabel *m_linkIcon;
    Label *m_linkWords;
    Button *m_newTask;
    Button *m_home;
    Button *m_add;
    Label *m_needsTitle;
    QWidget *m_needsHeader;
    AttentionList *m_needs;
    QLineEdit *m_filter;
    TaskTree *m_tree;
    EmptyState *m_empty;
};

} // namespace foundry::views
