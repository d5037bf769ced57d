// Stages of provisioning: what is being made ready for a task, an agent or a session, and how far it is.
#pragma once

#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/openenum.h"

#include <QString>
#include <optional>

namespace foundry {

enum class StageState { Pending, Running, Done, Failed, Skipped, Cancelled };
template <>
struct EnumNames<StageState> {
    static constexpr EnumName<StageState> all[] = {{StageState::Pending, QLatin1StringView("pending")},
        {StageState::Running, QLatin1StringView("running")}, {StageState::Done, QLatin1StringView("done")},
        {StageState::Failed, QLatin1StringView("failed")}, {StageState::Skipped, QLatin1StringView("skipped")},
        {StageState::Cancelled, QLatin1StringView("cancelled")}};
};

// Id is `scope/name`: scope `sandbox`, `agent:<id>` or `session:<id>`; names as in the contract, e.g.
// "sandbox/sandbox_allocated", "agent:codex/agent_starting", "session:0199…/ready".
struct Stage : EntityMeta {
    QString id;
    OpenEnum<StageState> state = {};
    qint64 attempt = 1;
    qint64 order = 0; // position in the timeline
    std::optional<Millis> startedAt = {};
    std::optional<Millis> endedAt = {};
    std::optional<Millis> progressAt = {};
    std::optional<Millis> deadlineAt = {};
    std::optional<QString> message = {};
    std::optional<QString> logTail = {};
    std::optional<Error> error = {};

    QString scope() const { return id.section(QLatin1Char('/'), 0, 0); }
    QString name() const { return id.section(QLatin1Char('/'), 1); }
    friend bool operator==(const Stage &, const Stage &) = default;
};

enum class JobStatus { Queued, Running, Waiting, Completed, Error, Cancelled };
template <>
struct EnumNames<JobStatus> {
    static constexpr EnumName<JobStatus> all[] = {{JobStatus::Queued, QLatin1StringView("queued")},
        {JobStatus::Running, QLatin1StringView("running")}, {JobStatus::Waiting, QLatin1StringView("waiting")},
        {JobStatus::Completed, QLatin1StringView("completed")}, {JobStatus::Error, QLatin1StringView("error")},
        {JobStatus::Cancelled, QLatin1StringView("cancelled")}};
};

// What deleting a task would take away, or took: counts, and the first of the paths.
struct TaskLoss {
    qint64 uncommitted = 0; // changed files, staged or not
    qint64 untracked = 0;   // files
    qint64 unpushed = 0;    // commits that no remote has
    Millis at = 0;
    QStringList paths = {};
    friend bool operator==(const TaskLoss &, const TaskLoss &) = default;
};

struct Job : EntityMeta {
    QString id;
    QString kind;
    QString target;
    OpenEnum<JobStatus> status = {};
    std::optional<QString> step = {};
    std::optional<QString> message = {};
    QStringList conflicts = {};
    std::optional<Error> error = {};
    std::optional<TaskLoss> loss = {}; // of preview_delete and delete
    std::optional<Millis> createdAt = {};
    std::optional<Millis> undoUntil = {};
    std::optional<Millis> completedAt = {};
    friend bool operator==(const Job &, const Job &) = default;
};

} // namespace foundry
