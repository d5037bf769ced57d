#include "views/transcript/transcriptview.h"

#include "views/common/codehighlighter.h"
#include "views/common/themeprovider.h"
#include "views/transcript/transcriptaccessible.h"

#include <QAccessible>
#include <QFontMetricsF>
#include <QPushButton>
#include <QResizeEvent>
#include <QScrollBar>
#include <QSignalBlocker>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

constexpr int transcriptTopPad = 24;
constexpr int transcriptBottomPad = 28;
constexpr int transcriptSidePad = 36;
constexpr int transcriptFrame = 16;      // ms
constexpr int transcriptAhead = 200;     // pixels laid out beyond the viewport
constexpr qsizetype transcriptKeep = 80; // layouts kept beside the visible ones

} // namespace

TranscriptView::TranscriptView(ThemeProvider *theme, CodeHighlighter *highlighter, QWidget *parent)
    : QAbstractScrollArea(parent)
    , m_theme(theme)
    , m_highlighter(highlighter)
{
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Transcript"));
    viewport()->setMouseTracking(true);
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
    verticalScrollBar()->setSingleStep(21);
    m_frame.setSingleShot(true);
    m_frame.setTimerType(Qt::PreciseTimer);
    connect(&m_frame, &QTimer::timeout, this, &TranscriptView::flush);
    m_copiedTimer.setSingleShot(true);
    m_copiedTimer.setInterval(1500);
    connect(&m_copiedTimer, &QTimer::timeout, this, [this] {
        m_copied = {};
        viewport()->update();
    });
    m_lastFrame.start();

    m_pill = new QPushButton(tr("New below"), this);
    m_pill->setObjectName(QStringLiteral("newBelow"));
    m_pill->setFocusPolicy(Qt::NoFocus); // the End key does the same
    m_pill->setCursor(Qt::PointingHandCursor);
    m_pill->hide();
    connect(m_pill, &QPushButton::clicked, this, &TranscriptView::scrollToBottom);

    connect(m_theme, &ThemeProvider::changed, this, [this] {
        dropLayouts();
        scheduleFrame();
    });
    if (m_highlighter) {
        connect(m_highlighter, &CodeHighlighter::ready, this, [this](const QString &slot) {
            const QString prefix = entryStyle().slotPrefix;
            if (!slot.startsWith(prefix))
                return;
            // The colours change, the heights do not.
            const qint64 entry = QStringView(slot).mid(prefix.size()).toString().section(QLatin1Char('/'), 0, 0).toLongLong();
            m_layouts.remove(entry);
            scheduleFrame();
        });
    }
    installTranscriptAccessibility();
}

TranscriptView::~TranscriptView()
{
    if (m_highlighter)
        m_highlighter->forget(entryStyle().slotPrefix);
}

void TranscriptView::setEmptyText(const QString &title, const QString &detail)
{
    if (m_emptyTitle == title && m_emptyDetail == detail)
        return;
    m_emptyTitle = title;
    m_emptyDetail = detail;
    viewport()->update();
}

void TranscriptView::setTranscript(const SessionId &session, TranscriptModel *transcript)
{
    if (session == m_session && transcript == m_model)
        return;
    keepState();
    if (m_model)
        m_model->disconnect(this);
    m_model = transcript;
    m_session = session;
    const Kept kept = m_kept.value(session);
    m_folds = kept.folds;
    m_follow = kept.follow;
    m_selectionFrom = m_selectionTo = {};
    m_hover = m_pressed = m_focusHot = m_copied = {};
    m_newBelow = false;
    if (m_model)
        connectModel();
    rebuild();
    if (!kept.follow && m_model) {
        const int row = m_model->rowOf(kept.anchorEntry);
        m_anchorRow = std::max(0, row);
        m_anchorOffset = row < 0 ? -transcriptTopPad : kept.anchorOffset;
    }
    flush();
}

