// The user's own topics (who they are and which organizations there are; what they have seen and drafted) and the
// host's status. GUI thread.
#pragma once

#include "realtime/feeds/topicfeed.h"

namespace foundry::realtime {

// Topic `app` of the user actor: User, Organization.
class AppFeed final : public TopicFeed {
    Q_OBJECT

public:
    AppFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QObject *parent = nullptr)
        : TopicFeed(subscriptions, heartbeat, QStringLiteral("app"), parent)
    {
    }
};

// Topic `overlay` of the user actor: TaskOverlay, SessionOverlay.
class OverlayFeed final : public TopicFeed {
    Q_OBJECT

public:
    OverlayFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QObject *parent = nullptr)
        : TopicFeed(subscriptions, heartbeat, QStringLiteral("overlay"), parent)
    {
    }
};

// Topic `host` of the app actor: HostStatus.
class HostFeed final : public TopicFeed {
    Q_OBJECT

public:
    HostFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QObject *parent = nullptr)
        : TopicFeed(subscriptions, heartbeat, QStringLiteral("host"), parent)
    {
    }
};

} // namespace foundry::realtime
