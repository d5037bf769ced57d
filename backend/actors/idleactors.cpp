#include "backend/actors/idleactors.h"

namespace foundry::backend {

QStringList IdleActors::used(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    if (const auto known = m_places.constFind(id); known != m_places.cend()) {
        m_order.splice(m_order.begin(), m_order, *known);
        return {};
    }
    m_order.push_front(id);
    m_places.insert(id, m_order.begin());
    QStringList tooMany;
    while (m_places.size() > m_limit) {
        tooMany.append(m_order.back());
        m_places.remove(m_order.back());
        m_order.pop_back();
    }
    return tooMany;
}

void IdleActors::gone(const QString &id)
{
    const std::lock_guard lock(m_mutex);
    const auto known = m_places.constFind(id);
    if (known == m_places.cend())
        return;
    m_order.erase(*known);
    m_places.erase(known);
}

} // namespace foundry::backend
