#include "models/sessionlistmodel.h"

#include "models/topicvalues.h"

namespace foundry {

void SessionListModel::apply(const TopicEvent &event)
{
    apply(valuesOf<Session>(event.upserts), removedOf<SessionId>(event.removals, QLatin1StringView("Session")));
}

void SessionListModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (topic == QLatin1StringView("task"))
        replaceAll(valuesOf<Session>(all));
}

QHash<int, QByteArray> SessionListModel::roleNames() const
{
    return {{ValueRole, "value"}, {NameRole, "name"}, {AgentRole, "agent"}, {StatusRole, "status"}, {ErrorRole, "error"},
        {ClosedRole, "closed"}};
}

bool SessionListModel::before(const Session &a, const Session &b) const
{
    return a.id < b.id; // ids are made in the order of time
}

QVariant SessionListModel::dataOf(const Session &value, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case NameRole:
        return value.name;
    case AgentRole:
        return QVariant::fromValue(value.agent);
    case StatusRole:
        return int(value.status.valueOr(SessionStatus::Idle));
    case ErrorRole:
        return value.error ? QVariant::fromValue(*value.error) : QVariant();
    case ClosedRole:
        return value.closedAt.has_value();
    default:
        return {};
    }
}

QList<int> SessionListModel::changedRoles(const Session &was, const Session &is) const
{
    QList<int> roles{ValueRole};
    if (was.name != is.name)
        roles << NameRole << Qt::DisplayRole;
    if (was.agent != is.agent)
        roles << AgentRole;
    if (was.status != is.status)
        roles << StatusRole;
    if (was.error != is.error)
        roles << ErrorRole;
    if (was.closedAt != is.closedAt)
        roles << ClosedRole;
    return roles;
}

} // namespace foundry
