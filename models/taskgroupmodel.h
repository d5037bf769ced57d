// Tasks in groups, as a tree of two levels over a TaskListModel: what a board or a sidebar shows. Which group a task
// stands in, and where, is said by a subclass. Changes of the source come through as inserts, moves and removals; a task
// that changes its group is moved, so that selection and view state stay with it.
#pragma once

#include "models/tasklistmodel.h"

#include <QAbstractItemModel>
#include <QPointer>

#include <memory>
#include <optional>
#include <vector>

namespace foundry {

class TaskGroupModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Role {
        TaskRole = TaskListModel::ValueRole, // TaskRow; invalid for a group
        GroupKeyRole = Qt::UserRole + 100,   // QString, of a group or of the task's group
        GroupCountRole                       // int, tasks in the group
    };

    // `tasks` must outlive the model.
    explicit TaskGroupModel(TaskListModel *tasks, QObject *parent = nullptr);
    ~TaskGroupModel() override;

    QModelIndex index(int row, int column, const QModelIndex &parent = {}) const override;
    QModelIndex parent(const QModelIndex &child) const override;
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;

    bool isGroup(const QModelIndex &index) const { return index.isValid() && !index.internalPointer(); }
    // Null for a group. Valid until the next change.
    const TaskRow *taskAt(const QModelIndex &index) const;
    QModelIndex indexOf(const TaskId &task) const;
    QModelIndex indexOfGroup(const QString &key) const;
    QString keyOf(const QModelIndex &group) const;
    int shownTasks() const { return int(m_where.size()); }

    // Shows only tasks whose title, branch or group match all words of `text`.
    void setFilter(const QString &text);
    bool isFiltered() const { return !m_words.isEmpty(); }

    TaskListModel *tasks() const { return m_tasks; }

protected:
    struct Place {
        QString group;
        int rank = 0;     // ascending
        double order = 0; // ascending
        Millis time = 0;  // newest first
    };

    // Where the task stands; none when it is not shown at all.
    virtual std::optional<Place> placeOf(const TaskRow &row) const = 0;
    virtual bool groupBefore(const QString &a, const QString &b) const = 0;
    virtual QString groupName(const QString &key) const = 0;
    // Groups that are there without tasks, while nothing is filtered.
    virtual QStringList standingGroups() const;
    virtual bool isStanding(const QString &key) const;

    // Subclasses call it at the end of their constructor, and when their groups changed at large.
    void rebuild();
    void ensureGroup(const QString &key);
    void dropIfEmpty(const QString &key);
    // The group's name or place in the order may have changed.
    void groupChanged(const QString &key);

private:
    struct Item {
        TaskId id;
        Place place;
    };
    struct Group {
        QString key;
        int row = 0;
        std::vector<Item> items;
    };

    static bool itemBefore(const Item &a, const Item &b);
    std::optional<Place> shownPlace(const TaskRow &row) const;
    Group *findGroup(const QString &key) const;
    int rowIn(const Group &group, const Item &item) const;
    void renumber();
    void insertTasks(const QList<TaskId> &tasks);
    void removeTasks(const QList<TaskId> &tasks);
    void updateTask(const TaskRow &row);
    void announceCount(const Group &group);
    void sourceInserted(const QModelIndex &parent, int first, int last);
    void sourceAboutToBeRemoved(const QModelIndex &parent, int first, int last);
    void sourceChanged(const QModelIndex &first, const QModelIndex &last);

    TaskListModel *m_tasks;
    std::vector<std::unique_ptr<Group>> m_groups;
    QHash<TaskId, Place> m_where;
    QStringList m_words;
};

} // namespace foundry
