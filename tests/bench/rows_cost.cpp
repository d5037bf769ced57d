// Rows of what it costs to be there: memory and processor time of an idle workbench and its host.
#include "realtime/protocol/codec.h"
#include "tests/bench/clientrig.h"
#include "tests/bench/hostrig.h"
#include "tests/bench/report.h"
#include "tests/bench/windowrig.h"

#include <QThread>

namespace foundry::bench {

namespace {

// Host and window with 1,000 tasks and one task open, left alone until they rest.
struct IdleWorkbench {
    HostRig rig;
    WindowRig window;

    Result<> start()
    {
        if (const auto prepared = rig.prepare(1000); !prepared)
            return prepared;
        if (const auto ready = rig.start(); !ready)
            return ready;
        auto organization = rig.organization();
        if (!organization)
            return organization.error();
        CreateTask create;
        create.requestId = makeId<RequestId>();
        create.taskId = makeId<TaskId>();
        create.sessionId = makeId<SessionId>();
        create.repoId = rig.repo();
        create.prompt = Prompt{QStringLiteral("What can you do?"), {}};
        create.agent = AgentId(QStringLiteral("runner"));
        if (const auto made = (*organization)->call(QStringLiteral("createTask"), protocol::encodeArgs(create)); !made)
            return made.error();
        if (const auto started = window.start(rig.dataDir(), {QStringLiteral("--task"), create.taskId.value}); !started)
            return started;
        if (const auto shown = window.mark(QStringLiteral("task")); !shown)
            return shown.error();
        QThread::sleep(3); // turns, probes and caches of the start are over
        return Unit{};
    }
};

Result<Measurement> memory(const Options &options)
{
    QList<double> samples;
    for (int run = 0; run < qMin(options.runs(), 3); ++run) {
        IdleWorkbench idle;
        if (const auto started = idle.start(); !started)
            return started.error();
        const auto pss = pssMb(idle.window.pid());
        if (!pss)
            return pss.error();
        samples.append(*pss);
    }
    return Measurement{samples, 29, QStringLiteral("PSS, offscreen; floor: an empty Qt window as measured for the budget")};
}

Result<Measurement> idleCpu(const Options &options)
{
    IdleWorkbench idle;
    if (const auto started = idle.start(); !started)
        return started.error();
    const int seconds = options.isShort ? 10 : 60;
    const auto cpuOf = [&](qint64 pid) { return processCpuMs(pid); };
    const auto windowCpu = cpuOf(idle.window.pid());
    const auto hostCpu = cpuOf(idle.rig.host().pid());
    const auto windowWakes = wakeUps(idle.window.pid());
    const auto hostWakes = wakeUps(idle.rig.host().pid());
    QThread::sleep(ulong(seconds));
    const auto windowAfter = cpuOf(idle.window.pid());
    const auto hostAfter = cpuOf(idle.rig.host().pid());
    const auto windowWakesAfter = wakeUps(idle.window.pid());
    const auto hostWakesAfter = wakeUps(idle.rig.host().pid());
    for (const auto *figure : {&windowCpu, &hostCpu, &windowAfter, &hostAfter}) {
        if (!*figure)
            return figure->error();
    }
    for (const auto *figure : {&windowWakes, &hostWakes, &windowWakesAfter, &hostWakesAfter}) {
        if (!*figure)
            return figure->error();
    }
    const double used = (*windowAfter - *windowCpu) + (*hostAfter - *hostCpu);
    return Measurement{{used / (seconds * 1000.0) * 100}, {},
        QStringLiteral("%1 s; wake-ups a second: window %2, host %3 (budget 2 each)").arg(seconds)
            .arg(double(*windowWakesAfter - *windowWakes) / seconds, 0, 'f', 1).arg(double(*hostWakesAfter - *hostWakes) / seconds, 0, 'f', 1)};
}

} // namespace

QList<Row> costRows()
{
    return {
        Row{QStringLiteral("M1"), QStringLiteral("workbench PSS, 1,000 tasks, one task open, idle"), QStringLiteral("MB"), 80, false, memory},
        Row{QStringLiteral("I1"), QStringLiteral("idle processor, workbench + host, of one core"), QStringLiteral("%"), 0.1, false, idleCpu},
    };
}

} // namespace foundry::bench
