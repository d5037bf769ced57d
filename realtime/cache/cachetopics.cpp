#include "realtime/cache/cachetopics.h"

#include "realtime/cache/cacheschema.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QHash>
#include <QSet>
#include <algorithm>

namespace foundry::realtime {

namespace {

std::optional<qint64> cachetopicsIndex(const Entity &entity)
{
    if (const auto *entry = std::get_if<TranscriptEntry>(&entity))
        return entry->index;
    if (const auto *event = std::get_if<AuditEvent>(&entity))
        return event->index;
    return std::nullopt;
}

qint64 cachetopicsTextBytes(const Entity &entity)
{
    const auto *entry = std::get_if<TranscriptEntry>(&entity);
    return entry ? entry->text.toUtf8().size() : 0;
}

} // namespace

CacheTopics::Topic CacheTopics::find(const QString &actor, const QString &name)
{
    Topic topic;
    SqlQuery query = m_file.query(
        "SELECT id, generation, revision, as_of, partial, ranges FROM topics WHERE actor = ? AND topic = ?", actor, name);
    if (query.next()) {
        topic.id = query.integer(0);
        topic.generation = query.text(1);
        topic.revision = query.integer(2);
        topic.asOf = query.integer(3);
        topic.partial = query.integer(4) != 0;
        topic.ranges = IndexRanges::fromText(query.text(5));
    }
    return topic;
}

void CacheTopics::begin(Topic &topic, const QString &actor, const CacheWrite &write)
{
    if (topic.id == 0) {
        m_file.run("INSERT INTO topics(actor, topic, generation, revision, as_of, used_at, windowed, partial, ranges) "
                   "VALUES(?, ?, '', 0, 0, ?, ?, 0, '')",
            actor, write.topic, write.asOf, write.windowed);
        topic.id = m_file.lastRowId();
    } else if (topic.generation != write.generation) {
        clearRows(topic);
        topic.ranges = {};
    }
    topic.generation = write.generation;
    topic.partial = false;
}

void CacheTopics::save(const Topic &topic)
{
    m_file.run("UPDATE topics SET generation = ?, revision = ?, as_of = ?, partial = ?, ranges = ? WHERE id = ?",
        topic.generation, topic.revision, topic.asOf, topic.partial, topic.ranges.toText(), topic.id);
}

bool CacheTopics::write(const QString &actor, const CacheWrite &write)
{
    Topic topic = find(actor, write.topic);
    const bool same = topic.id != 0 && topic.generation == write.generation;
    switch (write.kind) {
    case CacheWrite::Kind::Whole:
        if (same && write.revision < topic.revision)
            return false; // another window is further
        if (same && write.windowed && !write.upserts.isEmpty())
            topic.ranges.ageBefore(cachetopicsIndex(write.upserts.first()).value_or(0));
        else if (same && !write.windowed)
            dropUnnamed(topic, write.upserts);
        begin(topic, actor, write);
        break;
    case CacheWrite::Kind::Changes:
        if (!same || topic.revision < write.from)
            return false; // what lies between is not here
        if (write.windowFrom && write.revision > topic.revision)
            topic.ranges.ageBefore(*write.windowFrom);
        break;
    case CacheWrite::Kind::Page:
        if (!same)
            return false;
        break;
    case CacheWrite::Kind::Seen:
        if (!same || topic.revision != write.revision)
            return false;
        m_file.run("UPDATE topics SET as_of = ?, used_at = ? WHERE id = ?", write.asOf, write.asOf, topic.id);
        return true;
    }
    for (const Removal &removal : write.removals)
        remove(topic, removal, write.windowed);
    for (const Entity &entity : write.upserts) {
        if (std::holds_alternative<UnknownEntity>(entity))
            topic.partial = topic.partial || !write.windowed;
        else if (cachetopicsIndex(entity))
            putEntry(topic, entity);
        else
            putRow(topic, entity);
    }
    for (const TextAppend &append : write.appends)
        putAppend(topic, append, write.revision);
    if (write.kind != CacheWrite::Kind::Page) {
        topic.revision = std::max(topic.revision, write.revision);
        topic.asOf = std::max(topic.asOf, write.asOf);
        if (write.kind == CacheWrite::Kind::Whole)
            topic.revision = write.revision;
    }
    save(topic);
    return true;
}

void CacheTopics::markStale(qint64 document)
{
    m_file.run("INSERT OR IGNORE INTO stale VALUES(?)", document);
}

void CacheTopics::clearRows(const Topic &topic)
{
    m_file.run("INSERT OR IGNORE INTO stale SELECT doc * 4 FROM rows WHERE topic = ?", topic.id);
    m_file.run("INSERT OR IGNORE INTO stale SELECT doc * 4 + 1 FROM entries WHERE topic = ?", topic.id);
    m_file.run("DELETE FROM rows WHERE topic = ?", topic.id);
    m_file.run("DELETE FROM appends WHERE entry IN (SELECT doc FROM entries WHERE topic = ?)", topic.id);
    m_file.run("DELETE FROM entries WHERE topic = ?", topic.id);
}

void CacheTopics::dropUnnamed(const Topic &topic, const QList<Entity> &named)
{
    QSet<std::pair<QString, QString>> names;
    for (const Entity &entity : named)
        names.insert({protocol::entityType(entity), protocol::entityId(entity)});
    QList<qint64> gone;
    SqlQuery rows = m_file.query("SELECT doc, type, id FROM rows WHERE topic = ?", topic.id);
    while (rows.next()) {
        if (!names.contains({rows.text(1), rows.text(2)}))
            gone << rows.integer(0);
    }
    for (const qint64 doc : std::as_const(gone)) {
        m_file.run("DELETE FROM rows WHERE doc = ?", doc);
        markStale(cacheDocument(doc, 0));
    }
}

void CacheTopics::putRow(Topic &topic, const Entity &entity)
{
    const EntityMeta meta = protocol::entityMeta(entity);
    SqlQuery put = m_file.query("INSERT INTO rows(topic, type, id, rev, updated_at, value) VALUES(?, ?, ?, ?, ?, ?) "
                                "ON CONFLICT(topic, type, id) DO UPDATE SET rev = excluded.rev, updated_at = "
                                "excluded.updated_at, value = excluded.value WHERE excluded.rev >= rows.rev RETURNING doc",
        topic.id, protocol::entityType(entity), protocol::entityId(entity), meta.rev, meta.updatedAt,
        protocol::encodeEntity(entity));
    if (put.next())
        markStale(cacheDocument(put.integer(0), 0));
    while (put.next()) { }
}

void CacheTopics::putEntry(Topic &topic, const Entity &entity)
{
    const EntityMeta meta = protocol::entityMeta(entity);
    const qint64 index = cachetopicsIndex(entity).value_or(0);
    topic.ranges.add(index, index + 1);
    // At the same revision the longer one: a page may be older than an append that its revision does not count.
    SqlQuery put = m_file.query(
        "INSERT INTO entries(topic, idx, type, rev, updated_at, text_bytes, value) VALUES(?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(topic, idx) DO UPDATE SET type = excluded.type, rev = excluded.rev, updated_at = excluded.updated_at, "
        "text_bytes = excluded.text_bytes, value = excluded.value WHERE excluded.rev > entries.rev "
        "OR (excluded.rev = entries.rev AND excluded.text_bytes >= entries.text_bytes) RETURNING doc",
        topic.id, index, protocol::entityType(entity), meta.rev, meta.updatedAt, cachetopicsTextBytes(entity),
        protocol::encodeEntity(entity));
    if (!put.next())
        return;
    const qint64 doc = put.integer(0);
    while (put.next()) { }
    m_file.run("DELETE FROM appends WHERE entry = ?", doc);
    markStale(cacheDocument(doc, 1));
}

void CacheTopics::putAppend(Topic &topic, const TextAppend &append, qint64 revision)
{
    if (!topic.ranges.contains(append.index))
        return; // of an entry that is not held
    qint64 doc = 0;
    qint64 known = 0;
    qint64 rev = 0;
    {
        SqlQuery entry = m_file.query("SELECT doc, text_bytes, rev FROM entries WHERE topic = ? AND idx = ?", topic.id, append.index);
        if (entry.next()) {
            doc = entry.integer(0);
            known = entry.integer(1);
            rev = entry.integer(2);
        }
    }
    if (doc == 0 || append.offset > known) {
        // Text between is missing: it can be read, and has to be asked for.
        topic.ranges.age(append.index, append.index + 1);
        return;
    }
    const QByteArray utf8 = append.text.toUtf8().mid(known - append.offset);
    if (utf8.isEmpty())
        return;
    m_file.run("INSERT OR REPLACE INTO appends(entry, at, text) VALUES(?, ?, ?)", doc, known, utf8);
    m_file.run("UPDATE entries SET text_bytes = ?, rev = ? WHERE doc = ?", known + utf8.size(), std::max(rev, revision), doc);
    markStale(cacheDocument(doc, 1));
}

void CacheTopics::remove(Topic &topic, const Removal &removal, bool windowed)
{
    if (windowed) {
        bool isIndex = false;
        const qint64 index = removal.id.toLongLong(&isIndex);
        if (!isIndex)
            return;
        removeEntry(topic, index);
        topic.ranges.remove(index, index + 1);
        return;
    }
    SqlQuery gone = m_file.query(
        "DELETE FROM rows WHERE topic = ? AND type = ? AND id = ? RETURNING doc", topic.id, removal.type, removal.id);
    if (gone.next())
        markStale(cacheDocument(gone.integer(0), 0));
    while (gone.next()) { }
}

void CacheTopics::removeEntry(const Topic &topic, qint64 index)
{
    qint64 doc = 0;
    {
        SqlQuery entry = m_file.query("DELETE FROM entries WHERE topic = ? AND idx = ? RETURNING doc", topic.id, index);
        if (entry.next())
            doc = entry.integer(0);
        while (entry.next()) { }
    }
    if (doc == 0)
        return;
    m_file.run("DELETE FROM appends WHERE entry = ?", doc);
    markStale(cacheDocument(doc, 1));
}

CachedTopic CacheTopics::load(const QString &actor, const QString &name)
{
    CachedTopic cached;
    const Topic topic = find(actor, name);
    if (topic.id == 0)
        return cached;
    SqlQuery rows = m_file.query("SELECT type, id, rev, updated_at, value FROM rows WHERE topic = ?", topic.id);
    bool whole = !topic.partial;
    while (rows.next()) {
        const auto entity = protocol::decodeEntity(
            rows.text(0), rows.text(1), EntityMeta{rows.integer(2), rows.integer(3)}, rows.bytes(4));
        if (entity && !std::holds_alternative<UnknownEntity>(*entity))
            cached.rows << *entity;
        else
            whole = false; // the host has it
    }
    if (m_file.error())
        return {};
    cached.known = true;
    cached.asOf = topic.asOf;
    if (whole)
        cached.position = {topic.generation, topic.revision};
    return cached;
}

CachedWindow CacheTopics::loadWindow(
    const QString &actor, const QString &name, std::optional<qint64> before, qint64 limit)
{
    CachedWindow window;
    const Topic topic = find(actor, name);
    if (topic.id == 0)
        return window;
    window.position = {topic.generation, topic.revision};
    if (const auto run = topic.ranges.endingAt(before)) {
        const qint64 first = std::max(run->first, run->end - limit);
        window.rows = readEntries(topic, first, run->end);
        window.heldFrom = run->first;
        window.fresh = run->fresh;
        if (!run->fresh)
            window.position.revision = 0; // all of them may have changed
        if (window.rows.size() < run->end - first) {
            // Some value cannot be read. What lies behind it can, and the host is asked for the whole part.
            qsizetype at = window.rows.size();
            qint64 dense = run->end;
            while (at > 0 && cachetopicsIndex(window.rows.at(at - 1)) == dense - 1) {
                --at;
                --dense;
            }
            window.rows = window.rows.mid(at);
            window.heldFrom = dense;
            window.fresh = false;
            window.position = {};
        }
    }
    if (m_file.error())
        return {};
    m_file.run("UPDATE topics SET used_at = ? WHERE id = ?", QDateTime::currentMSecsSinceEpoch(), topic.id);
    m_file.clearError(); // a disk that is full does not keep from reading
    window.known = true;
    window.asOf = topic.asOf;
    return window;
}

QList<Entity> CacheTopics::readEntries(const Topic &topic, qint64 first, qint64 end)
{
    QList<Entity> entries;
    SqlQuery rows = m_file.query("SELECT doc, idx, type, rev, updated_at, value FROM entries "
                                 "WHERE topic = ? AND idx >= ? AND idx < ? ORDER BY idx",
        topic.id, first, end);
    while (rows.next()) {
        auto entity = protocol::decodeEntity(rows.text(2), QString::number(rows.integer(1)),
            EntityMeta{rows.integer(3), rows.integer(4)}, rows.bytes(5));
        if (!entity)
            continue;
        if (auto *entry = std::get_if<TranscriptEntry>(&*entity))
            *entry = entryWithText(m_file, std::move(*entry), rows.integer(0));
        entries << *entity;
    }
    return entries;
}

TranscriptEntry CacheTopics::entryWithText(SqlFile &file, TranscriptEntry entry, qint64 doc)
{
    QByteArray more;
    SqlQuery appends = file.query("SELECT text FROM appends WHERE entry = ? ORDER BY at", doc);
    while (appends.next())
        more += appends.bytes(0);
    if (!more.isEmpty())
        entry.text += QString::fromUtf8(more);
    return entry;
}

void CacheTopics::doubtAll()
{
    m_file.run("UPDATE topics SET partial = 1 WHERE windowed = 0");
    QHash<qint64, QString> ranges;
    SqlQuery topics = m_file.query("SELECT id, ranges FROM topics WHERE windowed = 1");
    while (topics.next()) {
        IndexRanges held = IndexRanges::fromText(topics.text(1));
        if (!held.all().isEmpty())
            held.ageBefore(held.all().last().end);
        ranges.insert(topics.integer(0), held.toText());
    }
    for (auto it = ranges.cbegin(); it != ranges.cend(); ++it)
        m_file.run("UPDATE topics SET ranges = ? WHERE id = ?", it.value(), it.key());
}

bool CacheTopics::evictOldest()
{
    Topic topic;
    {
        SqlQuery oldest = m_file.query("SELECT id FROM topics WHERE windowed = 1 ORDER BY used_at LIMIT 1");
        if (!oldest.next())
            return false;
        topic.id = oldest.integer(0);
    }
    clearRows(topic);
    m_file.run("DELETE FROM topics WHERE id = ?", topic.id);
    return true;
}

} // namespace foundry::realtime
