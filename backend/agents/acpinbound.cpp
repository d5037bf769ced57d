// What comes in from the agent, and what does not come in time: the other half of AcpClient.
#include "backend/agents/acpclient.h"

#include "backend/agents/acpdecode.h"
#include "backend/agents/acptoolcalls.h"
#include "backend/agents/agenterrors.h"
#include "models/types/ids.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QPointer>

namespace foundry::backend {

namespace {

constexpr int rpcMethodNotFound = -32601;
constexpr int rpcRequestCancelled = -32800;
constexpr int rpcAuthRequired = -32000;
constexpr qsizetype inboundEarlyLimit = 1000;
constexpr qsizetype inboundEarlyBytes = 4 * 1024 * 1024;

} // namespace

qint64 AcpClient::request(const QString &method, const QJsonObject &params, int deadlineMs,
    std::function<void(Result<QJsonObject>)> done, const QString &sessionId)
{
    if (m_gone || !m_transport->isRunning()) {
        done(m_failure.value_or(makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"),
            tr("%1 is not running.").arg(m_spec.agentName), tr("Start it again."))));
        return 0;
    }
    const qint64 id = ++m_nextId;
    m_pending.insert(id, {method, sessionId, std::move(done), deadlineMs > 0 ? m_clock.elapsed() + deadlineMs : 0, deadlineMs});
    m_transport->send({{QStringLiteral("jsonrpc"), QStringLiteral("2.0")}, {QStringLiteral("id"), id},
        {QStringLiteral("method"), method}, {QStringLiteral("params"), params}});
    armWatch();
    return id;
}

void AcpClient::notify(const QString &method, const QJsonObject &params)
{
    m_transport->send({{QStringLiteral("jsonrpc"), QStringLiteral("2.0")}, {QStringLiteral("method"), method},
        {QStringLiteral("params"), params}});
}

void AcpClient::respond(const QJsonValue &id, const QJsonObject &result)
{
    m_transport->send({{QStringLiteral("jsonrpc"), QStringLiteral("2.0")}, {QStringLiteral("id"), id},
        {QStringLiteral("result"), result}});
}

void AcpClient::respondError(const QJsonValue &id, int code, const QString &message)
{
    m_transport->send({{QStringLiteral("jsonrpc"), QStringLiteral("2.0")}, {QStringLiteral("id"), id},
        {QStringLiteral("error"), QJsonObject{{QStringLiteral("code"), code}, {QStringLiteral("message"), message}}}});
}

void AcpClient::onMessage(const QJsonObject &message)
{
    ++m_counts.messages;
    const QString method = message.value(QLatin1StringView("method")).toString();
    const QJsonValue id = message.value(QLatin1StringView("id"));
    const QJsonObject params = message.value(QLatin1StringView("params")).toObject();
    if (method.isEmpty())
        onResponse(message);
    else if (id.isUndefined())
        onNotification(method, params);
    else
        onRequest(method, id, params);
}

void AcpClient::onResponse(const QJsonObject &message)
{
    const qint64 id = message.value(QLatin1StringView("id")).toInteger(-1);
    if (!m_pending.contains(id)) {
        ++m_counts.unmatchedResponses; // late, doubled, or never asked
        return;
    }
    const Pending pending = m_pending.take(id);
    const QJsonValue error = message.value(QLatin1StringView("error"));
    if (error.isObject())
        pending.done(rpcError(error.toObject(), pending.method));
    else
        pending.done(message.value(QLatin1StringView("result")).toObject());
}

void AcpClient::onRequest(const QString &method, const QJsonValue &id, const QJsonObject &params)
{
    if (method == QLatin1StringView("session/request_permission")) {
        onPermission(id, params);
        return;
    }
    if (method == QLatin1StringView("elicitation/create")) {
        onQuestion(id, params);
        return;
    }
    ++m_counts.unknownRequests;
    respondError(id, rpcMethodNotFound, QStringLiteral("Method not found: ") + method);
}

