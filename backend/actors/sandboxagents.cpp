// Agent processes of a sandbox.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/sandboxactor.h"
#include "backend/actors/stageplan.h"
#include "backend/agents/agentdiscovery.h"
#include "backend/observe/logline.h"
#include "backend/agents/agenterrors.h"
#include "backend/store/database.h"
#include "backend/workflows/crashpoint.h"

#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcAgents, "foundry.agents")

namespace {

Error sandboxAgentGone(const QString &agent)
{
    return makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"),
        QStringLiteral("%1 does not run any more.").arg(agent), QStringLiteral("Retry from here to start it again."));
}

} // namespace

AcpClient *SandboxActor::clientOf(const AgentId &agent) const
{
    const auto process = m_processes.find(agent.value);
    return process == m_processes.end() ? nullptr : process->second.client;
}

// The place was whole when it was prepared; whether it still is, only its provider knows.
void SandboxActor::startAgent(const RunStage &run)
{
    if (m_placeKnown || !m_provider) {
        startInPlace(run);
        return;
    }
    if (auto known = m_operations.find(run.stage); known != m_operations.end()) {
        if (known->attempt == run.attempt && !known->abandoned)
            return;
        known->next = run;
        if (known->running)
            known->running->cancel();
        return;
    }
    m_operations.insert(run.stage, Operation{run.attempt, nullptr});
    const int deadline = run.deadlineMs > 0 ? int(qMin<qint64>(run.deadlineMs, 3600 * 1000)) : 60 * 1000;
    SandboxOperation *operation = m_provider->health(m_handle, deadline, context().owner(), [this, run](Result<Unit> health) {
        const Operation over = m_operations.take(run.stage);
        m_placeKnown = health.ok();
        if (over.next)
            startAgent(*over.next);
        else if (over.abandoned)
            return;
        else if (health)
            startInPlace(run);
        else
            failStage(run.stage, run.attempt, health.error());
    });
    m_operations[run.stage].running = operation;
}

