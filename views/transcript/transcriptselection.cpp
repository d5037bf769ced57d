// Text selected in the transcript, across entries: where a point is in it, and what is copied.
#include "views/transcript/transcriptview.h"

#include "views/transcript/entrytext.h"

#include <QClipboard>
#include <QGuiApplication>

#include <algorithm>

namespace foundry::views {

TranscriptView::Place TranscriptView::placeAt(const QPoint &point)
{
    if (m_visible.isEmpty() || !m_model)
        return {};
    const Visible *visible = &m_visible.first();
    for (const Visible &candidate : std::as_const(m_visible)) {
        if (candidate.y <= point.y())
            visible = &candidate;
    }
    const qint64 entry = m_model->at(visible->row).index;
    const EntryLayout &layout = layoutOf(visible->row);
    const QPointF at = QPointF(point) - QPointF(columnLeft(), visible->y);
    // The nearest piece: by height first, then by the side.
    int best = -1;
    qreal bestDistance = 0;
    for (int i = 0; i < layout.texts.size(); ++i) {
        const TextPiece &piece = layout.texts.at(i);
        if (!piece.selectable)
            continue;
        const QRectF rect(piece.at, piece.size);
        const qreal dy = std::max({rect.top() - at.y(), at.y() - rect.bottom(), 0.0});
        const qreal dx = std::max({rect.left() - at.x(), at.x() - rect.right(), 0.0});
        const qreal distance = dy * 1000 + dx;
        if (best < 0 || distance < bestDistance) {
            best = i;
            bestDistance = distance;
        }
    }
    if (best < 0)
        return {entry, 0, 0};
    const TextPiece &piece = layout.texts.at(best);
    const qreal inside = at.y() - piece.at.y();
    int character = inside < 0 ? 0 : int(piece.layout->text().size());
    if (inside >= 0 && inside <= piece.size.height()) {
        for (int i = 0; i < piece.layout->lineCount(); ++i) {
            const QTextLine line = piece.layout->lineAt(i);
            const qreal bottom = i + 1 < piece.layout->lineCount() ? piece.layout->lineAt(i + 1).y() : piece.size.height();
            if (inside < bottom) {
                character = line.xToCursor(at.x() - piece.at.x());
                break;
            }
        }
    }
    return {entry, best, character};
}

void TranscriptView::selectWord(const Place &place)
{
    const auto layout = m_layouts.constFind(place.entry);
    if (layout == m_layouts.constEnd() || place.piece >= layout->texts.size())
        return;
    const QString &text = layout->texts.at(place.piece).layout->text();
    const auto inWord = [&](qsizetype i) { return text.at(i).isLetterOrNumber() || text.at(i) == QLatin1Char('_'); };
    qsizetype from = place.character;
    qsizetype to = place.character;
    while (from > 0 && inWord(from - 1))
        --from;
    while (to < text.size() && inWord(to))
        ++to;
    m_selectionFrom = {place.entry, place.piece, int(from)};
    m_selectionTo = {place.entry, place.piece, int(to)};
    viewport()->update();
}

QString TranscriptView::textBetween(const TranscriptEntry &entry, const EntryLayout &layout, Place from, Place to) const
{
    QString out;
    for (int i = 0; i < layout.texts.size(); ++i) {
        const TextPiece &piece = layout.texts.at(i);
        if (!piece.selectable)
            continue;
        const int length = int(piece.layout->text().size());
        const Place start{entry.index, i, 0};
        const Place end{entry.index, i, length};
        if (from >= end || to <= start)
            continue;
        const int first = from > start ? from.character : 0;
        const int last = to < end ? to.character : length;
        if (!out.isEmpty())
            out += piece.lead;
        out += QStringView(piece.layout->text()).mid(first, last - first);
    }
    out.replace(QChar(QChar::LineSeparator), QLatin1Char('\n'));
    return out;
}

QString TranscriptView::selectedText()
{
    if (!hasSelection() || !m_model)
        return {};
    const Place from = std::min(m_selectionFrom, m_selectionTo);
    const Place to = std::max(m_selectionFrom, m_selectionTo);
    QStringList parts;
    for (qint64 index = from.entry; index <= to.entry; ++index) {
        const int row = m_model->rowOf(index);
        if (row < 0)
            continue;
        const TranscriptEntry &entry = m_model->at(row);
        // The ends are cut where they are marked; what lies between is whole and need not be laid out.
        const QString text = index == from.entry || index == to.entry ? textBetween(entry, layoutOf(row), from, to)
                                                                      : entryPlainText(entry);
        if (!text.isEmpty())
            parts.append(text);
    }
    return parts.join(QStringLiteral("\n\n"));
}

void TranscriptView::copySelection()
{
    if (hasSelection())
        QGuiApplication::clipboard()->setText(selectedText());
}

void TranscriptView::selectAll()
{
    if (!m_model || m_model->count() == 0)
        return;
    m_selectionFrom = {m_model->firstIndex(), 0, 0};
    const int last = m_model->count() - 1;
    const EntryLayout &layout = layoutOf(last);
    const int piece = std::max(0, int(layout.texts.size()) - 1);
    m_selectionTo = {m_model->at(last).index, piece,
        layout.texts.isEmpty() ? 0 : int(layout.texts.at(piece).layout->text().size())};
    viewport()->update();
}

} // namespace foundry::views
