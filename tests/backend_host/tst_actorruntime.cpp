#include "backend/actors/actorruntime.h"
#include "tests/backend_host/testactor.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

namespace {

class Sink final : public EventSink {
public:
    void event(const QList<ConnectionId> &connections, const QByteArray &frame) override
    {
        const std::lock_guard lock(mutex);
        for (const ConnectionId connection : connections)
            frames.append({connection, frame});
    }
    void close(const QList<ConnectionId> &, const Error &) override { }
    qsizetype count()
    {
        const std::lock_guard lock(mutex);
        return frames.size();
    }
    std::mutex mutex;
    QList<QPair<ConnectionId, QByteArray>> frames;
};

} // namespace

class tst_ActorRuntime : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void commandsAreDoneOnce();
    void errorsRollBack();
    void answersThatAreTooLong();
    void badCalls();
    void whoMayBeMade();
    void sendsArriveInOrderAndOnce();
    void aSendThatCannotBeStoredIsTriedAgain();
    void aSendThatCannotBeReadIsDropped();
    void creationComesBeforeTheEarlyClient();
    void outboxGoesOnBeforeReady();
    void aSendSeenBeforeIsNotAppliedAgain();
    void alarmsRing();
    void alarmsOfSleepersRing();
    void unfinishedWorkIsOpenedAgain();
    void idleActorsSleep();
    void eventsReachSubscribers();
    void streamsReachRunningActors();
    void newerSchemaIsRefused();
    void theRegistryIsMadeAgain();
    void stoppingRefuses();
    void theDiskIsWaitedForWhenNobodyAsks();

private:
    void startRuntime(int idleMs = 0);
    void stopRuntime();
    void dropRuntime(); // as a kill would: nothing is told to stop
    Result<QByteArray> call(const QString &id, const QString &action, const QByteArray &argument = "{}");
    QString make(const QString &name)
    {
        auto ref = m_runtime->getOrCreate({QStringLiteral("test"), {QStringLiteral("t"), name}});
        return ref ? ref->id : QString();
    }
    QString log(const QString &id)
    {
        const auto answer = call(id, QStringLiteral("log"));
        return answer ? QJsonDocument::fromJson(*answer).object().value(QLatin1StringView("log")).toString()
                      : answer.error().key();
    }
    std::unique_ptr<Database> file(const QString &name)
    {
        auto opened = Database::open(m_dir->filePath(name));
        return opened ? std::move(*opened) : nullptr;
    }
    static QString idOf(const QString &name, const QString &kind = QStringLiteral("test"))
    {
        return actorIdOf({kind, {QStringLiteral("t"), name}});
    }

    std::unique_ptr<QTemporaryDir> m_dir;
    std::shared_ptr<TestWorld> m_world;
    Sink m_sink;
    std::unique_ptr<ActorRuntime> m_runtime;
};

void tst_ActorRuntime::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
    m_world = std::make_shared<TestWorld>();
    m_sink.frames.clear();
    startRuntime();
}

void tst_ActorRuntime::cleanup()
{
    dropRuntime();
}

void tst_ActorRuntime::startRuntime(int idleMs)
{
    RuntimeOptions options;
    options.dataDir = m_dir->path();
    options.workers = 2;
    options.idleMs = idleMs;
    m_runtime = std::make_unique<ActorRuntime>(options,
        QList<ActorFactory>{TestActor::factory(QStringLiteral("test"), m_world),
            TestActor::factory(QStringLiteral("child"), m_world, CreatedBy::SendOnly)});
    QVERIFY(m_runtime->open(&m_sink));
    bool ready = false;
    m_runtime->start([&] { ready = true; });
    QTRY_VERIFY(ready);
}

void tst_ActorRuntime::stopRuntime()
{
    bool stopped = false;
    m_runtime->stop([&] { stopped = true; });
    QTRY_VERIFY(stopped);
    m_runtime.reset();
}

void tst_ActorRuntime::dropRuntime()
{
    m_runtime.reset();
}

Result<QByteArray> tst_ActorRuntime::call(const QString &id, const QString &action, const QByteArray &argument)
{
    std::mutex mutex;
    std::optional<Result<QByteArray>> answer;
    m_runtime->act(id, ActorCall{action, '[' + argument + ']', Caller{}, QStringLiteral("test")}, [&](Result<QByteArray> got) {
        const std::lock_guard lock(mutex);
        answer = std::move(got);
    });
    const auto has = [&] {
        const std::lock_guard lock(mutex);
        return answer.has_value();
    };
    if (!QTest::qWaitFor(has, 5000))
        return makeError(QLatin1StringView("test"), QLatin1StringView("no_answer"), action);
    return *answer;
}

