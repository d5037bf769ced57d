// An agent that is installed for a task: npm's progress is the stage's, the task goes on by itself, and what goes wrong is
// said there. npm is a program of the test that waits, fails and hangs as it is told.
#include "tests/backend_actors/domainharness.h"

#include <QDir>
#include <QFile>

#include <csignal>

using namespace foundry;
using foundry::test::DomainHarness;

class tst_AgentStage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void goesOnByItself_data();
    void goesOnByItself();
    void networkIsTriedAgain();
    void hangs();
    void cancelledWithoutATask();
    void deadlines();

private:
    void start()
    {
        m_host->start();
        m_repo = m_host->addRepository(m_repository);
    }
    bool install() { return m_host->command(m_host->organization(), QStringLiteral("installAgent"), InstallAgent{{}, m_agent}).ok(); }
    DomainHarness::Made create()
    {
        return m_host->createTask(m_repo, QStringLiteral("hello"), [this](CreateTask &task) { task.agent = m_agent; });
    }
    Stage stage(const DomainHarness::Made &made) { return m_host->stage(made.address, QStringLiteral("agent:opencode/agent_installing")).value_or(Stage{}); }
    Agent agent()
    {
        for (const Agent &row : m_host->rows<Agent>(m_host->organization(), QStringLiteral("organization"))) {
            if (row.id == m_agent)
                return row;
        }
        return {};
    }
    void tell(const char *file, const QByteArray &words = "yes\n") { m_host->git.write(m_host->git.root(), QString::fromLatin1(file), words); }
    qsizetype runs() { return m_host->git.read(m_host->git.root(), QStringLiteral("npm-runs")).count('\n'); }

    QByteArray m_path;
    std::unique_ptr<DomainHarness> m_host;
    QString m_repository;
    RepoId m_repo;
    const AgentId m_agent{QStringLiteral("opencode")}; // of the catalogue, and needs no node
};

void tst_AgentStage::init()
{
    m_path = qgetenv("PATH");
    m_host = std::make_unique<DomainHarness>();
    m_repository = m_host->git.makeRepository(QStringLiteral("project"));
    const QByteArray root = m_host->git.root().toUtf8();
    m_host->git.write(m_host->git.root(), QStringLiteral("bin/npm"),
        "#!/bin/sh\nroot='" + root + "'\necho $$ >>\"$root/npm-runs\"\n"
        "while [ $# -gt 0 ]; do if [ \"$1\" = --prefix ]; then dir=$2; fi; last=$1; shift; done\n"
        "echo \"npm http fetch GET 200 https://registry.example/$last 12ms\"\n"
        "while [ ! -f \"$root/go\" ]; do\n"
        "if [ -s \"$root/fail\" ]; then cat \"$root/fail\"; rm \"$root/fail\"; exit 1; fi\n" // once
        "sleep 0.05; done\n"
        "mkdir -p \"$dir/node_modules/.bin\"\n"
        "printf '#!/bin/sh\\nexec \"%s\" ok\\n' '" + qgetenv("SCRIPTED_AGENT") + "' >\"$dir/node_modules/.bin/opencode\"\n"
        "chmod +x \"$dir/node_modules/.bin/opencode\"\n",
        true);
    qputenv("PATH", root + "/bin:" + m_path);
}

void tst_AgentStage::cleanup()
{
    m_host.reset();
    qputenv("PATH", m_path);
    qunsetenv("FOUNDRY_STAGE_DEADLINES");
}

void tst_AgentStage::goesOnByItself_data()
{
    QTest::addColumn<bool>("taskFirst");
    QTest::addColumn<bool>("restart");
    QTest::addRow("the installation is under way") << false << false;
    QTest::addRow("the task failed for want of it") << true << false;
    QTest::addRow("the host is restarted meanwhile") << false << true;
    QTest::addRow("failed, then restarted") << true << true;
}

