// The small diff inside a tool call: changed lines with a little around them.
#include "views/diff/linediff.h"
#include "views/transcript/entrybuilder.h"

#include <QCoreApplication>
#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace foundry::views {

namespace {

class ToolDiffText {
    Q_DECLARE_TR_FUNCTIONS(ToolDiffLayout)
};

constexpr int toolDiffContext = 3;
constexpr int toolDiffFolded = 24; // lines shown until unfolded
constexpr int toolDiffMost = 400;

struct ToolDiffLine {
    EditKind kind = EditKind::Same;
    bool gap = false; // lines are left out here
    int oldAt = 0;
    int newAt = 0;
};

QList<QStringView> toolDiffSplit(const QString &text)
{
    QList<QStringView> lines = QStringView(text).split(QLatin1Char('\n'));
    if (!lines.isEmpty() && lines.last().isEmpty())
        lines.removeLast();
    return lines;
}

QList<ToolDiffLine> toolDiffLines(const QList<Edit> &edits)
{
    QList<bool> keep(edits.size(), false);
    for (qsizetype i = 0; i < edits.size(); ++i) {
        if (edits.at(i).kind == EditKind::Same)
            continue;
        for (qsizetype k = std::max<qsizetype>(0, i - toolDiffContext); k <= std::min(edits.size() - 1, i + toolDiffContext); ++k)
            keep[k] = true;
    }
    QList<ToolDiffLine> lines;
    bool skipped = false;
    for (qsizetype i = 0; i < edits.size(); ++i) {
        if (!keep.at(i)) {
            skipped = true;
            continue;
        }
        if (skipped && !lines.isEmpty())
            lines.append({EditKind::Same, true, 0, 0});
        skipped = false;
        lines.append({edits.at(i).kind, false, edits.at(i).oldAt, edits.at(i).newAt});
    }
    return lines;
}

// The colours of one line out of those of the whole text.
QList<QTextLayout::FormatRange> toolDiffColors(const QList<QTextLayout::FormatRange> &all, int start, int length)
{
    QList<QTextLayout::FormatRange> mine;
    for (const QTextLayout::FormatRange &range : all) {
        const int from = std::max(range.start, start);
        const int to = std::min(range.start + range.length, start + length);
        if (from >= to)
            continue;
        QTextLayout::FormatRange cut = range;
        cut.start = from - start;
        cut.length = to - from;
        mine.append(cut);
    }
    return mine;
}

} // namespace

