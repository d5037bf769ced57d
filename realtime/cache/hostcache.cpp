#include "realtime/cache/hostcache.h"

#include "realtime/protocol/keys.h"

#include <QCryptographicHash>
#include <QDeadlineTimer>
#include <QDir>

namespace foundry::realtime {

namespace {

constexpr qsizetype hostcacheBatchRows = 500;
constexpr qsizetype hostcacheKeptAtOnce = 16; // they may be large
constexpr auto hostcacheIdle = std::chrono::seconds(1);

QString hostcacheActor(const ActorName &actor)
{
    return actor.name + QLatin1Char(' ') + protocol::encodeKey(actor.key);
}

// Text that goes on where the one before it ended is one append.
bool hostcacheJoin(CacheWrite &before, const CacheWrite &next)
{
    if (before.kind != CacheWrite::Kind::Changes || next.kind != CacheWrite::Kind::Changes || before.topic != next.topic
        || before.generation != next.generation || next.from != before.revision || next.windowFrom)
        return false;
    if (!before.upserts.isEmpty() || !before.removals.isEmpty() || !next.upserts.isEmpty() || !next.removals.isEmpty())
        return false;
    if (before.appends.size() != 1 || next.appends.size() != 1)
        return false;
    TextAppend &last = before.appends.last();
    const TextAppend &more = next.appends.first();
    if (last.index != more.index || last.offset + last.text.toUtf8().size() != more.offset)
        return false;
    last.text += more.text;
    before.revision = next.revision;
    before.asOf = next.asOf;
    return true;
}

} // namespace

class HostCache::Topics final : public TopicCache {
public:
    Topics(HostCache &cache, QString actor)
        : m_cache(cache)
        , m_actor(std::move(actor))
    {
    }

