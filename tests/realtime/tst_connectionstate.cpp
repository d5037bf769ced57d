// The whole table: every state with every event.
#include "realtime/connection/connectionstate.h"

#include <QTest>

using namespace foundry::realtime;
using S = ConnectionState;
using E = ConnectionEvent;
using A = ConnectionAction;

Q_DECLARE_METATYPE(ConnectionState)
Q_DECLARE_METATYPE(ConnectionEvent)
Q_DECLARE_METATYPE(ConnectionAction)

class ConnectionStateTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void table_data()
    {
        QTest::addColumn<S>("state");
        QTest::addColumn<E>("event");
        QTest::addColumn<S>("next");
        QTest::addColumn<A>("action");
        const auto row = [](const char *name, S state, E event, S next, A action) {
            QTest::newRow(name) << state << event << next << action;
        };
        row("wanted", S::Idle, E::Start, S::Connecting, A::Open);
        row("idle ignores a server", S::Idle, E::EndpointChanged, S::Idle, A::None);
        row("idle ignores a failure", S::Idle, E::Failed, S::Idle, A::None);
        row("idle ignores a timer", S::Idle, E::RetryDue, S::Idle, A::None);
        row("idle ignores a rejection", S::Idle, E::Rejected, S::Idle, A::None);
        row("first Init", S::Connecting, E::Initialized, S::Live, A::None);
        row("first attempt failed", S::Connecting, E::Failed, S::Recovering, A::RetryLater);
        row("first attempts failed", S::Connecting, E::FailedOften, S::Offline, A::RetryLater);
        row("server found", S::Connecting, E::EndpointChanged, S::Connecting, A::Reopen);
        row("server lost while connecting", S::Connecting, E::EndpointLost, S::Recovering, A::Close);
        row("refused at once", S::Connecting, E::Rejected, S::Refused, A::Close);
        row("not wanted while connecting", S::Connecting, E::Stop, S::Idle, A::Close);
        row("wanted twice", S::Connecting, E::Start, S::Connecting, A::None);
        row("no second attempt beside the first", S::Connecting, E::RetryDue, S::Connecting, A::None);
        row("dropped", S::Live, E::Failed, S::Recovering, A::RetryLater);
        row("dropped once too often", S::Live, E::FailedOften, S::Offline, A::RetryLater);
        row("live and not wanted", S::Live, E::Stop, S::Idle, A::Close);
        row("live, server moved", S::Live, E::EndpointChanged, S::Recovering, A::Reopen);
        row("live, server gone", S::Live, E::EndpointLost, S::Recovering, A::Close);
        row("live, token revoked", S::Live, E::Rejected, S::Refused, A::Close);
        row("live stays live", S::Live, E::Wake, S::Live, A::None);
        row("Init twice", S::Live, E::Initialized, S::Live, A::None);
        row("retry", S::Recovering, E::RetryDue, S::Recovering, A::Open);
        row("woken", S::Recovering, E::Wake, S::Recovering, A::Open);
        row("back", S::Recovering, E::Initialized, S::Live, A::None);
        row("failed again", S::Recovering, E::Failed, S::Recovering, A::RetryLater);
        row("failed often", S::Recovering, E::FailedOften, S::Offline, A::RetryLater);
        row("recovering, refused", S::Recovering, E::Rejected, S::Refused, A::Close);
        row("recovering, server moved", S::Recovering, E::EndpointChanged, S::Recovering, A::Reopen);
        row("recovering, not wanted", S::Recovering, E::Stop, S::Idle, A::Close);
        row("offline tries on", S::Offline, E::RetryDue, S::Offline, A::Open);
        row("offline woken", S::Offline, E::Wake, S::Offline, A::Open);
        row("offline stays offline", S::Offline, E::Failed, S::Offline, A::RetryLater);
        row("offline ends", S::Offline, E::Initialized, S::Live, A::None);
        row("offline, server found", S::Offline, E::EndpointChanged, S::Recovering, A::Reopen);
        row("offline, server gone", S::Offline, E::EndpointLost, S::Offline, A::Close);
        row("offline, not wanted", S::Offline, E::Stop, S::Idle, A::Close);
        row("refused waits", S::Refused, E::RetryDue, S::Refused, A::None);
        row("refused sleeps on", S::Refused, E::Wake, S::Refused, A::None);
        row("refused, late failure", S::Refused, E::Failed, S::Refused, A::None);
        row("refused, late Init", S::Refused, E::Initialized, S::Refused, A::None);
        row("refused, other server", S::Refused, E::EndpointChanged, S::Connecting, A::Reopen);
        row("refused, asked again", S::Refused, E::Start, S::Connecting, A::Open);
        row("refused, not wanted", S::Refused, E::Stop, S::Idle, A::Close);
    }

    void table()
    {
        QFETCH(S, state);
        QFETCH(E, event);
        QFETCH(S, next);
        QFETCH(A, action);
        const ConnectionTransition transition = nextConnectionState(state, event);
        QCOMPARE(connectionStateName(transition.state), connectionStateName(next));
        QCOMPARE(int(transition.action), int(action));
    }

    void onlyInitMakesLive()
    {
        for (int state = 0; state <= int(S::Refused); ++state) {
            for (int event = 0; event <= int(E::EndpointLost); ++event) {
                const auto next = nextConnectionState(S(state), E(event));
                if (next.state == S::Live && S(state) != S::Live)
                    QCOMPARE(E(event), E::Initialized);
                if (E(event) == E::Stop)
                    QCOMPARE(next.state, S::Idle);
            }
        }
    }
};

QTEST_APPLESS_MAIN(ConnectionStateTest)
#include "tst_connectionstate.moc"
