// How an actor ends, sleeps and refuses: drains with an action inside, deadlines, the line in the log, the bound of
// sleepers, full mailboxes, databases that are gone.
#include "backend/actors/actorruntime.h"
#include "tests/backend_host/testactor.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

namespace {

class LifecycleSink final : public EventSink {
public:
    void event(const QList<ConnectionId> &, const QByteArray &) override { }
    void close(const QList<ConnectionId> &connections, const Error &reason) override
    {
        const std::lock_guard lock(mutex);
        for (const ConnectionId connection : connections)
            closed.append({connection, reason.key()});
    }
    QList<QPair<ConnectionId, QString>> taken()
    {
        const std::lock_guard lock(mutex);
        return closed;
    }
    void clear()
    {
        const std::lock_guard lock(mutex);
        closed.clear();
    }

private:
    std::mutex mutex;
    QList<QPair<ConnectionId, QString>> closed;
};

} // namespace

class tst_ActorLifecycle : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void drainingRefusesWhatHasNotBegun();
    void theDeadlineEndsTheContextNotTheAction();
    void theDeadlineEndsALongStatement();
    void oneActorStopsAndStartsAgain();
    void onlySoManyIdleOnesStayLoaded();
    void heldAndListenedToOnesStay();
    void aFullMailboxAnswers();
    void sendsWaitInTheOutbox();
    void tooManyTopics();
    void aDamagedFileConcernsItsActorOnly();
    void aLostCreationIsNotMadeAnew();
    void notesWakeNobody();
    void nothingThatTicksGoesWithTheThreads();

private:
    struct Call {
        std::mutex mutex;
        std::optional<Result<QByteArray>> answer;
        bool has()
        {
            const std::lock_guard lock(mutex);
            return answer.has_value();
        }
        QString text()
        {
            const std::lock_guard lock(mutex);
            return !answer ? QStringLiteral("none") : *answer ? QString::fromUtf8(**answer) : answer->error().key();
        }
    };
    void start(const std::function<void(RuntimeOptions &)> &change = {});
    std::shared_ptr<Call> begin(const QString &id, const QString &action, const QByteArray &argument = "{}");
    QString ask(const QString &id, const QString &action, const QByteArray &argument = "{}")
    {
        auto call = begin(id, action, argument);
        (void)QTest::qWaitFor([&] { return call->has(); }, 10000);
        return call->text();
    }
    QString make(const QString &name)
    {
        auto ref = m_runtime->getOrCreate({QStringLiteral("test"), {QStringLiteral("t"), name}});
        return ref ? ref->id : QString();
    }
    QList<ActorStop> stops()
    {
        const std::lock_guard lock(m_stopsMutex);
        return m_stops;
    }
    QString path(const QString &id) const { return m_dir->filePath(QStringLiteral("actors/%1.sqlite").arg(id)); }

    std::unique_ptr<QTemporaryDir> m_dir;
    std::shared_ptr<TestWorld> m_world;
    LifecycleSink m_sink;
    std::mutex m_stopsMutex;
    QList<ActorStop> m_stops;
    std::unique_ptr<ActorRuntime> m_runtime;
};

void tst_ActorLifecycle::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
    m_world = std::make_shared<TestWorld>();
    m_stops.clear();
    m_sink.clear();
}

void tst_ActorLifecycle::cleanup()
{
    m_world->release = true;
    if (m_runtime && !m_runtime->isStopping()) {
        bool stopped = false;
        m_runtime->stop([&] { stopped = true; });
        QTRY_VERIFY(stopped);
    }
    m_runtime.reset();
}

void tst_ActorLifecycle::start(const std::function<void(RuntimeOptions &)> &change)
{
    RuntimeOptions options;
    options.dataDir = m_dir->path();
    options.idleMs = 0;
    options.onStop = [this](const ActorStop &stop) {
        const std::lock_guard lock(m_stopsMutex);
        m_stops.append(stop);
    };
    if (change)
        change(options);
    m_runtime = std::make_unique<ActorRuntime>(options,
        QList<ActorFactory>{TestActor::factory(QStringLiteral("test"), m_world),
            TestActor::factory(QStringLiteral("child"), m_world, CreatedBy::SendOnly)});
    QVERIFY(m_runtime->open(&m_sink));
    bool ready = false;
    m_runtime->start([&] { ready = true; });
    QTRY_VERIFY(ready);
}

