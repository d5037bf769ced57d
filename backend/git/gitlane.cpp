#include "backend/git/gitlane.h"

#include <QTimer>

#include <algorithm>

namespace foundry::backend {

void GitLane::enter(Urgency urgency, std::function<void(Release)> work)
{
    const auto place = std::find_if(m_waiting.begin(), m_waiting.end(),
        [urgency](const Entry &entry) { return entry.urgency < urgency; });
    m_waiting.insert(place, Entry{urgency, std::move(work)});
    if (m_busy || m_called)
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
    const quint64 turn = ++m_turn;
    const Entry entry = m_waiting.takeFirst();
    entry.work([this, turn] {
        if (turn != m_turn || !m_busy)
            return;
        m_busy = false;
        if (m_waiting.isEmpty() || m_called)
            return;
        m_called = true;
        QTimer::singleShot(0, m_owner, [this] { next(); });
    });
}

} // namespace foundry::backend
