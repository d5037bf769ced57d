// What the workbench holds of one host for one account, on disk: topics, transcripts, diffs, directories, blobs, and a
// search over them. Everything happens on the cache's own thread; answers come on the GUI thread, in the order of the
// questions, and not at all when their context is gone. Writes are collected for a moment and never in the way of
// painting; what was written is seen by every later question. Losing the file costs time, never data. GUI thread.
#pragma once

#include "realtime/cache/cachestore.h"
#include "realtime/cache/serialthread.h"
#include "realtime/connection/actorname.h"

#include <QObject>
#include <QPointer>
#include <QTimer>
#include <atomic>
#include <unordered_map>

namespace foundry::realtime {

struct HostCacheOptions {
    QString path; // see fileFor()
    qint64 limitBytes = qint64(2) << 30;
    std::chrono::milliseconds collect = std::chrono::milliseconds(200);
    std::chrono::milliseconds searchTime = std::chrono::milliseconds(400); // a search gives what it has by then
};

class HostCache : public QObject {
    Q_OBJECT

public:
    explicit HostCache(HostCacheOptions options, QObject *parent = nullptr);
    ~HostCache() override; // what was given is written

    // One file for each account and host inside `folder`; `host` is the host's stable name or URL.
    static QString fileFor(const QString &folder, const QString &account, const QString &host);
    // The host is not wanted any longer, and nobody has its cache open.
    static bool forget(const QString &folder, const QString &account, const QString &host);

    // Valid as long as this.
    TopicCache &topics(const ActorName &actor);

    // Answers to reads, by the question. `names`: what the search finds it by.
    void keep(const ActorName &actor, const QString &kind, const QString &key, const QByteArray &data,
        const QStringList &names = {});
    void find(const ActorName &actor, const QString &kind, const QString &key, QObject *context,
        std::function<void(std::optional<KeptAnswer>)> then);

    // As typed: a later search ends an earlier one, which is then not answered.
    void search(const QString &text, int limit, QObject *context, std::function<void(CacheHits)> then);

    // Answered when all that was given so far is in the file.
    void flush(QObject *context, std::function<void()> then);
    // What is over it goes, the least recently used first, a little at a time.
    void setLimit(qint64 bytes);
    // Signing out: nothing of it stays on the disk.
    void clear(QObject *context, std::function<void()> then);
    void stats(QObject *context, std::function<void(CacheStats)> then);

Q_SIGNALS:
    // Set aside, or not writable: for the inspector, and for a quiet word to the user.
    void noticed(const foundry::Error &error);

private:
    class Topics;

    void write(const QString &actor, CacheWrite write);
    void flushBatch();
    void tidyLater();
    template <class T>
    void ask(QObject *context, std::function<void(T)> then, std::function<T(CacheStore &)> work);

    HostCacheOptions m_options;
    CacheBatch m_batch;
    qsizetype m_batchRows = 0;
    QTimer m_collect;
    QTimer m_tidy;
    bool m_tidying = false;
    std::shared_ptr<std::atomic<quint64>> m_searchNumber = std::make_shared<std::atomic<quint64>>(0);
    std::unordered_map<QString, std::unique_ptr<Topics>> m_topics;
    std::unique_ptr<CacheStore> m_store; // the thread's
    SerialThread m_thread;               // last: it ends first
};

} // namespace foundry::realtime
