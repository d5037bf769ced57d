// The agents an organization knows: found, confirmed, installed, and asked for by tasks.
#include "backend/actors/audit.h"
#include "backend/actors/organizationactor.h"
#include "backend/actors/sandboxmessages.h"
#include "backend/agents/agenterrors.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace foundry::backend {

namespace {

template <class Command>
CommandHandler agentCommand(std::function<Result<QByteArray>(Transaction &, const Command &)> body)
{
    return [body](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto command = protocol::decodeArgs<Command>(args);
        if (!command)
            return command.error();
        return body(tx, *command);
    };
}

Error unknownAgent(const AgentId &id)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
        QStringLiteral("There is no agent “%1” here.").arg(id.value), QStringLiteral("Look for agents again."), QStringLiteral("agentId"));
}

} // namespace

std::optional<Agent> OrganizationActor::agentRow(const AgentId &id) const
{
    auto entity = context().row(topic(), QStringLiteral("Agent"), id.value);
    if (!entity)
        return std::nullopt;
    if (auto *agent = std::get_if<Agent>(&*entity))
        return *agent;
    return std::nullopt;
}

void OrganizationActor::startDiscovery()
{
    m_discovery = new AgentDiscovery(m_config.discovery, context().owner());
    applyChoices();
    for (const Entity &entity : context().rows(topic(), QStringLiteral("Agent"))) {
        const auto *agent = std::get_if<Agent>(&entity);
        if (agent && agent->lastOptions)
            m_discovery->noteOptions(agent->id, *agent->lastOptions);
    }
    QObject::connect(m_discovery, &AgentDiscovery::agentsFound, context().owner(), [this](const QList<Agent> &agents) { agentsFound(agents); });
    QObject::connect(m_discovery, &AgentDiscovery::agentChanged, context().owner(), [this](const Agent &agent) { putAgent(agent); });
}

void OrganizationActor::lookForAgents()
{
    if (std::exchange(m_looking, true))
        return;
    m_discovery->scan();
}

// What people have chosen here: agents they confirmed, and commands of their own.
void OrganizationActor::applyChoices()
{
    QSet<AgentId> confirmed;
    QList<AgentRow> custom;
    {
        auto q = context().database().query("SELECT agent, confirmed, custom FROM agent_choices");
        while (q.next()) {
            if (q.flag(1))
                confirmed.insert(AgentId(q.text(0)));
            if (q.isNull(2))
                continue;
            const QJsonObject row = QJsonDocument::fromJson(q.bytes(2)).object();
            QStringList args;
            const QJsonArray words = row.value(QLatin1StringView("args")).toArray();
            for (const auto &arg : words)
                args.append(arg.toString());
            custom.append(customAgentRow(AgentId(q.text(0)), row.value(QLatin1StringView("name")).toString(),
                row.value(QLatin1StringView("command")).toString(), args));
        }
    }
    m_discovery->setConfirmed(confirmed);
    m_discovery->setCustomAgents(custom);
}

void OrganizationActor::agentsFound(const QList<Agent> &agents)
{
    write([&](Transaction &tx) -> Result<> {
        QSet<QString> gone;
        for (const Entity &entity : context().rows(topic(), QStringLiteral("Agent"))) {
            if (const auto *agent = std::get_if<Agent>(&entity))
                gone.insert(agent->id.value);
        }
        for (const Agent &agent : agents) {
            gone.remove(agent.id.value);
            tx.put(topic(), withInstallation(agent));
        }
        for (const QString &id : std::as_const(gone))
            tx.remove(topic(), QStringLiteral("Agent"), id);
        return Unit{};
    });
    if (m_discovery->scansAgain())
        return; // something changed meanwhile, which the next one sees
    m_scanned = true;
    for (const auto &[to, ask] : std::exchange(m_unresolved, {}))
        answerResolve(to, ask);
}

// While it is being installed its row tells of that, whatever is found meanwhile.
Agent OrganizationActor::withInstallation(Agent agent) const
{
    if (const auto stored = installing(agent.id) ? agentRow(agent.id) : std::nullopt)
        agent.detail = stored->detail;
    return agent;
}

void OrganizationActor::putAgent(const Agent &agent)
{
    write([&](Transaction &tx) -> Result<> {
        tx.put(topic(), withInstallation(agent));
        return Unit{};
    });
}

Result<> OrganizationActor::resolveAgent(Transaction &tx, const ActorAddress &from, const ResolveAgent &ask)
{
    tx.afterCommit([this, from, ask] {
        if (m_scanned)
            answerResolve(from, ask);
        else
            m_unresolved.append({from, ask}); // the asker asks again after a restart
        lookForAgents();
    });
    return Unit{};
}

