// Rows of a host with much to do: its memory with very many tasks and with running sessions, and events for many listeners.
#include "backend/actors/actorregistry.h"
#include "backend/host/server.h"
#include "realtime/protocol/codec.h"
#include "tests/bench/clientrig.h"
#include "tests/bench/fanreaders.h"
#include "tests/bench/hostrig.h"
#include "tests/bench/report.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>

#include <unistd.h>

namespace foundry::bench {

namespace {

constexpr int loadTasks = 10000;
constexpr int loadSessions = 20;
constexpr int loadConnections = 200;
constexpr int loadTokens = 4;

Error loadError(const QString &what)
{
    return makeError(QLatin1StringView("internal"), QLatin1StringView("bench"), what);
}

double loadResidentMb(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/statm").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    return file.readAll().split(' ').value(1).toDouble() * double(::sysconf(_SC_PAGESIZE)) / 1e6;
}

// The list, page by page, as a window reads it when it starts.
Result<int> loadReadList(wire::WireClient &organization)
{
    ChangesSince since;
    since.topic = QStringLiteral("organization");
    int rows = 0;
    do {
        const auto answer = organization.call(QStringLiteral("changesSince"), protocol::encodeArgs(since));
        const auto page = answer ? protocol::decodeChangesPage(*answer) : Result<ChangesPage>(answer.error());
        if (!page)
            return page.error();
        rows += int(page->upserts.size());
        since.cursor = page->cursor;
    } while (since.cursor);
    return rows;
}

Result<std::unique_ptr<HostRig>> loadRig()
{
    auto rig = std::make_unique<HostRig>();
    if (const auto prepared = rig->prepare(loadTasks); !prepared)
        return prepared.error();
    if (const auto ready = rig->start(); !ready)
        return ready.error();
    return rig;
}

// A client that has read the list and hears of what changes in it.
Result<std::unique_ptr<wire::WireClient>> loadListener(HostRig &rig)
{
    auto organization = rig.organization();
    if (!organization)
        return organization.error();
    (*organization)->subscribe(QStringLiteral("organization"));
    if (const auto rows = loadReadList(**organization); !rows)
        return rows.error();
    return organization;
}

Result<Measurement> memoryIdle(const Options &options)
{
    QList<double> samples;
    for (int run = 0; run < options.runs(); ++run) {
        auto rig = loadRig();
        if (!rig)
            return rig.error();
        auto organization = loadListener(**rig);
        if (!organization)
            return organization.error();
        (*organization)->wait([] { return false; }, 1000);
        samples.append(loadResidentMb((*rig)->host().pid()));
    }
    return Measurement{samples, {}, QStringLiteral("resident, a list of 10,000 tasks read and listened to")};
}

// Sessions in the midst of a turn: each of a task of its own waits with its agent for an answer.
Result<Measurement> memoryPerSession(const Options &options)
{
    QList<double> samples;
    for (int run = 0; run < options.runs(); ++run) {
        auto rig = loadRig();
        if (!rig)
            return rig.error();
        auto organization = loadListener(**rig);
        if (!organization)
            return organization.error();
        double before = 0;
        QSet<QString> waiting;
        for (int n = 0; n <= loadSessions; ++n) {
            CreateTask create;
            create.requestId = makeId<RequestId>();
            create.taskId = makeId<TaskId>();
            create.sessionId = makeId<SessionId>();
            create.repoId = (*rig)->repo();
            create.prompt = Prompt{QStringLiteral("/run sleep 1"), {}};
            create.agent = AgentId(QStringLiteral("runner"));
            if (const auto made = (*organization)->call(QStringLiteral("createTask"), protocol::encodeArgs(create)); !made)
                return made.error();
            const bool asks = (*organization)->wait(
                [&] {
                    for (const auto &received : std::as_const((*organization)->events)) {
                        for (const Entity &entity : received.event.upserts) {
                            if (const auto *attention = std::get_if<Attention>(&entity))
                                waiting.insert(attention->taskId.value);
                        }
                    }
                    (*organization)->events.clear();
                    return waiting.size() > n;
                },
                20000);
            if (!asks)
                return loadError(QStringLiteral("A session did not get as far as its question within 20 s."));
            if (n == 0) // the first one also loads what all share
                before = loadResidentMb((*rig)->host().pid());
        }
        (*organization)->wait([] { return false; }, 1000);
        samples.append((loadResidentMb((*rig)->host().pid()) - before) / loadSessions);
    }
    return Measurement{samples, {}, QStringLiteral("resident, 20 sessions of 20 tasks that wait for a permission, beside 10,000 idle tasks")};
}

// Changes a row when it is asked to, each time in a transaction of its own.
class FanActor final : public backend::Actor {
public:
    using Actor::Actor;

