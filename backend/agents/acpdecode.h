// From ACP's JSON to values. Pure; what is missing or of another type reads as empty, never as an error.
#pragma once

#include "backend/agents/acpclient.h"

#include <QJsonArray>
#include <QJsonObject>

namespace foundry::backend::acpdecode {

inline constexpr qsizetype maxTextBytes = 1024 * 1024; // characters of one content text

// A text as the transcript may hold it: cut at maxTextBytes, and saying so.
QString capped(const QString &text);
// A title on one line; a line break stays visible as ⏎, because in a command it separates.
QString oneLine(const QString &text);
// A content block as text: text itself, others as a Markdown line that names them.
QString blockText(const QJsonObject &block);
QList<PlanEntry> plan(const QJsonArray &entries);
QList<AgentChoice> commands(const QJsonArray &commands);
QList<SessionOption> configOptions(const QJsonArray &options);
// `modes` and `models` of older agents, and what config options of these categories say.
AcpSession session(const QString &sessionId, const QJsonObject &result);
AcpAgentInfo agentInfo(const QJsonObject &initializeResult);
// `used`, `size`, `cost` of usage_update, or the counts of a prompt's answer.
Usage usage(const QJsonObject &fields);
PermissionAsk permission(const QString &requestId, const QJsonObject &params);

// Everything but tool calls, which need what was said before (AcpToolCalls).
AcpUpdate update(const QString &kind, const QJsonObject &update);

} // namespace foundry::backend::acpdecode
