// Whole tasks of an organization: hidden at once by the command, carried out by the task as a job, and their ends. And
// the search over the task index.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/audit.h"
#include "backend/actors/decodedcommand.h"
#include "backend/actors/lifecyclemessages.h"
#include "backend/actors/messagejson.h"
#include "backend/actors/organizationactor.h"
#include "backend/store/database.h"
#include "realtime/protocol/messagelimits.h"

#include <QUuid>

namespace foundry::backend {

namespace {

constexpr qint64 organizationSearchLimit = 200;
constexpr qsizetype organizationSearchWords = 6;

Error organizationNoTask()
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is no such task."), {}, QStringLiteral("taskId"));
}

Job organizationJob(const QString &id, const QString &kind, const TaskId &task, Millis now)
{
    Job job;
    job.id = id;
    job.kind = kind;
    job.target = task.value;
    job.status = JobStatus::Queued;
    job.createdAt = now;
    return job;
}

QString organizationNewJob()
{
    return QUuid::createUuid().toString(QUuid::WithoutBraces);
}

QString organizationUnderWay(const QString &kind)
{
    if (kind == QLatin1StringView("archive"))
        return QStringLiteral("The task is being archived.");
    if (kind == QLatin1StringView("delete"))
        return QStringLiteral("The task is being deleted.");
    return QStringLiteral("The task is being brought back.");
}

} // namespace

QString OrganizationActor::lifecycleSchema()
{
    // hidden: the status that lists show until the task has heard of the order `hidden_order`.
    return QStringLiteral("ALTER TABLE tasks ADD COLUMN lifecycle INTEGER NOT NULL DEFAULT 0;"
                          "ALTER TABLE tasks ADD COLUMN hidden TEXT NOT NULL DEFAULT '';"
                          "ALTER TABLE tasks ADD COLUMN hidden_order INTEGER NOT NULL DEFAULT 0;"
                          "ALTER TABLE tasks ADD COLUMN job TEXT NOT NULL DEFAULT '';"
                          "ALTER TABLE tasks ADD COLUMN job_kind TEXT NOT NULL DEFAULT '';"
                          "ALTER TABLE tasks ADD COLUMN preview_job TEXT NOT NULL DEFAULT '';"
                          "ALTER TABLE tasks ADD COLUMN loss TEXT;"
                          "ALTER TABLE tasks ADD COLUMN search TEXT NOT NULL DEFAULT '';"
                          "ALTER TABLE tasks ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;"
                          "CREATE INDEX tasks_active ON tasks (active_at DESC, task, search);"
                          "CREATE TABLE deleted_tasks (task TEXT PRIMARY KEY, repo TEXT NOT NULL, until INTEGER NOT NULL,"
                          " source_revision INTEGER NOT NULL, lifecycle INTEGER NOT NULL, summary TEXT NOT NULL) WITHOUT ROWID;"
                          "CREATE INDEX deleted_until ON deleted_tasks (until);");
}

QString OrganizationActor::ordererSchema()
{
    return QStringLiteral("ALTER TABLE tasks ADD COLUMN job_by TEXT NOT NULL DEFAULT '';");
}

std::optional<TaskSummary> OrganizationActor::summaryRow(const TaskId &task) const
{
    const auto entity = context().row(topic(), QStringLiteral("TaskSummary"), task.value);
    const auto *summary = entity ? std::get_if<TaskSummary>(&*entity) : nullptr;
    return summary ? std::optional<TaskSummary>(*summary) : std::nullopt;
}

void OrganizationActor::registerLifecycleCommands(ActionTable &table)
{
    const auto command = [this, &table](const QString &name, auto decoded, const QString &kind) {
        using Command = decltype(decoded);
        table.command(name, decodedCommand<Command>([this, kind](Transaction &tx, const Caller &caller, const Command &asked) -> Result<QByteArray> {
            bool keepBranch = false;
            if constexpr (std::is_same_v<Command, DeleteTask>)
                keepBranch = asked.keepBranch;
            auto job = orderLifecycle(tx, caller, kind, asked.taskId, keepBranch);
            return job ? Result<QByteArray>(protocol::encodeValue(JobAnswer{*job})) : Result<QByteArray>(job.error());
        }));
    };
    command(QStringLiteral("archiveTask"), ArchiveTask{}, QStringLiteral("archive"));
    command(QStringLiteral("unarchiveTask"), UnarchiveTask{}, QStringLiteral("unarchive"));
    command(QStringLiteral("deleteTask"), DeleteTask{}, QStringLiteral("delete"));
    table.command(QStringLiteral("restoreTask"), decodedCommand<RestoreTask>([this](Transaction &tx, const Caller &caller, const RestoreTask &asked) -> Result<QByteArray> {
        auto job = restoreTask(tx, caller, asked.taskId);
        return job ? Result<QByteArray>(protocol::encodeValue(JobAnswer{*job})) : Result<QByteArray>(job.error());
    }));
    table.command(QStringLiteral("previewDelete"), decodedCommand<PreviewDelete>([this](Transaction &tx, const Caller &caller, const PreviewDelete &asked) {
        return previewDelete(tx, caller, asked.taskId);
    }));
    table.read(QStringLiteral("searchTasks"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<SearchTasks>(args);
        if (!asked)
            return asked.error();
        return protocol::encodeValue(searchTasks(*asked));
    });
}

