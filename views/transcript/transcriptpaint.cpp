// How the transcript paints what is laid out.
#include "views/transcript/transcriptview.h"

#include "views/common/themeprovider.h"

#include <QPaintEvent>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace foundry::views {

void TranscriptView::paintEvent(QPaintEvent *event)
{
    QPainter painter(viewport());
    painter.fillRect(event->rect(), m_theme->colors().window);
    if (m_visible.isEmpty() || !m_model) {
        paintEmpty(painter);
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing);
    if (m_model->hasOlder() && m_visible.first().row == 0 && m_visible.first().y > 0) {
        painter.setFont(m_theme->font(TextStyle::Small));
        painter.setPen(m_theme->colors().textFaint);
        painter.drawText(QRect(columnLeft(), m_visible.first().y - 22, columnWidth(), 18), Qt::AlignCenter,
            tr("Loading what came before…"));
    }
    for (const Visible &visible : std::as_const(m_visible)) {
        if (visible.row < m_model->count())
            paintEntry(painter, visible, event->rect());
    }
}

void TranscriptView::paintEntry(QPainter &painter, const Visible &visible, const QRect &clip)
{
    const EntryLayout &layout = layoutOf(visible.row);
    const QPointF origin(columnLeft(), visible.y);
    const QRectF area = QRectF(clip).translated(-origin);
    const qint64 entry = m_model->at(visible.row).index;
    painter.save();
    painter.translate(origin);

    // Rows that react are marked first, so that everything stands on top of the mark.
    for (int i = 0; i < layout.hots.size(); ++i) {
        const HotArea &hot = layout.hots.at(i);
        if (hot.look == HotLook::Row && hot.rect.intersects(area))
            paintHot(painter, hot, {entry, i});
    }
    for (const BoxPiece &box : layout.boxes) {
        if (!box.rect.intersects(area))
            continue;
        painter.setPen(box.border.isValid() ? QPen(box.border, 1) : QPen(Qt::NoPen));
        painter.setBrush(box.fill.isValid() ? QBrush(box.fill) : QBrush(Qt::NoBrush));
        const QRectF rect = box.border.isValid() ? box.rect.adjusted(0.5, 0.5, -0.5, -0.5) : box.rect;
        if (box.radius > 0)
            painter.drawRoundedRect(rect, box.radius, box.radius);
        else if (box.border.isValid())
            painter.drawRect(rect);
        else
            painter.fillRect(rect, box.fill);
    }
    for (const IconPiece &icon : layout.icons) {
        if (QRectF(icon.rect).intersects(area))
            m_theme->icons().paint(&painter, icon.rect, icon.icon, icon.color);
    }

    const Place from = std::min(m_selectionFrom, m_selectionTo);
    const Place to = std::max(m_selectionFrom, m_selectionTo);
    const bool selected = hasSelection() && entry >= from.entry && entry <= to.entry;
    for (int i = 0; i < layout.texts.size(); ++i) {
        const TextPiece &piece = layout.texts.at(i);
        const QRectF bounds(piece.at, QSizeF(std::max<qreal>(piece.size.width(), 4000), piece.size.height()));
        if (!bounds.intersects(area))
            continue;
        if (selected && piece.selectable) {
            const int length = int(piece.layout->text().size());
            const Place start{entry, i, 0};
            const Place end{entry, i, length};
            if (from < end && to > start)
                paintSelection(painter, piece, from > start ? from.character : 0, to < end ? to.character : length);
        }
        painter.setPen(piece.color);
        piece.layout->draw(&painter, piece.at, {}, area);
    }
    for (int i = 0; i < layout.hots.size(); ++i) {
        const HotArea &hot = layout.hots.at(i);
        if (hot.look != HotLook::Row && hot.rect.intersects(area))
            paintHot(painter, hot, {entry, i});
    }
    painter.restore();
}

