#include "backend/workflows/workflowrunner.h"

#include "backend/store/database.h"
#include "backend/workflows/errorjson.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>

namespace foundry::backend {

namespace {

constexpr qsizetype workflowLogLimit = 64 * 1024;
constexpr QByteArrayView workflowStepColumns =
    "workflow, step, position, state, attempt, started_at, ended_at, progress_at, deadline_at, message, log, output, error";

StepRecord readWorkflowStep(const Query &q)
{
    StepRecord step;
    step.workflow = q.text(0);
    step.step = q.text(1);
    step.position = q.integer(2);
    step.state = OpenEnum<StageState>::fromText(q.text(3)).valueOr(StageState::Failed);
    step.attempt = q.integer(4);
    step.startedAt = q.optionalInteger(5);
    step.endedAt = q.optionalInteger(6);
    step.progressAt = q.optionalInteger(7);
    step.deadlineAt = q.optionalInteger(8);
    step.message = q.optionalText(9);
    step.log = q.text(10);
    step.output = q.bytes(11);
    if (!q.isNull(12))
        step.error = errorFromJson(q.bytes(12));
    return step;
}

QByteArray selectWorkflowSteps(QByteArrayView where)
{
    return "SELECT " + workflowStepColumns.toByteArray() + " FROM workflow_steps WHERE " + where.toByteArray();
}

bool isWorkflowStepOver(StageState state)
{
    return state == StageState::Done || state == StageState::Skipped;
}

} // namespace

WorkflowRunner::WorkflowRunner(ActorContext &context, int version, Hooks hooks)
    : m_context(context)
    , m_version(version)
    , m_hooks(std::move(hooks))
{
}

QString WorkflowRunner::schema()
{
    return QStringLiteral(
        "CREATE TABLE workflows (id TEXT PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL, input TEXT NOT NULL,"
        " after TEXT NOT NULL, created_at INTEGER NOT NULL);"
        "CREATE TABLE workflow_steps (workflow TEXT NOT NULL, step TEXT NOT NULL, position INTEGER NOT NULL,"
        " state TEXT NOT NULL, attempt INTEGER NOT NULL, deadline_ms INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER,"
        " progress_at INTEGER, deadline_at INTEGER, message TEXT, log TEXT NOT NULL DEFAULT '', output TEXT, error TEXT,"
        " PRIMARY KEY (workflow, step));"
        "CREATE TABLE workflow_attempts (workflow TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL,"
        " state TEXT NOT NULL, started_at INTEGER, ended_at INTEGER, cause TEXT, log TEXT NOT NULL, error TEXT,"
        " PRIMARY KEY (workflow, step, attempt));");
}

void WorkflowRunner::start(Transaction &tx, const WorkflowRecipe &recipe)
{
    if (exists(recipe.id))
        return;
    const QByteArray after = QJsonDocument(QJsonArray::fromStringList(recipe.after)).toJson(QJsonDocument::Compact);
    auto &db = tx.database();
    db.run("INSERT INTO workflows (id, kind, version, input, after, created_at) VALUES (?, ?, ?, ?, ?, ?)", recipe.id, recipe.kind,
        m_version, recipe.input, after, QDateTime::currentMSecsSinceEpoch());
    for (qsizetype i = 0; i < recipe.steps.size(); ++i) {
        StepRecord step;
        step.workflow = recipe.id;
        step.step = recipe.steps[i].name;
        step.position = i;
        db.run("INSERT INTO workflow_steps (workflow, step, position, state, attempt, deadline_ms) VALUES (?, ?, ?, 'pending', 1, ?)",
            step.workflow, step.step, step.position, recipe.steps[i].deadlineMs);
        if (m_hooks.changed)
            m_hooks.changed(tx, step);
    }
}

void WorkflowRunner::forget(Transaction &tx, const QString &workflow)
{
    for (const StepRecord &step : steps(workflow)) {
        if (step.state == StageState::Running && m_hooks.abandon)
            m_hooks.abandon(tx, step);
    }
    auto &db = tx.database();
    db.run("DELETE FROM workflow_steps WHERE workflow = ?", workflow);
    db.run("DELETE FROM workflow_attempts WHERE workflow = ?", workflow);
    db.run("DELETE FROM workflows WHERE id = ?", workflow);
}

bool WorkflowRunner::canBegin(const QString &workflow) const
{
    auto q = m_context.database().query("SELECT after FROM workflows WHERE id = ?", workflow);
    if (!q.next())
        return false;
    const QJsonArray after = QJsonDocument::fromJson(q.bytes(0)).array();
    for (const QJsonValue other : after) {
        if (!isComplete(other.toString()))
            return false;
    }
    return true;
}

void WorkflowRunner::advance(Transaction &tx)
{
    // A step may end while it begins (nothing to do), which lets the next one begin: repeat until nothing moves.
    for (bool moved = true; moved;) {
        moved = false;
        for (const QString &workflow : workflows()) {
            if (!canBegin(workflow))
                continue;
            for (const StepRecord &record : steps(workflow)) {
                if (isWorkflowStepOver(record.state))
                    continue;
                if (record.state == StageState::Pending) {
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
    QList<StepRecord> running;
    {
        auto q = m_context.database().query(selectWorkflowSteps("state = 'running' ORDER BY workflow, position"));
        while (q.next())
            running.append(readWorkflowStep(q));
    }
    for (const StepRecord &record : running) {
        qint64 version = m_version;
        {
            auto q = m_context.database().query("SELECT version FROM workflows WHERE id = ?", record.workflow);
            if (q.next())
                version = q.integer(0);
        }
        if (version != m_version) {
            finish(tx, record.workflow, record.step, record.attempt,
                makeError(QLatin1StringView("internal"), QLatin1StringView("recipe_changed"),
                    QStringLiteral("This work was begun by another version of the host, which did it in other steps."),
                    QStringLiteral("Retry this stage to begin it anew.")));
            continue;
        }
        beginStep(tx, record, true);
    }
    advance(tx);
}

void WorkflowRunner::beginStep(Transaction &tx, StepRecord step, bool resumed)
{
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    qint64 deadline = 0;
    {
        auto q = tx.database().query("SELECT deadline_ms FROM workflow_steps WHERE workflow = ? AND step = ?", step.workflow, step.step);
        if (q.next())
            deadline = q.integer(0);
    }
    step.state = StageState::Running;
    if (!step.startedAt)
        step.startedAt = now;
    step.endedAt.reset();
    step.progressAt = now;
    step.deadlineAt = deadline > 0 ? std::optional<Millis>(now + deadline) : std::nullopt;
    step.error.reset();
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
    record->endedAt = QDateTime::currentMSecsSinceEpoch();
    record->progressAt = record->endedAt;
    record->deadlineAt.reset();
    if (output.ok()) {
        record->state = StageState::Done;
        record->output = *output;
        write(tx, *record);
        if (m_hooks.completed && isComplete(workflow))
            m_hooks.completed(tx, workflow);
    } else {
        record->state = StageState::Failed;
        record->error = output.error();
        write(tx, *record);
        if (m_hooks.failed)
            m_hooks.failed(tx, *record);
    }
    return true;
}

bool WorkflowRunner::skip(Transaction &tx, const QString &workflow, const QString &stepName, qint64 attempt, const QString &why)
{
    auto record = step(workflow, stepName);
    if (!record || record->attempt != attempt || isWorkflowStepOver(record->state))
        return false;
    record->state = StageState::Skipped;
    record->endedAt = QDateTime::currentMSecsSinceEpoch();
    record->deadlineAt.reset();
    record->message = why;
    write(tx, *record);
    if (m_hooks.completed && isComplete(workflow))
        m_hooks.completed(tx, workflow);
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

Result<> WorkflowRunner::retry(Transaction &tx, const QString &workflow, const QString &stepName, const QString &cause)
{
    const QList<StepRecord> all = steps(workflow);
    bool found = false;
    for (StepRecord record : all) {
        found = found || record.step == stepName;
        if (!found)
            continue;
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
        record.message = record.step == stepName && !cause.isEmpty() ? std::optional<QString>(cause) : std::nullopt;
        record.log.clear();
        record.output.clear();
        record.error.reset();
        write(tx, record);
    }
    if (!found)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("There is no stage “%1/%2”.").arg(workflow, stepName), {}, QStringLiteral("stageId"));
    tx.database().run("UPDATE workflows SET version = ? WHERE id = ?", m_version, workflow);
    return Unit{};
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
        write(tx, record);
    }
}

void WorkflowRunner::checkDeadlines(Transaction &tx, Millis now)
{
    QList<StepRecord> late;
    {
        auto q = m_context.database().query(selectWorkflowSteps("state = 'running' AND deadline_at <= ?"), now);
        while (q.next())
            late.append(readWorkflowStep(q));
    }
    for (const StepRecord &record : late) {
        const qint64 seconds = (now - record.startedAt.value_or(now) + 500) / 1000;
        const QString last = record.message ? QStringLiteral(" The last it said was: %1").arg(*record.message) : QString();
        if (m_hooks.abandon)
            m_hooks.abandon(tx, record);
        finish(tx, record.workflow, record.step, record.attempt,
            makeError(QLatin1StringView("state"), QLatin1StringView("deadline"),
                QStringLiteral("This stage did not finish within %1 s.%2").arg(seconds).arg(last),
                QStringLiteral("Look at its log, then retry from here."), record.log.right(2000)));
    }
    if (!late.isEmpty())
        advance(tx);
}

std::optional<Millis> WorkflowRunner::nextDeadline() const
{
    auto q = m_context.database().query("SELECT min(deadline_at) FROM workflow_steps WHERE state = 'running'");
    return q.next() ? q.optionalInteger(0) : std::nullopt;
}

bool WorkflowRunner::hasWork() const
{
    for (const QString &workflow : workflows()) {
        for (const StepRecord &record : steps(workflow)) {
            if (isWorkflowStepOver(record.state))
                continue;
            if (record.state == StageState::Running || (record.state == StageState::Pending && canBegin(workflow)))
                return true;
            break;
        }
    }
    return false;
}

bool WorkflowRunner::exists(const QString &workflow) const
{
    return m_context.database().query("SELECT 1 FROM workflows WHERE id = ?", workflow).next();
}

bool WorkflowRunner::isComplete(const QString &workflow) const
{
    auto q = m_context.database().query(
        "SELECT count(*), sum(state IN ('done', 'skipped')) FROM workflow_steps WHERE workflow = ?", workflow);
    return q.next() && q.integer(0) > 0 && q.integer(0) == q.integer(1);
}

std::optional<StepRecord> WorkflowRunner::step(const QString &workflow, const QString &stepName) const
{
    auto q = m_context.database().query(selectWorkflowSteps("workflow = ? AND step = ?"), workflow, stepName);
    if (!q.next())
        return std::nullopt;
    return readWorkflowStep(q);
}

QList<StepRecord> WorkflowRunner::steps(const QString &workflow) const
{
    QList<StepRecord> found;
    auto q = m_context.database().query(selectWorkflowSteps("workflow = ? ORDER BY position"), workflow);
    while (q.next())
        found.append(readWorkflowStep(q));
    return found;
}

QByteArray WorkflowRunner::input(const QString &workflow) const
{
    auto q = m_context.database().query("SELECT input FROM workflows WHERE id = ?", workflow);
    return q.next() ? q.bytes(0) : QByteArray();
}

void WorkflowRunner::setInput(Transaction &tx, const QString &workflow, const QByteArray &input)
{
    tx.database().run("UPDATE workflows SET input = ? WHERE id = ?", input, workflow);
}

QByteArray WorkflowRunner::output(const QString &workflow, const QString &stepName) const
{
    const auto record = step(workflow, stepName);
    return record ? record->output : QByteArray();
}

std::optional<QString> WorkflowRunner::log(const QString &workflow, const QString &stepName, std::optional<qint64> attempt) const
{
    const auto record = step(workflow, stepName);
    if (record && (!attempt || *attempt == record->attempt))
        return record->log;
    auto q = m_context.database().query("SELECT log FROM workflow_attempts WHERE workflow = ? AND step = ? AND attempt = ?",
        workflow, stepName, attempt.value_or(0));
    return q.next() ? std::optional<QString>(q.text(0)) : std::nullopt;
}

QStringList WorkflowRunner::workflows() const
{
    QStringList found;
    auto q = m_context.database().query("SELECT id FROM workflows ORDER BY created_at, id");
    while (q.next())
        found.append(q.text(0));
    return found;
}

void WorkflowRunner::write(Transaction &tx, const StepRecord &step)
{
    tx.database().run("UPDATE workflow_steps SET state = ?, attempt = ?, started_at = ?, ended_at = ?, progress_at = ?,"
                      " deadline_at = ?, message = ?, log = ?, output = ?, error = ? WHERE workflow = ? AND step = ?",
        OpenEnum<StageState>(step.state).text(), step.attempt, step.startedAt, step.endedAt, step.progressAt, step.deadlineAt,
        step.message, step.log, step.output, step.error ? std::optional<QByteArray>(errorToJson(*step.error)) : std::nullopt,
        step.workflow, step.step);
    if (m_hooks.changed)
        m_hooks.changed(tx, step);
}

void WorkflowRunner::archiveAttempt(Transaction &tx, const StepRecord &step)
{
    tx.database().run("INSERT OR REPLACE INTO workflow_attempts (workflow, step, attempt, state, started_at, ended_at, cause, log,"
                      " error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        step.workflow, step.step, step.attempt, OpenEnum<StageState>(step.state).text(), step.startedAt, step.endedAt, step.message,
        step.log, step.error ? std::optional<QByteArray>(errorToJson(*step.error)) : std::nullopt);
}

} // namespace foundry::backend
