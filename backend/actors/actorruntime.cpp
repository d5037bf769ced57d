#include "backend/actors/actorruntime.h"

#include <QDateTime>
#include <QDir>
#include <QLoggingCategory>
#include <QPointer>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcRuntime, "foundry.actors.runtime")

namespace {

constexpr int kOpenAtOnce = 64;

Error actorruntimeNotFound(const QString &what)
{
    return makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"),
        QStringLiteral("There is no actor %1.").arg(what));
}

Error actorruntimeOverloaded()
{
    return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
        QStringLiteral("More is asked of this actor than it can hold."), QStringLiteral("Try again in a moment."));
}

} // namespace

// What was under way before is opened a few at a time: after a power loss that is every actor there is.
struct RuntimeOpening {
    QStringList ids;
    qsizetype next = 0;
    qsizetype opened = 0;
    bool said = false;
    std::function<void()> ready;
};

ActorRuntime::ActorRuntime(RuntimeOptions options, QList<ActorFactory> factories, QObject *parent)
    : QObject(parent)
    , m_ownMetrics(options.metrics ? nullptr : std::make_unique<HostMetrics>())
    , m_metrics(options.metrics ? options.metrics : m_ownMetrics.get())
    , m_options(std::move(options))
    , m_factories(std::move(factories))
    , m_idle(m_options.idleActors)
{
    m_clock.setSingleShot(true);
    connect(&m_clock, &QTimer::timeout, this, &ActorRuntime::wakeDue);
}

ActorRuntime::~ActorRuntime()
{
    for (const auto &worker : m_workers) {
        worker->thread.quit();
        worker->thread.wait(); // after stop() they are idle
    }
    m_cells.clear();
}

Result<> ActorRuntime::open(EventSink *sink)
{
    m_sink = sink;
    QDir().mkpath(m_options.dataDir);
    auto registry = ActorRegistry::open(m_options.dataDir);
    if (!registry)
        return registry.error();
    m_registry = std::move(*registry);
    for (int i = 0; i < qMax(1, m_options.workers); ++i) {
        auto worker = std::make_unique<Worker>();
        worker->loop = std::make_unique<QObject>();
        worker->loop->moveToThread(&worker->thread);
        worker->thread.setObjectName(QStringLiteral("actors-%1").arg(i));
        worker->thread.start();
        m_workers.push_back(std::move(worker));
    }
    return Unit{};
}

void ActorRuntime::start(std::function<void()> ready)
{
    // After a power loss an entry of the wake index may be missing: then every actor is looked at.
    const QStringList due = m_registry->lastStopWasClean() ? m_registry->dueUntil(QDateTime::currentMSecsSinceEpoch())
                                                           : m_registry->allIds();
    auto opening = std::make_shared<RuntimeOpening>(RuntimeOpening{due, 0, 0, false, std::move(ready)});
    if (due.isEmpty()) {
        QMetaObject::invokeMethod(this, [this, opening] { finishOpening(*opening); }, Qt::QueuedConnection);
        return;
    }
    QTimer::singleShot(m_options.openDeadlineMs, this, [this, opening] {
        if (!opening->said)
            qCWarning(lcRuntime, "%lld actors are still opening", qint64(opening->ids.size() - opening->opened));
        finishOpening(*opening);
    });
    for (int i = 0; i < kOpenAtOnce; ++i)
        openNext(opening);
}

void ActorRuntime::finishOpening(RuntimeOpening &opening)
{
    if (opening.said)
        return;
    opening.said = true;
    setClock();
    opening.ready();
}

void ActorRuntime::openNext(const std::shared_ptr<RuntimeOpening> &opening)
{
    if (opening->next >= opening->ids.size() || m_stopping)
        return;
    const QString id = opening->ids.at(opening->next++);
    const auto opened = [this, opening] {
        QMetaObject::invokeMethod(
            this,
            [this, opening] {
                if (++opening->opened == opening->ids.size())
                    finishOpening(*opening);
                else
                    openNext(opening);
            },
            Qt::QueuedConnection);
    };
    ActorMessage message;
    message.run = [opened](ActorInstance &) { opened(); };
    message.refuse = [opened](const Error &) { opened(); };
    post(id, std::move(message));
}

