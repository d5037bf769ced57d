#include "models/taskgroupmodel.h"

#include <QMap>

#include <algorithm>

namespace foundry {

TaskGroupModel::TaskGroupModel(TaskListModel *tasks, QObject *parent)
    : QAbstractItemModel(parent)
    , m_tasks(tasks)
{
    connect(tasks, &QAbstractItemModel::rowsInserted, this, &TaskGroupModel::sourceInserted);
    connect(tasks, &QAbstractItemModel::rowsAboutToBeRemoved, this, &TaskGroupModel::sourceAboutToBeRemoved);
    connect(tasks, &QAbstractItemModel::dataChanged, this, &TaskGroupModel::sourceChanged);
    connect(tasks, &QAbstractItemModel::modelReset, this, &TaskGroupModel::rebuild);
}

TaskGroupModel::~TaskGroupModel() = default;

QModelIndex TaskGroupModel::index(int row, int column, const QModelIndex &parent) const
{
    if (column != 0 || row < 0)
        return {};
    if (!parent.isValid())
        return row < int(m_groups.size()) ? createIndex(row, 0) : QModelIndex();
    if (parent.internalPointer() || parent.row() >= int(m_groups.size()))
        return {};
    Group *group = m_groups[size_t(parent.row())].get();
    return row < int(group->items.size()) ? createIndex(row, 0, group) : QModelIndex();
}

QModelIndex TaskGroupModel::parent(const QModelIndex &child) const
{
    if (!child.isValid() || !child.internalPointer())
        return {};
    return createIndex(static_cast<const Group *>(child.internalPointer())->row, 0);
}

int TaskGroupModel::rowCount(const QModelIndex &parent) const
{
    if (!parent.isValid())
        return int(m_groups.size());
    if (parent.internalPointer() || parent.column() != 0)
        return 0;
    return int(m_groups[size_t(parent.row())]->items.size());
}

int TaskGroupModel::columnCount(const QModelIndex &) const
{
    return 1;
}

QVariant TaskGroupModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    if (isGroup(index)) {
        const Group &group = *m_groups[size_t(index.row())];
        if (role == Qt::DisplayRole)
            return groupName(group.key);
        if (role == GroupKeyRole)
            return group.key;
        return role == GroupCountRole ? QVariant(int(group.items.size())) : QVariant();
    }
    const TaskRow *row = taskAt(index);
    if (!row)
        return {};
    if (role == Qt::DisplayRole)
        return row->task.title;
    if (role == Qt::AccessibleTextRole) {
        const QStringList parts{row->task.title, row->task.status.text(), row->task.branch,
            row->unread() ? tr("unread") : QString()};
        return parts.join(QLatin1StringView(", "));
    }
    if (role == TaskRole)
        return QVariant::fromValue(*row);
    return role == GroupKeyRole ? QVariant(static_cast<const Group *>(index.internalPointer())->key) : QVariant();
}

const TaskRow *TaskGroupModel::taskAt(const QModelIndex &index) const
{
    if (!index.isValid() || !index.internalPointer())
        return nullptr;
    const auto *group = static_cast<const Group *>(index.internalPointer());
    return size_t(index.row()) < group->items.size() ? m_tasks->find(group->items[size_t(index.row())].id) : nullptr;
}

QModelIndex TaskGroupModel::indexOf(const TaskId &task) const
{
    const auto where = m_where.constFind(task);
    if (where == m_where.constEnd())
        return {};
    Group *group = findGroup(where->group);
    return createIndex(rowIn(*group, {task, *where}), 0, group);
}

QModelIndex TaskGroupModel::indexOfGroup(const QString &key) const
{
    const Group *group = findGroup(key);
    return group ? createIndex(group->row, 0) : QModelIndex();
}

QString TaskGroupModel::keyOf(const QModelIndex &group) const
{
    return isGroup(group) ? m_groups[size_t(group.row())]->key : QString();
}

QStringList TaskGroupModel::standingGroups() const
{
    return {};
}

bool TaskGroupModel::isStanding(const QString &) const
{
    return false;
}

bool TaskGroupModel::itemBefore(const Item &a, const Item &b)
{
    if (a.place.rank != b.place.rank)
        return a.place.rank < b.place.rank;
    if (a.place.order != b.place.order)
        return a.place.order < b.place.order;
    if (a.place.time != b.place.time)
        return a.place.time > b.place.time;
    return a.id < b.id;
}

