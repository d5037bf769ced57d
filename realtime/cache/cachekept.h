// Answers to reads that a cache file keeps: pages of diffs and directories, blobs. By actor, kind and key; the least
// recently used go when the file grows over its limit. The cache's thread.
#pragma once

#include "models/types/entity.h"
#include "realtime/cache/sqlfile.h"

#include <QStringList>

namespace foundry::realtime {

struct KeptAnswer {
    QByteArray data;
    Millis storedAt = 0;
};

class CacheKept {
public:
    // Larger ones are not worth their place.
    static constexpr qint64 largest = 32 * 1024 * 1024;

    explicit CacheKept(SqlFile &file)
        : m_file(file)
    {
    }

    // `names`: what the search finds it by (paths, one a line; lines of a diff). Inside the caller's transaction.
    void put(const QString &actor, const QString &kind, const QString &key, const QByteArray &data, const QStringList &names);
    std::optional<KeptAnswer> find(const QString &actor, const QString &kind, const QString &key);
    // The least recently used, until `bytes` are free or `count` went; how many went.
    int evict(qint64 bytes, int count);

private:
    SqlFile &m_file;
};

} // namespace foundry::realtime
