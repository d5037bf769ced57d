// The organization's repositories by name, with their state and progress.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/topicsink.h"

namespace foundry {

class RepositoryListModel final : public KeyedListModel<Repository, RepoId>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        NameRole = FirstRole, // QString
        StateRole,            // RepositoryState, as int
        ProgressRole,         // double 0..1, invalid when there is none
        ErrorRole,            // foundry::Error, invalid when there is none
        TaskCountRole         // qint64
    };

    using KeyedListModel::KeyedListModel;

    using KeyedListModel::apply;
    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

protected:
    RepoId keyOf(const Repository &value) const override { return value.id; }
    bool before(const Repository &a, const Repository &b) const override;
    QVariant dataOf(const Repository &value, int role) const override;
    QList<int> changedRoles(const Repository &was, const Repository &is) const override;
};

} // namespace foundry
