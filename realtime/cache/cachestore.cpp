#include "realtime/cache/cachestore.h"

#include "realtime/cache/cacheschema.h"

#include <QDeadlineTimer>
#include <QLoggingCategory>

namespace foundry::realtime {

namespace {

Q_LOGGING_CATEGORY(cachestoreLog, "foundry.realtime.cache", QtInfoMsg)

constexpr int cachestoreIndexAtOnce = 200;
constexpr int cachestoreEvictAtOnce = 32;
constexpr qint64 cachestoreRetryMs = 10000;

qint64 cachestoreNow()
{
    return QDeadlineTimer::current().deadline();
}

} // namespace

CacheStore::CacheStore(QString path, qint64 limitBytes, std::function<void(const Error &)> notice)
    : m_path(std::move(path))
    , m_limit(limitBytes)
    , m_notice(std::move(notice))
{
    m_retryAt = cachestoreNow();
}

void CacheStore::report(const Error &error)
{
    if (m_reported)
        return;
    m_reported = true;
    qCWarning(cachestoreLog, "%ls %ls", qUtf16Printable(error.message), qUtf16Printable(error.detail));
    m_notice(error);
}

bool CacheStore::open()
{
    if (m_open)
        return true;
    if (cachestoreNow() < m_retryAt)
        return false;
    m_retryAt = cachestoreNow() + cachestoreRetryMs;
    QString aside;
    auto file = SqlFile::open(m_path, cacheSchema(), &aside);
    if (file && (*file)->number("SELECT count(*) FROM meta WHERE key = 'cipher' AND value = 'none'") != 1) {
        file.value().reset();
        aside = SqlFile::moveAside(m_path, QStringLiteral("newer"), false);
        file = SqlFile::open(m_path, cacheSchema(), &aside);
    }
    if (!aside.isEmpty()) {
        m_notice(makeError(QLatin1StringView("client"), QLatin1StringView("cache_set_aside"),
            QStringLiteral("The cache could not be read and is built anew."), {}, aside));
    }
    if (!file) {
        report(file.error());
        return false;
    }
    m_open = std::make_unique<Open>(std::move(*file));
    // Fields that another version of the workbench did not know are missing in its rows: the rows may be shown, and all
    // of them are asked for once.
    SqlFile &db = *m_open->file;
    const QString version = QStringLiteral(FOUNDRY_VERSION);
    QString writer;
    {
        SqlQuery meta = db.query("SELECT value FROM meta WHERE key = 'writer'");
        if (meta.next())
            writer = meta.text(0);
    }
    if (writer != version && db.begin()) {
        m_open->topics.doubtAll();
        db.run("INSERT INTO meta VALUES('writer', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", version);
        db.commit();
    }
    recover();
    return m_open != nullptr;
}

void CacheStore::recover()
{
    if (!m_open || !m_open->file->error())
        return;
    const Error error = *m_open->file->error();
    const bool damaged = m_open->file->isDamaged();
    m_open->file->clearError();
    report(error);
    if (!damaged)
        return;
    m_open.reset();
    SqlFile::moveAside(m_path, QStringLiteral("damaged"), false);
    m_retryAt = cachestoreNow();
}

template <class T, class Work>
T CacheStore::read(Work work)
{
    if (!open())
        return {};
    m_open->file->clearError();
    T value = work(*m_open);
    const bool failed = m_open->file->error().has_value();
    recover();
    return failed ? T{} : value;
}

CachedTopic CacheStore::load(const QString &actor, const QString &topic)
{
    return read<CachedTopic>([&](Open &db) { return db.topics.load(actor, topic); });
}

CachedWindow CacheStore::loadWindow(
    const QString &actor, const QString &topic, std::optional<qint64> before, qint64 limit)
{
    return read<CachedWindow>([&](Open &db) { return db.topics.loadWindow(actor, topic, before, limit); });
}

std::optional<KeptAnswer> CacheStore::find(const QString &actor, const QString &kind, const QString &key)
{
    return read<std::optional<KeptAnswer>>([&](Open &db) { return db.kept.find(actor, kind, key); });
}

CacheHits CacheStore::search(const QString &text, int limit, const std::function<bool()> &stop)
{
    return read<CacheHits>([&](Open &db) {
        // What was written a moment ago is found as well, as far as there is time for it.
        while (!stop() && db.searching.indexSome(cachestoreIndexAtOnce)) { }
        db.file->clearError();
        return db.searching.find(text, limit, stop);
    });
}

CacheStats CacheStore::stats()
{
    return read<CacheStats>([this](Open &db) {
        return CacheStats{usedBytes(), db.file->number("SELECT count(*) FROM rows"),
            db.file->number("SELECT count(*) FROM entries"), db.file->number("SELECT count(*) FROM kept"),
            db.file->number("SELECT count(*) FROM stale")};
    });
}

bool CacheStore::write(const CacheBatch &batch)
{
    if (!open())
        return false;
    bool written = m_open->file->begin();
    if (written) {
        for (const CacheBatch::Topic &topic : batch.topics)
            m_open->topics.write(topic.actor, topic.write);
        for (const CacheBatch::Kept &kept : batch.kept)
            m_open->kept.put(kept.actor, kept.kind, kept.key, kept.data, kept.names);
        written = m_open->file->commit();
    }
    if (written)
        m_reported = false;
    recover();
    return written;
}

qint64 CacheStore::usedBytes()
{
    SqlFile &db = *m_open->file;
    return (db.number("PRAGMA page_count") - db.number("PRAGMA freelist_count")) * db.number("PRAGMA page_size");
}

bool CacheStore::tidy()
{
    return read<bool>([this](Open &db) {
        if (db.searching.indexSome(cachestoreIndexAtOnce))
            return true;
        return !db.file->error() && makeRoom();
    });
}

bool CacheStore::makeRoom()
{
    SqlFile &db = *m_open->file;
    if (usedBytes() <= m_limit) {
        // What was freed goes back to the disk, a little at a time.
        if (db.number("PRAGMA freelist_count") < 256)
            return false;
        return db.script("PRAGMA incremental_vacuum(256)");
    }
    if (!db.begin())
        return false;
    const bool evicted = m_open->kept.evict(usedBytes() - m_limit, cachestoreEvictAtOnce) > 0 || m_open->topics.evictOldest();
    return db.commit() && evicted;
}

void CacheStore::clear()
{
    m_open.reset();
    m_retryAt = cachestoreNow();
    m_reported = false;
    if (!SqlFile::remove(m_path)) {
        report(makeError(QLatin1StringView("client"), QLatin1StringView("storage_failed"),
            QStringLiteral("The cache %1 could not be removed.").arg(m_path),
            QStringLiteral("Remove the file by hand.")));
    }
}

} // namespace foundry::realtime
