#include "backend/actors/topicstore.h"

#include "realtime/protocol/codec.h"
#include "realtime/protocol/messagelimits.h"

#include <QLoggingCategory>
#include <QRandomGenerator>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTopics, "foundry.actors.topics")

namespace {

constexpr Millis kTombstoneAge = Millis(30) * 24 * 3600 * 1000;
constexpr qint64 kTombstonesPerTopic = 100000;

QString topicstoreNewGeneration()
{
    return QLatin1Char('g') + QString::number(QRandomGenerator::system()->generate64() >> 1, 36);
}

// What changesSince hands out between pages: where it began and where it is.
struct PageCursor {
    QString generation;
    qint64 revision = 0; // of the first page: the catch-up's
    bool full = false;
    qint64 rev = 0;
    qint64 seq = 0;

    QString text() const
    {
        return QStringLiteral("%1:%2:%3:%4:%5").arg(generation).arg(revision).arg(full ? 1 : 0).arg(rev).arg(seq);
    }
    static std::optional<PageCursor> parse(const QString &text)
    {
        const QStringList parts = text.split(QLatin1Char(':'));
        if (parts.size() != 5)
            return std::nullopt;
        bool ok[4];
        PageCursor cursor{parts.at(0), parts.at(1).toLongLong(&ok[0]), parts.at(2).toInt(&ok[1]) != 0,
            parts.at(3).toLongLong(&ok[2]), parts.at(4).toLongLong(&ok[3])};
        return ok[0] && ok[1] && ok[2] && ok[3] ? std::optional(cursor) : std::nullopt;
    }
};

} // namespace

bool isWindowedTopic(QStringView topic)
{
    return topic.startsWith(QLatin1StringView("session/")) || topic.startsWith(QLatin1StringView("terminal/"))
        || topic == QLatin1StringView("files") || topic == QLatin1StringView("audit");
}

TopicStore::TopicStore(Database &database)
    : m_database(database)
{
}

Result<> TopicStore::load(bool lostTail)
{
    auto all = m_database.query("SELECT id, topic, generation, revision, count, pruned FROM topics");
    while (all.next()) {
        m_topics.insert(all.text(1),
            TopicInfo{all.integer(0), all.text(2), all.integer(3), all.integer(4), all.integer(5)});
    }
    if (!all.result() || !lostTail)
        return all.result();
    for (TopicInfo &info : m_topics) {
        info.generation = topicstoreNewGeneration();
        if (auto set = m_database.run("UPDATE topics SET generation = ? WHERE id = ?", info.generation, info.id); !set)
            return set;
    }
    return Unit{};
}

Result<> TopicStore::prune(Millis now)
{
    for (auto it = m_topics.begin(); it != m_topics.end(); ++it) {
        TopicInfo &info = it.value();
        qint64 limit = -1; // tombstones up to this revision go
        if (auto old = m_database.query("SELECT max(rev) FROM rows WHERE topic = ? AND removed = 1 AND updated_at < ?", info.id,
                now - kTombstoneAge);
            old.next() && !old.isNull(0)) {
            limit = old.integer(0);
        }
        if (auto surplus = m_database.query("SELECT rev FROM rows WHERE topic = ? AND removed = 1 ORDER BY rev DESC "
                                            "LIMIT 1 OFFSET ?",
                info.id, kTombstonesPerTopic);
            surplus.next()) {
            limit = qMax(limit, surplus.integer(0));
        }
        if (limit < 0)
            continue;
        info.pruned = qMax(info.pruned, limit);
        if (auto gone = m_database.run("DELETE FROM rows WHERE topic = ? AND removed = 1 AND rev <= ?", info.id, limit); !gone)
            return gone;
        if (auto saved = save(info); !saved)
            return saved;
    }
    return Unit{};
}

