#include "backend/actors/actorcell.h"

#include <QDateTime>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcCell, "foundry.actors.cell")

namespace {

constexpr int kMessagesPerTurn = 64; // then the other actors of the thread have theirs

Millis actorcellNow()
{
    return QDateTime::currentMSecsSinceEpoch();
}

} // namespace

ActorCell::ActorCell(const ActorRef &ref, const ActorFactory &factory, Options options, ActorPost &post, QObject *worker)
    : m_ref(ref)
    , m_factory(factory)
    , m_options(std::move(options))
    , m_post(post)
    , m_worker(worker)
    , m_mailbox(m_options.mailbox)
{
}

ActorCell::~ActorCell() = default;

ActorCell::Posted ActorCell::post(ActorMessage message)
{
    const std::lock_guard lock(m_mutex);
    if (m_lifecycle == Lifecycle::Stopped)
        return message.kind == ActorMessage::Kind::Note ? Posted::Taken : Posted::Stopping;
    if (m_lifecycle == Lifecycle::Draining && message.kind != ActorMessage::Kind::Note)
        return Posted::Stopping;
    if (m_lifecycle == Lifecycle::Sleeping && !message.wakes && m_mailbox.isEmpty())
        return Posted::Taken;
    if (!m_mailbox.hasRoom(message.kind, message.bytes))
        return Posted::Overloaded;
    m_mailbox.push(std::move(message));
    schedule();
    return Posted::Taken;
}

void ActorCell::drain(Drain drain)
{
    std::deque<ActorMessage> refused;
    {
        const std::lock_guard lock(m_mutex);
        if (m_lifecycle == Lifecycle::Draining) {
            // Asked twice: the first reason stands, both hear of the end.
            m_drain.forGood = m_drain.forGood || drain.forGood;
            m_drain.done = [first = std::move(m_drain.done), second = std::move(drain.done)] {
                for (const auto &done : {first, second}) {
                    if (done)
                        done();
                }
            };
            return;
        }
        if (m_lifecycle == Lifecycle::Stopped) {
            m_drain.done = std::move(drain.done); // what was told before is not told again
        } else {
            m_stop = ActorStop{m_ref.id, m_ref.address, drain.reason};
            m_stop.activeActions = m_isActing ? 1 : 0;
            m_stop.activeRequests = int(m_mailbox.count(ActorMessage::Kind::Call)) + m_stop.activeActions;
            m_stop.drainStartedAt = actorcellNow();
            m_drain = std::move(drain);
            m_expired = false;
            m_lifecycle = Lifecycle::Draining;
            refused = m_mailbox.takeRefusable();
        }
        schedule();
    }
    for (const ActorMessage &message : refused) {
        if (message.refuse)
            message.refuse(actorStoppingError());
    }
}

void ActorCell::expire()
{
    const std::lock_guard lock(m_mutex);
    if (m_lifecycle != Lifecycle::Draining)
        return;
    m_expired = true;
    if (m_running)
        m_running->instance->expire();
}

void ActorCell::askToRest()
{
    const std::lock_guard lock(m_mutex);
    if (m_lifecycle != Lifecycle::Running && m_lifecycle != Lifecycle::Starting)
        return;
    m_restAsked = true;
    schedule();
}

ActorCell::Lifecycle ActorCell::lifecycle()
{
    const std::lock_guard lock(m_mutex);
    return m_lifecycle;
}

bool ActorCell::isVacant()
{
    const std::lock_guard lock(m_mutex);
    return m_lifecycle == Lifecycle::Sleeping && m_mailbox.isEmpty() && !m_scheduled;
}

void ActorCell::setLifecycle(Lifecycle lifecycle)
{
    const std::lock_guard lock(m_mutex);
    if (m_lifecycle != Lifecycle::Draining)
        m_lifecycle = lifecycle;
}

void ActorCell::schedule()
{
    if (m_scheduled)
        return;
    m_scheduled = true;
    QMetaObject::invokeMethod(m_worker, [self = shared_from_this()] { self->turn(); }, Qt::QueuedConnection);
}

void ActorCell::turn()
{
    for (int i = 0; i < kMessagesPerTurn; ++i) {
        if (!runOne())
            break;
    }
    watchIdleness();
    bool vacated = false;
    {
        const std::lock_guard lock(m_mutex);
        if (m_scheduled) // there is more
            QMetaObject::invokeMethod(m_worker, [self = shared_from_this()] { self->turn(); }, Qt::QueuedConnection);
        else
            vacated = m_lifecycle == Lifecycle::Sleeping;
    }
    if (vacated)
        m_post.vacated(m_ref.id);
}

bool ActorCell::runOne()
{
    ActorMessage message;
    bool drained = false;
    bool restAsked = false;
    {
        const std::lock_guard lock(m_mutex);
        if (auto next = m_mailbox.pop()) {
            message = std::move(*next);
            // Nothing begins anew in an actor that ends; what was streamed to it still gets in, until the deadline.
            if (m_lifecycle == Lifecycle::Draining && (!m_running || (m_expired && message.kind == ActorMessage::Kind::Stream)))
                return true;
            m_isActing = message.kind == ActorMessage::Kind::Call;
        } else {
            m_scheduled = false;
            drained = m_lifecycle == Lifecycle::Draining || (m_lifecycle == Lifecycle::Stopped && m_drain.done);
            restAsked = std::exchange(m_restAsked, false);
        }
    }
    if (drained) {
        finishDrain();
        return false;
    }
    if (!message.run) {
        if (restAsked && m_running && !tryRest())
            m_post.idleEnded(m_ref.id);
        return false;
    }
    m_post.metrics().mailboxWait.with({m_ref.address.name.toLatin1()}).observe(message.made.seconds());
    if (m_running || message.wakes) {
        if (auto ready = ensureRunning(message.correlation); ready)
            message.run(*m_running->instance);
        else if (message.refuse)
            message.refuse(ready.error());
    }
    {
        const std::lock_guard lock(m_mutex);
        m_isActing = false;
    }
    if (m_running) {
        if (const auto damage = m_running->instance->damage())
            lose(*damage);
    }
    return true;
}

