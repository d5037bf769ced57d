// What a task has stored: its topic rows, typed, and its own tables (creation, session states, turns, agents). Reads see
// the transaction that is open. One writer: its task actor.
#pragma once

#include "backend/actors/actorcontext.h"
#include "backend/actors/audit.h"
#include "backend/actors/taskmessages.h"
#include "models/types/topic.h"

namespace foundry::backend {

// The side of a session that clients do not see.
struct SessionState {
    SessionId session;
    AgentId agent;
    bool live = false;       // the agent process has it open
    bool hold = false;       // queued prompts wait for the user: its last turn was cut or failed
    qint64 turns = 0;        // how many have begun
    qint64 position = 0;
    QString openTurn;        // the turn under way
    QString interruptedTurn; // the turn that was cut, for resendInterrupted
    std::optional<Error> error = {};
    // What the user chose; the Session row shows what the agent says it is.
    std::optional<QString> model = {};
    std::optional<QString> mode = {};
    QMap<QString, QString> options = {}; // of the agent's other options, by id
};

// One prompt on its way through the agent. Its intent is recorded before it is written to the agent.
struct TurnRow {
    QString turn;
    SessionId session;
    QueueId queue; // the prompt's id while it waited
    qint64 number = 0;
    Prompt prompt;
    QList<Attachment> attachments = {};
    QString by;
    QString state; // sent, refused, ended
    bool cancelling = false;
    qint64 entryIndex = 0;
    Millis startedAt = 0;
    std::optional<Millis> endedAt = {};
    QString stopReason;
};

class TaskStore {
public:
    explicit TaskStore(ActorContext &context);

    static QString schema();
    // The second step: what the user set of an agent's options; which waiting prompt a turn was.
    static QString secondSchema();
    static QString topic() { return QStringLiteral("task"); }

    // Nothing until the send "create" was applied.
    const std::optional<TaskCreation> &creation() const { return m_creation; }
    void setCreation(Transaction &tx, const TaskCreation &creation);
    void load();

    std::optional<Task> task() const;
    std::optional<Session> session(const SessionId &id) const;
    QList<Session> sessions() const; // in their order
    QList<Stage> stages() const;     // in the order of the timeline
    std::optional<QueuedPrompt> queued(const QueueId &id) const;
    QList<QueuedPrompt> queue(const SessionId &session) const; // in the order of delivery

    std::optional<SessionState> state(const SessionId &id) const;
    QList<SessionState> states() const;
    void putState(Transaction &tx, const SessionState &state);

    std::optional<TurnRow> turn(const QString &id) const;
    // The last `limit` turns whose entry stands before `before`, or the first after `after`; in rising order.
    QList<TurnRow> turns(const SessionId &session, std::optional<qint64> before, std::optional<qint64> after, qint64 limit) const;
    bool wasDelivered(const QueueId &id) const;
    void putTurn(Transaction &tx, const TurnRow &turn);

    bool isAgentLive(const AgentId &agent) const;
    void setAgentLive(Transaction &tx, const AgentId &agent, bool live);

    QByteArray value(const QString &key) const;
    void setValue(Transaction &tx, const QString &key, const QByteArray &value);

    // Into the organization's audit log; `kind` and `facts` as audit.h says.
    void note(Transaction &tx, QLatin1StringView kind, const QMap<QString, QString> &facts = {},
        const std::optional<QString> &actorUser = {}) const;

private:
    ActorContext &m_context;
    std::optional<TaskCreation> m_creation;
};

} // namespace foundry::backend
