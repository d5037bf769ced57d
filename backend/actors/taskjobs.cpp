#include "backend/actors/taskjobs.h"

#include "backend/workflows/crashpoint.h"

#include <QDateTime>
#include <QLoggingCategory>
#include <QTimer>
#include <QUuid>

#include <algorithm>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTaskJobs, "foundry.actors.jobs")

namespace {

constexpr QLatin1StringView taskjobsPrefix("job:");
constexpr qsizetype taskjobsKept = 50; // finished ones whose rows stay

QString taskjobsWorkflow(const QString &job)
{
    return taskjobsPrefix + job;
}

QString taskjobsId(const QString &workflow)
{
    return workflow.mid(taskjobsPrefix.size());
}

Millis taskjobsNow()
{
    return QDateTime::currentMSecsSinceEpoch();
}

bool isTaskjobsOver(const Job &job)
{
    return job.status == JobStatus::Completed || job.status == JobStatus::Error || job.status == JobStatus::Cancelled;
}

} // namespace

TaskJobs::TaskJobs(ActorContext &context, std::function<void(Transaction &)> settle)
    : m_context(context)
    , m_settle(std::move(settle))
    , m_runner(context, 1,
          {.begin = [this](Transaction &tx, const StepRecord &record, bool resumed) { begin(tx, record, resumed); },
              .changed = [this](Transaction &tx, const StepRecord &record) { changed(tx, record); },
              .abandon =
                  [this](Transaction &tx, const StepRecord &record) {
                      const JobStep step = stepOf(record);
                      const JobKind *kind = kindOf(step.kind);
                      if (kind && kind->abandon)
                          kind->abandon(tx, step);
                  },
              .completed = [this](Transaction &tx, const QString &workflow) { over(tx, taskjobsId(workflow), JobStatus::Completed, {}); },
              .failed = [this](Transaction &tx, const StepRecord &record) { over(tx, taskjobsId(record.workflow), JobStatus::Error, record.error); },
              .version =
                  [this](const QString &kind) {
                      const JobKind *known = kindOf(kind);
                      return known ? known->version : 0;
                  }},
          QStringLiteral("job"))
{
}

void TaskJobs::add(JobKind kind)
{
    const QString name = kind.kind;
    for (const WorkflowStep &step : std::as_const(kind.steps))
        crashHas(name, step.name);
    m_kinds.insert_or_assign(name, std::move(kind));
}

const JobKind *TaskJobs::kindOf(const QString &kind) const
{
    const auto known = m_kinds.find(kind);
    return known == m_kinds.end() ? nullptr : &known->second;
}

std::optional<Job> TaskJobs::job(const QString &id) const
{
    auto entity = m_context.row(TaskStore::topic(), QStringLiteral("Job"), id);
    if (!entity)
        return std::nullopt;
    if (auto *value = std::get_if<Job>(&*entity))
        return std::move(*value);
    return std::nullopt;
}

QList<Job> TaskJobs::all() const
{
    QList<Job> found;
    for (Entity &entity : m_context.rows(TaskStore::topic(), QStringLiteral("Job"))) {
        if (auto *value = std::get_if<Job>(&entity))
            found.append(std::move(*value));
    }
    return found;
}

std::optional<Job> TaskJobs::running(const QString &kind, const QString &target) const
{
    for (Job &known : all()) {
        if (known.kind == kind && known.target == target && !isTaskjobsOver(known))
            return std::move(known);
    }
    return std::nullopt;
}

QByteArray TaskJobs::input(const QString &job) const
{
    return m_runner.input(taskjobsWorkflow(job));
}

QByteArray TaskJobs::output(const QString &job, const QString &step) const
{
    return m_runner.output(taskjobsWorkflow(job), step);
}

