#include "backend/actors/actorcell.h"

#include <QDateTime>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcCell, "foundry.actors.cell")

namespace {
constexpr int kMessagesPerTurn = 64; // then the other actors of the thread have theirs
} // namespace

ActorCell::ActorCell(const ActorRef &ref, const ActorFactory &factory, const QString &dataDir, ActorPost &post, QObject *worker,
    int idleMs)
    : m_ref(ref)
    , m_factory(factory)
    , m_dataDir(dataDir)
    , m_post(post)
    , m_worker(worker)
    , m_idleMs(idleMs)
{
}

ActorCell::~ActorCell() = default;

bool ActorCell::post(ActorMessage message)
{
    const std::lock_guard lock(m_mutex);
    if (m_closed)
        return false;
    m_mailbox.push_back(std::move(message));
    schedule();
    return true;
}

void ActorCell::close(StopReason reason, std::function<void()> done)
{
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    m_closeReason = reason;
    m_closeDone = std::move(done);
    schedule();
}

void ActorCell::schedule()
{
    if (m_scheduled)
        return;
    m_scheduled = true;
    QMetaObject::invokeMethod(m_worker, [self = shared_from_this()] { self->drain(); }, Qt::QueuedConnection);
}

void ActorCell::drain()
{
    for (int i = 0; i < kMessagesPerTurn; ++i) {
        ActorMessage message;
        std::function<void()> closed;
        {
            const std::lock_guard lock(m_mutex);
            if (m_mailbox.empty()) {
                m_scheduled = false;
                if (m_closeDone)
                    closed = std::exchange(m_closeDone, {});
            } else {
                message = std::move(m_mailbox.front());
                m_mailbox.pop_front();
            }
        }
        if (closed) {
            if (m_running)
                m_running->instance->stop(m_closeReason);
            m_running.reset();
            closed();
            return;
        }
        if (!message.run)
            break;
        if (!m_running && !message.wakes)
            continue;
        if (auto ready = ensureRunning(); !ready) {
            if (message.refuse)
                message.refuse(ready.error());
            continue;
        }
        message.run(*m_running->instance);
    }
    watchIdleness();
    const std::lock_guard lock(m_mutex);
    if (m_scheduled) // there is more
        QMetaObject::invokeMethod(m_worker, [self = shared_from_this()] { self->drain(); }, Qt::QueuedConnection);
}

Result<> ActorCell::ensureRunning()
{
    if (m_running)
        return Unit{};
    auto started = ActorInstance::start(m_ref, m_factory, m_dataDir, m_post);
    if (!started) {
        qCWarning(lcCell, "%ls %ls cannot start: %ls (%ls)", qUtf16Printable(m_ref.address.name), qUtf16Printable(m_ref.id),
            qUtf16Printable(started.error().message), qUtf16Printable(started.error().detail));
        return started.error();
    }
    m_running = std::make_unique<Running>();
    m_running->instance = std::move(*started);
    m_running->idle.setSingleShot(true);
    QObject::connect(&m_running->idle, &QTimer::timeout, m_worker, [self = weak_from_this()] {
        if (auto cell = self.lock())
            cell->rest();
    });
    return Unit{};
}

void ActorCell::watchIdleness()
{
    if (!m_running || m_idleMs <= 0)
        return;
    m_lastUsed = QDateTime::currentMSecsSinceEpoch();
    // One that is listened to is looked at again when the last listener has gone: that is a message.
    if (!m_running->idle.isActive() && !m_running->instance->hasConnections())
        m_running->idle.start(m_idleMs);
}

void ActorCell::rest()
{
    if (!m_running || m_running->instance->hasConnections())
        return;
    const Millis unused = QDateTime::currentMSecsSinceEpoch() - m_lastUsed;
    if (unused < m_idleMs || !m_running->instance->mayRest()) {
        m_running->idle.start(unused < m_idleMs ? int(m_idleMs - unused) : m_idleMs);
        return;
    }
    m_running->instance->stop(StopReason::Sleep);
    // The timer that called is part of it: it goes when this turn is over.
    QMetaObject::invokeMethod(m_worker, [gone = std::shared_ptr<Running>(std::move(m_running))] { Q_UNUSED(gone); },
        Qt::QueuedConnection);
}

} // namespace foundry::backend
