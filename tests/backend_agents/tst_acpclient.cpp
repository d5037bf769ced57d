// AcpClient against an agent that behaves, and against those that do not, each as a real process.
#include "tests/backend_agents/agentdriver.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <csignal>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::AgentDriver;
using foundry::test::scriptedAgent;

class TestAcpClient : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    static AcpTimeouts brief()
    {
        AcpTimeouts timeouts;
        timeouts.initializeMs = 1500;
        timeouts.requestMs = 1500;
        timeouts.promptIdleMs = 800;
        timeouts.toolIdleMs = 1600;
        timeouts.cancelGraceMs = 400;
        return timeouts;
    }
    static StdioLimits quick()
    {
        StdioLimits limits;
        limits.eofGraceMs = 300;
        limits.termGraceMs = 300;
        return limits;
    }
    void begin(AgentDriver &driver, const char *mode)
    {
        driver.start(scriptedAgent(), {QString::fromLatin1(mode)}, m_folder.path());
        QTRY_VERIFY(driver.started.has_value());
        QVERIFY2(driver.started->ok(), mode);
        QVERIFY(driver.open(m_folder.path()));
    }

private Q_SLOTS:
    void turn_data()
    {
        QTest::addColumn<QString>("mode");
        QTest::newRow("ok") << QStringLiteral("ok");
        QTest::newRow("lines in pieces") << QStringLiteral("split");
        QTest::newRow("text beside messages") << QStringLiteral("chatter");
    }
    void turn()
    {
        QFETCH(QString, mode);
        AgentDriver driver;
        begin(driver, mode.toLatin1().constData());
        QCOMPARE((*driver.started)->title, QStringLiteral("Scripted agent"));
        QVERIFY((*driver.started)->canLoad);
        QVERIFY((*driver.started)->canList);
        QVERIFY(!(*driver.started)->canResume);
        QCOMPARE((*driver.started)->authMethods.size(), 1);
        QVERIFY(driver.client().identity().isValid());

        const AcpSession session = **driver.session;
        QCOMPARE(session.currentMode, QStringLiteral("auto"));
        QCOMPARE(session.modes.size(), 2);
        QCOMPARE(session.models.size(), 2); // one of them in a group
        QCOMPARE(session.models.last().id, QStringLiteral("m2"));
        // Told before session/new was answered, delivered after it.
        QTRY_COMPARE(driver.all<CommandsUpdate>().size(), 1);
        QCOMPARE(driver.all<CommandsUpdate>().constFirst().commands.first().id, QStringLiteral("review"));

        driver.prompt(QStringLiteral("Grüße, 世界 🙂"));
        QTRY_VERIFY(driver.turn.has_value());
        QVERIFY(driver.turn->ok());
        QCOMPARE((*driver.turn)->stopReason, QStringLiteral("end_turn"));
        QCOMPARE(driver.text(), QStringLiteral("Grüße, 世界 🙂"));
        QCOMPARE(driver.thought(), QStringLiteral("hm"));
        QCOMPARE(driver.client().counts().garbageLines > 0, mode == QStringLiteral("chatter"));

        driver.client().stop();
        QTRY_VERIFY(driver.exit.has_value());
        QVERIFY(!driver.endError);
        QVERIFY(driver.exit->asked);
        QCOMPARE(driver.exit->code, 0);
    }

    void megabytePrompt()
    {
        AgentDriver driver;
        begin(driver, "ok");
        const QString text(1024 * 1024, QLatin1Char('p'));
        driver.prompt(text);
        QTRY_VERIFY_WITH_TIMEOUT(driver.turn.has_value(), 20000);
        QCOMPARE(driver.text(), text);
    }

    void modesAndOptions()
    {
        AgentDriver driver;
        begin(driver, "ok");
        int answers = 0;
        driver.client().setMode(driver.sessionId, QStringLiteral("default"), [&](const Result<> &r) { answers += r.ok(); });
        QTRY_COMPARE(answers, 1);
        QCOMPARE(driver.all<ModeUpdate>().constLast().modeId, QStringLiteral("default"));
        driver.client().setModel(driver.sessionId, QStringLiteral("m2"), [&](const Result<> &r) { answers += r.ok(); });
        QTRY_COMPARE(answers, 2);
        QCOMPARE(driver.all<ConfigOptions>().constLast().options.first().currentValue, QStringLiteral("m2"));
        QList<AcpSessionListing> listed;
        driver.client().listSessions(m_folder.path(), [&](const auto &r) { listed = r ? *r : listed; });
        QTRY_COMPARE(listed.size(), 1);
        driver.client().closeSession(driver.sessionId, [&](const Result<> &r) { answers += r.ok(); });
        QTRY_COMPARE(answers, 3);
        driver.prompt(QStringLiteral("into nothing"));
        QVERIFY(driver.turn.has_value() && !driver.turn->ok());
        QCOMPARE(driver.turn->error().key(), QStringLiteral("state.conflict"));
    }

    void loadReplays()
    {
        AgentDriver driver;
        begin(driver, "ok");
        std::optional<Result<AcpSession>> loaded;
        driver.client().loadSession(QStringLiteral("old"), m_folder.path(), [&](const Result<AcpSession> &r) {
            // The history came before.
            QCOMPARE(driver.all<UserChunk>().size(), 1);
            loaded = r;
        });
        QTRY_VERIFY(loaded.has_value());
        QVERIFY(loaded->ok());
        QCOMPARE(driver.text(), QStringLiteral("earlier answer"));
    }

    void onePromptAtATime()
    {
        AgentDriver driver(brief(), quick());
        begin(driver, "slow");
        driver.prompt(QStringLiteral("one"));
        std::optional<Result<AcpTurn>> second;
        driver.client().prompt(driver.sessionId, {AcpBlock::fromText(QStringLiteral("two"))}, [&](const auto &r) { second = r; });
        QVERIFY(second.has_value() && !second->ok());
        QCOMPARE(second->error().key(), QStringLiteral("state.conflict"));
        // 1.2 s of words every 100 ms: longer than the idle limit, and never idle.
        QTRY_VERIFY_WITH_TIMEOUT(driver.turn.has_value(), 5000);
        QVERIFY(driver.turn->ok());
    }

    void permission_data()
    {
        QTest::addColumn<QString>("option");
        QTest::addColumn<QString>("said");
        QTest::addColumn<QString>("status");
        QTest::addColumn<QString>("stop");
        QTest::newRow("allow") << QStringLiteral("yes") << QStringLiteral("answer: yes") << QStringLiteral("completed") << QStringLiteral("end_turn");
        QTest::newRow("reject") << QStringLiteral("no") << QStringLiteral("answer: no") << QStringLiteral("failed") << QStringLiteral("end_turn");
        QTest::newRow("cancel") << QString() << QString() << QStringLiteral("cancelled") << QStringLiteral("cancelled");
    }
    void permission()
    {
        QFETCH(QString, option);
        QFETCH(QString, said);
        QFETCH(QString, status);
        QFETCH(QString, stop);
        AgentDriver driver(brief(), quick());
        begin(driver, "permission");
        driver.prompt(QStringLiteral("write"));
        QTRY_COMPARE(driver.permissions.size(), 1);
        const AcpPermission asked = driver.permissions.first().permission;
        // The row was there before the question, though the agent never announced it.
        QCOMPARE(driver.call(QStringLiteral("call-1")).title, QStringLiteral("Write NOTES.md"));
        QCOMPARE(asked.call.kind, QStringLiteral("edit"));
        const auto *diff = std::get_if<ToolDiff>(&asked.call.content.first());
        QVERIFY(diff && !diff->oldText && diff->newText.text == QStringLiteral("notes\n"));
        QCOMPARE(asked.ask.options.size(), 2);

        // A person may take longer than the idle limit.
        QTest::qWait(1000);
        QVERIFY(!driver.turn);

        QCOMPARE(driver.client().answerPermission(asked.ask.requestId, QStringLiteral("maybe")).error().key(), QStringLiteral("input.invalid"));
        if (option.isEmpty()) {
            driver.client().cancel(driver.sessionId);
            QCOMPARE(driver.withdrawn, QStringList(asked.ask.requestId));
        } else {
            QVERIFY(driver.client().answerPermission(asked.ask.requestId, option));
        }
        QCOMPARE(driver.client().answerPermission(asked.ask.requestId, QStringLiteral("yes")).error().key(), QStringLiteral("state.conflict"));
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE((*driver.turn)->stopReason, stop);
        QVERIFY(!(*driver.turn)->agentEnded);
        QCOMPARE(driver.text(), said);
        QCOMPARE(driver.call(QStringLiteral("call-1")).status, status);
    }

    void twoPermissionsAtOnce()
    {
        AgentDriver driver(brief(), quick());
        begin(driver, "twopermissions");
        driver.prompt(QStringLiteral("write"));
        QTRY_COMPARE(driver.permissions.size(), 2);
        QVERIFY(driver.client().answerPermission(driver.permissions[1].permission.ask.requestId, QStringLiteral("no")));
        driver.client().cancel(driver.sessionId);
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE(driver.text(), QStringLiteral("b=no a=cancelled"));
    }

    void strangeMessages()
    {
        AgentDriver driver;
        begin(driver, "strange");
        driver.prompt(QStringLiteral("go"));
        QTRY_VERIFY(driver.turn.has_value());
        QVERIFY(driver.turn->ok());
        QCOMPARE(driver.text(), QStringLiteral("-32601 cancel"));
        QCOMPARE(driver.all<AgentNotice>().size(), 1);
        QCOMPARE(driver.client().counts().unknownRequests, 1);
        QCOMPARE(driver.client().counts().unknownUpdates, 3);
        QCOMPARE(driver.client().counts().unmatchedResponses, 2);
    }

    void toolRows()
    {
        AgentDriver driver;
        begin(driver, "toolupdates");
        driver.prompt(QStringLiteral("go"));
        QTRY_VERIFY(driver.turn.has_value());
        const ToolCall call = driver.call(QStringLiteral("t1"));
        QCOMPARE(call.title, QStringLiteral("Run ls"));
        QCOMPARE(call.kind, QStringLiteral("execute"));
        QCOMPARE(call.status, QStringLiteral("completed"));
        QCOMPARE(call.rawInput->text, QStringLiteral("{\"cmd\":\"ls\"}"));
        QCOMPARE(call.content.size(), 1);
        QCOMPARE(std::get<ToolText>(call.content.first()).text.text, QStringLiteral("one\ntwo\n"));
        QCOMPARE(call.locations.first().line, std::optional<qint64>(3));
        QVERIFY(call.endedAt.has_value());
        // What the agent left open is over with its turn.
        QCOMPARE(driver.call(QStringLiteral("t2")).status, QStringLiteral("failed"));
        const auto rows = driver.all<ToolCallUpsert>();
        QCOMPARE(rows.size(), 7); // the update that carried only `_meta` is none
        QVERIFY(rows.first().isNew && !rows[1].isNew);
        QCOMPARE(driver.all<PlanUpdate>().constFirst().entries.first().status, QStringLiteral("completed"));
        QCOMPARE(driver.all<UsageUpdate>().constFirst().usage.contextUsed, std::optional<qint64>(120));
        QCOMPARE(driver.all<UsageUpdate>().constFirst().usage.costUsd, std::optional<double>(0.5));
        QCOMPARE(driver.all<ModeUpdate>().constFirst().modeId, QStringLiteral("plan"));
    }

    void login()
    {
        AgentDriver driver;
        driver.start(scriptedAgent(), {QStringLiteral("login")}, m_folder.path());
        QTRY_VERIFY(driver.started.has_value());
        QVERIFY(!driver.open(m_folder.path()));
        QCOMPARE(driver.session->error().key(), QStringLiteral("agent.needs_login"));
        QVERIFY(!driver.session->error().action.isEmpty());
        std::optional<Result<>> loggedIn;
        driver.client().authenticate(QStringLiteral("key"), [&](const Result<> &r) { loggedIn = r; });
        QTRY_VERIFY(loggedIn.has_value() && loggedIn->ok());

        AgentDriver late;
        begin(late, "latelogin");
        late.prompt(QStringLiteral("hello"));
        QTRY_VERIFY(late.turn.has_value());
        QCOMPARE(late.turn->error().key(), QStringLiteral("agent.needs_login"));
    }

    void refusedAsRoot()
    {
        AgentDriver driver;
        driver.start(scriptedAgent(), {QStringLiteral("rootless")}, m_folder.path());
        QTRY_VERIFY(driver.started.has_value());
        QVERIFY(!driver.open(m_folder.path()));
        QCOMPARE(driver.session->error().key(), QStringLiteral("agent.refused_as_root"));
    }

    // What cannot become an agent: program, mode, error, and whether the process has to be gone afterwards.
    void badStart_data()
    {
        QTest::addColumn<QString>("program");
        QTest::addColumn<QString>("mode");
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("detail");
        QTest::newRow("missing") << QStringLiteral("/nowhere/agent") << QString() << QStringLiteral("agent.not_installed") << QString();
        QTest::newRow("not executable") << QStringLiteral("/etc/passwd") << QString() << QStringLiteral("agent.crashed") << QString();
        QTest::newRow("exits") << scriptedAgent() << QStringLiteral("exit") << QStringLiteral("agent.crashed") << QStringLiteral("cannot start: no configuration");
        QTest::newRow("garbage") << scriptedAgent() << QStringLiteral("garbage") << QStringLiteral("agent.protocol") << QStringLiteral("Welcome");
        QTest::newRow("garbage for ever") << scriptedAgent() << QStringLiteral("garbageflood") << QStringLiteral("agent.protocol") << QStringLiteral("Welcome");
        QTest::newRow("silent") << scriptedAgent() << QStringLiteral("silent") << QStringLiteral("agent.timeout") << QString();
        QTest::newRow("version 2") << scriptedAgent() << QStringLiteral("version2") << QStringLiteral("agent.protocol") << QString();
    }
    void badStart()
    {
        QFETCH(QString, program);
        QFETCH(QString, mode);
        QFETCH(QString, key);
        QFETCH(QString, detail);
        AgentDriver driver(brief(), quick());
        driver.start(program, {mode}, m_folder.path());
        QTRY_VERIFY(driver.started.has_value());
        QVERIFY(!driver.started->ok());
        const Error error = driver.started->error();
        QCOMPARE(error.key(), key);
        QVERIFY2(!error.message.isEmpty() && !error.action.isEmpty(), qPrintable(error.message));
        QVERIFY2(error.detail.contains(detail), qPrintable(error.detail));
        if (driver.client().identity().isValid()) {
            QTRY_VERIFY(driver.exit.has_value());
            QVERIFY(driver.endError.has_value());
            QVERIFY(!isSameProcess(driver.client().identity()));
        }
    }

    void crashInTurn()
    {
        AgentDriver driver(brief(), quick());
        begin(driver, "crash");
        driver.prompt(QStringLiteral("go"));
        QTRY_VERIFY(driver.exit.has_value());
        QVERIFY(driver.turn.has_value() && !driver.turn->ok());
        QCOMPARE(driver.turn->error().key(), QStringLiteral("agent.crashed"));
        QVERIFY(driver.turn->error().detail.contains(QStringLiteral("about to crash")));
        QCOMPARE(driver.exit->signal, SIGSEGV);
        QCOMPARE(driver.endError->key(), QStringLiteral("agent.crashed"));
        // Nothing waits for ever on an agent that is gone.
        driver.prompt(QStringLiteral("again"));
        QVERIFY(driver.turn.has_value() && !driver.turn->ok());
    }

    void closedOutput()
    {
        AgentDriver driver(brief(), quick());
        driver.start(scriptedAgent(), {QStringLiteral("closeoutput")}, m_folder.path());
        QTRY_VERIFY(driver.started.has_value() && driver.started->ok());
        QTRY_VERIFY(driver.exit.has_value());
        QCOMPARE(driver.endError->key(), QStringLiteral("agent.protocol"));
    }

    void hugeLine()
    {
        AgentDriver driver({}, quick());
        begin(driver, "hugeline");
        driver.prompt(QStringLiteral("go"));
        QTRY_VERIFY_WITH_TIMEOUT(driver.exit.has_value(), 20000);
        QCOMPARE(driver.turn->error().key(), QStringLiteral("agent.protocol"));
    }

    void idleWatchdog()
    {
        AgentDriver driver(brief(), quick());
        begin(driver, "mute");
        QElapsedTimer clock;
        clock.start();
        driver.prompt(QStringLiteral("go"));
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE(driver.turn->error().key(), QStringLiteral("agent.timeout"));
        QVERIFY(clock.elapsed() >= 1100); // idle limit, then the grace of its cancel
        QTRY_VERIFY(driver.exit.has_value());
        QVERIFY(driver.exit->asked);
    }

    void cancelIgnored()
    {
        AgentDriver driver(brief(), quick());
        begin(driver, "deaf");
        driver.prompt(QStringLiteral("go"));
        QTRY_COMPARE(driver.text(), QStringLiteral("working"));
        driver.client().cancel(driver.sessionId);
        driver.client().cancel(driver.sessionId);
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE((*driver.turn)->stopReason, QStringLiteral("cancelled"));
        QVERIFY((*driver.turn)->agentEnded);
        QCOMPARE(driver.exit->signal, SIGKILL);
        QCOMPARE(driver.endError->key(), QStringLiteral("agent.timeout"));
    }

    void floodIsBounded()
    {
        AgentDriver driver;
        begin(driver, "flood");
        qint64 heard = 0;
        driver.client().disconnect(&driver);
        connect(&driver.client(), &AcpClient::update, this, [&](const QString &, const AcpUpdate &update) {
            if (const auto *chunk = std::get_if<AgentChunk>(&update))
                heard += chunk->text.size();
        });
        QElapsedTimer clock;
        qint64 longest = 0;
        QTimer beat; // other work of this thread goes on meanwhile
        connect(&beat, &QTimer::timeout, this, [&] { longest = std::max(longest, clock.restart()); });
        beat.start(0);
        clock.start();
        driver.prompt(QStringLiteral("go"));
        // Paused, it waits on its pipe.
        QTRY_VERIFY_WITH_TIMEOUT(heard > 1000000, 20000);
        driver.client().setPaused(true);
        QTest::qWait(50);
        const qint64 before = heard;
        QTest::qWait(200);
        QCOMPARE(heard, before);
        driver.client().setPaused(false);
        longest = 0;
        QTRY_VERIFY_WITH_TIMEOUT(driver.turn.has_value(), 50000);
        QCOMPARE(heard, qint64(100000000));
        QVERIFY2(longest < 250, qPrintable(QString::number(longest)));
    }
};

QTEST_GUILESS_MAIN(TestAcpClient)
#include "tst_acpclient.moc"