std::shared_ptr<tst_ActorLifecycle::Call> tst_ActorLifecycle::begin(const QString &id, const QString &action, const QByteArray &argument)
{
    auto call = std::make_shared<Call>();
    m_runtime->act(id, ActorCall{action, '[' + argument + ']', Caller{}, QStringLiteral("test")}, [call](Result<QByteArray> got) {
        const std::lock_guard lock(call->mutex);
        call->answer = std::move(got);
    });
    return call;
}

void tst_ActorLifecycle::drainingRefusesWhatHasNotBegun()
{
    start();
    const QString a = make(QStringLiteral("a"));
    auto inside = begin(a, QStringLiteral("linger"));
    QTRY_COMPARE(m_world->entered, 1);
    auto waiting = begin(a, QStringLiteral("linger"));
    auto more = begin(a, QStringLiteral("log"));
    bool stopped = false;
    m_runtime->stop([&] { stopped = true; });
    // Those that have not begun are answered at once, while the one inside goes on.
    QTRY_COMPARE(waiting->text(), QStringLiteral("actor.stopping"));
    QTRY_COMPARE(more->text(), QStringLiteral("actor.stopping"));
    QCOMPARE(ask(a, QStringLiteral("log")), QStringLiteral("actor.stopping"));
    QVERIFY(!inside->has() && !stopped);
    m_world->release = true;
    QTRY_VERIFY(stopped);
    QCOMPARE(inside->text(), QStringLiteral("\"lingered\""));
    QCOMPARE(m_world->entered, 1);
    QCOMPARE(stops().size(), 1);
    const ActorStop stop = stops().constFirst();
    QCOMPARE(stop.actorId, a);
    QCOMPARE(stop.activeActions, 1);
    QCOMPARE(stop.activeRequests, 3);
    QVERIFY(!stop.expired);
    QVERIFY(stop.drainStartedAt > 0 && stop.drainStartedAt <= stop.drainEndedAt && stop.drainEndedAt <= stop.cleanupStartedAt
        && stop.cleanupStartedAt <= stop.cleanupEndedAt);
    const QJsonObject line = QJsonDocument::fromJson(encodeActorStop(stop)).object();
    for (const char *field : {"actorId", "name", "reason", "activeActions", "activeRequests", "drainStartedAt", "drainEndedAt",
             "cleanupStartedAt", "cleanupEndedAt"}) {
        QVERIFY2(line.contains(QLatin1StringView(field)), field);
    }
    QCOMPARE(line.value(QLatin1StringView("reason")).toString(), QStringLiteral("stop"));
}

void tst_ActorLifecycle::theDeadlineEndsTheContextNotTheAction()
{
    start([](RuntimeOptions &options) { options.drainMs = 50; });
    const QString a = make(QStringLiteral("a"));
    auto inside = begin(a, QStringLiteral("linger"));
    QTRY_COMPARE(m_world->entered, 1);
    bool stopped = false;
    m_runtime->stop([&] { stopped = true; });
    QTest::qWait(200); // well past the deadline: the database stays open as long as the action is inside
    QVERIFY(!stopped && !inside->has());
    QVERIFY(QFile::exists(path(a) + QStringLiteral("-wal")));
    m_world->release = true;
    QTRY_VERIFY(stopped);
    QCOMPARE(inside->text(), QStringLiteral("actor.stopping"));
    QVERIFY(stops().constFirst().expired);
    QVERIFY(!QFile::exists(path(a) + QStringLiteral("-wal"))); // closed in order
    auto database = Database::open(path(a));
    QVERIFY(database);
    auto q = (*database)->query("SELECT count(*) FROM log");
    QVERIFY(q.next());
    QCOMPARE(q.integer(0), 0);
}

