#include "app/localstores.h"

#include "app/config.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

namespace foundry::app {

LocalStores::LocalStores(const Config &config, qint64 cacheLimitMiB)
{
    if (!config.tourDir.isEmpty())
        return;
    using Paths = QStandardPaths;
    const QString account = realtime::HostClientOptions().account.value;
    // A host is the folder that it keeps its state in: another folder is another host, with other tasks.
    const QString host = config.hostDataDir.isEmpty() ? QStringLiteral("local")
                                                      : QStringLiteral("local:") + QDir(config.hostDataDir).absolutePath();
    realtime::HostCacheOptions cache;
    cache.path = realtime::HostCache::fileFor(
        Paths::writableLocation(Paths::GenericCacheLocation) + QStringLiteral("/foundry"), account, host);
    if (cacheLimitMiB > 0)
        cache.limitBytes = cacheLimitMiB << 20;
    m_cache = std::make_unique<realtime::HostCache>(cache);
    const QString name = QFileInfo(cache.path).completeBaseName() + QStringLiteral(".outbox");
    m_outbox = std::make_unique<realtime::Outbox>(
        Paths::writableLocation(Paths::GenericDataLocation) + QStringLiteral("/foundry-workbench/") + name);
}

void LocalStores::setCacheLimit(qint64 mebibytes)
{
    if (m_cache)
        m_cache->setLimit(mebibytes > 0 ? mebibytes << 20 : realtime::HostCacheOptions().limitBytes);
}

void LocalStores::cacheBytes(QObject *context, std::function<void(qint64)> then)
{
    if (m_cache)
        m_cache->stats(context, [then = std::move(then)](const realtime::CacheStats &stats) { then(stats.bytes); });
}

void LocalStores::removeCache(QObject *context, std::function<void()> then)
{
    if (m_cache)
        m_cache->clear(context, std::move(then));
}

realtime::HostClientOptions LocalStores::clientOptions() const
{
    realtime::HostClientOptions options;
    options.cache = m_cache.get();
    options.outbox = m_outbox.get();
    return options;
}

} // namespace foundry::app
