#include "views/sidebar/tasktreedelegate.h"

#include "models/sidebarmodel.h"
#include "views/common/controlpainting.h"
#include "views/common/minuteclock.h"
#include "views/common/paint.h"
#include "views/common/statelook.h"

#include <QPainter>
#include <QTreeView>

namespace foundry::views {

TaskTreeDelegate::TaskTreeDelegate(const ThemeProvider *theme, const MinuteClock *clock, const SidebarModel *model,
    QObject *parent)
    : QStyledItemDelegate(parent)
    , m_theme(theme)
    , m_clock(clock)
    , m_model(model)
{
}

QSize TaskTreeDelegate::sizeHint(const QStyleOptionViewItem &, const QModelIndex &) const
{
    return {100, rowHeight};
}

QRect TaskTreeDelegate::addButton(const QRect &row)
{
    return {row.right() - 8 - 24, row.bottom() - 29, 24, 24};
}

void TaskTreeDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    if (m_model->isGroup(index))
        paintGroup(painter, option, index);
    else
        paintTask(painter, option, index);
}

void TaskTreeDelegate::paintGroup(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const Colors &c = m_theme->colors();
    const bool over = option.state & QStyle::State_MouseOver;
    const auto *tree = qobject_cast<const QTreeView *>(option.widget);
    const bool open = tree && tree->isExpanded(index);
    // A heading sits low in its row, close to what it heads.
    const QRect line = option.rect.adjusted(8, 8, -8, 0);
    if (option.state & QStyle::State_HasFocus && option.state & QStyle::State_KeyboardFocusChange)
        paintFocusRing(painter, *m_theme, line, Space::radius);
    m_theme->icons().paint(painter, QRect(line.x() + 4, line.center().y() - 6, 14, 14),
        open ? Icon::ChevronDown : Icon::ChevronRight, c.textFaint);

    QRect text = line.adjusted(24, 0, -8, 0);
    const Repository *repository = m_model->repositoryAt(index);
    const QFont small = m_theme->font(TextStyle::Small);
    if (over && repository && repository->state.is(RepositoryState::Ready)) {
        m_theme->icons().paint(painter, addButton(option.rect).adjusted(4, 4, -4, -4), Icon::Plus, c.textMuted);
        text.setRight(addButton(option.rect).x() - 4);
    } else if (repository && !repository->state.is(RepositoryState::Ready)) {
        const StateLook look = lookOf(*repository);
        QString word = look.word;
        if (repository->progress)
            word += QStringLiteral(" %1 %").arg(qRound(*repository->progress * 100));
        const int width = textWidth(word, small);
        const QRect right(text.right() - width, text.y(), width + 1, text.height());
        paintText(painter, right, word, small, c.*look.color, Qt::ElideNone);
        m_theme->icons().paint(painter, QRect(right.x() - 18, line.center().y() - 6, 14, 14), look.icon, c.*look.color);
        text.setRight(right.x() - 24);
    } else if (const int count = index.data(TaskGroupModel::GroupCountRole).toInt(); count > 0) {
        const QString number = QLocale().toString(count);
        const int width = textWidth(number, small);
        paintText(painter, QRect(text.right() - width, text.y(), width + 1, text.height()), number, small, c.textFaint,
            Qt::ElideNone);
        text.setRight(text.right() - width - 8);
    }
    paintText(painter, text, index.data().toString(), m_theme->font(TextStyle::SmallMedium), c.textMuted);
}

void TaskTreeDelegate::paintTask(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const TaskRow *row = m_model->taskAt(index);
    if (!row)
        return;
    const Colors &c = m_theme->colors();
    const QRect box = option.rect.adjusted(8, 1, -8, -1);
    if (option.state & QStyle::State_Selected)
        paintRounded(painter, box, c.selected, {}, Space::radius);
    else if (option.state & QStyle::State_MouseOver)
        paintRounded(painter, box, c.hover, {}, Space::radius);
    if (option.state & QStyle::State_HasFocus && option.state & QStyle::State_KeyboardFocusChange)
        paintFocusRing(painter, *m_theme, box, Space::radius);

    const StateLook look = lookOf(*row);
    const QRect first(box.x() + 32, box.y() + 3, box.width() - 40, 17);
    const QRect second(first.x(), first.bottom() + 1, first.width(), 15);
    m_theme->icons().paint(painter, QRect(box.x() + 8, first.y() + 1, 16, 16), look.icon, c.*look.color);

    const QFont small = m_theme->font(TextStyle::Small);
    const QString age = shortAge(row->activityAt(), m_clock->now());
    const int ageWidth = textWidth(age, small);
    paintText(painter, QRect(first.right() - ageWidth, first.y(), ageWidth + 1, first.height()), age, small, c.textFaint,
        Qt::ElideNone);
    const QColor title = row->isOpen() ? c.text : c.textMuted;
    paintText(painter, first.adjusted(0, 0, -ageWidth - 8, 0), row->task.title,
        m_theme->font(row->unread() ? TextStyle::ListSemiBold : TextStyle::List), title);

    const int stat = paintDiffStat(painter, *m_theme, second, row->task.diffStat);
    const QRect left = second.adjusted(0, 0, stat ? -stat - 8 : 0, 0);
    if (row->task.status.is(TaskStatus::Provisioning) && row->task.stage)
        paintText(painter, left, stageWords(*row->task.stage), small, c.textFaint);
    else
        paintText(painter, left, row->task.branch, m_theme->font(TextStyle::MonoTiny), c.textFaint, Qt::ElideMiddle);
}

} // namespace foundry::views