void tst_ActorLifecycle::theDeadlineEndsALongStatement()
{
    start([](RuntimeOptions &options) { options.drainMs = 50; });
    auto inside = begin(make(QStringLiteral("a")), QStringLiteral("churn"));
    QTRY_COMPARE(m_world->entered, 1);
    bool stopped = false;
    m_runtime->stop([&] { stopped = true; });
    QTRY_VERIFY(stopped);
    QCOMPARE(inside->text(), QStringLiteral("actor.stopping"));
}

void tst_ActorLifecycle::oneActorStopsAndStartsAgain()
{
    start();
    const QString a = make(QStringLiteral("a"));
    const QString b = make(QStringLiteral("b"));
    QCOMPARE(ask(b, QStringLiteral("add"), R"({"requestId":"1","text":"kept"})"), QStringLiteral("\"added kept\""));
    m_runtime->attach(a, 7, [](Result<>) {});
    m_runtime->attach(b, 8, [](Result<>) {});
    QCOMPARE(ask(a, QStringLiteral("add"), R"({"requestId":"1","text":"x"})"), QStringLiteral("\"added x\""));
    std::atomic<bool> stopped = false;
    m_runtime->stopActor(a, StopReason::Destroy,
        makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"), QStringLiteral("It was deleted.")), [&] { stopped = true; });
    QTRY_VERIFY(stopped);
    QCOMPARE(m_sink.taken(), (QList<QPair<ConnectionId, QString>>{{7, QStringLiteral("actor.not_found")}}));
    QCOMPARE(stops().size(), 1);
    QCOMPARE(stops().constFirst().reason, StopReason::Destroy);
    QVERIFY(ask(a, QStringLiteral("log")).contains(QLatin1StringView("\"generation\":2")));
    QCOMPARE(m_world->stops, 1);
}

void tst_ActorLifecycle::onlySoManyIdleOnesStayLoaded()
{
    start([](RuntimeOptions &options) { options.idleActors = 8; });
    for (int i = 0; i < 60; ++i) {
        QVERIFY(ask(make(QString::number(i)), QStringLiteral("log")).contains(QLatin1StringView("log")));
        QTRY_VERIFY(m_runtime->loadedCount() <= 9); // the one in use comes before the oldest goes
    }
    QTRY_COMPARE(m_runtime->loadedCount(), 8);
    // The most recently used are those that stayed.
    QCOMPARE(m_world->starts, 60);
    for (int i = 52; i < 60; ++i)
        ask(make(QString::number(i)), QStringLiteral("log"));
    QCOMPARE(m_world->starts, 60);
    ask(make(QStringLiteral("0")), QStringLiteral("log"));
    QCOMPARE(m_world->starts, 61);
    QTRY_COMPARE(m_runtime->loadedCount(), 8);
}

void tst_ActorLifecycle::heldAndListenedToOnesStay()
{
    start([](RuntimeOptions &options) { options.idleActors = 2; });
    const QString heard = make(QStringLiteral("heard"));
    m_runtime->attach(heard, 1, [](Result<>) {});
    QCOMPARE(ask(heard, QStringLiteral("log")).isEmpty(), false);
    m_world->holds = true;
    for (int i = 0; i < 6; ++i)
        ask(make(QString::number(i)), QStringLiteral("log"));
    QTest::qWait(50);
    QCOMPARE(m_runtime->loadedCount(), 7);
    m_world->holds = false;
    for (int i = 0; i < 6; ++i)
        ask(make(QString::number(i)), QStringLiteral("log"));
    QTRY_COMPARE(m_runtime->loadedCount(), 3);
    m_runtime->detach(heard, 1);
    QTRY_COMPARE(m_runtime->loadedCount(), 2);
}

void tst_ActorLifecycle::aFullMailboxAnswers()
{
    start([](RuntimeOptions &options) { options.mailbox.calls = {10, 4096}; });
    const QString a = make(QStringLiteral("a"));
    auto inside = begin(a, QStringLiteral("linger"));
    QTRY_COMPARE(m_world->entered, 1);
    QList<std::shared_ptr<Call>> calls;
    for (int i = 0; i < 30; ++i)
        calls.append(begin(a, QStringLiteral("log")));
    int overloaded = 0;
    for (const auto &call : std::as_const(calls))
        overloaded += call->text() == QLatin1StringView("actor.overloaded") ? 1 : 0;
    QCOMPARE(overloaded, 20);
    // By bytes as well; and others have room of their own.
    QCOMPARE(begin(a, QStringLiteral("log"), '"' + QByteArray(5000, 'x') + '"')->text(), QStringLiteral("actor.overloaded"));
    auto elsewhere = begin(make(QStringLiteral("b")), QStringLiteral("log"));
    QCOMPARE(elsewhere->text(), QStringLiteral("none"));
    m_world->release = true;
    QTRY_VERIFY(elsewhere->text().contains(QLatin1StringView("log")));
    for (const auto &call : std::as_const(calls))
        QTRY_VERIFY(call->has());
    QVERIFY(ask(a, QStringLiteral("log")).contains(QLatin1StringView("lingered")));
}

void tst_ActorLifecycle::sendsWaitInTheOutbox()
{
    start([](RuntimeOptions &options) {
        options.mailbox.sends = {1, 1};
        options.workers = 3;
    });
    // One batch of one sender is always taken; those of others come back and are tried again: none is lost.
    const QString target = make(QStringLiteral("target"));
    auto inside = begin(target, QStringLiteral("linger"));
    QTRY_COMPARE(m_world->entered, 1);
    for (int i = 0; i < 5; ++i)
        begin(make(QStringLiteral("s%1").arg(i)), QStringLiteral("relay"), R"({"requestId":"1","to":"target","texts":3})");
    QTest::qWait(50);
    m_world->release = true;
    const auto received = [&] { return ask(target, QStringLiteral("log")).count(QLatin1Char('2')); };
    QTRY_COMPARE_WITH_TIMEOUT(received(), 5, 10000);
}

void tst_ActorLifecycle::tooManyTopics()
{
    start();
    const QString a = make(QStringLiteral("a"));
    m_runtime->attach(a, 3, [](Result<>) {});
    for (int i = 0; i < 256; ++i)
        m_runtime->subscribe(a, 3, QString::number(i), true);
    m_runtime->subscribe(a, 3, QStringLiteral("7"), true); // again: nothing more
    ask(a, QStringLiteral("log"));
    QCOMPARE(m_sink.taken().size(), 0);
    m_runtime->subscribe(a, 3, QStringLiteral("one more"), true);
    QTRY_COMPARE(m_sink.taken(), (QList<QPair<ConnectionId, QString>>{{3, QStringLiteral("actor.overloaded")}}));
}

void tst_ActorLifecycle::aDamagedFileConcernsItsActorOnly()
{
    start();
    const QString a = make(QStringLiteral("a"));
    const QString b = make(QStringLiteral("b"));
    for (int i = 0; i < 200; ++i) {
        const QByteArray add = R"({"requestId":"%1","text":")" + QByteArray(2000, 'x') + "\"}";
        ask(a, QStringLiteral("add"), QByteArray(add).replace("%1", QByteArray::number(i)));
    }
    ask(b, QStringLiteral("add"), R"({"requestId":"1","text":"kept"})");
    m_runtime->attach(a, 5, [](Result<>) {});
    m_runtime->stopActor(a, StopReason::Sleep, {}, {});
    QTRY_COMPARE(m_runtime->loadedCount(), 1);
    {
        QFile file(path(a));
        QVERIFY(file.open(QIODevice::ReadWrite));
        QVERIFY(file.size() > 100000);
        // The front stays: it opens, and the damage is met later.
        const qint64 from = file.size() * 3 / 4 / 4096 * 4096;
        file.seek(from);
        file.write(QByteArray(int(file.size() - from), '\x55'));
    }
    m_runtime->attach(a, 6, [](Result<>) {});
    const QString answer = ask(a, QStringLiteral("log"));
    QVERIFY2(answer.startsWith(QLatin1StringView("internal.storage_")), qPrintable(answer.left(200)));
    // It is set aside at the next start, whoever listened is told, and the others live.
    QTRY_VERIFY(m_sink.taken().contains(QPair<ConnectionId, QString>{6, QStringLiteral("internal.storage_corrupt")}));
    QVERIFY(ask(a, QStringLiteral("log")).contains(QLatin1StringView("\"log\":\"\"")));
    QCOMPARE(QDir(m_dir->filePath(QStringLiteral("actors"))).entryList({a + QStringLiteral(".sqlite.damaged-*")}).isEmpty(), false);
    QVERIFY(ask(b, QStringLiteral("log")).contains(QLatin1StringView("kept")));
}

