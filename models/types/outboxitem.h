// A command of a task that the host has not answered yet, as the window shows it. Value.
#pragma once

#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/ids.h"

#include <QString>
#include <optional>

namespace foundry {

enum class OutboxItemState {
    Queued,    // not sent: may be changed or taken back
    Sent,      // may have reached the host; it goes again, and takes effect once
    Accepted,  // the host has it
    Failed,    // the host refused it
    Uncertain, // sent so long ago that nobody can tell; the user decides
};

struct OutboxItem {
    RequestId id;
    QueueId queueId = {};     // of a message
    SessionId sessionId = {}; // of a message
    QString text;             // a message's prompt; else what it is, in words
    OutboxItemState state = OutboxItemState::Queued;
    std::optional<Error> error = {};
    friend bool operator==(const OutboxItem &, const OutboxItem &) = default;
};

} // namespace foundry