// Line by line over the whole line's height. (QTextLayout's own leaves holes where fonts change within a line.)
void TranscriptView::paintSelection(QPainter &painter, const TextPiece &piece, int from, int to)
{
    for (int i = 0; i < piece.layout->lineCount(); ++i) {
        const QTextLine line = piece.layout->lineAt(i);
        const int start = std::max(from, line.textStart());
        const int end = std::min(to, line.textStart() + line.textLength());
        if (start >= end)
            continue;
        const qreal left = line.cursorToX(start);
        const qreal right = line.cursorToX(end);
        painter.fillRect(QRectF(piece.at.x() + left, piece.at.y() + line.y() - 2, right - left, line.height() + 4),
            m_theme->colors().selection);
    }
}

void TranscriptView::paintHot(QPainter &painter, const HotArea &area, const HotRef &ref)
{
    const Colors &colors = m_theme->colors();
    const bool hover = m_hover == ref;
    const bool pressed = m_pressed == ref && hover;
    const QRectF rect = area.rect.adjusted(0.5, 0.5, -0.5, -0.5);
    QColor text = colors.text;
    painter.setPen(Qt::NoPen);
    if (area.look == HotLook::Row) {
        if (hover) {
            painter.setBrush(colors.hover);
            painter.drawRoundedRect(area.rect, Space::radius, Space::radius);
        }
    } else if (area.look == HotLook::Ghost) {
        text = hover ? colors.text : colors.textMuted;
        if (hover) {
            painter.setBrush(pressed ? colors.selected : colors.hover);
            painter.drawRoundedRect(area.rect, Space::radius, Space::radius);
        }
    } else if (area.look == HotLook::Button) {
        painter.setPen(QPen(colors.border, 1));
        painter.setBrush(pressed ? colors.selected : hover ? colors.hover : colors.window);
        painter.drawRoundedRect(rect, Space::radius, Space::radius);
    } else if (area.look == HotLook::Primary) {
        painter.setBrush(pressed ? colors.accent.darker(112) : hover ? colors.accent.lighter(106) : colors.accent);
        painter.drawRoundedRect(area.rect, Space::radius, Space::radius);
        text = colors.onAccent;
    }
    if (area.look != HotLook::Row && area.look != HotLook::Invisible) {
        QString label = area.label;
        Icon icon = area.icon.value_or(Icon::Dot);
        if (m_copied == ref) {
            icon = Icon::Check;
            text = colors.green;
        }
        QRect content = area.rect.toRect();
        if (area.icon) {
            const int left = label.isEmpty() ? content.left() + (content.width() - 16) / 2 : content.left() + 8;
            m_theme->icons().paint(&painter, QRect(left, content.top() + (content.height() - 16) / 2, 16, 16), icon, text);
            content.setLeft(left + 22);
        }
        if (!label.isEmpty()) {
            painter.setFont(m_theme->font(TextStyle::ListMedium));
            painter.setPen(text);
            painter.drawText(content, (area.icon ? int(Qt::AlignLeft) : int(Qt::AlignHCenter)) | Qt::AlignVCenter, label);
        }
    }
    if (m_focusHot == ref && hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colors.accent, 2));
        const qreal grow = area.look == HotLook::Primary ? -3 : -1;
        const QRectF ring = area.rect.adjusted(-grow, -grow, grow, grow);
        painter.drawRoundedRect(area.look == HotLook::Primary ? area.rect.adjusted(-2, -2, 2, 2) : ring, Space::radius, Space::radius);
    }
}

void TranscriptView::paintEmpty(QPainter &painter)
{
    const Colors &colors = m_theme->colors();
    const bool loading = !m_model || !m_model->isReady();
    const QString title = loading && m_emptyTitle.isEmpty() ? tr("Loading the transcript…") : m_emptyTitle;
    const QRect area = QRect(0, 0, width(), viewport()->height()).adjusted(32, 0, -32, 0);
    const int middle = area.center().y();
    painter.setFont(m_theme->font(TextStyle::ReadingSemiBold));
    painter.setPen(colors.textMuted);
    painter.drawText(QRect(area.left(), middle - 24, area.width(), 22), Qt::AlignCenter, title);
    painter.setFont(m_theme->font(TextStyle::List));
    painter.setPen(colors.textFaint);
    painter.drawText(QRect(area.left(), middle + 4, area.width(), 60), Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap,
        m_emptyDetail);
}

} // namespace foundry::views
