// Prompts that wait for their session's turn to end, in the order they will be sent.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/topicsink.h"

namespace foundry {

class QueuedPromptModel final : public KeyedListModel<QueuedPrompt, QueueId>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        TextRole = FirstRole, // QString
        SessionRole,          // SessionId
        AttachmentsRole       // QList<Attachment>
    };

    using KeyedListModel::KeyedListModel;

    using KeyedListModel::apply;
    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

protected:
    QueueId keyOf(const QueuedPrompt &value) const override { return value.id; }
    bool before(const QueuedPrompt &a, const QueuedPrompt &b) const override;
    QVariant dataOf(const QueuedPrompt &value, int role) const override;
    QList<int> changedRoles(const QueuedPrompt &was, const QueuedPrompt &is) const override;
};

} // namespace foundry
