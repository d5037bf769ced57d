// The one place that says what status a task and a session have. Pure functions of stored facts, so that no status can
// stick: it is derived anew after every change and never set by hand.
#pragma once

#include "models/types/provisioning.h"
#include "models/types/task.h"

#include <QList>

namespace foundry::backend {

struct SessionFacts {
    bool closed = false;
    bool turnRunning = false;
    bool hadTurn = false;     // a turn of it has ended
    std::optional<Error> error = {}; // of its last turn, or of the agent
};

// `stages`: all stages of the task; `sessionScope` and `agentScope` choose what the session depends on.
SessionStatus deriveSessionStatus(const SessionFacts &facts, const QList<Stage> &stages, const QString &sessionScope,
    const QString &agentScope);
// The error to show with status Error: the session's own, else that of the failed stage it waits for.
std::optional<Error> sessionError(const SessionFacts &facts, const QList<Stage> &stages, const QString &sessionScope,
    const QString &agentScope);

struct TaskFacts {
    bool deleting = false;
    bool archiving = false;
    bool archived = false;
    bool returning = false; // on its way back from the archive or from deletion
    QList<SessionStatus> openSessions = {};
    QList<Stage> stages = {};
};
TaskStatus deriveTaskStatus(const TaskFacts &facts);

// The stage under way or failed, in words for a list: "Preparing the repository", "Starting codex failed"; nothing when
// all is done.
std::optional<QString> stageInWords(const QList<Stage> &stages);
// "Preparing the repository" of a stage id.
QString stageTitle(const QString &stageId);

} // namespace foundry::backend
