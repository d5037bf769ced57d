// A turn from the prompt to its end: a part of AcpClient.
#include "backend/agents/acpclient.h"

#include "backend/agents/acpdecode.h"
#include "backend/agents/acptoolcalls.h"
#include "backend/agents/agenterrors.h"

#include <QDateTime>
#include <QPointer>

namespace foundry::backend {

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
    withdrawAsks(sessionId);
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
        withdrawAsks(sessionId);
        return;
    }
    if (state->cancelledAt != 0)
        return;
    state->cancelledAt = std::max<qint64>(1, m_clock.elapsed());
    state->calls->stop();
    notify(QStringLiteral("session/cancel"), {{QStringLiteral("sessionId"), sessionId}});
    withdrawAsks(sessionId);
    armWatch();
}

bool AcpClient::isPrompting(const QString &sessionId) const
{
    const auto state = m_sessions.constFind(sessionId);
    return state != m_sessions.constEnd() && state->promptId != 0;
}

} // namespace foundry::backend
