#include "backend/actors/actortransaction.h"

#include "backend/actors/actorregistry.h"
#include "backend/workflows/crashpoint.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/keys.h"
#include "realtime/protocol/messagelimits.h"

namespace foundry::backend {

namespace {

constexpr qsizetype kEventBytes = 384 * 1024;

QString actortransactionKey(const QString &type, const QString &id)
{
    return type + QLatin1Char('\n') + id;
}

qsizetype actortransactionRemovalBytes(const QString &type, const QString &id)
{
    return 32 + type.size() + protocol::jsonTextSize(id);
}

} // namespace

Error outgoingTooLongError(const QString &what)
{
    return makeError(QLatin1StringView("message"), QLatin1StringView("outgoing_too_long"),
        QStringLiteral("%1 is longer than the %2 KiB that a message may have.").arg(what).arg(protocol::hostMessageLimit / 1024),
        QStringLiteral("Ask for less at a time: with a smaller limit, or page by page."));
}

ActorTransaction::ActorTransaction(Database &database, TopicStore &topics, Millis at, QString &correlation)
    : m_database(database)
    , m_topics(topics)
    , m_at(at)
    , m_correlation(correlation)
{
}

ActorTransaction::Pending *ActorTransaction::pending(const QString &topic)
{
    for (Pending &known : m_pending) {
        if (known.topic == topic)
            return &known;
    }
    auto info = m_topics.ensure(topic);
    if (!info)
        return nullptr; // the database remembers the error: the commit fails
    m_pending.append(Pending{topic, *info, {}});
    return &m_pending.last();
}

ActorTransaction::Part &ActorTransaction::part(Pending &pending, qsizetype more)
{
    if (pending.parts.isEmpty() || (pending.parts.last().bytes > 0 && pending.parts.last().bytes + more > kEventBytes))
        pending.parts.append(Part{pending.info.revision + pending.parts.size() + 1, {}, {}, {}, 0});
    return pending.parts.last();
}

void ActorTransaction::put(const QString &topic, const Entity &entity)
{
    Pending *to = pending(topic);
    if (!to)
        return;
    const QString type = protocol::entityType(entity);
    const QString id = protocol::entityId(entity);
    const QByteArray value = protocol::encodeEntity(entity);
    std::optional<qint64> order;
    if (const auto *entry = std::get_if<TranscriptEntry>(&entity))
        order = entry->index;
    else if (const auto *event = std::get_if<AuditEvent>(&entity))
        order = event->index;
    // A row that no message can carry would be stored and never heard of: neither its event nor a page has room for it.
    if (const qsizetype bytes = value.size() + type.size() + 2 * protocol::jsonTextSize(id) + 128;
        bytes > protocol::hostValueLimit / 2 && protocol::guardedSize(value) + bytes - value.size() > protocol::hostValueLimit) {
        m_tooLong = QStringLiteral("The row %1 %2").arg(type, id.left(80));
        return;
    }
    // The part is looked for first: its revision goes into the row. An empty one that stays empty says nothing.
    Part &event = part(*to, value.size() + 128);
    const auto change = m_topics.put(to->info, type, id, order, value, event.revision, m_at);
    if (change == TopicStore::Change::None)
        return;
    if (change == TopicStore::Change::Added)
        ++to->info.count;
    const QString key = actortransactionKey(type, id);
    event.removals.removeIf([&](const Removal &removal) { return removal.type == type && removal.id == id; });
    if (order)
        event.appends.removeIf([&](const TextAppend &append) { return append.index == *order; });
    QByteArray encoded = protocol::encodeUpsert(type, id, EntityMeta{event.revision, m_at}, value);
    for (auto &known : event.upserts) {
        if (known.first == key) {
            event.bytes += encoded.size() - known.second.size();
            known.second = std::move(encoded);
            return;
        }
    }
    event.bytes += encoded.size();
    event.upserts.append({key, std::move(encoded)});
}

void ActorTransaction::remove(const QString &topic, const QString &type, const QString &id)
{
    Pending *to = pending(topic);
    if (!to)
        return;
    const qsizetype bytes = actortransactionRemovalBytes(type, id);
    Part &event = part(*to, bytes);
    if (!m_topics.remove(to->info, type, id, event.revision, m_at))
        return;
    --to->info.count;
    const QString key = actortransactionKey(type, id);
    event.upserts.removeIf([&](const auto &known) { return known.first == key; });
    event.removals.append(Removal{type, id});
    event.bytes += bytes;
}

void ActorTransaction::append(const QString &topic, const TextAppend &append, const TranscriptEntry &whole)
{
    Pending *to = pending(topic);
    if (!to || append.text.isEmpty())
        return;
    const Entity entity = whole;
    const QString type = protocol::entityType(entity);
    const QString id = protocol::entityId(entity);
    // Who gets this event's upsert of the row gets the whole of it.
    const QString key = actortransactionKey(type, id);
    const bool upserted = !to->parts.isEmpty()
        && std::any_of(to->parts.last().upserts.cbegin(), to->parts.last().upserts.cend(),
            [&](const auto &known) { return known.first == key; });
    if (upserted) {
        put(topic, entity);
        return;
    }
    const qsizetype bytes = protocol::jsonTextSize(append.text) + 64;
    Part &event = part(*to, bytes);
    const auto change = m_topics.put(to->info, type, id, whole.index, protocol::encodeEntity(entity), event.revision, m_at);
    if (change == TopicStore::Change::None)
        return;
    if (change == TopicStore::Change::Added) {
        // There was no row to append to: nobody holds a beginning of it.
        ++to->info.count;
        event.upserts.append({key, protocol::encodeUpsert(type, id, EntityMeta{event.revision, m_at}, protocol::encodeEntity(entity))});
        event.bytes += event.upserts.last().second.size();
        return;
    }
    event.appends.append(append);
    event.bytes += bytes;
}

void ActorTransaction::send(const ActorAddress &to, const QString &name, const QByteArray &json)
{
    auto written = m_database.run("INSERT INTO outbox(target, target_name, target_key, name, json, correlation) VALUES(?, ?, ?, ?, ?, ?)",
        actorIdOf(to), to.name, protocol::encodeKey(to.key), name, json, m_correlation);
    if (!written)
        return; // the database remembers it: a send that cannot be recorded fails the request
    ++m_sends;
    if (crashPointsAreOn())
        crashPoint(*this, QStringLiteral("send %1 %2").arg(to.name, name));
    if (name == QLatin1StringView("create"))
        m_created.append(to);
}

void ActorTransaction::afterCommit(std::function<void()> then)
{
    m_then.append([&place = m_correlation, id = m_correlation, then = std::move(then)] {
        const QString before = std::exchange(place, id);
        then();
        place = before;
    });
}

Result<> ActorTransaction::finish()
{
    if (m_tooLong)
        return outgoingTooLongError(*m_tooLong);
    for (Pending &pending : m_pending) {
        pending.parts.removeIf([](const Part &event) {
            return event.upserts.isEmpty() && event.removals.isEmpty() && event.appends.isEmpty();
        });
        if (pending.parts.isEmpty())
            continue;
        pending.info.revision = pending.parts.last().revision;
        if (auto saved = m_topics.save(pending.info); !saved)
            return saved;
    }
    const auto set = [this](const char *name, const QString &value) {
        return m_database.run("INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
            QByteArrayView(name), value);
    };
    if (m_alarm) {
        if (auto kept = set("alarm", *m_alarm ? QString::number(**m_alarm) : QString()); !kept)
            return kept;
    }
    if (m_needsWake) {
        if (auto kept = set("needs_wake", QString::number(*m_needsWake ? 1 : 0)); !kept)
            return kept;
    }
    if (m_retired) {
        if (auto kept = set("retired", QString::number(*m_retired ? 1 : 0)); !kept)
            return kept;
    }
    if (m_erased) {
        if (auto kept = set("erased", QStringLiteral("1")); !kept)
            return kept;
    }
    return Unit{};
}

void ActorTransaction::publish()
{
    for (const Pending &pending : std::as_const(m_pending))
        m_topics.committed(pending.topic, pending.info);
}

QList<EncodedEvent> ActorTransaction::takeEvents(const std::function<bool(const QString &topic)> &wanted)
{
    QList<EncodedEvent> events;
    for (const Pending &pending : std::as_const(m_pending)) {
        if (!wanted(pending.topic))
            continue;
        for (const Part &part : pending.parts) {
            TopicEvent event;
            event.topic = pending.topic;
            event.generation = pending.info.generation;
            event.revision = part.revision;
            event.at = m_at;
            event.cause = m_cause;
            event.removals = part.removals;
            event.appends = part.appends;
            QByteArray upserts;
            for (const auto &row : part.upserts) {
                if (!upserts.isEmpty())
                    upserts += ',';
                upserts += row.second;
            }
            events.append({pending.topic, protocol::encodeEvent(event, upserts)});
        }
    }
    return events;
}

} // namespace foundry::backend