Result<> ActorCell::ensureRunning(const QString &cause)
{
    if (m_running)
        return Unit{};
    setLifecycle(Lifecycle::Starting);
    auto started = ActorInstance::start(m_ref, m_factory, m_options.dataDir, m_post, cause);
    if (!started) {
        setLifecycle(Lifecycle::Sleeping);
        qCWarning(lcCell, "%ls %ls cannot start: %ls (%ls)", qUtf16Printable(m_ref.address.name), qUtf16Printable(m_ref.id),
            qUtf16Printable(started.error().message), qUtf16Printable(started.error().detail));
        return started.error();
    }
    auto running = std::make_unique<Running>();
    running->instance = std::move(*started);
    running->idle.setSingleShot(true);
    QObject::connect(&running->idle, &QTimer::timeout, m_worker, [self = weak_from_this()] {
        if (auto cell = self.lock())
            cell->rest();
    });
    {
        const std::lock_guard lock(m_mutex);
        m_running = std::move(running);
        if (m_lifecycle != Lifecycle::Draining)
            m_lifecycle = Lifecycle::Running;
        else if (m_expired)
            m_running->instance->expire();
    }
    m_post.started(m_ref.id);
    return Unit{};
}

void ActorCell::watchIdleness()
{
    if (!m_running)
        return;
    if (m_running->instance->isErased() && tryRest())
        return;
    m_lastUsed.start();
    // One that is listened to is looked at again when the last listener has gone: that is a message.
    if (m_running->instance->hasConnections()) {
        m_post.idleEnded(m_ref.id);
        return;
    }
    m_post.idled(m_ref.id);
    if (m_options.idleMs > 0 && !m_running->idle.isActive())
        m_running->idle.start(m_options.idleMs);
}

void ActorCell::rest()
{
    if (!m_running || m_running->instance->hasConnections())
        return;
    const qint64 unused = m_lastUsed.elapsed();
    if (unused >= m_options.idleMs && tryRest()) {
        const bool vacated = isVacant();
        if (vacated)
            m_post.vacated(m_ref.id);
        return;
    }
    if (m_running)
        m_running->idle.start(unused < m_options.idleMs ? int(m_options.idleMs - unused) : m_options.idleMs);
}

bool ActorCell::tryRest()
{
    if (!m_running->instance->mayRest())
        return false;
    {
        const std::lock_guard lock(m_mutex);
        if (m_lifecycle != Lifecycle::Running) // it drains: that comes first
            return true;
    }
    ActorStop stop{m_ref.id, m_ref.address, StopReason::Sleep};
    stop.drainStartedAt = stop.drainEndedAt = actorcellNow();
    shut(std::move(stop), std::nullopt);
    setLifecycle(Lifecycle::Sleeping);
    return true;
}

void ActorCell::finishDrain()
{
    ActorStop stop;
    Drain drain;
    {
        const std::lock_guard lock(m_mutex);
        stop = m_stop;
        stop.expired = m_expired;
        stop.drainEndedAt = actorcellNow();
        drain = std::exchange(m_drain, {});
    }
    shut(std::move(stop), drain.told);
    Drain joined; // asked for while it stopped
    {
        const std::lock_guard lock(m_mutex);
        joined = std::exchange(m_drain, {});
        m_lifecycle = drain.forGood || joined.forGood || m_lifecycle == Lifecycle::Stopped ? Lifecycle::Stopped : Lifecycle::Sleeping;
    }
    if (drain.done)
        drain.done();
    if (joined.done)
        joined.done();
}

void ActorCell::lose(const Error &error)
{
    ActorStop stop{m_ref.id, m_ref.address, StopReason::Lost};
    {
        const std::lock_guard lock(m_mutex);
        if (m_lifecycle == Lifecycle::Draining) // it stops anyway
            return;
        stop.activeRequests = int(m_mailbox.count(ActorMessage::Kind::Call));
    }
    stop.drainStartedAt = stop.drainEndedAt = actorcellNow();
    shut(std::move(stop), error);
    setLifecycle(Lifecycle::Sleeping);
}

void ActorCell::shut(ActorStop stop, const std::optional<Error> &told)
{
    std::unique_ptr<Running> running;
    {
        const std::lock_guard lock(m_mutex);
        running = std::move(m_running);
    }
    if (!running)
        return;
    stop.correlation = running->instance->ownCorrelation();
    stop.cleanupStartedAt = actorcellNow();
    running->idle.stop(); // a timer that runs may not go in another thread, where it goes when the host ends
    const bool erased = running->instance->isErased() && stop.reason != StopReason::Lost;
    running->instance->stop(stop.reason, told);
    running->instance.reset();
    if (erased) {
        if (auto gone = m_post.registry().erase(m_ref.id); !gone)
            qCWarning(lcCell, "a deleted actor leaves files: %ls", qUtf16Printable(gone.error().message));
    }
    stop.cleanupEndedAt = actorcellNow();
    // The timer may be the one that called: it goes when this turn is over.
    QMetaObject::invokeMethod(m_worker, [gone = std::shared_ptr<Running>(std::move(running))] { Q_UNUSED(gone); },
        Qt::QueuedConnection);
    m_post.stopped(stop);
}

} // namespace foundry::backend
