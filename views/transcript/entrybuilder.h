// The brush with which entries are laid out: puts text, boxes, icons and hot areas below each other. Used by the files
// that know one kind of entry each.
#pragma once

#include "views/transcript/entrylayout.h"
#include "views/transcript/markdownblocks.h"

namespace foundry::views {

struct TextSpec {
    QString text = {};
    TextStyle style = TextStyle::Reading;
    QColor color = {};
    qreal x = 0;
    qreal width = 0;
    int lineHeight = 0; // pixels; 0: by the style
    int maxLines = 0;   // 0: all; else the last one is elided
    bool wrapAnywhere = false;
    bool selectable = true;
    ColumnAlign align = ColumnAlign::Left;
    QList<QTextLayout::FormatRange> formats = {};
    QString lead = QStringLiteral("\n\n");
};

class EntryBuilder {
public:
    EntryBuilder(const TranscriptEntry &shown, const EntryStyle &layoutStyle)
        : entry(shown)
        , style(layoutStyle)
        , colors(layoutStyle.theme->colors())
    {
    }

    const TranscriptEntry &entry;
    const EntryStyle &style;
    const Colors &colors;
    EntryLayout out;
    qreal y = 0;

    // Lays text out at (spec.x, y) and moves y below it.
    TextPiece &text(const TextSpec &spec);
    // Inline Markdown: code with its background, links, bold, italic.
    TextPiece &inlineText(const InlineText &content, TextSpec spec);
    BoxPiece &box(const QRectF &rect, const QColor &fill, const QColor &border = {}, qreal radius = 0);
    void icon(Icon icon, qreal x, qreal top, const QColor &color);
    HotArea &hot(const QRectF &rect, HotKind kind, const QString &value, const QString &name);
    // A button at (x, y) of the usual height; answers its width.
    qreal button(qreal x, HotKind kind, HotLook look, const QString &value, const QString &label,
        std::optional<Icon> icon = {});

    // Blocks of Markdown from x on, `width` wide. `part` tells code places of one entry from each other.
    void markdown(const QList<MarkdownBlock> &blocks, qreal x, qreal width, const QColor &color, const QString &part);
    // A code block in its box, with its copy button.
    void code(const CodeBlock &block, qreal x, qreal width, const QString &part);
    // A long text in a box: the first lines, and a way to the rest. `language` may be empty.
    void output(const TextOrBlob &content, qreal x, qreal width, const QString &part, const QString &language,
        const QString &caption);
    QList<QTextLayout::FormatRange> colorsOf(const QString &part, const QString &language, const QString &code);

    // Paths inside the work tree are shown without it.
    QString shortPaths(QString text) const { return style.workTree.isEmpty() ? text : text.remove(style.workTree); }
    qreal textWidth(TextStyle style, const QString &text) const;
    bool unfolded(const QString &part, bool byDefault) const { return style.unfolded && style.unfolded(part, byDefault); }

    static constexpr int buttonHeight = 28;

private:
    void table(const TableBlock &table, qreal x, qreal width);
};

// Line height of a style in the transcript, pixels.
int lineHeightOf(TextStyle style);

// The kinds that have a file of their own.
void layOutTool(EntryBuilder &builder);
void layOutPermission(EntryBuilder &builder);
void layOutPlan(EntryBuilder &builder);
void layOutToolDiff(EntryBuilder &builder, const ToolDiff &diff, qreal x, qreal width, const QString &part);

} // namespace foundry::views