void SandboxActor::startInPlace(const RunStage &run)
{
    // An earlier run's process that could not be ended still writes here: try again, and do not begin beside it.
    bool orphaned = false;
    {
        auto q = context().database().query("SELECT identity FROM agent_processes WHERE generation != ?", context().generation());
        while (q.next())
            orphaned = orphaned || !livingMembers(ProcessIdentity::fromText(q.text(0))).isEmpty();
    }
    if (orphaned) {
        failStage(run.stage, run.attempt,
            makeError(QLatin1StringView("agent"), QLatin1StringView("timeout"),
                QStringLiteral("An agent of an earlier run of the host is still in this work tree and could not be ended."),
                QStringLiteral("End it by hand or restart the machine, then retry from here.")));
        endOrphans();
        return;
    }
    if (!m_provider) {
        failStage(run.stage, run.attempt, unknownProvider());
        return;
    }
    if (!run.launch) {
        failStage(run.stage, run.attempt, agenterrors::notInstalled(run.agent.value, run.agent.value));
        return;
    }
    const auto known = m_processes.find(run.agent.value);
    if (known != m_processes.end()) {
        Process &process = known->second;
        const bool outdated = process.leaving || (run.fresh && process.startedFor < run.attempt);
        if (!outdated && (process.client->isReady() || (process.isUp && !process.failure))) {
            StageEnded ended{run.stage, run.attempt};
            ended.message = process.detail;
            endStage(ended);
            return;
        }
        if (!outdated && !process.failure) { // it is on its way: this attempt hears of it
            process.startingStage = run.stage;
            process.startingAttempt = run.attempt;
            return;
        }
        // One that is going down must be gone first: two of a kind would share the work tree.
        QObject::connect(process.client, &QObject::destroyed, context().owner(), [this, run] { startInPlace(run); });
        process.client->stop(!outdated); // one that works well may put its sessions away first
        return;
    }
    m_lastFailures.remove(run.agent.value);
    Process process;
    process.launch = *run.launch;
    process.startingStage = run.stage;
    process.startingAttempt = run.attempt;
    process.startedFor = run.attempt;
    process.correlation = context().correlationId();
    if (process.correlation.isEmpty())
        process.correlation = context().id().left(8) + QLatin1Char('-') + run.agent.value;
    AgentSpec spec;
    spec.agentId = run.agent.value;
    spec.agentName = run.launch->name;
    spec.program = run.launch->program;
    spec.args = run.launch->args;
    spec.loginHint = run.launch->loginHint;
    spec.workingDirectory = m_handle.workTree;
    const AgentRow *row = run.launch->custom ? nullptr : findAgentRow(run.agent);
    spec.environment = agentEnvironment(row ? *row : AgentRow{}, run.launch->program, m_config.environment, run.launch->nodeProgram);
    auto transport = m_provider->agent(m_handle, spec);
    process.client = new AcpClient(std::move(transport), m_config.timeouts, context().owner());
    AcpClient *client = process.client;
    const AgentId agent = run.agent;
    m_processes.insert_or_assign(agent.value, process);
    QObject *owner = context().owner();
    QObject::connect(client, &AcpClient::started, owner, [this, agent](const ProcessIdentity &identity) { agentStarted(agent, identity); });
    QObject::connect(client, &AcpClient::update, owner,
        [this, agent](const QString &session, const AcpUpdate &update) { updated(agent, session, update); });
    QObject::connect(client, &AcpClient::permissionRequested, owner,
        [this, agent](const QString &session, const AcpPermission &permission) { permissionAsked(agent, session, permission); });
    QObject::connect(client, &AcpClient::permissionWithdrawn, owner, [this, agent](const QString &acpSession, const QString &permission) {
        const SessionId session = sessionOf(agent, acpSession);
        write([&](Transaction &tx) -> Result<> {
            tx.send(task(), QStringLiteral("permissionWithdrawn"), encodePermissionAnswer({session, permission, {}}));
            return Unit{};
        });
    });
    QObject::connect(client, &AcpClient::questionAsked, owner,
        [this, agent](const QString &session, const QuestionAsk &ask) { questionAsked(agent, session, ask); });
    QObject::connect(client, &AcpClient::questionWithdrawn, owner, [this, agent](const QString &acpSession, const QString &question, bool done) {
        const QuestionAnswer gone{sessionOf(agent, acpSession), question, done ? QStringLiteral("accept") : QStringLiteral("cancel"), {}};
        write([&](Transaction &tx) -> Result<> {
            tx.send(task(), QStringLiteral("questionWithdrawn"), encodeQuestionAnswer(gone));
            return Unit{};
        });
    });
    QObject::connect(client, &AcpClient::ended, owner, [this, agent, client](const AgentExit &exit, const std::optional<Error> &error) {
        agentEnded(agent, client, exit, error);
    });

    crashBefore(QStringLiteral("effect agent_starting"));
    client->start(spec, [this, agent, client](const Result<AcpAgentInfo> &info) { agentAnswered(agent, client, info); });
}

// Called before the agent is asked anything: the process is on record first.
void SandboxActor::agentStarted(const AgentId &agent, const ProcessIdentity &identity)
{
    const auto found = m_processes.find(agent.value);
    if (found == m_processes.end())
        return;
    crashAfter(QStringLiteral("effect agent_starting"));
    Process &process = found->second;
    process.isUp = true;
    process.counted = std::make_shared<Held>(context().metrics().agentsRunning.with());
    qCInfo(lcAgents, "%s", LogLine("agent_started").add("correlation", process.correlation)
            .add("agent", agent.value).add("sandbox", context().address().key.value(3)).add("pid", qint64(identity.pid)).text().constData());
    process.detail = QStringLiteral("Process %1").arg(identity.pid);
    write([&](Transaction &tx) -> Result<> {
        tellUsage(tx);
        if (!process.startingStage.isEmpty()) {
            StageEnded ended{process.startingStage, process.startingAttempt};
            ended.message = process.detail;
            tx.send(task(), QStringLiteral("stageEnded"), encodeStageEnded(ended));
        }
        return tx.database().run("INSERT OR REPLACE INTO agent_processes (agent, identity, generation) VALUES (?, ?, ?)", agent.value,
            identity.toText(), context().generation());
    });
    process.startingStage.clear();
}

