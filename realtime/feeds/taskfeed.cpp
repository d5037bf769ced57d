#include "realtime/feeds/taskfeed.h"

namespace foundry::realtime {

TaskFeed::TaskFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QObject *parent)
    : QObject(parent)
    , m_subscriptions(subscriptions)
    , m_heartbeat(heartbeat)
    , m_task(subscriptions, heartbeat, QStringLiteral("task"))
    , m_changes(subscriptions, heartbeat, QStringLiteral("changes"))
    , m_sessions(4, [](const SessionId &id) { return size_t(qHash(id.value)); })
{
}

TaskFeed::~TaskFeed() = default;

void TaskFeed::setCache(TopicCache *cache)
{
    m_cache = cache;
    m_task.setCache(cache);
    m_changes.setCache(cache);
    for (const auto &[id, feed] : m_sessions)
        feed->setCache(cache);
}

SessionFeed &TaskFeed::session(const SessionId &id)
{
    std::unique_ptr<SessionFeed> &feed = m_sessions[id];
    if (!feed) {
        feed = std::make_unique<SessionFeed>(m_subscriptions, m_heartbeat, id);
        feed->setCache(m_cache);
    }
    return *feed;
}

void TaskFeed::view()
{
    m_task.view();
    m_changes.view();
}

void TaskFeed::forget()
{
    m_task.forget();
    m_changes.forget();
    for (const auto &[id, feed] : m_sessions)
        feed->forget();
}

void TaskFeed::leave()
{
    m_task.leave();
    m_changes.leave();
}

} // namespace foundry::realtime
