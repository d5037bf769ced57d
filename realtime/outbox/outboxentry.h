// A command that waits for the host, written down so that it outlives the program. Value.
#pragma once

#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/ids.h"
#include "realtime/connection/actorname.h"

#include <optional>

namespace foundry::realtime {

enum class OutboxState {
    Queued,    // not sent yet: may be changed or taken back
    Sent,      // may have reached the host: goes again with the same id until it answers
    Accepted,  // the host has it
    Done,      // its answer has been dealt with; gone from the outbox
    Failed,    // the host refused it, or the user took it back before it was sent
    Uncertain, // sent so long ago that the host no longer knows its id: never sent again unasked
};

struct OutboxEntry {
    RequestId id;
    ActorName actor;
    QString action;
    QByteArray args; // JSON argument list, the request id inside
    QString label;   // for people: "Message: Fix the…"
    OutboxState state = OutboxState::Queued;
    Millis createdAt = 0;
    Millis sentAt = 0; // the first time; 0 before
    std::optional<Error> error = {};
};

} // namespace foundry::realtime