void tst_ActorLifecycle::aLostCreationIsNotMadeAnew()
{
    start();
    const QString a = make(QStringLiteral("a"));
    const QString child = actorIdOf({QStringLiteral("child"), {QStringLiteral("t"), QStringLiteral("c")}});
    ask(a, QStringLiteral("relay"), R"({"requestId":"1","to":"c","child":true,"texts":1})");
    QTRY_VERIFY(ask(child, QStringLiteral("log")).contains(QLatin1StringView("created")));
    m_runtime->stopActor(child, StopReason::Stop, {}, {});
    QTRY_COMPARE(m_runtime->loadedCount(), 1);
    {
        QFile file(path(child));
        QVERIFY(file.open(QIODevice::ReadWrite | QIODevice::Truncate));
        file.write(QByteArray(20000, 'z'));
    }
    for (int i = 0; i < 3; ++i)
        QCOMPARE(ask(child, QStringLiteral("log")), QStringLiteral("internal.storage_lost"));
    // Sends to it are let go, so that its sender does not wait for ever.
    ask(a, QStringLiteral("relay"), R"({"requestId":"2","to":"c","texts":1})");
    const auto waiting = [&] {
        std::optional<int> count;
        m_runtime->countWorking([&](int counted) { count = counted; });
        (void)QTest::qWaitFor([&] { return count.has_value(); }, 5000);
        return count.value_or(-1);
    };
    QTRY_COMPARE(waiting(), 0);
}

