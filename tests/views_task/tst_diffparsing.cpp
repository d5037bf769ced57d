// Unified diffs as lines, the shortest edit, and what changed inside a line.
#include "views/diff/linediff.h"
#include "views/diff/unifieddiff.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTest>

using namespace foundry::views;

class DiffParsingTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void numbers();
    void pairs();
    void pages();
    void shapes_data();
    void shapes();
    void noise();
    void large();
    void edits_data();
    void edits();
    void editsRebuild();
    void words_data();
    void words();

private:
    static QString drawn(const UnifiedDiff &diff);
};

// Each line as kind, old and new number.
QString DiffParsingTest::drawn(const UnifiedDiff &diff)
{
    QStringList lines;
    for (qsizetype i = 0; i < diff.count(); ++i) {
        const DiffLine &line = diff.line(i);
        lines.append(QStringLiteral("%1%2,%3").arg(QLatin1Char(" +-@\\"[int(line.kind)])).arg(line.oldNumber).arg(line.newNumber));
    }
    return lines.join(QLatin1Char(' '));
}

void DiffParsingTest::numbers()
{
    UnifiedDiff diff;
    diff.append(QStringLiteral("@@ -10,4 +12,4 @@ int f()\n a\n-b\n+c\n d\n@@ -50 +52,2 @@\n x\n+y\n"));
    QCOMPARE(drawn(diff), QStringLiteral("@0,0  10,12 -11,0 +0,13  12,14 @0,0  50,52 +0,53"));
    QCOMPARE(diff.text(2), QStringView(u"b"));
    QCOMPARE(diff.added(), 2);
    QCOMPARE(diff.removed(), 1);
    QCOMPARE(diff.changes(), (QList<int>{2, 7}));
    QCOMPARE(diff.largestNumber(), 53);
}

void DiffParsingTest::pairs()
{
    UnifiedDiff diff;
    diff.append(QStringLiteral("@@ -1,3 +1,3 @@\n-a\n-b\n\\ No newline at end of file\n+A\n c\n+d\n"));
    QCOMPARE(diff.line(1).pair, 4);
    QCOMPARE(diff.line(2).pair, -1);
    QCOMPARE(diff.line(4).pair, 1);
    QCOMPARE(diff.line(3).kind, DiffLineKind::Note);
    QCOMPARE(diff.line(6).pair, -1);
}

void DiffParsingTest::pages()
{
    const QString first = QStringLiteral("@@ -1,4 +1,4 @@\n a\n-b\n");
    const QString second = QStringLiteral("+B\n c\n");
    UnifiedDiff whole;
    whole.append(first + second);
    UnifiedDiff paged;
    paged.append(first);
    paged.append(second);
    QCOMPARE(paged.lines(), whole.lines());
    QCOMPARE(paged.changes(), whole.changes());
}

void DiffParsingTest::shapes_data()
{
    QTest::addColumn<QString>("unified");
    QTest::addColumn<QString>("lines");
    QTest::addRow("empty") << QString() << QString();
    QTest::addRow("new file") << QStringLiteral("@@ -0,0 +1,2 @@\n+a\n+b\n") << QStringLiteral("@0,0 +0,1 +0,2");
    QTest::addRow("deleted") << QStringLiteral("@@ -1 +0,0 @@\n-a\n") << QStringLiteral("@0,0 -1,0");
    QTest::addRow("windows line ends") << QStringLiteral("@@ -1 +1 @@\r\n-a\r\n+b\r\n") << QStringLiteral("@0,0 -1,0 +0,1");
    QTest::addRow("no newline at end") << QStringLiteral("@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file") << QStringLiteral("@0,0 -1,0 +0,1 \\0,0");
    QTest::addRow("lost blanks") << QStringLiteral("@@ -1,2 +1,2 @@\n\n-a\n") << QStringLiteral("@0,0  1,1 -2,0");
    QTest::addRow("broken header") << QStringLiteral("@@ what @@\n a\n") << QStringLiteral("@0,0  1,1");
    QTest::addRow("huge numbers") << QStringLiteral("@@ -99999999999,1 +5 @@\n a\n") << QStringLiteral("@0,0  1,5");
    QTest::addRow("line that looks like a header") << QStringLiteral("@@ -1 +1 @@\n-@@ -1 +1 @@\n") << QStringLiteral("@0,0 -1,0");
}

void DiffParsingTest::shapes()
{
    QFETCH(const QString, unified);
    QFETCH(const QString, lines);
    UnifiedDiff diff;
    diff.append(unified);
    QCOMPARE(drawn(diff), lines);
}

void DiffParsingTest::noise()
{
    QRandomGenerator random(11);
    const QString alphabet = QStringLiteral("+- @\\,0129a\n\n\r\t😀");
    for (int round = 0; round < 4000; ++round) {
        UnifiedDiff diff;
        for (int page = 0; page < 2; ++page) {
            QString text;
            for (int i = 0; i < int(random.bounded(160)); ++i)
                text += alphabet.at(random.bounded(int(alphabet.size())));
            diff.append(text);
        }
        for (qsizetype i = 0; i < diff.count(); ++i) {
            const DiffLine &line = diff.line(i);
            QVERIFY(line.length >= 0 && diff.text(i).size() == line.length);
            QVERIFY(line.pair < 0 || diff.line(line.pair).pair == i);
        }
        for (const int change : diff.changes())
            QVERIFY(change >= 0 && change < diff.count());
    }
}

