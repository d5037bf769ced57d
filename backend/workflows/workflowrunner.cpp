#include "backend/workflows/workflowrunner.h"

#include "backend/observe/logline.h"
#include "backend/observe/metrics.h"
#include "backend/store/database.h"
#include "backend/workflows/crashpoint.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcWorkflow, "foundry.workflows")

namespace {

constexpr qsizetype workflowLogLimit = 64 * 1024;
constexpr QLatin1StringView workflowUndo("undo:");

bool isWorkflowStepOver(StageState state)
{
    return state == StageState::Done || state == StageState::Skipped;
}

} // namespace

WorkflowRunner::WorkflowRunner(ActorContext &context, int version, Hooks hooks, QString family)
    : m_context(context)
    , m_version(version)
    , m_hooks(std::move(hooks))
    , m_family(std::move(family))
{
}

void WorkflowRunner::start(Transaction &tx, const WorkflowRecipe &recipe)
{
    if (exists(recipe.id))
        return;
    const QByteArray after = QJsonDocument(QJsonArray::fromStringList(recipe.after)).toJson(QJsonDocument::Compact);
    tx.database().run("INSERT INTO workflows (id, kind, version, input, after, created_at, family, correlation) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        recipe.id, recipe.kind, m_hooks.version ? m_hooks.version(recipe.kind) : m_version, recipe.input, after,
        QDateTime::currentMSecsSinceEpoch(), m_family, m_context.correlationId());
    for (qsizetype i = 0; i < recipe.steps.size(); ++i) {
        addStep(tx, recipe.id, recipe.steps[i], i);
        crashHas(recipe.kind, recipe.steps[i].name);
    }
}

void WorkflowRunner::forget(Transaction &tx, const QString &workflow)
{
    if (!exists(workflow))
        return;
    for (const StepRecord &step : steps(workflow)) {
        if (step.state == StageState::Running && m_hooks.abandon)
            m_hooks.abandon(tx, step);
    }
    auto &db = tx.database();
    db.run("DELETE FROM workflow_steps WHERE workflow = ?", workflow);
    db.run("DELETE FROM workflow_attempts WHERE workflow = ?", workflow);
    db.run("DELETE FROM workflows WHERE id = ?", workflow);
}

QStringList WorkflowRunner::prune(Transaction &tx, Millis before)
{
    QStringList old;
    QStringList needed;
    {
        auto q = tx.database().query("SELECT w.id, w.after, sum(s.state IN ('pending', 'running')), max(coalesce(s.ended_at, w.created_at))"
                                     " FROM workflows w LEFT JOIN workflow_steps s ON s.workflow = w.id WHERE w.family = ? GROUP BY w.id",
            m_family);
        while (q.next()) {
            if (q.integer(2) == 0 && q.integer(3) < before) {
                old.append(q.text(0));
                continue;
            }
            const QJsonArray after = QJsonDocument::fromJson(q.bytes(1)).array();
            for (const auto &other : after)
                needed.append(other.toString());
        }
    }
    QStringList forgotten;
    for (const QString &workflow : std::as_const(old)) {
        if (needed.contains(workflow))
            continue;
        forget(tx, workflow);
        forgotten.append(workflow);
    }
    return forgotten;
}

bool WorkflowRunner::canBegin(const QString &workflow) const
{
    auto q = m_context.database().query("SELECT after FROM workflows WHERE id = ?", workflow);
    if (!q.next())
        return false;
    const QJsonArray after = QJsonDocument::fromJson(q.bytes(0)).array();
    for (const auto &other : after) {
        if (!isComplete(other.toString()))
            return false;
    }
    return true;
}

void WorkflowRunner::advance(Transaction &tx)
{
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    // A step may end while it begins (nothing to do), which lets the next one begin: repeat until nothing moves.
    for (bool moved = true; moved;) {
        moved = false;
        for (const QString &workflow : workflows()) {
            const bool undoing = isUndoing(workflow);
            if (!undoing && !canBegin(workflow))
                continue;
            for (const StepRecord &record : steps(workflow)) {
                if (isWorkflowStepOver(record.state) || (undoing && !record.step.startsWith(workflowUndo)))
                    continue;
                if (record.state == StageState::Pending && record.dueAt.value_or(now) <= now) {
                    if (isFromOtherVersion(workflow))
                        stopOther(tx, record);
                    else
                        beginStep(tx, record, false);
                    moved = true;
                }
                break;
            }
        }
    }
}

