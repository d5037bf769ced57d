#include "views/transcript/entrybuilder.h"

#include "views/common/codehighlighter.h"
#include "views/transcript/entrytext.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QTextOption>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

class EntryBuilderText {
    Q_DECLARE_TR_FUNCTIONS(EntryBuilder)
};

constexpr int outputLines = 16;          // of a tool's text while it is folded
constexpr qsizetype outputMostChars = 16 * 1024; // ever laid out at once; the whole opens as a tab

constexpr QChar lineBreak(QChar::LineSeparator);

// A line of very many characters costs more than a screen of lines: what is laid out is bounded, the rest is said.
QString firstLines(const QString &text, int lines, qsizetype chars, bool *cut)
{
    qsizetype end = 0;
    int seen = 0;
    while (end < text.size() && end < chars) {
        if (text.at(end) == QLatin1Char('\n') && ++seen == lines)
            break;
        ++end;
    }
    *cut = end < text.size() && !QStringView(text).mid(end).trimmed().isEmpty();
    return text.left(end);
}

} // namespace

int lineHeightOf(TextStyle style)
{
    switch (style) {
    case TextStyle::Caption:
    case TextStyle::Small:
    case TextStyle::SmallMedium:
    case TextStyle::MonoSmall:
        return 18;
    case TextStyle::Reading:
    case TextStyle::ReadingSemiBold:
        return int(std::lround(14 * Theme::readingLineHeight));
    case TextStyle::Heading:
        return 24;
    case TextStyle::Title:
        return 28;
    default:
        return 20;
    }
}

TextPiece &EntryBuilder::text(const TextSpec &spec)
{
    TextPiece piece;
    QString shown = spec.text;
    shown.replace(QLatin1Char('\n'), lineBreak);
    const QFont font = style.theme->font(spec.style);
    piece.layout = std::make_shared<QTextLayout>(shown, font);
    QTextOption option;
    option.setWrapMode(spec.wrapAnywhere ? QTextOption::WrapAnywhere : QTextOption::WrapAtWordBoundaryOrAnywhere);
    option.setUseDesignMetrics(true);
    option.setTabStopDistance(4 * QFontMetricsF(font).horizontalAdvance(QLatin1Char(' ')));
    if (spec.align == ColumnAlign::Right)
        option.setAlignment(Qt::AlignRight);
    else if (spec.align == ColumnAlign::Center)
        option.setAlignment(Qt::AlignHCenter);
    piece.layout->setTextOption(option);
    piece.layout->setCacheEnabled(true);
    if (!spec.formats.isEmpty())
        piece.layout->setFormats(spec.formats);

    const qreal lineHeight = spec.lineHeight > 0 ? spec.lineHeight : lineHeightOf(spec.style);
    qreal lineTop = 0;
    qreal widest = 0;
    piece.layout->beginLayout();
    for (int lines = 0; spec.maxLines == 0 || lines < spec.maxLines; ++lines) {
        QTextLine line = piece.layout->createLine();
        if (!line.isValid())
            break;
        line.setLineWidth(std::max<qreal>(spec.width, 16));
        const qreal height = std::max(lineHeight, std::ceil(line.height()));
        line.setPosition(QPointF(0, lineTop + std::floor((height - line.height()) / 2)));
        lineTop += height;
        widest = std::max(widest, line.naturalTextWidth());
    }
    piece.layout->endLayout();
    if (spec.maxLines > 0 && spec.maxLines == piece.layout->lineCount()) {
        const QTextLine last = piece.layout->lineAt(spec.maxLines - 1);
        if (last.textStart() + last.textLength() < shown.size()) {
            // One line too many: lay out again with the end cut and an ellipsis.
            TextSpec shorter = spec;
            const QFontMetricsF metrics(font);
            const QString tail = shown.mid(last.textStart()).section(lineBreak, 0, 0);
            const bool hasMore = last.textStart() + tail.size() < shown.size();
            shorter.text = shown.left(last.textStart())
                + metrics.elidedText(hasMore ? tail + QStringLiteral(" …") : tail, Qt::ElideRight, spec.width - 1);
            shorter.maxLines = 0;
            shorter.formats.removeIf([&](const QTextLayout::FormatRange &range) {
                return range.start + range.length > shorter.text.size();
            });
            return text(shorter);
        }
    }

    piece.at = QPointF(spec.x, y);
    piece.size = QSizeF(std::ceil(widest), lineTop);
    piece.color = spec.color.isValid() ? spec.color : colors.text;
    piece.lead = spec.lead;
    piece.selectable = spec.selectable;
    y += lineTop;
    out.texts.append(std::move(piece));
    return out.texts.last();
}

