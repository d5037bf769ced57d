#include "views/transcript/transcriptview.h"

#include "views/common/codehighlighter.h"
#include "views/common/themeprovider.h"
#include "views/transcript/transcriptaccessible.h"

#include <QPushButton>
#include <QScrollBar>

#include <algorithm>

namespace foundry::views {

namespace {

constexpr int transcriptFrame = 16; // ms
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
    setAccessibleDescription((title + QLatin1Char(' ') + detail).trimmed()); // painted, so no label says it
    viewport()->update();
}

void TranscriptView::setWorkTree(const QString &path)
{
    const QString prefix = path.isEmpty() || path.endsWith(QLatin1Char('/')) ? path : path + QLatin1Char('/');
    if (m_workTree == prefix)
        return;
    m_workTree = prefix;
    dropLayouts();
    scheduleFrame();
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
        m_anchorOffset = row < 0 ? -topPad : kept.anchorOffset;
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
    m_anchorOffset = -topPad;
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
    for (Visible &visible : m_visible) { // right until the next frame settles them
        if (visible.row >= first)
            visible.row += int(heights.size());
    }
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
    m_visible.clear();
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

} // namespace foundry::views
