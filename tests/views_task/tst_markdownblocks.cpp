// Markdown as blocks: what each construct becomes, and that nothing that looks like Markdown can hurt.
#include "views/transcript/markdownblocks.h"

#include <QRandomGenerator>
#include <QTest>

using namespace foundry::views;

class MarkdownBlocksTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void plain_data();
    void plain();
    void table();
    void taskList();
    void nestedList();
    void inlineStyles();
    void code();
    void quoteAndRule();
    void openFences_data();
    void openFences();
    void hostileDepth();
    void noise();
};

void MarkdownBlocksTest::plain_data()
{
    QTest::addColumn<QString>("markdown");
    QTest::addColumn<QString>("text");
    QTest::addRow("empty") << QString() << QString();
    QTest::addRow("paragraphs") << QStringLiteral("one\ntwo\n\nthree") << QStringLiteral("one two\n\nthree");
    QTest::addRow("hard break") << QStringLiteral("one  \ntwo") << QStringLiteral("one\ntwo");
    QTest::addRow("heading") << QStringLiteral("# Title\ntext") << QStringLiteral("Title\n\ntext");
    QTest::addRow("ordered from 3") << QStringLiteral("3. a\n4. b") << QStringLiteral("3. a\n4. b");
    QTest::addRow("table") << QStringLiteral("|a|b|\n|-|-|\n|1|2|") << QStringLiteral("a\tb\n1\t2");
    QTest::addRow("html stays text") << QStringLiteral("<script>x</script>") << QStringLiteral("<script>x</script>");
    QTest::addRow("inline html stays text") << QStringLiteral("a <b>c</b>") << QStringLiteral("a <b>c</b>");
    QTest::addRow("image is its words") << QStringLiteral("![a plot](p.png)") << QStringLiteral("a plot");
    QTest::addRow("strike") << QStringLiteral("~~gone~~") << QStringLiteral("gone");
    QTest::addRow("rule") << QStringLiteral("a\n\n---\n\nb") << QStringLiteral("a\n\n---\n\nb");
    QTest::addRow("emoji") << QStringLiteral("😀 **ok**") << QStringLiteral("😀 ok");
    QTest::addRow("empty item") << QStringLiteral("-\n- b") << QStringLiteral("• \n• b");
}

void MarkdownBlocksTest::plain()
{
    QFETCH(const QString, markdown);
    QFETCH(const QString, text);
    QCOMPARE(plainText(parseMarkdown(markdown)), text);
}

void MarkdownBlocksTest::table()
{
    const auto blocks = parseMarkdown(QStringLiteral("| l | c | r |\n|:--|:-:|--:|\n| `a` | **b** | 3 |\n| x | | |"));
    QCOMPARE(blocks.size(), 1);
    const auto *table = std::get_if<TableBlock>(&blocks.first().content);
    QVERIFY(table);
    const QList<ColumnAlign> columns{ColumnAlign::Left, ColumnAlign::Center, ColumnAlign::Right};
    QCOMPARE(table->columns, columns);
    QCOMPARE(table->rows.size(), 3);
    QCOMPARE(table->rows.at(0).at(2).text, QStringLiteral("r"));
    QVERIFY(table->rows.at(1).at(0).spans.first().has(InlineStyle::Code));
    QVERIFY(table->rows.at(1).at(1).spans.first().has(InlineStyle::Bold));
}

void MarkdownBlocksTest::taskList()
{
    const auto blocks = parseMarkdown(QStringLiteral("- [x] done\n- [ ] open\n- plain"));
    QCOMPARE(blocks.size(), 3);
    QCOMPARE(blocks.at(0).marker, ListMarker::Checked);
    QCOMPARE(blocks.at(1).marker, ListMarker::Unchecked);
    QCOMPARE(blocks.at(2).marker, ListMarker::Bullet);
    QVERIFY(blocks.at(1).tight);
}

void MarkdownBlocksTest::nestedList()
{
    const auto blocks = parseMarkdown(QStringLiteral("- a\n  1. b\n  2. c\n\n     more\n- d"));
    QCOMPARE(blocks.size(), 5);
    QCOMPARE(blocks.at(1).indent, 2);
    QCOMPARE(blocks.at(2).number, 2);
    QCOMPARE(blocks.at(3).marker, ListMarker::None);
    QCOMPARE(blocks.at(3).indent, 2);
    QCOMPARE(blocks.at(4).indent, 1);
}

