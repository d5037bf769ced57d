#include "views/transcript/markdownblocks.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

#include <array>
#include <memory>
#include <mutex>

// Exported by the extensions library, but in none of its installed headers.
extern "C" {
extern cmark_node_type CMARK_NODE_TABLE;
extern cmark_node_type CMARK_NODE_TABLE_ROW;
extern cmark_node_type CMARK_NODE_TABLE_CELL;
extern cmark_node_type CMARK_NODE_STRIKETHROUGH;
}

namespace foundry::views {

namespace {

constexpr int markdownMaxDepth = 8; // deeper nesting is drawn at this depth

struct MarkdownFree {
    void operator()(cmark_node *node) const { cmark_node_free(node); }
    void operator()(cmark_parser *parser) const { cmark_parser_free(parser); }
    void operator()(cmark_iter *iter) const { cmark_iter_free(iter); }
};

QString markdownLiteral(cmark_node *node)
{
    return QString::fromUtf8(cmark_node_get_literal(node));
}

// Walks one document in order and gathers flat blocks. Iterative, so that hostile nesting costs no stack.
class MarkdownBuilder {
public:
    QList<MarkdownBlock> blocks;

    void walk(cmark_node *root)
    {
        std::unique_ptr<cmark_iter, MarkdownFree> iter(cmark_iter_new(root));
        for (;;) {
            const cmark_event_type event = cmark_iter_next(iter.get());
            if (event == CMARK_EVENT_DONE)
                break;
            cmark_node *node = cmark_iter_get_node(iter.get());
            if (event == CMARK_EVENT_ENTER)
                enter(node);
            else
                leave(node);
        }
    }

private:
    struct Item {
        ListMarker marker = ListMarker::None;
        int number = 0;
        bool used = false;
        bool tight = false;
    };

    void enter(cmark_node *node)
    {
        const cmark_node_type type = cmark_node_get_type(node);
        if (type == CMARK_NODE_BLOCK_QUOTE) {
            ++m_quote;
        } else if (type == CMARK_NODE_LIST) {
            m_numbers.append(cmark_node_get_list_start(node));
        } else if (type == CMARK_NODE_ITEM) {
            enterItem(node);
        } else if (type == CMARK_NODE_PARAGRAPH || type == CMARK_NODE_HEADING || type == CMARK_NODE_TABLE_CELL) {
            m_inline = {};
            m_style.fill(0);
            m_links.clear();
        } else if (type == CMARK_NODE_CODE_BLOCK) {
            QString code = markdownLiteral(node);
            if (code.endsWith(QLatin1Char('\n')))
                code.chop(1);
            const QString info = QString::fromUtf8(cmark_node_get_fence_info(node));
            add(CodeBlock{info.section(QLatin1Char(' '), 0, 0), code});
        } else if (type == CMARK_NODE_HTML_BLOCK) {
            QString text = markdownLiteral(node).trimmed();
            text.replace(QLatin1Char('\n'), QChar(QChar::LineSeparator));
            add(ParagraphBlock{{text, {}, {}}});
        } else if (type == CMARK_NODE_THEMATIC_BREAK) {
            add(RuleBlock{});
        } else if (type == CMARK_NODE_TABLE) {
            enterTable(node);
        } else if (type == CMARK_NODE_TABLE_ROW) {
            m_table.rows.append(QList<InlineText>());
        } else {
            enterInline(node, type);
        }
    }

    void enterItem(cmark_node *node)
    {
        Item item;
        cmark_node *list = cmark_node_parent(node);
        item.tight = cmark_node_get_list_tight(list) != 0;
        if (qstrcmp(cmark_node_get_type_string(node), "tasklist") == 0) {
            item.marker = cmark_gfm_extensions_get_tasklist_item_checked(node) ? ListMarker::Checked : ListMarker::Unchecked;
        } else if (cmark_node_get_list_type(list) == CMARK_ORDERED_LIST) {
            item.marker = ListMarker::Number;
            item.number = m_numbers.isEmpty() ? 1 : m_numbers.last()++;
        } else {
            item.marker = ListMarker::Bullet;
        }
        m_items.append(item);
    }

