// Installing an agent: a recorded workflow of the organization, shown in the stage of each task that waits for it.
#include "backend/actors/audit.h"
#include "backend/actors/decodedcommand.h"
#include "backend/actors/organizationactor.h"
#include "backend/actors/sandboxmessages.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/keys.h"

#include <QElapsedTimer>
#include <QTimer>

namespace foundry::backend {

namespace {

constexpr int installLeaveMs = 1000;
constexpr qint64 missingAtMost = 10000;

QString installWorkflow(const AgentId &id)
{
    return QStringLiteral("install:") + id.value;
}

Error unknownInstall(const AgentId &id)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
        QStringLiteral("There is no agent “%1” here.").arg(id.value), QStringLiteral("Look for agents again."), QStringLiteral("agentId"));
}

} // namespace

Result<Agent> OrganizationActor::install(Transaction &tx, const AgentId &id)
{
    auto agent = agentRow(id);
    const AgentRow *known = findAgentRow(id);
    if (!agent && known && m_discovery)
        agent = m_discovery->agent(id); // nobody has looked yet, and what the catalogue knows can be installed
    if (!agent || !known)
        return unknownInstall(id);
    if (known->install.package.isEmpty())
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("%1 cannot be installed from here.").arg(known->name),
            QStringLiteral("Install it as its makers say, then look for agents again."));
    const QString workflow = installWorkflow(id);
    if (const auto step = m_runner.step(workflow, QStringLiteral("install")); step && step->state == StageState::Running)
        return *agent; // under way: what was asked for
    m_runner.forget(tx, workflow);
    // What the network refused may be there a moment later; npm itself has tried by then.
    m_runner.start(tx, WorkflowRecipe{workflow, QStringLiteral("install"), {{QStringLiteral("install"), 15 * 60 * 1000, {2000, 10000}}}});
    // Whoever installs it from here has confirmed it.
    tx.database().run("INSERT INTO agent_choices (agent, confirmed) VALUES (?, 1) ON CONFLICT (agent) DO UPDATE SET confirmed = 1", id.value);
    agent->detail = QStringLiteral("Installing %1 %2 (%3 MB)…").arg(known->install.package, known->install.version).arg(known->install.bytes / 1000000);
    tx.put(topic(), *agent);
    audit(tx, organizationId(), {auditkind::agentInstalled, {}, {},
        {{QStringLiteral("agent"), id.value}, {QStringLiteral("version"), known->install.version}}});
    settle(tx);
    // Tasks that failed for want of it wait for it now.
    for (const auto &[to, ask] : takeMissing(tx, id))
        tx.send(to, QStringLiteral("agentInstalling"), encodeResolveAgent(ask));
    return agentRow(id).value_or(*agent);
}

std::optional<StepRecord> OrganizationActor::installing(const AgentId &id) const
{
    const auto step = m_runner.step(installWorkflow(id), QStringLiteral("install"));
    const bool goesOn = step && (step->state == StageState::Running || step->state == StageState::Pending);
    return goesOn ? step : std::nullopt;
}

// Why the last installation failed; empty: it did not, or there was none.
QString OrganizationActor::installProblem(const AgentId &id) const
{
    const auto step = m_runner.step(installWorkflow(id), QStringLiteral("install"));
    if (!step || step->state != StageState::Failed || !step->error)
        return {};
    return QStringLiteral("The last installation failed: %1\n%2").arg(step->error->message, step->error->detail);
}

QString OrganizationActor::missingSchema()
{
    return QStringLiteral("CREATE TABLE missing_agents (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, stage TEXT NOT NULL,"
                          " attempt INTEGER NOT NULL, UNIQUE (key, stage));"
                          "CREATE INDEX missing_agent ON missing_agents (agent);");
}

// Was told that it is not installed: it goes on by itself when somebody installs it, whatever is restarted until then.
void OrganizationActor::noteMissing(Transaction &tx, const ActorAddress &task, const ResolveAgent &ask)
{
    tx.database().run("INSERT OR REPLACE INTO missing_agents (agent, name, key, stage, attempt) VALUES (?, ?, ?, ?, ?)", ask.agent.value, task.name,
        protocol::encodeKey(task.key), ask.stage, ask.attempt);
    tx.database().run("DELETE FROM missing_agents WHERE id <= (SELECT max(id) FROM missing_agents) - ?", missingAtMost);
}

