// What a task page shows, each part by itself: the task's topic, its changes, and the transcripts of the sessions that
// are looked at. GUI thread.
#pragma once

#include "realtime/feeds/sessionfeed.h"

#include <memory>
#include <unordered_map>

namespace foundry::realtime {

class TaskFeed final : public QObject {
    Q_OBJECT

public:
    TaskFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QObject *parent = nullptr);
    ~TaskFeed() override;

    // Before the first view; outlives this.
    void setCache(TopicCache *cache);

    TopicFeed &task() { return m_task; }       // Task, Stage, Session, QueuedPrompt, Job
    TopicFeed &changes() { return m_changes; } // ChangesHeader, FileChange
    // Made on first use; viewed by whoever shows it.
    SessionFeed &session(const SessionId &id);

    void view();
    void leave();
    // See TopicFeed::forget(); for all parts.
    void forget();

private:
    Subscriptions &m_subscriptions;
    Heartbeat *m_heartbeat;
    TopicCache *m_cache = nullptr;
    TopicFeed m_task;
    TopicFeed m_changes;
    std::unordered_map<SessionId, std::unique_ptr<SessionFeed>, size_t (*)(const SessionId &)> m_sessions;
};

} // namespace foundry::realtime
