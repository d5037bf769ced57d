// What deletions kept, when its time is over. Each purge stays on record until its task says that nothing is left; one that
// failed is asked for again, later each time, with its cause on record.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/lifecyclemessages.h"
#include "backend/actors/organizationactor.h"
#include "backend/store/database.h"

#include <QLoggingCategory>
#include <QUuid>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcPurge, "foundry.actors.purge")

namespace {

constexpr Millis purgeDayMs = Millis(24) * 3600 * 1000;

// A day after the first failure, then twice as long each time, a month at most.
Millis purgeDelay(qint64 attempts)
{
    return purgeDayMs * qMin(qint64(1) << qBound(qint64(0), attempts - 1, qint64(5)), qint64(30));
}

} // namespace

QString OrganizationActor::purgeSchema()
{
    // due: when it is asked for again; NULL while its task is at it.
    return QStringLiteral("CREATE TABLE purges (task TEXT PRIMARY KEY, repo TEXT NOT NULL, lifecycle INTEGER NOT NULL, job TEXT NOT NULL,"
                          " attempts INTEGER NOT NULL, due INTEGER, cause TEXT NOT NULL DEFAULT '') WITHOUT ROWID;");
}

void OrganizationActor::purgeDeleted(Transaction &tx)
{
    struct Gone {
        TaskId task;
        RepoId repo;
        qint64 order = 0;
        bool again = false;
    };
    QList<Gone> gone;
    {
        auto q = tx.database().query("SELECT task, repo, lifecycle, 0 FROM deleted_tasks WHERE until <= ?1"
                                     " UNION ALL SELECT task, repo, lifecycle, 1 FROM purges WHERE due <= ?1",
            m_config.clock());
        while (q.next())
            gone.append({TaskId(q.text(0)), RepoId(q.text(1)), q.integer(2) + 1, q.integer(3) != 0});
    }
    for (const Gone &one : std::as_const(gone)) {
        const QString job = QUuid::createUuid().toString(QUuid::WithoutBraces);
        if (one.again) {
            tx.database().run("UPDATE purges SET lifecycle = ?, job = ?, attempts = attempts + 1, due = NULL WHERE task = ?", one.order, job, one.task.value);
        } else {
            tx.database().run("INSERT OR REPLACE INTO purges (task, repo, lifecycle, job, attempts) VALUES (?, ?, ?, ?, 1)", one.task.value, one.repo.value,
                one.order, job);
            tx.database().run("DELETE FROM deleted_tasks WHERE task = ?", one.task.value);
            tx.remove(topic(), QStringLiteral("DeletedTask"), one.task.value);
        }
        tx.send(taskAddress(organizationId(), one.repo, one.task), QStringLiteral("lifecycle"),
            encodeLifecycleOrder({one.order, QStringLiteral("purge"), job, false, {}}));
    }
}

void OrganizationActor::purgeEnded(Transaction &tx, const LifecycleEnded &ended)
{
    qint64 attempts = 0;
    {
        auto q = tx.database().query("SELECT attempts FROM purges WHERE task = ? AND job = ?", ended.task.value, ended.job);
        if (!q.next())
            return; // of an attempt that another one has replaced
        attempts = q.integer(0);
    }
    if (!ended.error && !ended.cancelled) {
        tx.database().run("DELETE FROM purges WHERE task = ?", ended.task.value);
    } else {
        const QString cause = ended.error ? ended.error->key() + QStringLiteral(": ") + ended.error->message : QStringLiteral("cancelled");
        tx.database().run("UPDATE purges SET due = ?, cause = ? WHERE task = ?", m_config.clock() + purgeDelay(attempts), cause, ended.task.value);
        qCWarning(lcPurge, "what was kept of the deleted task %ls could not be removed, attempt %lld: %ls", qUtf16Printable(ended.task.value),
            static_cast<long long>(attempts), qUtf16Printable(cause));
    }
    settle(tx);
}

std::optional<Millis> OrganizationActor::nextPurge() const
{
    auto q = context().database().query("SELECT min(at) FROM (SELECT min(until) AS at FROM deleted_tasks UNION ALL SELECT min(due) FROM purges)");
    return q.next() ? q.optionalInteger(0) : std::nullopt;
}

} // namespace foundry::backend
