#include "models/changesmodel.h"

#include "models/topicvalues.h"

namespace foundry {

void ChangesModel::apply(const TopicEvent &event)
{
    for (const ChangesHeader &header : valuesOf<ChangesHeader>(event.upserts))
        setHeader(header);
    apply(valuesOf<FileChange>(event.upserts), removedOf<QString>(event.removals, QLatin1StringView("FileChange")));
}

void ChangesModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (topic != QLatin1StringView("changes"))
        return;
    for (const ChangesHeader &header : valuesOf<ChangesHeader>(all))
        setHeader(header);
    replaceAll(valuesOf<FileChange>(all));
}

QHash<int, QByteArray> ChangesModel::roleNames() const
{
    return {{ValueRole, "value"}, {PathRole, "path"}, {ScopeRole, "scope"}, {StatusRole, "status"}, {AddedRole, "added"},
        {RemovedRole, "removed"}, {InLastTurnRole, "inLastTurn"}};
}

DiffStat ChangesModel::total() const
{
    DiffStat total;
    QString last;
    for (int row = 0; row < count(); ++row) {
        const FileChange &change = at(row);
        total.files += change.path == last ? 0 : 1; // one file can stand in several scopes
        total.added += change.added;
        total.removed += change.removed;
        last = change.path;
    }
    return total;
}

bool ChangesModel::before(const FileChange &a, const FileChange &b) const
{
    if (const int order = a.path.compare(b.path); order != 0)
        return order < 0;
    return a.scope.valueOr(ChangeScope::Untracked) < b.scope.valueOr(ChangeScope::Untracked);
}

QVariant ChangesModel::dataOf(const FileChange &change, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case PathRole:
        return change.path;
    case ScopeRole:
        return int(change.scope.valueOr(ChangeScope::Committed));
    case StatusRole:
        return change.status;
    case AddedRole:
        return change.added;
    case RemovedRole:
        return change.removed;
    case InLastTurnRole:
        return change.inLastTurn;
    default:
        return {};
    }
}

QList<int> ChangesModel::changedRoles(const FileChange &was, const FileChange &is) const
{
    QList<int> roles{ValueRole};
    if (was.path != is.path)
        roles << PathRole << Qt::DisplayRole;
    if (was.scope != is.scope)
        roles << ScopeRole;
    if (was.status != is.status)
        roles << StatusRole;
    if (was.added != is.added)
        roles << AddedRole;
    if (was.removed != is.removed)
        roles << RemovedRole;
    if (was.inLastTurn != is.inLastTurn)
        roles << InLastTurnRole;
    return roles;
}

void ChangesModel::setHeader(const ChangesHeader &header)
{
    if (m_header == header) {
        m_header = header;
        return;
    }
    m_header = header;
    Q_EMIT headerChanged();
}

} // namespace foundry
