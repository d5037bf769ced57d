// Pages of a diff: the hunks of one file, cut where they should be, whole when put together.
#include "backend/git/diffpager.h"

#include <QTest>

using foundry::backend::DiffPager;
using foundry::backend::jsonCost;

class TestDiffPager : public QObject {
    Q_OBJECT

private:
    static QByteArray header(const QByteArray &name)
    {
        return "diff --git a/" + name + " b/" + name + "\nindex 1..2 100644\n--- a/" + name + "\n+++ b/" + name + "\n";
    }
    // All pages of a text that arrives in pieces of a size.
    static QStringList pages(const QByteArray &text, const QByteArray &path, qint64 pageBytes, qsizetype piece)
    {
        QStringList all;
        std::optional<QString> cursor;
        do {
            DiffPager pager(path, cursor, pageBytes);
            bool more = true;
            for (qsizetype at = 0; at < text.size() && more; at += piece)
                more = pager.feed(text.mid(at, piece));
            if (more)
                pager.end();
            if (!pager.cursorIsValid() || pager.hasChanged() || all.size() > 10000)
                return {QStringLiteral("broken")};
            all += pager.page();
            cursor = pager.next();
        } while (cursor);
        return all;
    }

private Q_SLOTS:
    void onePage()
    {
        const QByteArray text = header("a.txt") + "@@ -1 +1 @@\n-old\n+new\n\\ No newline at end of file\n";
        QCOMPARE(pages(text, "a.txt", 1000, 7), QStringList{QStringLiteral("@@ -1 +1 @@\n-old\n+new\n\\ No newline at end of file\n")});
        QCOMPARE(pages({}, "a.txt", 1000, 7), QStringList{QString()});
    }
    void manyPages()
    {
        QByteArray hunks = "@@ -1,300 +1,300 @@\n";
        for (int i = 0; i < 300; ++i)
            hunks += (i % 3 ? " \tline \"" : "+line \xc3\xa4 ") + QByteArray::number(i) + "\"\n";
        for (const qsizetype piece : {1, 13, 4096, 1000000}) {
            const QStringList all = pages(header("x y.txt") + hunks, "x y.txt", 400, piece);
            QVERIFY(all.size() > 10);
            QCOMPARE(all.join(QString()).toUtf8(), hunks);
            for (const QString &page : all) {
                QVERIFY(jsonCost(page.toUtf8()) <= 400);
                QVERIFY(page.endsWith(QLatin1Char('\n')));
            }
        }
    }
    // One line longer than several pages, of characters of several bytes, over our own piece size.
    void longLine()
    {
        const QByteArray hunks = "@@ -0,0 +1 @@\n+" + QByteArray("\xe6\x97\xa5\xf0\x9f\x98\x80").repeated(60000) + "diff --git a/z b/z\n+end\n";
        const QStringList all = pages(header("a") + hunks, "a", 100000, 65536);
        QVERIFY(all.size() >= 5);
        QCOMPARE(all.join(QString()).toUtf8(), hunks);
    }
    void otherFilesAreLeftOut()
    {
        const QByteArray text = header("dir/a") + "@@ -1 +1 @@\n-1\n+2\n" + header("dir") + "@@ -5 +5 @@\n--- a/dir/a\n+3\n" + header("dir/b") + "@@ -1 +1 @@\n-4\n+5\n";
        QCOMPARE(pages(text, "dir", 1000, 3), QStringList{QStringLiteral("@@ -5 +5 @@\n--- a/dir/a\n+3\n")});
    }
    void quotedNames()
    {
        const QByteArray hunk = "@@ -1 +1 @@\n-1\n+2\n";
        QCOMPARE(pages("diff --git \"a/x\\ty\\\"\\351\" \"b/x\\ty\\\"\\351\"\n--- \"a/x\\ty\\\"\\351\"\n+++ \"b/x\\ty\\\"\\351\"\n" + hunk, "x\ty\"\xe9", 1000, 5),
            QStringList{QString::fromLatin1(hunk)});
        QCOMPARE(pages("diff --git a/a b b/a b\n--- /dev/null\n+++ b/a b\t\n" + hunk, "a b", 1000, 5), QStringList{QString::fromLatin1(hunk)});
    }
    void binary()
    {
        DiffPager pager("logo.png", std::nullopt, 1000);
        pager.feed("diff --git a/logo.png b/logo.png\nindex 1..2 100644\nBinary files a/logo.png and b/logo.png differ\n");
        pager.end();
        QVERIFY(pager.isBinary());
        QVERIFY(pager.page().isEmpty());
    }
    void changedMeanwhile()
    {
        const QByteArray hunks = "@@ -1,9 +1,9 @@\n" + QByteArray("+0123456789\n").repeated(50);
        DiffPager first("a", std::nullopt, 200);
        first.feed(header("a") + hunks);
        const auto cursor = first.next();
        QVERIFY(cursor);
        DiffPager same("a", cursor, 200);
        same.feed(header("a") + hunks);
        QVERIFY(!same.hasChanged());
        DiffPager other("a", cursor, 200);
        other.feed(header("a") + QByteArray(hunks).replace(20, 1, "X"));
        QVERIFY(other.hasChanged());
        DiffPager shorter("a", cursor, 200);
        shorter.feed(header("a") + hunks.left(40));
        shorter.end();
        QVERIFY(shorter.hasChanged());
    }
    void badCursors()
    {
        for (const char *cursor : {"", "x", "12", "-5-ab", "0-ab", "12-zz", "99999999999999999999-ab"})
            QVERIFY2(!DiffPager("a", QString::fromLatin1(cursor), 200).cursorIsValid(), cursor);
    }
};

QTEST_GUILESS_MAIN(TestDiffPager)
#include "tst_diffpager.moc"
