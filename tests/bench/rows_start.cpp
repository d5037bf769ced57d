// Rows of the start: window and host, from the spawn of the process to what a user sees.
#include "tests/bench/hostrig.h"
#include "tests/bench/report.h"
#include "tests/bench/windowrig.h"

#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <QThread>

namespace foundry::bench {

namespace {

// A process of the same program that only says its version: what the machine takes to start and link it.
double bareStartMs(const QString &program)
{
    QList<double> samples;
    for (int i = 0; i < 5; ++i) {
        QProcess process;
        QElapsedTimer clock;
        clock.start();
        process.start(program, {QStringLiteral("--version")});
        process.waitForFinished(5000);
        samples.append(double(clock.nsecsElapsed()) / 1e6);
    }
    return median(samples);
}

Result<Measurement> windowMark(const Options &options, const QString &mark, const QString &note)
{
    HostRig rig;
    if (const auto prepared = rig.prepare(1000); !prepared)
        return prepared.error();
    if (const auto ready = rig.start(); !ready)
        return ready.error();
    QList<double> samples;
    for (int run = 0; run < options.runs() + 1; ++run) {
        WindowRig window;
        if (const auto started = window.start(rig.dataDir()); !started)
            return started.error();
        const auto ms = window.mark(mark);
        if (!ms)
            return ms.error();
        if (run > 0) // warm: the first fills the page cache
            samples.append(*ms);
    }
    return Measurement{samples, bareStartMs(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-workbench")), note};
}

Result<Measurement> dashboardPainted(const Options &options)
{
    return windowMark(options, QStringLiteral("dashboard"),
        QStringLiteral("1,000 tasks, warm, from the live host, nothing in the cache; floor: the process alone (--version)"));
}

// No host runs, and none can be started: all that is painted is out of the cache.
Result<Measurement> dashboardFromCache(const Options &options)
{
    HostRig rig;
    if (const auto prepared = rig.prepare(1000); !prepared)
        return prepared.error();
    if (const auto ready = rig.start(); !ready)
        return ready.error();
    QTemporaryDir home;
    {
        WindowRig window(home.path());
        if (const auto started = window.start(rig.dataDir()); !started)
            return started.error();
        if (const auto ms = window.mark(QStringLiteral("dashboard")); !ms)
            return ms.error();
        QThread::sleep(2); // the cache has been written by then
    }
    rig.host().stop();
    QList<double> samples;
    for (int run = 0; run < options.runs() + 1; ++run) {
        WindowRig window(home.path());
        if (const auto started = window.start(rig.dataDir(), {QStringLiteral("--host-program"), QStringLiteral("/no/such/host")}); !started)
            return started.error();
        const auto ms = window.mark(QStringLiteral("dashboard"));
        if (!ms)
            return ms.error();
        if (run > 0) // warm: the first fills the page cache
            samples.append(*ms);
    }
    return Measurement{samples, bareStartMs(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-workbench")),
        QStringLiteral("1,000 tasks out of the cache, no host at all, warm; floor: the process alone (--version)")};
}

Result<Measurement> live(const Options &options)
{
    return windowMark(options, QStringLiteral("live"), QStringLiteral("host already running, 1,000 tasks; floor: the process alone (--version)"));
}

Result<Measurement> firstPaint(const Options &options)
{
    return windowMark(options, QStringLiteral("first-paint"), QStringLiteral("offscreen, warm; floor: the process alone (--version)"));
}

Result<Measurement> hostReady(const Options &options)
{
    HostRig rig;
    if (const auto prepared = rig.prepare(10000); !prepared)
        return prepared.error();
    QList<double> samples;
    for (int run = 0; run < options.runs() + 1; ++run) {
        if (const auto ready = rig.start(); !ready)
            return ready.error();
        if (run > 0)
            samples.append(rig.host().startMs());
        rig.host().stop();
    }
    return Measurement{samples, bareStartMs(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host")), QStringLiteral("warm; floor: the process alone (--version)")};
}

} // namespace

QList<Row> startRows()
{
    return {
        Row{QStringLiteral("S0"), QStringLiteral("start → first paint of the window"), QStringLiteral("ms"), 150, false, firstPaint},
        Row{QStringLiteral("S1"), QStringLiteral("start → dashboard painted, 1,000 tasks from the cache, no host"), QStringLiteral("ms"), 150, false, dashboardFromCache},
        Row{QStringLiteral("S1b"), QStringLiteral("the same from the live host, without a cache"), QStringLiteral("ms"), 150, false, dashboardPainted},
        Row{QStringLiteral("S2"), QStringLiteral("start → live"), QStringLiteral("ms"), 250, false, live},
        Row{QStringLiteral("S3"), QStringLiteral("host start → ready, 10,000 tasks"), QStringLiteral("ms"), 150, false, hostReady},
    };
}

} // namespace foundry::bench