QList<QPair<ActorAddress, ResolveAgent>> OrganizationActor::takeMissing(Transaction &tx, const AgentId &id)
{
    QList<QPair<ActorAddress, ResolveAgent>> found;
    {
        auto q = tx.database().query("SELECT name, key, stage, attempt FROM missing_agents WHERE agent = ? ORDER BY id", id.value);
        while (q.next())
            found.append({{q.text(0), protocol::decodeKey(q.text(1))}, {id, q.text(2), q.integer(3)}});
    }
    tx.database().run("DELETE FROM missing_agents WHERE agent = ?", id.value);
    return found;
}

void OrganizationActor::cancelInstall(Transaction &tx, const AgentId &id)
{
    m_runner.cancel(tx, installWorkflow(id));
    if (auto agent = agentRow(id)) {
        agent->detail = QStringLiteral("The installation was cancelled.");
        tx.put(topic(), *agent);
    }
    settle(tx);
}

void OrganizationActor::registerInstallCommands(ActionTable &table)
{
    table.command(QStringLiteral("installAgent"), decodedCommand<InstallAgent>([this](Transaction &tx, const Caller &, const InstallAgent &command) -> Result<QByteArray> {
        auto agent = install(tx, command.agentId);
        return agent ? Result<QByteArray>(protocol::encodeValue(*agent)) : Result<QByteArray>(agent.error());
    }));
    // Installations are the only jobs of an organization that are its own; those of tasks are cancelled at the task.
    table.command(QStringLiteral("cancelJob"), decodedCommand<CancelJob>([this](Transaction &tx, const Caller &, const CancelJob &command) -> Result<QByteArray> {
        const AgentId id(command.jobId.section(QLatin1Char(':'), 1));
        const auto step = command.jobId == installWorkflow(id) ? m_runner.step(command.jobId, QStringLiteral("install")) : std::nullopt;
        if (!step)
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is no such job here."), {}, QStringLiteral("jobId"));
        if (!installing(id))
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("This installation is over."));
        cancelInstall(tx, id);
        tx.afterCommit([this, id] {
            answerAwaiting(id, makeError(QLatin1StringView("agent"), QLatin1StringView("not_installed"), QStringLiteral("The installation of %1 was cancelled.").arg(id.value),
                                   QStringLiteral("Install it, or start a session with another agent.")));
        });
        Job job;
        job.id = command.jobId;
        job.kind = QStringLiteral("install");
        job.target = id.value;
        job.status = JobStatus::Cancelled;
        job.createdAt = step->startedAt.value_or(0);
        job.completedAt = QDateTime::currentMSecsSinceEpoch();
        return protocol::encodeValue(JobAnswer{job});
    }));
}

// The task does not wait any more. The last one that leaves ends the installation.
void OrganizationActor::resolveAbandoned(Transaction &tx, const ActorAddress &from, const ResolveAgent &ask)
{
    const auto drop = [&](QList<QPair<ActorAddress, ResolveAgent>> &list) {
        return list.removeIf([&](const auto &one) { return one.first == from && one.second.stage == ask.stage; });
    };
    tx.database().run("DELETE FROM missing_agents WHERE key = ? AND stage = ?", protocol::encodeKey(from.key), ask.stage);
    drop(m_unresolved);
    if (drop(m_awaiting) == 0)
        return;
    // Not at once: a retry asks again in the next breath.
    tx.afterCommit([this, id = ask.agent] {
        QTimer::singleShot(installLeaveMs, context().owner(), [this, id] {
            const bool waited = std::any_of(m_awaiting.begin(), m_awaiting.end(), [&id](const auto &one) { return one.second.agent == id; });
            if (waited || !installing(id))
                return;
            write([&](Transaction &later) -> Result<> {
                cancelInstall(later, id);
                return Unit{};
            });
        });
    });
}

