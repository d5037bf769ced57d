// How Markdown blocks look in the transcript.
#include "views/transcript/entrybuilder.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

class MarkdownLayoutText {
    Q_DECLARE_TR_FUNCTIONS(MarkdownLayout)
};

constexpr qreal markdownIndent = 22;
constexpr qreal markdownQuote = 14;
constexpr qreal markdownCell = 10; // padding of a table's cell at each side

} // namespace

void EntryBuilder::markdown(const QList<MarkdownBlock> &blocks, qreal x, qreal width, const QColor &color,
    const QString &part)
{
    int codeNumber = 0;
    const qreal start = y;
    qreal quoteTop = 0;
    int quoteDepth = 0;
    for (qsizetype i = 0; i < blocks.size(); ++i) {
        const MarkdownBlock &block = blocks.at(i);
        const auto *heading = std::get_if<HeadingBlock>(&block.content);
        if (y > start)
            y += block.tight ? 4 : heading ? 18 : 10;
        if (block.quote > 0 && quoteDepth == 0)
            quoteTop = y;
        quoteDepth = block.quote;
        const qreal left = x + block.indent * markdownIndent + block.quote * markdownQuote;
        const qreal room = std::max<qreal>(80, width - (left - x));
        const QColor shade = block.quote > 0 ? colors.textMuted : color;
        const QString lead = y > start ? (block.tight ? QStringLiteral("\n") : QStringLiteral("\n\n")) : QStringLiteral("\n\n");
        const qreal top = y;

        if (block.marker == ListMarker::Bullet) {
            out.boxes.append({QRectF(left - 14, top + 8, 5, 5), colors.textFaint, {}, 2.5});
        } else if (block.marker == ListMarker::Number) {
            const QString number = QString::number(block.number) + QLatin1Char('.');
            const qreal numberWidth = textWidth(TextStyle::Reading, number);
            text({.text = number, .color = colors.textFaint, .x = left - 6 - numberWidth, .width = numberWidth + 4, .selectable = false});
            y = top;
        } else if (block.marker == ListMarker::Checked || block.marker == ListMarker::Unchecked) {
            const bool checked = block.marker == ListMarker::Checked;
            icon(checked ? Icon::CircleCheck : Icon::Circle, left - 20, top + 3, checked ? colors.green : colors.textFaint);
        }

        if (const auto *paragraph = std::get_if<ParagraphBlock>(&block.content)) {
            inlineText(paragraph->text, {.color = shade, .x = left, .width = room, .lead = lead});
        } else if (heading) {
            inlineText(heading->text, {.style = heading->level <= 2 ? TextStyle::Heading : TextStyle::ReadingSemiBold, .color = color, .x = left, .width = room, .lead = lead});
        } else if (const auto *code = std::get_if<CodeBlock>(&block.content)) {
            this->code(*code, left, room, part + QString::number(codeNumber++));
        } else if (const auto *tableBlock = std::get_if<TableBlock>(&block.content)) {
            table(*tableBlock, left, room);
        } else {
            y += 4;
            box(QRectF(left, y, room, 1), colors.hairline);
            y += 5;
        }
        const bool quoteEnds = i + 1 == blocks.size() || blocks.at(i + 1).quote == 0;
        if (block.quote > 0 && quoteEnds) {
            box(QRectF(x, quoteTop, 2, y - quoteTop), colors.border, {}, 1);
            quoteDepth = 0;
        }
    }
}

