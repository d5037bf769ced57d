#include "backend/actors/stageplan.h"

#include <QHash>

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
    if (auto applied = deadlines.apply(environment.value(QStringLiteral("FOUNDRY_STAGE_DEADLINES"))); !applied)
        qWarning("FOUNDRY_STAGE_DEADLINES: %ls", qUtf16Printable(applied.error().message));
    return deadlines;
}

Result<> StageDeadlines::apply(const QString &text)
{
    const QHash<QString, qint64 *> known{{QStringLiteral("branch_attach"), &branchAttach}, {QStringLiteral("sandbox_allocated"), &allocate},
        {QStringLiteral("repo_prepared"), &prepare}, {QStringLiteral("agent_installing"), &agentInstall},
        {QStringLiteral("agent_starting"), &agentStart}, {QStringLiteral("agent_ready"), &agentReady},
        {QStringLiteral("session_creating"), &sessionCreate}, {QStringLiteral("ready"), &sessionReady},
        {QStringLiteral("save"), &save}, {QStringLiteral("release"), &release}, {QStringLiteral("bring_back"), &bringBack}};
    for (const QString &part : text.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        const QString name = part.section(QLatin1Char('='), 0, 0).trimmed();
        bool ok = false;
        const double seconds = part.section(QLatin1Char('='), 1).trimmed().toDouble(&ok);
        if (!known.contains(name) || !ok || seconds < 0 || seconds > 7 * 24 * 3600) {
            QStringList names = known.keys();
            names.sort();
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                QStringLiteral("“%1” is no deadline of a stage.").arg(part),
                QStringLiteral("Write STAGE=SECONDS with one of: %1.").arg(names.join(QStringLiteral(", "))), QStringLiteral("stage-deadlines"));
        }
        *known.value(name) = qint64(seconds * 1000);
    }
    return Unit{};
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
