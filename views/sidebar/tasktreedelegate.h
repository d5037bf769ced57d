// Paints the rows of the sidebar's tree: repositories with their state, tasks with glyph, title, branch, +a −r and age.
#pragma once

#include <QStyledItemDelegate>

namespace foundry {
class SidebarModel;
}

namespace foundry::views {

class MinuteClock;
class ThemeProvider;

class TaskTreeDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    static constexpr int rowHeight = 40;

    TaskTreeDelegate(const ThemeProvider *theme, const MinuteClock *clock, const SidebarModel *model,
        QObject *parent = nullptr);

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const override;

    // Where the "new task here" button of a repository's row is.
    static QRect addButton(const QRect &row);

private:
    void paintGroup(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const;
    void paintTask(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const;

    const ThemeProvider *m_theme;
    const MinuteClock *m_clock;
    const SidebarModel *m_model;
};

} // namespace foundry::views