void AcpClient::onNotification(const QString &method, const QJsonObject &params)
{
    if (method == QLatin1StringView("session/update")) {
        onUpdate(params.value(QLatin1StringView("sessionId")).toString(), params.value(QLatin1StringView("update")).toObject());
        return;
    }
    if (method == QLatin1StringView("elicitation/complete")) {
        onQuestionDone(params.value(QLatin1StringView("elicitationId")).toString());
        return;
    }
    if (method == QLatin1StringView("$/cancel_request")) {
        const QJsonValue rpcId = params.value(QLatin1StringView("requestId"));
        for (auto it = m_asks.cbegin(); it != m_asks.cend(); ++it) {
            if (it->rpcId != rpcId)
                continue;
            const QString requestId = it.key(); // NOLINT(performance-unnecessary-copy-initialization): the entry goes before its key
            const OpenAsk ask = m_asks.take(requestId);
            respondError(rpcId, rpcRequestCancelled, QStringLiteral("Request cancelled"));
            withdrawn(requestId, ask);
            return;
        }
    }
    // Others, and those that begin with `_`, are extensions.
}

void AcpClient::onUpdate(const QString &sessionId, const QJsonObject &fields)
{
    const auto state = m_sessions.find(sessionId);
    if (state == m_sessions.end()) {
        bool opening = false;
        for (const Pending &pending : std::as_const(m_pending))
            opening = opening || pending.method == QLatin1StringView("session/new");
        const qsizetype bytes = opening ? QJsonDocument(fields).toJson(QJsonDocument::Compact).size() : 0;
        if (opening && m_early[sessionId].size() < inboundEarlyLimit && m_earlyBytes + bytes < inboundEarlyBytes) {
            m_early[sessionId].append(fields);
            m_earlyBytes += bytes;
        } else {
            ++m_counts.unknownUpdates;
        }
        return;
    }
    state->heardAt = m_clock.elapsed();
    const QString kind = fields.value(QLatin1StringView("sessionUpdate")).toString();
    if (kind == QLatin1StringView("tool_call") || kind == QLatin1StringView("tool_call_update")) {
        if (const auto row = state->calls->merge(fields, QDateTime::currentMSecsSinceEpoch()))
            Q_EMIT update(sessionId, *row);
        return;
    }
    const AcpUpdate value = acpdecode::update(kind, fields);
    if (std::holds_alternative<UnknownUpdate>(value))
        ++m_counts.unknownUpdates;
    else if (const auto *mode = std::get_if<ModeUpdate>(&value))
        state->described.currentMode = mode->modeId;
    else if (const auto *options = std::get_if<ConfigOptions>(&value))
        state->described.options = options->options;
    Q_EMIT update(sessionId, value);
}

void AcpClient::onFailed(const Error &error)
{
    m_failure = error;
    if (m_transport->isRunning())
        return; // exited() follows
    m_gone = true;
    failAll(error);
}

void AcpClient::onExited(const AgentExit &exit)
{
    m_ready = false;
    m_gone = true;
    m_watch.stop();
    const Error error = m_failure.value_or(agenterrors::crashed(m_spec.agentName, exit));
    const bool unexpected = m_failure.has_value() || !exit.asked;
    m_failure = error;
    const QPointer<AcpClient> self(this);
    failAll(error);
    if (self)
        Q_EMIT ended(exit, unexpected ? std::optional<Error>(error) : std::nullopt);
}

void AcpClient::failAll(const Error &error)
{
    const QPointer<AcpClient> self(this);
    const auto pending = std::exchange(m_pending, {});
    for (const Pending &call : pending) {
        call.done(error);
        if (!self)
            return;
    }
    // What was asked outside of any turn; the rest went with its turn.
    const auto asks = std::exchange(m_asks, {});
    for (auto it = asks.constBegin(); it != asks.constEnd(); ++it) {
        withdrawn(it.key(), *it);
        if (!self)
            return;
    }
    finishStart(error);
}

