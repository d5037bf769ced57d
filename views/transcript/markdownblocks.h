// Markdown as values: a flat list of blocks with inline runs, made by cmark-gfm (tables, task lists, strikethrough,
// bare links). Nothing here draws; raw HTML stays text. Any thread.
#pragma once

#include <QList>
#include <QString>
#include <variant>

namespace foundry::views {

enum class InlineStyle : quint8 { Plain = 0, Bold = 1, Italic = 2, Code = 4, Strike = 8 };

// A styled stretch of an InlineText. `link` indexes InlineText::links, or is -1.
struct InlineSpan {
    int start = 0;
    int length = 0;
    quint8 style = 0; // InlineStyle bits
    int link = -1;

    bool has(InlineStyle wanted) const { return (style & static_cast<quint8>(wanted)) != 0; }
    friend bool operator==(const InlineSpan &, const InlineSpan &) = default;
};

// One paragraph's text; hard line breaks are QChar::LineSeparator.
struct InlineText {
    QString text;
    QList<InlineSpan> spans;
    QStringList links;
    friend bool operator==(const InlineText &, const InlineText &) = default;
};

enum class ListMarker : quint8 { None, Bullet, Number, Unchecked, Checked };

struct ParagraphBlock {
    InlineText text;
    friend bool operator==(const ParagraphBlock &, const ParagraphBlock &) = default;
};
struct HeadingBlock {
    int level = 1;
    InlineText text;
    friend bool operator==(const HeadingBlock &, const HeadingBlock &) = default;
};
struct CodeBlock {
    QString language; // the first word of the info string
    QString code;     // lines separated by \n, no newline at the end
    friend bool operator==(const CodeBlock &, const CodeBlock &) = default;
};
enum class ColumnAlign : quint8 { Left, Center, Right };
struct TableBlock {
    QList<ColumnAlign> columns;
    QList<QList<InlineText>> rows; // the first is the header
    friend bool operator==(const TableBlock &, const TableBlock &) = default;
};
struct RuleBlock {
    friend bool operator==(RuleBlock, RuleBlock) = default;
};

struct MarkdownBlock {
    std::variant<ParagraphBlock, HeadingBlock, CodeBlock, TableBlock, RuleBlock> content;
    int indent = 0; // list depth
    int quote = 0;  // block quote depth
    ListMarker marker = ListMarker::None; // set on the first block of a list item only
    int number = 0;                       // of a numbered item
    bool tight = false;                   // follows its predecessor without a paragraph's gap
    friend bool operator==(const MarkdownBlock &, const MarkdownBlock &) = default;
};

QList<MarkdownBlock> parseMarkdown(const QString &markdown);

// The text as one reads it, without marks: for copying, for screen readers, for one-line previews.
QString plainText(const QList<MarkdownBlock> &blocks);

// The fence (with its language) that the text leaves open, or an empty string: a message that goes on in a next entry
// goes on inside its code block.
QString openFence(const QString &markdown);

} // namespace foundry::views
