// The one door of a model for what comes from a topic, live or from the cache: diffs, and whole snapshots.
#pragma once

#include "models/types/topic.h"

namespace foundry {

class TopicSink {
public:
    virtual ~TopicSink() = default;
    // Entities that this sink does not show are passed over. Applying an event twice changes nothing.
    virtual void apply(const TopicEvent &event) = 0;
    // All of a topic at once: what it does not name is gone. Becomes ready by it. Applied as a diff.
    virtual void replace(const QString &topic, const QList<Entity> &all) = 0;
};

} // namespace foundry
