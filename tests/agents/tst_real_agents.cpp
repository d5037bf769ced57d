// codex, claude and opencode from npm, each against the scripted model: the permission is asked, and allowed, rejected or
// cancelled; the file is written in the work tree, or not.
#include "tests/backend_agents/agentdriver.h"
#include "tests/agents/agentworld.h"

#include "backend/agents/agentdiscovery.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::AgentDriver;

namespace {

QString &skipReason()
{
    static QString held;
    return held;
}

} // namespace

class TestRealAgents : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    QString m_packages;
    test::ScriptedModel m_model;
    int m_trees = 0;

    static bool git(const QString &cwd, const QStringList &args)
    {
        QProcess process;
        process.setWorkingDirectory(cwd);
        process.start(QStringLiteral("git"),
            QStringList{QStringLiteral("-c"), QStringLiteral("user.name=T"), QStringLiteral("-c"), QStringLiteral("user.email=t@example.com")} + args);
        return QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, 15000) && process.exitCode() == 0;
    }
    QString freshWorktree()
    {
        const QString tree = m_folder.filePath(QStringLiteral("trees/%1").arg(++m_trees));
        return git(m_folder.filePath(QStringLiteral("repo")), {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-q"),
                   QStringLiteral("-b"), QStringLiteral("task-%1").arg(m_trees), tree})
            ? tree : QString();
    }
    // Through discovery, as the host does it: found on PATH and confirmed.
    std::unique_ptr<AgentDiscovery> discover(const QString &agent, bool withSettings)
    {
        DiscoveryConfig config;
        config.dataDirectory = m_folder.filePath(QStringLiteral("data"));
        config.environment = QProcessEnvironment::systemEnvironment();
        config.environment.insert(QStringLiteral("PATH"), m_packages + QStringLiteral("/.bin:") + config.environment.value(QStringLiteral("PATH")));
        config.environment.remove(QStringLiteral("IS_SANDBOX")); // claude's adapter works as root without it
        if (withSettings)
            config.environment = test::agentEnvironment(agent, m_model.url(), m_folder.filePath(QStringLiteral("home-") + agent), config.environment);
        auto discovery = std::make_unique<AgentDiscovery>(config);
        discovery->setConfirmed({AgentId(agent)});
        bool found = false;
        connect(discovery.get(), &AgentDiscovery::agentsFound, this, [&] { found = true; });
        discovery->scan();
        return QTest::qWaitFor([&] { return found; }) ? std::move(discovery) : nullptr;
    }
    Result<AgentSpec> specFor(const QString &agent, const QString &tree)
    {
        const auto discovery = discover(agent, true);
        if (!discovery)
            return makeError(QLatin1StringView("agent"), QLatin1StringView("timeout"), QStringLiteral("scan"));
        return discovery->specFor(AgentId(agent), tree);
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_packages = test::agentPackages(&skipReason());
        QVERIFY(!m_packages.isEmpty()); // main() skipped otherwise
        QVERIFY2(m_model.start(m_folder.filePath(QStringLiteral("model.log")), &skipReason()), qPrintable(skipReason()));
        const QString repo = m_folder.filePath(QStringLiteral("repo"));
        QDir().mkpath(repo);
        QVERIFY(git(repo, {QStringLiteral("init"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("main")}));
        QVERIFY(git(repo, {QStringLiteral("commit"), QStringLiteral("-q"), QStringLiteral("--allow-empty"), QStringLiteral("-m"), QStringLiteral("start")}));
    }

    void probe_data()
    {
        QTest::addColumn<QString>("agent");
        for (const char *agent : {"codex", "claude", "opencode"})
            QTest::newRow(agent) << QString::fromLatin1(agent);
    }
    void probe()
    {
        QFETCH(QString, agent);
        const auto discovery = discover(agent, true);
        QVERIFY(discovery);
        std::optional<Result<Agent>> probed;
        discovery->probe(AgentId(agent), [&](const auto &r) { probed = r; });
        QTRY_VERIFY_WITH_TIMEOUT(probed.has_value(), 40000);
        QVERIFY2(probed->ok(), probed->ok() ? "" : qPrintable(probed->error().message + probed->error().detail));
        QCOMPARE((*probed)->state.text(), QStringLiteral("ready"));
        QVERIFY((*probed)->lastOptions && !(*probed)->lastOptions->models.isEmpty());
        QStringList modes;
        for (const AgentChoice &mode : (*probed)->lastOptions->modes)
            modes.append(mode.id);
        const QString asking = findAgentRow(AgentId(agent))->askingMode;
        QVERIFY2(asking.isEmpty() || modes.contains(asking), qPrintable(modes.join(QLatin1Char(' '))));
    }

    void codexWithoutLogin()
    {
        const auto discovery = discover(QStringLiteral("codex"), false);
        QVERIFY(discovery);
        std::optional<Result<Agent>> probed;
        discovery->probe(AgentId(QStringLiteral("codex")), [&](const auto &r) { probed = r; });
        QTRY_VERIFY_WITH_TIMEOUT(probed.has_value(), 40000);
        QVERIFY(!probed->ok());
        QCOMPARE(probed->error().key(), QStringLiteral("agent.needs_login"));
        QCOMPARE(discovery->agent(AgentId(QStringLiteral("codex")))->state.text(), QStringLiteral("needs_login"));
    }

    void turn_data()
    {
        QTest::addColumn<QString>("agent");
        QTest::addColumn<QString>("answer");
        for (const char *agent : {"codex", "claude", "opencode"}) {
            for (const char *answer : {"allow", "reject", "cancel"})
                QTest::addRow("%s %s", agent, answer) << QString::fromLatin1(agent) << QString::fromLatin1(answer);
        }
    }
    void turn()
    {
        QFETCH(QString, agent);
        QFETCH(QString, answer);
        const QString tree = freshWorktree();
        QVERIFY(!tree.isEmpty());
        const auto spec = specFor(agent, tree);
        QVERIFY2(spec.ok(), spec.ok() ? "" : qPrintable(spec.error().message));

        QElapsedTimer clock;
        clock.start();
        AgentDriver driver;
        driver.start(*spec);
        QTRY_VERIFY_WITH_TIMEOUT(driver.started.has_value(), 30000);
        QVERIFY2(driver.started->ok(), driver.started->ok() ? "" : qPrintable(driver.started->error().message + driver.started->error().detail));
        const qint64 initMs = clock.restart();
        QVERIFY2(driver.open(tree), driver.session && !driver.session->ok()
                ? qPrintable(driver.session->error().message + driver.session->error().detail) : "no answer");
        const QString mode = findAgentRow(AgentId(agent))->askingMode;
        if (!mode.isEmpty()) {
            std::optional<Result<>> set;
            driver.client().setMode(driver.sessionId, mode, [&](const Result<> &r) { set = r; });
            QTRY_VERIFY_WITH_TIMEOUT(set.has_value(), 10000);
            QVERIFY2(set->ok(), set->ok() ? "" : qPrintable(set->error().message));
        }
        const qint64 newMs = clock.restart();

        const QString notes = tree + QStringLiteral("/NOTES.md");
        driver.prompt(QStringLiteral("Please write the notes. WRITE_TO:%1").arg(notes));
        QTRY_VERIFY_WITH_TIMEOUT(driver.permissions.size() == 1 || driver.turn.has_value(), 60000);
        QVERIFY2(driver.permissions.size() == 1, qPrintable(driver.text() + driver.client().stderrTail().right(2000)));
        const AcpPermission asked = driver.permissions.first().permission;
        QVERIFY(!asked.call.callId.isEmpty());
        QVERIFY(!asked.ask.title.isEmpty());
        QVERIFY(!QFile::exists(notes)); // it asked first
        if (answer == QStringLiteral("cancel")) {
            driver.client().cancel(driver.sessionId);
        } else {
            const QString kind = answer == QStringLiteral("allow") ? QStringLiteral("allow_once") : QStringLiteral("reject_once");
            QString chosen;
            for (const PermissionOption &option : asked.ask.options)
                chosen = option.kind == kind && chosen.isEmpty() ? option.id : chosen;
            QVERIFY2(!chosen.isEmpty(), "no such option");
            QVERIFY(driver.client().answerPermission(asked.ask.requestId, chosen));
        }
        QTRY_VERIFY_WITH_TIMEOUT(driver.turn.has_value(), 60000);
        QVERIFY2(driver.turn->ok(), driver.turn->ok() ? "" : qPrintable(driver.turn->error().message + driver.turn->error().detail));
        qInfo("%s: initialize %lld ms, session %lld ms, turn %lld ms, %s, “%s”, %lld unknown updates, %lld unknown requests", qPrintable(agent),
            initMs, newMs, clock.elapsed(), qPrintable((*driver.turn)->stopReason), qPrintable(asked.ask.title),
            driver.client().counts().unknownUpdates, driver.client().counts().unknownRequests);

        QVERIFY(!(*driver.turn)->agentEnded);
        if (answer == QStringLiteral("allow")) {
            QCOMPARE((*driver.turn)->stopReason, QStringLiteral("end_turn"));
            QFile file(notes);
            QVERIFY(file.open(QIODevice::ReadOnly));
            QCOMPARE(file.readAll().trimmed(), QByteArray("Notes by a scripted model."));
            QVERIFY2(driver.text().contains(QStringLiteral("I wrote the notes.")), qPrintable(driver.text()));
            QCOMPARE(driver.call(asked.call.callId).status, QStringLiteral("completed"));
        } else {
            QVERIFY(!QFile::exists(notes));
            const bool stopped = answer == QStringLiteral("cancel");
            if (stopped)
                QCOMPARE((*driver.turn)->stopReason, QStringLiteral("cancelled"));
            QCOMPARE(driver.call(asked.call.callId).status, stopped ? QStringLiteral("cancelled") : QStringLiteral("failed"));
        }
        // The process can go on: nothing is stuck after any of the answers.
        QVERIFY(driver.client().isReady());
        driver.client().stop();
        QTRY_VERIFY_WITH_TIMEOUT(driver.exit.has_value(), 15000);
        QVERIFY(livingMembers(driver.client().identity()).isEmpty());
    }
};

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (test::agentPackages(&skipReason()).isEmpty()) {
        std::fprintf(stderr, "SKIP: %s\n", qPrintable(skipReason()));
        return 77;
    }
    TestRealAgents test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_real_agents.moc"