void WorkflowRunner::resume(Transaction &tx)
{
    for (const StepRecord &record : running({})) {
        if (isFromOtherVersion(record.workflow))
            stopOther(tx, record);
        else
            beginStep(tx, record, true);
    }
    advance(tx);
}

// Never guessed: which of the old steps a new recipe's step stands for, only a human can say.
void WorkflowRunner::stopOther(Transaction &tx, StepRecord step)
{
    step.state = StageState::Failed;
    step.endedAt = QDateTime::currentMSecsSinceEpoch();
    step.deadlineAt.reset();
    step.error = makeError(QLatin1StringView("internal"), QLatin1StringView("recipe_changed"),
        QStringLiteral("This work was begun by another version of the host, which did it in other steps."),
        QStringLiteral("Retry this stage to begin it anew."));
    write(tx, step);
    if (m_hooks.failed)
        m_hooks.failed(tx, step);
}

void WorkflowRunner::beginStep(Transaction &tx, StepRecord step, bool resumed)
{
    const CorrelationScope scope(m_context, correlation(step.workflow));
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    // It could have begun when the one before it ended, when its pause was over, or when its workflow was recorded.
    Millis could = step.dueAt.value_or(0);
    {
        auto q = tx.database().query("SELECT max(coalesce((SELECT max(ended_at) FROM workflow_steps WHERE workflow = ?1 AND position < ?2), 0),"
                                     " created_at) FROM workflows WHERE id = ?1",
            step.workflow, step.position);
        could = qMax(could, q.next() ? q.integer(0) : now);
    }
    step.state = StageState::Running;
    if (!step.startedAt)
        step.startedAt = now;
    step.endedAt.reset();
    step.dueAt.reset();
    step.progressAt = now;
    step.deadlineAt = step.deadlineMs > 0 ? std::optional<Millis>(now + step.deadlineMs) : std::nullopt;
    step.error.reset();
    if (!resumed && step.attempt == 1)
        m_context.metrics().workflowQueue.with({step.step.toLatin1()}).observe(double(now - could) / 1000);
    tell("step_begun", step);
    write(tx, step);
    if (m_hooks.begin)
        m_hooks.begin(tx, step, resumed);
}

bool WorkflowRunner::finish(Transaction &tx, const QString &workflow, const QString &stepName, qint64 attempt,
    const Result<QByteArray> &output)
{
    auto record = step(workflow, stepName);
    if (!record || record->attempt != attempt || record->state != StageState::Running)
        return false;
    const CorrelationScope scope(m_context, correlation(workflow));
    record->endedAt = QDateTime::currentMSecsSinceEpoch();
    record->progressAt = record->endedAt;
    record->deadlineAt.reset();
    if (output.ok()) {
        record->state = StageState::Done;
        record->output = *output;
        write(tx, *record);
        over(tx, workflow);
        return true;
    }
    record->state = StageState::Failed;
    record->error = output.error();
    if (tryAgain(tx, *record))
        return true;
    write(tx, *record);
    if (m_hooks.failed)
        m_hooks.failed(tx, *record);
    return true;
}

bool WorkflowRunner::tryAgain(Transaction &tx, StepRecord step)
{
    QJsonArray waits;
    {
        auto q = tx.database().query("SELECT waits FROM workflow_steps WHERE workflow = ? AND step = ?", step.workflow, step.step);
        if (q.next())
            waits = QJsonDocument::fromJson(q.bytes(0)).array();
    }
    if (step.retries >= waits.size() || !m_hooks.isPassing || !m_hooks.isPassing(step))
        return false;
    const qint64 wait = waits.at(int(step.retries)).toInteger();
    const qint64 retries = step.retries + 1;
    const QString cause = step.error->message;
    reset(tx, step, QStringLiteral("Tried again after %1 s (%2 of %3): %4").arg(double(wait) / 1000).arg(retries).arg(waits.size()).arg(cause));
    if (auto again = this->step(step.workflow, step.step)) {
        again->dueAt = *step.endedAt + wait;
        again->retries = retries;
        write(tx, *again);
    }
    return true;
}

void WorkflowRunner::over(Transaction &tx, const QString &workflow)
{
    if (m_hooks.completed && isComplete(workflow))
        m_hooks.completed(tx, workflow);
    if (!m_hooks.undone || !isUndoing(workflow))
        return;
    for (const StepRecord &step : steps(workflow)) {
        if (step.step.startsWith(workflowUndo) && !isWorkflowStepOver(step.state))
            return;
    }
    m_hooks.undone(tx, workflow);
}

