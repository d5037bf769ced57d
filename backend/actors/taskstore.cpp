#include "backend/actors/taskstore.h"

#include "backend/actors/messagejson.h"
#include "backend/store/database.h"

#include <algorithm>

namespace foundry::backend {

namespace {

template <class T>
QList<T> taskRows(ActorContext &context, const QString &type)
{
    QList<T> found;
    for (Entity &entity : context.rows(TaskStore::topic(), type)) {
        if (auto *value = std::get_if<T>(&entity))
            found.append(std::move(*value));
    }
    return found;
}

template <class T>
std::optional<T> taskRow(ActorContext &context, const QString &type, const QString &id)
{
    auto entity = context.row(TaskStore::topic(), type, id);
    if (!entity)
        return std::nullopt;
    if (auto *value = std::get_if<T>(&*entity))
        return std::move(*value);
    return std::nullopt;
}

constexpr QByteArrayView taskStateColumns = "session, agent, live, hold, turns, position, open_turn, interrupted_turn, error, model, mode, options";
constexpr QByteArrayView taskTurnColumns =
    "turn, session, number, prompt, attachments, by_user, state, cancelling, entry_index, started_at, ended_at, stop_reason, queue";

SessionState readTaskState(const Query &q)
{
    SessionState state;
    state.session.value = q.text(0);
    state.agent.value = q.text(1);
    state.live = q.flag(2);
    state.hold = q.flag(3);
    state.turns = q.integer(4);
    state.position = q.integer(5);
    state.openTurn = q.text(6);
    state.interruptedTurn = q.text(7);
    if (!q.isNull(8))
        state.error = errorFromJson(q.bytes(8));
    state.model = q.optionalText(9);
    state.mode = q.optionalText(10);
    state.options = messagejson::textsFrom(QJsonDocument::fromJson(q.bytes(11)).object());
    return state;
}

TurnRow readTaskTurn(const Query &q)
{
    TurnRow turn;
    turn.turn = q.text(0);
    turn.session.value = q.text(1);
    turn.number = q.integer(2);
    turn.prompt = messagejson::promptFrom(QJsonDocument::fromJson(q.bytes(3)).object());
    turn.attachments = messagejson::attachmentsFrom(QJsonDocument::fromJson(q.bytes(4)).array());
    turn.by = q.text(5);
    turn.state = q.text(6);
    turn.cancelling = q.flag(7);
    turn.entryIndex = q.integer(8);
    turn.startedAt = q.integer(9);
    turn.endedAt = q.optionalInteger(10);
    turn.stopReason = q.text(11);
    turn.queue.value = q.text(12);
    return turn;
}

} // namespace

TaskStore::TaskStore(ActorContext &context)
    : m_context(context)
{
}

QString TaskStore::schema()
{
    return QStringLiteral(
        "CREATE TABLE record (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE session_states (session TEXT PRIMARY KEY, agent TEXT NOT NULL, live INTEGER NOT NULL, hold INTEGER NOT NULL,"
        " turns INTEGER NOT NULL, position INTEGER NOT NULL, open_turn TEXT NOT NULL, interrupted_turn TEXT NOT NULL, error TEXT,"
        " model TEXT, mode TEXT);"
        "CREATE TABLE turns (turn TEXT PRIMARY KEY, session TEXT NOT NULL, number INTEGER NOT NULL, prompt TEXT NOT NULL,"
        " attachments TEXT NOT NULL, by_user TEXT NOT NULL, state TEXT NOT NULL, cancelling INTEGER NOT NULL,"
        " entry_index INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, stop_reason TEXT NOT NULL);"
        "CREATE INDEX turns_session ON turns (session, number);"
        "CREATE TABLE agents_live (agent TEXT PRIMARY KEY, live INTEGER NOT NULL) WITHOUT ROWID;");
}

QString TaskStore::secondSchema()
{
    return QStringLiteral(
        "ALTER TABLE session_states ADD COLUMN options TEXT NOT NULL DEFAULT '{}';"
        "ALTER TABLE turns ADD COLUMN queue TEXT NOT NULL DEFAULT '';"
        "CREATE INDEX turns_queue ON turns (queue) WHERE queue != '';"
        "CREATE INDEX turns_entry ON turns (session, entry_index);");
}

void TaskStore::load()
{
    const QByteArray json = value(QStringLiteral("creation"));
    if (json.isEmpty())
        return;
    if (auto creation = decodeCreation(json))
        m_creation = *creation;
}

void TaskStore::setCreation(Transaction &tx, const TaskCreation &creation)
{
    setValue(tx, QStringLiteral("creation"), encodeCreation(creation));
    tx.onRollback([this, before = m_creation] { m_creation = before; });
    m_creation = creation;
}

std::optional<Task> TaskStore::task() const
{
    return m_creation ? taskRow<Task>(m_context, QStringLiteral("Task"), m_creation->task.value) : std::nullopt;
}

std::optional<Session> TaskStore::session(const SessionId &id) const
{
    return taskRow<Session>(m_context, QStringLiteral("Session"), id.value);
}

QList<Session> TaskStore::sessions() const
{
    QList<Session> found;
    for (const SessionState &known : states()) {
        if (auto row = session(known.session))
            found.append(*row);
    }
    return found;
}

QList<Stage> TaskStore::stages() const
{
    QList<Stage> found = taskRows<Stage>(m_context, QStringLiteral("Stage"));
    std::sort(found.begin(), found.end(), [](const Stage &a, const Stage &b) { return a.order < b.order; });
    return found;
}

std::optional<QueuedPrompt> TaskStore::queued(const QueueId &id) const
{
    return taskRow<QueuedPrompt>(m_context, QStringLiteral("QueuedPrompt"), id.value);
}

QList<QueuedPrompt> TaskStore::queue(const SessionId &session) const
{
    QList<QueuedPrompt> found;
    for (QueuedPrompt &prompt : taskRows<QueuedPrompt>(m_context, QStringLiteral("QueuedPrompt"))) {
        if (prompt.sessionId == session)
            found.append(std::move(prompt));
    }
    std::stable_sort(found.begin(), found.end(), [](const QueuedPrompt &a, const QueuedPrompt &b) { return a.order < b.order; });
    return found;
}

std::optional<SessionState> TaskStore::state(const SessionId &id) const
{
    auto q = m_context.database().query(
        "SELECT " + taskStateColumns.toByteArray() + " FROM session_states WHERE session = ?", id.value);
    return q.next() ? std::optional<SessionState>(readTaskState(q)) : std::nullopt;
}

QList<SessionState> TaskStore::states() const
{
    QList<SessionState> found;
    auto q = m_context.database().query("SELECT " + taskStateColumns.toByteArray() + " FROM session_states ORDER BY position");
    while (q.next())
        found.append(readTaskState(q));
    return found;
}

void TaskStore::putState(Transaction &tx, const SessionState &state)
{
    tx.database().run("INSERT OR REPLACE INTO session_states (" + taskStateColumns.toByteArray()
            + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        state.session.value, state.agent.value, state.live, state.hold, state.turns, state.position, state.openTurn,
        state.interruptedTurn, state.error ? std::optional<QByteArray>(errorToJson(*state.error)) : std::nullopt,
        state.model, state.mode, messagejson::text(messagejson::textsObject(state.options)));
}

std::optional<TurnRow> TaskStore::turn(const QString &id) const
{
    auto q = m_context.database().query("SELECT " + taskTurnColumns.toByteArray() + " FROM turns WHERE turn = ?", id);
    return q.next() ? std::optional<TurnRow>(readTaskTurn(q)) : std::nullopt;
}

QList<TurnRow> TaskStore::turns(const SessionId &session, std::optional<qint64> before, std::optional<qint64> after, qint64 limit) const
{
    QList<TurnRow> found;
    const QByteArray select = "SELECT " + taskTurnColumns.toByteArray() + " FROM turns WHERE session = ? AND ";
    if (after) {
        auto q = m_context.database().query(select + "entry_index > ? ORDER BY entry_index LIMIT ?", session.value, *after, limit);
        while (q.next())
            found.append(readTaskTurn(q));
        return found;
    }
    auto q = m_context.database().query(select + "entry_index < ? ORDER BY entry_index DESC LIMIT ?", session.value,
        before.value_or(std::numeric_limits<qint64>::max()), limit);
    while (q.next())
        found.prepend(readTaskTurn(q));
    return found;
}

bool TaskStore::wasDelivered(const QueueId &id) const
{
    auto q = m_context.database().query("SELECT EXISTS(SELECT 1 FROM turns WHERE queue = ? AND queue != '')", id.value);
    return q.next() && q.flag(0);
}

void TaskStore::putTurn(Transaction &tx, const TurnRow &turn)
{
    const QByteArray attachments = QJsonDocument(messagejson::attachmentsArray(turn.attachments)).toJson(QJsonDocument::Compact);
    tx.database().run("INSERT OR REPLACE INTO turns (" + taskTurnColumns.toByteArray()
            + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        turn.turn, turn.session.value, turn.number, messagejson::text(messagejson::promptObject(turn.prompt)), attachments, turn.by,
        turn.state, turn.cancelling, turn.entryIndex, turn.startedAt, turn.endedAt, turn.stopReason, turn.queue.value);
}

bool TaskStore::isAgentLive(const AgentId &agent) const
{
    auto q = m_context.database().query("SELECT live FROM agents_live WHERE agent = ?", agent.value);
    return q.next() && q.flag(0);
}

void TaskStore::setAgentLive(Transaction &tx, const AgentId &agent, bool live)
{
    tx.database().run("INSERT OR REPLACE INTO agents_live (agent, live) VALUES (?, ?)", agent.value, live);
}

QByteArray TaskStore::value(const QString &key) const
{
    auto q = m_context.database().query("SELECT value FROM record WHERE key = ?", key);
    return q.next() ? q.bytes(0) : QByteArray();
}

void TaskStore::setValue(Transaction &tx, const QString &key, const QByteArray &value)
{
    tx.database().run("INSERT OR REPLACE INTO record (key, value) VALUES (?, ?)", key, value);
}

void TaskStore::note(Transaction &tx, QLatin1StringView kind, const QMap<QString, QString> &facts,
    const std::optional<QString> &actorUser) const
{
    if (m_creation)
        audit(tx, m_creation->organization, {kind, m_creation->task, m_creation->repo, facts, actorUser});
}

} // namespace foundry::backend
