#include "models/queuedpromptmodel.h"

#include "models/topicvalues.h"

namespace foundry {

void QueuedPromptModel::apply(const TopicEvent &event)
{
    apply(valuesOf<QueuedPrompt>(event.upserts),
        removedOf<QueueId>(event.removals, QLatin1StringView("QueuedPrompt")));
}

void QueuedPromptModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (topic == QLatin1StringView("task"))
        replaceAll(valuesOf<QueuedPrompt>(all));
}

QHash<int, QByteArray> QueuedPromptModel::roleNames() const
{
    return {{ValueRole, "value"}, {TextRole, "text"}, {SessionRole, "session"}, {AttachmentsRole, "attachments"}};
}

bool QueuedPromptModel::before(const QueuedPrompt &a, const QueuedPrompt &b) const
{
    if (a.sessionId != b.sessionId)
        return a.sessionId < b.sessionId;
    return a.order != b.order ? a.order < b.order : a.createdAt < b.createdAt;
}

QVariant QueuedPromptModel::dataOf(const QueuedPrompt &value, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case TextRole:
        return value.prompt.text;
    case SessionRole:
        return QVariant::fromValue(value.sessionId);
    case AttachmentsRole:
        return QVariant::fromValue(value.attachments);
    default:
        return {};
    }
}

QList<int> QueuedPromptModel::changedRoles(const QueuedPrompt &was, const QueuedPrompt &is) const
{
    QList<int> roles{ValueRole};
    if (was.prompt != is.prompt)
        roles << TextRole << Qt::DisplayRole;
    if (was.sessionId != is.sessionId)
        roles << SessionRole;
    if (was.attachments != is.attachments)
        roles << AttachmentsRole;
    return roles;
}

} // namespace foundry
