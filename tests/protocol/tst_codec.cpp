// Every value of the contract goes out and comes back the same; what is missing, unknown or of a newer version is
// answered by the rule.
#include "realtime/protocol/codec.h"
#include "tests/protocol/samples.h"

#include <QSet>
#include <QTest>

using namespace foundry;

class tst_Codec : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyEntityRoundTrips_data()
    {
        QTest::addColumn<int>("at");
        const auto all = samples::all();
        for (int i = 0; i < all.size(); ++i)
            QTest::addRow("%s %s", qPrintable(protocol::entityType(all[i])), qPrintable(protocol::entityId(all[i]))) << i;
    }
    void everyEntityRoundTrips()
    {
        QFETCH(int, at);
        const Entity entity = samples::all().at(at);
        const auto again = protocol::decodeEntity(protocol::entityType(entity), protocol::entityId(entity),
            protocol::entityMeta(entity), protocol::encodeEntity(entity));
        QVERIFY2(again.ok(), again.ok() ? "" : qPrintable(again.error().message));
        QVERIFY(*again == entity);
        QCOMPARE(protocol::entityMeta(*again).rev, protocol::entityMeta(entity).rev);
    }

    void everyEntityTypeHasASample()
    {
        QSet<size_t> seen;
        for (const Entity &entity : samples::all())
            seen.insert(entity.index());
        QCOMPARE(seen.size(), qsizetype(std::variant_size_v<Entity> - 1)); // all but the unknown
    }

    void eventRoundTrips()
    {
        const TopicEvent event = samples::event();
        const auto again = protocol::decodeEvent(protocol::encodeEvent(event));
        QVERIFY(again.ok());
        QVERIFY(*again == event);
        QByteArray joined = protocol::encodeUpsert(u"TaskSummary", u"t1", EntityMeta{42, 1795349912589},
            protocol::encodeEntity(samples::summary()));
        TopicEvent bare = event;
        bare.upserts.clear();
        QCOMPARE(protocol::encodeEvent(bare, joined), protocol::encodeEvent(event));
    }

    void appendsAndChunks()
    {
        TopicEvent event;
        event.topic = QStringLiteral("session/s1");
        event.generation = QStringLiteral("g9");
        event.revision = 901;
        event.cause.kind = QStringLiteral("agent");
        event.appends = {TextAppend{17, 120, QStringLiteral("…und „mehr“")}};
        event.chunk = TerminalChunk{77, 40960, QByteArray("\0\x1b[31mred\xff", 10)};
        event.ready = ReadyNotice{RequestId(QStringLiteral("r2")), QStringLiteral("a.txt")};
        const auto again = protocol::decodeEvent(protocol::encodeEvent(event));
        QVERIFY(again.ok());
        QVERIFY(*again == event);
    }

    void changesPageRoundTrips()
    {
        ChangesPage page{QStringLiteral("g7"), 42, true, samples::all(), {Removal{QStringLiteral("Task"), QStringLiteral("t")}},
            QStringLiteral("c2"), 12};
        const auto again = protocol::decodeChangesPage(protocol::encodeChangesPage(page));
        QVERIFY(again.ok());
        QVERIFY(*again == page);
    }

    void unknownThingsAreKept()
    {
        const auto event = protocol::decodeEvent(
            R"({"topic":"organization","generation":"g","revision":1,"cause":{"kind":"dream","x":1},"news":[1],
               "upserts":[{"type":"Galaxy","id":"m31","rev":1,"value":{"stars":9}},
                          {"type":"Job","id":"j","rev":1,"value":{"kind":"k","target":"t","status":"paused","weight":2}}]})");
        QVERIFY(event.ok());
        QCOMPARE(event->upserts.size(), 2);
        QVERIFY(std::get<UnknownEntity>(event->upserts[0]) == (UnknownEntity{QStringLiteral("Galaxy"), QStringLiteral("m31")}));
        const Job job = std::get<Job>(event->upserts[1]);
        QVERIFY(!job.status.isKnown());
        QCOMPARE(job.status.text(), QStringLiteral("paused"));
        QCOMPARE(protocol::encodeEntity(job).contains("\"paused\""), true);
    }

    void missingFieldsAreNamed_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<QString>("field");
        QTest::newRow("no topic") << QByteArray(R"({"generation":"g","revision":1})") << QStringLiteral("topic");
        QTest::newRow("revision is text") << QByteArray(R"({"topic":"t","generation":"g","revision":"1"})") << QStringLiteral("revision");
        QTest::newRow("row without value") << QByteArray(R"({"topic":"t","generation":"g","revision":1,"upserts":[{"type":"Task","id":"t"}]})")
                                           << QStringLiteral("value");
        QTest::newRow("row without a field") << QByteArray(R"({"topic":"t","generation":"g","revision":1,"upserts":[{"type":"Job","id":"t","value":{"kind":"k","status":"queued"}}]})")
                                             << QStringLiteral("target");
        QTest::newRow("entry with a wrong index") << QByteArray(R"({"topic":"t","generation":"g","revision":1,"upserts":[{"type":"TranscriptEntry","id":"x","value":{"turn":1,"at":1,"kind":"notice"}}]})")
                                                  << QStringLiteral("id");
    }
    void missingFieldsAreNamed()
    {
        QFETCH(QByteArray, json);
        QFETCH(QString, field);
        const auto event = protocol::decodeEvent(json);
        QVERIFY(!event.ok());
        QCOMPARE(event.error().key(), QStringLiteral("protocol.missing_field"));
        QCOMPARE(event.error().detail, field);
    }

    void commandsRoundTrip()
    {
        CreateTask create;
        create.requestId = makeId<RequestId>();
        create.taskId = makeId<TaskId>();
        create.sessionId = makeId<SessionId>();
        create.repoId = RepoId(QStringLiteral("r1"));
        create.prompt = Prompt{QStringLiteral("Write “x”"), {}};
        create.agent = AgentId(QStringLiteral("runner"));
        const auto again = protocol::decodeArgs<CreateTask>(protocol::encodeArgs(create));
        QVERIFY(again.ok());
        QCOMPARE(again->taskId, create.taskId);
        QVERIFY(again->prompt == create.prompt);
        QVERIFY(again->agent == create.agent);
        QVERIFY(!again->branch);

        PutBlob put;
        put.data = QByteArray("\0\1\2", 3);
        const auto blob = protocol::decodeArgs<PutBlob>(protocol::encodeArgs(put));
        QVERIFY(blob.ok());
        QCOMPARE(blob->data, put.data);

        ChangesSince since;
        since.topic = QStringLiteral("session/s1");
        since.windowFrom = 5;
        since.windowTo = 9;
        QVERIFY(protocol::encodeValue(since).contains("\"window\":{\"from\":5,\"to\":9}"));
        QCOMPARE(protocol::decodeValue<ChangesSince>(protocol::encodeValue(since))->windowTo.value_or(0), 9);
        DiffPage pending;
        pending.pending = true;
        QVERIFY(protocol::encodeValue(pending).contains("\"state\":\"pending\""));
        QVERIFY(protocol::decodeValue<DiffPage>(protocol::encodeValue(pending))->pending);
        QVERIFY(!protocol::decodeValue<DiffPage>("{}")->pending);

        const auto empty = protocol::decodeArgs<RefreshChanges>("[]");
        QVERIFY(!empty.ok());
        QCOMPARE(empty.error().detail, QStringLiteral("requestId"));
    }

    void idsAreTimeOrderedAndDistinct()
    {
        QSet<QString> seen;
        QString last;
        for (int i = 0; i < 1000; ++i) {
            const QString id = makeUuid7();
            QCOMPARE(id.size(), 36);
            QCOMPARE(id[14], QLatin1Char('7'));
            QVERIFY(QStringLiteral("89ab").contains(id[19]));
            QVERIFY(id.left(13) >= last.left(13));
            seen.insert(id);
            last = id;
        }
        QCOMPARE(seen.size(), 1000);
    }
};

QTEST_GUILESS_MAIN(tst_Codec)
#include "tst_codec.moc"
