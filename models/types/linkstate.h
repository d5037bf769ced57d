// How the window stands to its host, as people are told: live, connecting, reconnecting in 3 s, offline as of 09:41, or
// the host could not be started and why. Made by the composition root from the connection and the launcher.
#pragma once

#include "models/types/entity.h"
#include "models/types/error.h"

#include <optional>

namespace foundry {

enum class LinkPhase {
    Starting,     // the host program is being started
    Connecting,   // first attempt under way
    Live,
    Reconnecting, // the link dropped; the next attempt is at retryAt
    Offline,      // many attempts failed; still trying, rarely
    Refused,      // the host does not want us: nothing happens until something changes
    HostFailed    // the host program cannot be started: hostLog says why
};

struct LinkState {
    LinkPhase phase = LinkPhase::Connecting;
    Millis retryAt = 0; // 0: an attempt is under way
    Millis asOf = 0;    // when what is shown was last known to be current; 0 when nothing is shown
    QString where;      // "here", or the remote host's name
    std::optional<Error> error = {};
    QString hostLog; // the last lines of the host's log, when it could not start
    friend bool operator==(const LinkState &, const LinkState &) = default;
};

} // namespace foundry
