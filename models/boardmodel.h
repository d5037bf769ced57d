// The dashboard's board: tasks by what they want or do. A task stands in the first group that fits.
#pragma once

#include "models/taskgroupmodel.h"

#include <functional>

namespace foundry {

class BoardModel final : public TaskGroupModel {
    Q_OBJECT
public:
    enum class Section { NeedsYou, Running, Provisioning, Ready, Archived };

    // `now` says the time, for "archived in the last seven days".
    explicit BoardModel(TaskListModel *tasks, std::function<Millis()> now, QObject *parent = nullptr);

    static QString keyOfSection(Section section);
    // Lets go of what was archived too long ago; call it now and then.
    void refreshAges() { rebuild(); }

protected:
    std::optional<Place> placeOf(const TaskRow &row) const override;
    bool groupBefore(const QString &a, const QString &b) const override;
    QString groupName(const QString &key) const override;

private:
    std::function<Millis()> m_now;
};

} // namespace foundry
