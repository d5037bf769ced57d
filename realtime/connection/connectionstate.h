// The states of a connection and every way between them: one pure function, tested as a table. ActorConnection is its
// only caller.
#pragma once

#include <QString>

namespace foundry::realtime {

enum class ConnectionState {
    Idle,       // nobody wants it
    Connecting, // first attempt under way
    Live,       // the server said Init and all topics are asked for
    Recovering, // the link dropped or an attempt failed; trying again
    Offline,    // many attempts failed, or there is no server known: still trying, rarely
    Refused,    // the server does not want us (token, deleted actor): no attempt until something changes
};

enum class ConnectionEvent {
    Start,           // someone wants it
    Stop,            // nobody wants it any longer
    Initialized,     // Init came
    Failed,          // an attempt failed or the link dropped
    FailedOften,     // the same, after so many failures in a row that people should be told
    RetryDue,        // the backoff's timer
    Wake,            // the system says that the network is back or that it woke up
    Rejected,        // auth/… or actor/not_found: trying again changes nothing
    EndpointChanged, // a server was found, or it moved
    EndpointLost,    // the server is known to be gone
};

enum class ConnectionAction {
    None,
    Open,       // begin an attempt now
    Reopen,     // drop what there is and begin an attempt now
    Close,      // drop what there is, no attempt
    RetryLater, // drop what there is, next attempt after the backoff
};

struct ConnectionTransition {
    ConnectionState state;
    ConnectionAction action;
    friend bool operator==(const ConnectionTransition &, const ConnectionTransition &) = default;
};

ConnectionTransition nextConnectionState(ConnectionState state, ConnectionEvent event);
QString connectionStateName(ConnectionState state);

} // namespace foundry::realtime