Result<Job> OrganizationActor::orderLifecycle(Transaction &tx, const Caller &caller, const QString &kind, const TaskId &task, bool keepBranch)
{
    auto summary = summaryRow(task);
    if (!summary)
        return organizationNoTask();
    if (kind == QLatin1StringView("delete")) {
        if (auto allowed = mayDelete(caller, *summary); !allowed)
            return allowed.error();
    }
    qint64 order = 0;
    QString job;
    QString underWay;
    {
        auto q = tx.database().query("SELECT lifecycle, job, job_kind FROM tasks WHERE task = ?", task.value);
        if (!q.next())
            return organizationNoTask();
        order = q.integer(0) + 1;
        job = q.text(1);
        underWay = q.text(2);
    }
    if (underWay == kind) // the same again joins it
        return organizationJob(job, kind, task, m_config.clock());
    const bool archived = summary->status == TaskStatus::Archived;
    // A deletion does not wait for what else is under way; everything else does.
    if (!underWay.isEmpty() && kind != QLatin1StringView("delete"))
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), organizationUnderWay(underWay), QStringLiteral("Wait for it, or cancel it."));
    if (kind == QLatin1StringView("archive") && archived)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("The task is archived already."));
    if (kind == QLatin1StringView("unarchive") && !archived)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("The task is not archived."));
    summary->status = kind == QLatin1StringView("archive") ? TaskStatus::Archiving : kind == QLatin1StringView("delete") ? TaskStatus::Deleting : TaskStatus::Provisioning;
    if (kind == QLatin1StringView("unarchive")) {
        summary->archivedAt.reset();
        summary->stage = QStringLiteral("Bringing the task back");
    }
    return sendLifecycle(tx, *summary, LifecycleOrder{order, kind, organizationNewJob(), keepBranch, caller.userId});
}

// Hides the task from the lists in this transaction; the task goes on when it hears of it.
Job OrganizationActor::sendLifecycle(Transaction &tx, const TaskSummary &summary, const LifecycleOrder &order)
{
    tx.put(topic(), summary);
    tx.database().run("UPDATE tasks SET status = ?, lifecycle = ?, hidden = ?, hidden_order = ?, job = ?, job_kind = ?, job_by = ? WHERE task = ?",
        summary.status.text(), order.order, summary.status.text(), order.order, order.job, order.kind, order.by, summary.id.value);
    recount(tx, summary.repoId);
    tx.send(taskAddress(organizationId(), summary.repoId, summary.id), QStringLiteral("lifecycle"), encodeLifecycleOrder(order));
    return organizationJob(order.job, order.kind, summary.id, m_config.clock());
}

Result<QByteArray> OrganizationActor::previewDelete(Transaction &tx, const Caller &caller, const TaskId &task)
{
    const auto summary = summaryRow(task);
    if (!summary)
        return organizationNoTask();
    DeletePreview preview;
    preview.taskId = task;
    QString job;
    qint64 order = 0;
    {
        auto q = tx.database().query("SELECT lifecycle, preview_job, loss FROM tasks WHERE task = ?", task.value);
        if (!q.next())
            return organizationNoTask();
        order = q.integer(0) + 1;
        job = q.text(1);
        if (!q.isNull(2)) {
            if (auto ended = decodeLifecycleEnded(q.bytes(2)))
                preview.loss = ended->loss;
        }
    }
    const QString kind = QStringLiteral("preview_delete");
    if (job.isEmpty()) {
        job = organizationNewJob();
        tx.database().run("UPDATE tasks SET lifecycle = ?, preview_job = ? WHERE task = ?", order, job, task.value);
        tx.send(taskAddress(organizationId(), summary->repoId, task), QStringLiteral("lifecycle"), encodeLifecycleOrder({order, kind, job, false, caller.userId}));
    }
    preview.job = organizationJob(job, kind, task, m_config.clock());
    return protocol::encodeValue(preview);
}