bool WorkflowRunner::skip(Transaction &tx, const QString &workflow, const QString &stepName, qint64 attempt, const QString &why)
{
    auto record = step(workflow, stepName);
    if (!record || record->attempt != attempt || isWorkflowStepOver(record->state))
        return false;
    record->state = StageState::Skipped;
    record->endedAt = QDateTime::currentMSecsSinceEpoch();
    record->deadlineAt.reset();
    record->dueAt.reset();
    record->message = why;
    write(tx, *record);
    over(tx, workflow);
    return true;
}

bool WorkflowRunner::progress(Transaction &tx, const QString &workflow, const QString &stepName, qint64 attempt,
    const QString &message, const QString &log)
{
    auto record = step(workflow, stepName);
    if (!record || record->attempt != attempt || record->state != StageState::Running)
        return false;
    record->progressAt = QDateTime::currentMSecsSinceEpoch();
    if (!message.isEmpty())
        record->message = message;
    if (!log.isEmpty())
        record->log = (record->log + log).right(workflowLogLimit);
    write(tx, *record);
    return true;
}

bool WorkflowRunner::hold(Transaction &tx, const QString &workflow, const QString &stepName, qint64 attempt, bool waits)
{
    auto record = step(workflow, stepName);
    if (!record || record->attempt != attempt || record->state != StageState::Running || record->deadlineMs <= 0)
        return false;
    record->deadlineAt = waits ? std::nullopt : std::optional<Millis>(QDateTime::currentMSecsSinceEpoch() + record->deadlineMs);
    write(tx, *record);
    return true;
}

void WorkflowRunner::reset(Transaction &tx, StepRecord record, const QString &cause)
{
    if (record.state == StageState::Running && m_hooks.abandon)
        m_hooks.abandon(tx, record);
    if (record.state != StageState::Pending || record.startedAt) {
        archiveAttempt(tx, record);
        ++record.attempt;
    }
    record.state = StageState::Pending;
    record.startedAt.reset();
    record.endedAt.reset();
    record.progressAt.reset();
    record.deadlineAt.reset();
    record.dueAt.reset();
    record.retries = 0;
    record.message = cause.isEmpty() ? std::nullopt : std::optional<QString>(cause);
    record.log.clear();
    record.output.clear();
    record.error.reset();
    write(tx, record);
}

Result<> WorkflowRunner::retry(Transaction &tx, const QString &workflow, const QString &stepName, const QString &cause)
{
    const QList<StepRecord> all = steps(workflow);
    const auto at = std::find_if(all.begin(), all.end(), [&](const StepRecord &record) { return record.step == stepName; });
    if (at == all.end())
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("There is no stage “%1/%2”.").arg(workflow, stepName), {}, QStringLiteral("stageId"));
    if (isUndoing(workflow) && !stepName.startsWith(workflowUndo))
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("What this work had done is being taken back."), QStringLiteral("Begin it anew afterwards."));
    if (const QString asked = m_context.correlationId(); !asked.isEmpty())
        tx.database().run("UPDATE workflows SET correlation = ? WHERE id = ?", asked, workflow);
    if (isFromOtherVersion(workflow)) {
        const auto today = m_hooks.recipe ? m_hooks.recipe(workflow) : std::nullopt;
        if (!today)
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
                QStringLiteral("This version of the host does not do this work any more."), QStringLiteral("Begin it anew."));
        beginAnew(tx, *today, cause);
        return Unit{};
    }
    for (auto record = at; record != all.end(); ++record)
        reset(tx, *record, record == at ? cause : QString());
    return Unit{};
}

