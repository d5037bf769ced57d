// Sessions in the agent processes of a sandbox: opened, taken up again, set, described, closed.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/sandboxactor.h"
#include "backend/store/database.h"
#include "backend/workflows/crashpoint.h"

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
    if (const auto opening = m_opening.find(run.session.value); opening != m_opening.end() && !opening->second.closed) {
        opening->second.run = run; // the agent was asked: this attempt hears of it
        return;
    }
    m_opening.insert_or_assign(run.session.value, Opening{run});
    QString earlier;
    {
        auto q = context().database().query("SELECT acp_session FROM agent_sessions WHERE session = ? AND agent = ?", run.session.value, run.agent.value);
        if (q.next())
            earlier = q.text(0);
    }
    if (earlier.isEmpty() || (!client->info().canResume && !client->info().canLoad)) {
        openAnew(run.session, earlier.isEmpty() ? QStringLiteral("new") : QStringLiteral("anew"));
        return;
    }
    const bool resume = client->info().canResume;
    const QPointer<AcpClient> alive(client);
    const auto answered = [this, session = run.session, earlier, resume, alive](const Result<AcpSession> &answer) {
        m_loading.remove(earlier);
        if (!answer && alive && alive->isReady()) {
            openAnew(session, QStringLiteral("anew")); // it forgot: the transcript says so
            return;
        }
        Result<AcpSession> same = answer;
        if (same)
            same->sessionId = earlier;
        opened(session, same, resume ? QStringLiteral("resumed") : QStringLiteral("loaded"));
    };
    m_loading.insert(earlier); // its replay is in the transcript already
    if (resume)
        client->resumeSession(earlier, m_handle.workTree, answered);
    else
        client->loadSession(earlier, m_handle.workTree, answered);
}

void SandboxActor::openAnew(const SessionId &session, const QString &origin)
{
    const auto opening = m_opening.find(session.value);
    AcpClient *client = opening == m_opening.end() ? nullptr : clientOf(opening->second.run.agent);
    if (!client)
        return;
    client->newSession(m_handle.workTree,
        [this, session, origin](const Result<AcpSession> &answer) { opened(session, answer, origin); });
}

void SandboxActor::opened(const SessionId &session, const Result<AcpSession> &answer, const QString &origin)
{
    const auto found = m_opening.find(session.value);
    if (found == m_opening.end())
        return;
    const Opening opening = found->second;
    m_opening.erase(found);
    if (opening.closed) {
        if (AcpClient *client = answer ? clientOf(opening.run.agent) : nullptr)
            client->closeSession(answer->sessionId, [](const Result<Unit> &) { /* nobody waits for it */ });
    } else if (answer) {
        sessionOpened(opening.run, *answer, origin);
    } else {
        sessionRefused(opening.run, answer.error());
    }
}

void SandboxActor::sessionOpened(const RunStage &run, const AcpSession &session, const QString &origin)
{
    crashAfter(QStringLiteral("effect session_creating"));
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
    QList<SessionRequest> wanted;
    const auto want = [&](const QString &option, const QString &value, const QString &now) {
        if (!value.isEmpty() && value != now)
            wanted.append(SessionRequest{run.session, run.agent, {}, option, value, false});
    };
    want(QStringLiteral("model"), model, sandboxCurrent(acp, QStringLiteral("model"), acp.currentModel));
    want(QStringLiteral("mode"), mode, sandboxCurrent(acp, QStringLiteral("mode"), acp.currentMode));
    for (const SessionOption &option : acp.options)
        want(option.id, run.options.value(option.id), option.currentValue);
    applyNext(run, wanted);
}