Result<Job> OrganizationActor::restoreTask(Transaction &tx, const Caller &caller, const TaskId &task)
{
    qint64 order = 0;
    qint64 revision = 0;
    std::optional<TaskSummary> summary;
    {
        auto q = tx.database().query("SELECT lifecycle, source_revision, summary FROM deleted_tasks WHERE task = ?", task.value);
        if (q.next()) {
            order = q.integer(0) + 1;
            revision = q.integer(1);
            auto read = messagejson::entityFrom<TaskSummary>(QJsonDocument::fromJson(q.bytes(2)).object(), QLatin1StringView("TaskSummary"), task.value);
            if (!read)
                return read.error();
            summary = *read;
        }
    }
    if (!summary) {
        auto q = tx.database().query("SELECT job FROM tasks WHERE task = ? AND job_kind = 'restore'", task.value);
        if (q.next())
            return organizationJob(q.text(0), QStringLiteral("restore"), task, m_config.clock());
        return organizationNoTask();
    }
    if (!context().row(topic(), QStringLiteral("Repository"), summary->repoId.value))
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("The repository of this task was taken out of the list."),
            QStringLiteral("What was kept is still in that repository, under refs/foundry/trash."));
    {
        auto q = tx.database().query("SELECT 1 FROM tasks WHERE repo = ? AND branch = ?", summary->repoId.value, summary->branch);
        if (q.next())
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("Another task works on the branch %1.").arg(summary->branch),
                QStringLiteral("Archive or delete that one first."));
    }
    summary->status = TaskStatus::Provisioning;
    summary->archivedAt.reset();
    summary->stage = QStringLiteral("Bringing the task back");
    tx.database().run("INSERT INTO tasks (task, repo, branch, status, source_revision, created_at) VALUES (?, ?, ?, ?, ?, ?)", task.value, summary->repoId.value,
        summary->branch, summary->status.text(), revision, summary->createdAt);
    tx.database().run("DELETE FROM deleted_tasks WHERE task = ?", task.value);
    tx.remove(topic(), QStringLiteral("DeletedTask"), task.value);
    index(tx, *summary);
    const Job made = sendLifecycle(tx, *summary, LifecycleOrder{order, QStringLiteral("restore"), organizationNewJob(), false, caller.userId});
    settle(tx);
    return made;
}

Result<> OrganizationActor::lifecycleEnded(Transaction &tx, const LifecycleEnded &ended)
{
    if (ended.kind == QLatin1StringView("purge")) {
        purgeEnded(tx, ended);
        return Unit{};
    }
    if (ended.kind == QLatin1StringView("preview_delete")) {
        tx.database().run("UPDATE tasks SET preview_job = '' WHERE task = ? AND preview_job = ?", ended.task.value, ended.job);
        if (ended.loss)
            tx.database().run("UPDATE tasks SET loss = ? WHERE task = ?", encodeLifecycleEnded(ended), ended.task.value);
        return Unit{};
    }
    QString by;
    {
        auto q = tx.database().query("SELECT job_by FROM tasks WHERE task = ? AND job = ?", ended.task.value, ended.job);
        if (!q.next())
            return Unit{}; // of an order that another one has replaced
        by = q.text(0);
    }
    if (!ended.error && !ended.cancelled && !ended.again)
        auditLifecycle(tx, ended, by);
    tx.database().run("UPDATE tasks SET job = '', job_kind = '', loss = NULL WHERE task = ?", ended.task.value);
    if (ended.kind == QLatin1StringView("delete") && !ended.error && !ended.cancelled)
        taskDeleted(tx, ended);
    return Unit{};
}

// What was done, not what was ordered: a job can fail or be cancelled.
void OrganizationActor::auditLifecycle(Transaction &tx, const LifecycleEnded &ended, const QString &by)
{
    static const QHash<QString, QLatin1StringView> kinds{{QStringLiteral("archive"), auditkind::taskArchived}, {QStringLiteral("unarchive"), auditkind::taskUnarchived},
        {QStringLiteral("delete"), auditkind::taskDeleted}, {QStringLiteral("restore"), auditkind::taskRestored}};
    const auto summary = summaryRow(ended.task);
    if (!summary || !kinds.contains(ended.kind))
        return;
    audit(tx, organizationId(), {.kind = kinds.value(ended.kind), .taskId = ended.task, .repoId = summary->repoId, .payload = {{QStringLiteral("title"), summary->title}},
                                    .actorUser = by.isEmpty() ? std::nullopt : std::optional<QString>(by)});
}

