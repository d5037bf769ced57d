// Agent processes of a sandbox, and the sessions in them.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/sandboxactor.h"
#include "backend/actors/stageplan.h"
#include "backend/agents/agentdiscovery.h"
#include "backend/agents/agenterrors.h"
#include "backend/agents/stdiotransport.h"
#include "backend/store/database.h"

namespace foundry::backend {

namespace {

Error sandboxAgentGone(const QString &agent)
{
    return makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"),
        QStringLiteral("%1 does not run any more.").arg(agent), QStringLiteral("Retry from here to start it again."));
}

// The agent's modes and models as options, for those that do not list them among their own.
QList<SessionOption> sandboxOptions(const AcpSession &session)
{
    QList<SessionOption> options = session.options;
    const auto add = [&options](const QString &id, const QString &name, const QString &current, const QList<AgentChoice> &values) {
        for (const SessionOption &known : options) {
            if (known.category == id)
                return;
        }
        if (!values.isEmpty())
            options.append({id, name, id, current, values});
    };
    add(QStringLiteral("model"), QStringLiteral("Model"), session.currentModel, session.models);
    add(QStringLiteral("mode"), QStringLiteral("Mode"), session.currentMode, session.modes);
    return options;
}

QString sandboxCurrent(const AcpSession &session, const QString &category, const QString &own)
{
    if (!own.isEmpty())
        return own;
    for (const SessionOption &option : session.options) {
        if (option.category == category)
            return option.currentValue;
    }
    return {};
}

bool hasSandboxMode(const AcpSession &session, const QString &mode)
{
    const auto has = [&mode](const QList<AgentChoice> &values) {
        return std::any_of(values.begin(), values.end(), [&mode](const AgentChoice &choice) { return choice.id == mode; });
    };
    if (has(session.modes))
        return true;
    return std::any_of(session.options.begin(), session.options.end(),
        [&has](const SessionOption &option) { return option.category == QLatin1StringView("mode") && has(option.values); });
}

} // namespace

AcpClient *SandboxActor::clientOf(const AgentId &agent) const
{
    const auto process = m_processes.find(agent.value);
    return process == m_processes.end() ? nullptr : process->second.client;
}

SessionId SandboxActor::sessionOf(const AgentId &agent, const QString &acpSession) const
{
    for (const auto &[id, live] : m_live) {
        if (live.agent == agent && live.acp.sessionId == acpSession)
            return SessionId(id);
    }
    return {};
}

void SandboxActor::startAgent(const RunStage &run)
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
    if (!run.launch) {
        failStage(run.stage, run.attempt, agenterrors::notInstalled(run.agent.value, run.agent.value));
        return;
    }
    const auto known = m_processes.find(run.agent.value);
    if (known != m_processes.end()) {
        Process &process = known->second;
        if (process.client->isReady() || (process.isUp && !process.failure)) {
            StageEnded ended{run.stage, run.attempt};
            ended.message = process.detail;
            endStage(ended);
            return;
        }
        if (!process.failure) { // it is on its way: this attempt hears of it
            process.startingStage = run.stage;
            process.startingAttempt = run.attempt;
            return;
        }
        // One that is going down must be gone first: two of a kind would share the work tree.
        const AgentId agent = run.agent;
        QObject::connect(process.client, &QObject::destroyed, context().owner(), [this, run, agent] { startAgent(run); });
        process.client->stop(true);
        return;
    }
    Process process;
    process.launch = *run.launch;
    process.startingStage = run.stage;
    process.startingAttempt = run.attempt;
    process.client = new AcpClient(std::make_unique<StdioTransport>(), m_config.timeouts, context().owner());
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
    QObject::connect(client, &AcpClient::ended, owner, [this, agent, client](const AgentExit &exit, const std::optional<Error> &error) {
        agentEnded(agent, client, exit, error);
    });

    AgentSpec spec;
    spec.agentId = agent.value;
    spec.agentName = run.launch->name;
    spec.program = run.launch->program;
    spec.args = run.launch->args;
    spec.loginHint = run.launch->loginHint;
    spec.workingDirectory = m_handle.workTree;
    const AgentRow *row = run.launch->custom ? nullptr : findAgentRow(agent);
    spec.environment = agentEnvironment(row ? *row : AgentRow{}, run.launch->program, m_config.environment, run.launch->nodeProgram);
    client->start(spec, [this, agent, client](const Result<AcpAgentInfo> &info) { agentAnswered(agent, client, info); });
}

