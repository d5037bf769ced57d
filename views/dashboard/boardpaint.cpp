// What BoardView paints: headings, cards, and the shapes of cards while nothing is known yet.
#include "views/dashboard/boardview.h"

#include "models/repositorylistmodel.h"
#include "views/common/paint.h"
#include "views/dashboard/taskcard.h"

#include <QLocale>
#include <QPaintEvent>
#include <QPainter>

namespace foundry::views {

void BoardView::paintEvent(QPaintEvent *event)
{
    QPainter painter(viewport());
    painter.fillRect(event->rect(), m_theme->colors().window);
    if (!m_model->tasks()->isReady() && sections().isEmpty()) {
        paintLoading(painter);
        return;
    }
    painter.translate(0, -verticalOffset());
    const QRect clip = event->rect().translated(0, verticalOffset());
    for (int section = 0; section < sections().size(); ++section)
        paintSection(painter, section, clip);
}

void BoardView::paintSection(QPainter &painter, int section, const QRect &clip)
{
    const Section place = sections().at(section);
    const int cardsTop = place.top + heading;
    if (place.top > clip.bottom() || cardsTop + place.rows * (TaskCard::height + gap) < clip.top())
        return;
    const QModelIndex group = m_model->index(section, 0);
    const Colors &c = m_theme->colors();
    const QRect title = headingRect(section).adjusted(0, Space::s, 0, 0);
    const int width = paintText(&painter, title, group.data().toString(), m_theme->font(TextStyle::ListSemiBold), c.text);
    paintText(&painter, title.adjusted(width + 8, 0, 0, 0), QLocale().toString(place.count),
        m_theme->font(TextStyle::List), c.textFaint);

    const int step = TaskCard::height + gap;
    const int firstLine = qMax(0, (clip.top() - cardsTop) / step);
    const int lastLine = qMin(place.rows - 1, (clip.bottom() - cardsTop) / step);
    for (int position = firstLine * columns(); position < qMin(place.count, (lastLine + 1) * columns()); ++position) {
        const QModelIndex index = m_model->index(position, 0, group);
        const TaskRow *row = m_model->taskAt(index);
        if (!row)
            continue;
        const Repository *repository = m_repositories->find(row->task.repoId);
        TaskCard card{*row, repository ? repository->name : QString(), {}};
        if (row->needs == NeedsYou::Permission || row->needs == NeedsYou::Question) {
            for (const Attention &attention : m_model->tasks()->attentionOf(row->task.id)) {
                if (card.asked.isEmpty() || attention.reason.is(AttentionReason::Permission))
                    card.asked = attention.title;
            }
        }
        card.over = m_hover == index;
        card.focused = hasFocus() && currentIndex() == index;
        paintTaskCard(&painter, *m_theme, *m_clock, cardRect(section, position), card);
    }
}

void BoardView::paintLoading(QPainter &painter)
{
    const int width = cardWidth();
    for (int line = 0; line < 2; ++line) {
        for (int column = 0; column < columns(); ++column) {
            paintCardSkeleton(&painter, *m_theme,
                QRect(pad + column * (width + gap), pad + line * (TaskCard::height + gap), width,
                    TaskCard::height));
        }
    }
}

} // namespace foundry::views
