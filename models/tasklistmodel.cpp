#include "models/tasklistmodel.h"

#include "models/topicvalues.h"

namespace foundry {

Millis TaskRow::activityAt() const
{
    Millis at = qMax(task.createdAt, qMax(task.lastTurnEndedAt.value_or(0), task.archivedAt.value_or(0)));
    for (const SessionBrief &session : task.sessions)
        at = qMax(at, session.turnStartedAt.value_or(0));
    return at;
}

bool TaskRow::isOpen() const
{
    return !task.status.is(TaskStatus::Archiving) && !task.status.is(TaskStatus::Archived)
        && !task.status.is(TaskStatus::Deleting);
}

void TaskListModel::apply(const TopicEvent &event)
{
    QSet<TaskId> touched;
    for (const QString &id : removedOf<QString>(event.removals, QLatin1StringView("Attention")))
        forgetAttention(id, touched);
    for (const Attention &attention : valuesOf<Attention>(event.upserts))
        noteAttention(attention, touched);
    for (const TaskId &id : removedOf<TaskId>(event.removals, QLatin1StringView("TaskOverlay"))) {
        m_overlays.remove(id);
        touched.insert(id);
    }
    for (const TaskOverlay &overlay : valuesOf<TaskOverlay>(event.upserts)) {
        m_overlays.insert(overlay.id, overlay);
        touched.insert(overlay.id);
    }
    refresh(valuesOf<TaskSummary>(event.upserts), touched,
        removedOf<TaskId>(event.removals, QLatin1StringView("TaskSummary")));
}

void TaskListModel::replace(const QString &topic, const QList<Entity> &all)
{
    if (topic == QLatin1StringView("overlay")) {
        QSet<TaskId> touched(m_overlays.keyBegin(), m_overlays.keyEnd());
        m_overlays.clear();
        for (const TaskOverlay &overlay : valuesOf<TaskOverlay>(all)) {
            m_overlays.insert(overlay.id, overlay);
            touched.insert(overlay.id);
        }
        refresh({}, touched, {});
    } else if (topic == QLatin1StringView("organization")) {
        m_attention.clear();
        m_attentionIds.clear();
        QSet<TaskId> touched;
        for (const Attention &attention : valuesOf<Attention>(all))
            noteAttention(attention, touched);
        QList<TaskRow> rows;
        for (const TaskSummary &task : valuesOf<TaskSummary>(all))
            rows.append(joined(task));
        replaceAll(rows);
    }
}

QHash<int, QByteArray> TaskListModel::roleNames() const
{
    return {{ValueRole, "value"}, {TitleRole, "title"}, {RepositoryRole, "repository"}, {StatusRole, "status"},
        {NeedsRole, "needs"}, {UnreadRole, "unread"}, {ActivityRole, "activity"}, {DetailsRole, "details"}};
}

QList<Attention> TaskListModel::attentionOf(const TaskId &task) const
{
    QList<Attention> list;
    const QSet<QString> ids = m_attentionIds.value(task);
    for (const QString &id : ids)
        list.append(m_attention.value(id));
    return list;
}

bool TaskListModel::before(const TaskRow &a, const TaskRow &b) const
{
    return a.task.createdAt > b.task.createdAt;
}

QVariant TaskListModel::dataOf(const TaskRow &row, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case TitleRole:
        return row.task.title;
    case RepositoryRole:
        return QVariant::fromValue(row.task.repoId);
    case StatusRole:
        return int(row.task.status.valueOr(TaskStatus::Idle));
    case NeedsRole:
        return int(row.needs);
    case UnreadRole:
        return row.unread();
    case ActivityRole:
        return row.activityAt();
    case DetailsRole:
        return QVariant::fromValue(row.task);
    default:
        return {};
    }
}

QList<int> TaskListModel::changedRoles(const TaskRow &was, const TaskRow &is) const
{
    QList<int> roles{ValueRole};
    if (was.task.title != is.task.title)
        roles << TitleRole << Qt::DisplayRole;
    if (was.task.repoId != is.task.repoId)
        roles << RepositoryRole;
    if (was.task.status != is.task.status)
        roles << StatusRole;
    if (was.needs != is.needs)
        roles << NeedsRole;
    if (was.unread() != is.unread())
        roles << UnreadRole;
    if (was.activityAt() != is.activityAt())
        roles << ActivityRole;
    if (was.task != is.task)
        roles << DetailsRole;
    return roles;
}

TaskRow TaskListModel::joined(const TaskSummary &task) const
{
    TaskRow row{task, m_overlays.value(task.id)};
    row.overlay.id = task.id;
    const QSet<QString> ids = m_attentionIds.value(task.id);
    for (const QString &id : ids) {
        const OpenEnum<AttentionReason> reason = m_attention.value(id).reason;
        // A reason of a newer version is a question for lack of a better word: it must not get lost.
        const NeedsYou needs = reason.is(AttentionReason::Permission) ? NeedsYou::Permission
            : reason.is(AttentionReason::Error)                       ? NeedsYou::Error
                                                                      : NeedsYou::Question;
        row.needs = qMin(row.needs, needs);
    }
    if (task.status.is(TaskStatus::Error))
        row.needs = qMin(row.needs, NeedsYou::Error);
    if (row.finishedUnseen())
        row.needs = qMin(row.needs, NeedsYou::Finished);
    return row;
}

void TaskListModel::noteAttention(const Attention &attention, QSet<TaskId> &touched)
{
    m_attention.insert(attention.id, attention);
    m_attentionIds[attention.taskId].insert(attention.id);
    touched.insert(attention.taskId);
}

void TaskListModel::forgetAttention(const QString &id, QSet<TaskId> &touched)
{
    const auto found = m_attention.constFind(id);
    if (found == m_attention.constEnd())
        return;
    const TaskId task = found->taskId;
    m_attention.erase(found);
    m_attentionIds[task].remove(id);
    touched.insert(task);
}

void TaskListModel::refresh(const QList<TaskSummary> &summaries, const QSet<TaskId> &touched,
    const QList<TaskId> &removed)
{
    QList<TaskRow> rows;
    rows.reserve(summaries.size() + touched.size());
    QSet<TaskId> done(removed.begin(), removed.end());
    for (const TaskSummary &task : summaries) {
        rows.append(joined(task));
        done.insert(task.id);
    }
    for (const TaskId &id : touched) {
        if (const TaskRow *held = find(id); held && !done.contains(id))
            rows.append(joined(held->task));
    }
    KeyedListModel::apply(rows, removed);
}

} // namespace foundry
