// How states look and what they are called: a glyph, a colour and a word each, so that colour is never alone.
#pragma once

#include "views/common/themeprovider.h"

#include "models/tasklistmodel.h"

namespace foundry::views {

struct StateLook {
    Icon icon = Icon::Circle;
    QColor Colors::*color = &Colors::textMuted;
    QString word;
};

// What a task wants first, else how it is.
StateLook lookOf(const TaskRow &row);
StateLook lookOf(const OpenEnum<TaskStatus> &status);
StateLook lookOf(NeedsYou needs);
StateLook lookOf(const OpenEnum<AgentState> &state);
StateLook lookOf(const Repository &repository);
// "sandbox_allocated" → "Making a work tree", for people; unknown names are shown as they are.
QString stageWords(const QString &stageName);
// The agent's icon: the built-in runner is no robot.
Icon agentIcon(const AgentId &agent);
// The names of a task's agents without repetition: "codex", "claude, codex".
QString agentWords(const TaskSummary &task);

} // namespace foundry::views
