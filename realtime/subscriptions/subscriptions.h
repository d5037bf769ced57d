// Which topics of one actor are wanted, counted: two viewers of a topic are one subscription, and it outlives the last
// viewer by a grace period, so that going back and forth between pages asks for nothing. The connection is kept while
// any topic is. GUI thread.
#pragma once

#include "realtime/connection/actorconnection.h"

#include <QHash>

namespace foundry::realtime {

class Subscriptions : public QObject {
    Q_OBJECT

public:
    // `connection` outlives this.
    explicit Subscriptions(ActorConnection &connection, std::chrono::milliseconds grace = std::chrono::seconds(30),
        QObject *parent = nullptr);
    ~Subscriptions() override;

    ActorConnection &connection() const { return m_connection; }

    void add(const QString &topic);
    void release(const QString &topic);
    int viewers(const QString &topic) const;
    bool isSubscribed(const QString &topic) const { return m_topics.contains(topic); }
    int subscribedCount() const { return int(m_topics.size()); }

Q_SIGNALS:
    // The grace period is over: no events of this topic come any longer.
    void ended(const QString &topic);

private:
    struct Topic {
        int viewers = 0;
        QTimer *grace = nullptr;
    };

    void end(const QString &topic);

    ActorConnection &m_connection;
    std::chrono::milliseconds m_grace;
    QHash<QString, Topic> m_topics;
};

} // namespace foundry::realtime
