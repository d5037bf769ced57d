#include "backend/git/gitlane.h"

#include <algorithm>

namespace foundry::backend {

void GitLane::enter(Urgency urgency, Work work)
{
    const auto place = std::find_if(m_waiting.cbegin(), m_waiting.cend(),
        [urgency](const Entry &entry) { return entry.urgency < urgency; });
    m_waiting.insert(place, Entry{urgency, std::move(work)});
    if (!m_busy)
        return callNext();
    if (urgency == Urgency::Command && m_job && !m_givenUp) {
        m_givenUp = true;
        m_job->cancel();
    }
}

void GitLane::callNext()
{
    if (m_busy || m_called || m_waiting.isEmpty())
        return;
    m_called = true;
    QTimer::singleShot(0, m_owner, [this] { next(); });
}

void GitLane::next()
{
    m_called = false;
    if (m_busy || m_waiting.isEmpty())
        return;
    m_busy = true;
    m_givenUp = false;
    const quint64 turn = ++m_turn;
    m_current = m_waiting.takeFirst();
    const Entry entry = m_current; // it may be over before this returns
    GitJob *job = entry.work([this, turn] { return released(turn); });
    if (m_busy && m_turn == turn && entry.urgency != Urgency::Command)
        m_job = job;
}

bool GitLane::released(quint64 turn)
{
    if (turn != m_turn || !m_busy)
        return false;
    m_busy = false;
    m_job.clear();
    Entry entry = std::exchange(m_current, {});
    if (m_givenUp) { // before those like it that came later
        const auto place = std::find_if(m_waiting.cbegin(), m_waiting.cend(),
            [&entry](const Entry &waiting) { return waiting.urgency <= entry.urgency; });
        m_waiting.insert(place, std::move(entry));
    }
    callNext();
    return !m_givenUp;
}

} // namespace foundry::backend
