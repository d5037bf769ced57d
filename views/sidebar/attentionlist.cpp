#include "views/sidebar/attentionlist.h"

#include "views/common/controlpainting.h"
#include "views/common/minuteclock.h"
#include "views/common/paint.h"
#include "views/common/statelook.h"

#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QMenu>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QToolTip>

namespace foundry::views {

namespace {

class AttentionDelegate : public QStyledItemDelegate {
public:
    AttentionDelegate(const ThemeProvider *theme, const MinuteClock *clock, const AttentionModel *model, QObject *parent)
        : QStyledItemDelegate(parent)
        , m_theme(theme)
        , m_clock(clock)
        , m_model(model)
    {
    }

    QSize sizeHint(const QStyleOptionViewItem &, const QModelIndex &) const override
    {
        return {100, AttentionList::rowHeight};
    }

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override
    {
        const AttentionItem &item = m_model->at(index.row());
        const Colors &c = m_theme->colors();
        const QRect box = option.rect.adjusted(8, 1, -8, -1);
        if (option.state & QStyle::State_MouseOver)
            paintRounded(painter, box, c.hover, {}, Space::radius);
        if (option.state & QStyle::State_HasFocus && option.state & QStyle::State_KeyboardFocusChange)
            paintFocusRing(painter, *m_theme, box, Space::radius);
        const StateLook look = lookOf(item.needs);
        const QRect first(box.x() + 32, box.y() + 3, box.width() - 40, 17);
        const QRect second(first.x(), first.bottom() + 1, first.width(), 15);
        m_theme->icons().paint(painter, QRect(box.x() + 8, first.y() + 1, 16, 16), look.icon, c.*look.color);
        const QFont small = m_theme->font(TextStyle::Small);
        const QString age = shortAge(item.at, m_clock->now());
        const int ageWidth = textWidth(age, small);
        paintText(painter, QRect(first.right() - ageWidth, first.y(), ageWidth + 1, first.height()), age, small,
            c.textFaint, Qt::ElideNone);
        paintText(painter, first.adjusted(0, 0, -ageWidth - 8, 0), item.taskTitle,
            m_theme->font(TextStyle::ListMedium), c.text);
        const QString what = item.attention.title.isEmpty() ? look.word : item.attention.title;
        paintText(painter, second, what, small, c.textMuted);
    }

private:
    const ThemeProvider *m_theme;
    const MinuteClock *m_clock;
    const AttentionModel *m_model;
};

} // namespace

AttentionList::AttentionList(ThemeProvider *theme, MinuteClock *clock, AttentionModel *model, QWidget *parent)
    : QListView(parent)
    , m_model(model)
{
    setAccessibleName(tr("Needs you"));
    setFrameShape(QFrame::NoFrame);
    setUniformItemSizes(true);
    setEditTriggers(NoEditTriggers);
    setSelectionMode(NoSelection);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMouseTracking(true);
    verticalScrollBar()->setSingleStep(rowHeight / 2);
    viewport()->setAutoFillBackground(false);
    setItemDelegate(new AttentionDelegate(theme, clock, model, this));
    setModel(model);
    connect(this, &QAbstractItemView::clicked, this, &AttentionList::activate);
    connect(model, &QAbstractItemModel::rowsInserted, this, &AttentionList::fit);
    connect(model, &QAbstractItemModel::rowsRemoved, this, &AttentionList::fit);
    connect(model, &QAbstractItemModel::modelReset, this, &AttentionList::fit);
    connect(theme, &ThemeProvider::changed, this, [this] { viewport()->update(); });
    clock->watch(viewport());
    fit();
}

void AttentionList::fit()
{
    const int count = m_model->count();
    setFixedHeight(qMin(count, rowsShown) * rowHeight);
    setVisible(count > 0);
    Q_EMIT countChanged(count);
}

void AttentionList::activate(const QModelIndex &index)
{
    if (!index.isValid())
        return;
    const AttentionItem item = m_model->at(index.row());
    Q_EMIT entryActivated(item.taskId, item.attention.sessionId.value_or(SessionId()),
        item.attention.entryIndex.value_or(-1));
}

void AttentionList::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space) {
        activate(currentIndex());
        return;
    }
    QListView::keyPressEvent(event);
}

void AttentionList::contextMenuEvent(QContextMenuEvent *event)
{
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    const QModelIndex index = byKey ? currentIndex() : indexAt(event->pos());
    if (!index.isValid())
        return;
    const AttentionItem item = m_model->at(index.row());
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const PermissionOption &option : item.attention.options) {
        menu->addAction(option.name, this, [this, item, option] {
            Q_EMIT permissionAnswered(item.taskId, item.attention.sessionId.value_or(SessionId()),
                item.attention.requestId.value_or(QString()), option.id);
        });
    }
    if (!item.attention.options.isEmpty())
        menu->addSeparator();
    const QPersistentModelIndex place(index);
    menu->addAction(tr("Open task"), this, [this, place] { activate(place); });
    menu->popup(byKey ? viewport()->mapToGlobal(visualRect(index).center()) : event->globalPos());
}

bool AttentionList::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        const QModelIndex index = indexAt(help->pos());
        QString tip;
        if (index.isValid()) {
            const AttentionItem &item = m_model->at(index.row());
            QStringList lines{item.taskTitle, lookOf(item.needs).word};
            if (!item.attention.title.isEmpty())
                lines.append(item.attention.title);
            if (item.attention.detail)
                lines.append(*item.attention.detail);
            lines.append(exactTime(item.at));
            tip = lines.join(QLatin1Char('\n'));
        }
        QToolTip::showText(help->globalPos(), tip, viewport());
        return true;
    }
    return QListView::viewportEvent(event);
}

} // namespace foundry::views