void EntryBuilder::code(const CodeBlock &block, qreal x, qreal width, const QString &part)
{
    const qreal top = y;
    const qsizetype plate = out.boxes.size();
    box({}, colors.surface, colors.hairline, Space::radius);
    const qreal headHeight = 28;
    if (!block.language.isEmpty()) {
        y += 5;
        text({.text = block.language, .style = TextStyle::Small, .color = colors.textFaint, .x = x + 12, .width = width - 60, .maxLines = 1, .selectable = false});
    }
    HotArea &copy = hot(QRectF(x + width - 30, top + 2, 26, 24), HotKind::CopyCode, block.code, MarkdownLayoutText::tr("Copy code"));
    copy.look = HotLook::Ghost;
    copy.icon = Icon::Copy;
    y = top + (block.language.isEmpty() ? 8 : headHeight);
    TextSpec spec{.text = block.code, .style = TextStyle::Mono, .color = colors.text, .x = x + 12, .width = width - (block.language.isEmpty() ? 48 : 24), .wrapAnywhere = true};
    spec.formats = colorsOf(QStringLiteral("code") + part, block.language, block.code);
    text(spec);
    y += 10;
    out.boxes[plate].rect = QRectF(x, top, width, y - top);
}

void EntryBuilder::table(const TableBlock &table, qreal x, qreal width)
{
    const qsizetype columns = table.columns.size();
    if (columns == 0)
        return;
    // Each column wants its longest cell; when that is too much, what is above the even share is cut in proportion.
    QList<qreal> widths(columns, 24);
    for (qsizetype row = 0; row < std::min<qsizetype>(table.rows.size(), 200); ++row) {
        const TextStyle cellStyle = row == 0 ? TextStyle::ListSemiBold : TextStyle::List;
        for (qsizetype column = 0; column < std::min(columns, table.rows.at(row).size()); ++column) {
            const InlineText &cell = table.rows.at(row).at(column);
            qreal want = textWidth(cellStyle, cell.text) + 2;
            for (const InlineSpan &span : cell.spans) {
                if (span.has(InlineStyle::Code))
                    want += textWidth(TextStyle::Mono, cell.text.mid(span.start, span.length))
                        - textWidth(cellStyle, cell.text.mid(span.start, span.length)) + 4;
            }
            widths[column] = std::max(widths.at(column), std::ceil(want));
        }
    }
    const qreal room = std::max<qreal>(width - qreal(columns) * 2 * markdownCell, qreal(columns) * 24);
    qreal sum = 0;
    for (const qreal w : std::as_const(widths))
        sum += w;
    if (sum > room) {
        const qreal even = room / qreal(columns);
        qreal over = 0;
        qreal under = 0;
        for (const qreal w : std::as_const(widths))
            (w > even ? over : under) += w;
        for (qreal &w : widths) {
            if (w > even)
                w = std::max<qreal>(24, std::floor(w * (room - under) / std::max<qreal>(1, over)));
        }
    }
    qreal full = 0;
    for (const qreal w : std::as_const(widths))
        full += w + 2 * markdownCell;

    const qreal top = y;
    const qsizetype plate = out.boxes.size();
    box({}, {}, colors.hairline, Space::radius);
    for (qsizetype row = 0; row < table.rows.size(); ++row) {
        const qreal rowTop = y;
        if (row > 0)
            box(QRectF(x + 1, rowTop, full - 2, 1), colors.hairline);
        qreal rowHeight = 0;
        qreal cellX = x;
        for (qsizetype column = 0; column < columns; ++column) {
            y = rowTop + 6;
            if (column < table.rows.at(row).size()) {
                TextSpec spec{.style = row == 0 ? TextStyle::ListSemiBold : TextStyle::List, .color = row == 0 ? colors.textMuted : colors.text, .x = cellX + markdownCell, .width = widths.at(column), .align = table.columns.at(column)};
                spec.lead = column > 0 ? QStringLiteral("\t") : row > 0 ? QStringLiteral("\n") : QStringLiteral("\n\n");
                inlineText(table.rows.at(row).at(column), spec);
            }
            rowHeight = std::max(rowHeight, y - rowTop + 6);
            cellX += widths.at(column) + 2 * markdownCell;
        }
        y = rowTop + std::max<qreal>(rowHeight, 32);
    }
    out.boxes[plate].rect = QRectF(x, top, full, y - top);
}

} // namespace foundry::views
