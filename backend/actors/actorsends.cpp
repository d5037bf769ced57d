// The part of a running actor that deals with durable messages: outbox, acknowledgements, inbox marks, wake index.
#include "backend/actors/actorinstance.h"
#include "backend/workflows/crashpoint.h"

#include "realtime/protocol/keys.h"

#include <QLoggingCategory>

namespace foundry::backend {

Q_DECLARE_LOGGING_CATEGORY(lcActors)

namespace {
constexpr int kFirstRetryMs = 250;
constexpr int kLongestRetryMs = 30000;
constexpr int kSendsAtOnce = 1000;
constexpr qsizetype kSendBytesAtOnce = 4 * 1024 * 1024;
} // namespace

QString sendCorrelation(const Send &send, const QString &senderId)
{
    return QStringLiteral("s%1-%2").arg(send.sequence).arg(senderId.left(8));
}

void ActorInstance::dispatchOutbox()
{
    // One batch for each target at a time: the next leaves when this one is answered, so that order survives a refusal.
    QList<QPair<ActorAddress, QList<Send>>> batches;
    {
        QHash<QString, qsizetype> batchOf;
        auto q = m_database->query("SELECT sequence, target, target_name, target_key, name, json, correlation FROM outbox ORDER BY sequence");
        int count = 0;
        qsizetype bytes = 0;
        while (count < kSendsAtOnce && bytes < kSendBytesAtOnce && q.next()) {
            const QString target = q.text(1);
            if (m_inFlight.contains(target) && !batchOf.contains(target))
                continue;
            if (!batchOf.contains(target)) {
                batchOf.insert(target, batches.size());
                batches.append({ActorAddress{q.text(2), protocol::decodeKey(q.text(3))}, {}});
            }
            batches[batchOf.value(target)].second.append(Send{m_ref.address, q.integer(0), q.text(4), q.bytes(5), q.text(6)});
            bytes += batches[batchOf.value(target)].second.last().json.size();
            m_inFlight.insert(target, q.integer(0));
            ++count;
        }
    }
    for (const auto &[target, sends] : std::as_const(batches))
        m_post.deliver(m_ref.id, target, sends);
}

void ActorInstance::acknowledged(const QString &targetId, qint64 upTo)
{
    if (upTo == 0) {
        refused(targetId);
        return;
    }
    m_inFlight.remove(targetId);
    m_retryMs = 0;
    auto gone = m_database->run("DELETE FROM outbox WHERE target = ? AND sequence <= ?", targetId, upTo);
    if (const int delivered = gone ? m_database->changes() : 0; delivered > 0) {
        m_outboxDepth -= delivered;
        metrics().outboxDepth.with().add(-delivered);
    }
    if (!gone)
        qCWarning(lcActors, "cannot clear delivered sends: %ls", qUtf16Printable(gone.error().message));
    auto waiting = m_database->query("SELECT EXISTS(SELECT 1 FROM outbox)");
    m_outboxEmpty = !(waiting.next() && waiting.flag(0));
    if (!m_outboxEmpty)
        dispatchOutbox();
    else if (m_indexed != due(true) && !m_settleTimer.isActive())
        m_settleTimer.start(1000); // not at once: a busy actor would write the index for each send
}

void ActorInstance::refused(const QString &targetId)
{
    m_inFlight.remove(targetId);
    m_retryMs = m_retryMs == 0 ? kFirstRetryMs : qMin(m_retryMs * 2, kLongestRetryMs);
    if (!m_retry.isActive())
        m_retry.start(m_retryMs);
}

void ActorInstance::receive(const QString &senderId, const QList<Send> &sends)
{
    qint64 upTo = 0;
    for (const Send &send : sends) {
        if (!receiveOne(send, senderId))
            break;
        upTo = send.sequence;
    }
    m_post.acknowledge(senderId, m_ref.id, upTo); // 0: not even the first could be stored, to be tried again
}

bool ActorInstance::receiveOne(const Send &send, const QString &senderId)
{
    if (auto q = m_database->query("SELECT sequence FROM inbox WHERE sender = ?", senderId);
        q.next() && q.integer(0) >= send.sequence) {
        return true; // seen before
    }
    const auto mark = [&] {
        return m_database->run("INSERT INTO inbox(sender, sequence) VALUES(?, ?) "
                               "ON CONFLICT(sender) DO UPDATE SET sequence = excluded.sequence",
            senderId, send.sequence);
    };
    const Stopwatch clock;
    m_correlationId = send.correlation.isEmpty() ? sendCorrelation(send, senderId) : send.correlation;
    auto done = transaction([&](Transaction &tx) -> Result<> {
        if (crashPointsAreOn())
            crashPoint(tx, QStringLiteral("received %1 %2").arg(m_ref.address.name, send.name));
        if (auto applied = m_actor->received(tx, send); !applied)
            return applied;
        return mark();
    });
    m_correlationId.clear();
    metrics().projection.with({m_kind, send.name.toLatin1()}).observe(clock.seconds());
    if (done)
        return true;
    if (m_expired)
        return false; // it stays in the sender's outbox
    qCWarning(lcActors, "%ls dropped the send \"%ls\" of %ls: %ls", qUtf16Printable(m_ref.address.name),
        qUtf16Printable(send.name), qUtf16Printable(send.from.name), qUtf16Printable(done.error().message));
    if (done.error().code.startsWith(QLatin1StringView("storage_")))
        return false; // the disk, not the message: it stays in the sender's outbox
    return mark().ok();
}

std::optional<Millis> ActorInstance::due(bool outboxEmpty) const
{
    return m_needsWake || m_erased || !outboxEmpty ? std::optional<Millis>(0) : m_alarm;
}

void ActorInstance::settle()
{
    const std::optional<Millis> next = due(m_outboxEmpty);
    auto cleared = m_post.registry().clearDue(m_ref.id, next);
    if (!cleared) {
        qCWarning(lcActors, "cannot write the wake index: %ls", qUtf16Printable(cleared.error().message));
        return;
    }
    m_indexed = next;
    m_post.dueChanged();
}

} // namespace foundry::backend
