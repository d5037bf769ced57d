// Agents known to the host: usable ones first, the built-in runner last of them.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/topicsink.h"

namespace foundry {

class AgentListModel final : public KeyedListModel<Agent, AgentId>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        NameRole = FirstRole, // QString
        StateRole,            // AgentState, as int
        DetailRole,           // QString
    };

    using KeyedListModel::KeyedListModel;

    using KeyedListModel::apply;
    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

protected:
    AgentId keyOf(const Agent &value) const override { return value.id; }
    bool before(const Agent &a, const Agent &b) const override;
    QVariant dataOf(const Agent &value, int role) const override;
    QList<int> changedRoles(const Agent &was, const Agent &is) const override;
};

} // namespace foundry
