// The sidebar's tree: repositories by name with their open tasks in the user's order (new ones first), and all archived
// tasks in a group at the end.
#pragma once

#include "models/repositorylistmodel.h"
#include "models/taskgroupmodel.h"

namespace foundry {

class SidebarModel final : public TaskGroupModel {
    Q_OBJECT
public:
    enum SidebarRole {
        RepositoryValueRole = TaskGroupModel::GroupCountRole + 1 // Repository, of a group that is one
    };

    // Both sources must outlive the model.
    SidebarModel(TaskListModel *tasks, RepositoryListModel *repositories, QObject *parent = nullptr);

    static QString archivedKey() { return QStringLiteral("archived"); }
    static QString keyOfRepository(const RepoId &id) { return QStringLiteral("repo/") + id.value; }
    QVariant data(const QModelIndex &index, int role) const override;
    // Null for other groups and for tasks.
    const Repository *repositoryAt(const QModelIndex &index) const;

protected:
    std::optional<Place> placeOf(const TaskRow &row) const override;
    bool groupBefore(const QString &a, const QString &b) const override;
    QString groupName(const QString &key) const override;
    QStringList standingGroups() const override;
    bool isStanding(const QString &key) const override;

private:
    const Repository *repositoryOf(const QString &key) const;
    void repositoriesAdded(int first, int last);

    RepositoryListModel *m_repositories;
    QSet<QString> m_leaving; // keys of repositories that are being removed
};

} // namespace foundry