void tst_AgentStage::goesOnByItself()
{
    QFETCH(bool, taskFirst);
    QFETCH(bool, restart);
    start();
    DomainHarness::Made made;
    if (taskFirst) {
        made = create();
        QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
        QCOMPARE(m_host->session(made.address, made.session)->error->key(), QStringLiteral("agent.not_installed"));
        if (restart) {
            m_host->stop();
            m_host->start();
        }
        QVERIFY(install());
    } else {
        QVERIFY(install());
        QVERIFY2(agent().detail.value_or(QString()).startsWith(QLatin1StringView("Installing")), qPrintable(agent().detail.value_or(QString())));
        made = create();
    }
    QVERIFY(!made.error);
    QTRY_COMPARE_WITH_TIMEOUT(stage(made).state.text(), QStringLiteral("running"), 10000);
    QTRY_COMPARE(runs(), 1);
    if (restart && !taskFirst) {
        m_host->stop();
        m_host->start();
        QTRY_COMPARE_WITH_TIMEOUT(runs(), 2, 10000);
        QTRY_COMPARE_WITH_TIMEOUT(stage(made).state.text(), QStringLiteral("running"), 10000);
    }
    QVERIFY(!m_host->session(made.address, made.session)->error);
    tell("go");
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(stage(made).state.text(), QStringLiteral("skipped")); // found, when its turn came
    QTRY_COMPARE(agent().state.text(), QStringLiteral("ready"));
    QCOMPARE(agent().source.text(), QStringLiteral("installed"));
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared"))->attempt, 1);
}

// A network read may be tried again unasked, as a recorded attempt that says why.
void tst_AgentStage::networkIsTriedAgain()
{
    start();
    QVERIFY(install());
    const auto made = create();
    QTRY_COMPARE_WITH_TIMEOUT(stage(made).state.text(), QStringLiteral("running"), 10000);
    tell("fail", "npm error code ENOTFOUND\nnpm error network request failed\n");
    QTRY_VERIFY_WITH_TIMEOUT(agent().detail.value_or(QString()).contains(QLatin1StringView("cannot reach its registry")), 10000);
    QVERIFY2(agent().detail.value_or(QString()).contains(QLatin1StringView("1 of 2")), qPrintable(agent().detail.value_or(QString())));
    QTRY_COMPARE(stage(made).state.text(), QStringLiteral("running"));
    tell("go");
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(runs(), 2);
    QVERIFY(QFile::remove(m_host->git.path(QStringLiteral("go"))));
    // Anything else is not: it is said at once.
    m_host->stop();
    QVERIFY(QDir(m_host->dataDir() + QStringLiteral("/agents/opencode")).removeRecursively());
    m_host->start();
    QTRY_COMPARE(agent().state.text(), QStringLiteral("not_installed"));
    QVERIFY(install());
    const auto second = create();
    QTRY_COMPARE_WITH_TIMEOUT(stage(second).state.text(), QStringLiteral("running"), 10000);
    QTRY_VERIFY(stage(second).message.has_value()); // it waits for npm
    tell("fail", "npm error code E404\n");
    QVERIFY(m_host->waitForStatus(second, SessionStatus::Error));
    QCOMPARE(m_host->session(second.address, second.session)->error->key(), QStringLiteral("agent.install_failed"));
    QVERIFY(m_host->session(second.address, second.session)->error->detail.contains(QLatin1StringView("E404")));
    QCOMPARE(runs(), 3);
    // Whoever comes later is told that it is not there, and why.
    const auto third = create();
    QVERIFY(m_host->waitForStatus(third, SessionStatus::Error));
    QCOMPARE(m_host->session(third.address, third.session)->error->key(), QStringLiteral("agent.not_installed"));
    QVERIFY(m_host->session(third.address, third.session)->error->detail.contains(QLatin1StringView("E404")));
    QCOMPARE(runs(), 3);
}

