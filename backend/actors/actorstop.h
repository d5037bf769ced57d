// How one actor stopped, as the log tells it and as metrics count it.
#pragma once

#include "backend/actors/actor.h"
#include "models/types/entity.h"

#include <QByteArray>

namespace foundry::backend {

struct ActorStop {
    QString actorId;
    ActorAddress address;
    StopReason reason = StopReason::Stop;
    // When the drain began: actions inside the actor's code, and calls that had no answer yet (those included).
    int activeActions = 0;
    int activeRequests = 0;
    bool expired = false; // the deadline passed before the last action returned
    Millis drainStartedAt = 0;
    Millis drainEndedAt = 0;
    Millis cleanupStartedAt = 0;
    Millis cleanupEndedAt = 0;
    QString correlation = {}; // of this run of the actor ("a", its id, its generation): whatever ends it
};

QLatin1StringView stopReasonText(StopReason reason);
// One line of JSON without a line break.
QByteArray encodeActorStop(const ActorStop &stop);

} // namespace foundry::backend
