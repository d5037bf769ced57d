// The window of TranscriptModel, and text that arrives in pieces, twice, or with a hole.
#include "models/transcriptmodel.h"
#include "models/types/commands.h"
#include "tests/models/modelmirror.h"

#include <QAbstractItemModelTester>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

namespace foundry {

class TestTranscriptModel : public QObject {
    Q_OBJECT

    static TranscriptEntry entry(qint64 index, const QString &text, qint64 rev = 0)
    {
        TranscriptEntry value;
        value.index = index;
        value.kind = EntryKind::AgentMessage;
        value.text = text;
        value.rev = rev;
        return value;
    }
    static TranscriptPage page(qint64 from, qint64 to, qint64 count)
    {
        TranscriptPage result;
        for (qint64 index = from; index < to; ++index)
            result.entries.append(entry(index, QString::number(index)));
        result.count = count;
        return result;
    }
    static TopicEvent appended(qint64 index, qint64 offset, const QString &text, qint64 revision = 1)
    {
        TopicEvent event;
        event.revision = revision;
        event.appends = {{index, offset, text}};
        return event;
    }

private Q_SLOTS:
    void newestFirstThenOlder()
    {
        TranscriptModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        QSignalSpy older(&model, &TranscriptModel::olderWanted);
        model.applyPage(page(800, 1000, 1000));
        QCOMPARE(model.count(), 200);
        QCOMPARE(model.firstIndex(), 800);
        QCOMPARE(model.totalCount(), 1000);
        QVERIFY(model.hasOlder());
        model.requestOlder();
        model.requestOlder();
        QCOMPARE(older.size(), 1); // asked once until it came
        QCOMPARE(older.at(0).at(0).toLongLong(), 800);
        model.applyPage(page(600, 800, 1000));
        QCOMPARE(model.firstIndex(), 600);
        QCOMPARE(model.rowOf(800), 200);
        QCOMPARE(model.find(801)->text, QStringLiteral("801"));
        QVERIFY(!model.find(599));
        QCOMPARE(mirror.rows(), mirror.actual());
        QCOMPARE(mirror.resets, 0);
        QCOMPARE(mirror.changes, 0);
        QCOMPARE(mirror.inserts, 2);
    }

    void overlapIsSilent()
    {
        TranscriptModel model;
        model.applyPage(page(10, 20, 20));
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        model.applyPage(page(5, 15, 20));
        QCOMPARE(model.firstIndex(), 5);
        QCOMPARE(model.count(), 15);
        QCOMPARE(mirror.changes, 0);
        QCOMPARE(mirror.inserts, 1);
    }

    void aLaterPageMovesTheWindow()
    {
        TranscriptModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.applyPage(page(0, 10, 10));
        model.applyPage(page(500, 510, 510));
        QCOMPARE(model.firstIndex(), 500);
        QCOMPARE(model.count(), 10);
        QCOMPARE(model.totalCount(), 510);
    }

    void aGapIsAskedFor()
    {
        TranscriptModel model;
        model.applyPage(page(0, 3, 3));
        QSignalSpy gap(&model, &TranscriptModel::gapFound);
        TopicEvent event;
        event.upserts = {entry(3, QStringLiteral("c")), entry(6, QStringLiteral("f"))};
        model.apply(event);
        QCOMPARE(model.count(), 4);
        QCOMPARE(model.totalCount(), 7);
        QVERIFY(model.hasNewer());
        QCOMPARE(gap.size(), 1);
        QCOMPARE(gap.at(0).at(0).toLongLong(), 4);
        QCOMPARE(gap.at(0).at(1).toLongLong(), 6);
        model.applyPage(page(4, 7, 7));
        QCOMPARE(model.count(), 7);
        QVERIFY(!model.hasNewer());
    }

    void olderEntriesOutsideTheWindowAreLeft()
    {
        TranscriptModel model;
        model.applyPage(page(100, 110, 110));
        TopicEvent event;
        event.upserts = {entry(50, QStringLiteral("x"))};
        model.apply(event);
        QCOMPARE(model.firstIndex(), 100);
        QCOMPARE(model.count(), 10);
    }

