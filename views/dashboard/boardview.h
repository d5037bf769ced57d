// The board: sections of task cards in as many columns as fit, painted; the layout is arithmetic over the sections, so
// ten thousand tasks cost what ten do. A view of BoardModel. Left, right, up, down move through the cards as they lie.
// GUI thread.
#pragma once

#include "models/boardmodel.h"
#include "views/common/themeprovider.h"

#include <QAbstractItemView>

namespace foundry {
class RepositoryListModel;
}

namespace foundry::views {

class MinuteClock;

class BoardView : public QAbstractItemView {
    Q_OBJECT
public:
    BoardView(ThemeProvider *theme, MinuteClock *clock, BoardModel *model, RepositoryListModel *repositories,
        QWidget *parent = nullptr);

    QRect visualRect(const QModelIndex &index) const override;
    void scrollTo(const QModelIndex &index, ScrollHint hint = EnsureVisible) override;
    QModelIndex indexAt(const QPoint &point) const override;
    int columns() const;

    // The cards of all sections, counted through: what a screen reader reads.
    int cardCount() const;
    QModelIndex cardIndex(int number) const;
    int cardNumber(const QModelIndex &index) const; // -1 for what is no card

Q_SIGNALS:
    void taskActivated(const foundry::TaskId &task);

protected:
    QModelIndex moveCursor(CursorAction action, Qt::KeyboardModifiers modifiers) override;
    int horizontalOffset() const override { return 0; }
    int verticalOffset() const override;
    bool isIndexHidden(const QModelIndex &) const override { return false; }
    void setSelection(const QRect &rect, QItemSelectionModel::SelectionFlags flags) override;
    QRegion visualRegionForSelection(const QItemSelection &selection) const override;
    void updateGeometries() override;
    void dataChanged(const QModelIndex &first, const QModelIndex &last, const QList<int> &roles) override;
    void currentChanged(const QModelIndex &current, const QModelIndex &previous) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    static constexpr int pad = Space::l;
    static constexpr int rightPad = Space::m; // where the header above ends
    static constexpr int gap = Space::s;
    static constexpr int heading = 40;
    static constexpr int afterSection = Space::s;

    struct Section {
        int top = 0; // of its heading, in content coordinates
        int rows = 0;
        int count = 0;
    };

    void invalidate();
    const QList<Section> &sections() const;
    int contentHeight() const;
    int contentWidth() const;
    int cardWidth() const;
    QRect cardRect(int section, int position) const; // in content coordinates
    QRect headingRect(int section) const;
    void paintSection(QPainter &painter, int section, const QRect &clip);
    void paintLoading(QPainter &painter);
    QModelIndex neighbour(const QModelIndex &from, int rows, int steps) const;
    void setHover(const QModelIndex &index);

    ThemeProvider *m_theme;
    MinuteClock *m_clock;
    BoardModel *m_model;
    RepositoryListModel *m_repositories;
    mutable QList<Section> m_sections;
    mutable bool m_dirty = true;
    QPersistentModelIndex m_hover;
};

} // namespace foundry::views