Result<Job> TaskJobs::start(Transaction &tx, const QString &kindName, const QString &target, const QByteArray &input, const QString &id)
{
    const JobKind *kind = kindOf(kindName);
    if (!kind)
        return makeError(QLatin1StringView("internal"), QLatin1StringView("unknown_job"),
            QStringLiteral("This host knows no job “%1”.").arg(kindName));
    if (auto same = running(kindName, target))
        return *same;
    if (!id.isEmpty()) {
        if (auto earlier = job(id))
            return *earlier;
    }
    forgetOld(tx);
    Job made;
    made.id = id.isEmpty() ? QUuid::createUuid().toString(QUuid::WithoutBraces) : id;
    made.kind = kindName;
    made.target = target;
    made.status = JobStatus::Queued;
    made.createdAt = taskjobsNow();
    tx.put(TaskStore::topic(), made);
    m_runner.start(tx, WorkflowRecipe{taskjobsWorkflow(made.id), kindName, kind->steps, {}, input});
    return job(made.id).value_or(made); // with its revision
}

void TaskJobs::begin(Transaction &tx, const StepRecord &record, bool resumed)
{
    const JobStep step = stepOf(record, resumed);
    const JobKind *kind = kindOf(step.kind);
    if (kind) {
        kind->begin(tx, step);
        return;
    }
    m_runner.finish(tx, record.workflow, record.step, record.attempt,
        makeError(QLatin1StringView("internal"), QLatin1StringView("unknown_job"),
            QStringLiteral("This host knows no job “%1”.").arg(step.kind), QStringLiteral("Ask for it again.")));
}

JobStep TaskJobs::stepOf(const StepRecord &record, bool resumed) const
{
    JobStep step;
    step.job = taskjobsId(record.workflow);
    if (const auto row = job(step.job)) {
        step.kind = row->kind;
        step.target = row->target;
    }
    step.step = record.step;
    step.attempt = record.attempt;
    step.deadlineMs = record.deadlineMs;
    step.input = m_runner.input(record.workflow);
    step.resumed = resumed;
    return step;
}

void TaskJobs::changed(Transaction &tx, const StepRecord &record)
{
    auto row = job(taskjobsId(record.workflow));
    if (!row || record.state != StageState::Running)
        return;
    row->status = JobStatus::Running;
    row->step = record.step;
    row->message = record.message;
    tx.put(TaskStore::topic(), *row);
}

void TaskJobs::over(Transaction &tx, const QString &id, JobStatus status, const std::optional<Error> &error)
{
    auto row = job(id);
    if (!row || isTaskjobsOver(*row))
        return;
    row->status = status;
    row->error = error;
    row->completedAt = taskjobsNow();
    if (status == JobStatus::Completed)
        row->step.reset();
    if (const JobKind *kind = kindOf(row->kind)) {
        const auto &hook = status == JobStatus::Completed ? kind->completed : status == JobStatus::Error ? kind->failed : kind->cancelled;
        if (hook)
            hook(tx, *row);
    }
    tx.put(TaskStore::topic(), *row);
}

bool TaskJobs::finish(Transaction &tx, const JobStep &step, const Result<QByteArray> &output)
{
    return m_runner.finish(tx, taskjobsWorkflow(step.job), step.step, step.attempt, output);
}

bool TaskJobs::skip(Transaction &tx, const JobStep &step, const QString &why)
{
    return m_runner.skip(tx, taskjobsWorkflow(step.job), step.step, step.attempt, why);
}

void TaskJobs::ended(const JobStep &step, const Result<QByteArray> &output, const std::function<void(Transaction &)> &also)
{
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        if (!isRunning(step))
            return Unit{};
        // First what the step brings along: the hook of the job's end reads it.
        if (also)
            also(tx);
        finish(tx, step, output);
        m_settle(tx);
        return Unit{};
    });
    if (!written) // the step stays running: the next start, or its deadline, goes on from there
        qCWarning(lcTaskJobs, "the end of %ls/%ls was not stored: %ls", qUtf16Printable(step.kind), qUtf16Printable(step.step),
            qUtf16Printable(written.error().message));
}