std::optional<TaskGroupModel::Place> TaskGroupModel::shownPlace(const TaskRow &row) const
{
    std::optional<Place> place = placeOf(row);
    if (!place || m_words.isEmpty())
        return place;
    const QString group = groupName(place->group);
    for (const QString &word : m_words) {
        if (!row.task.title.contains(word, Qt::CaseInsensitive) && !row.task.branch.contains(word, Qt::CaseInsensitive)
            && !group.contains(word, Qt::CaseInsensitive))
            return std::nullopt;
    }
    return place;
}

TaskGroupModel::Group *TaskGroupModel::findGroup(const QString &key) const
{
    const auto found = std::find_if(m_groups.begin(), m_groups.end(), [&](const auto &group) { return group->key == key; });
    return found == m_groups.end() ? nullptr : found->get();
}

int TaskGroupModel::rowIn(const Group &group, const Item &item) const
{
    return int(std::lower_bound(group.items.begin(), group.items.end(), item, itemBefore) - group.items.begin());
}

void TaskGroupModel::renumber()
{
    for (size_t row = 0; row < m_groups.size(); ++row)
        m_groups[row]->row = int(row);
}

void TaskGroupModel::ensureGroup(const QString &key)
{
    if (findGroup(key))
        return;
    const auto at = std::find_if(m_groups.begin(), m_groups.end(),
        [&](const auto &group) { return groupBefore(key, group->key); });
    const int row = int(at - m_groups.begin());
    beginInsertRows({}, row, row);
    auto group = std::make_unique<Group>();
    group->key = key;
    m_groups.insert(at, std::move(group));
    renumber();
    endInsertRows();
}

void TaskGroupModel::dropIfEmpty(const QString &key)
{
    const Group *group = findGroup(key);
    if (!group || !group->items.empty() || (!isFiltered() && isStanding(key)))
        return;
    const int row = group->row;
    beginRemoveRows({}, row, row);
    m_groups.erase(m_groups.begin() + row);
    renumber();
    endRemoveRows();
}

void TaskGroupModel::groupChanged(const QString &key)
{
    const Group *group = findGroup(key);
    if (!group)
        return;
    const int from = group->row;
    int to = 0; // its place among the others
    for (const auto &other : m_groups)
        to += other.get() != group && groupBefore(other->key, key) ? 1 : 0;
    if (to != from) {
        beginMoveRows({}, from, from, {}, to > from ? to + 1 : to);
        std::unique_ptr<Group> moved = std::move(m_groups[size_t(from)]);
        m_groups.erase(m_groups.begin() + from);
        m_groups.insert(m_groups.begin() + to, std::move(moved));
        renumber();
        endMoveRows();
    }
    Q_EMIT dataChanged(createIndex(to, 0), createIndex(to, 0), {Qt::DisplayRole});
}

void TaskGroupModel::rebuild()
{
    if (!isFiltered()) {
        for (const QString &key : standingGroups())
            ensureGroup(key);
    }
    QSet<TaskId> wanted;
    QList<TaskId> fresh;
    QList<TaskId> gone;
    for (int row = 0; row < m_tasks->count(); ++row) {
        const TaskRow &task = m_tasks->at(row);
        if (!shownPlace(task))
            continue;
        wanted.insert(task.task.id);
        if (m_where.contains(task.task.id))
            updateTask(task);
        else
            fresh.append(task.task.id);
    }
    for (auto it = m_where.keyBegin(); it != m_where.keyEnd(); ++it) {
        if (!wanted.contains(*it))
            gone.append(*it);
    }
    removeTasks(gone);
    insertTasks(fresh);
}

void TaskGroupModel::setFilter(const QString &text)
{
    const QStringList words = text.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    if (words == m_words)
        return;
    m_words = words;
    rebuild();
    QStringList keys;
    for (const auto &group : m_groups)
        keys.append(group->key);
    for (const QString &key : std::as_const(keys))
        dropIfEmpty(key);
}

