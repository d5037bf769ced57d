// What every entity of the contract carries beside its value.
#pragma once

#include <QtGlobal>

namespace foundry {

// Milliseconds since the epoch, UTC.
using Millis = qint64;

// The revision of a row's last change and its time. Not part of the value: two entities that differ only here are
// equal, so that a model stays silent about them.
struct EntityMeta {
    qint64 rev = 0;
    Millis updatedAt = 0;
    friend bool operator==(const EntityMeta &, const EntityMeta &) { return true; }
};

} // namespace foundry
