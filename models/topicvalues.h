// Picks the entities of one type out of a topic's event or snapshot.
#pragma once

#include "models/types/topic.h"

namespace foundry {

template <class T>
QList<T> valuesOf(const QList<Entity> &entities)
{
    QList<T> values;
    for (const Entity &entity : entities) {
        if (const T *value = std::get_if<T>(&entity))
            values.append(*value);
    }
    return values;
}

// Ids of the removed entities of the named type, as `Key` (an Id or QString).
template <class Key>
QList<Key> removedOf(const QList<Removal> &removals, QLatin1StringView type)
{
    QList<Key> keys;
    for (const Removal &removal : removals) {
        if (removal.type == type)
            keys.append(Key(removal.id));
    }
    return keys;
}

} // namespace foundry
