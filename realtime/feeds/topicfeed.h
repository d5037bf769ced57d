// One topic of one actor, from the wire to values, without a gap: events are buffered from the first moment, a
// snapshot or catch-up (changesSince, in pages) is fetched, the events after it are applied in order, a gap asks once,
// an old generation is dropped, and after every reconnect the same. Who listens gets the rows and never has to ask.
// With a cache it begins with what was held when it was last seen (isCurrent() false, asOf() says from when), asks the host
// for the differences only, and writes every change back together with its position. GUI thread.
#pragma once

#include "models/types/commands.h"
#include "models/types/topic.h"
#include "realtime/feeds/delivery.h"
#include "realtime/feeds/topiccache.h"
#include "realtime/feeds/topicrows.h"
#include "realtime/subscriptions/heartbeat.h"
#include "realtime/subscriptions/subscriptions.h"

#include <QSet>

namespace foundry::realtime {

class TopicFeed : public QObject {
    Q_OBJECT

public:
    // `subscriptions` and `heartbeat` (may be null) outlive the feed.
    TopicFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QString topic, QObject *parent = nullptr);
    ~TopicFeed() override;

    // Before the first view; outlives the feed. Null: nothing is kept.
    void setCache(TopicCache *cache) { m_cache = cache; }

    const QString &topic() const { return m_topic; }
    // Counted: the feed follows its topic while it is viewed, and for a grace period after.
    void view();
    void leave();

    bool isLoaded() const { return m_loaded; }
    // Loaded and following; false while it catches up or there is no link.
    bool isCurrent() const { return m_phase == Phase::Live; }
    // When its rows were last known to be current, milliseconds since the epoch; 0 before there are any.
    Millis asOf() const;
    const TopicRevision &position() const { return m_position; }
    int fetches(FetchReason reason) const { return m_fetches.value(int(reason)); }
    void refetch(); // by the user's wish
    // Who held the rows has let go of them, and nobody views: the next view starts with a whole snapshot.
    void forget();

    // Rows that the host does not know yet, through the same door and in the same frame. The host's row of the same id
    // takes their place; without one, withdraw() takes them away.
    void publishLocal(const QList<Entity> &entities);
    void withdraw(const QString &type, const QString &id);
    // For who begins to listen after they were published.
    QList<Entity> placeholders() const { return m_rows.placeholders(); }
    // A row out of a command's answer: as if its event had come. Silent when it already did.
    void adopt(const QList<Entity> &entities);

Q_SIGNALS:
    void applied(const foundry::TopicEvent &event);
    // A first snapshot: what it does not name is gone. A long one goes on in events that follow.
    void replaced(const foundry::ChangesPage &page);
    void loaded();
    // The topic cannot be read; it is tried again unless the actor is gone or we are not wanted.
    void failed(const foundry::Error &error);
    void currentChanged(bool current);

protected:
    enum class Phase { Dormant, CatchingUp, Live };

    ActorConnection &connection() const { return m_subscriptions.connection(); }
    Delivery &delivery() { return m_delivery; }
    quint64 fetchNumber() const { return m_fetch; }
    TopicCache *cache() const { return m_cache; }

    // Asks for the whole topic; pages come back through pageArrived or fetchFailed with the fetch number.
    virtual void requestSnapshot(quint64 fetch);
    // The question for what is newer than `position()`; windowed topics add their window.
    virtual ChangesSince catchUpQuestion() const;
    // Asks the cache; cacheAnswered() comes later with the number.
    virtual void askCache(quint64 asked);
    // A windowed topic: the window's first entry. What lies before it was not asked for.
    virtual std::optional<qint64> windowFrom() const { return std::nullopt; }
    // A last look at an event before it is delivered. False: text is missing, fetch.
    virtual bool prepare(TopicEvent &event);

    void request(const ChangesSince &question, quint64 fetch);
    void pageArrived(quint64 fetch, const ChangesPage &page);
    void fetchFailed(quint64 fetch, const Error &error);
    // False: it came too late, and was not handed out.
    bool cacheAnswered(quint64 asked, CachedTopic cached);
    bool wantsCacheAnswer(quint64 asked) const;
    void noteRows(const QList<Entity> &entities) { m_rows.note(entities); }
    // With the topic, its generation and the time filled in.
    CacheWrite newWrite(CacheWrite::Kind kind) const;
    void writeBack(CacheWrite write);

private:
    void setPhase(Phase phase);
    // The host's part begins: at once, or when the cache had its moment.
    void catchUp();
    void noteSeen();
    void noteSeenNowAndThen();
    void startFetch(FetchReason reason);
    void finishFetch();
    void receiveRaw(const QByteArray &args);
    void decodeNext();
    void accept(const TopicEvent &event);
    void apply(TopicEvent event);
    void replayBuffer();
    void checkRevision(const TopicRevision &host);

    Subscriptions &m_subscriptions;
    QString m_topic;
    Delivery m_delivery;
    Phase m_phase = Phase::Dormant;
    int m_views = 0;
    bool m_loaded = false;
    TopicRevision m_position;
    QSet<QString> m_oldGenerations;
    TopicRows m_rows; // what was handed out

    TopicCache *m_cache = nullptr;
    bool m_cacheAsked = false;  // its answer is on the way
    quint64 m_cacheNumber = 0;  // answers to an older question count for nothing
    QTimer m_patience;          // a cache that is slower than the network is not waited for
    Millis m_asOf = 0;
    Millis m_seenAt = 0; // as the cache knows it
    bool m_synced = false; // the host has answered since the rows were handed out first

    quint64 m_fetch = 0; // answers to an older fetch count for nothing
    bool m_fetching = false;
    ChangesSince m_question; // of the present fetch; its other pages have its cursor
    ChangesPage m_collected;
    bool m_firstPage = true;
    QMap<int, int> m_fetches;
    Backoff m_backoff{std::chrono::milliseconds(500)};
    QTimer m_retry;

    QList<TopicEvent> m_buffer;
    QQueue<QByteArray> m_raw; // behind a large one that a worker decodes
    bool m_decoding = false;
};

} // namespace foundry::realtime