void OrganizationActor::taskDeleted(Transaction &tx, const LifecycleEnded &ended)
{
    const auto summary = summaryRow(ended.task);
    if (!summary)
        return;
    DeletedTask deleted;
    deleted.id = summary->id;
    deleted.title = summary->title;
    deleted.branch = summary->branch;
    deleted.deletedAt = m_config.clock();
    deleted.restorableUntil = deleted.deletedAt + m_config.keepDeletedMs;
    deleted.lost = ended.kept;
    tx.put(topic(), deleted);
    tx.database().run("INSERT OR REPLACE INTO deleted_tasks (task, repo, until, source_revision, lifecycle, summary)"
                      " SELECT task, repo, ?, source_revision, lifecycle, ? FROM tasks WHERE task = ?",
        deleted.restorableUntil, messagejson::text(messagejson::entityObject(*summary)), ended.task.value);
    tx.database().run("DELETE FROM tasks WHERE task = ?", ended.task.value);
    tx.remove(topic(), QStringLiteral("TaskSummary"), ended.task.value);
    for (const Entity &entity : context().rows(topic(), QStringLiteral("Attention"))) {
        const auto *attention = std::get_if<Attention>(&entity);
        if (attention && attention->taskId == ended.task)
            tx.remove(topic(), QStringLiteral("Attention"), attention->id);
    }
    recount(tx, summary->repoId);
    settle(tx);
}

QString OrganizationActor::titlesOf(const RepoId &repo, qint64 count) const
{
    constexpr qint64 shown = 5;
    QStringList titles;
    auto q = context().database().query("SELECT task FROM tasks WHERE repo = ? ORDER BY branch LIMIT ?", repo.value, shown);
    while (q.next()) {
        if (const auto summary = summaryRow(TaskId(q.text(0))))
            titles.append(QStringLiteral("“%1”").arg(summary->title));
    }
    if (count > shown)
        titles.append(QStringLiteral("…"));
    return titles.join(QStringLiteral(", "));
}

// What searchTasks looks at, in the order of the last activity.
void OrganizationActor::index(Transaction &tx, const TaskSummary &summary)
{
    const QString words = (summary.title + QLatin1Char('\n') + summary.branch + QLatin1Char('\n') + summary.owner.value_or(QString())).toCaseFolded();
    tx.database().run("UPDATE tasks SET search = ?, active_at = ? WHERE task = ?", words, summary.lastTurnEndedAt.value_or(summary.createdAt), summary.id.value);
}

void OrganizationActor::indexOld(Transaction &tx)
{
    QStringList unknown;
    {
        auto q = tx.database().query("SELECT task FROM tasks WHERE search = ''");
        while (q.next())
            unknown.append(q.text(0));
    }
    for (const QString &task : std::as_const(unknown)) {
        if (const auto summary = summaryRow(TaskId(task)))
            index(tx, *summary);
    }
}

TasksFound OrganizationActor::searchTasks(const SearchTasks &asked) const
{
    QStringList words = asked.query.toCaseFolded().split(QLatin1Char(' '), Qt::SkipEmptyParts).mid(0, organizationSearchWords);
    while (words.size() < organizationSearchWords)
        words.append(QString());
    QStringList found;
    {
        // One pass over the index at most; the rows are read only of what is shown.
        auto q = context().database().query("SELECT task FROM tasks INDEXED BY tasks_active WHERE (?1 = '' OR instr(search, ?1) > 0) AND (?2 = '' OR instr(search, ?2) > 0)"
                                            " AND (?3 = '' OR instr(search, ?3) > 0) AND (?4 = '' OR instr(search, ?4) > 0) AND (?5 = '' OR instr(search, ?5) > 0)"
                                            " AND (?6 = '' OR instr(search, ?6) > 0) ORDER BY active_at DESC, task LIMIT ?7",
            words[0], words[1], words[2], words[3], words[4], words[5], qBound(qint64(1), asked.limit, organizationSearchLimit));
        while (q.next())
            found.append(q.text(0));
    }
    TasksFound answer;
    qsizetype bytes = 0;
    for (const QString &task : std::as_const(found)) {
        auto summary = summaryRow(TaskId(task));
        if (!summary)
            continue;
        bytes += protocol::encodeEntity(*summary).size() + 200;
        if (bytes > protocol::hostPageLimit) // tasks with very many sessions
            break;
        answer.tasks.append(std::move(*summary));
    }
    return answer;
}

} // namespace foundry::backend