void tst_ActorRuntime::commandsAreDoneOnce()
{
    const QString id = make(QStringLiteral("a"));
    const QByteArray command = R"({"requestId":"r1","text":"x"})";
    QCOMPARE(*call(id, QStringLiteral("add"), command), QByteArray("\"added x\""));
    QCOMPARE(*call(id, QStringLiteral("add"), command), QByteArray("\"added x\""));
    QCOMPARE(log(id), QStringLiteral("x"));
    QTRY_COMPARE(m_world->effects, 1);
    // Also after a restart, and not for another command.
    dropRuntime();
    startRuntime();
    QCOMPARE(*call(id, QStringLiteral("add"), command), QByteArray("\"added x\""));
    QCOMPARE(log(id), QStringLiteral("x"));
    QCOMPARE(call(id, QStringLiteral("relay"), command).error().key(), QStringLiteral("state.conflict"));
}

void tst_ActorRuntime::errorsRollBack()
{
    const QString id = make(QStringLiteral("a"));
    const auto failed = call(id, QStringLiteral("add"), R"({"requestId":"r1","text":"x","fail":true})");
    QCOMPARE(failed.error().key(), QStringLiteral("state.conflict"));
    QCOMPARE(log(id), QString());
    QCOMPARE(m_world->effects, 0);
    const auto revisions = protocol::decodeRevisions(*call(id, QStringLiteral("revisions")));
    QVERIFY(revisions->isEmpty());
    // An error is no effect: the same request may be right later.
    QVERIFY(call(id, QStringLiteral("add"), R"({"requestId":"r1","text":"x"})"));
    QCOMPARE(log(id), QStringLiteral("x"));
    QCOMPARE(call(id, QStringLiteral("nest"), R"({"requestId":"r2"})").error().key(),
        QStringLiteral("internal.nested_transaction"));
}

void tst_ActorRuntime::answersThatAreTooLong()
{
    const QString id = make(QStringLiteral("a"));
    QCOMPARE(call(id, QStringLiteral("large"), "{\"bytes\":512000}")->size(), 512000);
    const auto refused = call(id, QStringLiteral("large"), "{\"bytes\":520000}");
    QVERIFY(!refused);
    QCOMPARE(refused.error().key(), QStringLiteral("message.outgoing_too_long"));
    QVERIFY(refused.error().message.contains(QLatin1StringView("\"large\"")) && !refused.error().action.isEmpty());
    // What nobody could be told is not done, and its request id is free.
    QVERIFY(!call(id, QStringLiteral("addLarge"), "{\"requestId\":\"r1\",\"bytes\":520000}"));
    QCOMPARE(log(id), QString());
    QVERIFY(call(id, QStringLiteral("addLarge"), "{\"requestId\":\"r1\",\"bytes\":100}"));
    QCOMPARE(log(id), QStringLiteral("large"));
}

void tst_ActorRuntime::badCalls()
{
    const QString id = make(QStringLiteral("a"));
    const auto noId = call(id, QStringLiteral("add"), R"({"text":"x"})");
    QCOMPARE(noId.error().key(), QStringLiteral("input.invalid"));
    QCOMPARE(noId.error().detail, QStringLiteral("requestId"));
    QCOMPARE(call(id, QStringLiteral("nothing")).error().key(), QStringLiteral("actor.action_not_found"));
    QCOMPARE(call(QStringLiteral("0123"), QStringLiteral("log")).error().key(), QStringLiteral("actor.not_found"));
    QVERIFY(!call(id, QStringLiteral("changesSince"), "{}")); // no topic
}

void tst_ActorRuntime::whoMayBeMade()
{
    QVERIFY(!m_runtime->get({QStringLiteral("test"), {QStringLiteral("t"), QStringLiteral("a")}}));
    bool created = false;
    QVERIFY(m_runtime->getOrCreate({QStringLiteral("test"), {QStringLiteral("t"), QStringLiteral("a")}}, &created));
    QVERIFY(created);
    QVERIFY(m_runtime->getOrCreate({QStringLiteral("test"), {QStringLiteral("t"), QStringLiteral("a")}}, &created));
    QVERIFY(!created);
    QCOMPARE(m_runtime->getOrCreate({QStringLiteral("test"), {QStringLiteral("wrong")}}).error().key(),
        QStringLiteral("actor.not_found"));
    QCOMPARE(m_runtime->getOrCreate({QStringLiteral("child"), {QStringLiteral("t"), QStringLiteral("a")}}).error().key(),
        QStringLiteral("actor.not_found"));
    QVERIFY(m_runtime->list(QStringLiteral("child")).isEmpty());
    QCOMPARE(m_runtime->list(QStringLiteral("test")).size(), 1);
}

