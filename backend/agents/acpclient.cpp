#include "backend/agents/acpclient.h"

#include "backend/agents/acpdecode.h"
#include "backend/agents/acptoolcalls.h"
#include "backend/agents/agenterrors.h"

#include <QDateTime>
#include <QPointer>

namespace foundry::backend {

AcpBlock AcpBlock::fromText(const QString &text)
{
    AcpBlock block;
    block.text = text;
    return block;
}

AcpClient::AcpClient(std::unique_ptr<AgentTransport> transport, AcpTimeouts timeouts, QObject *parent)
    : QObject(parent)
    , m_transport(std::move(transport))
    , m_timeouts(timeouts)
{
    m_clock.start();
    m_watch.setSingleShot(true);
    connect(&m_watch, &QTimer::timeout, this, &AcpClient::watch);
    AgentTransport *wire = m_transport.get();
    connect(wire, &AgentTransport::started, this, [this](const ProcessIdentity &identity) {
        const QPointer<AcpClient> self(this);
        Q_EMIT started(identity);
        if (!self)
            return;
        const QJsonObject params{{QStringLiteral("protocolVersion"), 1},
            {QStringLiteral("clientCapabilities"),
                QJsonObject{{QStringLiteral("fs"),
                                QJsonObject{{QStringLiteral("readTextFile"), false}, {QStringLiteral("writeTextFile"), false}}},
                    {QStringLiteral("terminal"), false}}},
            {QStringLiteral("clientInfo"),
                QJsonObject{{QStringLiteral("name"), QStringLiteral("foundry-workbench")},
                    {QStringLiteral("title"), QStringLiteral("Foundry Workbench")},
                    {QStringLiteral("version"), QStringLiteral(FOUNDRY_VERSION)}}}};
        request(QStringLiteral("initialize"), params, m_timeouts.initializeMs, [this](const Result<QJsonObject> &answer) {
            if (!answer) {
                m_failure = answer.error();
                m_transport->stop(true);
                finishStart(answer.error());
                return;
            }
            const int version = answer->value(QLatin1StringView("protocolVersion")).toInt(-1);
            if (version != 1) {
                m_failure = agenterrors::protocol(m_spec.agentName, tr("it speaks version %1, not 1").arg(version));
                m_transport->stop(true);
                finishStart(*m_failure);
                return;
            }
            m_info = acpdecode::agentInfo(*answer);
            m_ready = true;
            finishStart(m_info);
        });
    });
    connect(wire, &AgentTransport::message, this, &AcpClient::onMessage);
    connect(wire, &AgentTransport::garbage, this, [this](qint64 count, const QString &line) {
        m_counts.garbageLines = count;
        if (m_firstGarbage.isEmpty())
            m_firstGarbage = line;
    });
    connect(wire, &AgentTransport::exited, this, &AcpClient::onExited);
    connect(wire, &AgentTransport::failed, this, &AcpClient::onFailed);
}

AcpClient::~AcpClient()
{
    m_transport->disconnect(this);
}

void AcpClient::start(const AgentSpec &spec, Then<AcpAgentInfo> done)
{
    m_spec = spec;
    m_startDone = std::move(done);
    m_transport->start(spec);
}

void AcpClient::finishStart(Result<AcpAgentInfo> result)
{
    if (const auto done = std::exchange(m_startDone, nullptr))
        done(std::move(result));
}

ProcessIdentity AcpClient::identity() const
{
    return m_transport->identity();
}

QString AcpClient::stderrTail() const
{
    return m_transport->stderrTail();
}

void AcpClient::authenticate(const QString &methodId, Then<Unit> done)
{
    request(QStringLiteral("authenticate"), {{QStringLiteral("methodId"), methodId}}, m_timeouts.authenticateMs,
        [done = std::move(done)](const Result<QJsonObject> &answer) {
            done(answer ? Result<Unit>(Unit{}) : Result<Unit>(answer.error()));
        });
}

void AcpClient::newSession(const QString &cwd, Then<AcpSession> done)
{
    openSession(QStringLiteral("session/new"), {{QStringLiteral("cwd"), cwd}}, {}, std::move(done));
}

void AcpClient::loadSession(const QString &sessionId, const QString &cwd, Then<AcpSession> done)
{
    openSession(QStringLiteral("session/load"), {{QStringLiteral("cwd"), cwd}, {QStringLiteral("sessionId"), sessionId}},
        sessionId, std::move(done));
}

void AcpClient::resumeSession(const QString &sessionId, const QString &cwd, Then<AcpSession> done)
{
    openSession(QStringLiteral("session/resume"), {{QStringLiteral("cwd"), cwd}, {QStringLiteral("sessionId"), sessionId}},
        sessionId, std::move(done));
}

void AcpClient::openSession(const QString &method, QJsonObject params, const QString &sessionId, Then<AcpSession> done)
{
    params.insert(QStringLiteral("mcpServers"), QJsonArray()); // agents refuse a request without it
    if (!sessionId.isEmpty() && !m_sessions.contains(sessionId))
        m_sessions[sessionId].calls = std::make_shared<AcpToolCalls>();
    request(method, params, m_timeouts.requestMs, [this, method, sessionId, done = std::move(done)](const Result<QJsonObject> &answer) {
        if (!answer) {
            if (!sessionId.isEmpty())
                m_sessions.remove(sessionId);
            m_early.clear();
            done(answer.error());
            return;
        }
        const QString id = sessionId.isEmpty() ? answer->value(QLatin1StringView("sessionId")).toString() : sessionId;
        if (id.isEmpty()) {
            done(agenterrors::protocol(m_spec.agentName, tr("its answer to %1 names no session").arg(method)));
            return;
        }
        SessionState &state = m_sessions[id];
        if (!state.calls)
            state.calls = std::make_shared<AcpToolCalls>();
        state.described = acpdecode::session(id, *answer);
        state.hasModes = answer->value(QLatin1StringView("modes")).isObject();
        state.hasModels = answer->value(QLatin1StringView("models")).isObject();
        const AcpSession described = state.described;
        const QList<QJsonObject> early = m_early.take(id);
        const QPointer<AcpClient> self(this);
        done(described);
        for (const QJsonObject &update : early) {
            if (!self)
                return;
            onUpdate(id, update);
        }
    });
}

void AcpClient::listSessions(const QString &cwd, Then<QList<AcpSessionListing>> done)
{
    request(QStringLiteral("session/list"), {{QStringLiteral("cwd"), cwd}}, m_timeouts.requestMs,
        [done = std::move(done)](const Result<QJsonObject> &answer) {
            if (!answer) {
                done(answer.error());
                return;
            }
            QList<AcpSessionListing> sessions;
            for (const QJsonValue item : answer->value(QLatin1StringView("sessions")).toArray()) {
                const QJsonObject session = item.toObject();
                sessions.append({session.value(QLatin1StringView("sessionId")).toString(),
                    session.value(QLatin1StringView("cwd")).toString(), session.value(QLatin1StringView("title")).toString()});
            }
            done(sessions);
        });
}

void AcpClient::closeSession(const QString &sessionId, Then<Unit> done)
{
    cancel(sessionId);
    if (!m_ready || !m_info.canClose) {
        // A turn that still winds down keeps its state until it has answered.
        if (!isPrompting(sessionId))
            m_sessions.remove(sessionId);
        done(Unit{});
        return;
    }
    request(QStringLiteral("session/close"), {{QStringLiteral("sessionId"), sessionId}}, m_timeouts.requestMs,
        [this, sessionId, done = std::move(done)](const Result<QJsonObject> &answer) {
            if (!isPrompting(sessionId))
                m_sessions.remove(sessionId);
            done(answer ? Result<Unit>(Unit{}) : Result<Unit>(answer.error()));
        });
}

void AcpClient::setMode(const QString &sessionId, const QString &modeId, Then<Unit> done)
{
    const auto state = m_sessions.constFind(sessionId);
    if (state != m_sessions.constEnd() && !state->hasModes) {
        for (const SessionOption &option : state->described.options) {
            if (option.category == QLatin1StringView("mode")) {
                setConfigOption(sessionId, option.id, modeId, std::move(done));
                return;
            }
        }
        done(makeError(QLatin1StringView("state"), QLatin1StringView("not_available"), tr("%1 has no modes.").arg(m_spec.agentName)));
        return;
    }
    request(QStringLiteral("session/set_mode"),
        {{QStringLiteral("sessionId"), sessionId}, {QStringLiteral("modeId"), modeId}}, m_timeouts.requestMs,
        [this, sessionId, modeId, done = std::move(done)](const Result<QJsonObject> &answer) {
            const QPointer<AcpClient> self(this);
            if (const auto known = m_sessions.find(sessionId); answer && known != m_sessions.end()) {
                known->described.currentMode = modeId;
                Q_EMIT update(sessionId, ModeUpdate{modeId});
            }
            if (self)
                done(answer ? Result<Unit>(Unit{}) : Result<Unit>(answer.error()));
        });
}

void AcpClient::setModel(const QString &sessionId, const QString &modelId, Then<Unit> done)
{
    const auto state = m_sessions.constFind(sessionId);
    if (state != m_sessions.constEnd()) {
        for (const SessionOption &option : state->described.options) {
            if (option.category == QLatin1StringView("model")) {
                setConfigOption(sessionId, option.id, modelId, std::move(done));
                return;
            }
        }
        if (!state->hasModels) {
            done(makeError(QLatin1StringView("state"), QLatin1StringView("not_available"),
                tr("%1 does not let its model be chosen.").arg(m_spec.agentName)));
            return;
        }
    }
    request(QStringLiteral("session/set_model"),
        {{QStringLiteral("sessionId"), sessionId}, {QStringLiteral("modelId"), modelId}}, m_timeouts.requestMs,
        [done = std::move(done)](const Result<QJsonObject> &answer) {
            done(answer ? Result<Unit>(Unit{}) : Result<Unit>(answer.error()));
        });
}

void AcpClient::setConfigOption(const QString &sessionId, const QString &optionId, const QString &value, Then<Unit> done)
{
    QJsonObject params{{QStringLiteral("sessionId"), sessionId}, {QStringLiteral("configId"), optionId},
        {QStringLiteral("value"), value}};
    request(QStringLiteral("session/set_config_option"), params, m_timeouts.requestMs,
        [this, sessionId, done = std::move(done)](const Result<QJsonObject> &answer) {
            const QPointer<AcpClient> self(this);
            const auto known = m_sessions.find(sessionId);
            if (answer && known != m_sessions.end() && answer->value(QLatin1StringView("configOptions")).isArray()) {
                const auto options = acpdecode::configOptions(answer->value(QLatin1StringView("configOptions")).toArray());
                known->described.options = options;
                Q_EMIT update(sessionId, ConfigOptions{options});
            }
            if (self)
                done(answer ? Result<Unit>(Unit{}) : Result<Unit>(answer.error()));
        });
}

void AcpClient::prompt(const QString &sessionId, const QList<AcpBlock> &blocks, Then<AcpTurn> done)
{
    if (!m_sessions.contains(sessionId) || isPrompting(sessionId)) {
        done(makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            isPrompting(sessionId) ? tr("A turn runs in this session already.") : tr("The agent does not have this session.")));
        return;
    }
    QJsonArray content;
    for (const AcpBlock &block : blocks) {
        switch (block.kind) {
        case AcpBlock::Kind::Text:
            content.append(QJsonObject{{QStringLiteral("type"), QStringLiteral("text")}, {QStringLiteral("text"), block.text}});
            break;
        case AcpBlock::Kind::ResourceLink: {
            QJsonObject link{{QStringLiteral("type"), QStringLiteral("resource_link")}, {QStringLiteral("uri"), block.uri},
                {QStringLiteral("name"), block.name}};
            if (!block.mime.isEmpty())
                link.insert(QStringLiteral("mimeType"), block.mime);
            content.append(link);
            break;
        }
        case AcpBlock::Kind::Image:
            if (!m_info.takesImages) {
                done(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                    tr("%1 takes no images.").arg(m_spec.agentName), tr("Send the prompt without them.")));
                return;
            }
            content.append(QJsonObject{{QStringLiteral("type"), QStringLiteral("image")},
                {QStringLiteral("data"), QString::fromLatin1(block.data.toBase64())}, {QStringLiteral("mimeType"), block.mime}});
            break;
        }
    }
    SessionState &state = m_sessions[sessionId];
    state.calls->clear();
    state.heardAt = m_clock.elapsed();
    state.cancelledAt = 0;
    state.timedOut = false;
    const qint64 id = request(QStringLiteral("session/prompt"),
        {{QStringLiteral("sessionId"), sessionId}, {QStringLiteral("prompt"), content}}, 0,
        [this, sessionId, done = std::move(done)](const Result<QJsonObject> &answer) { finishPrompt(sessionId, answer, done); },
        sessionId);
    // An agent that has gone was answered for already.
    if (id != 0) {
        m_sessions[sessionId].promptId = id;
        armWatch();
    }
}

