// What this window keeps on disk of one host for one account: the cache, which may be lost, and the outbox, which may
// not. Made before the first paint; both read their files on threads of their own. GUI thread.
#pragma once

#include "realtime/cache/hostcache.h"
#include "realtime/commands/hostclient.h"
#include "realtime/outbox/outbox.h"

namespace foundry::app {

struct Config;

class LocalStores {
public:
    // A tour leaves nothing behind and finds nothing: it has neither. `cacheLimitMiB`: 0 is the default, 2 GiB.
    LocalStores(const Config &config, qint64 cacheLimitMiB);

    // Options of a client that starts from them; they outlive it.
    realtime::HostClientOptions clientOptions() const;

    // 0: the default. What is over it goes.
    void setCacheLimit(qint64 mebibytes);
    void cacheBytes(QObject *context, std::function<void(qint64)> then); // in use; not answered by a tour
    // The user's wish, and signing out: nothing stays on the disk of what can be read again at the host. What was given
    // and drafts are no cache, and stay.
    void removeCache(QObject *context, std::function<void()> then);

private:
    std::unique_ptr<realtime::HostCache> m_cache;
    std::unique_ptr<realtime::Outbox> m_outbox;
};

} // namespace foundry::app
