// The rows of an actor's topics: each with the revision of its last change, removals as tombstones, so that catching up
// is reading the rows newer than N. Belongs to the actor's thread. Writes happen inside the database's transaction; what
// is remembered here moves on only with committed().
#pragma once

#include "backend/store/database.h"
#include "models/types/commands.h"
#include "models/types/topic.h"

#include <QHash>
#include <QMap>

namespace foundry::backend {

struct TopicInfo {
    qint64 id = 0;
    QString generation;
    qint64 revision = 0;
    qint64 count = 0;
    qint64 pruned = 0;
};

// A windowed topic never sends all of its rows: its history comes by paged reads.
bool isWindowedTopic(QStringView topic);

class TopicStore {
public:
    explicit TopicStore(Database &database);

    // Reads what topics there are. `lostTail`: the last commits may be gone (power loss), so revisions may be given out
    // twice: every topic gets a new generation.
    Result<> load(bool lostTail);
    // Forgets tombstones older than 30 days and all but the newest 100,000 of a topic.
    Result<> prune(Millis now);

    // The topic as the open transaction sees it; made when it is not there yet.
    Result<TopicInfo> ensure(const QString &topic);
    // What committed transactions say; a topic that never was has an empty generation.
    TopicInfo info(const QString &topic) const { return m_topics.value(topic); }
    void committed(const QString &topic, const TopicInfo &info) { m_topics.insert(topic, info); }
    // A topic without rows: remembered, not stored. An empty generation forgets it.
    void note(const QString &topic, const TopicRevision &revision);
    Result<> save(const TopicInfo &info);

    enum class Change { None, Added, Changed };
    // Writes a row at `revision`. None: the stored value is the same, nothing was written.
    Change put(const TopicInfo &info, const QString &type, const QString &id, std::optional<qint64> order,
        const QByteArray &value, qint64 revision, Millis at);
    // True when there was a row: it is a tombstone now.
    bool remove(const TopicInfo &info, const QString &type, const QString &id, qint64 revision, Millis at);

    std::optional<Entity> row(const QString &topic, const QString &type, const QString &id);
    QList<Entity> rows(const QString &topic, const QString &type); // without an index of their own
    QList<Entity> window(const QString &topic, std::optional<qint64> before, std::optional<qint64> after, qint64 limit);
    QMap<QString, TopicRevision> revisions() const;
    // One page of at most about 480 KiB, encoded. A cursor carries all that the next page needs.
    Result<QByteArray> changesSince(const ChangesSince &asked);

private:
    qint64 topicId(const QString &topic);
    Entity decode(Query &query, int first);

    Database &m_database;
    QHash<QString, TopicInfo> m_topics;
};

} // namespace foundry::backend
