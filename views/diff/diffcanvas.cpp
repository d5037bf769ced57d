#include "views/diff/diffcanvas.h"

#include "views/common/codehighlighter.h"
#include "views/common/themeprovider.h"

#include <QClipboard>
#include <QFontMetricsF>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>
#include <QTextOption>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

constexpr int canvasChunk = 256; // lines coloured together
constexpr int canvasLead = 64;   // lines before them that are read along, for comments and strings that go on
constexpr int canvasKeepLayouts = 400;
constexpr int canvasKeepChunks = 8;
constexpr int canvasLongest = 4000; // characters of a line that are painted
constexpr int canvasMarkWidth = 24;

int nextCanvasNumber()
{
    static int number = 0;
    return ++number;
}

} // namespace

DiffCanvas::DiffCanvas(ThemeProvider *theme, CodeHighlighter *highlighter, QWidget *parent)
    : QAbstractScrollArea(parent)
    , m_theme(theme)
    , m_highlighter(highlighter)
    , m_slotPrefix(QStringLiteral("diff%1:").arg(nextCanvasNumber()))
{
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Diff"));
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
    viewport()->setCursor(Qt::ArrowCursor);
    verticalScrollBar()->setSingleStep(lineHeight * 3);
    horizontalScrollBar()->setSingleStep(40);
    updateMeasures();
    connect(m_theme, &ThemeProvider::changed, this, [this] {
        m_layouts.clear();
        m_chunks.clear();
        updateMeasures();
        viewport()->update();
    });
    if (m_highlighter) {
        connect(m_highlighter, &CodeHighlighter::ready, this, [this](const QString &slot) {
            if (!slot.startsWith(m_slotPrefix))
                return;
            const int chunk = slot.section(QLatin1Char(':'), 1, 1).toInt();
            m_chunks.remove(chunk);
            for (int line = chunk * canvasChunk; line < (chunk + 1) * canvasChunk; ++line)
                m_layouts.remove(line);
            viewport()->update();
        });
    }
}

DiffCanvas::~DiffCanvas()
{
    if (m_highlighter)
        m_highlighter->forget(m_slotPrefix);
}

void DiffCanvas::setPath(const QString &path)
{
    m_path = path;
    m_diff.clear();
    m_layouts.clear();
    m_chunks.clear();
    m_current = m_mark = -1;
    if (m_highlighter)
        m_highlighter->forget(m_slotPrefix);
    verticalScrollBar()->setValue(0);
    updateScrollBars();
    viewport()->update();
}

void DiffCanvas::appendUnified(const QString &unified)
{
    // The last chunk and the last line may have got new neighbours.
    const int from = int(m_diff.count());
    m_diff.append(unified);
    m_chunks.remove(from / canvasChunk);
    for (int line = std::max(0, from - canvasChunk); line < from; ++line)
        m_layouts.remove(line);
    updateMeasures();
    updateScrollBars();
    viewport()->update();
}

void DiffCanvas::replaceUnified(const QString &unified)
{
    const int value = verticalScrollBar()->value();
    const int current = m_current;
    setPath(m_path);
    appendUnified(unified);
    verticalScrollBar()->setValue(value);
    m_current = m_mark = std::min(current, int(m_diff.count()) - 1);
}

void DiffCanvas::updateMeasures()
{
    const QFontMetricsF metrics(m_theme->font(TextStyle::MonoSmall));
    m_charWidth = metrics.horizontalAdvance(QLatin1Char('0'));
    const int digits = std::max(3, int(QString::number(m_diff.largestNumber()).size()));
    m_numberWidth = int(std::ceil(m_charWidth * digits)) + 16;
}

