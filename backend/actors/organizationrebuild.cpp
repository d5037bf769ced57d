// An organization whose database was damaged or is gone: its tasks have all of their own, and tell it again.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/organizationactor.h"
#include "backend/store/database.h"

namespace foundry::backend {

namespace {

constexpr Millis rebuildShownMs = Millis(7) * 24 * 3600 * 1000;

QString rebuildAttention()
{
    return QStringLiteral("storage:organization");
}

} // namespace

QString OrganizationActor::rebuildSchema()
{
    return QStringLiteral("CREATE TABLE losses (aside TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;");
}

void OrganizationActor::rebuild(Transaction &tx)
{
    const QString aside = context().lostStorage();
    if (aside.isEmpty())
        return;
    if (auto q = tx.database().query("SELECT at FROM losses"); q.next()) {
        if (q.integer(0) < m_config.clock() - rebuildShownMs)
            tx.remove(topic(), QStringLiteral("Attention"), rebuildAttention());
        return; // asked for already
    }
    tx.database().run("INSERT INTO losses (aside, at) VALUES (?, ?)", aside, m_config.clock());
    if (!isLocal())
        tx.send(appAddress(), QStringLiteral("organizationLost"), QByteArrayLiteral("{}")); // which knows its name and its owner
    const QList<ActorAddress> tasks = context().children(QStringLiteral("task"));
    for (const ActorAddress &task : tasks)
        tx.send(task, QStringLiteral("tellAgain"), QByteArrayLiteral("{}"));
    Attention attention;
    attention.id = rebuildAttention();
    attention.reason = AttentionReason::Error;
    attention.title = QStringLiteral("The organization's stored state was damaged");
    attention.detail = QStringLiteral("The file was set aside as %1. Tasks and their repositories are listed again from what each task has stored. Lost are: repositories "
                                      "without a task, which have to be added again; trust in hooks and filters, which is asked for again; and which agents were confirmed or added "
                                      "by hand, which has to be done again. Deleted tasks can be restored for the whole time anew.")
                           .arg(aside);
    attention.at = m_config.clock();
    tx.put(topic(), attention);
}

Result<> OrganizationActor::taskTold(Transaction &tx, const TaskTold &told)
{
    const TaskCreation &creation = told.creation;
    {
        auto q = tx.database().query("SELECT 1 FROM tasks WHERE task = ?1 UNION ALL SELECT 1 FROM deleted_tasks WHERE task = ?1", creation.task.value);
        if (q.next())
            return Unit{};
    }
    m_repositories.putBack(tx, creation.repo, creation.repositoryPath);
    // Its status comes with the summary that follows.
    tx.database().run("INSERT INTO tasks (task, repo, branch, status, source_revision, created_at, lifecycle, job, job_kind) VALUES (?, ?, ?, '', 0, ?, ?, ?, ?)",
        creation.task.value, creation.repo.value, creation.branch, creation.createdAt, told.lifecycle, told.job, told.jobKind);
    settle(tx);
    return Unit{};
}

} // namespace foundry::backend