void tst_ActorRuntime::sendsArriveInOrderAndOnce()
{
    const QString a = make(QStringLiteral("a"));
    QVERIFY(call(a, QStringLiteral("relay"), R"({"requestId":"r1","to":"b","texts":20})"));
    QVERIFY(call(a, QStringLiteral("relay"), R"({"requestId":"r1","to":"b","texts":20})")); // said twice, done once
    QStringList expected;
    for (int i = 0; i < 20; ++i)
        expected.append(QString::number(i));
    const QString b = idOf(QStringLiteral("b"));
    QTRY_COMPARE(log(b), expected.join(QLatin1Char(' ')));
    stopRuntime();
    auto db = file(QStringLiteral("actors/%1.sqlite").arg(a));
    auto q = db->query("SELECT count(*) FROM outbox");
    QVERIFY(q.next());
    QCOMPARE(q.integer(0), 0);
    auto registry = file(QStringLiteral("host.sqlite"));
    auto wake = registry->query("SELECT count(*) FROM wake");
    QVERIFY(wake.next());
    QCOMPARE(wake.integer(0), 0);
}

void tst_ActorRuntime::aSendThatCannotBeStoredIsTriedAgain()
{
    m_world->failReceive = 2;
    const QString a = make(QStringLiteral("a"));
    QVERIFY(call(a, QStringLiteral("relay"), R"({"requestId":"r1","to":"b","texts":3})"));
    QTRY_COMPARE(log(idOf(QStringLiteral("b"))), QStringLiteral("0 1 2"));
}

void tst_ActorRuntime::aSendThatCannotBeReadIsDropped()
{
    const QString a = make(QStringLiteral("a"));
    QCOMPARE(log(a), QString()); // makes its database
    dropRuntime();
    auto db = file(QStringLiteral("actors/%1.sqlite").arg(a));
    QVERIFY(db->run("INSERT INTO outbox(target, target_name, target_key, name, json) VALUES(?, 'test', 't/b', 'bad', '{}')",
        idOf(QStringLiteral("b"))));
    QVERIFY(db->run("INSERT INTO outbox(target, target_name, target_key, name, json) VALUES(?, 'test', 't/b', 'text', 'good')",
        idOf(QStringLiteral("b"))));
    QVERIFY(file(QStringLiteral("host.sqlite"))->run("INSERT INTO wake(actor, due) VALUES(?, 0)", a));
    db.reset();
    startRuntime();
    QTRY_COMPARE(log(idOf(QStringLiteral("b"))), QStringLiteral("good"));
}

void tst_ActorRuntime::creationComesBeforeTheEarlyClient()
{
    const QString a = make(QStringLiteral("a"));
    const QString child = idOf(QStringLiteral("c"), QStringLiteral("child"));
    QVERIFY(!m_runtime->byId(child));
    QVERIFY(call(a, QStringLiteral("relay"), R"({"requestId":"r1","to":"c","texts":1,"child":true})"));
    // The answer is here: the child is there, and its creation is what it saw first.
    QVERIFY(m_runtime->byId(child));
    QVERIFY(log(child).startsWith(QLatin1StringView("created")));
    // What is no creation makes nothing.
    QVERIFY(call(a, QStringLiteral("relay"), R"({"requestId":"r2","to":"d","texts":1})"));
    QVERIFY(!m_runtime->byId(idOf(QStringLiteral("d"), QStringLiteral("child"))));
}

void tst_ActorRuntime::outboxGoesOnBeforeReady()
{
    const QString a = make(QStringLiteral("a"));
    QCOMPARE(log(a), QString());
    dropRuntime();
    // As if the host had been killed between the commit and the delivery.
    {
        auto db = file(QStringLiteral("actors/%1.sqlite").arg(a));
        QVERIFY(db->run("INSERT INTO outbox(target, target_name, target_key, name, json) VALUES(?, 'child', 't/c', 'create', '{}')",
            idOf(QStringLiteral("c"), QStringLiteral("child"))));
        QVERIFY(file(QStringLiteral("host.sqlite"))->run("INSERT INTO wake(actor, due) VALUES(?, 0)", a));
    }
    startRuntime();
    QVERIFY(m_runtime->byId(idOf(QStringLiteral("c"), QStringLiteral("child")))); // at once when ready
    QTRY_COMPARE(log(idOf(QStringLiteral("c"), QStringLiteral("child"))), QStringLiteral("created"));
}

