#include "models/attentionmodel.h"

#include "models/topicvalues.h"

namespace foundry {

void AttentionModel::apply(const TopicEvent &event)
{
    QSet<TaskId> touched;
    for (const TaskId &id : removedOf<TaskId>(event.removals, QLatin1StringView("TaskSummary"))) {
        m_tasks.remove(id);
        touched.insert(id);
    }
    for (const TaskId &id : removedOf<TaskId>(event.removals, QLatin1StringView("TaskOverlay"))) {
        m_seen.remove(id);
        touched.insert(id);
    }
    for (const QString &id : removedOf<QString>(event.removals, QLatin1StringView("Attention")))
        forgetAttention(id, touched);
    for (const TaskSummary &task : valuesOf<TaskSummary>(event.upserts)) {
        noteTask(task);
        touched.insert(task.id);
    }
    for (const TaskOverlay &overlay : valuesOf<TaskOverlay>(event.upserts)) {
        m_seen.insert(overlay.id, overlay.lastSeenAt);
        touched.insert(overlay.id);
    }
    for (const Attention &attention : valuesOf<Attention>(event.upserts))
        noteAttention(attention, touched);
    refresh(touched);
}

void AttentionModel::replace(const QString &topic, const QList<Entity> &all)
{
    QSet<TaskId> touched(m_tasks.keyBegin(), m_tasks.keyEnd());
    if (topic == QLatin1StringView("overlay")) {
        m_seen.clear();
        for (const TaskOverlay &overlay : valuesOf<TaskOverlay>(all))
            m_seen.insert(overlay.id, overlay.lastSeenAt);
    } else if (topic == QLatin1StringView("organization")) {
        touched.unite(QSet<TaskId>(m_shown.keyBegin(), m_shown.keyEnd()));
        m_tasks.clear();
        m_attention.clear();
        m_attentionOf.clear();
        for (const TaskSummary &task : valuesOf<TaskSummary>(all)) {
            noteTask(task);
            touched.insert(task.id);
        }
        for (const Attention &attention : valuesOf<Attention>(all))
            noteAttention(attention, touched);
    }
    refresh(touched);
}

QHash<int, QByteArray> AttentionModel::roleNames() const
{
    return {{ValueRole, "value"}, {NeedsRole, "needs"}, {TitleRole, "title"}, {TaskTitleRole, "taskTitle"},
        {TaskRole, "task"}, {AtRole, "at"}};
}

bool AttentionModel::before(const AttentionItem &a, const AttentionItem &b) const
{
    return a.needs != b.needs ? a.needs < b.needs : a.at < b.at;
}

QVariant AttentionModel::dataOf(const AttentionItem &item, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case TitleRole:
        return item.attention.title.isEmpty() ? item.taskTitle : item.attention.title;
    case NeedsRole:
        return int(item.needs);
    case TaskTitleRole:
        return item.taskTitle;
    case TaskRole:
        return QVariant::fromValue(item.taskId);
    case AtRole:
        return item.at;
    default:
        return {};
    }
}

void AttentionModel::noteTask(const TaskSummary &task)
{
    const TaskRow row{task};
    m_tasks.insert(task.id,
        {task.title, task.repoId, row.isOpen(), task.status.is(TaskStatus::Error), task.lastTurnEndedAt.value_or(0),
            row.activityAt()});
}

void AttentionModel::noteAttention(const Attention &attention, QSet<TaskId> &touched)
{
    m_attention.insert(attention.id, attention);
    m_attentionOf[attention.taskId].insert(attention.id);
    touched.insert(attention.taskId);
}

void AttentionModel::forgetAttention(const QString &id, QSet<TaskId> &touched)
{
    const auto found = m_attention.constFind(id);
    if (found == m_attention.constEnd())
        return;
    const TaskId task = found->taskId;
    m_attention.erase(found);
    m_attentionOf[task].remove(id);
    touched.insert(task);
}

QList<AttentionItem> AttentionModel::itemsOf(const TaskId &task) const
{
    QList<AttentionItem> items;
    const auto known = m_tasks.constFind(task);
    const Facts facts = known == m_tasks.constEnd() ? Facts() : *known;
    bool failureSaid = false;
    const QSet<QString> ids = m_attentionOf.value(task);
    for (const QString &id : ids) {
        const Attention attention = m_attention.value(id);
        const NeedsYou needs = attention.reason.is(AttentionReason::Permission) ? NeedsYou::Permission
            : attention.reason.is(AttentionReason::Error)                       ? NeedsYou::Error
                                                                                : NeedsYou::Question;
        failureSaid = failureSaid || needs == NeedsYou::Error;
        items.append({id, needs, task, facts.repoId, facts.title, attention, attention.at});
    }
    if (known == m_tasks.constEnd() || !facts.open)
        return items;
    if (facts.failed && !failureSaid)
        items.append({QStringLiteral("error/") + task.value, NeedsYou::Error, task, facts.repoId, facts.title, {}, facts.at});
    if (facts.finishedAt > m_seen.value(task) && items.isEmpty())
        items.append({QStringLiteral("finished/") + task.value, NeedsYou::Finished, task, facts.repoId, facts.title, {},
            facts.finishedAt});
    return items;
}

void AttentionModel::refresh(const QSet<TaskId> &tasks)
{
    QList<AttentionItem> upserts;
    QStringList removals;
    for (const TaskId &task : tasks) {
        QSet<QString> now;
        for (const AttentionItem &item : itemsOf(task)) {
            now.insert(item.id);
            upserts.append(item);
        }
        const QSet<QString> before = m_shown.value(task);
        for (const QString &id : before) {
            if (!now.contains(id))
                removals.append(id);
        }
        if (now.isEmpty())
            m_shown.remove(task);
        else
            m_shown.insert(task, now);
    }
    KeyedListModel::apply(upserts, removals);
}

} // namespace foundry