void OrganizationActor::answerResolve(const ActorAddress &to, const ResolveAgent &ask)
{
    if ((installing(ask.agent) || m_installed.contains(ask.agent)) && !m_discovery->specFor(ask.agent, QStringLiteral("/"))) {
        m_awaiting.append({to, ask}); // its stage shows the installation, and goes on with it
        StageProgress progress{ask.stage, ask.attempt, QStringLiteral("Being installed…"), {}};
        context().stream(to, QStringLiteral("stageProgress"), encodeStageProgress(progress));
        return;
    }
    AgentResolved answer;
    answer.stage = ask.stage;
    answer.attempt = ask.attempt;
    const auto spec = m_discovery->specFor(ask.agent, QStringLiteral("/"));
    const auto row = m_discovery->row(ask.agent);
    if (spec && row) {
        AgentLaunch launch;
        launch.agent = ask.agent;
        launch.name = spec->agentName;
        launch.program = spec->program;
        launch.args = spec->args;
        launch.nodeProgram = m_discovery->nodeProgram();
        launch.loginHint = spec->loginHint;
        launch.askingMode = row->askingMode;
        launch.custom = findAgentRow(ask.agent) == nullptr;
        answer.launch = launch;
    } else {
        answer.error = spec ? agenterrors::notInstalled(ask.agent.value, ask.agent.value) : spec.error();
        if (answer.error->code == QLatin1StringView("not_installed"))
            answer.error->detail = installProblem(ask.agent);
    }
    write([&](Transaction &tx) -> Result<> {
        if (answer.error)
            noteMissing(tx, to, ask); // told when somebody installs it
        tx.send(to, QStringLiteral("agentResolved"), encodeAgentResolved(answer));
        return Unit{};
    });
}

Result<> OrganizationActor::agentReported(Transaction &tx, const AgentReport &report)
{
    // The discovery speaks with the row's new form, outside of this transaction.
    tx.afterCommit([this, report] {
        if (!m_discovery)
            return;
        const auto known = m_discovery->agent(report.agent);
        if (report.state && known && !(known->state == *report.state))
            m_discovery->noteState(report.agent, *report.state, report.detail);
        if (report.options && known && known->lastOptions != report.options)
            m_discovery->noteOptions(report.agent, *report.options);
    });
    return Unit{};
}

void OrganizationActor::registerAgentCommands(ActionTable &table)
{
    table.command(QStringLiteral("refreshAgents"), agentCommand<RefreshAgents>([this](Transaction &tx, const RefreshAgents &) -> Result<QByteArray> {
        tx.afterCommit([this] { m_discovery->scan(); });
        const auto entity = context().row(topic(), QStringLiteral("Organization"), organizationId().value);
        const auto *organization = entity ? std::get_if<Organization>(&*entity) : nullptr;
        return organization ? protocol::encodeValue(*organization) : QByteArrayLiteral("null");
    }));
    table.command(QStringLiteral("confirmAgent"), agentCommand<ConfirmAgent>([this](Transaction &tx, const ConfirmAgent &command) -> Result<QByteArray> {
        auto agent = confirm(tx, command.agentId);
        return agent ? Result<QByteArray>(protocol::encodeValue(*agent)) : Result<QByteArray>(agent.error());
    }));
    table.command(QStringLiteral("addCustomAgent"), agentCommand<AddCustomAgent>([this](Transaction &tx, const AddCustomAgent &command) -> Result<QByteArray> {
        auto agent = addCustom(tx, command);
        return agent ? Result<QByteArray>(protocol::encodeValue(*agent)) : Result<QByteArray>(agent.error());
    }));
    registerInstallCommands(table);
}

Result<Agent> OrganizationActor::confirm(Transaction &tx, const AgentId &id)
{
    auto agent = agentRow(id);
    if (!agent)
        return unknownAgent(id);
    tx.database().run("INSERT INTO agent_choices (agent, confirmed) VALUES (?, 1) ON CONFLICT (agent) DO UPDATE SET confirmed = 1", id.value);
    audit(tx, organizationId(), {auditkind::agentConfirmed, {}, {}, {{QStringLiteral("agent"), id.value}}});
    tx.afterCommit([this, id] {
        m_discovery->confirm(id, [](const Result<Agent> &) { /* agentChanged() carries the outcome */ });
    });
    return *agent;
}

Result<Agent> OrganizationActor::addCustom(Transaction &tx, const AddCustomAgent &command)
{
    const auto invalid = [](const QString &message, const QString &field) {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, {}, field);
    };
    if (command.agentId.isEmpty() || findAgentRow(command.agentId))
        return invalid(QStringLiteral("A custom agent needs an id of its own."), QStringLiteral("agentId"));
    if (command.name.simplified().isEmpty())
        return invalid(QStringLiteral("A custom agent needs a name."), QStringLiteral("name"));
    if (command.command.trimmed().isEmpty())
        return invalid(QStringLiteral("A custom agent needs a command: the program alone, its arguments beside it."), QStringLiteral("command"));
    const QJsonObject row{{QStringLiteral("name"), command.name.simplified()}, {QStringLiteral("command"), command.command.trimmed()},
        {QStringLiteral("args"), QJsonArray::fromStringList(command.args)}};
    // Whoever types a command has confirmed it.
    tx.database().run("INSERT OR REPLACE INTO agent_choices (agent, confirmed, custom) VALUES (?, 1, ?)", command.agentId.value,
        QJsonDocument(row).toJson(QJsonDocument::Compact));
    Agent agent;
    agent.id = command.agentId;
    agent.name = command.name.simplified();
    agent.source = AgentSource::Custom;
    agent.state = AgentState::Unconfirmed;
    agent.detail = QStringLiteral("Being tried…");
    tx.put(topic(), agent);
    audit(tx, organizationId(), {auditkind::agentAdded, {}, {},
        {{QStringLiteral("agent"), agent.id.value}, {QStringLiteral("command"), command.command.trimmed()}}});
    tx.afterCommit([this, id = command.agentId] {
        applyChoices();
        m_scanned = false; // tasks that ask meanwhile are answered by this scan
        // Probed once its program has been looked for.
        m_discovery->scan([this, id] { m_discovery->probe(id, [](const Result<Agent> &) { /* agentChanged() carries the outcome */ }); });
    });
    return agentRow(agent.id).value_or(agent);
}

} // namespace foundry::backend
