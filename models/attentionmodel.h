// The queue of what needs the user over all tasks: permissions, questions, errors, then results not yet seen; the
// oldest first within each. Enough is in a row to answer it without opening the task. Fed from the topics organization
// and overlay.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/tasklistmodel.h"
#include "models/topicsink.h"

#include <QSet>

namespace foundry {

struct AttentionItem {
    QString id; // the attention's; else "finished/" or "error/" and the task's
    NeedsYou needs = NeedsYou::Nothing;
    TaskId taskId;
    RepoId repoId;
    QString taskTitle;
    Attention attention = {}; // empty for a finished task
    Millis at = 0;
    friend bool operator==(const AttentionItem &, const AttentionItem &) = default;
};

class AttentionModel final : public KeyedListModel<AttentionItem, QString>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        NeedsRole = FirstRole, // NeedsYou, as int
        TitleRole,             // QString, what is asked or said
        TaskTitleRole,         // QString
        TaskRole,              // TaskId
        AtRole                 // qint64, Millis
    };

    using KeyedListModel::KeyedListModel;

    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

protected:
    QString keyOf(const AttentionItem &item) const override { return item.id; }
    bool before(const AttentionItem &a, const AttentionItem &b) const override;
    QVariant dataOf(const AttentionItem &item, int role) const override;

private:
    struct Facts {
        QString title;
        RepoId repoId;
        bool open = true;
        bool failed = false;
        Millis finishedAt = 0; // 0: no turn has ended yet
        Millis at = 0;
    };

    void noteTask(const TaskSummary &task);
    void noteAttention(const Attention &attention, QSet<TaskId> &touched);
    void forgetAttention(const QString &id, QSet<TaskId> &touched);
    QList<AttentionItem> itemsOf(const TaskId &task) const;
    // Brings the rows of these tasks in step with the facts.
    void refresh(const QSet<TaskId> &tasks);

    QHash<TaskId, Facts> m_tasks;
    QHash<TaskId, Millis> m_seen;
    QHash<QString, Attention> m_attention;
    QHash<TaskId, QSet<QString>> m_attentionOf;
    QHash<TaskId, QSet<QString>> m_shown; // ids of the rows of a task
};

} // namespace foundry
