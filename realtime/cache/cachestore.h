// A cache file and all that is done with it. Whatever happens to the file, this goes on: a damaged one is set aside and a
// new one made, a disk that is full or not there means "nothing known". The cache's thread.
#pragma once

#include "realtime/cache/cachekept.h"
#include "realtime/cache/cachesearch.h"
#include "realtime/cache/cachetopics.h"

namespace foundry::realtime {

struct CacheStats {
    qint64 bytes = 0; // in use inside the file
    qint64 rows = 0;
    qint64 entries = 0;
    qint64 kept = 0;
    qint64 unindexed = 0;
};

struct CacheBatch {
    struct Topic {
        QString actor;
        CacheWrite write;
    };
    struct Kept {
        QString actor;
        QString kind;
        QString key;
        QByteArray data;
        QStringList names;
    };
    QList<Topic> topics;
    QList<Kept> kept;
    bool isEmpty() const { return topics.isEmpty() && kept.isEmpty(); }
};

class CacheStore {
public:
    // `notice` hears of what was set aside and of a disk that cannot be written, once until it can again.
    CacheStore(QString path, qint64 limitBytes, std::function<void(const Error &)> notice);

    CachedTopic load(const QString &actor, const QString &topic);
    CachedWindow loadWindow(const QString &actor, const QString &topic, std::optional<qint64> before, qint64 limit);
    std::optional<KeptAnswer> find(const QString &actor, const QString &kind, const QString &key);
    CacheHits search(const QString &text, int limit, const std::function<bool()> &stop);
    CacheStats stats();
    // One transaction; false when it could not be written.
    bool write(const CacheBatch &batch);
    // A bounded piece of what can wait: indexing, and making room. False: nothing is left to do.
    bool tidy();
    // Kept from the next tidy() on.
    void setLimit(qint64 bytes) { m_limit = bytes; }
    // Removes the file, and begins a new one.
    void clear();

private:
    struct Open {
        explicit Open(std::unique_ptr<SqlFile> opened)
            : file(std::move(opened))
            , topics(*file)
            , kept(*file)
            , searching(*file)
        {
        }
        std::unique_ptr<SqlFile> file;
        CacheTopics topics;
        CacheKept kept;
        CacheSearch searching;
    };

    bool open();
    bool makeRoom();
    qint64 usedBytes();
    template <class T, class Work>
    T read(Work work);
    // After anything failed: what is damaged is set aside.
    void recover();
    void report(const Error &error);

    QString m_path;
    qint64 m_limit;
    std::function<void(const Error &)> m_notice;
    std::unique_ptr<Open> m_open;
    qint64 m_retryAt = 0; // monotonic ms: not before this
    bool m_reported = false;
};

} // namespace foundry::realtime
