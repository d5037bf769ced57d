// Topics in a cache file: rows and transcripts with the position that they are at. Every write is guarded: nothing older
// replaces something newer, and a position never moves over a change that is not here. The cache's thread.
#pragma once

#include "realtime/cache/indexranges.h"
#include "realtime/cache/sqlfile.h"
#include "realtime/feeds/topiccache.h"

namespace foundry::realtime {

class CacheTopics {
public:
    explicit CacheTopics(SqlFile &file)
        : m_file(file)
    {
    }

    CachedTopic load(const QString &actor, const QString &topic);
    CachedWindow loadWindow(const QString &actor, const QString &topic, std::optional<qint64> before, qint64 limit);
    // Inside the caller's transaction. False: it does not follow what is here, and changed nothing.
    bool write(const QString &actor, const CacheWrite &write);
    // All that is here may be shown, and has to be asked for again.
    void doubtAll();
    // Transcripts that were not looked at for the longest time, one at a time; false when there is none.
    bool evictOldest();
    // One entry with its appends, as the search sees it.
    static TranscriptEntry entryWithText(SqlFile &file, TranscriptEntry entry, qint64 doc);

private:
    struct Topic {
        qint64 id = 0; // 0: not here
        QString generation;
        qint64 revision = 0;
        Millis asOf = 0;
        bool partial = false;
        IndexRanges ranges;
    };

    Topic find(const QString &actor, const QString &topic);
    void begin(Topic &topic, const QString &actor, const CacheWrite &write);
    void save(const Topic &topic);
    void clearRows(const Topic &topic);
    void dropUnnamed(const Topic &topic, const QList<Entity> &named);
    void putRow(Topic &topic, const Entity &entity);
    void putEntry(Topic &topic, const Entity &entity);
    void putAppend(Topic &topic, const TextAppend &append, qint64 revision);
    void remove(Topic &topic, const Removal &removal, bool windowed);
    void removeEntry(const Topic &topic, qint64 index);
    QList<Entity> readEntries(const Topic &topic, qint64 first, qint64 end);
    void markStale(qint64 document);

    SqlFile &m_file;
};

} // namespace foundry::realtime
