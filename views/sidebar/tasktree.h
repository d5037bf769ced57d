// Repositories and their tasks as a tree: painted rows of one height, so that ten thousand cost no more than ten. What is
// folded is remembered by key. GUI thread.
#pragma once

#include "models/sidebarmodel.h"
#include "views/common/themeprovider.h"

#include <QSet>
#include <QTreeView>

namespace foundry::views {

class MinuteClock;
class UiState;

class TaskTree : public QTreeView {
    Q_OBJECT
public:
    TaskTree(ThemeProvider *theme, MinuteClock *clock, UiState *state, SidebarModel *model, QWidget *parent = nullptr);

    // Marks the task that the centre shows; empty: none. Emits nothing.
    // Why nothing can be removed now; empty: it can.
    void setBlocked(const QString &why) { m_blocked = why; }
    void setCurrentTask(const TaskId &task);
    // The open tasks in the order they are shown, for Ctrl+1 … Ctrl+9.
    TaskId taskAtPosition(int position) const;

Q_SIGNALS:
    void taskActivated(const foundry::TaskId &task);
    void newTaskRequested(const foundry::RepoId &repository);
    void renameRequested(const foundry::TaskId &task, const QString &title);
    void unreadRequested(const foundry::TaskId &task, bool unread);
    void removeRepositoryRequested(const foundry::RepoId &repository);

protected:
    void contextMenuEvent(QContextMenuEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void drawBranches(QPainter *painter, const QRect &rect, const QModelIndex &index) const override;
    bool viewportEvent(QEvent *event) override;

private:
    QString m_blocked;
    void applyFolding(int first, int last);
    void toggleGroup(const QModelIndex &group);
    void activate(const QModelIndex &index);
    void openTaskMenu(const QModelIndex &index, const QPoint &at);
    void openRepositoryMenu(const Repository &repository, const QPoint &at);
    void askNewTitle(const TaskRow &row);

    ThemeProvider *m_theme;
    UiState *m_state;
    SidebarModel *m_model;
    QSet<QString> m_folded; // keys of groups; the archive starts folded
    TaskId m_current;
    QPersistentModelIndex m_pressed;
};

} // namespace foundry::views
