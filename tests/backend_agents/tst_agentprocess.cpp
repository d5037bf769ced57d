// Processes of agents and their children: they end together, and only they do.
#include "tests/backend_agents/agentdriver.h"

#include "backend/agents/processreaper.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <unistd.h>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::AgentDriver;
using foundry::test::scriptedAgent;

class TestAgentProcess : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    static bool alive(qint64 pid) { return identifyProcess(pid, {}).isValid() && isSameProcess(identifyProcess(pid, {})); }
    static StdioLimits quick()
    {
        StdioLimits limits;
        limits.eofGraceMs = 200;
        limits.termGraceMs = 200;
        return limits;
    }
    // Starts an agent that started a child in its group and one in a session of its own; their pids.
    QList<qint64> withChildren(AgentDriver &driver)
    {
        driver.start(scriptedAgent(), {QStringLiteral("children")}, m_folder.path());
        if (!QTest::qWaitFor([&] { return driver.started.has_value(); }) || !driver.open(m_folder.path()))
            return {};
        driver.prompt(QStringLiteral("go"));
        if (!QTest::qWaitFor([&] { return driver.text().contains(QLatin1Char(' ')); }))
            return {};
        const QStringList parts = driver.text().split(QLatin1Char(' '));
        return {parts[0].toLongLong(), parts[1].toLongLong()};
    }

private Q_SLOTS:
    void stopTakesChildren()
    {
        AgentDriver driver({}, quick());
        const QList<qint64> children = withChildren(driver);
        QCOMPARE(children.size(), 2);
        QVERIFY(alive(children[0]) && alive(children[1]));
        QCOMPARE(livingMembers(driver.client().identity()).size(), 3);
        driver.client().stop();
        QTRY_VERIFY_WITH_TIMEOUT(driver.exit.has_value(), 10000);
        QVERIFY(!alive(children[0]) && !alive(children[1]));
        QVERIFY(driver.turn.has_value()); // the turn did not stay open
    }

    void deathTakesChildren()
    {
        AgentDriver driver({}, quick());
        const QList<qint64> children = withChildren(driver);
        QCOMPARE(children.size(), 2);
        ::kill(pid_t(driver.client().identity().pid), SIGKILL);
        QTRY_VERIFY_WITH_TIMEOUT(driver.exit.has_value(), 10000);
        QCOMPARE(driver.exit->signal, SIGKILL);
        QVERIFY(!alive(children[0]) && !alive(children[1]));
    }

    void destructionTakesChildren()
    {
        QList<qint64> children;
        {
            AgentDriver driver({}, quick());
            children = withChildren(driver);
            QCOMPARE(children.size(), 2);
        }
        QTRY_VERIFY(!alive(children[0]) && !alive(children[1]));
    }

    // As after a SIGKILL for the host: only the text of the identity is left.
    void reapFromText()
    {
        const QString marker = QStringLiteral("marker-of-this-test");
        QProcess left;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(processMarkerName(), marker);
        left.setProcessEnvironment(environment);
        left.setChildProcessModifier([] { ::setsid(); });
        left.start(scriptedAgent(), {QStringLiteral("deaf")});
        QTRY_COMPARE(left.state(), QProcess::Running);
        const ProcessIdentity identity = ProcessIdentity::fromText(identifyProcess(left.processId(), marker).toText());
        QVERIFY(identity.isValid());
        QVERIFY(isSameProcess(identity));

        // The same number with another start time, boot or nothing at all: not touched.
        ProcessIdentity other = identity;
        other.startTicks -= 1;
        other.marker = QStringLiteral("another");
        ProcessIdentity earlierBoot = identity;
        earlierBoot.bootId = QStringLiteral("00000000");
        for (const ProcessIdentity &wrong : {other, earlierBoot, ProcessIdentity(), ProcessIdentity::fromText(QStringLiteral("junk"))}) {
            std::optional<Result<ReapOutcome>> outcome;
            ProcessReaper reaper;
            reaper.reap(wrong, [&](const auto &r) { outcome = r; });
            QTRY_VERIFY(outcome.has_value());
            QVERIFY(outcome->ok() && !(*outcome)->wasRunning);
            QVERIFY(isSameProcess(identity));
        }

        QTRY_VERIFY(left.state() == QProcess::Running);
        QTest::qWait(200); // it ignores SIGTERM by now
        std::optional<Result<ReapOutcome>> outcome;
        ProcessReaper reaper;
        reaper.setGrace(300, 5000);
        reaper.reap(identity, [&](const auto &r) { outcome = r; });
        QTRY_VERIFY(outcome.has_value());
        QVERIFY(outcome->ok());
        QVERIFY((*outcome)->wasRunning && (*outcome)->killed);
        QVERIFY(!isSameProcess(identity));
        QTRY_COMPARE(left.state(), QProcess::NotRunning);
    }

    void ownGroup()
    {
        AgentDriver driver({}, quick());
        driver.start(scriptedAgent(), {QStringLiteral("ok")}, m_folder.path());
        QTRY_VERIFY(driver.started.has_value() && driver.started->ok());
        const qint64 pid = driver.client().identity().pid;
        QCOMPARE(qint64(::getpgid(pid_t(pid))), pid);
        QCOMPARE(qint64(::getsid(pid_t(pid))), pid);
    }

    void missingFolder()
    {
        AgentDriver driver;
        driver.start(scriptedAgent(), {QStringLiteral("ok")}, QStringLiteral("/nowhere/at/all"));
        QTRY_VERIFY(driver.started.has_value());
        QVERIFY(!driver.started->ok());
        QVERIFY(driver.started->error().message.contains(QStringLiteral("/nowhere/at/all")));
    }
};

QTEST_GUILESS_MAIN(TestAgentProcess)
#include "tst_agentprocess.moc"
