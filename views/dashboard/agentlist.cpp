#include "views/dashboard/agentlist.h"

#include "views/common/controlpainting.h"
#include "views/common/paint.h"
#include "views/common/statelook.h"
#include "views/dashboard/agentways.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>

namespace foundry::views {

namespace {

constexpr int agentlistTextLeft = 36;
constexpr int agentlistTextRight = 12;

class AgentListDelegate : public QStyledItemDelegate {
public:
    AgentListDelegate(const ThemeProvider *theme, const AgentListModel *model, const AgentList *list)
        : QStyledItemDelegate(const_cast<AgentList *>(list))
        , m_theme(theme)
        , m_model(model)
        , m_list(list)
    {
    }

    // What is missing, and what to do about it, is read whole: a row is as high as its sentence.
    QSize sizeHint(const QStyleOptionViewItem &, const QModelIndex &index) const override
    {
        const QFontMetrics metrics(m_theme->font(TextStyle::Small));
        const int width = m_list->viewport()->width() - agentlistTextLeft - agentlistTextRight;
        const int words = metrics.boundingRect(QRect(0, 0, qMax(80, width), 4096), Qt::TextWordWrap, agentNote(m_model->at(index.row()))).height();
        return {100, qMax(AgentList::rowHeight, 28 + words)};
    }

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override
    {
        const Agent &agent = m_model->at(index.row());
        const Colors &c = m_theme->colors();
        const bool taken = agent.id == m_list->chosen();
        const QRect box = option.rect.adjusted(0, 1, 0, -1);
        if (option.state & QStyle::State_MouseOver || taken)
            paintRounded(painter, box, taken ? c.selected : c.hover, {}, Space::radius);
        if (option.state & QStyle::State_HasFocus && option.state & QStyle::State_KeyboardFocusChange)
            paintFocusRing(painter, *m_theme, box, Space::radius);
        const bool ready = agent.state.is(AgentState::Ready);
        m_theme->icons().paint(painter, QRect(box.x() + 10, box.y() + 5, 16, 16), agentIcon(agent.id),
            ready ? c.text : c.textFaint);
        const StateLook look = lookOf(agent.state);
        const QString word = taken ? QCoreApplication::translate("Agent", "chosen") : look.word;
        const QFont small = m_theme->font(TextStyle::Small);
        const int width = textWidth(word, small);
        QRect right(box.right() - 12 - width, box.y() + 3, width + 1, 20);
        paintText(painter, right, word, small, taken ? c.text : c.*look.color, Qt::ElideNone);
        m_theme->icons().paint(painter, QRect(right.x() - 20, right.y() + 3, 14, 14), taken ? Icon::Check : look.icon,
            taken ? c.text : c.*look.color);
        paintText(painter, QRect(box.x() + 36, box.y() + 3, right.x() - 32 - box.x() - 36, 20), agent.name,
            m_theme->font(TextStyle::ListMedium), ready ? c.text : c.textMuted);
        painter->setFont(small);
        painter->setPen(c.textFaint);
        painter->drawText(box.adjusted(agentlistTextLeft, 22, -agentlistTextRight, 0), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap,
            agentNote(agent));
    }

private:
    const ThemeProvider *m_theme;
    const AgentListModel *m_model;
    const AgentList *m_list;
};

} // namespace

AgentList::AgentList(ThemeProvider *theme, AgentListModel *model, QWidget *parent)
    : QListView(parent)
    , m_model(model)
{
    setAccessibleName(tr("Agents"));
    setFrameShape(NoFrame);
    setResizeMode(Adjust);
    setEditTriggers(NoEditTriggers);
    setSelectionMode(NoSelection);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMouseTracking(true);
    viewport()->setAutoFillBackground(false);
    setItemDelegate(new AgentListDelegate(theme, model, this));
    setModel(model);
    connect(this, &QAbstractItemView::clicked, this, &AgentList::activate);
    for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(model, signal, this, &AgentList::fit);
    connect(model, &QAbstractItemModel::modelReset, this, &AgentList::fit);
    connect(model, &QAbstractItemModel::dataChanged, this, [this] {
        scheduleDelayedItemsLayout(); // another sentence may be of another height
        fit();
    });
    connect(theme, &ThemeProvider::changed, viewport(), qOverload<>(&QWidget::update));
    fit();
}

AgentId AgentList::chosen() const
{
    const Agent *taken = m_model->find(m_chosen);
    if (taken && taken->state.is(AgentState::Ready))
        return taken->id;
    for (int row = 0; row < m_model->count(); ++row) {
        if (m_model->at(row).state.is(AgentState::Ready))
            return m_model->at(row).id;
    }
    return {};
}

void AgentList::choose(const AgentId &agent)
{
    m_chosen = agent;
    viewport()->update();
    Q_EMIT chosenChanged();
}

void AgentList::fit()
{
    fitHeight();
    Q_EMIT chosenChanged();
}

void AgentList::fitHeight()
{
    int height = m_model->count() == 0 ? rowHeight : 0;
    for (int row = 0; row < qMin(m_model->count(), 6); ++row)
        height += sizeHintForRow(row);
    setFixedHeight(height);
}

void AgentList::resizeEvent(QResizeEvent *event)
{
    QListView::resizeEvent(event);
    if (event->size().width() != event->oldSize().width())
        fitHeight();
}

void AgentList::activate(const QModelIndex &index)
{
    if (!index.isValid())
        return;
    const Agent &agent = m_model->at(index.row());
    if (agent.state.is(AgentState::Ready))
        choose(agent.id);
    else
        Q_EMIT wayOnRequested(agent.id, viewport()->mapToGlobal(visualRect(index).bottomLeft()));
}

void AgentList::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space) {
        activate(currentIndex());
        return;
    }
    QListView::keyPressEvent(event);
}

} // namespace foundry::views
