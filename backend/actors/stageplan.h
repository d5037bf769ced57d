// Which stages a task, an agent and a session go through, as recipes of the workflow runner; and their deadlines. Pure.
#pragma once

#include "backend/actors/taskmessages.h"
#include "backend/workflows/workflowrunner.h"

#include <QProcessEnvironment>

namespace foundry::backend {

// Milliseconds. A stuck stage ends at its deadline with its cause and the tail of its log.
struct StageDeadlines {
    qint64 branchAttach = 60 * 1000;
    qint64 allocate = 60 * 1000;
    qint64 prepare = 15 * 60 * 1000; // a large checkout on a slow disk
    qint64 agentInstall = 15 * 60 * 1000;
    qint64 agentStart = 60 * 1000;
    qint64 agentReady = 60 * 1000;
    qint64 sessionCreate = 90 * 1000;
    qint64 sessionReady = 60 * 1000;
    // Of archiving, deleting and bringing back. The whole of a large work tree is read and written.
    qint64 save = 15 * 60 * 1000;
    qint64 release = 15 * 60 * 1000;
    qint64 bringBack = 15 * 60 * 1000;

    // FOUNDRY_STAGE_DEADLINE_MS sets those of a new task; FOUNDRY_STAGE_DEADLINES single ones, as apply() reads them.
    static StageDeadlines fromEnvironment(const QProcessEnvironment &environment);
    // "repo_prepared=1800,agent_starting=30": seconds by stage, 0: none. input.invalid names what cannot be read.
    Result<> apply(const QString &text);
};

// Raised whenever a recipe's steps change: work recorded by another version stops and says so.
constexpr int provisioningRecipeVersion = 1;

QString sandboxWorkflow();
QString agentWorkflow(const AgentId &agent);
QString sessionWorkflow(const SessionId &session);
// "sandbox/repo_prepared" → "sandbox", "repo_prepared"
QString stageWorkflow(const QString &stageId);
QString stageStep(const QString &stageId);

WorkflowRecipe sandboxRecipe(bool adopt, const StageDeadlines &deadlines);
WorkflowRecipe agentRecipe(const AgentId &agent, const StageDeadlines &deadlines);
WorkflowRecipe sessionRecipe(const SessionId &session, const AgentId &agent, const StageDeadlines &deadlines);

// The pending stages of a new task, as the answer to createTask shows them.
QList<Stage> plannedStages(const TaskCreation &creation);
Stage stageOf(const StepRecord &record, qint64 order);

} // namespace foundry::backend