    void enterTable(cmark_node *node)
    {
        m_table = {};
        const int columns = cmark_gfm_extensions_get_table_columns(node);
        const quint8 *alignments = cmark_gfm_extensions_get_table_alignments(node);
        for (int i = 0; i < columns; ++i) {
            const char mark = alignments ? char(alignments[i]) : char(0);
            m_table.columns.append(mark == 'r' ? ColumnAlign::Right : mark == 'c' ? ColumnAlign::Center : ColumnAlign::Left);
        }
    }

    void enterInline(cmark_node *node, cmark_node_type type)
    {
        if (type == CMARK_NODE_TEXT || type == CMARK_NODE_HTML_INLINE) {
            append(markdownLiteral(node));
        } else if (type == CMARK_NODE_CODE) {
            ++m_style[2];
            append(markdownLiteral(node));
            --m_style[2];
        } else if (type == CMARK_NODE_SOFTBREAK) {
            append(QStringLiteral(" "));
        } else if (type == CMARK_NODE_LINEBREAK) {
            append(QString(QChar(QChar::LineSeparator)));
        } else if (type == CMARK_NODE_STRONG) {
            ++m_style[0];
        } else if (type == CMARK_NODE_EMPH) {
            ++m_style[1];
        } else if (type == CMARK_NODE_STRIKETHROUGH) {
            ++m_style[3];
        } else if (type == CMARK_NODE_LINK || type == CMARK_NODE_IMAGE) {
            m_inline.links.append(QString::fromUtf8(cmark_node_get_url(node)));
            m_links.append(int(m_inline.links.size()) - 1);
        }
    }

    void leave(cmark_node *node)
    {
        const cmark_node_type type = cmark_node_get_type(node);
        if (type == CMARK_NODE_BLOCK_QUOTE) {
            --m_quote;
        } else if (type == CMARK_NODE_LIST) {
            m_numbers.removeLast();
        } else if (type == CMARK_NODE_ITEM) {
            if (!m_items.last().used)
                add(ParagraphBlock{});
            m_items.removeLast();
        } else if (type == CMARK_NODE_PARAGRAPH) {
            add(ParagraphBlock{std::move(m_inline)});
        } else if (type == CMARK_NODE_HEADING) {
            add(HeadingBlock{cmark_node_get_heading_level(node), std::move(m_inline)});
        } else if (type == CMARK_NODE_TABLE_CELL) {
            if (!m_table.rows.isEmpty())
                m_table.rows.last().append(std::move(m_inline));
        } else if (type == CMARK_NODE_TABLE) {
            add(std::move(m_table));
        } else if (type == CMARK_NODE_STRONG) {
            --m_style[0];
        } else if (type == CMARK_NODE_EMPH) {
            --m_style[1];
        } else if (type == CMARK_NODE_STRIKETHROUGH) {
            --m_style[3];
        } else if (type == CMARK_NODE_LINK || type == CMARK_NODE_IMAGE) {
            m_links.removeLast();
        }
    }

    void append(const QString &text)
    {
        quint8 style = 0;
        for (size_t bit = 0; bit < m_style.size(); ++bit) {
            if (m_style[bit] > 0)
                style = quint8(style | (1u << bit));
        }
        const int link = m_links.isEmpty() ? -1 : m_links.last();
        if (style != 0 || link >= 0) {
            if (!m_inline.spans.isEmpty()) {
                InlineSpan &last = m_inline.spans.last();
                if (last.style == style && last.link == link && last.start + last.length == m_inline.text.size()) {
                    last.length += int(text.size());
                    m_inline.text += text;
                    return;
                }
            }
            m_inline.spans.append({int(m_inline.text.size()), int(text.size()), style, link});
        }
        m_inline.text += text;
    }

    template <class Content>
    void add(Content content)
    {
        MarkdownBlock block;
        block.content = std::move(content);
        block.indent = int(std::min<qsizetype>(m_items.size(), markdownMaxDepth));
        block.quote = std::min(m_quote, markdownMaxDepth);
        if (!m_items.isEmpty()) {
            Item &item = m_items.last();
            block.tight = item.tight && !blocks.isEmpty() && blocks.last().indent > 0;
            if (!item.used) {
                block.marker = item.marker;
                block.number = item.number;
                item.used = true;
            }
        }
        blocks.append(std::move(block));
    }

