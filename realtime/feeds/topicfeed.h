// One topic of one actor, from the wire to values, without a gap: events are buffered from the first moment, a
// snapshot or catch-up (changesSince, in pages) is fetched, the events after it are applied in order, a gap asks once,
// an old generation is dropped, and after every reconnect the same. Who listens gets the rows and never has to ask.
// GUI thread.
#pragma once

#include "models/types/commands.h"
#include "models/types/topic.h"
#include "realtime/feeds/delivery.h"
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

    const QString &topic() const { return m_topic; }
    // Counted: the feed follows its topic while it is viewed, and for a grace period after.
    void view();
    void leave();

    bool isLoaded() const { return m_loaded; }
    // Loaded and following; false while it catches up or there is no link.
    bool isCurrent() const { return m_phase == Phase::Live; }
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

    // Asks for the whole topic; pages come back through pageArrived or fetchFailed with the fetch number.
    virtual void requestSnapshot(quint64 fetch);
    // The question for what is newer than `position()`; windowed topics add their window.
    virtual ChangesSince catchUpQuestion() const;
    // A last look at an event before it is delivered. False: text is missing, fetch.
    virtual bool prepare(TopicEvent &event);

    void request(const ChangesSince &question, quint64 fetch);
    void pageArrived(quint64 fetch, const ChangesPage &page);
    void fetchFailed(quint64 fetch, const Error &error);
    void noteRows(const QList<Entity> &entities) { m_rows.note(entities); }

private:
    void setPhase(Phase phase);
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

    quint64 m_fetch = 0; // answers to an older fetch count for nothing
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
