// A session's transcript, windowed: the last page first, older pages on demand, text appended only at its offset. With a
// cache, what was ever delivered is read from there, also without a link.
// GUI thread.
#pragma once

#include "realtime/feeds/topicfeed.h"

namespace foundry::realtime {

class SessionFeed final : public TopicFeed {
    Q_OBJECT

public:
    SessionFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, SessionId session, QObject *parent = nullptr);

    const SessionId &session() const { return m_session; }
    // Entries before it are with the host, or in the cache.
    qint64 firstHeld() const { return m_first; }
    bool hasOlder() const { return m_first > 0; }
    // Fetches the page before the first held entry; it comes by pageLoaded(). Nothing while one is on the way.
    void loadOlder();
    // Reads [from, to) again, because something in it is missing.
    void reload(qint64 from, qint64 to);

Q_SIGNALS:
    void pageLoaded(const foundry::TranscriptPage &page);
    void olderFailed(const foundry::Error &error);

protected:
    void requestSnapshot(quint64 fetch) override;
    ChangesSince catchUpQuestion() const override;
    void askCache(quint64 asked) override;
    std::optional<qint64> windowFrom() const override { return m_first; }
    bool prepare(TopicEvent &event) override;

private:
    void fetchOlder(const QList<Entity> &held, quint64 below);
    void olderArrived(const QList<Entity> &entries, const TranscriptPage &page, quint64 below);
    void note(const QList<Entity> &entities);
    void fetch(const GetTranscript &question, std::function<void(Result<TranscriptPage>)> then);

    SessionId m_session;
    qint64 m_first = 0; // lowest index held
    qint64 m_cachedFrom = 0; // the cache holds what lies between this and m_first, as of our position
    bool m_any = false; // some entry is held
    bool m_fetchingOlder = false;
    quint64 m_below = 0; // changes before the window, which nobody was shown
    QHash<qint64, qint64> m_bytes; // index → UTF-8 length of its text, of what may still grow
};

} // namespace foundry::realtime