void DiffCanvas::updateScrollBars()
{
    const int height = int(m_diff.count()) * lineHeight + Space::m;
    verticalScrollBar()->setRange(0, std::max(0, height - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
    const int width = 2 * m_numberWidth + canvasMarkWidth + int(std::min(m_diff.longestLine(), canvasLongest) * m_charWidth) + 32;
    horizontalScrollBar()->setRange(0, std::max(0, width - viewport()->width()));
    horizontalScrollBar()->setPageStep(viewport()->width());
}

void DiffCanvas::resizeEvent(QResizeEvent *)
{
    updateScrollBars();
}

void DiffCanvas::scrollContentsBy(int, int)
{
    viewport()->update();
}

int DiffCanvas::lineAt(int y) const
{
    if (m_diff.count() == 0)
        return -1;
    return std::clamp((y + verticalScrollBar()->value()) / lineHeight, 0, int(m_diff.count()) - 1);
}

const DiffCanvas::Chunk &DiffCanvas::chunkOf(int line)
{
    const int number = line / canvasChunk;
    const auto known = m_chunks.constFind(number);
    if (known != m_chunks.constEnd())
        return *known;
    if (m_chunks.size() >= canvasKeepChunks)
        m_chunks.clear();
    Chunk chunk;
    const int end = int(std::min<qsizetype>(m_diff.count(), qsizetype(number + 1) * canvasChunk));
    int begin = number * canvasChunk;
    // Not beyond the hunk: what is before it is not what is before it in the file.
    for (int lead = 0; lead < canvasLead && begin > 0 && m_diff.line(begin).kind != DiffLineKind::Hunk; ++lead)
        --begin;
    QString before;
    QString after;
    for (int i = begin; i < end; ++i) {
        const DiffLineKind kind = m_diff.line(i).kind;
        if (kind == DiffLineKind::Hunk || kind == DiffLineKind::Note)
            continue;
        const QStringView text = m_diff.text(i).left(canvasLongest);
        chunk.starts.insert(i, int(kind == DiffLineKind::Removed ? before.size() : after.size()));
        if (kind != DiffLineKind::Added)
            before.append(text).append(QLatin1Char('\n'));
        if (kind != DiffLineKind::Removed)
            after.append(text).append(QLatin1Char('\n'));
    }
    if (m_highlighter) {
        const QString slot = m_slotPrefix + QString::number(number);
        chunk.oldColors = m_highlighter->formats(slot + QStringLiteral(":old"), m_path, before);
        chunk.newColors = m_highlighter->formats(slot + QStringLiteral(":new"), m_path, after);
    }
    return *m_chunks.emplace(number, std::move(chunk));
}

const QTextLayout &DiffCanvas::layoutOf(int line)
{
    const auto known = m_layouts.constFind(line);
    if (known != m_layouts.constEnd())
        return **known;
    if (m_layouts.size() >= canvasKeepLayouts)
        m_layouts.clear();
    const Colors &colors = m_theme->colors();
    const DiffLine &shown = m_diff.line(line);
    const QFont font = m_theme->font(TextStyle::MonoSmall);
    QString text = m_diff.text(line).left(canvasLongest).toString();
    if (m_diff.text(line).size() > canvasLongest)
        text += tr(" … %n characters in this line", nullptr, shown.length);
    auto layout = std::make_shared<QTextLayout>(text, font);
    QList<QTextLayout::FormatRange> formats;
    if (shown.kind != DiffLineKind::Hunk && shown.kind != DiffLineKind::Note) {
        const Chunk &chunk = chunkOf(line);
        const bool old = shown.kind == DiffLineKind::Removed;
        const QList<QTextLayout::FormatRange> &side = old ? chunk.oldColors : chunk.newColors;
        const int start = chunk.starts.value(line);
        const int length = std::min(shown.length, canvasLongest);
        auto range = std::lower_bound(side.begin(), side.end(), start,
            [](const QTextLayout::FormatRange &r, int at) { return r.start + r.length <= at; });
        for (; range != side.end() && range->start < start + length; ++range) {
            QTextLayout::FormatRange cut = *range;
            cut.start = std::max(0, range->start - start);
            cut.length = std::min(range->start + range->length - start, length) - cut.start;
            formats.append(cut);
        }
        if (shown.pair >= 0) {
            const QString other = m_diff.text(shown.pair).toString();
            const QString mine = m_diff.text(line).toString();
            const WordChanges words = old ? wordChanges(mine, other) : wordChanges(other, mine);
            for (const TextRange &word : old ? words.removed : words.added) {
                QTextLayout::FormatRange mark;
                mark.start = word.start;
                mark.length = word.length;
                mark.format.setBackground(old ? colors.removedWord : colors.addedWord);
                formats.append(mark);
            }
        }
    }
    layout->setFormats(formats);
    QTextOption option;
    option.setWrapMode(QTextOption::NoWrap);
    option.setTabStopDistance(4 * m_charWidth);
    layout->setTextOption(option);
    layout->setCacheEnabled(true);
    layout->beginLayout();
    QTextLine textLine = layout->createLine();
    if (textLine.isValid()) {
        textLine.setLineWidth(1e6);
        textLine.setPosition(QPointF(0, std::floor((lineHeight - textLine.height()) / 2)));
    }
    layout->endLayout();
    return **m_layouts.insert(line, layout);
}

void DiffCanvas::paintEvent(QPaintEvent *event)
{
    QPainter painter(viewport());
    painter.fillRect(event->rect(), m_theme->colors().window);
    if (m_diff.count() == 0)
        return;
    const int first = lineAt(event->rect().top());
    const int last = lineAt(event->rect().bottom());
    for (int line = first; line <= last; ++line)
        paintLine(painter, line, line * lineHeight - verticalScrollBar()->value());
    const Colors &colors = m_theme->colors();
    painter.fillRect(QRect(2 * m_numberWidth, 0, 1, int(m_diff.count()) * lineHeight - verticalScrollBar()->value()), colors.hairline);
    if (m_current >= 0 && hasFocus()) {
        const QRect row(0, m_current * lineHeight - verticalScrollBar()->value(), viewport()->width(), lineHeight);
        painter.setPen(QPen(colors.accent, 1));
        painter.drawRect(row.adjusted(0, 0, -1, -1));
    }
}

void DiffCanvas::paintLine(QPainter &painter, int line, int top)
{
    const Colors &colors = m_theme->colors();
    const DiffLine &shown = m_diff.line(line);
    const QRect row(0, top, viewport()->width(), lineHeight);
    const bool selected = m_current >= 0 && line >= std::min(m_current, m_mark) && line <= std::max(m_current, m_mark)
        && m_current != m_mark;
    QColor fill;
    if (shown.kind == DiffLineKind::Added)
        fill = colors.addedLine;
    else if (shown.kind == DiffLineKind::Removed)
        fill = colors.removedLine;
    else if (shown.kind == DiffLineKind::Hunk)
        fill = colors.surface;
    if (fill.isValid())
        painter.fillRect(row, fill);
    if (selected)
        painter.fillRect(row, QColor(colors.selection.red(), colors.selection.green(), colors.selection.blue(), 150));

    const int textLeft = 2 * m_numberWidth + canvasMarkWidth;
    painter.save();
    painter.setClipRect(QRect(shown.kind == DiffLineKind::Hunk ? 0 : 2 * m_numberWidth + 1, top, viewport()->width(), lineHeight));
    const bool quiet = shown.kind == DiffLineKind::Hunk || shown.kind == DiffLineKind::Note;
    painter.setPen(quiet ? colors.textFaint : colors.text);
    layoutOf(line).draw(&painter, QPointF(textLeft - horizontalScrollBar()->value(), top));
    painter.restore();

    painter.setFont(m_theme->font(TextStyle::MonoSmall));
    if (!quiet) {
        // Numbers and marks stand still when the text is moved sideways.
        painter.setPen(colors.textFaint);
        if (shown.oldNumber > 0)
            painter.drawText(QRect(0, top, m_numberWidth - 8, lineHeight), Qt::AlignRight | Qt::AlignVCenter, QString::number(shown.oldNumber));
        if (shown.newNumber > 0)
            painter.drawText(QRect(m_numberWidth, top, m_numberWidth - 8, lineHeight), Qt::AlignRight | Qt::AlignVCenter, QString::number(shown.newNumber));
    }
    if (shown.kind == DiffLineKind::Added || shown.kind == DiffLineKind::Removed) {
        const bool added = shown.kind == DiffLineKind::Added;
        const QRect mark(2 * m_numberWidth + 1, top, canvasMarkWidth - 1, lineHeight);
        painter.fillRect(mark, fill);
        painter.setPen(added ? colors.green : colors.red);
        painter.drawText(mark, Qt::AlignCenter, added ? QStringLiteral("+") : QStringLiteral("−"));
    }
}

void DiffCanvas::reveal(int line)
{
    const int top = line * lineHeight;
    const int value = verticalScrollBar()->value();
    if (top < value + 2 * lineHeight)
        verticalScrollBar()->setValue(top - 4 * lineHeight);
    else if (top + 3 * lineHeight > value + viewport()->height())
        verticalScrollBar()->setValue(top - viewport()->height() / 3);
}

void DiffCanvas::setCurrent(int line, bool extend)
{
    if (m_diff.count() == 0)
        return;
    m_current = std::clamp(line, 0, int(m_diff.count()) - 1);
    if (!extend || m_mark < 0)
        m_mark = m_current;
    const QList<int> &changes = m_diff.changes();
    const auto after = std::upper_bound(changes.begin(), changes.end(), m_current);
    Q_EMIT currentChangeChanged(int(after - changes.begin()), int(changes.size()));
    setAccessibleDescription(m_diff.text(m_current).toString());
    viewport()->update();
}

void DiffCanvas::goToChange(bool next)
{
    const QList<int> &changes = m_diff.changes();
    if (changes.isEmpty())
        return;
    int to = -1;
    if (next) {
        const auto it = std::upper_bound(changes.begin(), changes.end(), m_current);
        to = it == changes.end() ? changes.last() : *it;
    } else {
        const auto it = std::lower_bound(changes.begin(), changes.end(), m_current);
        to = it == changes.begin() ? changes.first() : *std::prev(it);
    }
    setCurrent(to, false);
    reveal(to);
}

QString DiffCanvas::selectedText() const
{
    if (m_current < 0)
        return {};
    QStringList lines;
    for (int line = std::min(m_current, m_mark); line <= std::max(m_current, m_mark); ++line)
        lines.append(m_diff.text(line).toString());
    return lines.join(QLatin1Char('\n'));
}

void DiffCanvas::keyPressEvent(QKeyEvent *event)
{
    const bool extend = event->modifiers().testFlag(Qt::ShiftModifier);
    const bool alt = event->modifiers().testFlag(Qt::AltModifier);
    const int page = std::max(1, viewport()->height() / lineHeight - 2);
    const int line = m_current < 0 ? lineAt(0) : m_current;
    int to = -1;
    if (event->matches(QKeySequence::Copy))
        QGuiApplication::clipboard()->setText(selectedText());
    else if (event->key() == Qt::Key_N || (alt && event->key() == Qt::Key_Down))
        goToChange(true);
    else if (event->key() == Qt::Key_P || (alt && event->key() == Qt::Key_Up))
        goToChange(false);
    else if (event->key() == Qt::Key_Down)
        to = line + 1;
    else if (event->key() == Qt::Key_Up)
        to = line - 1;
    else if (event->key() == Qt::Key_PageDown)
        to = line + page;
    else if (event->key() == Qt::Key_PageUp)
        to = line - page;
    else if (event->key() == Qt::Key_Home)
        to = 0;
    else if (event->key() == Qt::Key_End)
        to = int(m_diff.count()) - 1;
    else
        return QAbstractScrollArea::keyPressEvent(event);
    if (to >= 0 || event->key() == Qt::Key_Up || event->key() == Qt::Key_PageUp) {
        if (!alt && event->key() != Qt::Key_N && event->key() != Qt::Key_P && !event->matches(QKeySequence::Copy)) {
            setCurrent(std::max(0, to), extend);
            reveal(m_current);
        }
    }
}

void DiffCanvas::mousePressEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton)
        setCurrent(lineAt(event->position().toPoint().y()), event->modifiers().testFlag(Qt::ShiftModifier));
}

void DiffCanvas::mouseMoveEvent(QMouseEvent *event)
{
    if (event->buttons().testFlag(Qt::LeftButton)) {
        setCurrent(lineAt(event->position().toPoint().y()), true);
        reveal(m_current);
    }
}

} // namespace foundry::views
