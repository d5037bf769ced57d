// From a feed to a model: the one place where they meet. GUI thread.
#pragma once

#include "models/listmodelbase.h"
#include "realtime/feeds/topicfeed.h"

#include <QDateTime>

namespace foundry::app {

// `model` is a list model and a TopicSink. The connection ends with either of them.
template <class Model>
void feedModel(realtime::TopicFeed &feed, Model *model)
{
    QObject::connect(&feed, &realtime::TopicFeed::replaced, model, [model, topic = feed.topic()](const ChangesPage &page) {
        model->replace(topic, page.upserts);
        model->setAsOf(QDateTime::currentMSecsSinceEpoch());
    });
    QObject::connect(&feed, &realtime::TopicFeed::applied, model, [model](const TopicEvent &event) { model->apply(event); });
    // While it follows its topic a panel is current; the time is of interest from the moment that it is not.
    QObject::connect(&feed, &realtime::TopicFeed::currentChanged, model,
        [model](bool) { model->setAsOf(QDateTime::currentMSecsSinceEpoch()); });
}

} // namespace foundry::app