void OrganizationActor::abandonInstall(Transaction &tx, const StepRecord &record)
{
    tx.afterCommit([this, id = record.workflow.section(QLatin1Char(':'), 1)] {
        // No more ours: another one may begin while this one ends.
        if (AgentInstaller *installer = m_installers.take(id))
            installer->cancel();
    });
}

void OrganizationActor::answerAwaiting(const AgentId &id, const std::optional<Error> &error)
{
    for (const auto &waiting : std::exchange(m_awaiting, {})) {
        const auto &to = waiting.first; // names that a lambda may see: clang 14 lets it see no structured binding
        const auto &ask = waiting.second;
        if (!(ask.agent == id)) {
            m_awaiting.append({to, ask});
        } else if (!error) {
            answerResolve(to, ask);
        } else {
            write([&](Transaction &tx) -> Result<> {
                noteMissing(tx, to, ask);
                tx.send(to, QStringLiteral("agentResolved"), encodeAgentResolved({ask.stage, ask.attempt, {}, error}));
                return Unit{};
            });
        }
    }
}

void OrganizationActor::beginInstall(Transaction &tx, const StepRecord &record)
{
    const AgentId id(record.workflow.section(QLatin1Char(':'), 1));
    tx.afterCommit([this, id, attempt = record.attempt] { installNow(id, attempt); });
}

void OrganizationActor::installFailed(Transaction &tx, const StepRecord &record)
{
    auto agent = agentRow(AgentId(record.workflow.section(QLatin1Char(':'), 1)));
    if (!agent || !record.error)
        return;
    agent->detail = record.error->message + QLatin1Char(' ') + record.error->action;
    tx.put(topic(), *agent);
    audit(tx, organizationId(), {auditkind::agentInstallFailed, {}, {},
        {{QStringLiteral("agent"), agent->id.value}, {QStringLiteral("error"), record.error->key()}}});
    tx.afterCommit([this, id = agent->id, error = record.error] {
        if (AgentInstaller *installer = m_installers.take(id.value))
            installer->cancel();
        answerAwaiting(id, error);
    });
}

void OrganizationActor::installNow(const AgentId &id, qint64 attempt)
{
    const AgentRow *known = findAgentRow(id);
    if (!known || m_installers.contains(id.value))
        return;
    auto *installer = new AgentInstaller(m_config.discovery.dataDirectory, m_config.discovery.environment, context().owner());
    m_installers.insert(id.value, installer);
    auto since = std::make_shared<QElapsedTimer>();
    QObject::connect(installer, &AgentInstaller::progress, context().owner(), [this, id, attempt, installer, since](const QString &line) {
        if (m_installers.value(id.value) != installer || (since->isValid() && since->elapsed() < 250))
            return;
        since->start();
        write([&](Transaction &tx) -> Result<> {
            m_runner.progress(tx, installWorkflow(id), QStringLiteral("install"), attempt, line, line + QLatin1Char('\n'));
            if (auto agent = agentRow(id)) {
                agent->detail = QStringLiteral("Installing… %1").arg(line.left(200));
                tx.put(topic(), *agent);
            }
            return Unit{};
        });
        for (const auto &[to, ask] : std::as_const(m_awaiting)) {
            if (ask.agent == id)
                context().stream(to, QStringLiteral("stageProgress"), encodeStageProgress({ask.stage, ask.attempt, line.left(200), line + QLatin1Char('\n')}));
        }
    });
    installer->install(*known, [this, id, attempt, installer](const Result<QString> &program) {
        installer->deleteLater();
        if (m_installers.value(id.value) != installer)
            return; // given up: its end was told then
        m_installers.remove(id.value);
        if (program)
            m_installed.insert(id); // until it has been found
        write([&](Transaction &tx) -> Result<> {
            m_runner.finish(tx, installWorkflow(id), QStringLiteral("install"), attempt,
                program ? Result<QByteArray>(program->toUtf8()) : Result<QByteArray>(program.error()));
            settle(tx);
            return Unit{};
        });
        if (!program)
            return;
        m_discovery->scan([this, id] {
            m_installed.remove(id);
            m_discovery->confirm(id, [](const Result<Agent> &) { /* agentChanged() carries the outcome */ });
            answerAwaiting(id, {});
        });
    });
}

} // namespace foundry::backend
