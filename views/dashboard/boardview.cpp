#include "views/dashboard/boardview.h"

#include "models/repositorylistmodel.h"
#include "views/common/minuteclock.h"
#include "views/common/statelook.h"
#include "views/dashboard/boardaccessible.h"
#include "views/dashboard/taskcard.h"

#include <QAccessible>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QToolTip>

namespace foundry::views {

BoardView::BoardView(ThemeProvider *theme, MinuteClock *clock, BoardModel *model, RepositoryListModel *repositories,
    QWidget *parent)
    : QAbstractItemView(parent)
    , m_theme(theme)
    , m_clock(clock)
    , m_model(model)
    , m_repositories(repositories)
{
    installBoardAccessibility();
    setAccessibleName(tr("Tasks by state"));
    setFrameShape(NoFrame);
    setEditTriggers(NoEditTriggers);
    setSelectionMode(SingleSelection);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMouseTracking(true);
    viewport()->setAutoFillBackground(false);
    verticalScrollBar()->setSingleStep(Space::row);
    setModel(model);
    for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(model, signal, this, &BoardView::invalidate);
    connect(model, &QAbstractItemModel::rowsMoved, this, &BoardView::invalidate);
    connect(model, &QAbstractItemModel::modelReset, this, &BoardView::invalidate);
    connect(model->tasks(), &ListModelBase::readyChanged, this, &BoardView::invalidate);
    // A card names its repository.
    connect(repositories, &QAbstractItemModel::dataChanged, viewport(), qOverload<>(&QWidget::update));
    connect(repositories, &QAbstractItemModel::rowsInserted, viewport(), qOverload<>(&QWidget::update));
    connect(repositories, &QAbstractItemModel::modelReset, viewport(), qOverload<>(&QWidget::update));
    const auto open = [this](const QModelIndex &index) {
        if (const TaskRow *row = m_model->taskAt(index))
            Q_EMIT taskActivated(row->task.id);
    };
    connect(this, &QAbstractItemView::clicked, this, open);
    connect(this, &QAbstractItemView::activated, this, open);
    connect(theme, &ThemeProvider::changed, viewport(), qOverload<>(&QWidget::update));
    connect(clock, &MinuteClock::minutePassed, model, [model] { model->refreshAges(); });
    clock->watch(viewport());
}

int BoardView::contentWidth() const
{
    const int bar = verticalScrollBar()->isVisible() ? verticalScrollBar()->width() : 0;
    return viewport()->width() - pad - (rightPad - bar);
}

int BoardView::columns() const
{
    return qMax(1, (contentWidth() + gap) / (TaskCard::minimumWidth + gap));
}

int BoardView::cardWidth() const
{
    const int count = columns();
    return (contentWidth() - (count - 1) * gap) / count;
}

void BoardView::invalidate()
{
    m_dirty = true;
    updateGeometries();
    viewport()->update();
}

const QList<BoardView::Section> &BoardView::sections() const
{
    if (!m_dirty)
        return m_sections;
    m_sections.clear();
    const int perRow = columns();
    int top = Space::xs;
    for (int row = 0; row < m_model->rowCount(); ++row) {
        const int count = m_model->rowCount(m_model->index(row, 0));
        const int rows = (count + perRow - 1) / perRow;
        m_sections.append({top, rows, count});
        top += heading + rows * (TaskCard::height + gap) + afterSection;
    }
    m_dirty = false;
    return m_sections;
}

int BoardView::contentHeight() const
{
    if (sections().isEmpty())
        return 0;
    const Section &last = sections().last();
    return last.top + heading + last.rows * (TaskCard::height + gap) + pad;
}

QRect BoardView::headingRect(int section) const
{
    return {pad, sections().at(section).top, contentWidth(), heading};
}

QRect BoardView::cardRect(int section, int position) const
{
    const int perRow = columns();
    const int width = cardWidth();
    return {pad + position % perRow * (width + gap),
        sections().at(section).top + heading + position / perRow * (TaskCard::height + gap), width,
        TaskCard::height};
}

QRect BoardView::visualRect(const QModelIndex &index) const
{
    if (!index.isValid())
        return {};
    const QModelIndex group = index.parent();
    const int section = group.isValid() ? group.row() : index.row();
    if (section >= sections().size())
        return {};
    const QRect rect = group.isValid() ? cardRect(section, index.row()) : headingRect(section);
    return rect.translated(0, -verticalOffset());
}

QModelIndex BoardView::indexAt(const QPoint &point) const
{
    const QPoint at = point + QPoint(0, verticalOffset());
    for (int section = int(sections().size()) - 1; section >= 0; --section) {
        const int inside = at.y() - sections().at(section).top - heading;
        if (inside < -heading)
            continue;
        const int column = (at.x() - pad) / (cardWidth() + gap);
        if (inside < 0 || at.x() < pad || column >= columns())
            return {};
        const int position = inside / (TaskCard::height + gap) * columns() + column;
        if (position >= sections().at(section).count || !cardRect(section, position).contains(at))
            return {};
        return m_model->index(position, 0, m_model->index(section, 0));
    }
    return {};
}

int BoardView::verticalOffset() const
{
    return verticalScrollBar()->value();
}

void BoardView::scrollTo(const QModelIndex &index, ScrollHint hint)
{
    const QRect rect = visualRect(index).adjusted(0, -gap, 0, gap);
    if (!index.isValid() || rect.isNull())
        return;
    const int height = viewport()->height();
    int delta = 0;
    if (hint == PositionAtCenter)
        delta = rect.center().y() - height / 2;
    else if (rect.top() < 0 || hint == PositionAtTop)
        delta = rect.top() - (index.row() < columns() ? heading : 0); // with the heading of its section
    else if (rect.bottom() > height || hint == PositionAtBottom)
        delta = rect.bottom() - height;
    verticalScrollBar()->setValue(verticalScrollBar()->value() + delta);
}

QModelIndex BoardView::neighbour(const QModelIndex &from, int rows, int steps) const
{
    int section = from.parent().row();
    int position = from.row();
    const int perRow = columns();
    const int column = position % perRow;
    for (int n = qAbs(rows); n > 0; --n) {
        const int line = position / perRow + (rows > 0 ? 1 : -1);
        if (line >= 0 && line < sections().at(section).rows) {
            position = qMin(line * perRow + column, sections().at(section).count - 1);
        } else {
            const int next = section + (rows > 0 ? 1 : -1);
            if (next < 0 || next >= sections().size())
                break;
            section = next;
            const int toLine = rows > 0 ? 0 : sections().at(section).rows - 1;
            position = qMin(toLine * perRow + column, sections().at(section).count - 1);
        }
    }
    position += steps;
    if (position < 0 && section > 0)
        position = sections().at(--section).count - 1;
    else if (position >= sections().at(section).count && section + 1 < sections().size()) {
        ++section;
        position = 0;
    }
    position = qBound(0, position, sections().at(section).count - 1);
    return m_model->index(position, 0, m_model->index(section, 0));
}

QModelIndex BoardView::moveCursor(CursorAction action, Qt::KeyboardModifiers)
{
    if (sections().isEmpty())
        return {};
    const int last = int(sections().size()) - 1;
    const QModelIndex current = currentIndex();
    if (!current.isValid() || !current.parent().isValid() || action == MoveHome)
        return m_model->index(0, 0, m_model->index(0, 0));
    const int page = qMax(1, viewport()->height() / (TaskCard::height + gap) - 1);
    switch (action) {
    case MoveUp:
        return neighbour(current, -1, 0);
    case MoveDown:
        return neighbour(current, 1, 0);
    case MoveLeft:
    case MovePrevious:
        return neighbour(current, 0, -1);
    case MoveRight:
    case MoveNext:
        return neighbour(current, 0, 1);
    case MovePageUp:
        return neighbour(current, -page, 0);
    case MovePageDown:
        return neighbour(current, page, 0);
    case MoveEnd:
        return m_model->index(sections().at(last).count - 1, 0, m_model->index(last, 0));
    default:
        return current;
    }
}

void BoardView::setSelection(const QRect &rect, QItemSelectionModel::SelectionFlags flags)
{
    const QModelIndex index = indexAt(rect.center());
    selectionModel()->select(index.isValid() ? QItemSelection(index, index) : QItemSelection(), flags);
}

QRegion BoardView::visualRegionForSelection(const QItemSelection &selection) const
{
    QRegion region;
    for (const QModelIndex &index : selection.indexes())
        region += visualRect(index);
    return region;
}

void BoardView::updateGeometries()
{
    QAbstractItemView::updateGeometries();
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setRange(0, qMax(0, contentHeight() - viewport()->height()));
}

void BoardView::dataChanged(const QModelIndex &first, const QModelIndex &last, const QList<int> &)
{
    for (int row = first.row(); row <= last.row(); ++row)
        viewport()->update(visualRect(first.siblingAtRow(row)));
}

int BoardView::cardCount() const
{
    int count = 0;
    for (const Section &section : sections())
        count += section.count;
    return count;
}

QModelIndex BoardView::cardIndex(int number) const
{
    for (int section = 0; number >= 0 && section < sections().size(); ++section) {
        if (number < sections().at(section).count)
            return m_model->index(number, 0, m_model->index(section, 0));
        number -= sections().at(section).count;
    }
    return {};
}

int BoardView::cardNumber(const QModelIndex &index) const
{
    if (!index.isValid() || !index.parent().isValid())
        return -1;
    int number = index.row();
    for (int section = 0; section < index.parent().row() && section < sections().size(); ++section)
        number += sections().at(section).count;
    return number;
}

void BoardView::currentChanged(const QModelIndex &current, const QModelIndex &previous)
{
    QAbstractItemView::currentChanged(current, previous);
    viewport()->update(visualRect(previous));
    viewport()->update(visualRect(current));
    if (const int number = cardNumber(current); number >= 0 && QAccessible::isActive()) {
        QAccessibleEvent event(this, QAccessible::Focus);
        event.setChild(number);
        QAccessible::updateAccessibility(&event);
    }
}

void BoardView::resizeEvent(QResizeEvent *event)
{
    m_dirty = true;
    QAbstractItemView::resizeEvent(event);
}

void BoardView::setHover(const QModelIndex &index)
{
    if (m_hover == index)
        return;
    viewport()->update(visualRect(m_hover));
    m_hover = index;
    viewport()->update(visualRect(index));
}

void BoardView::mouseMoveEvent(QMouseEvent *event)
{
    setHover(indexAt(event->pos()));
    event->accept(); // nothing is dragged here
}

bool BoardView::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::Leave)
        setHover({});
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const QModelIndex index = indexAt(help->pos());
        QString tip;
        if (const TaskRow *row = m_model->taskAt(index))
            tip = QStringList{row->task.title, lookOf(*row).word, row->task.branch, exactTime(row->activityAt())}.join(
                QLatin1Char('\n'));
        QToolTip::showText(help->globalPos(), tip, viewport(), visualRect(index));
        return true;
    }
    return QAbstractItemView::viewportEvent(event);
}

} // namespace foundry::views