TextPiece &EntryBuilder::inlineText(const InlineText &content, TextSpec spec)
{
    spec.text = content.text;
    const QFont mono = style.theme->font(TextStyle::Mono);
    for (const InlineSpan &span : content.spans) {
        QTextLayout::FormatRange range;
        range.start = span.start;
        range.length = span.length;
        if (span.has(InlineStyle::Bold))
            range.format.setFontWeight(QFont::DemiBold);
        if (span.has(InlineStyle::Italic))
            range.format.setFontItalic(true);
        if (span.has(InlineStyle::Strike)) {
            range.format.setFontStrikeOut(true);
            range.format.setForeground(colors.textMuted);
        }
        if (span.has(InlineStyle::Code)) {
            range.format.setFontFamilies(mono.families());
            range.format.setProperty(QTextFormat::FontPixelSize, mono.pixelSize());
        }
        if (span.link >= 0) {
            range.format.setForeground(colors.link);
            range.format.setFontUnderline(true);
        }
        spec.formats.append(range);
    }
    const qreal top = y;
    TextPiece &piece = text(spec);
    for (const InlineSpan &span : content.spans) {
        if (span.link >= 0)
            piece.links.append({span.start, span.length, content.links.value(span.link)});
        if (!span.has(InlineStyle::Code))
            continue;
        // A quiet plate behind inline code, line by line.
        for (int i = 0; i < piece.layout->lineCount(); ++i) {
            const QTextLine line = piece.layout->lineAt(i);
            const int from = std::max(span.start, line.textStart());
            const int to = std::min(span.start + span.length, line.textStart() + line.textLength());
            if (from >= to)
                continue;
            const qreal left = line.cursorToX(from);
            const qreal right = line.cursorToX(to);
            box(QRectF(spec.x + left - 2, top + line.y() - 1, right - left + 4, line.height() + 2), colors.raised, {}, 3);
        }
    }
    for (const TextLink &link : std::as_const(piece.links)) {
        for (int i = 0; i < piece.layout->lineCount(); ++i) {
            const QTextLine line = piece.layout->lineAt(i);
            const int from = std::max(link.start, line.textStart());
            const int to = std::min(link.start + link.length, line.textStart() + line.textLength());
            if (from < to) {
                hot(QRectF(spec.x + line.cursorToX(from), top + line.y(), line.cursorToX(to) - line.cursorToX(from),
                        line.height()),
                    HotKind::Link, link.target, EntryBuilderText::tr("Link %1").arg(link.target));
            }
        }
    }
    return piece;
}

BoxPiece &EntryBuilder::box(const QRectF &rect, const QColor &fill, const QColor &border, qreal radius)
{
    out.boxes.append({rect, fill, border, radius});
    return out.boxes.last();
}

void EntryBuilder::icon(Icon icon, qreal x, qreal top, const QColor &color)
{
    out.icons.append({QRect(int(x), int(top), Space::icon, Space::icon), icon, color});
}

HotArea &EntryBuilder::hot(const QRectF &rect, HotKind kind, const QString &value, const QString &name)
{
    HotArea area;
    area.rect = rect;
    area.kind = kind;
    area.value = value;
    area.name = name;
    out.hots.append(area);
    return out.hots.last();
}

qreal EntryBuilder::button(qreal x, HotKind kind, HotLook look, const QString &value, const QString &label,
    std::optional<Icon> icon)
{
    qreal width = std::ceil(textWidth(TextStyle::ListMedium, label)) + (label.isEmpty() ? 12 : 24);
    if (icon)
        width += Space::icon + (label.isEmpty() ? 0 : 2);
    HotArea &area = hot(QRectF(x, y, width, buttonHeight), kind, value, label);
    area.look = look;
    area.label = label;
    area.icon = icon;
    return width;
}

qreal EntryBuilder::textWidth(TextStyle textStyle, const QString &text) const
{
    return QFontMetricsF(style.theme->font(textStyle)).horizontalAdvance(text);
}

QList<QTextLayout::FormatRange> EntryBuilder::colorsOf(const QString &part, const QString &language, const QString &code)
{
    if (!style.highlighter || language.isEmpty())
        return {};
    const QString slot = style.slotPrefix + QString::number(entry.index) + QLatin1Char('/') + part;
    out.codeSlots.append(slot);
    return style.highlighter->formats(slot, language, code);
}

void EntryBuilder::output(const TextOrBlob &content, qreal x, qreal width, const QString &part, const QString &language,
    const QString &caption)
{
    const QString whole = content.shown();
    const bool all = unfolded(part, false);
    bool cut = false;
    QString shown = firstLines(whole, all ? 100'000 : outputLines, outputMostChars, &cut);
    while (shown.endsWith(QLatin1Char('\n')))
        shown.chop(1);
    if (!caption.isEmpty()) {
        text({.text = caption, .style = TextStyle::Caption, .color = colors.textFaint, .x = x, .width = width, .selectable = false});
        y += 2;
    }
    const qreal top = y;
    BoxPiece &plate = box({}, colors.surface, colors.hairline, Space::radius);
    const qsizetype plateAt = out.boxes.size() - 1;
    Q_UNUSED(plate)
    y += 8;
    TextSpec spec{.text = shown, .style = TextStyle::MonoSmall, .color = colors.textMuted, .x = x + 12, .width = width - 24, .wrapAnywhere = true};
    spec.formats = colorsOf(part, language, shown);
    text(spec);
    y += 8;
    if (content.blob || cut) {
        box(QRectF(x + 1, y, width - 2, 1), colors.hairline);
        y += 2;
        if (content.blob) {
            button(x + 4, HotKind::ShowBlob, HotLook::Ghost, content.blob->blobId.value,
                EntryBuilderText::tr("Open all of it (%1)").arg(fileSizeText(content.blob->size)), Icon::FileText);
        } else if (!all && whole.size() <= outputMostChars) {
            const int lines = int(whole.count(QLatin1Char('\n'))) + 1;
            button(x + 4, HotKind::ShowAll, HotLook::Ghost, part, EntryBuilderText::tr("Show all %n lines", nullptr, lines),
                Icon::Unfold);
        } else {
            button(x + 4, HotKind::ShowText, HotLook::Ghost, whole, EntryBuilderText::tr("Open all of it"), Icon::FileText);
        }
        y += buttonHeight + 2;
    } else if (all) {
        button(x + 4, HotKind::ShowAll, HotLook::Ghost, part, EntryBuilderText::tr("Show less"), Icon::Fold);
        y += buttonHeight + 2;
    }
    out.boxes[plateAt].rect = QRectF(x, top, width, y - top);
}

} // namespace foundry::views
