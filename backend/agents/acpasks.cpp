// What the agent asks and waits for, permissions and questions: a part of AcpClient.
#include "backend/agents/acpclient.h"

#include "backend/agents/acpdecode.h"
#include "backend/agents/acpquestion.h"
#include "backend/agents/acptoolcalls.h"
#include "models/types/ids.h"

#include <QDateTime>
#include <QPointer>

namespace foundry::backend {

namespace {

QJsonObject asksPermissionCancelled()
{
    return {{QStringLiteral("outcome"), QJsonObject{{QStringLiteral("outcome"), QStringLiteral("cancelled")}}}};
}

QJsonObject asksAction(const QString &action)
{
    return {{QStringLiteral("action"), action}};
}

} // namespace

void AcpClient::onPermission(const QJsonValue &id, const QJsonObject &params)
{
    const QString sessionId = params.value(QLatin1StringView("sessionId")).toString();
    const auto state = m_sessions.find(sessionId);
    AcpPermission permission{acpdecode::permission(makeUuid7(), params), {}};
    // Nobody to ask: an unknown session, no options, or a turn that is being cancelled.
    if (state == m_sessions.end() || permission.ask.options.isEmpty() || state->cancelledAt != 0) {
        respond(id, asksPermissionCancelled());
        return;
    }
    state->heardAt = m_clock.elapsed();
    OpenAsk open{sessionId, id};
    for (const PermissionOption &option : permission.ask.options)
        open.optionIds.append(option.id);
    const auto row = state->calls->merge(params.value(QLatin1StringView("toolCall")).toObject(), QDateTime::currentMSecsSinceEpoch());
    permission.call = state->calls->row(permission.ask.toolCallId);
    if (permission.ask.title.isEmpty())
        permission.ask.title = permission.call.title;
    m_asks.insert(permission.ask.requestId, open);
    const QPointer<AcpClient> self(this);
    if (row)
        Q_EMIT update(sessionId, *row);
    if (self)
        Q_EMIT permissionRequested(sessionId, permission);
}

void AcpClient::onQuestion(const QJsonValue &id, const QJsonObject &params)
{
    QString sessionId = params.value(QLatin1StringView("sessionId")).toString();
    // One that belongs to a request of ours belongs to that request's session.
    if (sessionId.isEmpty())
        sessionId = m_pending.value(params.value(QLatin1StringView("requestId")).toInteger(-1)).sessionId;
    const auto state = m_sessions.find(sessionId);
    const auto ask = acpQuestion(makeUuid7(), params);
    if (state == m_sessions.end() || !ask || state->cancelledAt != 0) {
        respond(id, asksAction(QStringLiteral("cancel")));
        if (state != m_sessions.end() && !ask)
            Q_EMIT update(sessionId, AgentNotice{QStringLiteral("warning"),
                tr("The agent asked in a way that cannot be shown, and was told so: %1")
                    .arg(acpdecode::oneLine(params.value(QLatin1StringView("message")).toString().left(500)))});
        return;
    }
    state->heardAt = m_clock.elapsed();
    OpenAsk open{sessionId, id};
    open.question = ask;
    open.elicitationId = params.value(QLatin1StringView("elicitationId")).toString();
    m_asks.insert(ask->requestId, open);
    Q_EMIT questionAsked(sessionId, *ask);
}

void AcpClient::onQuestionDone(const QString &elicitationId)
{
    for (auto it = m_asks.begin(); it != m_asks.end(); ++it) {
        if (elicitationId.isEmpty() || it->elicitationId != elicitationId)
            continue;
        const QString requestId = it.key(); // NOLINT(performance-unnecessary-copy-initialization): the entry goes before its key
        const OpenAsk ask = *it;
        if (answer(requestId, true, asksAction(QStringLiteral("accept"))))
            withdrawn(requestId, ask, true);
        return;
    }
}

Result<> AcpClient::answerPermission(const QString &requestId, const QString &optionId)
{
    const auto open = m_asks.constFind(requestId);
    if (open != m_asks.constEnd() && !open->optionIds.contains(optionId))
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), tr("This permission has no such answer."));
    return answer(requestId, false,
        {{QStringLiteral("outcome"),
            QJsonObject{{QStringLiteral("outcome"), QStringLiteral("selected")}, {QStringLiteral("optionId"), optionId}}}});
}

Result<> AcpClient::dismissPermission(const QString &requestId)
{
    return answer(requestId, false, asksPermissionCancelled());
}

Result<> AcpClient::answerQuestion(const QString &requestId, const QString &action, const QMap<QString, QString> &values)
{
    QJsonObject result = asksAction(action);
    const auto open = m_asks.constFind(requestId);
    if (open != m_asks.constEnd() && open->question && action == QLatin1StringView("accept") && !open->question->url) {
        auto content = acpQuestionContent(*open->question, values);
        if (!content)
            return content.error();
        result.insert(QStringLiteral("content"), *content);
    }
    return answer(requestId, true, result);
}

Result<> AcpClient::answer(const QString &requestId, bool isQuestion, const QJsonObject &result)
{
    const auto open = m_asks.constFind(requestId);
    if (open == m_asks.constEnd() || open->question.has_value() != isQuestion) {
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            isQuestion ? tr("This question is not open any more.") : tr("This permission is not open any more."),
            tr("Nothing is to be done: it was answered or withdrawn."));
    }
    const OpenAsk ask = *open; // NOLINT(performance-unnecessary-copy-initialization): the entry goes first
    m_asks.erase(open);
    if (auto state = m_sessions.find(ask.sessionId); state != m_sessions.end())
        state->heardAt = m_clock.elapsed(); // the agent's turn to speak begins now
    respond(ask.rpcId, result);
    armWatch();
    return Unit{};
}

void AcpClient::withdrawn(const QString &requestId, const OpenAsk &ask, bool done)
{
    if (ask.question)
        Q_EMIT questionWithdrawn(ask.sessionId, requestId, done);
    else
        Q_EMIT permissionWithdrawn(ask.sessionId, requestId);
}

void AcpClient::withdrawAsks(const QString &sessionId)
{
    const QPointer<AcpClient> self(this);
    QHash<QString, OpenAsk> open;
    for (auto it = m_asks.constBegin(); it != m_asks.constEnd(); ++it) {
        if (it->sessionId == sessionId)
            open.insert(it.key(), *it);
    }
    for (auto it = open.constBegin(); it != open.constEnd(); ++it) {
        if (!self)
            return;
        const bool gone = it->question ? answer(it.key(), true, asksAction(QStringLiteral("cancel"))).ok() : dismissPermission(it.key()).ok();
        if (gone)
            withdrawn(it.key(), *it);
    }
}

bool AcpClient::hasOpenAsk(const QString &sessionId) const
{
    return std::any_of(m_asks.constBegin(), m_asks.constEnd(), [&sessionId](const OpenAsk &ask) { return ask.sessionId == sessionId; });
}

} // namespace foundry::backend
