// Logging in to an agent: its own login command on a terminal of the organization, which people see and type into.
#include "backend/actors/audit.h"
#include "backend/actors/organizationactor.h"
#include "backend/agents/agenterrors.h"
#include "backend/store/database.h"

#include <QDir>
#include <QFileInfo>

namespace foundry::backend {

ProcessDeskConfig OrganizationActor::loginDeskConfig()
{
    ProcessDeskConfig config;
    config.environment = m_config.discovery.environment;
    config.settle = [this](Transaction &tx) { settle(tx); };
    config.created = [this](Transaction &tx, const foundry::Process &process) {
        audit(tx, organizationId(), {auditkind::processStarted, {}, {},
                {{QStringLiteral("process"), process.id.value}, {QStringLiteral("command"), process.command}}});
    };
    // Whether it helped, the agent alone knows.
    config.ended = [this](const ProcessId &process) {
        if (const AgentId agent = m_logins.take(process.value); !agent.isEmpty())
            m_discovery->confirm(agent, [](const Result<Agent> &) { /* agentChanged() carries the outcome */ });
    };
    return config;
}

Result<foundry::Process> OrganizationActor::login(Transaction &tx, const AgentId &id)
{
    const auto agent = agentRow(id);
    if (!agent) {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("There is no agent “%1” here.").arg(id.value), QStringLiteral("Look for agents again."), QStringLiteral("agentId"));
    }
    const AgentRow *known = findAgentRow(id);
    if (!known || known->login.isEmpty()) {
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("No command is known that logs in to %1.").arg(agent->name),
            QStringLiteral("If it needs a login, use its own command in a terminal."));
    }
    bool isConfirmed = false;
    {
        auto q = tx.database().query("SELECT confirmed FROM agent_choices WHERE agent = ?", id.value);
        isConfirmed = q.next() && q.flag(0);
    }
    if (!isConfirmed)
        return agenterrors::unconfirmed(agent->name);
    ProcessLaunch launch;
    launch.id = makeId<ProcessId>();
    launch.command = known->login.first();
    launch.args = known->login.mid(1);
    launch.tty = true;
    // Not in a work tree: an agent may write where it stands.
    launch.root = m_config.discovery.dataDirectory + QStringLiteral("/agents/login");
    QDir().mkpath(launch.root);
    // The app's own copy first, like when it is started as an agent.
    QStringList path{m_config.discovery.dataDirectory + QStringLiteral("/agents/") + id.value + QStringLiteral("/node_modules/.bin")};
    if (const QString node = m_discovery->nodeProgram(); !node.isEmpty())
        path.append(QFileInfo(node).absolutePath());
    path.append(m_config.discovery.environment.value(QStringLiteral("PATH")));
    launch.variables.insert(QStringLiteral("PATH"), path.join(QDir::listSeparator()));
    auto process = m_desk.create(tx, launch);
    if (process)
        m_logins.insert(launch.id.value, id);
    return process;
}

} // namespace foundry::backend
