#include "models/boardmodel.h"

namespace foundry {

namespace {

constexpr Millis boardArchiveShown = 7 * 24 * 3600 * Millis(1000);

} // namespace

BoardModel::BoardModel(TaskListModel *tasks, std::function<Millis()> now, QObject *parent)
    : TaskGroupModel(tasks, parent)
    , m_now(std::move(now))
{
    rebuild();
}

QString BoardModel::keyOfSection(Section section)
{
    return QString::number(int(section));
}

std::optional<TaskGroupModel::Place> BoardModel::placeOf(const TaskRow &row) const
{
    const Millis time = row.activityAt();
    if (!row.isOpen()) {
        if (row.task.status.is(TaskStatus::Deleting) || row.task.archivedAt.value_or(time) < m_now() - boardArchiveShown)
            return std::nullopt;
        return Place{keyOfSection(Section::Archived), 0, 0, row.task.archivedAt.value_or(time)};
    }
    if (row.needs != NeedsYou::Nothing)
        return Place{keyOfSection(Section::NeedsYou), int(row.needs), 0, time};
    if (row.task.status.is(TaskStatus::Running))
        return Place{keyOfSection(Section::Running), 0, 0, time};
    if (row.task.status.is(TaskStatus::Provisioning))
        return Place{keyOfSection(Section::Provisioning), 0, 0, time};
    return Place{keyOfSection(Section::Ready), 0, 0, time};
}

bool BoardModel::groupBefore(const QString &a, const QString &b) const
{
    return a.toInt() < b.toInt();
}

QString BoardModel::groupName(const QString &key) const
{
    switch (Section(key.toInt())) {
    case Section::NeedsYou:
        return tr("Needs you");
    case Section::Running:
        return tr("Running");
    case Section::Provisioning:
        return tr("Provisioning");
    case Section::Ready:
        return tr("Ready");
    case Section::Archived:
        return tr("Archived");
    }
    return {};
}

} // namespace foundry
