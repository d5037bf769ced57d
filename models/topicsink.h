// The one door of a model for what comes from a topic, live or from the cache: diffs, and whole snapshots.
#pragma once

#include "models/types/topic.h"

namespace foundry {

class TopicSink {
public:
    virtual ~TopicSink() = default;
    // Entities that this sink does not show are passed over. Applying an event twice changes nothing.
    virtual void apply(const TopicEvent &event) = 0;
    // A snapshot of a topic, or its first slice: what it does not name is gone. Applied as a diff. The feeder then calls
    // the model's setReady(true) and setAsOf().
    virtual void replace(const QString &topic, const QList<Entity> &all) = 0;
};

} // namespace foundry
