// Board and sidebar: each task in its group, moved when that changes; groups that come and go; the filter.
#include "models/boardmodel.h"
#include "models/sidebarmodel.h"

#include <QAbstractItemModelTester>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

namespace foundry {

class TestTaskGroupModel : public QObject {
    Q_OBJECT

    static constexpr Millis day = 24 * 3600 * Millis(1000);
    static constexpr Millis now = 100 * day;

    static TaskSummary task(int id, int repo, TaskStatus status, Millis createdAt = now)
    {
        TaskSummary value;
        value.id = TaskId(QString::number(id));
        value.repoId = RepoId(QString::number(repo));
        value.title = QStringLiteral("Task %1").arg(id);
        value.branch = QStringLiteral("branch-%1").arg(id);
        value.status = status;
        value.createdAt = createdAt;
        return value;
    }
    static Repository repository(int id, const QString &name)
    {
        Repository value;
        value.id = RepoId(QString::number(id));
        value.name = name;
        value.state = RepositoryState::Ready;
        return value;
    }
    static TopicEvent upsert(QList<Entity> entities)
    {
        TopicEvent event;
        event.upserts = std::move(entities);
        return event;
    }
    // "Group: 1 2; Group: 3"
    static QString drawn(const TaskGroupModel &model)
    {
        QStringList groups;
        for (int g = 0; g < model.rowCount(); ++g) {
            const QModelIndex group = model.index(g, 0);
            QStringList tasks;
            for (int t = 0; t < model.rowCount(group); ++t)
                tasks.append(model.taskAt(model.index(t, 0, group))->task.id.value);
            groups.append(group.data().toString() + QStringLiteral(": ") + tasks.join(QLatin1Char(' ')));
        }
        return groups.join(QStringLiteral("; "));
    }

private Q_SLOTS:
    void boardStandsInTheFirstThatFits()
    {
        TaskListModel tasks;
        BoardModel board(&tasks, [] { return now; });
        QAbstractItemModelTester tester(&board, QAbstractItemModelTester::FailureReportingMode::Fatal);
        tasks.apply(upsert({task(1, 1, TaskStatus::Idle), task(2, 1, TaskStatus::Running),
            task(3, 1, TaskStatus::Provisioning), task(4, 1, TaskStatus::Error), task(5, 1, TaskStatus::Ready, now + 5)}));
        TaskSummary archived = task(6, 1, TaskStatus::Archived);
        archived.archivedAt = now - 2 * day;
        TaskSummary longGone = task(7, 1, TaskStatus::Archived);
        longGone.archivedAt = now - 9 * day;
        tasks.apply(upsert({archived, longGone, task(8, 1, TaskStatus::Deleting)}));
        QCOMPARE(drawn(board), QStringLiteral("Needs you: 4; Running: 2; Provisioning: 3; Ready: 5 1; Archived: 6"));

        const QPersistentModelIndex two = board.indexOf(TaskId(QStringLiteral("2")));
        Attention attention;
        attention.id = QStringLiteral("x");
        attention.taskId = TaskId(QStringLiteral("2"));
        tasks.apply(upsert({attention}));
        QCOMPARE(drawn(board), QStringLiteral("Needs you: 2 4; Provisioning: 3; Ready: 5 1; Archived: 6"));
        QCOMPARE(QModelIndex(two), board.indexOf(TaskId(QStringLiteral("2")))); // moved, not removed
    }

    void sidebarHasRepositoriesWithoutTasksAndArchivedLast()
    {
        TaskListModel tasks;
        RepositoryListModel repositories;
        SidebarModel sidebar(&tasks, &repositories);
        QAbstractItemModelTester tester(&sidebar, QAbstractItemModelTester::FailureReportingMode::Fatal);
        tasks.replace(QStringLiteral("organization"),
            {task(1, 1, TaskStatus::Idle, 1), task(2, 2, TaskStatus::Idle, 2), task(3, 1, TaskStatus::Archived, 3)});
        QCOMPARE(drawn(sidebar), QStringLiteral("1: 1; 2: 2; Archived: 3")); // repositories not known yet
        repositories.replaceAll({repository(1, QStringLiteral("zeta")), repository(2, QStringLiteral("beta")),
            repository(3, QStringLiteral("alpha"))});
        QCOMPARE(drawn(sidebar), QStringLiteral("alpha: ; beta: 2; zeta: 1; Archived: 3"));
        repositories.apply({repository(1, QStringLiteral("aaa"))}, {});
        QCOMPARE(drawn(sidebar), QStringLiteral("aaa: 1; alpha: ; beta: 2; Archived: 3"));
        repositories.apply(QList<Repository>{}, {RepoId(QStringLiteral("3"))});
        QCOMPARE(drawn(sidebar), QStringLiteral("aaa: 1; beta: 2; Archived: 3"));
    }

    void sidebarKeepsTheUsersOrder()
    {
        TaskListModel tasks;
        RepositoryListModel repositories;
        repositories.replaceAll({repository(1, QStringLiteral("r"))});
        SidebarModel sidebar(&tasks, &repositories);
        tasks.apply(upsert({task(1, 1, TaskStatus::Idle, 1), task(2, 1, TaskStatus::Idle, 2), task(3, 1, TaskStatus::Idle, 3)}));
        QCOMPARE(drawn(sidebar), QStringLiteral("r: 3 2 1"));
        TaskOverlay first;
        first.id = TaskId(QStringLiteral("1"));
        first.order = 1.0;
        TaskOverlay second;
        second.id = TaskId(QStringLiteral("3"));
        second.order = 2.0;
        tasks.apply(upsert({first, second}));
        QCOMPARE(drawn(sidebar), QStringLiteral("r: 2 1 3")); // the new one on top
    }