void tst_ActorLifecycle::notesWakeNobody()
{
    start([](RuntimeOptions &options) { options.idleMs = 50; });
    const QString a = make(QStringLiteral("a"));
    m_runtime->attach(a, 1, [](Result<>) {});
    ask(a, QStringLiteral("log"));
    m_runtime->detach(a, 1);
    QTRY_COMPARE(m_runtime->loadedCount(), 0);
    QCOMPARE(m_world->starts, 1);
    m_runtime->detach(a, 1);
    QTest::qWait(100);
    QCOMPARE(m_world->starts, 1);
    QCOMPARE(stops().constFirst().reason, StopReason::Sleep);
}

// What an actor leaves behind when it stops is thrown away in the turn after, or, when its thread ends before that, by
// the thread of whoever ends the runtime: there a timer may not run.
void tst_ActorLifecycle::nothingThatTicksGoesWithTheThreads()
{
    QTest::failOnWarning(QRegularExpression(QStringLiteral("Timers cannot be stopped from another thread")));
    start([](RuntimeOptions &options) { options.idleMs = 60000; });
    const QString id = make(QStringLiteral("one"));
    QVERIFY(ask(id, QStringLiteral("log")) != QLatin1StringView("none"));
    QCOMPARE(m_runtime->loadedCount(), 1);
    std::atomic<bool> inside = false;
    std::atomic<bool> ending = false;
    m_runtime->stopActor(id, StopReason::Stop, actorStoppingError(), [&] {
        inside = true;
        while (!ending)
            QThread::yieldCurrentThread();
        QThread::msleep(200); // until the thread has been told to end
    });
    QTRY_VERIFY(inside);
    ending = true;
    m_runtime.reset();
}

QTEST_GUILESS_MAIN(tst_ActorLifecycle)
#include "tst_actorlifecycle.moc"
