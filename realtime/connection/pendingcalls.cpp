#include "realtime/connection/pendingcalls.h"

#include <algorithm>

namespace foundry::realtime {

PendingCalls::PendingCalls(QObject *parent)
    : QObject(parent)
{
    m_clock.start();
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &PendingCalls::expire);
}

quint64 PendingCalls::add(std::chrono::milliseconds deadline, QObject *context, CallAnswer answer)
{
    const quint64 id = ++m_lastId;
    m_calls.insert(id, Call{m_clock.elapsed() + deadline.count(), context, std::move(answer)});
    arm();
    return id;
}

bool PendingCalls::answer(quint64 id, Result<QByteArray> result)
{
    if (!m_calls.contains(id))
        return false;
    // Out of the table first: the answer may make new calls, or end the link.
    Call call = m_calls.take(id);
    deliver(call, std::move(result));
    return true;
}

void PendingCalls::failAll(const Error &error)
{
    QMap<quint64, Call> calls;
    calls.swap(m_calls);
    m_timer.stop();
    for (Call &call : calls)
        deliver(call, error);
}

void PendingCalls::expire()
{
    const qint64 now = m_clock.elapsed();
    QList<quint64> late;
    for (auto it = m_calls.cbegin(); it != m_calls.cend(); ++it) {
        if (it->due <= now)
            late << it.key();
    }
    const QPointer<PendingCalls> alive(this);
    for (const quint64 id : std::as_const(late)) {
        answer(id, makeError(QLatin1StringView("client"), QLatin1StringView("timeout"),
            tr("The host did not answer in time."), tr("It is tried again when the host answers.")));
        if (!alive)
            return;
    }
    arm();
    if (!late.isEmpty())
        Q_EMIT timedOut();
}

void PendingCalls::arm()
{
    if (m_calls.isEmpty()) {
        m_timer.stop();
        return;
    }
    qint64 nearest = m_calls.first().due;
    for (const Call &call : std::as_const(m_calls))
        nearest = std::min(nearest, call.due);
    m_timer.start(std::chrono::milliseconds(std::max<qint64>(0, nearest - m_clock.elapsed())));
}

void PendingCalls::deliver(Call &call, Result<QByteArray> result)
{
    if (call.context && call.answer)
        call.answer(std::move(result));
}

} // namespace foundry::realtime
