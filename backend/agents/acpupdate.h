// What an agent says in a session, as values: a closed set. Decoded once, by AcpClient; nothing above it sees JSON.
#pragma once

#include "models/types/session.h"
#include "models/types/transcript.h"

#include <variant>

namespace foundry::backend {

// Text of a message. Other content (links, images, resources) comes as a Markdown line that names it.
struct UserChunk {
    QString text;
    friend bool operator==(const UserChunk &, const UserChunk &) = default;
};
struct AgentChunk {
    QString text;
    friend bool operator==(const AgentChunk &, const AgentChunk &) = default;
};
struct ThoughtChunk {
    QString text;
    friend bool operator==(const ThoughtChunk &, const ThoughtChunk &) = default;
};
// The whole row as it is now, however the agent told it (tool_call, tool_call_update, request_permission). Upsert by
// callId within the session; content texts are capped at 1 MiB each, and say so.
struct ToolCallUpsert {
    ToolCall call;
    bool isNew = false; // first sight of this callId in this session
    friend bool operator==(const ToolCallUpsert &, const ToolCallUpsert &) = default;
};
struct PlanUpdate { // replaces the plan
    QList<PlanEntry> entries;
    friend bool operator==(const PlanUpdate &, const PlanUpdate &) = default;
};
struct CommandsUpdate { // replaces the list
    QList<AgentChoice> commands;
    friend bool operator==(const CommandsUpdate &, const CommandsUpdate &) = default;
};
struct ModeUpdate {
    QString modeId;
    friend bool operator==(const ModeUpdate &, const ModeUpdate &) = default;
};
struct ConfigOptions { // replaces the list
    QList<SessionOption> options;
    friend bool operator==(const ConfigOptions &, const ConfigOptions &) = default;
};
struct UsageUpdate { // only what is set has changed
    Usage usage;
    friend bool operator==(const UsageUpdate &, const UsageUpdate &) = default;
};
struct TitleUpdate { // the agent's own title of the session
    QString title;
    friend bool operator==(const TitleUpdate &, const TitleUpdate &) = default;
};
struct AgentNotice { // severity info, warning, error
    QString severity;
    QString text;
    friend bool operator==(const AgentNotice &, const AgentNotice &) = default;
};
// A kind that this version does not know, or one whose content could not be read: counted, shown nowhere.
struct UnknownUpdate {
    QString kind;
    friend bool operator==(const UnknownUpdate &, const UnknownUpdate &) = default;
};

using AcpUpdate = std::variant<UnknownUpdate, UserChunk, AgentChunk, ThoughtChunk, ToolCallUpsert, PlanUpdate,
    CommandsUpdate, ModeUpdate, ConfigOptions, UsageUpdate, TitleUpdate, AgentNotice>;

// A permission the agent waits for. `ask.requestId` is unique over all agents and starts; it is the answer's handle.
// `call` is the tool's row, complete (a ToolCallUpsert for it was emitted just before).
struct AcpPermission {
    PermissionAsk ask;
    ToolCall call;
    friend bool operator==(const AcpPermission &, const AcpPermission &) = default;
};

} // namespace foundry::backend