// npm hangs: everything answers, and a cancelled task ends it.
void tst_AgentStage::hangs()
{
    start();
    QVERIFY(install());
    const auto made = create();
    QTRY_COMPARE(runs(), 1);
    QTRY_COMPARE_WITH_TIMEOUT(stage(made).state.text(), QStringLiteral("running"), 10000);
    QTRY_VERIFY(stage(made).message.has_value());
    const pid_t npm = pid_t(m_host->git.read(m_host->git.root(), QStringLiteral("npm-runs")).trimmed().toLongLong());
    QCOMPARE(::kill(npm, 0), 0);
    double ms = 0;
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{}, &ms).ok());
    QVERIFY(ms < 500);
    QCOMPARE(stage(made).state.text(), QStringLiteral("cancelled"));
    QTRY_VERIFY_WITH_TIMEOUT(::kill(npm, 0) != 0, 10000);
    QTRY_VERIFY(agent().detail.value_or(QString()).contains(QLatin1StringView("cancelled")));
    QVERIFY(!QFileInfo::exists(m_host->dataDir() + QStringLiteral("/agents/opencode")));
}

void tst_AgentStage::cancelledWithoutATask()
{
    start();
    QVERIFY(install());
    QTRY_COMPARE(runs(), 1);
    const pid_t npm = pid_t(m_host->git.read(m_host->git.root(), QStringLiteral("npm-runs")).trimmed().toLongLong());
    QCOMPARE(::kill(npm, 0), 0);
    const auto cancel = [&](const QString &job) {
        CancelJob command;
        command.jobId = job;
        return m_host->command(m_host->organization(), QStringLiteral("cancelJob"), command);
    };
    QCOMPARE(cancel(QStringLiteral("install:nobody")).error().key(), QStringLiteral("input.invalid"));
    const auto cancelled = cancel(QStringLiteral("install:opencode"));
    QVERIFY2(cancelled, cancelled ? "" : qPrintable(cancelled.error().message));
    QCOMPARE(protocol::decodeValue<JobAnswer>(*cancelled)->job.status.text(), QStringLiteral("cancelled"));
    QVERIFY(agent().detail.value_or(QString()).contains(QLatin1StringView("cancelled")));
    QTRY_VERIFY_WITH_TIMEOUT(::kill(npm, 0) != 0, 10000);
    QCOMPARE(cancel(QStringLiteral("install:opencode")).error().key(), QStringLiteral("state.conflict"));
    // And it can be begun again.
    tell("go");
    QVERIFY(install());
    QTRY_COMPARE_WITH_TIMEOUT(agent().state.text(), QStringLiteral("ready"), 10000);
}

void tst_AgentStage::deadlines()
{
    qputenv("FOUNDRY_STAGE_DEADLINES", "agent_installing=0.5,repo_prepared=1200");
    start();
    QTRY_VERIFY(!agent().id.isEmpty()); // looked for: the task waits for the installation alone
    QVERIFY(install());
    const auto made = create();
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Error));
    QCOMPARE(stage(made).error->key(), QStringLiteral("state.deadline"));
    QCOMPARE(m_host->stage(made.address, QStringLiteral("sandbox/repo_prepared"))->state.text(), QStringLiteral("done"));
    // Nobody waits for it any more: it is ended. Begun again, it is there for a retry.
    QTRY_VERIFY_WITH_TIMEOUT(agent().detail.value_or(QString()).contains(QLatin1StringView("cancelled")), 10000);
    tell("go");
    QVERIFY(install());
    QTRY_COMPARE_WITH_TIMEOUT(agent().state.text(), QStringLiteral("ready"), 10000);
    QVERIFY(m_host->command(made.address, QStringLiteral("retryStage"), RetryStage{{}, QStringLiteral("agent:opencode/agent_installing")}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
}

QTEST_GUILESS_MAIN(tst_AgentStage)
#include "tst_agentstage.moc"