void MarkdownBlocksTest::inlineStyles()
{
    const auto blocks = parseMarkdown(QStringLiteral("a **b *c*** `d` [e](https://x.org) www.y.org"));
    const auto *paragraph = std::get_if<ParagraphBlock>(&blocks.first().content);
    QVERIFY(paragraph);
    const InlineText &text = paragraph->text;
    QCOMPARE(text.text, QStringLiteral("a b c d e www.y.org"));
    QCOMPARE(text.links.size(), 2);
    QCOMPARE(text.links.first(), QStringLiteral("https://x.org"));
    int styled = 0;
    for (const InlineSpan &span : text.spans) {
        QVERIFY(span.start >= 0 && span.start + span.length <= text.text.size());
        styled += span.style != 0;
        if (text.text.mid(span.start, span.length) == QLatin1StringView("c"))
            QVERIFY(span.has(InlineStyle::Bold) && span.has(InlineStyle::Italic));
    }
    QCOMPARE(styled, 3);
}

void MarkdownBlocksTest::code()
{
    const auto blocks = parseMarkdown(QStringLiteral("```rust title=x\nfn main() {}\n\n```\n\n    indented"));
    QCOMPARE(blocks.size(), 2);
    const auto *fenced = std::get_if<CodeBlock>(&blocks.at(0).content);
    QVERIFY(fenced);
    QCOMPARE(fenced->language, QStringLiteral("rust"));
    QCOMPARE(fenced->code, QStringLiteral("fn main() {}\n"));
    QCOMPARE(std::get<CodeBlock>(blocks.at(1).content).code, QStringLiteral("indented"));
}

void MarkdownBlocksTest::quoteAndRule()
{
    const auto blocks = parseMarkdown(QStringLiteral("> a\n>> b\n\n***"));
    QCOMPARE(blocks.at(0).quote, 1);
    QCOMPARE(blocks.at(1).quote, 2);
    QVERIFY(std::holds_alternative<RuleBlock>(blocks.at(2).content));
    QCOMPARE(blocks.at(2).quote, 0);
}

void MarkdownBlocksTest::openFences_data()
{
    QTest::addColumn<QString>("markdown");
    QTest::addColumn<QString>("fence");
    QTest::addRow("none") << QStringLiteral("text") << QString();
    QTest::addRow("closed") << QStringLiteral("```c\nx\n```") << QString();
    QTest::addRow("open") << QStringLiteral("a\n```c\nx") << QStringLiteral("```c");
    QTest::addRow("longer fence") << QStringLiteral("````md\n```\nx\n```\n") << QStringLiteral("````md");
    QTest::addRow("tildes") << QStringLiteral("~~~\nx\n```") << QStringLiteral("~~~");
    QTest::addRow("inline") << QStringLiteral("```x``` is code") << QString();
}

void MarkdownBlocksTest::openFences()
{
    QFETCH(const QString, markdown);
    QFETCH(const QString, fence);
    QCOMPARE(openFence(markdown), fence);
}

void MarkdownBlocksTest::hostileDepth()
{
    const auto quotes = parseMarkdown(QString(3000, QLatin1Char('>')) + QStringLiteral("x"));
    QVERIFY(!quotes.isEmpty());
    QVERIFY(quotes.first().quote <= 8);
    parseMarkdown(QString(5000, QLatin1Char('*')) + QStringLiteral("a") + QString(5000, QLatin1Char('*')));
    parseMarkdown(QString(5000, QLatin1Char('[')));
}

void MarkdownBlocksTest::noise()
{
    QRandomGenerator random(7);
    const QString alphabet = QStringLiteral("ab \n\t`*_~|-#>[]()!1.<&\\😀é\u2028\u0000");
    for (int round = 0; round < 3000; ++round) {
        QString text;
        for (int i = 0; i < int(random.bounded(120)); ++i)
            text += alphabet.at(random.bounded(int(alphabet.size())));
        for (const MarkdownBlock &block : parseMarkdown(text)) {
            if (const auto *paragraph = std::get_if<ParagraphBlock>(&block.content)) {
                for (const InlineSpan &span : paragraph->text.spans) {
                    QVERIFY(span.start >= 0 && span.length >= 0 && span.start + span.length <= paragraph->text.text.size());
                    QVERIFY(span.link < paragraph->text.links.size());
                }
            }
        }
    }
}

QTEST_APPLESS_MAIN(MarkdownBlocksTest)
#include "tst_markdownblocks.moc"
