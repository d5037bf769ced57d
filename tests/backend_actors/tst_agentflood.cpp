// An agent that says more than can be written down: it waits in its own pipe, the host's memory stays as it is, nothing is
// lost, and cancel works in the middle.
#include "tests/backend_actors/hostworld.h"

using namespace foundry;

class tst_AgentFlood : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void memoryStays();
    void cancelInTheMiddle();
    void otherSessionGoesOn();

private:
    void begin(test::HostWorld &world, const QString &mode)
    {
        const QString wrong = world.start();
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        QVERIFY(world.addRepository());
        const QString refused = world.createTask(world.addAgent(mode), QString());
        QVERIFY2(refused.isEmpty(), qPrintable(refused));
        QVERIFY(world.waitForStatus(world.session, SessionStatus::Ready));
    }
};

void tst_AgentFlood::memoryStays()
{
    test::HostWorld world;
    begin(world, QStringLiteral("flood"));
    const qint64 before = world.memory("VmRSS:");
    QVERIFY(before > 0);
    QElapsedTimer clock;
    clock.start();
    QVERIFY(world.send(world.session, QStringLiteral("flood")).ok());
    QTRY_VERIFY_WITH_TIMEOUT(world.status(world.session) == SessionStatus::Idle, 180000);
    const qint64 grown = world.memory("VmHWM:") - before;
    qInfo("100 MB in %lld ms; the host grew by at most %lld MiB", qlonglong(clock.elapsed()), qlonglong(grown / 1048576));
    QVERIFY2(grown < 60ll * 1000 * 1000, qPrintable(QString::number(grown)));
    // All of it is there: 10,000 chunks of 10,000 characters in entries of 16 KiB.
    const TranscriptPage page = world.transcript(world.session);
    QCOMPARE(page.count, 1 + (100'000'000 + 16383) / 16384 + 1);
    QCOMPARE(page.entries.last().kind.text(), QStringLiteral("turn_end"));
    QCOMPARE(page.entries.last().turnEnd->stopReason, QStringLiteral("end_turn"));
    QCOMPARE(page.entries.at(page.entries.size() - 2).text.size(), 100'000'000 % 16384);
}

void tst_AgentFlood::cancelInTheMiddle()
{
    test::HostWorld world;
    begin(world, QStringLiteral("flood"));
    QVERIFY(world.send(world.session, QStringLiteral("flood")).ok());
    QTRY_VERIFY_WITH_TIMEOUT(world.transcript(world.session).count > 50, 30000);
    QElapsedTimer clock;
    clock.start();
    QVERIFY(world.ask(*world.client, QStringLiteral("cancelTurn"), CancelTurn{{}, world.session}).ok());
    QTRY_VERIFY_WITH_TIMEOUT(world.status(world.session) == SessionStatus::Idle, 20000);
    const TranscriptPage page = world.transcript(world.session);
    QCOMPARE(page.entries.last().turnEnd->stopReason, QStringLiteral("cancelled"));
    QVERIFY(page.count < 6000);
    // The same process takes the next prompt.
    QCOMPARE(world.rows<Stage>(*world.client, QStringLiteral("task")).constLast().attempt, 1);
}

// Another session of the same sandbox, in another agent's process, is served while one floods.
void tst_AgentFlood::otherSessionGoesOn()
{
    test::HostWorld world;
    begin(world, QStringLiteral("flood"));
    const SessionId other = makeId<SessionId>();
    const AgentId agent = world.addAgent(QStringLiteral("ok"));
    QVERIFY(world.ask(*world.client, QStringLiteral("createSession"), CreateSession{{}, other, agent, {}, {}}).ok());
    QVERIFY(world.waitForStatus(other, SessionStatus::Ready));
    QVERIFY(world.send(world.session, QStringLiteral("flood")).ok());
    QTRY_VERIFY_WITH_TIMEOUT(world.transcript(world.session).count > 20, 30000);
    QVERIFY(world.send(other, QStringLiteral("hello")).ok());
    QVERIFY(world.waitForStatus(other, SessionStatus::Idle, 20000));
    QCOMPARE(world.transcript(other).entries.last().kind.text(), QStringLiteral("turn_end"));
    QVERIFY(world.ask(*world.client, QStringLiteral("closeSession"), CloseSession{{}, world.session}).ok());
}

QTEST_GUILESS_MAIN(tst_AgentFlood)
#include "tst_agentflood.moc"