void layOutToolDiff(EntryBuilder &b, const ToolDiff &diff, qreal x, qreal width, const QString &part)
{
    const Colors &c = b.colors;
    const QString before = diff.oldText ? diff.oldText->shown() : QString();
    const QString after = diff.newText.shown();
    const QList<QStringView> oldLines = toolDiffSplit(before);
    const QList<QStringView> newLines = toolDiffSplit(after);
    const QList<Edit> edits = shortestEdit(oldLines, newLines);
    QList<ToolDiffLine> lines = toolDiffLines(edits);
    int added = 0;
    int removed = 0;
    for (const Edit &edit : edits) {
        added += edit.kind == EditKind::Added;
        removed += edit.kind == EditKind::Removed;
    }

    const qreal top = b.y;
    const qsizetype plate = b.out.boxes.size();
    b.box({}, c.surface, c.hairline, Space::radius);
    b.icon(diff.oldText ? Icon::FileDiff : Icon::FilePlus, x + 10, top + 7, c.textFaint);
    b.y = top + 6;
    const QString plus = added > 0 ? QStringLiteral("+%1").arg(added) : QString();
    const QString minus = removed > 0 ? QStringLiteral("−%1").arg(removed) : QString();
    const qreal minusWidth = std::ceil(b.textWidth(TextStyle::MonoSmall, minus)) + 1;
    const qreal plusWidth = std::ceil(b.textWidth(TextStyle::MonoSmall, plus)) + 1;
    // Of a path that is too long, its end says more than its beginning.
    const qreal pathRoom = width - 60 - plusWidth - minusWidth;
    const QString path = QFontMetricsF(b.style.theme->font(TextStyle::MonoSmall)).elidedText(b.shortPaths(diff.path), Qt::ElideLeft, pathRoom);
    b.text({.text = path, .style = TextStyle::MonoSmall, .color = c.textMuted, .x = x + 34, .width = pathRoom + 2});
    b.y = top + 6;
    b.text({.text = plus, .style = TextStyle::MonoSmall, .color = c.green, .x = x + width - (minus.isEmpty() ? 12 : 20 + minusWidth) - plusWidth, .width = plusWidth + 1, .maxLines = 1, .selectable = false});
    b.y = top + 6;
    b.text({.text = minus, .style = TextStyle::MonoSmall, .color = c.red, .x = x + width - 12 - minusWidth, .width = minusWidth + 1, .maxLines = 1, .selectable = false});
    b.y = top + 30;
    b.box(QRectF(x + 1, b.y, width - 2, 1), c.hairline);
    b.y += 5;

    const bool all = b.unfolded(part, false);
    const qsizetype total = lines.size();
    const qsizetype limit = all ? toolDiffMost : toolDiffFolded;
    if (lines.size() > limit)
        lines.resize(limit);

    const auto oldColors = b.colorsOf(part + QStringLiteral("old"), diff.path, before);
    const auto newColors = b.colorsOf(part + QStringLiteral("new"), diff.path, after);
    for (qsizetype i = 0; i < lines.size(); ++i) {
        const ToolDiffLine &line = lines.at(i);
        const qreal lineTop = b.y;
        if (line.gap) {
            b.text({.text = QStringLiteral("⋯"), .style = TextStyle::MonoSmall, .color = c.textFaint, .x = x + 12, .width = 40, .selectable = false});
            continue;
        }
        const bool old = line.kind == EditKind::Removed;
        const QStringView text = old ? oldLines.at(line.oldAt) : newLines.at(line.newAt);
        const int start = int(text.data() - (old ? before : after).constData());
        TextSpec spec{.text = text.left(2000).toString(), .style = TextStyle::MonoSmall, .color = c.text, .x = x + 28, .width = width - 40, .wrapAnywhere = true, .lead = QStringLiteral("\n")};
        spec.formats = toolDiffColors(old ? oldColors : newColors, start, int(spec.text.size()));
        const qsizetype lineBox = b.out.boxes.size();
        if (line.kind != EditKind::Same)
            b.box({}, old ? c.removedLine : c.addedLine);
        if (line.kind != EditKind::Same) {
            b.text({.text = old ? QStringLiteral("−") : QStringLiteral("+"), .style = TextStyle::MonoSmall, .color = old ? c.red : c.green, .x = x + 12, .width = 14, .selectable = false});
            b.y = lineTop;
        }
        b.text(spec);
        if (line.kind != EditKind::Same)
            b.out.boxes[lineBox].rect = QRectF(x + 1, lineTop, width - 2, b.y - lineTop);
    }
    b.y += 5;
    if (diff.newText.blob || (diff.oldText && diff.oldText->blob)) {
        b.text({.text = ToolDiffText::tr("Only the beginning is shown here: the whole file is under Changes."), .style = TextStyle::Small, .color = c.textFaint, .x = x + 12, .width = width - 24, .selectable = false});
        b.y += 5;
    }
    if (total > toolDiffFolded) {
        b.button(x + 4, HotKind::ShowAll, HotLook::Ghost, part,
            all ? ToolDiffText::tr("Show less") : ToolDiffText::tr("Show all %n lines", nullptr, int(total)),
            all ? Icon::Fold : Icon::Unfold);
        b.y += EntryBuilder::buttonHeight + 3;
    }
    b.out.boxes[plate].rect = QRectF(x, top, width, b.y - top);
}

} // namespace foundry::views