    void registerActions(backend::ActionTable &table) override
    {
        table.read(QStringLiteral("emit"), [this](const backend::Caller &, QByteArrayView) -> Result<QByteArray> {
            TaskSummary task = sampleTask(1);
            task.title = QStringLiteral("Title number %1").arg(++m_count);
            const auto put = context().transaction([&](backend::Transaction &tx) -> Result<> {
                tx.put(QStringLiteral("organization"), task);
                return Unit{};
            });
            return put ? Result<QByteArray>(QByteArray("null")) : Result<QByteArray>(put.error());
        });
    }

private:
    int m_count = 0;
};

class FanTokens final : public backend::TokenDirectory {
public:
    Result<backend::TokenHolder> holderOf(const QString &token) const override
    {
        for (int n = 1; n < loadTokens; ++n) {
            if (token == QStringLiteral("token%1").arg(n))
                return backend::TokenHolder{QStringLiteral("token:%1").arg(n)};
        }
        return makeError(QLatin1StringView("auth"), QLatin1StringView("unauthorized"), QStringLiteral("No such token."));
    }
    std::optional<Error> refused(const QString &) const override { return std::nullopt; }
};

Result<Measurement> fanOut(const Options &options)
{
    QTemporaryDir folder;
    backend::HostConfig config;
    config.dataDir = folder.path();
    config.token = QStringLiteral("token0");
    backend::Deliveries deliveries;
    backend::Memberships members;
    for (int n = 1; n < loadTokens; ++n)
        members.setMembership(QStringLiteral("local"), QStringLiteral("token:%1").arg(n), backend::Role::Member);
    backend::RuntimeOptions runtimeOptions;
    runtimeOptions.dataDir = folder.path();
    backend::HostMetrics metrics;
    runtimeOptions.metrics = &metrics;
    const backend::ActorAddress address{QStringLiteral("fan"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("fan")}};
    backend::ActorRuntime runtime(runtimeOptions,
        {backend::ActorFactory{address.name, [](const QStringList &) { return true; }, backend::CreatedBy::FirstTouch,
            [](backend::ActorContext &context) { return std::make_unique<FanActor>(context); }}});
    if (const auto opened = runtime.open(&deliveries); !opened)
        return opened.error();
    const FanTokens tokens;
    backend::Server server(config, runtime, deliveries, &members);
    server.setTokens(&tokens);
    if (const auto listening = server.listen(); !listening)
        return listening.error();
    const auto actor = runtime.getOrCreate(address);
    if (!actor)
        return actor.error();
    QStringList paths;
    for (int n = 0; n < loadConnections; ++n)
        paths.append(QStringLiteral("/gateway/%1@token%2/connect").arg(actor->id).arg(n % loadTokens));

    QObject here;
    std::atomic<int> state = 0; // of the step that is waited for
    const auto until = [&](int wanted, int timeoutMs) {
        QElapsedTimer clock;
        clock.start();
        while (state < wanted && clock.elapsed() < timeoutMs)
            QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 100);
        return state >= wanted;
    };
    FanReaders readers;
    std::atomic<bool> open = false;
    readers.start(server.port(), paths, QStringLiteral("organization"), [&](bool ready) {
        open = ready;
        state = 1;
        QMetaObject::invokeMethod(&here, [] {}, Qt::QueuedConnection);
    });
    QList<double> samples;
    QString note;
    if (until(1, 20000) && open) {
        constexpr int events = 1000;
        for (int run = 0; run < options.runs() + 1; ++run) {
            state = 1;
            const qint64 bytes = readers.bytes();
            readers.notifyAt(readers.frames() + qint64(events) * loadConnections, [&] {
                state = 2;
                QMetaObject::invokeMethod(&here, [] {}, Qt::QueuedConnection);
            });
            QElapsedTimer clock;
            clock.start();
            for (int n = 0; n < events; ++n)
                runtime.act(actor->id, backend::ActorCall{QStringLiteral("emit"), "[]", backend::Caller{}, QStringLiteral("bench")}, [](const Result<QByteArray> &) {});
            if (!until(2, 60000))
                break;
            if (run > 0)
                samples.append(double(events) * loadConnections / (double(clock.nsecsElapsed()) / 1e9));
            note = QStringLiteral("1,000 rows changed, each in its transaction, %1 bytes an event; 200 connections of 4 tokens, read by one thread")
                       .arg((readers.bytes() - bytes) / (qint64(events) * loadConnections));
        }
    }
    bool stopped = false;
    runtime.stop([&] { QMetaObject::invokeMethod(&here, [&] { stopped = true; }, Qt::QueuedConnection); });
    while (!stopped)
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 100);
    if (samples.isEmpty())
        return loadError(QStringLiteral("The listeners did not get their events."));
    return Measurement{samples, {}, note};
}

} // namespace

QList<Row> loadRows()
{
    return {
        Row{QStringLiteral("M3"), QStringLiteral("host, resident, with 10,000 idle tasks"), QStringLiteral("MB"), 80, false, memoryIdle},
        Row{QStringLiteral("M3b"), QStringLiteral("host, resident, per running session beside its agent"), QStringLiteral("MB"), 2, false, memoryPerSession},
        Row{QStringLiteral("H2"), QStringLiteral("events fanned out to 200 connections"), QStringLiteral("events/s"), 100000, true, fanOut},
    };
}

} // namespace foundry::bench
