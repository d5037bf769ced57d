// codex, claude and opencode from npm in a real host, against the scripted model: two sessions at the same time, cancel at
// a permission, the host killed in the middle of a turn and the turn sent again, the agent killed.
#include "tests/agents/agentworld.h"
#include "tests/backend_actors/hostworld.h"

#include <QTemporaryDir>

using namespace foundry;

namespace {

QString &hostAgentsSkip()
{
    static QString held;
    return held;
}
constexpr int hostAgentWait = 90000;

} // namespace

class tst_HostAgents : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY2(m_model.start(m_folder.filePath(QStringLiteral("model.log")), &hostAgentsSkip()), qPrintable(hostAgentsSkip())); }
    void life_data()
    {
        QTest::addColumn<QString>("agent");
        for (const char *agent : {"codex", "claude", "opencode"})
            QTest::newRow(agent) << QString::fromLatin1(agent);
    }
    void life();

private:
    using World = test::HostWorld;
    struct Asked {
        QString request;
        QString option;
    };

    void begin(World &world, const QString &agent)
    {
        const QProcessEnvironment base = test::agentEnvironment(agent, m_model.url(), m_folder.filePath(QStringLiteral("home-") + agent), {});
        for (const QString &name : base.keys())
            world.setEnvironment(name, base.value(name));
        world.setEnvironment(QStringLiteral("PATH"), test::agentPackages(&hostAgentsSkip()) + QStringLiteral("/.bin:") + qEnvironmentVariable("PATH"));
        world.setEnvironment(QStringLiteral("IS_SANDBOX"), QStringLiteral("1")); // claude refuses to work as root otherwise
        const QString wrong = world.start();
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
        QVERIFY(world.addRepository());
        const AgentId id(agent);
        const auto state = [&] {
            for (const Agent &row : world.rows<Agent>(*world.organization, QStringLiteral("organization"))) {
                if (row.id == id)
                    return row.state.text();
            }
            return QString();
        };
        QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("unconfirmed"), hostAgentWait);
        ConfirmAgent confirm;
        confirm.agentId = id;
        QVERIFY(world.ask(*world.organization, QStringLiteral("confirmAgent"), confirm).ok());
        QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("ready"), hostAgentWait);
    }
    QString workTree(World &world)
    {
        const auto tasks = world.rows<Task>(*world.client, QStringLiteral("task"));
        return tasks.isEmpty() ? QString() : tasks.first().workTree.value_or(QString());
    }
    std::optional<Asked> asked(World &world, const SessionId &session)
    {
        for (const TranscriptEntry &entry : world.transcript(session).entries) {
            if (!entry.permission || entry.permission->answer)
                continue;
            for (const PermissionOption &option : entry.permission->options) {
                if (option.kind == QLatin1StringView("allow_once"))
                    return Asked{entry.permission->requestId, option.id};
            }
        }
        return std::nullopt;
    }
    // Sends a prompt and waits until its agent asks.
    bool untilAsked(World &world, const SessionId &session, const QString &file)
    {
        return world.send(session, QStringLiteral("Please write the notes. WRITE_TO:%1/%2").arg(workTree(world), file)).ok()
            && QTest::qWaitFor([&] { return asked(world, session).has_value(); }, hostAgentWait);
    }
    bool allow(World &world, const SessionId &session)
    {
        const auto open = asked(world, session);
        return open && world.ask(*world.client, QStringLiteral("answerPermission"), AnswerPermission{{}, session, open->request, open->option}).ok();
    }
    QString lastStop(World &world, const SessionId &session)
    {
        QString reason;
        for (const TranscriptEntry &entry : world.transcript(session).entries)
            reason = entry.turnEnd ? entry.turnEnd->stopReason : reason;
        return reason;
    }
    bool says(World &world, const SessionId &session, const char *words)
    {
        const auto entries = world.transcript(session).entries;
        return std::any_of(entries.begin(), entries.end(),
            [words](const TranscriptEntry &entry) { return entry.text.contains(QLatin1StringView(words)); });
    }

    QTemporaryDir m_folder;
    test::ScriptedModel m_model;
};

