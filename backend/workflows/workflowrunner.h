// A small durable step runner: a workflow is a recipe of named steps, each recorded in the actor's database before its
// effect begins, each with an attempt, a deadline and its last sign of progress. After a restart it goes on from the
// last completed step; a step that was running is begun again with the same attempt, so a step's effect must be
// idempotent by (workflow, step, attempt). Nothing is retried unasked: a retry is a recorded attempt.
// Lives on its actor's thread and writes only inside the actor's transactions. Times are milliseconds since the epoch.
#pragma once

#include "backend/actors/actorcontext.h"
#include "models/types/provisioning.h"
#include "models/types/result.h"

#include <QList>
#include <QStringList>
#include <functional>
#include <optional>

namespace foundry::backend {

class Database;

struct WorkflowStep {
    QString name;
    qint64 deadlineMs = 0; // 0: none
};

struct WorkflowRecipe {
    QString id;
    QString kind;
    QList<WorkflowStep> steps;
    QStringList after = {}; // workflows that must be complete before this one begins
    QByteArray input = {};  // JSON, the step's own business
};

// A step as it is recorded.
struct StepRecord {
    QString workflow;
    QString step;
    qint64 position = 0;
    StageState state = StageState::Pending;
    qint64 attempt = 1;
    std::optional<Millis> startedAt = {};
    std::optional<Millis> endedAt = {};
    std::optional<Millis> progressAt = {};
    std::optional<Millis> deadlineAt = {};
    std::optional<QString> message = {};
    QString log = {}; // of this attempt, its tail
    QByteArray output = {};
    std::optional<Error> error = {};
};

class WorkflowRunner {
public:
    struct Hooks {
        // Starts the step's effect, in the transaction that records it (a send, or tx.afterCommit). `resumed`: it was
        // under way before a restart.
        std::function<void(Transaction &, const StepRecord &, bool resumed)> begin;
        // Every recorded change of a step.
        std::function<void(Transaction &, const StepRecord &)> changed;
        // The step is cancelled or past its deadline: end its effect.
        std::function<void(Transaction &, const StepRecord &)> abandon;
        // All steps of a workflow are done.
        std::function<void(Transaction &, const QString &workflow)> completed;
        // A step failed (also by its deadline).
        std::function<void(Transaction &, const StepRecord &)> failed;
    };

    // `version` is that of the recipes: work under way that was recorded by another version stops and says so.
    WorkflowRunner(ActorContext &context, int version, Hooks hooks);

    // Schema of the runner's tables, one step of the actor's migrations.
    static QString schema();

    // Records the recipe; a workflow of that id that exists stays as it is.
    void start(Transaction &tx, const WorkflowRecipe &recipe);
    // Forgets a workflow and its steps.
    void forget(Transaction &tx, const QString &workflow);
    // Begins whatever can begin. Call it at the end of each transaction that touched a workflow.
    void advance(Transaction &tx);
    // After a start of the actor: begins again what was under way, with a new deadline.
    void resume(Transaction &tx);

    // The end of a step's effect; of an attempt that is not the current one it is dropped (false).
    bool finish(Transaction &tx, const QString &workflow, const QString &step, qint64 attempt, const Result<QByteArray> &output);
    // The step was not needed.
    bool skip(Transaction &tx, const QString &workflow, const QString &step, qint64 attempt, const QString &why);
    // A sign of progress: raises progressAt; text is kept in the attempt's log (its last 64 KiB).
    bool progress(Transaction &tx, const QString &workflow, const QString &step, qint64 attempt, const QString &message,
        const QString &log);
    // Goes back to `step`: it and those after it are pending again with a raised attempt.
    Result<> retry(Transaction &tx, const QString &workflow, const QString &step, const QString &cause);
    // Ends what runs and what is to come; done steps stay done.
    void cancel(Transaction &tx, const QString &workflow);
    // Fails the steps whose deadline has passed.
    void checkDeadlines(Transaction &tx, Millis now);

    std::optional<Millis> nextDeadline() const;
    bool hasWork() const; // a step runs, or can run
    bool exists(const QString &workflow) const;
    bool isComplete(const QString &workflow) const;
    std::optional<StepRecord> step(const QString &workflow, const QString &step) const;
    QList<StepRecord> steps(const QString &workflow) const;
    QByteArray input(const QString &workflow) const;
    void setInput(Transaction &tx, const QString &workflow, const QByteArray &input);
    QByteArray output(const QString &workflow, const QString &step) const;
    // Log of an attempt (the latest without one).
    std::optional<QString> log(const QString &workflow, const QString &step, std::optional<qint64> attempt) const;
    QStringList workflows() const;

private:
    bool canBegin(const QString &workflow) const;
    void beginStep(Transaction &tx, StepRecord step, bool resumed);
    void write(Transaction &tx, const StepRecord &step);
    void archiveAttempt(Transaction &tx, const StepRecord &step);

    ActorContext &m_context;
    int m_version;
    Hooks m_hooks;
};

} // namespace foundry::backend