Result<TopicInfo> TopicStore::ensure(const QString &topic)
{
    if (const auto known = m_topics.constFind(topic); known != m_topics.cend())
        return *known;
    TopicInfo info;
    info.generation = topicstoreNewGeneration();
    auto made = m_database.run("INSERT INTO topics(topic, generation, revision, count, pruned) VALUES(?, ?, 0, 0, 0)", topic,
        info.generation);
    if (!made)
        return made.error();
    info.id = m_database.lastRowId();
    return info;
}

void TopicStore::note(const QString &topic, const TopicRevision &revision)
{
    if (revision.generation.isEmpty())
        m_topics.remove(topic);
    else
        m_topics.insert(topic, TopicInfo{-1, revision.generation, revision.revision, 0, 0});
}

Result<> TopicStore::save(const TopicInfo &info)
{
    return m_database.run("UPDATE topics SET revision = ?, count = ?, pruned = ? WHERE id = ?", info.revision, info.count,
        info.pruned, info.id);
}

TopicStore::Change TopicStore::put(const TopicInfo &info, const QString &type, const QString &id, std::optional<qint64> order,
    const QByteArray &value, qint64 revision, Millis at)
{
    auto found = m_database.query("SELECT value, removed FROM rows WHERE topic = ? AND type = ? AND id = ?", info.id, type, id);
    const bool exists = found.next();
    const bool there = exists && !found.flag(1);
    if (there && found.bytes(0) == value)
        return Change::None;
    const auto written = exists
        ? m_database.run("UPDATE rows SET ord = ?, rev = ?, updated_at = ?, removed = 0, value = ? "
                         "WHERE topic = ? AND type = ? AND id = ?",
              order, revision, at, value, info.id, type, id)
        : m_database.run("INSERT INTO rows(topic, type, id, ord, rev, updated_at, removed, value) VALUES(?, ?, ?, ?, ?, ?, 0, ?)",
              info.id, type, id, order, revision, at, value);
    if (!written)
        return Change::None; // the database remembers the error: the transaction cannot commit
    return there ? Change::Changed : Change::Added;
}

bool TopicStore::remove(const TopicInfo &info, const QString &type, const QString &id, qint64 revision, Millis at)
{
    const auto done = m_database.run("UPDATE rows SET rev = ?, updated_at = ?, removed = 1, value = '' "
                                     "WHERE topic = ? AND type = ? AND id = ? AND removed = 0",
        revision, at, info.id, type, id);
    return done && m_database.changes() > 0;
}

qint64 TopicStore::topicId(const QString &topic)
{
    if (const auto known = m_topics.constFind(topic); known != m_topics.cend())
        return known->id;
    // Made by the transaction that is open now.
    auto found = m_database.query("SELECT id FROM topics WHERE topic = ?", topic);
    return found.next() ? found.integer(0) : -1;
}

Entity TopicStore::decode(Query &query, int first)
{
    const QString type = query.text(first);
    const QString id = query.text(first + 1);
    auto entity = protocol::decodeEntity(type, id, EntityMeta{query.integer(first + 2), query.integer(first + 3)},
        query.bytes(first + 4));
    if (entity)
        return *entity;
    qCWarning(lcTopics, "stored %ls %ls cannot be read: %ls", qUtf16Printable(type), qUtf16Printable(id),
        qUtf16Printable(entity.error().message));
    return UnknownEntity{type, id};
}

std::optional<Entity> TopicStore::row(const QString &topic, const QString &type, const QString &id)
{
    auto q = m_database.query("SELECT type, id, rev, updated_at, value FROM rows "
                              "WHERE topic = ? AND type = ? AND id = ? AND removed = 0",
        topicId(topic), type, id);
    return q.next() ? std::optional(decode(q, 0)) : std::nullopt;
}

QList<Entity> TopicStore::rows(const QString &topic, const QString &type)
{
    QList<Entity> all;
    auto q = m_database.query("SELECT type, id, rev, updated_at, value FROM rows "
                              "WHERE topic = ? AND type = ? AND removed = 0 AND ord IS NULL ORDER BY seq",
        topicId(topic), type);
    while (q.next())
        all.append(decode(q, 0));
    return all;
}

