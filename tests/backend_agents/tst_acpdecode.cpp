// From ACP's JSON to values, without a process.
#include "backend/agents/acpdecode.h"
#include "backend/agents/acptoolcalls.h"
#include "backend/agents/agentcatalogue.h"
#include "backend/agents/agenterrors.h"

#include <QJsonDocument>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

class TestAcpDecode : public QObject {
    Q_OBJECT

    static QJsonObject json(const char *text) { return QJsonDocument::fromJson(text).object(); }

private Q_SLOTS:
    void blocks()
    {
        // Raw strings stay outside of macros: moc cannot read them there.
        const QJsonObject text = json(R"({"type":"text","text":"hi"})");
        const QJsonObject link = json(R"({"type":"resource_link","uri":"file:a","name":"a`b"})");
        const QJsonObject resource = json(R"({"type":"resource","resource":{"uri":"x","text":"body"}})");
        const QJsonObject image = json(R"({"type":"image","mimeType":"image/png","data":"AAAA"})");
        QCOMPARE(acpdecode::blockText(text), QStringLiteral("hi"));
        QCOMPARE(acpdecode::blockText(link), QStringLiteral("`a'b`"));
        QCOMPARE(acpdecode::blockText(resource), QStringLiteral("body"));
        QCOMPARE(acpdecode::blockText(image), QStringLiteral("[image image/png]"));
    }

    void longTextIsCut()
    {
        const QString text(acpdecode::maxTextBytes + 10, QLatin1Char('x'));
        const QString cut = acpdecode::capped(text);
        QVERIFY(cut.size() < acpdecode::maxTextBytes + 100);
        QVERIFY(cut.contains(QStringLiteral("10")));
    }

    // Whatever comes where, nothing but a value comes out.
    void wrongTypes()
    {
        for (const char *text : {"{}", R"({"content":7,"entries":"x","availableCommands":{},"configOptions":[1,"a",null]})",
                 R"({"content":{"type":9},"entries":[[],{}],"used":"many","size":-1,"cost":[]})"}) {
            for (const auto *kind : {"agent_message_chunk", "plan", "available_commands_update", "config_option_update",
                     "usage_update", "session_info_update", "current_mode_update", "notice", "no_such_kind"})
                acpdecode::update(QString::fromLatin1(kind), json(text));
            acpdecode::agentInfo(json(text));
            acpdecode::session(QStringLiteral("s"), json(text));
            acpdecode::permission(QStringLiteral("p"), json(text));
        }
        AcpToolCalls calls;
        const QJsonObject noId = json(R"({"title":"no id"})");
        const QJsonObject wrong = json(R"({"toolCallId":"a","content":"x","locations":{},"status":5,"rawInput":[1]})");
        QVERIFY(!calls.merge(noId, 1));
        QVERIFY(calls.merge(wrong, 1));
        QCOMPARE(calls.row(QStringLiteral("a")).status, QStringLiteral("pending"));
        QCOMPARE(calls.row(QStringLiteral("a")).rawInput->text, QStringLiteral("[1]"));
    }

    void toolCallPieces()
    {
        AcpToolCalls calls;
        const QJsonObject opening = json(R"({"toolCallId":"a","title":"T","status":"in_progress","content":[{"type":"terminal","terminalId":"x"}]})");
        const auto first = calls.merge(opening, 10);
        QVERIFY(first && first->isNew && first->call.content.isEmpty());
        QVERIFY(calls.anyRunning());
        const QJsonObject nothing = json(R"({"toolCallId":"a","status":null})");
        QVERIFY(!calls.merge(nothing, 11));
        const auto last = calls.merge(json(R"({"toolCallId":"a","status":"completed"})"), 12);
        QVERIFY(last && !last->isNew);
        QCOMPARE(last->call.endedAt, std::optional<Millis>(12));
        QVERIFY(!calls.anyRunning());
        QVERIFY(calls.closeOpen(13).isEmpty());

        AcpToolCalls inTree(QStringLiteral("/w"));
        const QJsonObject edit = json(R"({"toolCallId":"c","title":"/w/sub/a.txt","content":[{"type":"diff","path":"/w/sub/a.txt","newText":"x"}]})");
        const QJsonObject ended = json(R"({"toolCallId":"c","status":"completed","content":[{"type":"content","content":{"type":"text","text":"Wrote file."}}]})");
        QCOMPARE(inTree.merge(edit, 1)->call.title, QStringLiteral("sub/a.txt"));
        const auto kept = inTree.merge(ended, 2);
        QCOMPARE(kept->call.content.size(), 2);
        QVERIFY(std::holds_alternative<ToolDiff>(kept->call.content.first()));

        const QJsonObject fenced = json(R"({"toolCallId":"b","title":"two\nlines","content":[{"type":"content","content":{"type":"text","text":"```console\none\ntwo\n```"}}]})");
        const auto shown = calls.merge(fenced, 14);
        QCOMPARE(std::get<ToolText>(shown->call.content.first()).text.text, QStringLiteral("one\ntwo\n"));
        QCOMPARE(shown->call.title, QStringLiteral("two ⏎ lines"));
    }

    void catalogue()
    {
        QStringList ids;
        for (const AgentRow &row : agentCatalogue()) {
            ids.append(row.id.value);
            QVERIFY(!row.name.isEmpty() && !row.program.isEmpty());
            QVERIFY(row.builtin || (!row.install.version.isEmpty() && row.install.bytes > 0 && !row.loginHint.isEmpty()));
            QVERIFY(row.jsonVariable.isEmpty() || QJsonDocument::fromJson(row.jsonDefaults).isObject());
        }
        QCOMPARE(ids, QStringList({QStringLiteral("claude"), QStringLiteral("codex"), QStringLiteral("opencode"),
                          QStringLiteral("gemini"), QStringLiteral("qwen"), QStringLiteral("runner")}));
        QCOMPARE(findAgentRow(AgentId(QStringLiteral("claude")))->askingMode, QStringLiteral("default"));
        QCOMPARE(findAgentRow(AgentId(QStringLiteral("codex")))->askingMode, QStringLiteral("read-only"));
        QVERIFY(!findAgentRow(AgentId(QStringLiteral("no-such"))));
    }

    void errorsSayWhatToDo()
    {
        const QString agent = QStringLiteral("Claude");
        for (const Error &error : {agenterrors::notInstalled(agent, agent), agenterrors::adapterMissing(agent, agent),
                 agenterrors::needsLogin(agent, {}), agenterrors::needsNode(agent, QStringLiteral("22"), {}),
                 agenterrors::refusedAsRoot(agent), agenterrors::unconfirmed(agent), agenterrors::crashed(agent, {}),
                 agenterrors::protocol(agent, agent), agenterrors::timeout(agent, agent, 5),
                 agenterrors::rejected(agent, agent, -1, {})}) {
            QCOMPARE(error.group, QStringLiteral("agent"));
            QVERIFY(!error.code.isEmpty());
            QVERIFY2(error.message.contains(agent), qPrintable(error.message));
            QVERIFY2(error.action.endsWith(QLatin1Char('.')), qPrintable(error.action));
        }
    }
};

QTEST_GUILESS_MAIN(TestAcpDecode)
#include "tst_acpdecode.moc"
