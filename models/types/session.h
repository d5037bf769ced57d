// Sessions of a task: one conversation with one agent.
#pragma once

#include "models/types/blob.h"
#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/ids.h"
#include "models/types/openenum.h"
#include "models/types/organization.h"

namespace foundry {

enum class SessionStatus { PendingProvision, PendingSessionCreate, Ready, Running, Idle, Error };
template <>
struct EnumNames<SessionStatus> {
    static constexpr EnumName<SessionStatus> all[] = {
        {SessionStatus::PendingProvision, QLatin1StringView("pending_provision")},
        {SessionStatus::PendingSessionCreate, QLatin1StringView("pending_session_create")},
        {SessionStatus::Ready, QLatin1StringView("ready")}, {SessionStatus::Running, QLatin1StringView("running")},
        {SessionStatus::Idle, QLatin1StringView("idle")}, {SessionStatus::Error, QLatin1StringView("error")}};
};

struct Usage {
    std::optional<qint64> inputTokens = {};
    std::optional<qint64> outputTokens = {};
    std::optional<double> costUsd = {};
    std::optional<qint64> contextUsed = {};
    std::optional<qint64> contextSize = {};
    friend bool operator==(const Usage &, const Usage &) = default;
};

// An option that the agent itself offers (ACP config option), with its values.
struct SessionOption {
    QString id;
    QString name;
    QString category; // mode, model, thought_level, …
    QString currentValue;
    QList<AgentChoice> values = {};
    friend bool operator==(const SessionOption &, const SessionOption &) = default;
};

struct Session : EntityMeta {
    SessionId id;
    QString name;
    AgentId agent;
    std::optional<QString> model = {};
    std::optional<QString> mode = {};
    QList<SessionOption> options = {};
    QList<AgentChoice> commands = {};
    OpenEnum<SessionStatus> status = {};
    std::optional<Millis> turnStartedAt = {};
    std::optional<Error> error = {};
    std::optional<Usage> usage = {};
    qint64 entryCount = 0;
    bool interrupted = false; // its last turn was cut by a stop of the host or the agent
    std::optional<Millis> closedAt = {};
    friend bool operator==(const Session &, const Session &) = default;
};

struct QueuedPrompt : EntityMeta {
    QueueId id;
    SessionId sessionId;
    Prompt prompt;
    QList<Attachment> attachments = {};
    double order = 0;
    Millis createdAt = 0;
    QString by;
    friend bool operator==(const QueuedPrompt &, const QueuedPrompt &) = default;
};

} // namespace foundry
