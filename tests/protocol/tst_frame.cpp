// Frames, bodies, keys and tagged values as they were measured on live servers.
#include "realtime/protocol/frame.h"
#include "realtime/protocol/keys.h"
#include "realtime/protocol/manager.h"

#include <QTest>

using namespace foundry;
using namespace foundry::protocol;

class tst_Frame : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void measuredServerFrames_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("again"); // what we would write
        const auto same = [](const char *name, const char *text) { QTest::newRow(name) << QByteArray(text) << QByteArray(text); };
        same("init", R"({"body":{"tag":"Init","val":{"actorId":"e482a6b00d386a7f","connectionId":"2cff18b9-a4b7-416a-94ac-0079a1d429f1"}}})");
        same("event", R"({"body":{"tag":"Event","val":{"name":"organizationUpdated","args":[{"type":"organizationUpdated","count":8}]}}})");
        same("answer", R"({"body":{"tag":"ActionResponse","val":{"id":["$BigInt","1"],"output":8}}})");
        QTest::newRow("void of 2.1") << QByteArray(R"({"body":{"tag":"ActionResponse","val":{"id":["$BigInt","1"]}}})")
                                     << QByteArray(R"({"body":{"tag":"ActionResponse","val":{"id":["$BigInt","1"],"output":null}}})");
        QTest::newRow("void of 2.3") << QByteArray(R"({"body":{"val":{"output":["$Undefined",0],"id":["$BigInt","7"]},"tag":"ActionResponse"}})")
                                     << QByteArray(R"({"body":{"tag":"ActionResponse","val":{"id":["$BigInt","7"],"output":null}}})");
        QTest::newRow("error of an action")
            << QByteArray(R"({"body":{"tag":"Error","val":{"group":"user","code":"ws_code","message":"user visible message","metadata":{"k":1},"actionId":["$BigInt","9"]}}})")
            << QByteArray(R"({"body":{"tag":"Error","val":{"group":"user","code":"ws_code","message":"user visible message","actionId":["$BigInt","9"]}}})");
        QTest::newRow("error of the connection, 2.3")
            << QByteArray(R"({"body":{"tag":"Error","val":{"group":"actor","code":"stopping","message":"m","actor":{"actorId":"a","generation":1},"actionId":null}}})")
            << QByteArray(R"({"body":{"tag":"Error","val":{"group":"actor","code":"stopping","message":"m","actionId":null}}})");
        same("error with an action to take",
            R"({"body":{"tag":"Error","val":{"group":"git","code":"dirty","message":"m","metadata":{"action":"do","detail":"why"},"actionId":["$BigInt","2"]}}})");
    }
    void measuredServerFrames()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, again);
        const auto frame = decodeServerFrame(text);
        QVERIFY2(frame.ok(), frame.ok() ? "" : qPrintable(frame.error().message));
        QCOMPARE(encodeServerFrame(*frame), again);
    }

    void clientFrames()
    {
        const QByteArray subscribe = R"({"body":{"tag":"SubscriptionRequest","val":{"eventName":"tick","subscribe":true}}})";
        const auto first = decodeClientFrame(subscribe);
        QVERIFY(first.ok());
        QCOMPARE(encodeClientFrame(*first), subscribe);
        const QByteArray action = "{\"body\":{\"tag\":\"ActionRequest\",\"val\":{\"id\":[\"$BigInt\",\"1\"],\"name\":\"increment\",\"args\":[5,\"]\\\"[\"]}}}";
        const auto second = decodeClientFrame(action);
        QVERIFY(second.ok());
        QCOMPARE(std::get<ActionFrame>(*second).args, QByteArray("[5,\"]\\\"[\"]"));
        QCOMPARE(encodeClientFrame(*second), action);
        const auto number = decodeClientFrame(R"({"body":{"tag":"ActionRequest","val":{"id":12,"name":"x","args":[]}}})");
        QVERIFY(number.ok());
        QCOMPARE(std::get<ActionFrame>(*number).id, 12u);
    }

    void badFrames_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char *text : {"", "null", "[]", "{}", "{\"body\":1}", "{\"body\":{}}", R"({"body":{"tag":"Init"}})",
                 R"({"body":{"tag":"ActionResponse","val":{"output":1}}})", R"({"body":{"tag":"Event","val":{"name":1}}})",
                 R"({"body":{"tag":"Event","val":{"name":"x","args":{}}}})", R"({"body":{"tag":"Nope","val":{}}})",
                 R"({"body":{"tag":"Event","val":{"name":"x","args":[1,}}})", "\xff\xfe", R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","x"],"name":"a"}}})"})
            QTest::newRow(text) << QByteArray(text);
    }
    void badFrames()
    {
        QFETCH(QByteArray, text);
        const auto server = decodeServerFrame(text);
        QVERIFY(!server.ok());
        QCOMPARE(server.error().group, QStringLiteral("protocol"));
        QVERIFY(!decodeClientFrame(text).ok());
    }

    void keys_data()
    {
        QTest::addColumn<QStringList>("parts");
        QTest::addColumn<QString>("text");
        QTest::newRow("measured") << QStringList{QStringLiteral("a/b"), QString(), QStringLiteral("c\\d"), QStringLiteral("ü,x")}
                                  << QStringLiteral("a\\/b/\\0/c\\\\d/ü,x");
        QTest::newRow("empty") << QStringList{} << QStringLiteral("/");
        QTest::newRow("task") << QStringList{QStringLiteral("org"), QStringLiteral("acme"), QStringLiteral("task")} << QStringLiteral("org/acme/task");
        QTest::newRow("one empty part") << QStringList{QString()} << QStringLiteral("\\0");
    }
    void keys()
    {
        QFETCH(QStringList, parts);
        QFETCH(QString, text);
        QCOMPARE(encodeKey(parts), text);
        QCOMPARE(decodeKey(text), parts);
    }

    void errorBodies()
    {
        const Error error{QStringLiteral("input"), QStringLiteral("invalid"), QStringLiteral("m"), QStringLiteral("a"), QStringLiteral("d")};
        QCOMPARE(decodeErrorBody(encodeErrorBody(error)), error);
        QCOMPARE(decodeErrorBody("Not Found (RivetKit)").key(), QStringLiteral("protocol.http_error"));
    }

    void actionBodies()
    {
        QCOMPARE(*decodeActionBody(R"({"args":[2,{"a":[1]}]})"), QByteArray(R"([2,{"a":[1]}])"));
        QCOMPARE(*decodeActionBody("{}"), QByteArray("[]"));
        QCOMPARE(*decodeActionBody(""), QByteArray("[]"));
        QVERIFY(!decodeActionBody(R"({"args":{}})").ok());
        QVERIFY(!decodeActionBody("nope").ok());
        QCOMPARE(*decodeOutputBody("{}"), QByteArray("null"));
        QCOMPARE(*decodeOutputBody(R"({"output":["$Undefined",0]})"), QByteArray("null"));
        QCOMPARE(encodeOutputBody({}), QByteArray(R"({"output":null})"));
    }

    void taggedValues_data()
    {
        QTest::addColumn<QByteArray>("plain");
        QTest::addColumn<QByteArray>("wire");
        QTest::newRow("user's own") << QByteArray(R"(["$foo",1])") << QByteArray(R"(["$$foo",1])");
        QTest::newRow("nested") << QByteArray(R"({"a":[["$foo",[1,2]],3]})") << QByteArray(R"({"a":[["$$foo",[1,2]],3]})");
        QTest::newRow("three are free") << QByteArray(R"(["$foo",1,2])") << QByteArray(R"(["$foo",1,2])");
    }
    void taggedValues()
    {
        QFETCH(QByteArray, plain);
        QFETCH(QByteArray, wire);
        QCOMPARE(*escapeExtensions(plain), wire);
        QCOMPARE(*unescapeExtensions(wire), plain);
    }
    void clientsSeePlainValues()
    {
        const auto frame = decodeServerFrame("{\"body\":{\"tag\":\"Event\",\"val\":{\"name\":\"t\",\"args\":[{\"list\":[\"$$money\",\"x\"],\"n\":[\"$BigInt\",\"5\"]}]}}}");
        QVERIFY(frame.ok());
        QCOMPARE(std::get<EventFrame>(*frame).args, QByteArray("[{\"list\":[\"$money\",\"x\"],\"n\":5}]"));
        const QByteArray sent = encodeClientFrame(ActionFrame{1, QStringLiteral("a"), "[{\"list\":[\"$money\",\"x\"]}]"});
        QVERIFY(sent.contains("\"list\":[\"$$money\",\"x\"]"));
        QVERIFY(!decodeServerFrame("{\"body\":{\"tag\":\"Event\",\"val\":{\"name\":\"t\",\"args\":[[\"$Nope\",1]]}}}").ok());
    }
    void tagsOfTheServer()
    {
        QCOMPARE(*unescapeExtensions(R"({"n":["$BigInt","123"],"u":["$Undefined",0],"b":["$Uint8Array","AQL/"],"s":["$Set",[1,2]]})"),
            QByteArray(R"({"n":123,"u":null,"b":"AQL/","s":[1,2]})"));
        QVERIFY(!unescapeExtensions(R"(["$Nope",1])").ok());
    }

    void managerAnswers()
    {
        const auto actor = decodeActor(R"({"actor":{"actor_id":"e482a6b00d386a7f","name":"organization","key":"org/acme-json","namespace_id":"default","create_ts":1795349912589,"destroy_ts":null},"created":true})");
        QVERIFY(actor.ok());
        QCOMPARE(actor->key, (QStringList{QStringLiteral("org"), QStringLiteral("acme-json")}));
        QVERIFY(*decodeActor(encodeActor(*actor, true)) == *actor);
        QVERIFY(decodeActors(R"({"actors":[],"pagination":{"cursor":null}})")->isEmpty());
        QCOMPARE(decodeActors(encodeActors({*actor, *actor}))->size(), 2);
        const auto query = decodeActorQuery(encodeGetOrCreate(QStringLiteral("task"), {QStringLiteral("a/b")}));
        QCOMPARE(query->key, QStringList{QStringLiteral("a/b")});
        const auto metadata = decodeMetadata("{\"runtime\":\"rivetkit\",\"version\":\"2.1.5\",\"runner\":{\"version\":1},\"clientEndpoint\":\"http://127.0.0.1:6560\"}");
        QVERIFY(metadata.ok());
        QCOMPARE(*metadata->clientEndpoint, QStringLiteral("http://127.0.0.1:6560"));
        QVERIFY(*decodeMetadata(encodeMetadata(*metadata)) == *metadata);
    }
};

QTEST_GUILESS_MAIN(tst_Frame)
#include "tst_frame.moc"
