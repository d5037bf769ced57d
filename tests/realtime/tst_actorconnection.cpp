// One connection against a server in memory: Init, calls, drops, refusals, liveness.
#include "realtime/connection/actorconnection.h"
#include "realtime/subscriptions/subscriptions.h"
#include "tests/support/loopback.h"

#include <QSignalSpy>
#include <QTest>

using namespace foundry;
using namespace foundry::realtime;
using namespace foundry::tests;

namespace {

ConnectionTimes quick()
{
    ConnectionTimes times;
    times.firstRetry = 5ms;
    times.lastRetry = 20ms;
    times.init = 60ms;
    times.ping = 40ms;
    times.probe = 20ms;
    times.steady = 0ms;
    return times;
}

struct Rig {
    LoopbackResolver resolver;
    LoopbackServer server;
    ActorConnection connection{appActor(), resolver, server.factory(), quick()};

    Rig() { connection.setEndpoint(Endpoint::parse(QStringLiteral("http://default:tok@127.0.0.1:1")).value()); }
    void live()
    {
        connection.retain();
        QTRY_COMPARE(connection.state(), ConnectionState::Live);
    }
};

} // namespace

class ActorConnectionTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void nothingBeforeInit()
    {
        Rig rig;
        rig.server.saysInit = false;
        rig.connection.subscribe(QStringLiteral("host"));
        rig.connection.retain();
        QTRY_COMPARE(rig.server.opened, 1);
        QCOMPARE(rig.server.socket()->request.subprotocols.first(), QStringLiteral("rivet"));
        QTest::qWait(20);
        QVERIFY(rig.server.socket()->sent.isEmpty());
        QCOMPARE(rig.connection.state(), ConnectionState::Connecting);
        // No Init within its time is a failed attempt like any other.
        QTRY_VERIFY(rig.server.opened >= 2);
        QCOMPARE(rig.connection.lastError().key(), QStringLiteral("client.timeout"));
        rig.server.saysInit = true;
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
        QVERIFY(rig.server.subscribed.contains(QStringLiteral("host")));
    }

    void callsAndErrors()
    {
        Rig rig;
        rig.live();
        QList<Result<QByteArray>> answers;
        const auto note = [&](const Result<QByteArray> &result) { answers << result; };
        rig.connection.call(QStringLiteral("one"), "[1]", 1s, this, note);
        rig.connection.call(QStringLiteral("two"), "[2]", 1s, this, note);
        LoopbackServer::Action one;
        LoopbackServer::Action two;
        QVERIFY(rig.server.take(QStringLiteral("one"), &one));
        QVERIFY(rig.server.take(QStringLiteral("two"), &two));
        QCOMPARE(one.id, 1u);
        QCOMPARE(one.args, QByteArray("[1]"));
        // Other order, one an error; the connection stays.
        rig.server.refuse(two, makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("no")));
        rig.server.answer(one, "8");
        QCOMPARE(answers.size(), 2);
        QCOMPARE(answers.at(0).error().key(), QStringLiteral("input.invalid"));
        QCOMPARE(*answers.at(1), QByteArray("8"));
        rig.server.answer(one, "9");
        QCOMPARE(answers.size(), 2);
        QCOMPARE(rig.connection.counters().lateAnswers, 1);
        QVERIFY(rig.connection.isLive());
    }

    void pendingCallsWhenTheLinkDrops()
    {
        Rig rig;
        rig.live();
        QStringList answers;
        for (int i = 0; i < 3; ++i) {
            rig.connection.call(QStringLiteral("slow"), "[]", 1s, this,
                [&](const Result<QByteArray> &result) { answers << result.error().code; });
        }
        rig.server.socket()->drop();
        QCOMPARE(answers, QStringList({QStringLiteral("link_lost"), QStringLiteral("link_lost"), QStringLiteral("link_lost")}));
        QCOMPARE(rig.connection.state(), ConnectionState::Recovering);
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
        QCOMPARE(rig.server.opened, 2);
        QCOMPARE(rig.connection.counters().reconnects, 1);
        QCOMPARE(answers.size(), 3);
    }

    void notConnected()
    {
        Rig rig;
        QString code;
        rig.connection.call(QStringLiteral("x"), "[]", 1s, this, [&](const Result<QByteArray> &r) { code = r.error().code; });
        QVERIFY(code.isEmpty()); // never before call() returned
        QTRY_COMPARE(code, QStringLiteral("not_connected"));
    }

    void resubscribesAfterReconnect()
    {
        Rig rig;
        rig.connection.subscribe(QStringLiteral("a"));
        rig.live();
        rig.connection.subscribe(QStringLiteral("b"));
        rig.connection.unsubscribe(QStringLiteral("a"));
        QCOMPARE(rig.server.subscribed, QSet<QString>({QStringLiteral("b")}));
        rig.server.socket()->drop();
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
        QCOMPARE(rig.server.subscribed, QSet<QString>({QStringLiteral("b")}));
    }

    void offlineAndBack()
    {
        Rig rig;
        rig.resolver.nextError = makeError(QLatin1StringView("client"), QLatin1StringView("unreachable"), QStringLiteral("-"));
        rig.connection.retain();
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Offline);
        rig.resolver.nextError.reset();
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
    }

    void refusedStaysUntilSomethingChanges()
    {
        Rig rig;
        rig.resolver.nextError = makeError(QLatin1StringView("auth"), QLatin1StringView("unauthorized"), QStringLiteral("no"));
        rig.connection.retain();
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Refused);
        const int asked = rig.resolver.asked;
        QTest::qWait(60);
        QCOMPARE(rig.resolver.asked, asked);
        QString key;
        rig.connection.call(QStringLiteral("x"), "[]", 1s, this, [&](const Result<QByteArray> &r) { key = r.error().key(); });
        QTRY_COMPARE(key, QStringLiteral("auth.unauthorized"));
        rig.resolver.nextError.reset();
        rig.connection.setEndpoint(Endpoint::parse(QStringLiteral("http://default:other@127.0.0.1:1")).value());
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
    }

    void staleIdIsAskedOnceMore()
    {
        Rig rig;
        rig.live();
        // The socket says that this id is gone: the key is resolved again, and only that answer counts.
        rig.server.socket()->drop(QStringLiteral("actor.not_found#ray"), 1011);
        QCOMPARE(rig.resolver.forgotten, 1);
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
        rig.resolver.nextError = makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"), QStringLiteral("gone"));
        rig.server.socket()->drop(QStringLiteral("actor.not_found"), 1011);
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Refused);
    }

    void missedPongDropsTheLink()
    {
        Rig rig;
        rig.live();
        QTRY_VERIFY(rig.server.socket()->pings >= 2);
        QVERIFY(rig.connection.isLive());
        rig.server.socket()->answersPings = false;
        QSignalSpy states(&rig.connection, &ActorConnection::stateChanged);
        QTRY_VERIFY(states.count() >= 2);
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
        QCOMPARE(rig.server.opened, 2);
        QCOMPARE(rig.connection.lastError().code, QStringLiteral("silent"));
    }

    void unansweredCallProbes()
    {
        Rig rig;
        rig.live();
        rig.server.socket()->answersPings = false;
        bool timedOut = false;
        rig.connection.call(QStringLiteral("x"), "[]", 5ms, this, [&](const auto &) { timedOut = true; });
        QTRY_VERIFY(timedOut);
        QTRY_COMPARE(rig.server.opened, 2);
    }

    void badFrameIsAnErrorOfThatFrameOnly()
    {
        Rig rig;
        rig.live();
        rig.server.socket()->deliver("{\"body\":");
        rig.server.socket()->deliver("{\"body\":{\"tag\":\"Later\",\"val\":{}}}");
        QCOMPARE(rig.connection.counters().badFrames, 2);
        QVERIFY(rig.connection.isLive());
    }

    void heldUntilItExists()
    {
        Rig rig;
        rig.connection.setHeld(true);
        rig.connection.retain();
        QTest::qWait(20);
        QCOMPARE(rig.resolver.asked, 0);
        rig.connection.setHeld(false);
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
        rig.connection.release();
        QCOMPARE(rig.connection.state(), ConnectionState::Idle);
    }

    void subscriptionsAreCountedAndHaveGrace()
    {
        Rig rig;
        Subscriptions subscriptions(rig.connection, 50ms);
        subscriptions.add(QStringLiteral("t"));
        subscriptions.add(QStringLiteral("t"));
        QTRY_COMPARE(rig.connection.state(), ConnectionState::Live);
        const auto asked = [&] {
            int count = 0;
            for (const QByteArray &frame : std::as_const(rig.server.socket()->sent))
                count += frame.contains("Subscription");
            return count;
        };
        QCOMPARE(asked(), 1);
        subscriptions.release(QStringLiteral("t"));
        subscriptions.release(QStringLiteral("t"));
        QTest::qWait(10);
        subscriptions.add(QStringLiteral("t")); // back within the grace: nothing is asked
        QTest::qWait(80);
        QCOMPARE(asked(), 1);
        QVERIFY(rig.connection.isLive());
        QSignalSpy ended(&subscriptions, &Subscriptions::ended);
        subscriptions.release(QStringLiteral("t"));
        QTRY_COMPARE(ended.count(), 1);
        QCOMPARE(rig.connection.state(), ConnectionState::Idle);
    }

    void threeHundredRoundsAreOneSocket()
    {
        Rig rig;
        rig.live();
        for (int i = 0; i < 300; ++i) {
            rig.connection.retain();
            rig.connection.release();
        }
        QCOMPARE(rig.server.opened, 1);
    }
};

QTEST_GUILESS_MAIN(ActorConnectionTest)
#include "tst_actorconnection.moc"
