#include "models/stagelistmodel.h"

#include "models/topicvalues.h"

namespace foundry {

void StageListModel::apply(const TopicEvent &event)
{
    apply(valuesOf<Stage>(event.upserts), removedOf<QString>(event.removals, QLatin1StringView("Stage")));
}

void StageListModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (topic == QLatin1StringView("task"))
        replaceAll(valuesOf<Stage>(all));
}

QHash<int, QByteArray> StageListModel::roleNames() const
{
    return {{ValueRole, "value"}, {StateRole, "state"}, {NameRole, "name"}, {AttemptRole, "attempt"},
        {MessageRole, "message"}, {LogTailRole, "logTail"}, {ErrorRole, "error"}};
}

bool StageListModel::before(const Stage &a, const Stage &b) const
{
    return a.order < b.order;
}

QVariant StageListModel::dataOf(const Stage &value, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case NameRole:
        return value.name();
    case StateRole:
        return int(value.state.valueOr(StageState::Pending));
    case AttemptRole:
        return value.attempt;
    case MessageRole:
        return value.message.value_or(QString());
    case LogTailRole:
        return value.logTail.value_or(QString());
    case ErrorRole:
        return value.error ? QVariant::fromValue(*value.error) : QVariant();
    default:
        return {};
    }
}

QList<int> StageListModel::changedRoles(const Stage &was, const Stage &is) const
{
    QList<int> roles{ValueRole};
    if (was.state != is.state)
        roles << StateRole;
    if (was.attempt != is.attempt)
        roles << AttemptRole;
    if (was.message != is.message)
        roles << MessageRole;
    if (was.logTail != is.logTail)
        roles << LogTailRole;
    if (was.error != is.error)
        roles << ErrorRole;
    return roles;
}

} // namespace foundry
