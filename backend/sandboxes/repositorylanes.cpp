#include "backend/sandboxes/repositorylanes.h"

#include <QFileInfo>

#include <algorithm>

namespace foundry::backend {

RepositoryLanes::Place::Place(std::shared_ptr<RepositoryLanes> lanes, std::shared_ptr<Entry> entry)
    : m_lanes(std::move(lanes))
    , m_entry(std::move(entry))
{
}

RepositoryLanes::Place::~Place()
{
    m_lanes->leave(m_entry);
}

std::unique_ptr<RepositoryLanes::Place> RepositoryLanes::enter(const QString &repository, QObject *context, std::function<void()> go)
{
    // However it is written.
    const QString canonical = QFileInfo(repository).canonicalFilePath();
    auto entry = std::make_shared<Entry>(Entry{canonical.isEmpty() ? repository : canonical, context, std::move(go)});
    const std::lock_guard lock(m_mutex);
    auto &lane = m_lanes[entry->repository];
    lane.push_back(entry);
    if (lane.size() == 1)
        call(*entry);
    return std::make_unique<Place>(shared_from_this(), std::move(entry));
}

void RepositoryLanes::leave(const std::shared_ptr<Entry> &entry)
{
    const std::lock_guard lock(m_mutex);
    const auto lane = m_lanes.find(entry->repository);
    const bool wasAtWork = lane->front() == entry;
    lane->erase(std::find(lane->begin(), lane->end(), entry));
    if (lane->empty())
        m_lanes.remove(entry->repository);
    else if (wasAtWork)
        call(*lane->front());
}

void RepositoryLanes::call(const Entry &entry)
{
    QMetaObject::invokeMethod(entry.context, entry.go, Qt::QueuedConnection);
}

} // namespace foundry::backend
