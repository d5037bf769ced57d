#include "models/repositorylistmodel.h"

#include "models/topicvalues.h"

namespace foundry {

void RepositoryListModel::apply(const TopicEvent &event)
{
    apply(valuesOf<Repository>(event.upserts), removedOf<RepoId>(event.removals, QLatin1StringView("Repository")));
}

void RepositoryListModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (topic == QLatin1StringView("organization"))
        replaceAll(valuesOf<Repository>(all));
}

QHash<int, QByteArray> RepositoryListModel::roleNames() const
{
    return {{ValueRole, "value"}, {NameRole, "name"}, {StateRole, "state"}, {ProgressRole, "progress"},
        {ErrorRole, "error"}, {TaskCountRole, "taskCount"}};
}

bool RepositoryListModel::before(const Repository &a, const Repository &b) const
{
    return a.name.compare(b.name, Qt::CaseInsensitive) < 0;
}

QVariant RepositoryListModel::dataOf(const Repository &value, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case NameRole:
        return value.name;
    case StateRole:
        return int(value.state.valueOr(RepositoryState::Ready));
    case ProgressRole:
        return value.progress ? QVariant(*value.progress) : QVariant();
    case ErrorRole:
        return value.error ? QVariant::fromValue(*value.error) : QVariant();
    case TaskCountRole:
        return value.taskCount;
    default:
        return {};
    }
}

QList<int> RepositoryListModel::changedRoles(const Repository &was, const Repository &is) const
{
    QList<int> roles{ValueRole};
    if (was.name != is.name)
        roles << NameRole << Qt::DisplayRole;
    if (was.state != is.state)
        roles << StateRole;
    if (was.progress != is.progress)
        roles << ProgressRole;
    if (was.error != is.error)
        roles << ErrorRole;
    if (was.taskCount != is.taskCount)
        roles << TaskCountRole;
    return roles;
}

} // namespace foundry