void AcpClient::finishPrompt(const QString &sessionId, const Result<QJsonObject> &answer, const Then<AcpTurn> &done)
{
    withdrawPermissions(sessionId);
    SessionState &state = m_sessions[sessionId];
    state.promptId = 0;
    const bool cancelled = std::exchange(state.cancelledAt, 0) != 0;
    const bool timedOut = std::exchange(state.timedOut, false);
    const QPointer<AcpClient> self(this);
    for (const ToolCallUpsert &call : state.calls->closeOpen(QDateTime::currentMSecsSinceEpoch())) {
        Q_EMIT update(sessionId, call);
        if (!self)
            return;
    }
    if (timedOut) {
        done(agenterrors::timeout(m_spec.agentName, tr("nothing was heard of its turn"), m_timeouts.promptIdleMs / 1000, stderrTail()));
    } else if (answer) {
        AcpTurn turn{answer->value(QLatin1StringView("stopReason")).toString(), {}, false};
        if (const QJsonValue usage = answer->value(QLatin1StringView("usage")); usage.isObject())
            turn.usage = acpdecode::usage(usage.toObject());
        done(turn);
    } else if (cancelled) {
        done(AcpTurn{QStringLiteral("cancelled"), {}, m_gone});
    } else {
        done(answer.error());
    }
}

