#include "backend/actors/actorruntime.h"

#include <QDateTime>
#include <QDir>
#include <QLoggingCategory>
#include <QPointer>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcRuntime, "foundry.actors.runtime")

namespace {

Error actorruntimeNotFound(const QString &what)
{
    return makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"),
        QStringLiteral("There is no actor %1.").arg(what));
}

Error actorruntimeStopping()
{
    return makeError(QLatin1StringView("actor"), QLatin1StringView("stopping"), QStringLiteral("The host is stopping."),
        QStringLiteral("Try again when it runs."));
}

QString actorruntimeName(const ActorAddress &address)
{
    return address.name + QLatin1Char('/') + address.key.join(QLatin1Char('/'));
}

} // namespace

ActorRuntime::ActorRuntime(RuntimeOptions options, QList<ActorFactory> factories, QObject *parent)
    : QObject(parent)
    , m_options(std::move(options))
    , m_factories(std::move(factories))
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
    struct Opening {
        qsizetype left = 0;
        bool said = false;
        std::function<void()> ready;
    };
    auto opening = std::make_shared<Opening>(Opening{due.size(), false, std::move(ready)});
    const auto finish = [this, opening] {
        if (opening->said)
            return;
        opening->said = true;
        setClock();
        opening->ready();
    };
    if (due.isEmpty()) {
        QMetaObject::invokeMethod(this, finish, Qt::QueuedConnection);
        return;
    }
    QTimer::singleShot(m_options.openDeadlineMs, this, [opening, finish] {
        if (!opening->said)
            qCWarning(lcRuntime, "%lld actors are still opening", qint64(opening->left));
        finish();
    });
    const auto opened = [this, opening, finish] {
        QMetaObject::invokeMethod(
            this,
            [opening, finish] {
                if (--opening->left == 0)
                    finish();
            },
            Qt::QueuedConnection);
    };
    for (const QString &id : due)
        post(id, ActorMessage{[opened](ActorInstance &) { opened(); }, [opened](const Error &) { opened(); }});
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
        cell->close(StopReason::Stop, closed);
}

const ActorFactory *ActorRuntime::factoryFor(const ActorAddress &address) const
{
    for (const ActorFactory &factory : m_factories) {
        if (factory.name == address.name && factory.keyMatches(address.key))
            return &factory;
    }
    return nullptr;
}

Result<ActorRef> ActorRuntime::get(const ActorAddress &address)
{
    const std::lock_guard lock(m_mutex);
    if (auto found = m_registry->find(actorIdOf(address)))
        return *found;
    return actorruntimeNotFound(actorruntimeName(address));
}

Result<ActorRef> ActorRuntime::getOrCreate(const ActorAddress &address, bool *created)
{
    const std::lock_guard lock(m_mutex);
    if (created)
        *created = false;
    if (auto found = m_registry->find(actorIdOf(address)))
        return *found;
    const ActorFactory *factory = factoryFor(address);
    if (!factory || factory->createdBy == CreatedBy::SendOnly)
        return actorruntimeNotFound(actorruntimeName(address));
    if (m_stopping)
        return actorruntimeStopping();
    return m_registry->add(address, created);
}

Result<ActorRef> ActorRuntime::byId(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    if (auto found = m_registry->find(id))
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
        cell->post(ActorMessage{[count](ActorInstance &actor) {
                                    if (actor.isWorking())
                                        ++count->working;
                                },
            {}, false});
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
        return actorruntimeNotFound(actorruntimeName(ref->address));
    return cellOf(*ref, *factory);
}

std::shared_ptr<ActorCell> ActorRuntime::cellOf(const ActorRef &ref, const ActorFactory &factory)
{
    auto &cell = m_cells[ref.id];
    if (!cell) {
        QObject *loop = m_workers.at(size_t(qHash(ref.id) % m_workers.size()))->loop.get();
        cell = std::make_shared<ActorCell>(ref, factory, m_options.dataDir, static_cast<ActorPost &>(*this), loop, m_options.idleMs);
    }
    return cell;
}