    InlineText m_inline;
    TableBlock m_table;
    std::array<int, 4> m_style = {}; // depth of bold, italic, code, strike
    QList<int> m_links;
    QList<Item> m_items;
    QList<int> m_numbers;
    int m_quote = 0;
};

} // namespace

QList<MarkdownBlock> parseMarkdown(const QString &markdown)
{
    static std::once_flag once;
    std::call_once(once, cmark_gfm_core_extensions_ensure_registered);

    std::unique_ptr<cmark_parser, MarkdownFree> parser(cmark_parser_new(CMARK_OPT_DEFAULT));
    for (const char *name : {"table", "tasklist", "strikethrough", "autolink"}) {
        if (cmark_syntax_extension *extension = cmark_find_syntax_extension(name))
            cmark_parser_attach_syntax_extension(parser.get(), extension);
    }
    const QByteArray utf8 = markdown.toUtf8();
    cmark_parser_feed(parser.get(), utf8.constData(), size_t(utf8.size()));
    std::unique_ptr<cmark_node, MarkdownFree> root(cmark_parser_finish(parser.get()));

    MarkdownBuilder builder;
    builder.walk(root.get());
    return std::move(builder.blocks);
}

QString plainText(const QList<MarkdownBlock> &blocks)
{
    QString out;
    for (const MarkdownBlock &block : blocks) {
        if (!out.isEmpty())
            out += block.tight ? QStringLiteral("\n") : QStringLiteral("\n\n");
        if (block.indent > 1)
            out += QString((block.indent - 1) * 2, QLatin1Char(' '));
        if (block.marker == ListMarker::Bullet)
            out += QStringLiteral("• ");
        else if (block.marker == ListMarker::Number)
            out += QString::number(block.number) + QStringLiteral(". ");
        else if (block.marker == ListMarker::Checked)
            out += QStringLiteral("[x] ");
        else if (block.marker == ListMarker::Unchecked)
            out += QStringLiteral("[ ] ");
        if (const auto *paragraph = std::get_if<ParagraphBlock>(&block.content)) {
            out += paragraph->text.text;
        } else if (const auto *heading = std::get_if<HeadingBlock>(&block.content)) {
            out += heading->text.text;
        } else if (const auto *code = std::get_if<CodeBlock>(&block.content)) {
            out += code->code;
        } else if (const auto *table = std::get_if<TableBlock>(&block.content)) {
            for (qsizetype row = 0; row < table->rows.size(); ++row) {
                if (row > 0)
                    out += QLatin1Char('\n');
                const QList<InlineText> &cells = table->rows.at(row);
                for (qsizetype column = 0; column < cells.size(); ++column) {
                    if (column > 0)
                        out += QLatin1Char('\t');
                    out += cells.at(column).text;
                }
            }
        } else {
            out += QStringLiteral("---");
        }
    }
    out.replace(QChar(QChar::LineSeparator), QLatin1Char('\n'));
    return out;
}

QString openFence(const QString &markdown)
{
    QString open;
    QChar mark;
    qsizetype width = 0;
    for (const QStringView line : QStringView(markdown).split(QLatin1Char('\n'))) {
        const QStringView text = line.trimmed();
        if (text.size() < 3 || (text.front() != QLatin1Char('`') && text.front() != QLatin1Char('~')))
            continue;
        qsizetype run = 0;
        while (run < text.size() && text.at(run) == text.front())
            ++run;
        if (run < 3)
            continue;
        if (open.isEmpty()) {
            if (text.front() == QLatin1Char('`') && text.mid(run).contains(QLatin1Char('`')))
                continue;
            open = text.toString();
            mark = text.front();
            width = run;
        } else if (text.front() == mark && run >= width && run == text.size()) {
            open.clear();
        }
    }
    return open;
}

} // namespace foundry::views
