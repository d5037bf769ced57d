#include "models/sidebarmodel.h"

namespace foundry {

SidebarModel::SidebarModel(TaskListModel *tasks, RepositoryListModel *repositories, QObject *parent)
    : TaskGroupModel(tasks, parent)
    , m_repositories(repositories)
{
    connect(repositories, &QAbstractItemModel::modelReset, this,
        [this] { repositoriesAdded(0, m_repositories->count() - 1); });
    connect(repositories, &QAbstractItemModel::rowsInserted, this,
        [this](const QModelIndex &, int first, int last) { repositoriesAdded(first, last); });
    connect(repositories, &QAbstractItemModel::rowsAboutToBeRemoved, this,
        [this](const QModelIndex &, int first, int last) {
            for (int row = first; row <= last; ++row)
                m_leaving.insert(keyOfRepository(m_repositories->at(row).id));
        });
    connect(repositories, &QAbstractItemModel::rowsRemoved, this, [this] {
        const QSet<QString> leaving = std::exchange(m_leaving, {});
        for (const QString &key : leaving) {
            dropIfEmpty(key);
            groupChanged(key); // with tasks it stays, without its name
        }
    });
    connect(repositories, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex &first, const QModelIndex &last) {
        for (int row = first.row(); row <= last.row(); ++row)
            groupChanged(keyOfRepository(m_repositories->at(row).id));
    });
    rebuild();
}

QVariant SidebarModel::data(const QModelIndex &index, int role) const
{
    if (role == RepositoryValueRole) {
        const Repository *repository = repositoryAt(index);
        return repository ? QVariant::fromValue(*repository) : QVariant();
    }
    return TaskGroupModel::data(index, role);
}

const Repository *SidebarModel::repositoryAt(const QModelIndex &index) const
{
    return isGroup(index) ? repositoryOf(keyOf(index)) : nullptr;
}

std::optional<TaskGroupModel::Place> SidebarModel::placeOf(const TaskRow &row) const
{
    if (row.task.status.is(TaskStatus::Deleting))
        return std::nullopt;
    if (!row.isOpen())
        return Place{archivedKey(), 0, 0, row.task.archivedAt.value_or(row.task.createdAt)};
    // What the user has not placed yet is new and stands above what he has.
    return Place{keyOfRepository(row.task.repoId), row.overlay.order ? 1 : 0, row.overlay.order.value_or(0),
        row.task.createdAt};
}

bool SidebarModel::groupBefore(const QString &a, const QString &b) const
{
    if (a == archivedKey() || b == archivedKey())
        return b == archivedKey() && a != b;
    const int order = groupName(a).compare(groupName(b), Qt::CaseInsensitive);
    return order != 0 ? order < 0 : a < b;
}

QString SidebarModel::groupName(const QString &key) const
{
    if (key == archivedKey())
        return tr("Archived");
    const Repository *repository = repositoryOf(key);
    return repository ? repository->name : key.section(QLatin1Char('/'), 1);
}

bool SidebarModel::isStanding(const QString &key) const
{
    return repositoryOf(key) != nullptr;
}

const Repository *SidebarModel::repositoryOf(const QString &key) const
{
    if (!key.startsWith(QLatin1StringView("repo/")))
        return nullptr;
    return m_repositories->find(RepoId(key.mid(5)));
}

QStringList SidebarModel::standingGroups() const
{
    QStringList keys;
    for (int row = 0; row < m_repositories->count(); ++row)
        keys.append(keyOfRepository(m_repositories->at(row).id));
    return keys;
}

void SidebarModel::repositoriesAdded(int first, int last)
{
    for (int row = first; row <= last; ++row) {
        const QString key = keyOfRepository(m_repositories->at(row).id);
        if (!isFiltered())
            ensureGroup(key);
        groupChanged(key); // it may have been there for its tasks, without a name
    }
}

} // namespace foundry