bool TaskJobs::isRunning(const JobStep &step) const
{
    const auto record = m_runner.step(taskjobsWorkflow(step.job), step.step);
    return record && record->attempt == step.attempt && record->state == StageState::Running;
}

void TaskJobs::replace(Transaction &tx, const QString &id)
{
    const auto row = job(id);
    if (!row || isTaskjobsOver(*row))
        return;
    m_runner.cancel(tx, taskjobsWorkflow(id));
    over(tx, id, JobStatus::Cancelled, {});
}

void TaskJobs::endKinds(const QStringList &kinds, int graceMs)
{
    const auto write = [this](const std::function<void(Transaction &)> &body) {
        const auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
            tx.setCause(Cause{QStringLiteral("workflow")});
            body(tx);
            m_settle(tx);
            return Unit{};
        });
        if (!written) // they go on, to the grace or to their own deadlines
            qCWarning(lcTaskJobs, "jobs that are in the way were not ended: %ls", qUtf16Printable(written.error().message));
        return written.ok();
    };
    QStringList running;
    for (const Job &known : all()) {
        if (kinds.contains(known.kind) && !isTaskjobsOver(known))
            running.append(known.id);
    }
    QStringList left;
    const bool ended = write([&](Transaction &tx) {
        for (const QString &id : std::as_const(running)) {
            if (!cancel(tx, id))
                left.append(id);
        }
    });
    if (!ended)
        left = running;
    if (left.isEmpty())
        return;
    QTimer::singleShot(graceMs, m_context.owner(), [this, left, write] {
        write([&](Transaction &tx) {
            for (const QString &id : left)
                replace(tx, id);
        });
    });
}

void TaskJobs::progressed(const JobStep &step, const QString &message, const QString &log)
{
    // Progress may be lost; an error of storage shows at the next durable write.
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        m_runner.progress(tx, taskjobsWorkflow(step.job), step.step, step.attempt, message, log);
        return Unit{};
    });
    Q_UNUSED(written);
}

void TaskJobs::change(Transaction &tx, const QString &id, const std::function<void(Job &)> &with)
{
    auto row = job(id);
    if (!row)
        return;
    with(*row);
    tx.put(TaskStore::topic(), *row);
}

Result<Job> TaskJobs::cancel(Transaction &tx, const QString &id)
{
    const auto row = job(id);
    if (!row)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("This task has no such job."), {},
            QStringLiteral("jobId"));
    if (isTaskjobsOver(*row))
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("This job is over already."));
    const QString workflow = taskjobsWorkflow(id);
    if (const JobKind *kind = kindOf(row->kind); kind && kind->refusesCancel) {
        for (const StepRecord &record : m_runner.steps(workflow)) {
            if (record.state != StageState::Running)
                continue;
            if (auto why = kind->refusesCancel(stepOf(record)))
                return *why;
        }
    }
    m_runner.cancel(tx, workflow);
    over(tx, id, JobStatus::Cancelled, {});
    return job(id).value_or(*row);
}

// The newest ones stay to be looked at, and those that can still be undone.
void TaskJobs::forgetOld(Transaction &tx)
{
    QList<Job> old;
    for (Job &known : all()) {
        if (isTaskjobsOver(known) && known.undoUntil.value_or(0) < taskjobsNow())
            old.append(std::move(known));
    }
    if (old.size() < taskjobsKept)
        return;
    std::sort(old.begin(), old.end(), [](const Job &a, const Job &b) { return a.completedAt.value_or(0) < b.completedAt.value_or(0); });
    old.resize(old.size() - taskjobsKept + 1);
    for (const Job &gone : std::as_const(old)) {
        m_runner.forget(tx, taskjobsWorkflow(gone.id));
        tx.remove(TaskStore::topic(), QStringLiteral("Job"), gone.id);
    }
}

} // namespace foundry::backend
