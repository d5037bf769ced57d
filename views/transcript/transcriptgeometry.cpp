// Where entries stand: which are laid out, how the view settles on its anchor or on the bottom, how it is scrolled.
#include "views/transcript/transcriptview.h"

#include "views/common/themeprovider.h"

#include <QFontMetricsF>
#include <QPushButton>
#include <QResizeEvent>
#include <QScrollBar>
#include <QSignalBlocker>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

constexpr int transcriptBottomPad = 28;
constexpr int transcriptSidePad = 36;
constexpr int transcriptAhead = 200;     // pixels laid out beyond the viewport
constexpr qsizetype transcriptKeep = 80; // layouts kept beside the visible ones

} // namespace

int TranscriptView::widestColumn(const ThemeProvider &theme)
{
    return int(std::ceil(QFontMetricsF(theme.font(TextStyle::Reading)).averageCharWidth() * Space::readingColumns));
}

int TranscriptView::columnWidth() const
{
    return std::max(240, std::min(widestColumn(*m_theme), width() - 2 * transcriptSidePad));
}

// In the middle of the whole width, scroll bar included: it stands still when the bar comes.
int TranscriptView::columnLeft() const
{
    return std::max(0, (width() - columnWidth()) / 2);
}

EntryStyle TranscriptView::entryStyle()
{
    EntryStyle style;
    style.theme = &m_theme->theme();
    style.highlighter = m_highlighter;
    style.slotPrefix = QStringLiteral("transcript:") + m_session.value + QLatin1Char(':');
    style.width = columnWidth();
    style.workTree = m_workTree;
    return style;
}

const EntryLayout &TranscriptView::layoutOf(int row)
{
    const TranscriptEntry &entry = m_model->at(row);
    const auto known = m_layouts.constFind(entry.index);
    if (known != m_layouts.constEnd())
        return *known;
    EntryStyle style = entryStyle();
    style.unfolded = [this, index = entry.index](const QString &part, bool byDefault) {
        return m_folds.value(QString::number(index) + QLatin1Char('/') + part, byDefault);
    };
    EntryLayout made = layOutEntry(entry, row > 0 ? &m_model->at(row - 1) : nullptr, style);
    m_heights.set(row, made.height);
    return *m_layouts.emplace(entry.index, std::move(made));
}

void TranscriptView::settle()
{
    if (m_settling)
        return;
    m_settling = true;
    m_visible.clear();
    if (m_heights.count() > 0 && m_model) {
        if (m_follow)
            settleFromBottom();
        else
            settleFromAnchor();
        trimLayouts();
        if (m_anchorRow < 20 && m_model->hasOlder() && !m_model->isLoadingOlder())
            m_model->requestOlder();
    }
    updateScrollBar();
    updatePill();
    m_settling = false;
}

void TranscriptView::settleFromBottom()
{
    const int height = viewport()->height();
    int row = m_heights.count() - 1;
    int y = height - transcriptBottomPad - layoutOf(row).height;
    while (y > -transcriptAhead && row > 0) {
        --row;
        y -= layoutOf(row).height;
    }
    // Little content stands at the top, not at the bottom.
    if (row == 0 && y > topPad)
        y = topPad;
    m_anchorRow = row;
    m_anchorOffset = -y;
    for (; row < m_heights.count(); ++row) {
        const int entryHeight = layoutOf(row).height;
        if (y + entryHeight > 0 && y < height)
            m_visible.append({row, y});
        y += entryHeight;
    }
    while (m_anchorRow < m_heights.count() - 1 && m_anchorOffset >= m_heights.height(m_anchorRow)) {
        m_anchorOffset -= m_heights.height(m_anchorRow);
        ++m_anchorRow;
    }
}

void TranscriptView::settleFromAnchor()
{
    const int height = viewport()->height();
    m_anchorRow = std::clamp(m_anchorRow, 0, m_heights.count() - 1);
    while (m_anchorOffset < 0 && m_anchorRow > 0) {
        --m_anchorRow;
        m_anchorOffset += layoutOf(m_anchorRow).height;
    }
    while (m_anchorRow < m_heights.count() - 1 && m_anchorOffset >= layoutOf(m_anchorRow).height) {
        m_anchorOffset -= m_heights.height(m_anchorRow);
        ++m_anchorRow;
    }
    if (m_anchorRow == 0)
        m_anchorOffset = std::max(m_anchorOffset, -topPad);
    int y = -m_anchorOffset;
    for (int row = m_anchorRow; row < m_heights.count() && y < height + transcriptAhead; ++row) {
        const int entryHeight = layoutOf(row).height;
        if (y + entryHeight > 0 && y < height)
            m_visible.append({row, y});
        y += entryHeight;
        if (row == m_heights.count() - 1 && y + transcriptBottomPad <= height) {
            // Scrolled to the end: from here on it follows.
            m_visible.clear();
            m_follow = true;
            m_newBelow = false;
            settleFromBottom();
            return;
        }
    }
}