// The present recipe from its first step, its attempts above all earlier ones.
void WorkflowRunner::beginAnew(Transaction &tx, const WorkflowRecipe &recipe, const QString &cause)
{
    qint64 attempt = 1;
    for (const StepRecord &record : steps(recipe.id)) {
        if (record.state == StageState::Running && m_hooks.abandon)
            m_hooks.abandon(tx, record);
        archiveAttempt(tx, record);
        attempt = qMax(attempt, record.attempt + 1);
    }
    const QByteArray input = recipe.input.isEmpty() ? this->input(recipe.id) : recipe.input;
    const QByteArray after = QJsonDocument(QJsonArray::fromStringList(recipe.after)).toJson(QJsonDocument::Compact);
    tx.database().run("DELETE FROM workflow_steps WHERE workflow = ?", recipe.id);
    tx.database().run("UPDATE workflows SET kind = ?, version = ?, input = ?, after = ?, undoing = 0 WHERE id = ?", recipe.kind,
        m_hooks.version ? m_hooks.version(recipe.kind) : m_version, input, after, recipe.id);
    for (qsizetype i = 0; i < recipe.steps.size(); ++i)
        addStep(tx, recipe.id, recipe.steps[i], i, attempt);
    if (auto first = recipe.steps.isEmpty() ? std::nullopt : step(recipe.id, recipe.steps.first().name); first && !cause.isEmpty()) {
        first->message = cause;
        write(tx, *first);
    }
}

void WorkflowRunner::cancel(Transaction &tx, const QString &workflow)
{
    for (StepRecord record : steps(workflow)) {
        if (record.state != StageState::Running && record.state != StageState::Pending)
            continue;
        if (record.state == StageState::Running && m_hooks.abandon)
            m_hooks.abandon(tx, record);
        record.state = StageState::Cancelled;
        record.endedAt = QDateTime::currentMSecsSinceEpoch();
        record.deadlineAt.reset();
        record.dueAt.reset();
        write(tx, record);
    }
}

void WorkflowRunner::undo(Transaction &tx, const QString &workflow)
{
    if (!exists(workflow) || isUndoing(workflow))
        return;
    cancel(tx, workflow);
    tx.database().run("UPDATE workflows SET undoing = 1 WHERE id = ?", workflow);
    QList<WorkflowStep> back;
    qint64 position = 0;
    {
        auto q = tx.database().query("SELECT step, deadline_ms, state = 'done' AND has_undo, position FROM workflow_steps"
                                     " WHERE workflow = ? ORDER BY position DESC",
            workflow);
        while (q.next()) {
            position = qMax(position, q.integer(3) + 1);
            if (q.flag(2))
                back.append({workflowUndo + q.text(0), q.integer(1)});
        }
    }
    for (const WorkflowStep &step : std::as_const(back))
        addStep(tx, workflow, step, position++);
    if (back.isEmpty())
        over(tx, workflow);
}

void WorkflowRunner::checkDeadlines(Transaction &tx, Millis now)
{
    for (const StepRecord &record : running(now)) {
        const Millis since = qMax(record.startedAt.value_or(now), record.deadlineAt.value_or(now) - record.deadlineMs); // without its waits
        const qint64 seconds = (now - since + 500) / 1000;
        const QString last = record.message ? QStringLiteral(" The last it said was: %1").arg(*record.message) : QString();
        if (m_hooks.abandon)
            m_hooks.abandon(tx, record);
        finish(tx, record.workflow, record.step, record.attempt,
            makeError(QLatin1StringView("state"), QLatin1StringView("deadline"),
                QStringLiteral("This stage did not finish within %1 s.%2").arg(seconds).arg(last),
                QStringLiteral("Look at its log, then retry from here."), record.log.right(2000)));
    }
    advance(tx);
}

bool WorkflowRunner::hasWork() const
{
    for (const QString &workflow : workflows()) {
        const bool undoing = isUndoing(workflow);
        for (const StepRecord &record : steps(workflow)) {
            if (isWorkflowStepOver(record.state) || (undoing && !record.step.startsWith(workflowUndo)))
                continue;
            if (record.state == StageState::Running || (record.state == StageState::Pending && (undoing || canBegin(workflow))))
                return true;
            break;
        }
    }
    return false;
}

void WorkflowRunner::tell(const char *event, const StepRecord &step) const
{
    const QString own = correlation(step.workflow);
    const QString by = m_context.correlationId(); // a cancel is another work than what it ends
    LogLine line(event);
    line.add("correlation", own)
        .add("by", by == own ? QString() : by)
        .add("actor", m_context.address().name)
        .add("key", m_context.address().key.join(QLatin1Char('/')))
        .add("workflow", step.workflow)
        .add("step", step.step)
        .add("attempt", step.attempt);
    if (step.state != StageState::Running)
        line.add("state", OpenEnum<StageState>(step.state).text());
    if (step.error)
        line.add("error", step.error->key());
    if (step.startedAt && step.endedAt)
        line.add("ms", *step.endedAt - *step.startedAt);
    qCInfo(lcWorkflow, "%s", line.text().constData());
}

} // namespace foundry::backend
