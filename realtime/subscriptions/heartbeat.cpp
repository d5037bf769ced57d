#include "realtime/subscriptions/heartbeat.h"

#include "realtime/protocol/codec.h"

namespace foundry::realtime {

Heartbeat::Heartbeat(Subscriptions &subscriptions, std::chrono::milliseconds every, QObject *parent)
    : QObject(parent)
    , m_subscriptions(subscriptions)
{
    m_timer.setInterval(every);
    connect(&m_timer, &QTimer::timeout, this, &Heartbeat::beat);
    connect(&subscriptions.connection(), &ActorConnection::stateChanged, this, [this](ConnectionState state) {
        if (state == ConnectionState::Live)
            m_timer.start();
        else
            m_timer.stop();
    });
}

void Heartbeat::beat()
{
    if (m_subscriptions.subscribedCount() == 0)
        return;
    m_subscriptions.connection().call(QStringLiteral("revisions"), QByteArrayLiteral("[{}]"), std::chrono::seconds(10),
        this, [this](const Result<QByteArray> &answer) {
            if (!answer)
                return; // the connection has taken note of it, and comes back with a catch-up
            if (const auto revisions = protocol::decodeRevisions(*answer))
                Q_EMIT revisionsRead(*revisions);
        });
}

} // namespace foundry::realtime
