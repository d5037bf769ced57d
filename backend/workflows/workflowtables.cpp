// The step runner's tables: how workflows, steps and attempts are kept and read.
#include "backend/observe/metrics.h"
#include "backend/store/database.h"
#include "backend/workflows/crashpoint.h"
#include "backend/workflows/errorjson.h"
#include "backend/workflows/workflowrunner.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace foundry::backend {

namespace {

constexpr qint64 workflowAttemptsKept = 20;
constexpr QByteArrayView workflowStepColumns =
    "workflow, step, position, state, attempt, started_at, ended_at, progress_at, deadline_at, message, log, output, error, due_at,"
    " deadline_ms, retries";

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
    step.dueAt = q.optionalInteger(13);
    step.deadlineMs = q.integer(14);
    step.retries = q.integer(15);
    return step;
}

QByteArray selectWorkflowSteps(QByteArrayView where)
{
    return "SELECT " + workflowStepColumns.toByteArray() + " FROM workflow_steps WHERE " + where.toByteArray();
}

} // namespace

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

QString WorkflowRunner::schema2()
{
    return QStringLiteral(
        "ALTER TABLE workflows ADD COLUMN family TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE workflows ADD COLUMN undoing INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE workflow_steps ADD COLUMN has_undo INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE workflow_steps ADD COLUMN waits TEXT NOT NULL DEFAULT '[]';"
        "ALTER TABLE workflow_steps ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE workflow_steps ADD COLUMN due_at INTEGER;");
}

QString WorkflowRunner::schema3()
{
    return QStringLiteral("ALTER TABLE workflows ADD COLUMN correlation TEXT NOT NULL DEFAULT '';");
}

QString WorkflowRunner::correlation(const QString &workflow) const
{
    auto q = m_context.database().query("SELECT correlation FROM workflows WHERE id = ?", workflow);
    const QString known = q.next() ? q.text(0) : QString();
    return known.isEmpty() ? m_context.id().left(8) + QLatin1Char('-') + workflow : known;
}

std::optional<Millis> WorkflowRunner::nextDeadline() const
{
    auto q = m_context.database().query(
        "SELECT min(CASE s.state WHEN 'running' THEN s.deadline_at ELSE s.due_at END) FROM workflow_steps s JOIN workflows w"
        " ON w.id = s.workflow WHERE w.family = ? AND s.state IN ('running', 'pending')",
        m_family);
    return q.next() ? q.optionalInteger(0) : std::nullopt;
}

bool WorkflowRunner::exists(const QString &workflow) const
{
    return m_context.database().query("SELECT 1 FROM workflows WHERE id = ? AND family = ?", workflow, m_family).next();
}

bool WorkflowRunner::isComplete(const QString &workflow) const
{
    auto q = m_context.database().query(
        "SELECT count(*), sum(state IN ('done', 'skipped')) FROM workflow_steps WHERE workflow = ?", workflow);
    return q.next() && q.integer(0) > 0 && q.integer(0) == q.integer(1) && !isUndoing(workflow);
}

bool WorkflowRunner::isUndoing(const QString &workflow) const
{
    auto q = m_context.database().query("SELECT undoing FROM workflows WHERE id = ?", workflow);
    return q.next() && q.flag(0);
}

bool WorkflowRunner::isFromOtherVersion(const QString &workflow) const
{
    auto q = m_context.database().query("SELECT version, kind FROM workflows WHERE id = ?", workflow);
    if (!q.next())
        return false;
    return q.integer(0) != (m_hooks.version ? m_hooks.version(q.text(1)) : m_version);
}

QString WorkflowRunner::kind(const QString &workflow) const
{
    auto q = m_context.database().query("SELECT kind FROM workflows WHERE id = ?", workflow);
    return q.next() ? q.text(0) : QString();
}

std::optional<StepRecord> WorkflowRunner::step(const QString &workflow, const QString &stepName) const
{
    if (!exists(workflow))
        return std::nullopt;
    auto q = m_context.database().query(selectWorkflowSteps("workflow = ? AND step = ?"), workflow, stepName);
    if (!q.next())
        return std::nullopt;
    return readWorkflowStep(q);
}

