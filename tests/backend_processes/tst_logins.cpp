// Logging in to an agent: its own command on a terminal of the organization, typed into by a client.
#include "tests/backend_processes/follower.h"

#include <csignal>

using namespace foundry;
using test::ask;
using test::SandboxWorld;

class tst_Logins : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        const QString bin = m_world.git.path(QStringLiteral("bin"));
        m_world.git.write(bin, QStringLiteral("codex-acp"), "#!/bin/sh\necho asked >> \"$HOME/asked\"\nexit 1\n", true);
        m_world.git.write(bin, QStringLiteral("codex"),
            "#!/bin/sh\necho \"command: $*\"\ntest -t 0 && echo on a terminal\nread -r code\necho \"code $code\"\nexit 6\n", true);
        m_world.git.setVariable(QStringLiteral("PATH"), bin + QStringLiteral(":/usr/local/bin:/usr/bin:/bin"));
        QVERIFY(m_world.start());
        // The organization in the sandbox's place: it has the same actions.
        m_world.sandbox = std::make_unique<wire::WireClient>(m_world.host->endpoint(), m_world.host->token());
        QVERIFY(m_world.sandbox->open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}));
        QVERIFY(m_world.sandbox->wait([this] { return agent(QStringLiteral("codex")).has_value(); }, 10000));
    }

    void refused()
    {
        const auto key = [this](const char *id) {
            const auto answer = ask(*m_world.sandbox, QStringLiteral("loginAgent"), LoginAgent{{}, AgentId(QString::fromLatin1(id))});
            return answer ? QString() : answer.error().key();
        };
        QCOMPARE(key("nobody"), QStringLiteral("input.invalid"));
        QCOMPARE(key("runner"), QStringLiteral("state.conflict")); // it has no login
        QCOMPARE(key("codex"), QStringLiteral("agent.unconfirmed"));
        const auto create = ask(*m_world.sandbox, QStringLiteral("createProcess"), CreateProcess{{}, makeId<ProcessId>(), QStringLiteral("true")});
        QVERIFY(!create);
        QCOMPARE(create.error().key(), QStringLiteral("actor.action_not_found"));
    }

    void logsIn()
    {
        const AgentId codex(QStringLiteral("codex"));
        QVERIFY(ask(*m_world.sandbox, QStringLiteral("confirmAgent"), ConfirmAgent{{}, codex}));
        QVERIFY(m_world.sandbox->wait([this] { return asked() > 0; }, 20000));
        const auto answer = ask(*m_world.sandbox, QStringLiteral("loginAgent"), LoginAgent{{}, codex});
        QVERIFY2(answer, answer ? "" : qPrintable(answer.error().message));
        const auto process = protocol::decodeValue<Process>(*answer);
        QVERIFY(process);
        QVERIFY(process->tty);
        QVERIFY(m_world.waitForOutput(process->id, "command: login\r\n"));
        QVERIFY(m_world.waitForOutput(process->id, "on a terminal"));
        const int before = asked();
        QVERIFY(m_world.type(process->id, "1234\n"));
        QVERIFY(m_world.waitForExit(process->id));
        QCOMPARE(m_world.process(process->id)->exitCode, 6);
        QVERIFY(m_world.tail(process->id).contains("code 1234"));
        QVERIFY(m_world.sandbox->wait([&] { return asked() > before; }, 20000)); // how it stands now
        QVERIFY(m_world.remove(process->id));
    }

    void endsWithTheHost()
    {
        const auto answer = ask(*m_world.sandbox, QStringLiteral("loginAgent"), LoginAgent{{}, AgentId(QStringLiteral("codex"))});
        QVERIFY(answer);
        const auto process = protocol::decodeValue<Process>(*answer);
        QVERIFY(m_world.waitForOutput(process->id, "on a terminal"));
        const qint64 pid = *m_world.process(process->id)->pid;
        m_world.host->kill(SIGKILL);
        QVERIFY(m_world.start());
        m_world.sandbox = std::make_unique<wire::WireClient>(m_world.host->endpoint(), m_world.host->token());
        QVERIFY(m_world.sandbox->open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}));
        QVERIFY(m_world.waitForExit(process->id));
        QVERIFY(!test::lives(pid));
        QCOMPARE(m_world.process(process->id)->error->key(), QStringLiteral("sandbox.lost"));
    }

private:
    std::optional<Agent> agent(const QString &id)
    {
        for (const Agent &row : test::storedRows<Agent>(*m_world.sandbox, QStringLiteral("organization"))) {
            if (row.id.value == id)
                return row;
        }
        return std::nullopt;
    }
    int asked() const { return int(m_world.git.read(m_world.git.path(QStringLiteral("home")), QStringLiteral("asked")).count("asked")); }

    SandboxWorld m_world;
};

QTEST_GUILESS_MAIN(tst_Logins)
#include "tst_logins.moc"