QList<Entity> TopicStore::window(const QString &topic, std::optional<qint64> before, std::optional<qint64> after, qint64 limit)
{
    QList<Entity> found;
    const qint64 id = topicId(topic);
    const qint64 atMost = qBound(qint64(0), limit, qint64(10000));
    if (after) {
        auto q = m_database.query("SELECT type, id, rev, updated_at, value FROM rows "
                                  "WHERE topic = ? AND ord > ? AND ord IS NOT NULL AND removed = 0 ORDER BY ord LIMIT ?",
            id, *after, atMost);
        while (q.next())
            found.append(decode(q, 0));
        return found;
    }
    auto q = m_database.query("SELECT type, id, rev, updated_at, value FROM rows "
                              "WHERE topic = ? AND ord < ? AND ord IS NOT NULL AND removed = 0 ORDER BY ord DESC LIMIT ?",
        id, before.value_or(std::numeric_limits<qint64>::max()), atMost);
    while (q.next())
        found.prepend(decode(q, 0));
    return found;
}

QMap<QString, TopicRevision> TopicStore::revisions() const
{
    QMap<QString, TopicRevision> all;
    for (auto it = m_topics.cbegin(); it != m_topics.cend(); ++it)
        all.insert(it.key(), TopicRevision{it->generation, it->revision});
    return all;
}

Result<QByteArray> TopicStore::changesSince(const ChangesSince &asked)
{
    const bool windowed = isWindowedTopic(asked.topic);
    const TopicInfo info = m_topics.value(asked.topic);
    ChangesPage page;
    page.generation = info.generation;
    page.revision = info.revision;
    if (windowed)
        page.count = info.count;

    // The generation of a topic that never had an event is empty, and so is the client's: nothing is newer.
    PageCursor at{info.generation, info.revision, false, asked.revision, std::numeric_limits<qint64>::max()};
    const bool known = asked.generation == info.generation && asked.revision <= info.revision && asked.revision >= info.pruned
        && !info.generation.isEmpty();
    if (!known) {
        if (windowed || info.generation.isEmpty()) {
            page.full = !windowed || asked.generation == info.generation; // tombstones are gone: begin anew
            return protocol::encodeChangesPage(page);
        }
        at.full = true;
        at.rev = 0;
    }
    if (asked.cursor) {
        const auto cursor = PageCursor::parse(*asked.cursor);
        if (cursor && cursor->generation == info.generation)
            at = *cursor; // else the topic began anew meanwhile: from the start, in full
    }
    page.full = at.full;
    page.revision = at.revision;

    QByteArray upserts;
    auto q = m_database.query("SELECT type, id, rev, updated_at, value, removed, seq FROM rows "
                              "WHERE topic = ?1 AND (rev, seq) > (?2, ?3) "
                              "AND (ord IS NULL OR (ord >= ?4 AND ord <= ?5)) AND (?6 = 0 OR removed = 0) ORDER BY rev, seq",
        info.id, at.rev, at.seq, asked.windowFrom.value_or(std::numeric_limits<qint64>::min()),
        asked.windowTo.value_or(std::numeric_limits<qint64>::max()), at.full);
    qsizetype bytes = 0;
    while (q.next()) {
        const qsizetype more = q.bytes(4).size() + q.text(0).size() + protocol::jsonTextSize(q.text(1)) + 128;
        if (bytes > 0 && bytes + more > protocol::hostPageLimit) {
            page.cursor = at.text();
            break;
        }
        bytes += more;
        if (q.flag(5)) {
            page.removals.append(Removal{q.text(0), q.text(1)});
        } else {
            if (!upserts.isEmpty())
                upserts += ',';
            upserts += protocol::encodeUpsert(q.text(0), q.text(1), EntityMeta{q.integer(2), q.integer(3)}, q.bytes(4));
        }
        at.rev = q.integer(2);
        at.seq = q.integer(6);
    }
    if (auto read = q.result(); !read)
        return read.error();
    return protocol::encodeChangesPage(page, upserts);
}

} // namespace foundry::backend
