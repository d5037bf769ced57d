// Sessions in the agent processes of a sandbox: opened, taken up again, set, described, closed.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/sandboxactor.h"
#include "backend/store/database.h"

namespace foundry::backend {

namespace {

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

SessionId SandboxActor::sessionOf(const AgentId &agent, const QString &acpSession) const
{
    for (const auto &[id, live] : m_live) {
        if (live.agent == agent && live.acp.sessionId == acpSession)
            return SessionId(id);
    }
    return {};
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