void AcpClient::cancel(const QString &sessionId)
{
    const auto state = m_sessions.find(sessionId);
    if (state == m_sessions.end() || state->promptId == 0) {
        withdrawPermissions(sessionId);
        return;
    }
    if (state->cancelledAt != 0)
        return;
    state->cancelledAt = std::max<qint64>(1, m_clock.elapsed());
    notify(QStringLiteral("session/cancel"), {{QStringLiteral("sessionId"), sessionId}});
    withdrawPermissions(sessionId);
    armWatch();
}

bool AcpClient::isPrompting(const QString &sessionId) const
{
    const auto state = m_sessions.constFind(sessionId);
    return state != m_sessions.constEnd() && state->promptId != 0;
}

Result<> AcpClient::answerPermission(const QString &requestId, const QString &optionId)
{
    const auto open = m_permissions.constFind(requestId);
    if (open != m_permissions.constEnd() && !open->optionIds.contains(optionId))
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), tr("This permission has no such answer."));
    return answer(requestId,
        {{QStringLiteral("outcome"), QStringLiteral("selected")}, {QStringLiteral("optionId"), optionId}});
}

Result<> AcpClient::dismissPermission(const QString &requestId)
{
    return answer(requestId, {{QStringLiteral("outcome"), QStringLiteral("cancelled")}});
}