void TranscriptView::updateScrollBar()
{
    const QSignalBlocker block(verticalScrollBar());
    const qint64 whole = m_heights.total() + topPad + transcriptBottomPad;
    const int most = int(std::clamp<qint64>(whole - viewport()->height(), 0, 1 << 30));
    verticalScrollBar()->setRange(0, most);
    verticalScrollBar()->setPageStep(viewport()->height());
    const qint64 value = m_heights.count() == 0 ? 0 : m_heights.top(m_anchorRow) + m_anchorOffset + topPad;
    verticalScrollBar()->setValue(m_follow ? most : int(std::clamp<qint64>(value, 0, most)));
}

void TranscriptView::scrollContentsBy(int dx, int dy)
{
    Q_UNUSED(dx)
    Q_UNUSED(dy)
    if (m_settling || m_heights.count() == 0)
        return;
    // The scroll bar was moved by hand: its value is a place among estimates.
    const int value = verticalScrollBar()->value();
    m_follow = value >= verticalScrollBar()->maximum();
    if (!m_follow) {
        const qint64 y = value - topPad;
        m_anchorRow = m_heights.rowAt(y);
        m_anchorOffset = int(y - m_heights.top(m_anchorRow));
    }
    flush();
}

void TranscriptView::scrollByPixels(int dy)
{
    if (m_heights.count() == 0 || dy == 0)
        return;
    if (dy < 0 && m_follow && verticalScrollBar()->maximum() == 0)
        return; // all of it is on screen
    if (dy < 0)
        m_follow = false;
    m_anchorOffset += dy;
    flush();
}

void TranscriptView::scrollToBottom()
{
    m_follow = true;
    m_newBelow = false;
    flush();
}

void TranscriptView::revealEntry(qint64 index)
{
    const int row = m_model ? m_model->rowOf(index) : -1;
    if (row < 0)
        return;
    m_follow = false;
    m_anchorRow = row;
    m_anchorOffset = -std::min(topPad * 3, viewport()->height() / 4);
    flush();
}

QRect TranscriptView::entryRect(int row) const
{
    for (const Visible &visible : m_visible) {
        if (visible.row == row)
            return QRect(columnLeft(), visible.y, columnWidth(), m_heights.height(row));
    }
    return {};
}

void TranscriptView::resizeEvent(QResizeEvent *event)
{
    if (event->size().width() != event->oldSize().width() && m_model && m_heights.count() > 0) {
        // The same share of the anchor entry stays above the top edge.
        const int before = std::max(1, m_heights.height(m_anchorRow));
        dropLayouts();
        if (!m_follow && m_anchorOffset > 0)
            m_anchorOffset = int(qint64(m_anchorOffset) * layoutOf(m_anchorRow).height / before);
    }
    flush();
}

void TranscriptView::trimLayouts()
{
    if (m_layouts.size() <= m_visible.size() + transcriptKeep)
        return;
    const qint64 first = m_visible.isEmpty() ? 0 : m_model->at(m_visible.first().row).index;
    const qint64 last = m_visible.isEmpty() ? 0 : m_model->at(m_visible.last().row).index;
    m_layouts.removeIf([&](const QHash<qint64, EntryLayout>::iterator it) {
        return it.key() < first - transcriptKeep / 4 || it.key() > last + transcriptKeep / 4;
    });
}

void TranscriptView::updatePill()
{
    const bool far = !m_follow && verticalScrollBar()->maximum() - verticalScrollBar()->value() > viewport()->height();
    const bool shown = !m_follow && (m_newBelow || far);
    if (shown) {
        m_pill->setText(m_newBelow ? tr("New below") : tr("To the end"));
        const Colors &colors = m_theme->colors();
        m_pill->setIcon(m_theme->icons().icon(Icon::ArrowDown, m_newBelow ? colors.accentText : colors.textMuted));
        m_pill->adjustSize();
        m_pill->move((viewport()->width() - m_pill->width()) / 2, viewport()->height() - m_pill->height() - 16);
    }
    if (m_pill->isVisible() != shown)
        m_pill->setVisible(shown);
}

} // namespace foundry::views
