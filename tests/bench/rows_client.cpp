// Rows of the client: events taken in a second, and from a frame to the painted row.
#include "tests/bench/clientrig.h"
#include "tests/bench/paintrig.h"
#include "tests/bench/report.h"

#include <QElapsedTimer>
#include <QUrl>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>

namespace foundry::bench {

namespace {

Error stalled(const QString &what)
{
    return makeError(QLatin1StringView("internal"), QLatin1StringView("stalled"), what);
}

// The platform's own: a socket that receives the same frames and looks at none.
Result<double> plainSocketRate(int count)
{
    EventServer server([](int n) { return summaryFrame(n, n % 1000, 2048); });
    QWebSocket socket;
    int received = 0;
    QObject::connect(&socket, &QWebSocket::textMessageReceived, &socket, [&received] { ++received; });
    QWebSocketHandshakeOptions options;
    options.setSubprotocols({QStringLiteral("rivet")});
    socket.open(QUrl(QStringLiteral("ws://127.0.0.1:%1/").arg(server.port())), options);
    if (!pump([&] { return received == 1; }, 5000))
        return stalled(QStringLiteral("The plain socket did not open."));
    QElapsedTimer clock;
    clock.start();
    server.send(count, 0);
    if (!pump([&] { return received == count + 1; }, 60000))
        return stalled(QStringLiteral("The plain socket stalled."));
    return count / (double(clock.nsecsElapsed()) / 1e9);
}

struct Taken {
    QList<double> perSecond;
    QList<double> cpuPer10k;
};

Result<Taken> takeEvents(const Options &options)
{
    const int count = options.isShort ? 5000 : 30000;
    Taken taken;
    for (int run = 0; run < options.runs(); ++run) {
        ClientRig rig([](int n) { return summaryFrame(n, n % 1000, 2048); });
        int applied = 0;
        QObject::connect(&rig.feed, &realtime::TopicFeed::applied, &rig.feed, [&applied] { ++applied; });
        if (!pump([&] { return rig.feed.isCurrent(); }, 5000))
            return stalled(QStringLiteral("The feed did not get current."));
        const double cpu = threadCpuMs();
        QElapsedTimer clock;
        clock.start();
        rig.server.send(count, 0);
        if (!pump([&] { return applied == count; }, 120000))
            return stalled(QStringLiteral("%1 of %2 events were applied.").arg(applied).arg(count));
        taken.perSecond.append(count / (double(clock.nsecsElapsed()) / 1e9));
        taken.cpuPer10k.append((threadCpuMs() - cpu) / count * 10000);
    }
    return taken;
}

Result<Measurement> eventsPerSecond(const Options &options)
{
    const auto taken = takeEvents(options);
    if (!taken)
        return taken.error();
    const auto floor = plainSocketRate(options.isShort ? 5000 : 30000);
    if (!floor)
        return floor.error();
    return Measurement{taken->perSecond, *floor, QStringLiteral("2 KiB frames, decoded and applied in order; floor: a plain QWebSocket that decodes nothing")};
}

Result<Measurement> eventCpu(const Options &options)
{
    const auto taken = takeEvents(options);
    if (!taken)
        return taken.error();
    return Measurement{taken->cpuPer10k, {}, QStringLiteral("processor time of the client's thread for 10,000 events")};
}

// 100 updates a second into a list of 1,000: from the frame's arrival at the connection to the end of the paint that
// shows it.
Result<Measurement> frameToPaint(const Options &options)
{
    const int count = options.isShort ? 100 : 400;
    QList<double> runs;
    QList<double> middle;
    for (int run = 0; run < options.runs(); ++run) {
        PaintRig paint(1000);
        // Tasks whose cards are in sight: the running ones stand first, the newest of them on top (sampleTask: one in nine).
        ClientRig rig([](int n) { return summaryFrame(n, 999 - 9 * (n % 10), 0); });
        QElapsedTimer clock;
        clock.start();
        QList<double> waiting;
        QList<double> delays;
        QObject::connect(&rig.connection, &realtime::ActorConnection::eventReceived, &rig.feed,
            [&] { waiting.append(double(clock.nsecsElapsed()) / 1e6); });
        QObject::connect(&rig.feed, &realtime::TopicFeed::applied, &rig.feed, [&](const TopicEvent &event) { paint.apply(event); });
        paint.whenPainted([&] {
            const double now = double(clock.nsecsElapsed()) / 1e6;
            for (const double since : std::as_const(waiting))
                delays.append(now - since);
            waiting.clear();
        });
        if (!pump([&] { return rig.feed.isCurrent(); }, 5000))
            return stalled(QStringLiteral("The feed did not get current."));
        rig.server.send(count, 100);
        if (!pump([&] { return delays.size() >= count; }, count * 10 + 10000))
            return stalled(QStringLiteral("%1 of %2 updates were painted.").arg(delays.size()).arg(count));
        runs.append(percentile(delays, 0.99));
        middle.append(percentile(delays, 0.5));
    }
    return Measurement{runs, 1000.0 / 60, QStringLiteral("p99 of each run (p50 %1 ms); dashboard of 1,000 tasks at 1600×1000; floor: one frame at 60 Hz").arg(median(middle), 0, 'f', 1)};
}

} // namespace

QList<Row> clientRows()
{
    return {
        Row{QStringLiteral("U2"), QStringLiteral("frame received → row painted, p99, at 100 updates a second"), QStringLiteral("ms"), 20, false, frameToPaint},
        Row{QStringLiteral("U4"), QStringLiteral("2 KiB events one connection takes a second"), QStringLiteral("/s"), 30000, true, eventsPerSecond},
        Row{QStringLiteral("U4b"), QStringLiteral("processor time for 10,000 events of 2 KiB"), QStringLiteral("ms"), 300, false, eventCpu},
    };
}

} // namespace foundry::bench