Result<> AcpClient::answer(const QString &requestId, const QJsonObject &outcome)
{
    const auto open = m_permissions.constFind(requestId);
    if (open == m_permissions.constEnd()) {
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            tr("This permission is not open any more."), tr("Nothing is to be done: it was answered or withdrawn."));
    }
    const OpenPermission permission = *open;
    m_permissions.erase(open);
    if (auto state = m_sessions.find(permission.sessionId); state != m_sessions.end())
        state->heardAt = m_clock.elapsed(); // the agent's turn to speak begins now
    respond(permission.rpcId, {{QStringLiteral("outcome"), outcome}});
    armWatch();
    return Unit{};
}

void AcpClient::withdrawPermissions(const QString &sessionId)
{
    const QPointer<AcpClient> self(this);
    QStringList open;
    for (auto it = m_permissions.constBegin(); it != m_permissions.constEnd(); ++it) {
        if (it->sessionId == sessionId)
            open.append(it.key());
    }
    for (const QString &requestId : open) {
        if (!self || !dismissPermission(requestId))
            continue;
        Q_EMIT permissionWithdrawn(sessionId, requestId);
    }
}

void AcpClient::setPaused(bool paused)
{
    m_paused = paused;
    // Silence was ours, not the agent's.
    for (SessionState &state : m_sessions)
        state.heardAt = m_clock.elapsed();
    m_transport->setPaused(paused);
    armWatch();
}

void AcpClient::stop(bool force)
{
    m_transport->stop(force);
}

} // namespace foundry::backend
