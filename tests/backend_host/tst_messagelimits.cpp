// What comes from outside in any size stands in rows that a message can carry.
#include "backend/actors/toolcallfit.h"
#include "backend/agents/acpdecode.h"
#include "backend/agents/acpquestion.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/frame.h"
#include "realtime/protocol/messagelimits.h"

#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

class tst_MessageLimits : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void textSizes_data();
    void textSizes();
    void guards();
    void aToolCallWithVeryMuch();
    void listsOfAgents();
    void questionsWithTooMuch();

private:
    static qsizetype rowSize(const ToolCall &call)
    {
        TranscriptEntry entry;
        entry.kind = EntryKind::ToolCall;
        entry.tool = call;
        return protocol::encodeEntity(entry).size();
    }
};

void tst_MessageLimits::textSizes_data()
{
    QTest::addColumn<QString>("text");
    QTest::newRow("plain") << QStringLiteral("a plain text");
    QTest::newRow("quotes") << QStringLiteral("\"\\\"");
    QTest::newRow("control") << QString::fromLatin1("\n\t\r\b\f\x01\x1f\x7f");
    QTest::newRow("wide") << QStringLiteral("Größe 漢字 😀");
}

void tst_MessageLimits::textSizes()
{
    QFETCH(QString, text);
    const qsizetype empty = protocol::encodeUpsert(u"T", QString(), {}, "{}").size();
    QVERIFY(protocol::jsonTextSize(text) >= protocol::encodeUpsert(u"T", text, {}, "{}").size() - empty);
    QVERIFY(protocol::jsonTextSize(text) <= 6 * text.size());
}

void tst_MessageLimits::guards()
{
    const QByteArray json = R"([["$BigInt","1"],{"a":["$x",["$y",2]]},["x","$z"]])";
    QCOMPARE(protocol::guardedSize(json), json.size() + 3);
    QCOMPARE(protocol::escapeExtensions(json)->size(), protocol::guardedSize(json));
}

void tst_MessageLimits::aToolCallWithVeryMuch()
{
    QTemporaryDir folder;
    const BlobStore blobs(folder.path());
    const auto callOf = [](int pieces, int characters, QChar of) {
        ToolCall call;
        call.callId = QStringLiteral("c");
        for (int n = 0; n < pieces; ++n)
            call.content.append(ToolText{{QString::number(n) + QString(characters, of)}});
        return call;
    };
    // Few and short: as it is.
    ToolCall call = callOf(20, 1000, QLatin1Char('x'));
    const ToolCall before = call;
    fitToolCall(call, blobs);
    QVERIFY(call == before);
    // Each below what becomes a blob by itself, together far above a message: nothing is lost.
    for (const QChar of : {QLatin1Char('x'), QLatin1Char('\x01')}) {
        call = callOf(200, 15000, of);
        fitToolCall(call, blobs);
        QCOMPARE(call.content.size(), 200);
        QVERIFY(rowSize(call) < protocol::hostValueLimit);
        for (int n = 0; n < 200; ++n) {
            const auto *text = std::get_if<ToolText>(&call.content.at(n));
            QVERIFY(text && text->text.blob);
            QCOMPARE(blobs.readAll(text->text.blob->blobId, 1 << 20).value(), (QString::number(n) + QString(15000, of)).toUtf8());
        }
    }
    // More pieces than any row has room for, and paths as long as paths can be.
    call = callOf(20000, 50, QLatin1Char('x'));
    for (int n = 0; n < 200; ++n)
        call.locations.append({QString(4096, QChar(0x4e00)), std::nullopt});
    fitToolCall(call, blobs);
    QVERIFY(rowSize(call) < protocol::hostValueLimit);
    const auto *last = std::get_if<ToolText>(&call.content.last());
    QVERIFY(last && last->text.text.contains(QStringLiteral("%1 more").arg(20000 - (call.content.size() - 1))));
}

void tst_MessageLimits::listsOfAgents()
{
    QJsonArray commands;
    QJsonArray values;
    for (int n = 0; n < 5000; ++n) {
        commands.append(QJsonObject{{QStringLiteral("name"), QStringLiteral("command%1").arg(n)}, {QStringLiteral("description"), QString(3000, QChar(0x4e00))}});
        values.append(QJsonObject{{QStringLiteral("value"), QStringLiteral("v%1").arg(n)}, {QStringLiteral("name"), QString(500, QLatin1Char('n'))}});
    }
    QJsonArray options;
    for (int n = 0; n < 50; ++n)
        options.append(QJsonObject{{QStringLiteral("id"), QString::number(n)}, {QStringLiteral("name"), QStringLiteral("n")}, {QStringLiteral("currentValue"), QStringLiteral("v1")}, {QStringLiteral("options"), values}});
    Session session;
    session.commands = acpdecode::commands(commands);
    session.options = acpdecode::configOptions(options);
    QVERIFY(session.commands.size() > 10 && session.options.size() > 0);
    QCOMPARE(session.commands.first().id, QStringLiteral("command0"));
    QVERIFY(protocol::encodeEntity(session).size() < protocol::hostValueLimit);
    TranscriptEntry plan;
    plan.kind = EntryKind::Plan;
    QJsonArray steps;
    for (int n = 0; n < 5000; ++n)
        steps.append(QJsonObject{{QStringLiteral("content"), QString(1000, QLatin1Char('p'))}});
    plan.plan = acpdecode::plan(steps);
    QVERIFY(plan.plan.size() > 100 && protocol::encodeEntity(plan).size() < protocol::hostValueLimit);
}

void tst_MessageLimits::questionsWithTooMuch()
{
    const auto ask = [](int choices, int characters) {
        QJsonArray all;
        for (int n = 0; n < choices; ++n)
            all.append(QString::number(n) + QString(characters, QLatin1Char('x')));
        QJsonObject properties;
        for (int n = 0; n < 10; ++n)
            properties.insert(QStringLiteral("field%1").arg(n), QJsonObject{{QStringLiteral("type"), QStringLiteral("string")}, {QStringLiteral("enum"), all}});
        return acpQuestion(QStringLiteral("q"), {{QStringLiteral("message"), QStringLiteral("Which?")},
                                                    {QStringLiteral("requestedSchema"), QJsonObject{{QStringLiteral("properties"), properties}}}});
    };
    QVERIFY(ask(20, 100));
    QVERIFY(!ask(150, 1000)); // the agent is told that it cannot be shown
}

QTEST_GUILESS_MAIN(tst_MessageLimits)
#include "tst_messagelimits.moc"
