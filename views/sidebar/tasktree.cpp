#include "views/sidebar/tasktree.h"

#include "views/common/minuteclock.h"
#include "views/common/statelook.h"
#include "views/common/uistate.h"
#include "views/sidebar/renamesheet.h"
#include "views/sidebar/tasktreedelegate.h"

#include <QApplication>
#include <QClipboard>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QScrollBar>
#include <QToolTip>

namespace foundry::views {

namespace {

const QLatin1StringView treeFoldedKey("sidebar/folded");

} // namespace

TaskTree::TaskTree(ThemeProvider *theme, MinuteClock *clock, UiState *state, SidebarModel *model, QWidget *parent)
    : QTreeView(parent)
    , m_theme(theme)
    , m_state(state)
    , m_model(model)
{
    const QStringList folded =
        state->value(QString(treeFoldedKey), QStringList{SidebarModel::archivedKey()}).toStringList();
    m_folded = QSet<QString>(folded.begin(), folded.end());
    setAccessibleName(tr("Tasks by repository"));
    setHeaderHidden(true);
    setRootIsDecorated(false);
    setIndentation(0);
    setUniformRowHeights(true);
    setFrameShape(QFrame::NoFrame);
    setExpandsOnDoubleClick(false);
    setEditTriggers(NoEditTriggers);
    setSelectionMode(SingleSelection);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMouseTracking(true);
    setAnimated(false);
    verticalScrollBar()->setSingleStep(TaskTreeDelegate::rowHeight / 2);
    viewport()->setAutoFillBackground(false);
    setItemDelegate(new TaskTreeDelegate(theme, clock, model, this));
    setModel(model);
    connect(model, &QAbstractItemModel::rowsInserted, this, [this](const QModelIndex &parentIndex, int first, int last) {
        if (!parentIndex.isValid())
            applyFolding(first, last);
        else if (first == 0 && last == m_model->rowCount(parentIndex) - 1)
            applyFolding(parentIndex.row(), parentIndex.row()); // an empty group does not open
        if (parentIndex.isValid() && !m_current.isEmpty() && !currentIndex().isValid())
            setCurrentTask(m_current);
    });
    connect(model, &QAbstractItemModel::rowsMoved, this, [this] {
        applyFolding(0, m_model->rowCount() - 1);
        setCurrentTask(m_current);
    });
    connect(theme, &ThemeProvider::changed, this, [this] { viewport()->update(); });
    clock->watch(viewport());
    applyFolding(0, model->rowCount() - 1);
}

void TaskTree::setCurrentTask(const TaskId &task)
{
    m_current = task;
    const QModelIndex index = m_model->indexOf(task);
    if (!index.isValid()) {
        selectionModel()->clear();
        return;
    }
    selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
}

TaskId TaskTree::taskAtPosition(int position) const
{
    for (QModelIndex index = model()->index(0, 0); index.isValid(); index = indexBelow(index)) {
        if (const TaskRow *row = m_model->taskAt(index); row && position-- == 0)
            return row->task.id;
    }
    return {};
}

void TaskTree::applyFolding(int first, int last)
{
    for (int row = first; row <= last; ++row) {
        const QModelIndex group = m_model->index(row, 0);
        const bool open = m_model->isFiltered() || !m_folded.contains(m_model->keyOf(group));
        if (isExpanded(group) != open)
            setExpanded(group, open);
    }
}

void TaskTree::toggleGroup(const QModelIndex &group)
{
    const QString key = m_model->keyOf(group);
    if (isExpanded(group))
        m_folded.insert(key);
    else
        m_folded.remove(key);
    setExpanded(group, !isExpanded(group));
    m_state->setValue(QString(treeFoldedKey), QStringList(m_folded.begin(), m_folded.end()));
}

void TaskTree::activate(const QModelIndex &index)
{
    if (m_model->isGroup(index))
        toggleGroup(index);
    else if (const TaskRow *row = m_model->taskAt(index))
        Q_EMIT taskActivated(row->task.id);
}

void TaskTree::mousePressEvent(QMouseEvent *event)
{
    // A press must not take the selection away from the task that is shown; the release decides.
    const QModelIndex index = indexAt(event->pos());
    m_pressed = event->button() == Qt::LeftButton ? QPersistentModelIndex(index) : QPersistentModelIndex();
    setFocus(Qt::MouseFocusReason);
    event->accept();
}

void TaskTree::mouseReleaseEvent(QMouseEvent *event)
{
    const QModelIndex index = indexAt(event->pos());
    if (index.isValid() && m_pressed == index) {
        const Repository *repository = m_model->repositoryAt(index);
        if (repository && repository->state.is(RepositoryState::Ready)
            && TaskTreeDelegate::addButton(visualRect(index)).contains(event->pos()))
            Q_EMIT newTaskRequested(repository->id);
        else
            activate(index);
    }
    m_pressed = QPersistentModelIndex();
    event->accept();
}

void TaskTree::keyPressEvent(QKeyEvent *event)
{
    switch (event->key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        activate(currentIndex());
        return;
    case Qt::Key_F2:
        if (const TaskRow *row = m_model->taskAt(currentIndex()))
            askNewTitle(*row);
        return;
    case Qt::Key_Left:
        if (m_model->isGroup(currentIndex()) ? isExpanded(currentIndex()) : false) {
            toggleGroup(currentIndex());
            return;
        }
        break;
    case Qt::Key_Right:
        if (m_model->isGroup(currentIndex()) && !isExpanded(currentIndex())) {
            toggleGroup(currentIndex());
            return;
        }
        break;
    default:
        break;
    }
    QTreeView::keyPressEvent(event);
}

void TaskTree::drawBranches(QPainter *, const QRect &, const QModelIndex &) const
{
    // The delegate paints the chevrons.
}

bool TaskTree::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const QModelIndex index = indexAt(help->pos());
        QString tip;
        if (const TaskRow *row = m_model->taskAt(index)) {
            tip = QStringList{row->task.title, lookOf(*row).word, row->task.branch, exactTime(row->activityAt())}.join(
                QLatin1Char('\n'));
        } else if (const Repository *repository = m_model->repositoryAt(index)) {
            tip = repository->origin;
            if (repository->error)
                tip += QLatin1Char('\n') + repository->error->message + QLatin1Char(' ') + repository->error->action;
        }
        QToolTip::showText(help->globalPos(), tip, viewport(), visualRect(index));
        return true;
    }
    return QTreeView::viewportEvent(event);
}

