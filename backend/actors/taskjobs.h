// The jobs of a task: work that a command asked for and that goes on beside the mailbox (archive, delete, revert, commit
// …), each a recorded workflow of named steps with a Job row on the topic `task`. One job of a kind and target at a time:
// a second one asked for meanwhile is the one that runs. Kinds are added by the parts that know how, before the actor
// goes on after a start. Lives on its actor's thread and writes only inside the actor's transactions.
#pragma once

#include "backend/actors/taskstore.h"
#include "backend/workflows/workflowrunner.h"
#include "models/types/lifecycle.h"

#include <map>

namespace foundry::backend {

// A step as its kind's hooks see it.
struct JobStep {
    QString job;
    QString kind;
    QString target;
    QString step;
    qint64 attempt = 1;
    qint64 deadlineMs = 0; // 0: none
    QByteArray input = {}; // of the job
    bool resumed = false;  // it was under way before a restart
};

struct JobKind {
    QString kind;
    int version = 1; // raised whenever the steps change: a job recorded by another version stops and says so
    QList<WorkflowStep> steps;
    // Starts the step's effect, in the transaction that records it (a send, or tx.afterCommit). It must be idempotent by
    // job, step and attempt. Ends with TaskJobs::ended(), or at once with finish() or skip().
    std::function<void(Transaction &, const JobStep &)> begin;
    // The step is cancelled or past its deadline: end its effect.
    std::function<void(Transaction &, const JobStep &)> abandon = {};
    // The job is over, in the transaction that records it; what these put into the row is stored.
    std::function<void(Transaction &, Job &)> completed = {};
    std::function<void(Transaction &, Job &)> failed = {};
    std::function<void(Transaction &, Job &)> cancelled = {};
    // Why the job cannot be cancelled in this step; nothing: it can.
    std::function<std::optional<Error>(const JobStep &)> refusesCancel = {};
};

class TaskJobs {
public:
    // `settle` is called at the end of each transaction that this class opens itself.
    TaskJobs(ActorContext &context, std::function<void(Transaction &)> settle);

    void add(JobKind kind);

    // Records the job and answers with its row; the steps begin with advance(). An id of the caller makes a repeated
    // order the same job.
    Result<Job> start(Transaction &tx, const QString &kind, const QString &target, const QByteArray &input = {}, const QString &id = {});
    // The end of a step that went on outside of a transaction; `also` is written with it, if it still counts.
    void ended(const JobStep &step, const Result<QByteArray> &output, const std::function<void(Transaction &)> &also = {});
    void progressed(const JobStep &step, const QString &message, const QString &log = {});
    // The same inside one. False when that attempt does not count any more.
    bool finish(Transaction &tx, const JobStep &step, const Result<QByteArray> &output);
    bool skip(Transaction &tx, const JobStep &step, const QString &why);
    // Changes the row: conflicts, loss, undoUntil, message.
    void change(Transaction &tx, const QString &job, const std::function<void(Job &)> &with);
    // That attempt of that step is under way: its end counts.
    bool isRunning(const JobStep &step) const;
    // Ends a job for one that takes its place; what it cannot be cancelled in goes on without it.
    void replace(Transaction &tx, const QString &job);
    // Cancels those of these kinds that are under way now; what cannot be cancelled may finish, but is ended after the grace.
    void endKinds(const QStringList &kinds, int graceMs);
    // Command `cancelJob`: input/invalid, state/conflict when it is over or past the point of return.
    Result<Job> cancel(Transaction &tx, const QString &job);

    std::optional<Job> job(const QString &id) const;
    QList<Job> all() const;
    std::optional<Job> running(const QString &kind, const QString &target) const;
    QByteArray input(const QString &job) const;
    QByteArray output(const QString &job, const QString &step) const;

    void advance(Transaction &tx) { m_runner.advance(tx); }
    void resume(Transaction &tx) { m_runner.resume(tx); }
    void checkDeadlines(Transaction &tx, Millis now) { m_runner.checkDeadlines(tx, now); }
    std::optional<Millis> nextDeadline() const { return m_runner.nextDeadline(); }
    bool hasWork() const { return m_runner.hasWork(); }

private:
    JobStep stepOf(const StepRecord &record, bool resumed = false) const;
    const JobKind *kindOf(const QString &kind) const;
    void begin(Transaction &tx, const StepRecord &record, bool resumed);
    void changed(Transaction &tx, const StepRecord &record);
    void over(Transaction &tx, const QString &job, JobStatus status, const std::optional<Error> &error);
    void forgetOld(Transaction &tx);

    ActorContext &m_context;
    std::function<void(Transaction &)> m_settle;
    std::map<QString, JobKind> m_kinds;
    WorkflowRunner m_runner;
};

} // namespace foundry::backend