    void appends_data()
    {
        QTest::addColumn<QString>("start");
        QTest::addColumn<qint64>("offset");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("result");
        QTest::addColumn<int>("changes");
        QTest::addColumn<int>("gaps");
        const auto s = [](const char *text) { return QString::fromUtf8(text); };
        QTest::newRow("at the end") << s("abc") << qint64(3) << s("def") << s("abcdef") << 1 << 0;
        QTest::newRow("twice") << s("abcdef") << qint64(3) << s("def") << s("abcdef") << 0 << 0;
        QTest::newRow("partly known") << s("abcd") << qint64(2) << s("cdef") << s("abcdef") << 1 << 0;
        QTest::newRow("wholly inside") << s("abcdef") << qint64(1) << s("bc") << s("abcdef") << 0 << 0;
        QTest::newRow("missing text") << s("abc") << qint64(5) << s("def") << s("abc") << 0 << 1;
        QTest::newRow("bytes, not characters") << s("größe") << qint64(7) << s(" ist") << s("größe ist") << 1 << 0;
        QTest::newRow("partly, beyond the BMP") << s("a😀") << qint64(1) << s("😀b") << s("a😀b") << 1 << 0;
        QTest::newRow("inside a character") << s("aé") << qint64(0) << s("a😀") << s("aé") << 0 << 1;
        QTest::newRow("empty") << s("abc") << qint64(3) << QString() << s("abc") << 0 << 0;
        QTest::newRow("from nothing") << QString() << qint64(0) << s("abc") << s("abc") << 1 << 0;
    }
    void appends()
    {
        QFETCH(QString, start);
        QFETCH(qint64, offset);
        QFETCH(QString, text);
        TranscriptModel model;
        TopicEvent first;
        first.upserts = {entry(0, start)};
        model.apply(first);
        test::ModelMirror mirror(&model, TranscriptModel::TextRole);
        QSignalSpy gap(&model, &TranscriptModel::gapFound);
        model.apply(appended(0, offset, text));
        QTEST(model.at(0).text, "result");
        QTEST(mirror.changes, "changes");
        QTEST(int(gap.size()), "gaps");
        if (mirror.changes)
            QVERIFY(mirror.lastRoles.contains(int(TranscriptModel::TextAppendedRole)));
    }

    void randomPiecesGiveTheText()
    {
        QRandomGenerator random(7);
        QString whole;
        for (int n = 0; n < 2000; ++n)
            whole += random.bounded(4) == 0 ? QStringLiteral("😀é") : QString(QChar(ushort('a' + random.bounded(26))));
        const QByteArray bytes = whole.toUtf8();
        const auto border = [&](qint64 at) {
            while (at < bytes.size() && (uchar(bytes.at(at)) & 0xc0u) == 0x80u)
                ++at;
            return at;
        };
        TranscriptModel model;
        TopicEvent first;
        first.upserts = {entry(0, QString())};
        model.apply(first);
        qint64 known = 0;
        while (known < bytes.size()) {
            const qint64 from = border(qMax<qint64>(0, known - random.bounded(20)));
            const qint64 to = qMin<qint64>(border(qMin<qint64>(bytes.size(), from + random.bounded(40))), bytes.size());
            model.apply(appended(0, from, QString::fromUtf8(bytes.mid(from, to - from))));
            known = qMax(known, to);
            QCOMPARE(model.at(0).text, QString::fromUtf8(bytes.left(known)));
        }
    }

    void oneEntityWithLongerTextIsAnAppend()
    {
        TranscriptModel model;
        TopicEvent event;
        event.upserts = {entry(0, QStringLiteral("abc"), 1)};
        model.apply(event);
        test::ModelMirror mirror(&model, TranscriptModel::TextRole);
        event.upserts = {entry(0, QStringLiteral("abcdef"), 2)};
        model.apply(event);
        QCOMPARE(mirror.changes, 1);
        QVERIFY(mirror.lastRoles.contains(int(TranscriptModel::TextAppendedRole)));
        QVERIFY(!mirror.lastRoles.contains(int(TranscriptModel::ContentRole)));
    }

    void aStalePageDoesNotTakeTextBack()
    {
        TranscriptModel model;
        TopicEvent event;
        event.upserts = {entry(0, QStringLiteral("abc"), 5)};
        model.apply(event);
        model.apply(appended(0, 3, QStringLiteral("def"), 6));
        TranscriptPage stale;
        stale.entries = {entry(0, QStringLiteral("abc"), 5)};
        stale.count = 1;
        model.applyPage(stale);
        QCOMPARE(model.at(0).text, QStringLiteral("abcdef"));
    }

    void toolCallChangesNameTheirRole()
    {
        TranscriptModel model;
        TranscriptEntry call = entry(0, QString());
        call.kind = EntryKind::ToolCall;
        call.tool = ToolCall{};
        TopicEvent event;
        event.upserts = {call};
        model.apply(event);
        test::ModelMirror mirror(&model, TranscriptModel::TextRole);
        model.apply(event);
        QCOMPARE(mirror.changes, 0);
        call.tool->status = QStringLiteral("completed");
        event.upserts = {call};
        model.apply(event);
        QCOMPARE(mirror.changes, 1);
        QVERIFY(mirror.lastRoles.contains(int(TranscriptModel::ContentRole)));
        QVERIFY(!mirror.lastRoles.contains(int(TranscriptModel::TextRole)));
    }
};

} // namespace foundry

QTEST_GUILESS_MAIN(foundry::TestTranscriptModel)
#include "tst_transcriptmodel.moc"
