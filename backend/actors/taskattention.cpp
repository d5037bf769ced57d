#include "backend/actors/taskattention.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/taskstatus.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QSet>

namespace foundry::backend {

TaskAttention::TaskAttention(TaskStore &store)
    : m_store(store)
{
}

QString TaskAttention::schema()
{
    return QStringLiteral("CREATE TABLE attention (id TEXT PRIMARY KEY, session TEXT NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;");
}

qint64 TaskAttention::nextRevision(Transaction &tx)
{
    const qint64 next = m_store.value(QStringLiteral("pushRevision")).toLongLong() + 1;
    m_store.setValue(tx, QStringLiteral("pushRevision"), QByteArray::number(next));
    return next;
}

void TaskAttention::put(Transaction &tx, Attention attention)
{
    const TaskCreation &creation = *m_store.creation();
    attention.taskId = creation.task;
    // The time is when it began to need someone: a repeated word does not move it.
    {
        auto known = tx.database().query("SELECT value FROM attention WHERE id = ?", attention.id);
        if (known.next()) {
            auto earlier = protocol::decodeEntity(QStringLiteral("Attention"), attention.id, {}, known.bytes(0));
            if (earlier) {
                if (const auto *same = std::get_if<Attention>(&*earlier)) {
                    attention.at = same->at;
                    if (*same == attention)
                        return;
                }
            }
        }
    }
    if (attention.at == 0)
        attention.at = QDateTime::currentMSecsSinceEpoch();
    tx.database().run("INSERT OR REPLACE INTO attention (id, session, value) VALUES (?, ?, ?)", attention.id,
        attention.sessionId ? attention.sessionId->value : QStringLiteral(""), protocol::encodeEntity(Entity(attention)));
    tx.send(organizationAddress(creation.organization), QStringLiteral("attention"),
        encodeAttention({nextRevision(tx), attention.id, attention}));
}

void TaskAttention::remove(Transaction &tx, const QString &id)
{
    {
        auto known = tx.database().query("SELECT 1 FROM attention WHERE id = ?", id);
        if (!known.next())
            return;
    }
    tx.database().run("DELETE FROM attention WHERE id = ?", id);
    tx.send(organizationAddress(m_store.creation()->organization), QStringLiteral("attention"),
        encodeAttention({nextRevision(tx), id, std::nullopt}));
}

void TaskAttention::tellAgain(Transaction &tx)
{
    QList<Attention> all;
    {
        auto q = tx.database().query("SELECT id, value FROM attention");
        while (q.next()) {
            auto entity = protocol::decodeEntity(QStringLiteral("Attention"), q.text(0), {}, q.bytes(1));
            if (const auto *attention = entity ? std::get_if<Attention>(&*entity) : nullptr)
                all.append(*attention);
        }
    }
    for (const Attention &attention : std::as_const(all))
        tx.send(organizationAddress(m_store.creation()->organization), QStringLiteral("attention"), encodeAttention({nextRevision(tx), attention.id, attention}));
}

void TaskAttention::removeOfSession(Transaction &tx, const SessionId &session)
{
    QStringList ids;
    {
        auto q = tx.database().query("SELECT id FROM attention WHERE session = ?", session.value);
        while (q.next())
            ids.append(q.text(0));
    }
    for (const QString &id : ids)
        remove(tx, id);
}

void TaskAttention::deriveErrors(Transaction &tx, const QList<Session> &sessions, const QList<Stage> &stages)
{
    QSet<QString> wanted;
    const TaskCreation &creation = *m_store.creation();
    // Its id names the task too: ids are unique among all tasks of the organization.
    const auto say = [&](const QString &id, const std::optional<SessionId> &session, const QString &title, const Error &error) {
        Attention attention;
        attention.id = QStringLiteral("error:%1:%2").arg(creation.task.value, id);
        attention.sessionId = session;
        attention.reason = AttentionReason::Error;
        attention.title = title;
        attention.detail = error.action.isEmpty() ? error.message : error.message + QLatin1Char(' ') + error.action;
        wanted.insert(attention.id);
        put(tx, attention);
    };
    bool sandboxFailed = false;
    for (const Stage &stage : stages) {
        if (stage.state == StageState::Failed && stage.error && !stage.id.startsWith(QLatin1StringView("session:"))) {
            sandboxFailed = sandboxFailed || stage.scope() == QLatin1StringView("sandbox");
            say(stage.id, std::nullopt, stageTitle(stage.id) + QStringLiteral(" failed"), *stage.error);
        }
    }
    for (const Session &session : sessions) {
        if (session.closedAt || !session.error || session.status != SessionStatus::Error)
            continue;
        // One cause is said once: the failed stage above speaks for the sessions that wait for it.
        bool said = sandboxFailed;
        for (const Stage &stage : stages)
            said = said || (stage.state == StageState::Failed && stage.error == session.error && stage.scope().startsWith(QLatin1StringView("agent:")));
        if (!said && session.error->code != QLatin1StringView("cancelled"))
            say(session.id.value, session.id, QStringLiteral("%1 stopped").arg(session.name), *session.error);
    }
    QStringList gone;
    {
        auto q = tx.database().query("SELECT id FROM attention WHERE id LIKE 'error:%'");
        while (q.next()) {
            if (!wanted.contains(q.text(0)))
                gone.append(q.text(0));
        }
    }
    for (const QString &id : gone)
        remove(tx, id);
}

} // namespace foundry::backend