QList<StepRecord> WorkflowRunner::steps(const QString &workflow) const
{
    QList<StepRecord> found;
    if (!exists(workflow))
        return found;
    auto q = m_context.database().query(selectWorkflowSteps("workflow = ? ORDER BY position"), workflow);
    while (q.next())
        found.append(readWorkflowStep(q));
    return found;
}

QList<StepRecord> WorkflowRunner::running(std::optional<Millis> lateAt) const
{
    QList<StepRecord> found;
    auto q = m_context.database().query(
        selectWorkflowSteps("state = 'running' AND workflow IN (SELECT id FROM workflows WHERE family = ?) ORDER BY workflow, position"),
        m_family);
    while (q.next()) {
        StepRecord step = readWorkflowStep(q);
        if (!lateAt || (step.deadlineAt && *step.deadlineAt <= *lateAt))
            found.append(std::move(step));
    }
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
    auto q = m_context.database().query("SELECT id FROM workflows WHERE family = ? ORDER BY created_at, id", m_family);
    while (q.next())
        found.append(q.text(0));
    return found;
}

void WorkflowRunner::addStep(Transaction &tx, const QString &workflow, const WorkflowStep &step, qint64 position, qint64 attempt)
{
    QJsonArray waits;
    for (const qint64 wait : step.waitsMs)
        waits.append(wait);
    tx.database().run("INSERT INTO workflow_steps (workflow, step, position, state, attempt, deadline_ms, waits, has_undo)"
                      " VALUES (?, ?, ?, 'pending', ?, ?, ?, ?)",
        workflow, step.name, position, attempt, step.deadlineMs, QJsonDocument(waits).toJson(QJsonDocument::Compact), step.hasUndo);
    StepRecord record;
    record.workflow = workflow;
    record.step = step.name;
    record.position = position;
    record.attempt = attempt;
    record.deadlineMs = step.deadlineMs;
    if (m_hooks.changed)
        m_hooks.changed(tx, record);
}

void WorkflowRunner::write(Transaction &tx, const StepRecord &step)
{
    tx.database().run("UPDATE workflow_steps SET state = ?, attempt = ?, started_at = ?, ended_at = ?, progress_at = ?,"
                      " deadline_at = ?, message = ?, log = ?, output = ?, error = ?, due_at = ?, retries = ?"
                      " WHERE workflow = ? AND step = ?",
        OpenEnum<StageState>(step.state).text(), step.attempt, step.startedAt, step.endedAt, step.progressAt, step.deadlineAt,
        step.message, step.log, step.output, step.error ? std::optional<QByteArray>(errorToJson(*step.error)) : std::nullopt,
        step.dueAt, step.retries, step.workflow, step.step);
    if (step.endedAt && step.state != StageState::Running && step.state != StageState::Pending) {
        m_context.metrics().workflowSteps.with({step.step.toLatin1(), OpenEnum<StageState>(step.state).text().toLatin1()}).add();
        tell("step_ended", step);
    }
    if (crashPointsAreOn())
        crashPoint(tx, QStringLiteral("step ") + kind(step.workflow) + QLatin1Char('/') + step.step + QLatin1Char(' ')
                + OpenEnum<StageState>(step.state).text());
    if (m_hooks.changed)
        m_hooks.changed(tx, step);
}

void WorkflowRunner::archiveAttempt(Transaction &tx, const StepRecord &step)
{
    auto &db = tx.database();
    db.run("INSERT OR REPLACE INTO workflow_attempts (workflow, step, attempt, state, started_at, ended_at, cause, log, error)"
           " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        step.workflow, step.step, step.attempt, OpenEnum<StageState>(step.state).text(), step.startedAt, step.endedAt, step.message,
        step.log, step.error ? std::optional<QByteArray>(errorToJson(*step.error)) : std::nullopt);
    db.run("DELETE FROM workflow_attempts WHERE workflow = ? AND step = ? AND attempt <= ?", step.workflow, step.step,
        step.attempt - workflowAttemptsKept);
}

} // namespace foundry::backend