void SandboxActor::agentAnswered(const AgentId &agent, AcpClient *client, const Result<AcpAgentInfo> &info)
{
    const auto found = m_processes.find(agent.value);
    if (found == m_processes.end() || found->second.client != client)
        return;
    Process &process = found->second;
    if (info) {
        process.detail = info->title.isEmpty() ? info->name : info->title;
        if (!info->version.isEmpty())
            process.detail += QLatin1Char(' ') + info->version;
        if (!process.readyStage.isEmpty()) {
            StageEnded ended{process.readyStage, process.readyAttempt};
            ended.message = process.detail;
            process.readyStage.clear();
            endStage(ended);
        }
        return;
    }
    process.failure = info.error();
    if (!process.startingStage.isEmpty())
        failStage(process.startingStage, process.startingAttempt, info.error());
    else if (!process.readyStage.isEmpty())
        failStage(process.readyStage, process.readyAttempt, info.error());
    process.startingStage.clear();
    process.readyStage.clear();
    if (!process.isUp) { // it never ran: nothing will end
        m_processes.erase(found);
        client->disconnect();
        client->deleteLater();
        somethingStopped();
    }
}

void SandboxActor::awaitAgent(const RunStage &run)
{
    const auto found = m_processes.find(run.agent.value);
    if (found == m_processes.end()) {
        agentMissing(run);
        return;
    }
    Process &process = found->second;
    if (process.client->isReady()) {
        StageEnded ended{run.stage, run.attempt};
        ended.message = process.detail;
        endStage(ended);
    } else if (process.failure) {
        failStage(run.stage, run.attempt, *process.failure);
    } else {
        process.readyStage = run.stage;
        process.readyAttempt = run.attempt;
    }
}

void SandboxActor::agentEnded(const AgentId &agent, AcpClient *client, const AgentExit &exit, const std::optional<Error> &error)
{
    const auto found = m_processes.find(agent.value);
    if (found == m_processes.end() || found->second.client != client)
        return;
    Process process = found->second;
    m_processes.erase(found);
    qCInfo(lcAgents, "%s", LogLine("agent_ended").add("correlation", process.correlation)
            .add("agent", agent.value).add("sandbox", context().address().key.value(3)).add("asked", exit.asked ? u"yes" : u"no")
            .add("error", error ? error->key() : QString()).text().constData());
    for (auto it = m_live.begin(); it != m_live.end();)
        it = it->second.agent == agent ? m_live.erase(it) : std::next(it);
    write([&](Transaction &tx) -> Result<> {
        tellUsage(tx);
        const Error cause = process.failure.value_or(error.value_or(sandboxAgentGone(process.launch.name)));
        m_lastFailures.insert(agent.value, cause);
        for (const auto &[stage, attempt] : {std::pair(process.startingStage, process.startingAttempt), std::pair(process.readyStage, process.readyAttempt)}) {
            if (stage.isEmpty())
                continue;
            StageEnded ended{stage, attempt};
            ended.error = cause;
            tx.send(task(), QStringLiteral("stageEnded"), encodeStageEnded(ended));
        }
        AgentLost lost;
        lost.agent = agent;
        lost.asked = exit.asked;
        if (!exit.asked)
            lost.error = error;
        tx.send(task(), QStringLiteral("agentLost"), encodeAgentLost(lost));
        return tx.database().run("DELETE FROM agent_processes WHERE agent = ?", agent.value);
    });
    client->deleteLater();
    somethingStopped();
}

// The task believed the agent to be there: it is told, so that a retry begins with starting it.
void SandboxActor::agentMissing(const RunStage &run)
{
    write([&](Transaction &tx) -> Result<> {
        AgentLost lost;
        lost.agent = run.agent;
        tx.send(task(), QStringLiteral("agentLost"), encodeAgentLost(lost));
        StageEnded ended{run.stage, run.attempt};
        // Why it went is worth more than that it has gone: it may have ended before anybody asked.
        const auto known = m_lastFailures.constFind(run.agent.value);
        ended.error = known != m_lastFailures.cend() ? *known : sandboxAgentGone(run.launch ? run.launch->name : run.agent.value);
        tx.send(task(), QStringLiteral("stageEnded"), encodeStageEnded(ended));
        return Unit{};
    });
}

} // namespace foundry::backend
