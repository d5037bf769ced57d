#include "backend/agents/acpclient.h"

#include "backend/agents/acpdecode.h"
#include "backend/agents/acptoolcalls.h"
#include "backend/agents/agenterrors.h"

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
                    {QStringLiteral("terminal"), false},
                    {QStringLiteral("elicitation"),
                        QJsonObject{{QStringLiteral("form"), QJsonObject()}, {QStringLiteral("url"), QJsonObject()}}}}},
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
    const QString cwd = params.value(QLatin1StringView("cwd")).toString();
    if (!sessionId.isEmpty() && !m_sessions.contains(sessionId))
        m_sessions[sessionId].calls = std::make_shared<AcpToolCalls>(cwd);
    request(method, params, m_timeouts.requestMs, [this, method, sessionId, cwd, done = std::move(done)](const Result<QJsonObject> &answer) {
        if (!answer) {
            if (!sessionId.isEmpty())
                m_sessions.remove(sessionId);
            m_early.clear();
            m_earlyBytes = 0;
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
            state.calls = std::make_shared<AcpToolCalls>(cwd);
        state.described = acpdecode::session(id, *answer);
        state.hasModes = answer->value(QLatin1StringView("modes")).isObject();
        state.hasModels = answer->value(QLatin1StringView("models")).isObject();
        const AcpSession described = state.described;
        const QList<QJsonObject> early = m_early.take(id);
        if (m_early.isEmpty())
            m_earlyBytes = 0;
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
            const QJsonArray listed = answer->value(QLatin1StringView("sessions")).toArray();
            QList<AcpSessionListing> sessions;
            for (const auto &item : listed) {
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

void AcpClient::setPaused(bool paused)
{
    if (m_paused == paused)
        return;
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