void tst_HostAgents::life()
{
    QFETCH(QString, agent);
    World world;
    begin(world, agent);
    if (QTest::currentTestFailed())
        return;
    const QString refused = world.createTask(AgentId(agent), QString());
    QVERIFY2(refused.isEmpty(), qPrintable(refused));
    const SessionId one = world.session;
    const SessionId two = makeId<SessionId>();
    QVERIFY(world.waitForStatus(one, SessionStatus::Ready, hostAgentWait));
    const QString tree = workTree(world);

    // Two sessions at the same time, in one process.
    QVERIFY(world.ask(*world.client, QStringLiteral("createSession"), CreateSession{{}, two, {}, {}, {}}).ok());
    QVERIFY(world.waitForStatus(two, SessionStatus::Ready, hostAgentWait));
    QVERIFY(untilAsked(world, one, QStringLiteral("ONE.md")));
    QVERIFY(untilAsked(world, two, QStringLiteral("TWO.md")));
    QVERIFY(asked(world, one).has_value());
    QVERIFY(allow(world, two));
    QVERIFY(world.waitForStatus(two, SessionStatus::Idle, hostAgentWait));
    QVERIFY(QFile::exists(tree + QStringLiteral("/TWO.md")));
    QVERIFY(!QFile::exists(tree + QStringLiteral("/ONE.md")));

    // Cancel at the permission of the other.
    QVERIFY(world.ask(*world.client, QStringLiteral("cancelTurn"), CancelTurn{{}, one}).ok());
    QVERIFY(world.waitForStatus(one, SessionStatus::Idle, hostAgentWait));
    QCOMPARE(lastStop(world, one), QStringLiteral("cancelled"));
    QVERIFY(!QFile::exists(tree + QStringLiteral("/ONE.md")));

    // The host dies in the middle of a turn: said, nothing sent by itself, sent again by one command.
    QVERIFY(untilAsked(world, one, QStringLiteral("THREE.md")));
    world.killHost();
    const QString wrong = world.start();
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    QVERIFY(world.openTask().isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(lastStop(world, one), QStringLiteral("interrupted"), hostAgentWait);
    QVERIFY(world.waitForStatus(one, SessionStatus::Idle, hostAgentWait));
    QVERIFY(!asked(world, one));
    const int sent = world.count(one, EntryKind::UserMessage);
    QVERIFY(world.ask(*world.client, QStringLiteral("resendInterrupted"), ResendInterrupted{{}, one}).ok());
    QTRY_VERIFY_WITH_TIMEOUT(asked(world, one).has_value(), hostAgentWait);
    QCOMPARE(world.count(one, EntryKind::UserMessage), sent + 1);
    QVERIFY(says(world, one, "has taken up this conversation") || says(world, one, "It cannot take up a conversation"));
    qInfo("%s: %s", qPrintable(agent), says(world, one, "has taken up this conversation") ? "took the conversation up again" : "began anew");
    QVERIFY(allow(world, one));
    QVERIFY(world.waitForStatus(one, SessionStatus::Idle, hostAgentWait));
    QVERIFY(QFile::exists(tree + QStringLiteral("/THREE.md")));
    QVERIFY(!QFile::exists(tree + QStringLiteral("/ONE.md"))); // the prompt sent again was the cut one, not the cancelled one

    // The agent dies: the session says so, and the next prompt starts it again.
    QVERIFY(untilAsked(world, one, QStringLiteral("FOUR.md")));
    qint64 pid = 0;
    for (const Stage &stage : world.rows<Stage>(*world.client, QStringLiteral("task"))) {
        if (stage.id.endsWith(QLatin1StringView("/agent_starting")))
            pid = stage.message.value_or(QString()).section(QLatin1Char(' '), 1).toLongLong();
    }
    QVERIFY(pid > 1);
    QCOMPARE(::kill(pid_t(pid), SIGKILL), 0);
    QTRY_COMPARE_WITH_TIMEOUT(lastStop(world, one), QStringLiteral("error"), hostAgentWait);
    QVERIFY(!asked(world, one));
    QVERIFY(untilAsked(world, one, QStringLiteral("FIVE.md")));
    QVERIFY(allow(world, one));
    QVERIFY(world.waitForStatus(one, SessionStatus::Idle, hostAgentWait));
    QVERIFY(QFile::exists(tree + QStringLiteral("/FIVE.md")));
    QVERIFY(!QFile::exists(tree + QStringLiteral("/FOUR.md")));
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (test::agentPackages(&hostAgentsSkip()).isEmpty()) {
        std::fprintf(stderr, "SKIP: %s\n", qPrintable(hostAgentsSkip()));
        return 77;
    }
    tst_HostAgents test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_host_agents.moc"
