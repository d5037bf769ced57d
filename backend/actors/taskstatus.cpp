#include "backend/actors/taskstatus.h"

#include <QHash>
#include <algorithm>

namespace foundry::backend {

namespace {

bool isStatusStageBroken(const Stage &stage)
{
    return stage.state == StageState::Failed || stage.state == StageState::Cancelled;
}

bool isStatusStageOver(const Stage &stage)
{
    return stage.state == StageState::Done || stage.state == StageState::Skipped;
}

const Stage *brokenStatusStage(const QList<Stage> &stages, const QStringList &scopes)
{
    for (const QString &scope : scopes) {
        for (const Stage &stage : stages) {
            if (stage.scope() == scope && isStatusStageBroken(stage))
                return &stage;
        }
    }
    return nullptr;
}

bool isStatusScopeOver(const QList<Stage> &stages, const QString &scope)
{
    return std::all_of(stages.begin(), stages.end(),
        [&scope](const Stage &stage) { return stage.scope() != scope || isStatusStageOver(stage); });
}

} // namespace

SessionStatus deriveSessionStatus(const SessionFacts &facts, const QList<Stage> &stages, const QString &sessionScope,
    const QString &agentScope)
{
    if (facts.closed)
        return SessionStatus::Idle;
    if (facts.turnRunning)
        return SessionStatus::Running;
    if (facts.error || brokenStatusStage(stages, {QStringLiteral("sandbox"), agentScope, sessionScope}))
        return SessionStatus::Error;
    // A session whose agent sleeps is idle all the same: the next prompt wakes it, and its stages say so.
    if (isStatusScopeOver(stages, sessionScope))
        return facts.hadTurn ? SessionStatus::Idle : SessionStatus::Ready;
    if (!isStatusScopeOver(stages, QStringLiteral("sandbox")) || !isStatusScopeOver(stages, agentScope))
        return SessionStatus::PendingProvision;
    return SessionStatus::PendingSessionCreate;
}

std::optional<Error> sessionError(const SessionFacts &facts, const QList<Stage> &stages, const QString &sessionScope,
    const QString &agentScope)
{
    if (facts.closed)
        return std::nullopt;
    if (facts.error)
        return facts.error;
    const Stage *broken = brokenStatusStage(stages, {QStringLiteral("sandbox"), agentScope, sessionScope});
    if (!broken)
        return std::nullopt;
    if (broken->error)
        return broken->error;
    return makeError(QLatin1StringView("state"), QLatin1StringView("cancelled"),
        QStringLiteral("%1 was cancelled.").arg(stageTitle(broken->id)), QStringLiteral("Retry from here to go on."));
}

TaskStatus deriveTaskStatus(const TaskFacts &facts)
{
    if (facts.deleting)
        return TaskStatus::Deleting;
    if (facts.archiving)
        return TaskStatus::Archiving;
    if (facts.archived)
        return TaskStatus::Archived;
    if (facts.returning)
        return TaskStatus::Provisioning;
    const auto has = [&facts](SessionStatus status) { return facts.openSessions.contains(status); };
    if (has(SessionStatus::Running))
        return TaskStatus::Running;
    if (has(SessionStatus::Error) || brokenStatusStage(facts.stages, {QStringLiteral("sandbox")}))
        return TaskStatus::Error;
    if (has(SessionStatus::PendingProvision) || has(SessionStatus::PendingSessionCreate)
        || !isStatusScopeOver(facts.stages, QStringLiteral("sandbox")))
        return TaskStatus::Provisioning;
    if (has(SessionStatus::Ready) && !has(SessionStatus::Idle))
        return TaskStatus::Ready;
    return TaskStatus::Idle;
}

QString stageTitle(const QString &stageId)
{
    static const QHash<QString, QString> titles{
        {QStringLiteral("branch_attach"), QStringLiteral("Attaching the branch")},
        {QStringLiteral("sandbox_allocated"), QStringLiteral("Setting a place aside")},
        {QStringLiteral("repo_prepared"), QStringLiteral("Preparing the repository")},
        {QStringLiteral("agent_installing"), QStringLiteral("Finding the agent")},
        {QStringLiteral("agent_starting"), QStringLiteral("Starting the agent")},
        {QStringLiteral("agent_ready"), QStringLiteral("Shaking hands with the agent")},
        {QStringLiteral("session_creating"), QStringLiteral("Creating the session")},
        {QStringLiteral("ready"), QStringLiteral("Making the session ready")},
    };
    const QString name = stageId.section(QLatin1Char('/'), 1);
    return titles.value(name, name);
}

std::optional<QString> stageInWords(const QList<Stage> &stages)
{
    const Stage *running = nullptr;
    const Stage *pending = nullptr;
    for (const Stage &stage : stages) {
        if (stage.state == StageState::Failed)
            return stageTitle(stage.id) + QStringLiteral(" failed");
        if (stage.state == StageState::Cancelled)
            return stageTitle(stage.id) + QStringLiteral(" was cancelled");
        if (stage.state == StageState::Running && !running)
            running = &stage;
        if (stage.state == StageState::Pending && !pending)
            pending = &stage;
    }
    if (running)
        return stageTitle(running->id);
    if (pending)
        return stageTitle(pending->id);
    return std::nullopt;
}

} // namespace foundry::backend