void AcpClient::armWatch()
{
    if (m_gone)
        return;
    qint64 next = std::numeric_limits<qint64>::max();
    for (const Pending &pending : std::as_const(m_pending)) {
        if (pending.deadline > 0)
            next = std::min(next, pending.deadline);
    }
    for (auto it = m_sessions.constBegin(); it != m_sessions.constEnd(); ++it) {
        if (it->promptId == 0)
            continue;
        if (it->cancelledAt != 0)
            next = std::min(next, it->cancelledAt + m_timeouts.cancelGraceMs);
        else if (!m_paused && !hasOpenAsk(it.key()))
            // Looked at early enough for a tool to have ended meanwhile.
            next = std::min({next, it->heardAt + idleLimit(*it), m_clock.elapsed() + m_timeouts.promptIdleMs});
    }
    if (next == std::numeric_limits<qint64>::max())
        m_watch.stop();
    else
        m_watch.start(int(std::clamp<qint64>(next - m_clock.elapsed() + 1, 0, std::numeric_limits<int>::max())));
}

int AcpClient::idleLimit(const SessionState &state) const
{
    return state.calls->anyRunning() ? m_timeouts.toolIdleMs : m_timeouts.promptIdleMs;
}

void AcpClient::watch()
{
    const qint64 now = m_clock.elapsed();
    const QPointer<AcpClient> self(this);
    const QList<qint64> ids = m_pending.keys();
    for (const qint64 id : ids) {
        const auto found = m_pending.constFind(id);
        if (found == m_pending.constEnd() || found->deadline == 0 || found->deadline > now)
            continue;
        const Pending pending = m_pending.take(id);
        const bool saidNothing = m_counts.messages == 0 && m_counts.garbageLines > 0;
        pending.done(saidNothing
                ? agenterrors::protocol(m_spec.agentName, tr("it prints text that is no message"), m_firstGarbage)
                : agenterrors::timeout(m_spec.agentName, pending.method, pending.limitMs / 1000, stderrTail()));
        if (!self)
            return;
    }
    const QStringList sessionIds = m_sessions.keys();
    for (const QString &sessionId : sessionIds) {
        const auto state = m_sessions.find(sessionId);
        if (state == m_sessions.end() || state->promptId == 0)
            continue;
        if (state->cancelledAt != 0) {
            if (now < state->cancelledAt + m_timeouts.cancelGraceMs)
                continue;
            // It does not listen. Its other sessions go with it: there is no other way to stop it from writing.
            m_failure = agenterrors::timeout(m_spec.agentName, tr("cancel"), m_timeouts.cancelGraceMs / 1000, stderrTail());
            m_watch.stop();
            m_transport->stop(true);
            return;
        }
        if (m_paused || hasOpenAsk(sessionId) || now < state->heardAt + idleLimit(*state))
            continue;
        state->timedOut = true;
        cancel(sessionId);
        if (!self)
            return;
    }
    armWatch();
}

Error AcpClient::rpcError(const QJsonObject &error, const QString &method) const
{
    const int code = error.value(QLatin1StringView("code")).toInt();
    QString said = error.value(QLatin1StringView("message")).toString();
    const QJsonValue data = error.value(QLatin1StringView("data"));
    const QString details = data.isString() ? data.toString() : data.toObject().value(QLatin1StringView("details")).toString();
    if (!details.isEmpty())
        said += QStringLiteral(": ") + details;
    if (code == rpcAuthRequired) {
        QString hint = m_spec.loginHint;
        if (hint.isEmpty() && !m_info.authMethods.isEmpty())
            hint = tr("Log in: %1.").arg(m_info.authMethods.first().name);
        return agenterrors::needsLogin(m_spec.agentName, hint, said);
    }
    if (said.contains(QLatin1StringView("cannot be used with root")))
        return agenterrors::refusedAsRoot(m_spec.agentName);
    return agenterrors::rejected(m_spec.agentName, method, code, said.left(2000), stderrTail());
}

} // namespace foundry::backend
