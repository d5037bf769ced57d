// A session's transcript, windowed: the last page first, older pages on demand, text appended only at its offset.
// GUI thread.
#pragma once

#include "realtime/feeds/topicfeed.h"

namespace foundry::realtime {

class SessionFeed final : public TopicFeed {
    Q_OBJECT

public:
    SessionFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, SessionId session, QObject *parent = nullptr);

    const SessionId &session() const { return m_session; }
    // Entries before `first` are with the host only.
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
    bool prepare(TopicEvent &event) override;

private:
    void note(const QList<Entity> &entities);
    void fetch(const GetTranscript &question, std::function<void(Result<TranscriptPage>)> then);

    SessionId m_session;
    qint64 m_first = 0; // lowest index held
    bool m_any = false; // some entry is held
    bool m_fetchingOlder = false;
    QHash<qint64, qint64> m_bytes; // index → UTF-8 length of its text, of what may still grow
};

} // namespace foundry::realtime