// One after the other: agents answer each with all of their options.
void SandboxActor::applyNext(const RunStage &run, QList<SessionRequest> wanted)
{
    if (wanted.isEmpty()) {
        endStage(StageEnded{run.stage, run.attempt});
        describe(run.session);
        return;
    }
    const SessionRequest next = wanted.takeFirst();
    carryOut(next, [this, run, next, wanted](const Result<Unit> &done) {
        const auto live = m_live.find(run.session.value);
        if (!done) {
            // A session that was taken up again has its settings; an agent that does not list them there is no failure.
            const bool isNew = live == m_live.end() || live->second.origin == QLatin1StringView("new") || live->second.origin == QLatin1StringView("anew");
            const bool strict = next.optionId == QLatin1StringView("mode") || next.optionId == QLatin1StringView("model");
            if (isNew && strict) {
                failStage(run.stage, run.attempt, done.error());
                return;
            }
            sayRefused(run.session, done.error());
        }
        applyNext(run, wanted);
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
    if (const auto opening = m_opening.find(request.session.value); opening != m_opening.end())
        opening->second.closed = true;
    const auto live = m_live.find(request.session.value);
    const AgentId agent = live != m_live.end() ? live->second.agent : request.agent;
    if (live != m_live.end()) {
        const QString acpId = live->second.acp.sessionId;
        m_live.erase(live);
        if (AcpClient *client = clientOf(agent))
            client->closeSession(acpId, [](const Result<Unit> &) { /* gone here in any case */ });
    }
    // Whether another session needs the agent is known by the task: one may be on its way here.
    const auto process = m_processes.find(agent.value);
    if (request.last && process != m_processes.end() && process->second.client) {
        process->second.leaving = true;
        process->second.client->stop();
    }
}

void SandboxActor::sayRefused(const SessionId &session, const Error &error)
{
    SessionChanged changed;
    changed.session = session;
    changed.error = error;
    write([&](Transaction &tx) -> Result<> {
        tx.send(task(), QStringLiteral("sessionChanged"), encodeSessionChanged(changed));
        return Unit{};
    });
}

void SandboxActor::carryOut(const SessionRequest &request, const std::function<void(const Result<Unit> &)> &done)
{
    const auto live = m_live.find(request.session.value);
    AcpClient *client = live == m_live.end() ? nullptr : clientOf(live->second.agent);
    if (!client) {
        done(makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"), QStringLiteral("The agent has gone."),
            QStringLiteral("It is set again when the session is opened again.")));
        return;
    }
    const auto over = [this, request, done](const Result<Unit> &result) {
        const auto session = m_live.find(request.session.value);
        if (result && session != m_live.end()) {
            AcpSession &acp = session->second.acp;
            for (SessionOption &option : acp.options) {
                if (option.id != request.optionId && option.category != request.optionId)
                    continue;
                option.currentValue = request.value;
                if (option.category == QLatin1StringView("mode"))
                    acp.currentMode = request.value;
                if (option.category == QLatin1StringView("model"))
                    acp.currentModel = request.value;
            }
            if (request.optionId == QLatin1StringView("mode"))
                acp.currentMode = request.value;
            if (request.optionId == QLatin1StringView("model"))
                acp.currentModel = request.value;
        }
        done(result);
    };
    const QString acpId = live->second.acp.sessionId;
    if (request.optionId == QLatin1StringView("mode"))
        client->setMode(acpId, request.value, over);
    else if (request.optionId == QLatin1StringView("model"))
        client->setModel(acpId, request.value, over);
    else
        client->setConfigOption(acpId, request.optionId, request.value, over);
}

void SandboxActor::changeSetting(const QString &name, SessionRequest request)
{
    if (!m_live.count(request.session.value))
        return; // it is applied when the session is opened
    if (name == QLatin1StringView("setMode"))
        request.optionId = QStringLiteral("mode");
    else if (name == QLatin1StringView("setModel"))
        request.optionId = QStringLiteral("model");
    carryOut(request, [this, request](const Result<Unit> &done) {
        if (!done)
            sayRefused(request.session, done.error());
        describe(request.session);
    });
}

} // namespace foundry::backend
