// All tasks of the organization: each summary joined with what this user has seen of it (overlay) and what waits for an
// answer in it (attention). Fed from the topics organization and overlay, in any order.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/topicsink.h"

#include <QSet>

namespace foundry {

// What a task wants from the user, the most urgent first.
enum class NeedsYou { Permission, Question, Error, Finished, Nothing };

struct TaskRow {
    TaskSummary task;
    TaskOverlay overlay = {};
    NeedsYou needs = NeedsYou::Nothing;

    // Neither archived nor on the way there or out.
    bool isOpen() const;
    // A turn ended after the user last looked.
    bool finishedUnseen() const
    {
        return isOpen() && task.lastTurnEndedAt && *task.lastTurnEndedAt > overlay.lastSeenAt;
    }
    bool unread() const { return overlay.unread || finishedUnseen(); }
    // The time of what last happened in it: an end of a turn, a turn that runs, archiving, creation.
    Millis activityAt() const;
    friend bool operator==(const TaskRow &, const TaskRow &) = default;
};

class TaskListModel final : public KeyedListModel<TaskRow, TaskId>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        TitleRole = FirstRole, // QString
        RepositoryRole,        // RepoId
        StatusRole,            // TaskStatus, as int
        NeedsRole,             // NeedsYou, as int
        UnreadRole,            // bool
        ActivityRole,          // qint64, Millis
        DetailsRole            // the rest: branch, stage, sessions, diffStat …
    };

    using KeyedListModel::KeyedListModel;

    void apply(const TopicEvent &event) override;
    // Topic organization replaces tasks and attention; topic overlay replaces the overlays.
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

    // What waits in this task, in no order.
    QList<Attention> attentionOf(const TaskId &task) const;

protected:
    TaskId keyOf(const TaskRow &row) const override { return row.task.id; }
    // Newest first.
    bool before(const TaskRow &a, const TaskRow &b) const override;
    QVariant dataOf(const TaskRow &row, int role) const override;
    QList<int> changedRoles(const TaskRow &was, const TaskRow &is) const override;

private:
    TaskRow joined(const TaskSummary &task) const;
    void noteAttention(const Attention &attention, QSet<TaskId> &touched);
    void forgetAttention(const QString &id, QSet<TaskId> &touched);
    // Joins anew those of `touched` that are not in `summaries`, which are new themselves.
    void refresh(const QList<TaskSummary> &summaries, const QSet<TaskId> &touched, const QList<TaskId> &removed);

    QHash<TaskId, TaskOverlay> m_overlays;
    QHash<QString, Attention> m_attention;
    QHash<TaskId, QSet<QString>> m_attentionIds;
};

} // namespace foundry
