// Which agents are found, what is said about them, and that nothing runs unasked.
#include "tests/backend_agents/agentdriver.h"

#include "backend/agents/agentdiscovery.h"
#include "backend/agents/agentinstall.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::scriptedAgent;

class TestAgentDiscovery : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;
    DiscoveryConfig m_config;

    QString path(const char *name) const { return m_folder->filePath(QString::fromLatin1(name)); }
    void program(const QString &file, const QString &body)
    {
        QDir().mkpath(QFileInfo(file).path());
        QFile out(file);
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write("#!/bin/sh\n" + body.toUtf8() + '\n');
        out.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    }
    void agentProgram(const QString &file, const QString &mode)
    {
        // Leaves a trace when it is run.
        program(file, QStringLiteral("echo run >> '%1'\nexec '%2' %3").arg(path("runs"), scriptedAgent(), mode));
    }
    int runs() const
    {
        QFile trace(path("runs"));
        return trace.open(QIODevice::ReadOnly) ? int(trace.readAll().count('\n')) : 0;
    }
    static AgentId id(const char *text) { return AgentId(QString::fromLatin1(text)); }
    static void scan(AgentDiscovery &discovery)
    {
        QSignalSpy found(&discovery, &AgentDiscovery::agentsFound);
        discovery.scan();
        discovery.scan();
        QVERIFY(found.wait());
        QCOMPARE(found.size(), 1);
    }

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        QDir().mkpath(path("bin"));
        QDir().mkpath(path("data"));
        m_config = {};
        m_config.dataDirectory = path("data");
        m_config.programDirectory = path("programs");
        m_config.environment = QProcessEnvironment::systemEnvironment();
        m_config.environment.insert(QStringLiteral("PATH"), path("bin") + QStringLiteral(":relative:/usr/bin:/bin"));
        m_config.probeDeadlineMs = 1500;
        program(path("bin/node"), QStringLiteral("echo v22.1.0"));
        agentProgram(path("programs/foundry-runner"), QStringLiteral("ok"));
    }

    void nothingButTheRunner()
    {
        AgentDiscovery discovery(m_config);
        scan(discovery);
        QCOMPARE(discovery.agents().size(), 6);
        for (const Agent &agent : discovery.agents()) {
            const bool runner = agent.id == builtinRunnerId();
            QCOMPARE(agent.state.text(), runner ? QStringLiteral("ready") : QStringLiteral("not_installed"));
            QCOMPARE(agent.source == AgentSource::Builtin, runner);
            QVERIFY(runner || agent.install->bytes > 0);
        }
        QVERIFY(discovery.specFor(builtinRunnerId(), path("data")));
        QCOMPARE(discovery.specFor(id("codex"), path("data")).error().key(), QStringLiteral("agent.not_installed"));
        QCOMPARE(discovery.specFor(id("unheard-of"), path("data")).error().key(), QStringLiteral("agent.not_installed"));
    }

    void foundAgentsAreNotRun()
    {
        agentProgram(path("bin/codex-acp"), QStringLiteral("ok"));
        program(path("bin/claude"), QStringLiteral("exit 1"));
        AgentDiscovery discovery(m_config);
        scan(discovery);
        QCOMPARE(discovery.agent(id("codex"))->state.text(), QStringLiteral("unconfirmed"));
        QCOMPARE(discovery.agent(id("codex"))->source.text(), QStringLiteral("path"));
        QCOMPARE(discovery.agent(id("claude"))->state.text(), QStringLiteral("adapter_missing"));
        QCOMPARE(discovery.specFor(id("codex"), path("data")).error().key(), QStringLiteral("agent.unconfirmed"));
        QCOMPARE(discovery.specFor(id("claude"), path("data")).error().key(), QStringLiteral("agent.adapter_missing"));
        std::optional<Result<Agent>> probed;
        discovery.probe(id("codex"), [&](const auto &r) { probed = r; });
        QTRY_VERIFY(probed.has_value());
        QCOMPARE(probed->error().key(), QStringLiteral("agent.unconfirmed"));
        QTest::qWait(200);
        QCOMPARE(runs(), 0);
    }

    void confirm()
    {
        agentProgram(path("bin/codex-acp"), QStringLiteral("ok"));
        AgentDiscovery discovery(m_config);
        scan(discovery);
        QSignalSpy changed(&discovery, &AgentDiscovery::agentChanged);
        int answers = 0;
        for (int i = 0; i < 2; ++i) {
            discovery.confirm(id("codex"), [&](const Result<Agent> &r) {
                ++answers;
                QVERIFY(r.ok());
                QCOMPARE(r->state.text(), QStringLiteral("ready"));
            });
        }
        QTRY_COMPARE(answers, 2);
        QCOMPARE(runs(), 1); // asked twice, run once
        QVERIFY(!changed.isEmpty());
        QVERIFY(discovery.agent(id("codex"))->detail->contains(QStringLiteral("1.0")));
        QCOMPARE(discovery.agent(id("codex"))->lastOptions->models.size(), 2);
        QCOMPARE(discovery.agent(id("codex"))->lastOptions->modes.size(), 2);
        const auto spec = discovery.specFor(id("codex"), path("data"));
        QVERIFY(spec.ok());
        QCOMPARE(spec->environment.value(QStringLiteral("INITIAL_AGENT_MODE")), QStringLiteral("read-only"));
        discovery.noteState(id("codex"), AgentState::NeedsLogin, QStringLiteral("log in"));
        QCOMPARE(discovery.agent(id("codex"))->state.text(), QStringLiteral("needs_login"));
        scan(discovery);
        QCOMPARE(discovery.agent(id("codex"))->state.text(), QStringLiteral("needs_login"));
        QCOMPARE(runs(), 1);
    }

    void badProbe_data()
    {
        QTest::addColumn<QString>("mode");
        QTest::addColumn<QString>("key");
        QTest::newRow("garbage") << QStringLiteral("garbage") << QStringLiteral("agent.protocol");
        QTest::newRow("exits") << QStringLiteral("exit") << QStringLiteral("agent.crashed");
        QTest::newRow("silent") << QStringLiteral("silent") << QStringLiteral("agent.timeout");
        QTest::newRow("login") << QStringLiteral("login") << QStringLiteral("agent.needs_login");
    }
    void badProbe()
    {
        QFETCH(QString, mode);
        QFETCH(QString, key);
        agentProgram(path("mine"), mode);
        AgentDiscovery discovery(m_config);
        discovery.setCustomAgents({customAgentRow(id("mine"), QStringLiteral("My agent"), path("mine"), {})});
        scan(discovery);
        QCOMPARE(discovery.agent(id("mine"))->source.text(), QStringLiteral("custom"));
        std::optional<Result<Agent>> probed;
        discovery.confirm(id("mine"), [&](const auto &r) { probed = r; });
        QTRY_VERIFY(probed.has_value());
        QCOMPARE(probed->error().key(), key);
        QCOMPARE(discovery.agent(id("mine"))->state.text(), mode == QStringLiteral("login") ? QStringLiteral("needs_login") : QStringLiteral("broken"));
        QVERIFY(!discovery.agent(id("mine"))->detail->isEmpty());
    }

    void oldNode()
    {
        agentProgram(path("bin/claude-agent-acp"), QStringLiteral("ok"));
        program(path("bin/node"), QStringLiteral("echo v18.20.4"));
        AgentDiscovery discovery(m_config);
        discovery.setConfirmed({id("claude")});
        scan(discovery);
        QCOMPARE(discovery.agent(id("claude"))->state.text(), QStringLiteral("broken"));
        QCOMPARE(discovery.agent(id("claude"))->needsNode, std::optional<QString>(QStringLiteral("22")));
        QVERIFY(discovery.agent(id("claude"))->detail->contains(QStringLiteral("18.20.4")));
        QCOMPARE(discovery.specFor(id("claude"), path("data")).error().key(), QStringLiteral("agent.needs_node"));
        // Measured to run with 20, though it declares 22: usable, and said.
        program(path("bin/node"), QStringLiteral("echo v20.1.0"));
        scan(discovery);
        QCOMPARE(discovery.agent(id("claude"))->state.text(), QStringLiteral("ready"));
        QCOMPARE(discovery.agent(id("claude"))->needsNode, std::optional<QString>(QStringLiteral("22")));
    }

    // An adapter that refuses root says so in its own words; they become a sentence with a way on.
    void refusedAsRoot()
    {
        agentProgram(path("bin/claude-agent-acp"), QStringLiteral("rootless"));
        AgentDiscovery discovery(m_config);
        scan(discovery);
        std::optional<Result<Agent>> probed;
        discovery.confirm(id("claude"), [&](const auto &r) { probed = r; });
        QTRY_VERIFY(probed.has_value());
        QCOMPARE(probed->error().key(), QStringLiteral("agent.refused_as_root"));
        QVERIFY(probed->error().action.contains(QStringLiteral("IS_SANDBOX=1")));
        QCOMPARE(discovery.agent(id("claude"))->state.text(), QStringLiteral("broken"));
        QVERIFY(discovery.agent(id("claude"))->detail->contains(QStringLiteral("ordinary user")));
    }

    void ownCopyFirst()
    {
        agentProgram(path("bin/opencode"), QStringLiteral("ok"));
        const QString own = path("data") + QStringLiteral("/agents/opencode/node_modules/.bin/opencode");
        agentProgram(own, QStringLiteral("ok"));
        m_config.environment.insert(QStringLiteral("OPENCODE_CONFIG_CONTENT"), QString::fromLatin1(R"({"model":"mine","autoupdate":true})"));
        AgentDiscovery discovery(m_config);
        discovery.setConfirmed({id("opencode")});
        scan(discovery);
        QCOMPARE(discovery.agent(id("opencode"))->source.text(), QStringLiteral("installed"));
        const auto spec = discovery.specFor(id("opencode"), path("data"));
        QCOMPARE(spec->program, own);
        QCOMPARE(spec->args, QStringList(QStringLiteral("acp")));
        const QJsonObject config
            = QJsonDocument::fromJson(spec->environment.value(QStringLiteral("OPENCODE_CONFIG_CONTENT")).toUtf8()).object();
        QCOMPARE(config.value(QStringLiteral("model")).toString(), QStringLiteral("mine"));
        QCOMPARE(config.value(QStringLiteral("autoupdate")).toBool(), true); // the user's own word
        QCOMPARE(config.value(QStringLiteral("permission")).toObject().value(QStringLiteral("edit")).toString(), QStringLiteral("ask"));
    }

    // npm is a stand-in here: what it is asked for, and what becomes of its end.
    void install()
    {
        program(path("bin/npm"), QStringLiteral("echo \"$@\"\nmkdir -p \"$3/node_modules/.bin\"\n"
                                                "printf '#!/bin/sh\\n' > \"$3/node_modules/.bin/codex-acp\"\nchmod +x \"$3/node_modules/.bin/codex-acp\""));
        AgentInstaller installer(path("data"), m_config.environment);
        QStringList lines;
        connect(&installer, &AgentInstaller::progress, this, [&](const QString &line) { lines.append(line); });
        std::optional<Result<QString>> done;
        for (int round = 0; round < 2; ++round) { // the second replaces the first
            done.reset();
            installer.install(*findAgentRow(id("codex")), [&](const auto &r) { done = r; });
            QTRY_VERIFY(done.has_value());
            QVERIFY2(done->ok(), done->ok() ? "" : qPrintable(done->error().detail));
            QVERIFY(QFileInfo(**done).isExecutable());
        }
        QVERIFY(lines.first().contains(QStringLiteral("@agentclientprotocol/codex-acp@2.6.0")));
        AgentDiscovery discovery(m_config);
        scan(discovery);
        QCOMPARE(discovery.agent(id("codex"))->source.text(), QStringLiteral("installed"));
    }

    void installFails_data()
    {
        QTest::addColumn<QString>("npm");
        QTest::addColumn<QString>("key");
        QTest::newRow("error") << QStringLiteral("echo 404 Not Found >&2; exit 1") << QStringLiteral("agent.install_failed");
        QTest::newRow("nothing there") << QStringLiteral("exit 0") << QStringLiteral("agent.install_failed");
        QTest::newRow("hangs") << QStringLiteral("sleep 100 & wait") << QStringLiteral("agent.timeout");
        QTest::newRow("cancelled") << QStringLiteral("echo started; sleep 100") << QStringLiteral("agent.cancelled");
        QTest::newRow("no npm") << QString() << QStringLiteral("agent.npm_missing");
    }
    void installFails()
    {
        QFETCH(QString, npm);
        QFETCH(QString, key);
        if (npm.isEmpty())
            m_config.environment.insert(QStringLiteral("PATH"), path("bin"));
        else
            program(path("bin/npm"), npm);
        AgentInstaller installer(path("data"), m_config.environment);
        installer.setDeadline(key == QStringLiteral("agent.timeout") ? 300 : 30000);
        connect(&installer, &AgentInstaller::progress, &installer, [&](const QString &line) {
            if (line == QStringLiteral("started"))
                installer.cancel();
        });
        std::optional<Result<QString>> done;
        installer.install(*findAgentRow(id("codex")), [&](const auto &r) { done = r; });
        QTRY_VERIFY(done.has_value());
        QCOMPARE(done->error().key(), key);
        QVERIFY(!installer.isRunning());
        if (key == QStringLiteral("agent.install_failed") && npm.contains(QStringLiteral("404")))
            QVERIFY(done->error().detail.contains(QStringLiteral("404")));
        QTRY_VERIFY(QDir(path("data/agents")).entryList(QDir::Dirs | QDir::NoDotAndDotDot).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestAgentDiscovery)
#include "tst_agentdiscovery.moc"
