// A transaction under way: collects what the events will say while it writes the rows. Used by ActorInstance only.
#pragma once

#include "backend/actors/actorcontext.h"
#include "backend/actors/topicstore.h"

namespace foundry::backend {

// An event that leaves after the commit, encoded once.
struct EncodedEvent {
    QString topic;
    QByteArray json;
};

// message.outgoing_too_long: `what` ("The answer of …") is beyond what the contract lets a host send.
Error outgoingTooLongError(const QString &what);

class ActorTransaction final : public Transaction {
public:
    // `correlation` is the actor's place for the id of what is under way: sends and what runs after the commit take it from
    // there as it is when they are asked for.
    ActorTransaction(Database &database, TopicStore &topics, Millis at, QString &correlation);

    Database &database() override { return m_database; }
    void put(const QString &topic, const Entity &entity) override;
    void remove(const QString &topic, const QString &type, const QString &id) override;
    void append(const QString &topic, const TextAppend &append, const TranscriptEntry &whole) override;
    void setCause(const Cause &cause) override { m_cause = cause; }
    const Cause &cause() const override { return m_cause; }
    void send(const ActorAddress &to, const QString &name, const QByteArray &json) override;
    void setNeedsWake(bool needed) override { m_needsWake = needed; }
    void setAlarm(std::optional<Millis> due) override { m_alarm = due; }
    void setRetired(bool retired) override { m_retired = retired; }
    void setErased() override { m_erased = true; }
    void afterCommit(std::function<void()> then) override;
    void onRollback(std::function<void()> then) override { m_undo.prepend(std::move(then)); }

    // Before the commit: writes the topics' revisions, alarm and wake flag. Errors: message.outgoing_too_long, internal.
    Result<> finish();
    // After it: what the topic store may remember now, and the events in order.
    void publish();
    // Only of topics that somebody listens to: the rest needs no encoding.
    QList<EncodedEvent> takeEvents(const std::function<bool(const QString &topic)> &wanted);
    QList<std::function<void()>> takeThen() { return std::move(m_then); }
    const QList<std::function<void()>> &undo() const { return m_undo; }

    const QList<ActorAddress> &created() const { return m_created; }
    bool hasSends() const { return m_sends > 0; }
    qint64 sendCount() const { return m_sends; }
    const std::optional<std::optional<Millis>> &alarm() const { return m_alarm; }
    const std::optional<bool> &needsWake() const { return m_needsWake; }
    const std::optional<bool> &retired() const { return m_retired; }
    bool erased() const { return m_erased; }

private:
    struct Part {
        qint64 revision = 0;
        QList<QPair<QString, QByteArray>> upserts; // "type\nid" → encoded row
        QList<Removal> removals;
        QList<TextAppend> appends;
        qsizetype bytes = 0;
    };
    struct Pending {
        QString topic;
        TopicInfo info;
        QList<Part> parts; // an event stays below the message limit: more than one when much was written
    };
    Pending *pending(const QString &topic);
    Part &part(Pending &pending, qsizetype more);

    Database &m_database;
    TopicStore &m_topics;
    const Millis m_at;
    QString &m_correlation;
    Cause m_cause{QStringLiteral("system")};
    QList<Pending> m_pending;
    QList<ActorAddress> m_created;
    qint64 m_sends = 0;
    std::optional<std::optional<Millis>> m_alarm;
    std::optional<bool> m_needsWake;
    std::optional<bool> m_retired;
    bool m_erased = false;
    std::optional<QString> m_tooLong; // a row that no message could carry: the commit fails
    QList<std::function<void()>> m_then;
    QList<std::function<void()>> m_undo;
};

} // namespace foundry::backend
