// An actor's only door to the world: its name, its storage, its topics, other actors by address, an alarm, a stop.
// All calls belong to the actor's own thread. No pointers, files or threads pass between actors.
#pragma once

#include "models/types/result.h"
#include "models/types/topic.h"

#include <QStringList>
#include <functional>

class QObject;

namespace foundry::backend {

class Database;
struct HostMetrics;

// An actor is found by name and key, e.g. {"task", {"org", "local", "task", repo, task}}.
struct ActorAddress {
    QString name;
    QStringList key;
    friend bool operator==(const ActorAddress &, const ActorAddress &) = default;
};

// A message between actors that was an outbox row of its sender first: delivered at least once and in order for each
// pair, and applied once by (from, sequence).
struct Send {
    ActorAddress from;
    qint64 sequence = 0;
    QString name;
    QByteArray json;
    QString correlation = {}; // of what caused it; empty: nothing that had an id
};

// One transaction of an actor's database. Rows, revisions, tombstones, sends and the event are committed together; the
// event leaves after the commit. A handler that returns an error rolls all of it back.
class Transaction {
public:
    virtual ~Transaction() = default;

    // The actor's own tables. No ATTACH, VACUUM or pragmas.
    virtual Database &database() = 0;
    // Upserts a row of a topic; silent when the stored value is the same.
    virtual void put(const QString &topic, const Entity &entity) = 0;
    // Removes a row and leaves a tombstone; silent when there is no such row.
    virtual void remove(const QString &topic, const QString &type, const QString &id) = 0;
    // Text that grows: the row is stored as `whole`, the event carries only what was added.
    virtual void append(const QString &topic, const TextAppend &append, const TranscriptEntry &whole) = 0;
    // Says what this event was caused by; default {"system"}.
    virtual void setCause(const Cause &cause) = 0;
    virtual const Cause &cause() const = 0;
    // A durable message to another actor.
    virtual void send(const ActorAddress &to, const QString &name, const QByteArray &json) = 0;
    // True while the actor has unfinished workflows: it is opened again when the host starts, until it says false.
    virtual void setNeedsWake(bool needed) = 0;
    // The actor's one alarm (milliseconds since the epoch), or none.
    virtual void setAlarm(std::optional<Millis> due) = 0;
    // What the actor stands for is deleted (or is there again): its connections are closed with actor/not_found and clients
    // find it no more; sends of other actors still come.
    virtual void setRetired(bool retired) = 0;
    // A retired actor is over for good: when its last sends have arrived, its database and its content folder are removed
    // and its name is forgotten.
    virtual void setErased() = 0;
    // Runs on the actor's thread right after the commit, not when it is rolled back.
    virtual void afterCommit(std::function<void()> then) = 0;
    // Runs when it is rolled back, the last one first: takes back what memory was told already.
    virtual void onRollback(std::function<void()> then) = 0;
};

class ActorContext {
public:
    virtual ~ActorContext() = default;

    virtual const ActorAddress &address() const = 0;
    virtual QString id() const = 0;
    // +1 at each start of this actor, stored; goes with every external effect.
    virtual qint64 generation() const = 0;
    // Where the file is that this actor had before its database was damaged or gone and a new one was made; empty: that
    // never happened. Said at each start, so that whoever makes things good may be cut short.
    virtual QString lostStorage() const = 0;
    // The actors of that name whose key begins with this actor's, those of deleted things too.
    virtual QList<ActorAddress> children(const QString &name) = 0;
    // For reads. Writes go through transaction().
    virtual Database &database() = 0;
    virtual Result<> transaction(const std::function<Result<>(Transaction &)> &body) = 0;
    // A topic's stored row, decoded; nullopt when there is none.
    virtual std::optional<Entity> row(const QString &topic, const QString &type, const QString &id) = 0;
    // Of a topic that is not windowed.
    virtual QList<Entity> rows(const QString &topic, const QString &type) = 0;
    // Rows of a windowed topic by their index (TranscriptEntry, AuditEvent): the last `limit` before `before`, or the first after
    // `after`, in rising order. Costs the same at a million rows.
    virtual QList<Entity> window(const QString &topic, std::optional<qint64> before, std::optional<qint64> after, qint64 limit) = 0;
    virtual qint64 rowCount(const QString &topic) = 0;
    virtual TopicRevision revision(const QString &topic) = 0;
    // An event without rows (a ready notice, a terminal chunk): sent to whoever subscribes now, never stored. The
    // topic's revision is filled in by the runtime and not raised.
    virtual void notify(const TopicEvent &event) = 0;
    // A topic without rows whose events the actor counts itself (terminal output): where it is now, as revisions() and
    // changesSince() tell it and notify() fills it in. Not stored; an empty generation forgets it.
    virtual void noteRevision(const QString &topic, const TopicRevision &revision) = 0;
    virtual void stream(const ActorAddress &to, const QString &name, const QByteArray &json) = 0;
    virtual int subscriberCount(const QString &topic) const = 0;
    // Folder of this actor for what lies outside its database (blobs, logs); made on first use.
    virtual QString contentDirectory() = 0;
    // Context of timers and processes of this actor: lives on its thread and dies with it.
    virtual QObject *owner() = 0;
    // Correlation id of what is under way: of a call, of a send that was received (its sender's), of a workflow's step (of
    // what started the workflow), of what an afterCommit() was registered under. Goes into log lines, sends and workflows.
    // Empty where nothing of the kind is under way (a timer, the end of a process).
    virtual QString correlationId() const = 0;
    // See CorrelationScope.
    virtual void setCorrelationId(const QString &id) = 0;
    // What is counted here, for who keeps this host; nothing is read back from it.
    virtual HostMetrics &metrics() = 0;
};

// What is done until its end belongs to that work; an empty id changes nothing.
class CorrelationScope {
public:
    CorrelationScope(ActorContext &context, const QString &id)
        : m_context(context)
        , m_before(context.correlationId())
    {
        if (!id.isEmpty())
            m_context.setCorrelationId(id);
    }
    ~CorrelationScope() { m_context.setCorrelationId(m_before); }
    CorrelationScope(const CorrelationScope &) = delete;
    CorrelationScope &operator=(const CorrelationScope &) = delete;

private:
    ActorContext &m_context;
    const QString m_before;
};

} // namespace foundry::backend