void tst_ActorRuntime::aSendSeenBeforeIsNotAppliedAgain()
{
    const QString a = make(QStringLiteral("a"));
    QVERIFY(call(a, QStringLiteral("relay"), R"({"requestId":"r1","to":"b","texts":2})"));
    const QString b = idOf(QStringLiteral("b"));
    QTRY_COMPARE(log(b), QStringLiteral("0 1"));
    stopRuntime();
    // As if the acknowledgement had been lost with the host.
    {
        auto db = file(QStringLiteral("actors/%1.sqlite").arg(a));
        QVERIFY(db->run("INSERT INTO outbox(sequence, target, target_name, target_key, name, json) "
                        "VALUES(2, ?, 'test', 't/b', 'text', '1')",
            b));
        QVERIFY(file(QStringLiteral("host.sqlite"))->run("INSERT INTO wake(actor, due) VALUES(?, 0)", a));
    }
    startRuntime();
    QVERIFY(call(a, QStringLiteral("relay"), R"({"requestId":"r2","to":"b","texts":1})"));
    QTRY_COMPARE(log(b), QStringLiteral("0 1 0"));
}

void tst_ActorRuntime::alarmsRing()
{
    const QString a = make(QStringLiteral("a"));
    const QByteArray at = QByteArray::number(QDateTime::currentMSecsSinceEpoch() + 80);
    QVERIFY(call(a, QStringLiteral("ring"), R"({"requestId":"r1","at":)" + at + '}'));
    QCOMPARE(m_world->alarms, 0);
    QTRY_COMPARE(m_world->alarms, 1);
    QTest::qWait(150);
    QCOMPARE(m_world->alarms, 1);
}

void tst_ActorRuntime::alarmsOfSleepersRing()
{
    const QString a = make(QStringLiteral("a"));
    QVERIFY(call(a, QStringLiteral("ring"),
        R"({"requestId":"r1","at":)" + QByteArray::number(QDateTime::currentMSecsSinceEpoch() + 400) + '}'));
    dropRuntime();
    startRuntime();
    const int starts = m_world->starts;
    QCOMPARE(m_world->alarms, 0);
    QTRY_COMPARE(m_world->alarms, 1);
    QCOMPARE(m_world->starts, starts + 1); // it was not opened before it was due
}

void tst_ActorRuntime::unfinishedWorkIsOpenedAgain()
{
    const QString a = make(QStringLiteral("a"));
    make(QStringLiteral("b"));
    QVERIFY(call(a, QStringLiteral("need"), R"({"requestId":"r1","needed":true})"));
    dropRuntime();
    m_world->starts = 0;
    startRuntime();
    QCOMPARE(m_world->starts, 1);
    QVERIFY(call(a, QStringLiteral("need"), R"({"requestId":"r2","needed":false})"));
    stopRuntime();
    m_world->starts = 0;
    startRuntime();
    QCOMPARE(m_world->starts, 0);
}

void tst_ActorRuntime::idleActorsSleep()
{
    dropRuntime();
    startRuntime(60);
    const QString a = make(QStringLiteral("a"));
    QCOMPARE(log(a), QString());
    m_world->holds = true;
    QTest::qWait(200);
    QCOMPARE(m_world->stops, 0);
    // It is awake, and nobody waits for it.
    const auto working = [&] {
        std::optional<int> count;
        m_runtime->countWorking([&](int counted) { count = counted; });
        (void)QTest::qWaitFor([&] { return count.has_value(); }, 5000);
        return count.value_or(-1);
    };
    QCOMPARE(working(), 0);
    m_world->works = true;
    QCOMPARE(working(), 1);
    m_world->works = false;
    m_world->holds = false;
    QTRY_COMPARE(m_world->stops, 1);
    const auto generation = [&] {
        return QJsonDocument::fromJson(*call(a, QStringLiteral("log"))).object().value(QLatin1StringView("generation")).toInteger();
    };
    QCOMPARE(generation(), 2);
    // Somebody listens: it stays.
    m_runtime->attach(a, 1, [](Result<>) {});
    QTest::qWait(200);
    QCOMPARE(m_world->stops, 1);
    m_runtime->detach(a, 1);
    QTRY_COMPARE(m_world->stops, 2);
    QCOMPARE(generation(), 3);
}