void ActorRuntime::post(const QString &id, ActorMessage message)
{
    const auto refuse = message.refuse;
    std::optional<Error> error;
    {
        const std::lock_guard lock(m_mutex);
        auto cell = cellOf(id);
        if (!cell)
            error = cell.error();
        else if (!(*cell)->post(std::move(message)))
            error = actorruntimeStopping();
    }
    if (error && refuse)
        refuse(*error);
}

void ActorRuntime::act(const QString &id, ActorCall call, ActorReply reply)
{
    if (m_stopping) {
        reply(actorruntimeStopping());
        return;
    }
    post(id, ActorMessage{[call = std::move(call), reply](ActorInstance &actor) { actor.act(call, reply); },
                 [reply](const Error &error) { reply(error); }});
}

void ActorRuntime::attach(const QString &id, ConnectionId connection, std::function<void(Result<>)> reply)
{
    post(id, ActorMessage{[connection, reply](ActorInstance &actor) {
                 actor.connected(connection);
                 reply(Unit{});
             }, [reply](const Error &error) { reply(error); }});
}

void ActorRuntime::subscribe(const QString &id, ConnectionId connection, const QString &topic, bool on)
{
    post(id, ActorMessage{[connection, topic, on](ActorInstance &actor) { actor.subscribe(connection, topic, on); }, {}});
}

void ActorRuntime::detach(const QString &id, ConnectionId connection)
{
    post(id, ActorMessage{[connection](ActorInstance &actor) { actor.disconnected(connection); }, {}, false});
}

void ActorRuntime::announce(const ActorAddress &target)
{
    const std::lock_guard lock(m_mutex);
    if (!factoryFor(target))
        return;
    if (auto added = m_registry->add(target, nullptr); !added)
        qCWarning(lcRuntime, "cannot register %ls: %ls", qUtf16Printable(actorruntimeName(target)),
            qUtf16Printable(added.error().message));
}

void ActorRuntime::deliver(const QString &senderId, const ActorAddress &target, const QList<Send> &sends)
{
    const QString targetId = actorIdOf(target);
    enum class Outcome { Posted, Refused, Dropped } outcome = Outcome::Posted;
    {
        // One lock for registering and posting: a client that is early finds the creation in the mailbox before it.
        const std::lock_guard lock(m_mutex);
        const ActorFactory *factory = factoryFor(target);
        std::optional<ActorRef> ref = m_registry->find(targetId);
        if (factory && !ref
            && (factory->createdBy == CreatedBy::FirstTouch || sends.first().name == QLatin1StringView("create"))) {
            auto added = m_registry->add(target, nullptr);
            if (added)
                ref = *added;
            else
                outcome = Outcome::Refused;
        }
        if (outcome == Outcome::Posted && factory && ref) {
            const bool posted = cellOf(*ref, *factory)->post(
                ActorMessage{[senderId, sends](ActorInstance &actor) { actor.receive(senderId, sends); },
                    [this, senderId, targetId](const Error &) { acknowledge(senderId, targetId, 0); }});
            if (!posted)
                outcome = Outcome::Refused;
        } else if (outcome == Outcome::Posted) {
            outcome = Outcome::Dropped;
        }
    }
    if (outcome == Outcome::Dropped) {
        qCWarning(lcRuntime, "a send \"%ls\" to %ls, which does not exist, is dropped", qUtf16Printable(sends.first().name),
            qUtf16Printable(actorruntimeName(target)));
        acknowledge(senderId, targetId, sends.last().sequence);
    } else if (outcome == Outcome::Refused) {
        acknowledge(senderId, targetId, 0);
    }
}

void ActorRuntime::acknowledge(const QString &senderId, const QString &targetId, qint64 upTo)
{
    post(senderId,
        ActorMessage{[targetId, upTo](ActorInstance &actor) { actor.acknowledged(targetId, upTo); }, {}, false});
}

void ActorRuntime::stream(const ActorAddress &from, const ActorAddress &to, const QString &name, const QByteArray &json)
{
    post(actorIdOf(to), ActorMessage{[from, name, json](ActorInstance &actor) { actor.streamed(from, name, json); }, {}});
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
    for (const QString &id : m_registry->dueUntil(QDateTime::currentMSecsSinceEpoch()))
        post(id, ActorMessage{[](ActorInstance &) {}, {}});
    setClock();
}

} // namespace foundry::backend
