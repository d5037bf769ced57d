// Writes many rows of one topic without holding the actor up: in transactions of some hundred rows, one per turn of the
// event loop. What belongs with them is written with the last ones. A kill between leaves the first ones written, so
// whoever uses it compares with what is stored when it starts again.
#pragma once

#include "backend/actors/actorcontext.h"

namespace foundry::backend {

struct RowChanges {
    QList<Entity> puts = {};
    QList<Removal> removals = {};
};

class RowWriter {
public:
    RowWriter(ActorContext &context, QString topic)
        : m_context(context)
        , m_topic(std::move(topic))
    {
    }

    // `last` runs in the last transaction (the only one, when there is little); `then` after it, once, with how it went.
    // Nothing comes when the actor has stopped. Not inside a transaction.
    void write(RowChanges changes, std::function<Result<>(Transaction &)> last, std::function<void(const Result<> &)> then);

private:
    struct Work;
    void slice(const std::shared_ptr<Work> &work);

    ActorContext &m_context;
    QString m_topic;
};

} // namespace foundry::backend
