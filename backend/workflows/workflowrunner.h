// A small durable step runner: a workflow is a recipe of named steps, each recorded in the actor's database before its
// effect begins, each with an attempt, a deadline and its last sign of progress. After a restart it goes on from the
// last completed step; a step that was running is begun again with the same attempt, so a step's effect must be
// idempotent by (workflow, step, attempt). A retry is a recorded attempt with its cause: the user's, or one that the
// step itself allows (`waitsMs`) for a failure that the owner calls passing.
// An actor may have several runners: each has a family of workflows of its own and sees no other. Workflow ids are
// unique in the actor, so families put their own prefix before them.
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
    // Waits before attempts that are made without asking, one each; empty: a failure stays one.
    QList<qint64> waitsMs = {};
    // undo() takes back what it did, by a step of its own named "undo:" and this name.
    bool hasUndo = false;
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
    std::optional<Millis> dueAt = {}; // pending: not before this
    qint64 deadlineMs = 0;
    qint64 retries = 0; // made without asking, since the user last did
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
        // A step failed (also by its deadline), and is not tried again unasked.
        std::function<void(Transaction &, const StepRecord &)> failed = {};
        // All undo steps of a workflow are done.
        std::function<void(Transaction &, const QString &workflow)> undone = {};
        // The step's failure may pass by itself (asked only where the step has waits).
        std::function<bool(const StepRecord &)> isPassing = {};
        // The version of this kind's recipe; without it the runner's own. 0: no such kind any more.
        std::function<int(const QString &kind)> version = {};
        // The recipe as it is today, for a retry of a workflow that was recorded by another version.
        std::function<std::optional<WorkflowRecipe>(const QString &workflow)> recipe = {};
    };

    // `version` is that of the recipes: work under way that was recorded by another version stops and says so.
    WorkflowRunner(ActorContext &context, int version, Hooks hooks, QString family = {});

    // Schema of the runners' tables, once for each actor: three steps of the actor's migrations.
    static QString schema();
    static QString schema2();
    static QString schema3();

    // Records the recipe with the correlation id of what is under way: its steps, also those after a restart, are told and
    // sent under it. A workflow of that id that exists stays as it is.
    void start(Transaction &tx, const WorkflowRecipe &recipe);
    // Forgets a workflow and its steps.
    void forget(Transaction &tx, const QString &workflow);
    // Forgets the workflows that ended before this time, in whatever way, and that no other one comes after.
    QStringList prune(Transaction &tx, Millis before);
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
    // The step's effect waits for something that is not its own, and its deadline with it; when it does no longer, the
    // deadline begins anew. A restart begins it anew as well.
    bool hold(Transaction &tx, const QString &workflow, const QString &step, qint64 attempt, bool waits);
    // Goes back to `step`: it and those after it are pending again with a raised attempt. A workflow that was recorded by
    // another version is begun anew with today's recipe.
    Result<> retry(Transaction &tx, const QString &workflow, const QString &step, const QString &cause);
    // Ends what runs and what is to come; done steps stay done.
    void cancel(Transaction &tx, const QString &workflow);
    // Ends it as cancel() does, then takes back what was done, last first, for the steps that have an undo.
    void undo(Transaction &tx, const QString &workflow);
    // Fails the steps whose deadline has passed, and begins those whose wait is over.
    void checkDeadlines(Transaction &tx, Millis now);

    // When checkDeadlines() is to be called next.
    std::optional<Millis> nextDeadline() const;
    bool hasWork() const; // a step runs, or can run
    bool exists(const QString &workflow) const;
    bool isComplete(const QString &workflow) const;
    QString kind(const QString &workflow) const;
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
    QString correlation(const QString &workflow) const;
    bool isUndoing(const QString &workflow) const;
    bool isFromOtherVersion(const QString &workflow) const;
    void stopOther(Transaction &tx, StepRecord step);
    void beginAnew(Transaction &tx, const WorkflowRecipe &recipe, const QString &cause);
    void addStep(Transaction &tx, const QString &workflow, const WorkflowStep &step, qint64 position, qint64 attempt = 1);
    void beginStep(Transaction &tx, StepRecord step, bool resumed);
    bool tryAgain(Transaction &tx, StepRecord step);
    void reset(Transaction &tx, StepRecord step, const QString &cause);
    void over(Transaction &tx, const QString &workflow);
    QList<StepRecord> running(std::optional<Millis> lateAt) const;
    void write(Transaction &tx, const StepRecord &step);
    void tell(const char *event, const StepRecord &step) const; // into the log
    void archiveAttempt(Transaction &tx, const StepRecord &step);

    ActorContext &m_context;
    int m_version;
    Hooks m_hooks;
    QString m_family;
};

} // namespace foundry::backend