    void filterHidesAndShows()
    {
        TaskListModel tasks;
        RepositoryListModel repositories;
        repositories.replaceAll({repository(1, QStringLiteral("alpha")), repository(2, QStringLiteral("beta"))});
        SidebarModel sidebar(&tasks, &repositories);
        QAbstractItemModelTester tester(&sidebar, QAbstractItemModelTester::FailureReportingMode::Fatal);
        tasks.apply(upsert({task(11, 1, TaskStatus::Idle, 3), task(12, 1, TaskStatus::Idle, 2), task(21, 2, TaskStatus::Idle, 1)}));
        QSignalSpy resets(&sidebar, &QAbstractItemModel::modelReset);
        sidebar.setFilter(QStringLiteral("task 12"));
        QCOMPARE(drawn(sidebar), QStringLiteral("alpha: 12"));
        tasks.apply(upsert({task(122, 2, TaskStatus::Idle, 9)}));
        QCOMPARE(drawn(sidebar), QStringLiteral("alpha: 12; beta: 122"));
        sidebar.setFilter(QStringLiteral("BETA"));
        QCOMPARE(drawn(sidebar), QStringLiteral("beta: 122 21"));
        sidebar.setFilter(QStringLiteral("nothing like it"));
        QCOMPARE(drawn(sidebar), QString());
        sidebar.setFilter(QString());
        QCOMPARE(drawn(sidebar), QStringLiteral("alpha: 11 12; beta: 122 21"));
        QCOMPARE(resets.size(), 0);
    }

    void randomEqualsAFreshModel()
    {
        QRandomGenerator random(42);
        TaskListModel tasks;
        RepositoryListModel repositories;
        BoardModel board(&tasks, [] { return now; });
        SidebarModel sidebar(&tasks, &repositories);
        QAbstractItemModelTester boardTester(&board, QAbstractItemModelTester::FailureReportingMode::Fatal);
        QAbstractItemModelTester sidebarTester(&sidebar, QAbstractItemModelTester::FailureReportingMode::Fatal);
        QSignalSpy resets(&sidebar, &QAbstractItemModel::modelReset);
        for (int round = 0; round < 300; ++round) {
            TopicEvent event;
            for (int n = int(random.bounded(5)); n >= 0; --n) {
                const int id = int(random.bounded(40));
                TaskOverlay overlay;
                overlay.id = TaskId(QString::number(id));
                if (random.bounded(3) == 0)
                    overlay.order = random.bounded(10);
                switch (random.bounded(6)) {
                case 0:
                    event.removals.append({QStringLiteral("TaskSummary"), QString::number(id)});
                    break;
                case 1:
                    event.upserts.append(overlay);
                    break;
                default:
                    event.upserts.append(task(id, int(random.bounded(4)), TaskStatus(random.bounded(8)), now - random.bounded(9)));
                }
            }
            tasks.apply(event);
            if (round % 7 == 3)
                repositories.apply({repository(int(random.bounded(4)), QString(QChar(ushort('a' + random.bounded(26)))))}, {});
            if (round % 11 == 5)
                repositories.apply(QList<Repository>{}, {RepoId(QString::number(random.bounded(4)))});
            if (round % 13 == 6)
                sidebar.setFilter(random.bounded(2) ? QString::number(random.bounded(9)) : QString());
            BoardModel freshBoard(&tasks, [] { return now; });
            QCOMPARE(drawn(board), drawn(freshBoard));
            if (!sidebar.isFiltered()) {
                SidebarModel freshSidebar(&tasks, &repositories);
                QCOMPARE(drawn(sidebar), drawn(freshSidebar));
            }
            for (int row = 0; row < tasks.count(); ++row) {
                const QModelIndex index = board.indexOf(tasks.at(row).task.id);
                QVERIFY(!index.isValid() || board.taskAt(index) == &tasks.at(row));
            }
        }
        QCOMPARE(resets.size(), 0);
    }

    void tenThousandTasksFilterInAFrame()
    {
        TaskListModel tasks;
        RepositoryListModel repositories;
        SidebarModel sidebar(&tasks, &repositories);
        QList<Entity> all;
        for (int id = 0; id < 10'000; ++id)
            all.append(task(id, id % 20, TaskStatus::Idle, now - id));
        QElapsedTimer timer;
        timer.start();
        tasks.replace(QStringLiteral("organization"), all);
        const qint64 loaded = timer.restart();
        sidebar.setFilter(QStringLiteral("99"));
        sidebar.setFilter(QString());
        const qint64 filtered = timer.elapsed();
        QCOMPARE(sidebar.shownTasks(), 10'000);
        QVERIFY2(loaded < 400 && filtered < 400,
            qPrintable(QStringLiteral("loading %1 ms, filtering twice %2 ms").arg(loaded).arg(filtered)));
    }
};

} // namespace foundry

QTEST_GUILESS_MAIN(foundry::TestTaskGroupModel)
#include "tst_taskgroupmodel.moc"
