// The sandbox when its task is archived, deleted or brought back: everything in it is stopped, the work is kept, the
// place is given back; and the other way round. One order at a time, in the order of their coming.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/messagejson.h"
#include "backend/actors/sandboxactor.h"
#include "backend/git/asidework.h"
#include "backend/sandboxes/workkeeper.h"
#include "backend/store/database.h"

#include <QDirIterator>

#include <algorithm>
#include <sys/stat.h>

namespace foundry::backend {

namespace {

constexpr int sandboxStopGraceMs = 5000; // then agents are killed
constexpr int sandboxLongestMs = 24 * 3600 * 1000;

constexpr int usageMostFiles = 1000000; // then it is as much as was seen

// Blocks on the disk, links not followed. 0: not there, or not on this machine.
qint64 usageBytes(const QString &folder)
{
    if (folder.isEmpty())
        return 0;
    qint64 bytes = 0;
    QDirIterator files(folder, QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot, QDirIterator::Subdirectories);
    for (int n = 0; n < usageMostFiles && files.hasNext(); ++n) {
        struct stat facts = {};
        if (::lstat(files.next().toLocal8Bit().constData(), &facts) == 0)
            bytes += qint64(facts.st_blocks) * 512;
    }
    return bytes;
}

bool isSandboxSameOrder(const PlaceOrder &a, const PlaceOrder &b)
{
    return a.job == b.job && a.step == b.step && a.attempt == b.attempt && a.what == b.what;
}

} // namespace

bool SandboxActor::receivedPlaceOrder(Transaction &tx, const Send &send, Result<> *outcome)
{
    const bool abandon = send.name == QLatin1StringView("abandonPlaceOrder");
    if (!abandon && send.name != QLatin1StringView("placeOrder"))
        return false;
    auto order = decodePlaceOrder(send.json);
    *outcome = order ? Result<>(Unit{}) : Result<>(order.error());
    if (!order)
        return true;
    // What is closed stays closed over a restart: nothing begins here until the task is brought back.
    if (!abandon && (order->what == QLatin1StringView("stop") || order->what == QLatin1StringView("open")))
        tx.database().run("INSERT OR REPLACE INTO record (key, value) VALUES ('closed', ?)", order->what == QLatin1StringView("stop") ? QStringLiteral("1") : QString());
    tx.afterCommit([this, order = *order, abandon] {
        if (abandon)
            abandonPlaceOrder(order);
        else if (m_orphans > 0)
            m_afterOrphans.append([this, order] { takePlaceOrder(order); });
        else
            takePlaceOrder(order);
    });
    return true;
}

void SandboxActor::takePlaceOrder(const PlaceOrder &order)
{
    if (order.what == QLatin1StringView("open")) {
        m_isClosed = false;
        return;
    }
    if (order.what == QLatin1StringView("stop"))
        m_isClosed = true;
    if (m_placeOrder && isSandboxSameOrder(*m_placeOrder, order) && !m_placeAbandoned)
        return; // it is under way
    m_placeOrders.append(order);
    nextPlaceOrder();
}

void SandboxActor::abandonPlaceOrder(const PlaceOrder &order)
{
    m_placeOrders.removeIf([&order](const PlaceOrder &waiting) { return isSandboxSameOrder(waiting, order); });
    if (!m_placeOrder || !isSandboxSameOrder(*m_placeOrder, order))
        return;
    m_placeAbandoned = true;
    if (m_placeOperation)
        m_placeOperation->cancel();
    else if (m_placeOrder->what == QLatin1StringView("stop"))
        placeOrderDone({}); // what it ends may go on ending
}

void SandboxActor::nextPlaceOrder()
{
    if (m_placeOrder || m_placeOrders.isEmpty())
        return;
    m_placeOrder = m_placeOrders.takeFirst();
    m_placeAbandoned = false;
    if (m_placeOrder->what == QLatin1StringView("stop"))
        stopEverything();
    else
        runPlaceOrder(*m_placeOrder);
}

void SandboxActor::stopEverything()
{
    for (auto &[agent, process] : m_processes) {
        if (process.client)
            process.client->stop(false);
    }
    QTimer::singleShot(sandboxStopGraceMs, context().owner(), [this, order = *m_placeOrder] {
        if (!m_placeOrder || !isSandboxSameOrder(*m_placeOrder, order))
            return;
        for (auto &[agent, process] : m_processes) {
            if (process.client)
                process.client->stop(true);
        }
    });
    // Processes of users end, and are killed when they do not, by rules of their own.
    m_desk.endAll([this, order = *m_placeOrder] {
        if (m_placeOrder && isSandboxSameOrder(*m_placeOrder, order))
            somethingStopped();
    });
    somethingStopped();
}

// Called whenever a process or an operation of this sandbox has ended.
void SandboxActor::somethingStopped()
{
    if (!m_placeOrder || m_placeOrder->what != QLatin1StringView("stop"))
        return;
    if (!m_processes.empty() || !m_operations.isEmpty() || m_orphans > 0 || m_desk.isBusy())
        return;
    // An agent of an earlier run that could not be ended would write into what is being saved.
    auto q = context().database().query("SELECT 1 FROM agent_processes WHERE generation != ?", context().generation());
    if (q.next()) {
        PlaceReport report;
        report.error = makeError(QLatin1StringView("agent"), QLatin1StringView("timeout"),
            QStringLiteral("An agent of an earlier run of the host is still in this work tree and could not be ended."),
            QStringLiteral("End it by hand or restart the machine, then try again."));
        placeOrderDone(report);
        return;
    }
    placeOrderDone({});
}

void SandboxActor::runPlaceOrder(const PlaceOrder &order)
{
    if (!m_provider) {
        PlaceReport report;
        report.error = makeError(QLatin1StringView("sandbox"), QLatin1StringView("unknown_provider"),
            QStringLiteral("This host has no sandboxes of the kind “%1”, so the work in this one cannot be kept.").arg(m_creation->provider),
            QStringLiteral("Start a host that has them, then try again."));
        placeOrderDone(report);
        return;
    }
    WorkKeeper *keeper = m_provider->keeper();
    SandboxSpec spec;
    spec.organization = m_creation->organization;
    spec.repo = m_creation->repo;
    spec.task = m_creation->task;
    spec.repository = order.repositoryPath;
    spec.branch = order.branch;
    spec.baseBranch = order.baseBranch;
    spec.adopt = true; // the branch was made before, or is brought back
    const int deadline = order.deadlineMs > 0 ? int(qMin<qint64>(order.deadlineMs, sandboxLongestMs)) : 3600 * 1000;
    QObject *owner = context().owner();
    // Each ends as a report: an error, or what `fill` puts in.
    const auto reporting = [this](auto fill) {
        return [this, fill](auto result) {
            PlaceReport report;
            if (result)
                fill(report, *result);
            else
                report.error = result.error();
            placeOrderDone(report);
        };
    };
    if (order.what == QLatin1StringView("look")) {
        followPlaceOperation(keeper->look(spec, m_handle, deadline, owner, reporting([](PlaceReport &report, const TaskLoss &loss) { report.loss = loss; })));
    } else if (order.what == QLatin1StringView("save")) {
        followPlaceOperation(keeper->save(spec, m_handle, order.ref, order.all, deadline, owner,
            reporting([](PlaceReport &report, const SavedWork &saved) { report.saved = saved; })));
    } else if (order.what == QLatin1StringView("release")) {
        releasePlace(order, spec, deadline);
    } else if (order.what == QLatin1StringView("put_back")) {
        followPlaceOperation(keeper->putBack(spec, m_handle, order.saved, deadline, owner,
            reporting([](PlaceReport &report, const QString &note) { report.note = note; })));
    } else if (order.what == QLatin1StringView("forget")) {
        followPlaceOperation(keeper->forget(spec, order.ref, order.saved.kept, order.all, deadline, owner, [this, order](Result<Unit> forgotten) {
            if (forgotten && order.all)
                return forgetBlobs();
            PlaceReport report;
            if (!forgotten)
                report.error = forgotten.error();
            placeOrderDone(report);
        }));
    } else if (order.what == QLatin1StringView("prepare")) {
        followPlaceOperation(keeper->bringBack(spec, order.saved, deadline, owner, [this, spec, deadline, reporting](Result<Unit> back) {
            if (!back || m_placeAbandoned) {
                PlaceReport report;
                report.error = back ? makeError(QLatin1StringView("sandbox"), QLatin1StringView("cancelled"), QStringLiteral("Cancelled.")) : back.error();
                placeOrderDone(report);
                return;
            }
            preparePlace(
                spec, deadline, [this](SandboxOperation *begun) { followPlaceOperation(begun); }, [this] { return !m_placeAbandoned; },
                reporting([this](PlaceReport &report, const SandboxHandle &handle) {
                    m_handle = handle;
                    m_isClosed = false;
                    report.workTree = handle.workTree;
                    report.head = handle.head;
                }));
        }));
    } else {
        placeOrderDone({});
    }
}

// The work is kept: the place goes, then the branch. A kill between the two leaves a step that is done again.
void SandboxActor::releasePlace(const PlaceOrder &order, const SandboxSpec &spec, int deadlineMs)
{
    followPlaceOperation(m_provider->destroy(spec, m_handle, true, deadlineMs, context().owner(), [this, order, spec, deadlineMs](Result<Unit> gone) {
        if (!gone || m_placeAbandoned) {
            PlaceReport report;
            report.error = gone ? makeError(QLatin1StringView("sandbox"), QLatin1StringView("cancelled"), QStringLiteral("Cancelled.")) : gone.error();
            placeOrderDone(report);
            return;
        }
        const SandboxHandle handle = std::exchange(m_handle, {});
        m_placeKnown = false;
        write([this](Transaction &tx) -> Result<> {
            keepHandle(tx);
            return Unit{};
        });
        followPlaceOperation(m_provider->keeper()->release(spec, handle, order.saved, order.all, deadlineMs, context().owner(), [this](Result<QString> note) {
            PlaceReport report;
            if (note)
                report.note = *note;
            else
                report.error = note.error();
            placeOrderDone(report);
        }));
    }));
}

// The last of a purge, before it is reported: a kill between its files leaves a step that is done again.
void SandboxActor::forgetBlobs()
{
    m_placeOperation.clear();
    workAside<Result<>>(context().owner(), [blobs = m_blobs.ofTask(m_creation->task)] { return blobs.removeTask(); }, [this](Result<> removed) {
        PlaceReport report;
        if (!removed)
            report.error = removed.error();
        placeOrderDone(report);
    });
}

void SandboxActor::followPlaceOperation(SandboxOperation *operation)
{
    m_placeOperation = operation;
}

void SandboxActor::placeOrderDone(PlaceReport report)
{
    if (!m_placeOrder)
        return;
    const PlaceOrder order = *m_placeOrder;
    const bool abandoned = m_placeAbandoned;
    m_placeOrder.reset();
    m_placeOperation.clear();
    report.job = order.job;
    report.step = order.step;
    report.attempt = order.attempt;
    if (order.what == QLatin1StringView("prepare") || order.what == QLatin1StringView("release"))
        measure();
    if (!abandoned || !report.workTree.isEmpty()) {
        write([&](Transaction &tx) -> Result<> {
            if (!report.workTree.isEmpty()) {
                keepHandle(tx);
                tx.database().run("INSERT OR REPLACE INTO record (key, value) VALUES ('closed', '')");
            }
            if (!abandoned && !order.job.isEmpty())
                tx.send(task(), QStringLiteral("placeReport"), encodePlaceReport(report));
            return Unit{};
        });
    }
    nextPlaceOrder();
}

void SandboxActor::tellUsage(Transaction &tx)
{
    const auto agents = std::count_if(m_processes.begin(), m_processes.end(), [](const auto &process) { return process.second.isUp; });
    QByteArray told;
    qint64 bytes = 0;
    {
        auto q = tx.database().query("SELECT key, value FROM record WHERE key IN ('usage', 'diskBytes')");
        while (q.next()) {
            if (q.text(0) == QLatin1StringView("usage"))
                told = q.bytes(1);
            else
                bytes = q.bytes(1).toLongLong();
        }
    }
    const QByteArray usage = messagejson::text({{QStringLiteral("agentsRunning"), qint64(agents)}, {QStringLiteral("tasksDiskBytes"), bytes}});
    if (usage == told || (told.isEmpty() && agents == 0 && bytes == 0))
        return;
    tx.database().run("INSERT OR REPLACE INTO record (key, value) VALUES ('usage', ?)", usage);
    tx.send(appAddress(), QStringLiteral("usage"), usage);
}

void SandboxActor::measure()
{
    ++m_measuring;
    workAside<qint64>(context().owner(), [folder = m_handle.workTree] { return usageBytes(folder); }, [this](qint64 bytes) {
        --m_measuring;
        write([&](Transaction &tx) -> Result<> {
            tx.database().run("INSERT OR REPLACE INTO record (key, value) VALUES ('diskBytes', ?)", QByteArray::number(bytes));
            tellUsage(tx);
            return Unit{};
        });
    });
}

void SandboxActor::keepHandle(Transaction &tx)
{
    const QJsonObject handle{{QStringLiteral("provider"), m_handle.provider}, {QStringLiteral("place"), m_handle.place},
        {QStringLiteral("workTree"), m_handle.workTree}, {QStringLiteral("branch"), m_handle.branch}, {QStringLiteral("head"), m_handle.head}};
    tx.database().run("INSERT OR REPLACE INTO record (key, value) VALUES ('handle', ?)", messagejson::text(handle));
}

} // namespace foundry::backend