void TaskGroupModel::insertTasks(const QList<TaskId> &tasks)
{
    QMap<QString, std::vector<Item>> byGroup;
    for (const TaskId &id : tasks) {
        const TaskRow *row = m_tasks->find(id);
        if (std::optional<Place> place = row ? shownPlace(*row) : std::nullopt)
            byGroup[place->group].push_back({id, *place});
    }
    for (auto it = byGroup.begin(); it != byGroup.end(); ++it) {
        std::vector<Item> &items = it.value();
        std::sort(items.begin(), items.end(), itemBefore);
        ensureGroup(it.key());
        Group &group = *findGroup(it.key());
        for (size_t from = 0; from < items.size();) {
            const int row = rowIn(group, items[from]);
            size_t to = from + 1;
            while (to < items.size()
                && (row == int(group.items.size()) || itemBefore(items[to], group.items[size_t(row)])))
                ++to;
            beginInsertRows(createIndex(group.row, 0), row, row + int(to - from) - 1);
            group.items.insert(group.items.begin() + row, items.begin() + qsizetype(from), items.begin() + qsizetype(to));
            for (; from < to; ++from)
                m_where.insert(items[from].id, items[from].place);
            endInsertRows();
        }
        announceCount(group);
    }
}

void TaskGroupModel::removeTasks(const QList<TaskId> &tasks)
{
    QMap<QString, std::vector<int>> byGroup;
    for (const TaskId &id : tasks) {
        const auto where = m_where.constFind(id);
        if (where == m_where.constEnd())
            continue;
        byGroup[where->group].push_back(rowIn(*findGroup(where->group), {id, *where}));
        m_where.erase(where);
    }
    for (auto it = byGroup.begin(); it != byGroup.end(); ++it) {
        std::vector<int> &rows = it.value();
        std::sort(rows.begin(), rows.end(), std::greater<>());
        Group &group = *findGroup(it.key());
        for (size_t at = 0; at < rows.size();) {
            const int last = rows[at];
            int first = last;
            while (++at < rows.size() && rows[at] == first - 1)
                --first;
            beginRemoveRows(createIndex(group.row, 0), first, last);
            group.items.erase(group.items.begin() + first, group.items.begin() + last + 1);
            endRemoveRows();
        }
        announceCount(group);
        dropIfEmpty(it.key());
    }
}

void TaskGroupModel::updateTask(const TaskRow &row)
{
    const TaskId id = row.task.id;
    const std::optional<Place> place = shownPlace(row);
    const auto where = m_where.constFind(id);
    if (where == m_where.constEnd()) {
        if (place)
            insertTasks({id});
        return;
    }
    if (!place) {
        removeTasks({id});
        return;
    }
    const Place was = *where; // NOLINT(performance-unnecessary-copy-initialization): what follows changes the table
    ensureGroup(place->group);
    Group &from = *findGroup(was.group);
    Group &to = *findGroup(place->group);
    const int row0 = rowIn(from, {id, was});
    const Item item{id, *place};
    // The row it goes to, counted while it still stands at its old one.
    int row1 = rowIn(to, item);
    const bool moves = &from != &to || (row1 != row0 && row1 != row0 + 1);
    if (moves) {
        beginMoveRows(createIndex(from.row, 0), row0, row0, createIndex(to.row, 0), row1);
        from.items.erase(from.items.begin() + row0);
        if (&from == &to && row1 > row0)
            --row1;
        to.items.insert(to.items.begin() + row1, item);
        m_where.insert(id, *place);
        endMoveRows();
    } else {
        row1 = row0;
        to.items[size_t(row0)] = item;
        m_where.insert(id, *place);
    }
    const QModelIndex shown = createIndex(row1, 0, &to);
    Q_EMIT dataChanged(shown, shown, {TaskRole, Qt::DisplayRole});
    if (&from != &to) {
        announceCount(from);
        announceCount(to);
        dropIfEmpty(was.group);
    }
}

void TaskGroupModel::announceCount(const Group &group)
{
    const QModelIndex index = createIndex(group.row, 0);
    Q_EMIT dataChanged(index, index, {GroupCountRole});
}

void TaskGroupModel::sourceInserted(const QModelIndex &, int first, int last)
{
    QList<TaskId> tasks;
    for (int row = first; row <= last; ++row)
        tasks.append(m_tasks->at(row).task.id);
    insertTasks(tasks);
}

void TaskGroupModel::sourceAboutToBeRemoved(const QModelIndex &, int first, int last)
{
    QList<TaskId> tasks;
    for (int row = first; row <= last; ++row)
        tasks.append(m_tasks->at(row).task.id);
    removeTasks(tasks);
}

void TaskGroupModel::sourceChanged(const QModelIndex &first, const QModelIndex &last)
{
    for (int row = first.row(); row <= last.row(); ++row)
        updateTask(m_tasks->at(row));
}

} // namespace foundry