    void load(const QString &topic, QObject *context, std::function<void(CachedTopic)> then) override
    {
        m_cache.ask<CachedTopic>(context, std::move(then),
            [actor = m_actor, topic](CacheStore &store) { return store.load(actor, topic); });
    }
    void loadWindow(const QString &topic, std::optional<qint64> before, qint64 limit, QObject *context,
        std::function<void(CachedWindow)> then) override
    {
        m_cache.ask<CachedWindow>(context, std::move(then), [actor = m_actor, topic, before, limit](CacheStore &store) {
            return store.loadWindow(actor, topic, before, limit);
        });
    }
    void write(CacheWrite write) override { m_cache.write(m_actor, std::move(write)); }

private:
    HostCache &m_cache;
    QString m_actor;
};

HostCache::HostCache(HostCacheOptions options, QObject *parent)
    : QObject(parent)
    , m_options(std::move(options))
{
    m_store = std::make_unique<CacheStore>(m_options.path, m_options.limitBytes, [this](const Error &error) {
        QMetaObject::invokeMethod(this, [this, error] { Q_EMIT noticed(error); }, Qt::QueuedConnection);
    });
    m_collect.setSingleShot(true);
    m_collect.setInterval(m_options.collect);
    connect(&m_collect, &QTimer::timeout, this, &HostCache::flushBatch);
    m_tidy.setSingleShot(true);
    m_tidy.setInterval(hostcacheIdle);
    connect(&m_tidy, &QTimer::timeout, this, &HostCache::tidyLater);
}

HostCache::~HostCache()
{
    ++*m_searchNumber; // a search is not waited for
    flushBatch();
    m_tidy.stop();
}

QString HostCache::fileFor(const QString &folder, const QString &account, const QString &host)
{
    // Opaque, because a URL is no file name and says more than a folder needs to know.
    const QByteArray name = QCryptographicHash::hash(
        account.toUtf8() + '\n' + host.toUtf8(), QCryptographicHash::Sha256).toHex().left(32);
    return QDir(folder).filePath(QString::fromLatin1(name) + QStringLiteral(".cache"));
}

bool HostCache::forget(const QString &folder, const QString &account, const QString &host)
{
    const QString path = fileFor(folder, account, host);
    const QFileInfo info(path);
    bool gone = SqlFile::remove(path);
    for (const QString &aside : info.dir().entryList({info.fileName() + QStringLiteral(".*")}, QDir::Files))
        gone = QFile::remove(info.dir().filePath(aside)) && gone;
    return gone;
}

template <class T>
void HostCache::ask(QObject *context, std::function<void(T)> then, std::function<T(CacheStore &)> work)
{
    flushBatch();
    m_thread.post([this, context = QPointer<QObject>(context), then = std::move(then), work = std::move(work)] {
        // Delivered to the cache itself, which outlives its thread; only there it is known whether the context lives.
        QMetaObject::invokeMethod(
            this,
            [context, then, value = work(*m_store)] {
                if (context)
                    then(value);
            },
            Qt::QueuedConnection);
    });
}

TopicCache &HostCache::topics(const ActorName &actor)
{
    const QString name = hostcacheActor(actor);
    std::unique_ptr<Topics> &topics = m_topics[name];
    if (!topics)
        topics = std::make_unique<Topics>(*this, name);
    return *topics;
}

void HostCache::write(const QString &actor, CacheWrite write)
{
    m_batchRows += 1 + write.upserts.size() + write.removals.size() + write.appends.size();
    if (m_batch.topics.isEmpty() || m_batch.topics.last().actor != actor
        || !hostcacheJoin(m_batch.topics.last().write, write))
        m_batch.topics.append({actor, std::move(write)});
    if (m_batchRows >= hostcacheBatchRows)
        flushBatch();
    else if (!m_collect.isActive())
        m_collect.start();
}

void HostCache::keep(
    const ActorName &actor, const QString &kind, const QString &key, const QByteArray &data, const QStringList &names)
{
    m_batch.kept.append({hostcacheActor(actor), kind, key, data, names});
    if (m_batch.kept.size() >= hostcacheKeptAtOnce)
        flushBatch();
    else if (!m_collect.isActive())
        m_collect.start();
}

void HostCache::flushBatch()
{
    m_collect.stop();
    if (m_batch.isEmpty())
        return;
    m_batchRows = 0;
    m_thread.post([this, batch = std::exchange(m_batch, {})] { m_store->write(batch); });
    m_tidy.start();
}

void HostCache::tidyLater()
{
    // A piece at a time, so that a question in between waits for one piece only.
    if (std::exchange(m_tidying, true))
        return;
    m_thread.post([this] {
        const bool more = m_store->tidy();
        QMetaObject::invokeMethod(
            this,
            [this, more] {
                m_tidying = false;
                if (more)
                    tidyLater();
            },
            Qt::QueuedConnection);
    });
}

void HostCache::find(const ActorName &actor, const QString &kind, const QString &key, QObject *context,
    std::function<void(std::optional<KeptAnswer>)> then)
{
    ask<std::optional<KeptAnswer>>(context, std::move(then),
        [actor = hostcacheActor(actor), kind, key](CacheStore &store) { return store.find(actor, kind, key); });
}

void HostCache::search(const QString &text, int limit, QObject *context, std::function<void(CacheHits)> then)
{
    const quint64 number = ++*m_searchNumber;
    const auto outdated = [number, latest = m_searchNumber] { return latest->load(std::memory_order_relaxed) != number; };
    ask<CacheHits>(
        context,
        [outdated, then = std::move(then)](const CacheHits &hits) {
            if (!outdated())
                then(hits);
        },
        [outdated, text, limit, time = m_options.searchTime](CacheStore &store) {
            const QDeadlineTimer deadline(time);
            return store.search(text, limit, [outdated, deadline] { return outdated() || deadline.hasExpired(); });
        });
}

void HostCache::flush(QObject *context, std::function<void()> then)
{
    ask<Unit>(context, [then = std::move(then)](Unit) { then(); }, [](CacheStore &) { return Unit{}; });
}

void HostCache::setLimit(qint64 bytes)
{
    m_thread.post([this, bytes] { m_store->setLimit(bytes); });
    tidyLater();
}

void HostCache::clear(QObject *context, std::function<void()> then)
{
    m_batch = {};
    m_batchRows = 0;
    ask<Unit>(context, [then = std::move(then)](Unit) { then(); }, [](CacheStore &store) {
        store.clear();
        return Unit{};
    });
}

void HostCache::stats(QObject *context, std::function<void(CacheStats)> then)
{
    ask<CacheStats>(context, std::move(then), [](CacheStore &store) { return store.stats(); });
}

} // namespace foundry::realtime
