// Commands over whole tasks: archive, delete, restore; what a deletion would lose; and jobs of a task.
#pragma once

#include "models/types/commandbase.h"
#include "models/types/provisioning.h"
#include "models/types/task.h"

namespace foundry {

struct ArchiveTask : CommandBase {
    TaskId taskId;
};
struct UnarchiveTask : CommandBase {
    TaskId taskId;
};
struct PreviewDelete : CommandBase {
    TaskId taskId;
};
// What would be lost as last known; the job brings the fresh answer (Job.loss).
struct DeletePreview {
    TaskId taskId;
    std::optional<TaskLoss> loss = {};
    Job job;
};
struct DeleteTask : CommandBase {
    TaskId taskId;
    bool keepBranch = false;
};
struct RestoreTask : CommandBase {
    TaskId taskId;
};
struct JobAnswer {
    Job job;
};
struct CancelJob : CommandBase {
    QString jobId;
};
struct SearchTasks {
    QString query;
    qint64 limit = 50;
};
struct TasksFound {
    QList<TaskSummary> tasks;
};

// Changes of a task's files. Paths are relative to the work tree.
struct Revert : CommandBase {
    QStringList paths; // empty: everything
};
struct UndoRevert : CommandBase {
    std::optional<QString> jobId = {}; // of the revert; absent: the latest one
};
struct Commit : CommandBase {
    QString message;
    std::optional<QStringList> paths = {}; // absent: everything
};

} // namespace foundry