void ActorRuntime::stop(std::function<void()> done)
{
    m_stopping = true;
    m_clock.stop();
    QList<std::shared_ptr<ActorCell>> cells;
    {
        const std::lock_guard lock(m_mutex);
        cells = m_cells.values();
    }
    auto left = std::make_shared<qsizetype>(cells.size());
    const auto finish = [this, done = std::move(done)] {
        m_registry->markClean();
        done();
    };
    if (cells.isEmpty()) {
        QMetaObject::invokeMethod(this, finish, Qt::QueuedConnection);
        return;
    }
    const auto closed = [this, left, finish] {
        QMetaObject::invokeMethod(
            this,
            [left, finish] {
                if (--*left == 0)
                    finish();
            },
            Qt::QueuedConnection);
    };
    for (const auto &cell : std::as_const(cells))
        cell->drain({StopReason::Stop, std::nullopt, true, closed});
    QTimer::singleShot(m_options.drainMs, this, [cells] {
        for (const auto &cell : cells)
            cell->expire();
    });
}

void ActorRuntime::stopActor(const QString &id, StopReason reason, const Error &told, std::function<void()> done)
{
    std::shared_ptr<ActorCell> cell;
    {
        const std::lock_guard lock(m_mutex);
        cell = m_cells.value(id);
    }
    if (!cell) {
        if (done)
            done();
        return;
    }
    cell->drain({reason, told, false, std::move(done)});
    QMetaObject::invokeMethod(
        this,
        [this, weak = std::weak_ptr(cell)] {
            QTimer::singleShot(m_options.drainMs, this, [weak] {
                if (const auto draining = weak.lock())
                    draining->expire();
            });
        },
        Qt::QueuedConnection);
}

const ActorFactory *ActorRuntime::factoryFor(const ActorAddress &address) const
{
    for (const ActorFactory &factory : m_factories) {
        if (factory.name == address.name && factory.keyMatches(address.key))
            return &factory;
    }
    return nullptr;
}

bool ActorRuntime::mayTouch(const ActorFactory &factory, const ActorAddress &address) const
{
    if (factory.createdBy != CreatedBy::FirstTouch)
        return false;
    const auto parent = factory.parent ? factory.parent(address.key) : std::nullopt;
    return !parent || m_registry->find(actorIdOf(*parent));
}

Result<ActorRef> ActorRuntime::get(const ActorAddress &address)
{
    const std::lock_guard lock(m_mutex);
    if (auto found = m_registry->find(actorIdOf(address)); found && !found->retired)
        return *found;
    return actorruntimeNotFound(addressText(address));
}

Result<ActorRef> ActorRuntime::getOrCreate(const ActorAddress &address, bool *created)
{
    const std::lock_guard lock(m_mutex);
    if (created)
        *created = false;
    if (auto found = m_registry->find(actorIdOf(address))) {
        if (found->retired)
            return actorruntimeNotFound(addressText(address));
        return *found;
    }
    const ActorFactory *factory = factoryFor(address);
    if (!factory || !mayTouch(*factory, address))
        return actorruntimeNotFound(addressText(address));
    if (m_stopping)
        return actorStoppingError();
    return m_registry->add(address, created);
}

Result<ActorRef> ActorRuntime::byId(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    if (auto found = m_registry->find(id); found && !found->retired)
        return *found;
    return actorruntimeNotFound(id.left(64));
}

QList<ActorRef> ActorRuntime::list(const QString &name)
{
    return m_registry->list(name);
}

QStringList ActorRuntime::actorNames() const
{
    QStringList names;
    for (const ActorFactory &factory : m_factories)
        names.append(factory.name);
    return names;
}

void ActorRuntime::countWorking(std::function<void(int working)> done)
{
    struct Count {
        std::atomic<int> working = 0;
        std::function<void(int)> done;
        QPointer<ActorRuntime> runtime;
        // The last mailbox to let go of it has answered, or sleeps, or is closed.
        ~Count()
        {
            if (!runtime)
                return;
            QMetaObject::invokeMethod(
                runtime, [done = std::move(done), working = working.load()] { done(working); }, Qt::QueuedConnection);
        }
    };
    auto count = std::make_shared<Count>();
    count->done = std::move(done);
    count->runtime = this;
    const std::lock_guard lock(m_mutex);
    for (const auto &cell : std::as_const(m_cells)) {
        ActorMessage message;
        message.run = [count](ActorInstance &actor) {
            if (actor.isWorking())
                ++count->working;
        };
        message.wakes = false;
        cell->post(std::move(message));
    }
}

