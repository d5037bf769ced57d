#include "realtime/connection/connectionstate.h"

namespace foundry::realtime {

ConnectionTransition nextConnectionState(ConnectionState state, ConnectionEvent event)
{
    using S = ConnectionState;
    using E = ConnectionEvent;
    using A = ConnectionAction;
    const ConnectionTransition stay{state, A::None};

    if (state == S::Idle)
        return event == E::Start ? ConnectionTransition{S::Connecting, A::Open} : stay;

    switch (event) {
    case E::Start:
        // Someone asks again for what was refused: worth one more attempt.
        return state == S::Refused ? ConnectionTransition{S::Connecting, A::Open} : stay;
    case E::Stop:
        return {S::Idle, A::Close};
    case E::Rejected:
        return {S::Refused, A::Close};
    case E::EndpointLost:
        return state == S::Offline ? ConnectionTransition{S::Offline, A::Close}
                                   : ConnectionTransition{state == S::Refused ? S::Refused : S::Recovering, A::Close};
    case E::EndpointChanged:
        return {state == S::Connecting || state == S::Refused ? S::Connecting : S::Recovering, A::Reopen};
    case E::Initialized:
        return state == S::Refused || state == S::Live ? stay : ConnectionTransition{S::Live, A::None};
    case E::Failed:
        if (state == S::Refused)
            return stay;
        return {state == S::Offline ? S::Offline : S::Recovering, A::RetryLater};
    case E::FailedOften:
        return state == S::Refused ? stay : ConnectionTransition{S::Offline, A::RetryLater};
    case E::RetryDue:
    case E::Wake:
        return state == S::Recovering || state == S::Offline ? ConnectionTransition{state, A::Open} : stay;
    }
    return stay;
}

QString connectionStateName(ConnectionState state)
{
    switch (state) {
    case ConnectionState::Idle:
        return QStringLiteral("idle");
    case ConnectionState::Connecting:
        return QStringLiteral("connecting");
    case ConnectionState::Live:
        return QStringLiteral("live");
    case ConnectionState::Recovering:
        return QStringLiteral("recovering");
    case ConnectionState::Offline:
        return QStringLiteral("offline");
    case ConnectionState::Refused:
        return QStringLiteral("refused");
    }
    return {};
}

} // namespace foundry::realtime
