#include "backend/actors/stageplan.h"

namespace foundry::backend {

namespace {

constexpr qsizetype stageLogTail = 2000;

} // namespace

StageDeadlines StageDeadlines::fromEnvironment(const QProcessEnvironment &environment)
{
    StageDeadlines deadlines;
    bool ok = false;
    const qint64 all = environment.value(QStringLiteral("FOUNDRY_STAGE_DEADLINE_MS")).toLongLong(&ok);
    if (ok && all > 0) {
        deadlines.branchAttach = deadlines.allocate = deadlines.prepare = deadlines.agentInstall = all;
        deadlines.agentStart = deadlines.agentReady = deadlines.sessionCreate = deadlines.sessionReady = all;
    }
    return deadlines;
}

QString sandboxWorkflow()
{
    return QStringLiteral("sandbox");
}

QString agentWorkflow(const AgentId &agent)
{
    return QStringLiteral("agent:") + agent.value;
}

QString sessionWorkflow(const SessionId &session)
{
    return QStringLiteral("session:") + session.value;
}

QString stageWorkflow(const QString &stageId)
{
    return stageId.left(stageId.lastIndexOf(QLatin1Char('/')));
}

QString stageStep(const QString &stageId)
{
    return stageId.mid(stageId.lastIndexOf(QLatin1Char('/')) + 1);
}

WorkflowRecipe sandboxRecipe(bool adopt, const StageDeadlines &deadlines)
{
    WorkflowRecipe recipe{sandboxWorkflow(), QStringLiteral("sandbox"), {}};
    if (adopt)
        recipe.steps.append({QStringLiteral("branch_attach"), deadlines.branchAttach});
    recipe.steps.append({QStringLiteral("sandbox_allocated"), deadlines.allocate});
    recipe.steps.append({QStringLiteral("repo_prepared"), deadlines.prepare});
    return recipe;
}

WorkflowRecipe agentRecipe(const AgentId &agent, const StageDeadlines &deadlines)
{
    WorkflowRecipe recipe{agentWorkflow(agent), QStringLiteral("agent"), {}};
    recipe.steps = {{QStringLiteral("agent_installing"), deadlines.agentInstall},
        {QStringLiteral("agent_starting"), deadlines.agentStart}, {QStringLiteral("agent_ready"), deadlines.agentReady}};
    recipe.after = QStringList{sandboxWorkflow()};
    return recipe;
}

WorkflowRecipe sessionRecipe(const SessionId &session, const AgentId &agent, const StageDeadlines &deadlines)
{
    WorkflowRecipe recipe{sessionWorkflow(session), QStringLiteral("session"), {}};
    recipe.steps = {{QStringLiteral("session_creating"), deadlines.sessionCreate}, {QStringLiteral("ready"), deadlines.sessionReady}};
    recipe.after = QStringList{agentWorkflow(agent)};
    return recipe;
}

Stage stageOf(const StepRecord &record, qint64 order)
{
    Stage stage;
    stage.id = record.workflow + QLatin1Char('/') + record.step;
    stage.state = record.state;
    stage.attempt = record.attempt;
    stage.order = order;
    stage.startedAt = record.startedAt;
    stage.endedAt = record.endedAt;
    stage.progressAt = record.progressAt;
    stage.deadlineAt = record.deadlineAt;
    stage.message = record.message;
    if (!record.log.isEmpty())
        stage.logTail = record.log.right(stageLogTail);
    stage.error = record.error;
    return stage;
}

QList<Stage> plannedStages(const TaskCreation &creation)
{
    QList<Stage> stages;
    const StageDeadlines deadlines;
    for (const WorkflowRecipe &recipe : {sandboxRecipe(creation.adopt, deadlines), agentRecipe(creation.agent, deadlines),
             sessionRecipe(creation.session, creation.agent, deadlines)}) {
        for (const WorkflowStep &step : recipe.steps) {
            StepRecord record;
            record.workflow = recipe.id;
            record.step = step.name;
            stages.append(stageOf(record, stages.size()));
        }
    }
    return stages;
}

} // namespace foundry::backend
