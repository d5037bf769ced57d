// The organization's topic: repositories, agents, task summaries, attention. GUI thread.
#pragma once

#include "realtime/feeds/topicfeed.h"

namespace foundry::realtime {

class OrganizationFeed final : public TopicFeed {
    Q_OBJECT

public:
    OrganizationFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QObject *parent = nullptr)
        : TopicFeed(subscriptions, heartbeat, QStringLiteral("organization"), parent)
    {
    }
};

} // namespace foundry::realtime