void TranscriptView::connectModel()
{
    connect(m_model, &QAbstractItemModel::rowsInserted, this,
        [this](const QModelIndex &, int first, int last) { insertRows(first, last); });
    connect(m_model, &QAbstractItemModel::rowsRemoved, this,
        [this](const QModelIndex &, int first, int last) { removeRows(first, last); });
    connect(m_model, &QAbstractItemModel::dataChanged, this,
        [this](const QModelIndex &from, const QModelIndex &to) { changeRows(from.row(), to.row()); });
    connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
        rebuild();
        scheduleFrame();
    });
    connect(m_model, &ListModelBase::readyChanged, this, [this] { viewport()->update(); });
    connect(m_model, &QObject::destroyed, this, [this] {
        rebuild();
        scheduleFrame();
    });
}

void TranscriptView::keepState()
{
    if (m_session.isEmpty())
        return;
    Kept &kept = m_kept[m_session];
    kept.follow = m_follow;
    kept.folds = m_folds;
    kept.anchorOffset = m_anchorOffset;
    kept.anchorEntry = m_model && m_anchorRow < m_model->count() ? m_model->at(m_anchorRow).index : -1;
}

void TranscriptView::rebuild()
{
    dropLayouts();
    m_heights.clear();
    m_visible.clear();
    m_anchorRow = 0;
    m_anchorOffset = -transcriptTopPad;
    const int width = columnWidth();
    for (int row = 0; m_model && row < m_model->count(); ++row)
        m_heights.append(estimateEntryHeight(m_model->at(row), width));
}

void TranscriptView::insertRows(int first, int last)
{
    QList<int> heights;
    heights.reserve(last - first + 1);
    const int width = columnWidth();
    for (int row = first; row <= last; ++row)
        heights.append(estimateEntryHeight(m_model->at(row), width));
    const bool atEnd = first == m_heights.count();
    m_heights.insert(first, heights);
    if (!atEnd) {
        if (first <= m_anchorRow && m_heights.count() > int(heights.size())) {
            if (m_anchorRow == 0 && m_anchorOffset < 0)
                m_anchorOffset = 0; // the top padding belongs to the new first entry
            m_anchorRow += int(heights.size());
        }
        // The entry after the new ones has another neighbour, so another gap.
        if (last + 1 < m_model->count())
            m_layouts.remove(m_model->at(last + 1).index);
    } else if (!m_follow) {
        m_newBelow = true;
    }
    scheduleFrame();
}

void TranscriptView::removeRows(int first, int last)
{
    m_heights.remove(first, last - first + 1);
    if (m_anchorRow > last) {
        m_anchorRow -= last - first + 1;
    } else if (m_anchorRow >= first) {
        m_anchorRow = std::max(0, std::min(first, m_heights.count() - 1));
        m_anchorOffset = 0;
    }
    dropLayouts();
    scheduleFrame();
}

void TranscriptView::changeRows(int first, int last)
{
    for (int row = first; row <= last; ++row)
        m_layouts.remove(m_model->at(row).index);
    if (!m_follow && last == m_model->count() - 1)
        m_newBelow = true;
    scheduleFrame();
}

void TranscriptView::dropLayouts()
{
    m_layouts.clear();
}

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
    return *m_layouts.insert(entry.index, std::move(made));
}

void TranscriptView::scheduleFrame()
{
    if (m_frame.isActive())
        return;
    m_frame.start(int(std::max<qint64>(0, transcriptFrame - m_lastFrame.elapsed())));
}

void TranscriptView::flush()
{
    m_frame.stop();
    m_lastFrame.restart();
    settle();
    viewport()->update();
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
    if (row == 0 && y > transcriptTopPad)
        y = transcriptTopPad;
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
        m_anchorOffset = std::max(m_anchorOffset, -transcriptTopPad);
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
    const qint64 whole = m_heights.total() + transcriptTopPad + transcriptBottomPad;
    const int most = int(std::clamp<qint64>(whole - viewport()->height(), 0, 1 << 30));
    verticalScrollBar()->setRange(0, most);
    verticalScrollBar()->setPageStep(viewport()->height());
    const qint64 value = m_heights.count() == 0 ? 0 : m_heights.top(m_anchorRow) + m_anchorOffset + transcriptTopPad;
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
        const qint64 y = value - transcriptTopPad;
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
    m_anchorOffset = -std::min(transcriptTopPad * 3, viewport()->height() / 4);
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