void tst_ActorRuntime::eventsReachSubscribers()
{
    const QString a = make(QStringLiteral("a"));
    m_runtime->attach(a, 7, [](Result<>) {});
    m_runtime->subscribe(a, 7, QStringLiteral("overlay"), true);
    m_runtime->subscribe(a, 7, QStringLiteral("overlay"), true); // twice is once
    m_runtime->subscribe(a, 8, QStringLiteral("other"), true);
    for (int i = 0; i < 5; ++i) {
        const QByteArray n = QByteArray::number(i);
        QVERIFY(call(a, QStringLiteral("add"), R"({"requestId":"r)" + n + R"(","text":"x)" + n + "\"}"));
    }
    QCOMPARE(m_sink.count(), 5);
    for (int i = 0; i < 5; ++i) {
        QCOMPARE(m_sink.frames.at(i).first, ConnectionId(7));
        QVERIFY(m_sink.frames.at(i).second.contains("\"revision\":" + QByteArray::number(i + 1)));
        QVERIFY(m_sink.frames.at(i).second.contains("\"requestId\":\"r" + QByteArray::number(i)));
    }
    m_runtime->subscribe(a, 7, QStringLiteral("overlay"), false);
    QVERIFY(call(a, QStringLiteral("add"), R"({"requestId":"z","text":"z"})"));
    QCOMPARE(m_sink.count(), 5);
}

void tst_ActorRuntime::streamsReachRunningActors()
{
    const QString a = make(QStringLiteral("a"));
    const QString b = make(QStringLiteral("b"));
    QVERIFY(call(a, QStringLiteral("stream"), R"({"requestId":"r1","to":"b"})"));
    QTRY_COMPARE(log(b), QStringLiteral("chunk:a"));
}

void tst_ActorRuntime::newerSchemaIsRefused()
{
    const QString a = make(QStringLiteral("a"));
    QCOMPARE(log(a), QString());
    stopRuntime();
    QVERIFY(file(QStringLiteral("actors/%1.sqlite").arg(a))->run("UPDATE schema_versions SET version = 99 WHERE part = 'actor'"));
    startRuntime();
    QCOMPARE(log(a), QStringLiteral("internal.storage_newer"));
}

void tst_ActorRuntime::theRegistryIsMadeAgain()
{
    const QString a = make(QStringLiteral("a"));
    QVERIFY(call(a, QStringLiteral("add"), R"({"requestId":"r1","text":"kept"})"));
    stopRuntime();
    for (const char *name : {"host.sqlite", "host.sqlite-wal", "host.sqlite-shm"})
        QFile::remove(m_dir->filePath(QLatin1StringView(name)));
    startRuntime();
    QVERIFY(m_runtime->byId(a));
    QCOMPARE(log(a), QStringLiteral("kept"));
}

void tst_ActorRuntime::stoppingRefuses()
{
    const QString a = make(QStringLiteral("a"));
    QCOMPARE(log(a), QString());
    bool stopped = false;
    m_runtime->stop([&] { stopped = true; });
    QCOMPARE(call(a, QStringLiteral("log")).error().key(), QStringLiteral("actor.stopping"));
    QTRY_VERIFY(stopped);
    QCOMPARE(m_world->stops, 1);
}

// Commits stand in the database's log; it is folded into the file when the actor has been quiet for a while, not inside a
// command that somebody waits for.
void tst_ActorRuntime::theDiskIsWaitedForWhenNobodyAsks()
{
    constexpr int commands = 400; // far more than SQLite itself would gather
    const QString a = make(QStringLiteral("a"));
    const auto folded = [&] {
        const QString copy = m_dir->filePath(QStringLiteral("copy.sqlite"));
        for (const char *suffix : {"", "-wal", "-shm"})
            QFile::remove(copy + QLatin1StringView(suffix));
        QFile::copy(m_dir->filePath(QStringLiteral("actors/%1.sqlite").arg(a)), copy); // without its log
        auto database = file(QStringLiteral("copy.sqlite"));
        auto q = database->query("SELECT count(*) FROM log");
        return q.next() ? int(q.integer(0)) : 0;
    };
    bool wasQuiet = false; // a machine that stands still for so long makes the actor quiet
    for (int n = 0; n < commands; ++n) {
        QElapsedTimer clock;
        clock.start();
        const QByteArray number = QByteArray::number(n);
        QVERIFY(call(a, QStringLiteral("add"), R"({"requestId":"r)" + number + R"(","text":")" + number + R"("})"));
        wasQuiet = wasQuiet || clock.elapsed() > 500;
    }
    if (!wasQuiet)
        QVERIFY(folded() < commands / 2);
    QTRY_COMPARE_WITH_TIMEOUT(folded(), commands, 15000);
}

QTEST_GUILESS_MAIN(tst_ActorRuntime)
#include "tst_actorruntime.moc"