void TaskTree::contextMenuEvent(QContextMenuEvent *event)
{
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    const QModelIndex index = byKey ? currentIndex() : indexAt(event->pos());
    const QPoint at = byKey ? viewport()->mapToGlobal(visualRect(index).center()) : event->globalPos();
    if (m_model->taskAt(index))
        openTaskMenu(index, at);
    else if (const Repository *repository = m_model->repositoryAt(index))
        openRepositoryMenu(*repository, at);
}

void TaskTree::openTaskMenu(const QModelIndex &index, const QPoint &at)
{
    const TaskRow row = *m_model->taskAt(index);
    const TaskId id = row.task.id;
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("Open"), this, [this, id] { Q_EMIT taskActivated(id); });
    menu->addSeparator();
    menu->addAction(tr("Rename…") + QStringLiteral("\tF2"), this, [this, row] { askNewTitle(row); });
    const bool unread = row.unread();
    menu->addAction(unread ? tr("Mark as read") : tr("Mark as unread"), this,
        [this, id, unread] { Q_EMIT unreadRequested(id, !unread); });
    const QString branch = row.task.branch;
    menu->addAction(tr("Copy branch name"), this, [branch] { QApplication::clipboard()->setText(branch); });
    menu->addSeparator();
    // What is not there yet says so, instead of being silently grey.
    for (const QString &later : {tr("Open pull request (no forge is connected)"), tr("Archive (not available yet)"),
             tr("Delete (not available yet)")})
        menu->addAction(later)->setEnabled(false);
    menu->popup(at);
}

void TaskTree::openRepositoryMenu(const Repository &repository, const QPoint &at)
{
    const RepoId id = repository.id;
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    QAction *start = menu->addAction(tr("New task here…"), this, [this, id] { Q_EMIT newTaskRequested(id); });
    start->setEnabled(repository.state.is(RepositoryState::Ready));
    const QString origin = repository.origin;
    menu->addAction(tr("Copy its address"), this, [origin] { QApplication::clipboard()->setText(origin); });
    menu->addSeparator();
    QAction *remove =
        menu->addAction(repository.taskCount > 0 ? tr("Remove (it still has tasks)") : tr("Remove from the list"), this,
            [this, id] { Q_EMIT removeRepositoryRequested(id); });
    remove->setEnabled(repository.taskCount == 0 && m_blocked.isEmpty());
    remove->setToolTip(m_blocked);
    menu->setToolTipsVisible(true);
    menu->popup(at);
}

void TaskTree::askNewTitle(const TaskRow &row)
{
    auto *sheet = new RenameSheet(m_theme, row.task.title, window());
    const TaskId id = row.task.id;
    connect(sheet, &RenameSheet::renamed, this, [this, id](const QString &title) { Q_EMIT renameRequested(id, title); });
    sheet->open();
}

} // namespace foundry::views