// Called before the agent is asked anything: the process is on record first.
void SandboxActor::agentStarted(const AgentId &agent, const ProcessIdentity &identity)
{
    const auto found = m_processes.find(agent.value);
    if (found == m_processes.end())
        return;
    Process &process = found->second;
    process.isUp = true;
    process.detail = QStringLiteral("Process %1").arg(identity.pid);
    write([&](Transaction &tx) -> Result<> {
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
    for (auto it = m_live.begin(); it != m_live.end();)
        it = it->second.agent == agent ? m_live.erase(it) : std::next(it);
    write([&](Transaction &tx) -> Result<> {
        const Error cause = process.failure.value_or(error.value_or(sandboxAgentGone(process.launch.name)));
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
}

void SandboxActor::createSession(const RunStage &run)
{
    AcpClient *client = clientOf(run.agent);
    if (!client || !client->isReady()) {
        agentMissing(run);
        return;
    }
    if (m_live.count(run.session.value)) {
        StageEnded ended{run.stage, run.attempt};
        ended.origin = QStringLiteral("new");
        endStage(ended);
        return;
    }
    QString earlier;
    {
        auto q = context().database().query("SELECT acp_session FROM agent_sessions WHERE session = ? AND agent = ?", run.session.value, run.agent.value);
        if (q.next())
            earlier = q.text(0);
    }
    const auto fresh = [this, run, client](const QString &origin) {
        client->newSession(m_handle.workTree, [this, run, origin](const Result<AcpSession> &session) {
            if (session)
                sessionOpened(run, *session, origin);
            else
                sessionRefused(run, session.error());
        });
    };
    if (earlier.isEmpty() || (!client->info().canResume && !client->info().canLoad)) {
        fresh(earlier.isEmpty() ? QStringLiteral("new") : QStringLiteral("anew"));
        return;
    }
    const bool resume = client->info().canResume;
    const QPointer<AcpClient> alive(client);
    const auto answered = [this, run, earlier, fresh, resume, alive](const Result<AcpSession> &session) {
        m_loading.remove(earlier);
        if (session) {
            AcpSession same = *session;
            same.sessionId = earlier;
            sessionOpened(run, same, resume ? QStringLiteral("resumed") : QStringLiteral("loaded"));
        } else if (alive && alive->isReady()) {
            fresh(QStringLiteral("anew")); // it forgot: the transcript says so
        } else {
            sessionRefused(run, session.error());
        }
    };
    m_loading.insert(earlier); // its replay is in the transcript already
    if (resume)
        client->resumeSession(earlier, m_handle.workTree, answered);
    else
        client->loadSession(earlier, m_handle.workTree, answered);
}

void SandboxActor::sessionOpened(const RunStage &run, const AcpSession &session, const QString &origin)
{
    LiveSession live;
    live.agent = run.agent;
    live.acp = session;
    live.origin = origin;
    m_live.insert_or_assign(run.session.value, live);
    write([&](Transaction &tx) -> Result<> {
        StageEnded ended{run.stage, run.attempt};
        ended.origin = origin;
        tx.send(task(), QStringLiteral("stageEnded"), encodeStageEnded(ended));
        AgentReport report;
        report.agent = run.agent;
        report.state = AgentState::Ready;
        tx.send(organizationAddress(m_creation->organization), QStringLiteral("agentReported"), encodeAgentReport(report));
        return tx.database().run("INSERT OR REPLACE INTO agent_sessions (session, agent, acp_session) VALUES (?, ?, ?)",
            run.session.value, run.agent.value, session.sessionId);
    });
    describe(run.session);
}

void SandboxActor::sessionRefused(const RunStage &run, const Error &error)
{
    failStage(run.stage, run.attempt, error);
    if (error.code != QLatin1StringView("needs_login"))
        return;
    write([&](Transaction &tx) -> Result<> {
        AgentReport report;
        report.agent = run.agent;
        report.state = AgentState::NeedsLogin;
        report.detail = error.message;
        tx.send(organizationAddress(m_creation->organization), QStringLiteral("agentReported"), encodeAgentReport(report));
        return Unit{};
    });
}

// The task believed the agent to be there: it is told, so that a retry begins with starting it.
void SandboxActor::agentMissing(const RunStage &run)
{
    write([&](Transaction &tx) -> Result<> {
        AgentLost lost;
        lost.agent = run.agent;
        tx.send(task(), QStringLiteral("agentLost"), encodeAgentLost(lost));
        StageEnded ended{run.stage, run.attempt};
        ended.error = sandboxAgentGone(run.launch ? run.launch->name : run.agent.value);
        tx.send(task(), QStringLiteral("stageEnded"), encodeStageEnded(ended));
        return Unit{};
    });
}

// The mode that asks before it writes is the default; what the user chose comes before it.
void SandboxActor::applySettings(const RunStage &run)
{
    AcpClient *client = clientOf(run.agent);
    const auto live = m_live.find(run.session.value);
    if (!client || live == m_live.end()) {
        agentMissing(run);
        return;
    }
    const AcpSession &acp = live->second.acp;
    const QString asking = run.launch ? run.launch->askingMode : QString();
    const QString mode = run.mode.value_or(hasSandboxMode(acp, asking) ? asking : QString());
    const QString model = run.model.value_or(QString());
    const QString acpId = acp.sessionId;
    const bool changesMode = !mode.isEmpty() && mode != sandboxCurrent(acp, QStringLiteral("mode"), acp.currentMode);
    const bool changesModel = !model.isEmpty() && model != sandboxCurrent(acp, QStringLiteral("model"), acp.currentModel);
    // A session that was taken up again has its settings; an agent that does not list them there is no failure.
    const bool strict = live->second.origin == QLatin1StringView("new") || live->second.origin == QLatin1StringView("anew");
    const auto over = [this, run, mode, model, strict](const Result<Unit> &done) {
        if (!done && strict) {
            failStage(run.stage, run.attempt, done.error());
            return;
        }
        if (!done) {
            SessionChanged changed;
            changed.session = run.session;
            changed.error = done.error();
            write([&](Transaction &tx) -> Result<> {
                tx.send(task(), QStringLiteral("sessionChanged"), encodeSessionChanged(changed));
                return Unit{};
            });
        }
        const auto session = m_live.find(run.session.value);
        if (done && session != m_live.end()) {
            if (!mode.isEmpty())
                session->second.acp.currentMode = mode;
            if (!model.isEmpty())
                session->second.acp.currentModel = model;
        }
        endStage(StageEnded{run.stage, run.attempt});
        describe(run.session);
    };
    const auto setMode = [client = QPointer<AcpClient>(client), acpId, mode, changesMode, over] {
        if (!changesMode || !client)
            over(Unit{});
        else
            client->setMode(acpId, mode, over);
    };
    if (!changesModel) {
        setMode();
        return;
    }
    client->setModel(acpId, model, [setMode, over](const Result<Unit> &done) {
        if (done)
            setMode();
        else
            over(done);
    });
}

void SandboxActor::describe(const SessionId &session)
{
    const auto live = m_live.find(session.value);
    if (live == m_live.end())
        return;
    SessionChanged changed;
    changed.session = session;
    AcpSession &acp = live->second.acp;
    changed.options = sandboxOptions(acp);
    if (const QString mode = sandboxCurrent(acp, QStringLiteral("mode"), acp.currentMode); !mode.isEmpty())
        changed.mode = mode;
    if (const QString model = sandboxCurrent(acp, QStringLiteral("model"), acp.currentModel); !model.isEmpty())
        changed.model = model;
    for (SessionOption &option : *changed.options) {
        if (option.category == QLatin1StringView("mode") && changed.mode)
            option.currentValue = *changed.mode;
        if (option.category == QLatin1StringView("model") && changed.model)
            option.currentValue = *changed.model;
    }
    changed.commands = live->second.commands;
    write([&](Transaction &tx) -> Result<> {
        tx.send(task(), QStringLiteral("sessionChanged"), encodeSessionChanged(changed));
        return Unit{};
    });
}

void SandboxActor::closeSession(const SessionRequest &request)
{
    const auto live = m_live.find(request.session.value);
    const AgentId agent = live != m_live.end() ? live->second.agent : request.agent;
    if (live != m_live.end()) {
        const QString acpId = live->second.acp.sessionId;
        m_live.erase(live);
        if (AcpClient *client = clientOf(agent))
            client->closeSession(acpId, [](const Result<Unit> &) { /* gone here in any case */ });
    }
    stopUnused(agent);
}

void SandboxActor::stopUnused(const AgentId &agent)
{
    for (const auto &[id, live] : m_live) {
        if (live.agent == agent)
            return;
    }
    {
        auto q = context().database().query("SELECT EXISTS(SELECT 1 FROM agent_sessions WHERE agent = ?)", agent.value);
        if (q.next() && q.flag(0))
            return; // another session is to be opened in it
    }
    if (AcpClient *client = clientOf(agent))
        client->stop();
}

void SandboxActor::changeSetting(const QString &name, const SessionRequest &request)
{
    const auto live = m_live.find(request.session.value);
    AcpClient *client = live == m_live.end() ? nullptr : clientOf(live->second.agent);
    if (!client)
        return; // it is applied when the session is opened
    const QString acpId = live->second.acp.sessionId;
    const bool isMode = name == QLatin1StringView("setMode") || request.optionId == QLatin1StringView("mode");
    const bool isModel = name == QLatin1StringView("setModel") || request.optionId == QLatin1StringView("model");
    const auto done = [this, request, isMode, isModel](const Result<Unit> &result) {
        const auto session = m_live.find(request.session.value);
        if (session == m_live.end())
            return;
        if (result) {
            if (isMode)
                session->second.acp.currentMode = request.value;
            if (isModel)
                session->second.acp.currentModel = request.value;
            for (SessionOption &option : session->second.acp.options) {
                if (option.id == request.optionId)
                    option.currentValue = request.value;
            }
        } else {
            SessionChanged changed;
            changed.session = request.session;
            changed.error = result.error();
            write([&](Transaction &tx) -> Result<> {
                tx.send(task(), QStringLiteral("sessionChanged"), encodeSessionChanged(changed));
                return Unit{};
            });
        }
        describe(request.session);
    };
    if (isMode)
        client->setMode(acpId, request.value, done);
    else if (isModel)
        client->setModel(acpId, request.value, done);
    else
        client->setConfigOption(acpId, request.optionId, request.value, done);
}

} // namespace foundry::backend
