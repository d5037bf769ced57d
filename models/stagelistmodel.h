// The stages of a task's provisioning in their order.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/topicsink.h"

namespace foundry {

class StageListModel final : public KeyedListModel<Stage, QString>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        StateRole = FirstRole, // StageState, as int
        NameRole,              // QString, e.g. repo_prepared
        AttemptRole,           // qint64
        MessageRole,           // QString
        LogTailRole,           // QString
        ErrorRole              // foundry::Error, invalid when there is none
    };

    using KeyedListModel::KeyedListModel;

    using KeyedListModel::apply;
    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

protected:
    QString keyOf(const Stage &value) const override { return value.id; }
    bool before(const Stage &a, const Stage &b) const override;
    QVariant dataOf(const Stage &value, int role) const override;
    QList<int> changedRoles(const Stage &was, const Stage &is) const override;
};

} // namespace foundry
