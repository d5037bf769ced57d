// A task's sessions in the order they were opened; closed ones stay until they are removed.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/topicsink.h"

namespace foundry {

class SessionListModel final : public KeyedListModel<Session, SessionId>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        NameRole = FirstRole, // QString
        AgentRole,            // AgentId
        StatusRole,           // SessionStatus, as int
        ErrorRole,            // foundry::Error, invalid when there is none
        ClosedRole            // bool
    };

    using KeyedListModel::KeyedListModel;

    using KeyedListModel::apply;
    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

protected:
    SessionId keyOf(const Session &value) const override { return value.id; }
    bool before(const Session &a, const Session &b) const override;
    QVariant dataOf(const Session &value, int role) const override;
    QList<int> changedRoles(const Session &was, const Session &is) const override;
};

} // namespace foundry
