#include "models/agentlistmodel.h"

#include "models/topicvalues.h"

namespace foundry {

namespace {

// Ready ones, then those that one step makes ready, then the rest; the built-in runner closes the usable ones.
int agentListRank(const Agent &agent)
{
    const bool builtin = agent.source.is(AgentSource::Builtin);
    switch (agent.state.valueOr(AgentState::Broken)) {
    case AgentState::Ready:
        return builtin ? 1 : 0;
    case AgentState::Unconfirmed:
        return 2;
    case AgentState::NeedsLogin:
    case AgentState::AdapterMissing:
        return 3;
    case AgentState::Broken:
        return 4;
    case AgentState::NotInstalled:
        return 5;
    }
    return 5;
}

} // namespace

void AgentListModel::apply(const TopicEvent &event)
{
    apply(valuesOf<Agent>(event.upserts), removedOf<AgentId>(event.removals, QLatin1StringView("Agent")));
}

void AgentListModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (topic == QLatin1StringView("organization"))
        replaceAll(valuesOf<Agent>(all));
}

QHash<int, QByteArray> AgentListModel::roleNames() const
{
    return {{ValueRole, "value"}, {NameRole, "name"}, {StateRole, "state"}, {DetailRole, "detail"}};
}

bool AgentListModel::before(const Agent &a, const Agent &b) const
{
    const int rankA = agentListRank(a);
    const int rankB = agentListRank(b);
    return rankA != rankB ? rankA < rankB : a.name.compare(b.name, Qt::CaseInsensitive) < 0;
}

QVariant AgentListModel::dataOf(const Agent &value, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case NameRole:
        return value.name;
    case StateRole:
        return int(value.state.valueOr(AgentState::Broken));
    case DetailRole:
        return value.detail.value_or(QString());
    default:
        return {};
    }
}

QList<int> AgentListModel::changedRoles(const Agent &was, const Agent &is) const
{
    QList<int> roles{ValueRole};
    if (was.name != is.name)
        roles << NameRole << Qt::DisplayRole;
    if (was.state != is.state)
        roles << StateRole;
    if (was.detail != is.detail)
        roles << DetailRole;
    return roles;
}

} // namespace foundry
