// From a feed to a model: the one place where they meet. GUI thread.
#pragma once

#include "models/listmodelbase.h"
#include "realtime/feeds/topicfeed.h"

namespace foundry::app {

enum class Loads {
    Model, // the model is ready when this topic is loaded
    Aside, // the topic only adds to its rows
};

// `model` is a list model and a TopicSink. The connection ends with either of them.
template <class Model>
void feedModel(realtime::TopicFeed &feed, Model *model, Loads loads = Loads::Model)
{
    QObject::connect(&feed, &realtime::TopicFeed::replaced, model, [model, &feed, loads](const ChangesPage &page) {
        model->replace(feed.topic(), page.upserts);
        if (loads == Loads::Model)
            model->setAsOf(feed.asOf()); // rows out of the cache are from when they were last seen
    });
    QObject::connect(&feed, &realtime::TopicFeed::applied, model, [model](const TopicEvent &event) { model->apply(event); });
    // What was published before there was a model for it.
    if (const QList<Entity> placeholders = feed.placeholders(); !placeholders.isEmpty()) {
        TopicEvent event;
        event.topic = feed.topic();
        event.upserts = placeholders;
        model->apply(event);
    }
    // Only now: a long snapshot comes in slices, and "not ready" is never shown as "empty".
    if (loads == Loads::Aside)
        return;
    QObject::connect(&feed, &realtime::TopicFeed::loaded, model, [model] { model->setReady(true); });
    // While it follows its topic a panel is current; the time is of interest from the moment that it is not.
    QObject::connect(&feed, &realtime::TopicFeed::currentChanged, model, [model, &feed](bool current) {
        model->setAsOf(feed.asOf());
        model->setLive(current);
    });
    model->setLive(feed.isCurrent());
}

} // namespace foundry::app