void DiffParsingTest::large()
{
    QString text = QStringLiteral("@@ -1,50000 +1,50000 @@\n");
    for (int i = 0; i < 50'000; ++i)
        text += QStringLiteral("%1    const auto value%2 = compute(%2, \"something long enough\");\n").arg(QLatin1Char(" +-"[i % 3])).arg(i);
    QElapsedTimer timer;
    timer.start();
    UnifiedDiff diff;
    diff.append(text);
    qInfo("50,000 lines parsed in %lld ms", timer.elapsed());
    QCOMPARE(diff.count(), 50'001);
    QVERIFY(timer.elapsed() < 400); // the budget is 100 ms in a release build; debug and sanitizers are slower
}

void DiffParsingTest::edits_data()
{
    QTest::addColumn<QString>("before");
    QTest::addColumn<QString>("after");
    QTest::addColumn<QString>("edits");
    QTest::addRow("same") << QStringLiteral("abc") << QStringLiteral("abc") << QStringLiteral("===");
    QTest::addRow("empty") << QString() << QString() << QString();
    QTest::addRow("all new") << QString() << QStringLiteral("ab") << QStringLiteral("++");
    QTest::addRow("all gone") << QStringLiteral("ab") << QString() << QStringLiteral("--");
    QTest::addRow("one changed") << QStringLiteral("abc") << QStringLiteral("axc") << QStringLiteral("=-+=");
    QTest::addRow("removals first") << QStringLiteral("abcd") << QStringLiteral("axyd") << QStringLiteral("=--++=");
    QTest::addRow("inserted") << QStringLiteral("abc") << QStringLiteral("abxc") << QStringLiteral("==+=");
    QTest::addRow("moved") << QStringLiteral("abc") << QStringLiteral("bca") << QStringLiteral("-==+");
}

void DiffParsingTest::edits()
{
    QFETCH(const QString, before);
    QFETCH(const QString, after);
    QFETCH(const QString, edits);
    QList<QStringView> a;
    QList<QStringView> b;
    for (qsizetype i = 0; i < before.size(); ++i)
        a.append(QStringView(before).mid(i, 1));
    for (qsizetype i = 0; i < after.size(); ++i)
        b.append(QStringView(after).mid(i, 1));
    QString drawn;
    for (const Edit &edit : shortestEdit(a, b))
        drawn += QLatin1Char("=-+"[int(edit.kind)]);
    QCOMPARE(drawn, edits);
}

// Whatever the bound: applying the edits to one side gives the other.
void DiffParsingTest::editsRebuild()
{
    QRandomGenerator random(3);
    for (int round = 0; round < 4000; ++round) {
        QString before;
        QString after;
        for (int i = 0; i < int(random.bounded(14)); ++i)
            before += QLatin1Char("abc"[random.bounded(3)]);
        for (int i = 0; i < int(random.bounded(14)); ++i)
            after += QLatin1Char("abc"[random.bounded(3)]);
        QList<QStringView> a;
        QList<QStringView> b;
        for (qsizetype i = 0; i < before.size(); ++i)
            a.append(QStringView(before).mid(i, 1));
        for (qsizetype i = 0; i < after.size(); ++i)
            b.append(QStringView(after).mid(i, 1));
        QString oldSide;
        QString newSide;
        for (const Edit &edit : shortestEdit(a, b, round % 2 ? 400 : 3)) {
            if (edit.kind != EditKind::Added)
                oldSide += a.at(edit.oldAt);
            if (edit.kind != EditKind::Removed)
                newSide += b.at(edit.newAt);
            if (edit.kind == EditKind::Same)
                QCOMPARE(a.at(edit.oldAt), b.at(edit.newAt));
        }
        QCOMPARE(oldSide, before);
        QCOMPARE(newSide, after);
    }
}

void DiffParsingTest::words_data()
{
    QTest::addColumn<QString>("before");
    QTest::addColumn<QString>("after");
    QTest::addColumn<QString>("removed");
    QTest::addColumn<QString>("added");
    QTest::addRow("a word") << QStringLiteral("int old_name = 3;") << QStringLiteral("int newName = 3;") << QStringLiteral("old_name") << QStringLiteral("newName");
    QTest::addRow("an argument") << QStringLiteral("f(a)") << QStringLiteral("f(a, b)") << QString() << QStringLiteral(", b");
    QTest::addRow("nothing in common") << QStringLiteral("return 1;") << QStringLiteral("std::cout << alpha << beta << gamma") << QString() << QString();
    QTest::addRow("equal") << QStringLiteral("x") << QStringLiteral("x") << QString() << QString();
}

void DiffParsingTest::words()
{
    QFETCH(const QString, before);
    QFETCH(const QString, after);
    QFETCH(const QString, removed);
    QFETCH(const QString, added);
    const WordChanges changes = wordChanges(before, after);
    QString gone;
    QString come;
    for (const TextRange &range : changes.removed)
        gone += QStringView(before).mid(range.start, range.length);
    for (const TextRange &range : changes.added)
        come += QStringView(after).mid(range.start, range.length);
    QCOMPARE(gone, removed);
    QCOMPARE(come, added);
}

QTEST_APPLESS_MAIN(DiffParsingTest)
#include "tst_diffparsing.moc"