Result<std::shared_ptr<ActorCell>> ActorRuntime::cellOf(const QString &id)
{
    if (const auto known = m_cells.constFind(id); known != m_cells.cend())
        return *known;
    const auto ref = m_registry->find(id);
    if (!ref)
        return actorruntimeNotFound(id.left(64));
    const ActorFactory *factory = factoryFor(ref->address);
    if (!factory)
        return actorruntimeNotFound(addressText(ref->address));
    return cellOf(*ref, *factory);
}

std::shared_ptr<ActorCell> ActorRuntime::cellOf(const ActorRef &ref, const ActorFactory &factory)
{
    auto &cell = m_cells[ref.id];
    if (!cell) {
        // Coordinators answer the lists and the creations: they have the first thread for themselves, so that no task's
        // disk or process is in their way.
        const size_t others = m_workers.size() - 1;
        const bool coordinates = factory.createdBy == CreatedBy::FirstTouch || others == 0;
        const size_t place = coordinates ? 0 : 1 + size_t(qHash(ref.id)) % others;
        cell = std::make_shared<ActorCell>(ref, factory, ActorCell::Options{m_options.dataDir, m_options.idleMs, m_options.mailbox},
            static_cast<ActorPost &>(*this), m_workers.at(place)->loop.get());
    }
    return cell;
}

void ActorRuntime::post(const QString &id, ActorMessage message)
{
    const auto refuse = message.refuse;
    std::optional<Error> error;
    {
        const std::lock_guard lock(m_mutex);
        // Where nobody is awake there is nobody to tell; and a host that stops wakes nobody.
        const bool known = m_cells.contains(id);
        if (!known && !message.wakes)
            return;
        if (!known && m_stopping) {
            error = actorStoppingError();
        } else if (auto cell = cellOf(id); !cell) {
            error = cell.error();
        } else {
            switch ((*cell)->post(std::move(message))) {
            case ActorCell::Posted::Taken:
                break;
            case ActorCell::Posted::Stopping:
                error = actorStoppingError();
                break;
            case ActorCell::Posted::Overloaded:
                error = actorruntimeOverloaded();
                break;
            }
        }
    }
    if (error && refuse)
        refuse(*error);
}

void ActorRuntime::started(const QString &)
{
    ++m_loaded;
}

void ActorRuntime::idled(const QString &id)
{
    for (const QString &other : m_idle.used(id)) {
        std::shared_ptr<ActorCell> cell;
        {
            const std::lock_guard lock(m_mutex);
            cell = m_cells.value(other);
        }
        if (cell)
            cell->askToRest();
    }
}

void ActorRuntime::stopped(const ActorStop &stop)
{
    --m_loaded;
    m_idle.gone(stop.actorId);
    m_metrics->drain.with({stop.address.name.toLatin1()}).observe(double(stop.cleanupEndedAt - stop.drainStartedAt) / 1000);
    qCInfo(lcRuntime, "%s", encodeActorStop(stop).constData());
    if (m_options.onStop)
        m_options.onStop(stop);
}

void ActorRuntime::vacated(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    const auto cell = m_cells.constFind(id);
    if (cell != m_cells.cend() && (*cell)->isVacant())
        m_cells.erase(cell);
}

void ActorRuntime::dueChanged()
{
    if (m_stopping || m_clockAsked.exchange(true))
        return;
    QMetaObject::invokeMethod(this, [this] { setClock(); }, Qt::QueuedConnection);
}

void ActorRuntime::setClock()
{
    m_clockAsked = false;
    if (m_stopping)
        return;
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    if (const auto next = m_registry->nextDue(now))
        m_clock.start(int(qBound(Millis(1), *next - now, Millis(24) * 3600 * 1000)));
    else
        m_clock.stop();
}

void ActorRuntime::wakeDue()
{
    for (const QString &id : m_registry->dueUntil(QDateTime::currentMSecsSinceEpoch())) {
        ActorMessage message;
        message.run = [](ActorInstance &) {};
        post(id, std::move(message));
    }
    setClock();
}

} // namespace foundry::backend
