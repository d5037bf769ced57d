// Pongs do not show a lost frame: while topics of an actor are shown, its revisions are asked for every 20 s, and each
// feed compares them with what it has. One small call for all topics of the connection. GUI thread.
#pragma once

#include "models/types/topic.h"
#include "realtime/subscriptions/subscriptions.h"

#include <QMap>

namespace foundry::realtime {

class Heartbeat : public QObject {
    Q_OBJECT

public:
    explicit Heartbeat(Subscriptions &subscriptions, std::chrono::milliseconds every = std::chrono::seconds(20),
        QObject *parent = nullptr);

Q_SIGNALS:
    void revisionsRead(const QMap<QString, foundry::TopicRevision> &revisions);

private:
    void beat();

    Subscriptions &m_subscriptions;
    QTimer m_timer;
};

} // namespace foundry::realtime
