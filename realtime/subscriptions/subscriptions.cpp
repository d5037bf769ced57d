#include "realtime/subscriptions/subscriptions.h"

namespace foundry::realtime {

Subscriptions::Subscriptions(ActorConnection &connection, std::chrono::milliseconds grace, QObject *parent)
    : QObject(parent)
    , m_connection(connection)
    , m_grace(grace)
{
}

Subscriptions::~Subscriptions()
{
    for (auto it = m_topics.cbegin(); it != m_topics.cend(); ++it) {
        m_connection.unsubscribe(it.key());
        m_connection.release();
    }
}

void Subscriptions::add(const QString &topic)
{
    if (const auto known = m_topics.find(topic); known != m_topics.end()) {
        ++known->viewers;
        known->grace->stop();
        return;
    }
    auto *grace = new QTimer(this);
    grace->setSingleShot(true);
    connect(grace, &QTimer::timeout, this, [this, topic] { end(topic); });
    m_topics.insert(topic, Topic{1, grace});
    m_connection.subscribe(topic);
    m_connection.retain();
}

void Subscriptions::release(const QString &topic)
{
    const auto known = m_topics.find(topic);
    Q_ASSERT(known != m_topics.end() && known->viewers > 0);
    if (known != m_topics.end() && --known->viewers == 0)
        known->grace->start(m_grace);
}

int Subscriptions::viewers(const QString &topic) const
{
    return m_topics.value(topic).viewers;
}

void Subscriptions::end(const QString &topic)
{
    const Topic gone = m_topics.take(topic);
    if (gone.grace)
        gone.grace->deleteLater();
    m_connection.unsubscribe(topic);
    Q_EMIT ended(topic);
    m_connection.release();
}

} // namespace foundry::realtime
