// Tasks joined with overlay and attention, in whatever order these come; and the queue of what needs the user.
#include "models/attentionmodel.h"
#include "models/tasklistmodel.h"
#include "tests/models/modelmirror.h"

#include <QAbstractItemModelTester>
#include <QRandomGenerator>
#include <QTest>

namespace foundry {

class TestTaskModels : public QObject {
    Q_OBJECT

    static TaskSummary task(const char *id, Millis createdAt, TaskStatus status = TaskStatus::Idle)
    {
        TaskSummary value;
        value.id = TaskId(QString::fromLatin1(id));
        value.title = QString::fromLatin1(id);
        value.createdAt = createdAt;
        value.status = status;
        return value;
    }
    static Attention attention(const char *id, const char *taskId, AttentionReason reason, Millis at)
    {
        Attention value;
        value.id = QString::fromLatin1(id);
        value.taskId = TaskId(QString::fromLatin1(taskId));
        value.reason = reason;
        value.at = at;
        return value;
    }
    static TaskOverlay seen(const char *id, Millis at)
    {
        TaskOverlay value;
        value.id = TaskId(QString::fromLatin1(id));
        value.lastSeenAt = at;
        return value;
    }
    static TopicEvent upsert(QList<Entity> entities)
    {
        TopicEvent event;
        event.upserts = std::move(entities);
        return event;
    }
    static TopicEvent removal(const char *type, const char *id)
    {
        TopicEvent event;
        event.removals = {{QString::fromLatin1(type), QString::fromLatin1(id)}};
        return event;
    }
    static QString titles(const QAbstractItemModel &model)
    {
        QStringList list;
        for (int row = 0; row < model.rowCount(); ++row)
            list.append(model.index(row, 0).data().toString());
        return list.join(QLatin1Char(' '));
    }

private Q_SLOTS:
    void joinsInAnyOrder()
    {
        TaskListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        const TaskId id(QStringLiteral("a"));
        TaskSummary done = task("a", 10);
        done.lastTurnEndedAt = 50;
        model.apply(upsert({attention("x", "a", AttentionReason::Question, 20)})); // before its task
        model.apply(upsert({seen("a", 60)}));
        model.apply(upsert({done}));
        QCOMPARE(model.find(id)->needs, NeedsYou::Question);
        model.apply(upsert({attention("y", "a", AttentionReason::Permission, 30)}));
        QCOMPARE(model.find(id)->needs, NeedsYou::Permission);
        model.apply(removal("Attention", "y"));
        model.apply(removal("Attention", "x"));
        QCOMPARE(model.find(id)->needs, NeedsYou::Nothing); // seen after it ended
        model.apply(upsert({seen("a", 40)}));
        QCOMPARE(model.find(id)->needs, NeedsYou::Finished);
        QVERIFY(model.find(id)->unread());
        model.apply(removal("TaskSummary", "a"));
        QCOMPARE(model.count(), 0);
    }

    void overlayAloneChangesOneRowWithItsRoles()
    {
        TaskListModel model;
        TaskSummary done = task("a", 10);
        done.lastTurnEndedAt = 50;
        model.replace(QStringLiteral("organization"), {done, task("b", 5)});
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        model.apply(upsert({seen("a", 70)}));
        QCOMPARE(mirror.changes, 1);
        QVERIFY(mirror.lastRoles.contains(int(TaskListModel::UnreadRole)));
        QVERIFY(!mirror.lastRoles.contains(int(TaskListModel::TitleRole)));
        model.apply(upsert({seen("a", 70)}));
        QCOMPARE(mirror.changes, 1);
        model.apply(upsert({seen("unknown", 70)}));
        QCOMPARE(mirror.changes, 1);
        QCOMPARE(mirror.moves, 0);
    }

    void snapshotsReplaceWhatTheyOwn()
    {
        TaskListModel model;
        model.replace(QStringLiteral("organization"), {task("a", 1), task("b", 2), attention("x", "a", AttentionReason::Error, 1)});
        model.replace(QStringLiteral("overlay"), {seen("a", 5)});
        QCOMPARE(titles(model), QStringLiteral("b a")); // newest first
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        model.replace(QStringLiteral("organization"), {task("a", 1)});
        QCOMPARE(titles(model), QStringLiteral("a"));
        QCOMPARE(model.at(0).needs, NeedsYou::Nothing);
        QCOMPARE(model.at(0).overlay.lastSeenAt, 5);
        QCOMPARE(mirror.resets, 0);
    }

    void archivedTasksAreNoNews()
    {
        TaskListModel model;
        TaskSummary old = task("a", 1, TaskStatus::Archived);
        old.lastTurnEndedAt = 100;
        model.apply(upsert({old}));
        QCOMPARE(model.at(0).needs, NeedsYou::Nothing);
        TaskSummary failed = task("b", 1, TaskStatus::Error);
        model.apply(upsert({failed}));
        QCOMPARE(model.find(failed.id)->needs, NeedsYou::Error);
    }

    void queueIsInTheOrderOfUrgency()
    {
        AttentionModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        test::ModelMirror mirror(&model, AttentionModel::TaskTitleRole);
        TaskSummary done = task("done", 1);
        done.lastTurnEndedAt = 9;
        model.apply(upsert({task("p1", 1), task("q", 1), task("p2", 1), task("broken", 1, TaskStatus::Error), done}));
        model.apply(upsert({attention("2", "p2", AttentionReason::Permission, 80)}));
        model.apply(upsert({attention("1", "p1", AttentionReason::Permission, 70), attention("3", "q", AttentionReason::Question, 5)}));
        QCOMPARE(titles(model), QStringLiteral("p1 p2 q broken done"));
        model.apply(upsert({seen("done", 10)}));
        model.apply(removal("Attention", "2"));
        QCOMPARE(titles(model), QStringLiteral("p1 q broken"));
        // A failure that is said by an attention is said once.
        model.apply(upsert({attention("4", "broken", AttentionReason::Error, 1)}));
        QCOMPARE(titles(model), QStringLiteral("p1 q broken"));
        TaskSummary renamed = task("p1", 1);
        renamed.title = QStringLiteral("other");
        model.apply(upsert({renamed}));
        QCOMPARE(titles(model), QStringLiteral("other q broken"));
        model.replace(QStringLiteral("organization"), {task("q", 1), attention("3", "q", AttentionReason::Question, 5)});
        QCOMPARE(titles(model), QStringLiteral("q"));
        QCOMPARE(mirror.rows(), mirror.actual());
        QCOMPARE(mirror.resets, 0);
    }

    void bothAgreeUnderRandomEvents()
    {
        QRandomGenerator random(3);
        TaskListModel tasks;
        AttentionModel queue;
        QAbstractItemModelTester tester(&tasks, QAbstractItemModelTester::FailureReportingMode::Fatal);
        QAbstractItemModelTester queueTester(&queue, QAbstractItemModelTester::FailureReportingMode::Fatal);
        for (int round = 0; round < 600; ++round) {
            const QByteArray id = "t" + QByteArray::number(random.bounded(15));
            const QByteArray note = "n" + QByteArray::number(random.bounded(25));
            TopicEvent event;
            switch (random.bounded(5)) {
            case 0: {
                TaskSummary value = task(id.constData(), random.bounded(50), TaskStatus(random.bounded(8)));
                value.lastTurnEndedAt = random.bounded(100);
                event = upsert({value});
                break;
            }
            case 1:
                event = upsert({seen(id.constData(), random.bounded(100))});
                break;
            case 2:
                // An attention stays with its task.
                event = upsert({attention(note.constData(), ("t" + note.mid(1)).constData(),
                    AttentionReason(random.bounded(3)), random.bounded(100))});
                break;
            case 3:
                event = removal("Attention", note.constData());
                break;
            default:
                event = random.bounded(4) == 0 ? removal("TaskSummary", id.constData()) : TopicEvent{};
            }
            tasks.apply(event);
            queue.apply(event);
            QHash<TaskId, NeedsYou> first;
            for (int row = 0; row < queue.count(); ++row) {
                const AttentionItem &item = queue.at(row);
                if (!first.contains(item.taskId))
                    first.insert(item.taskId, item.needs);
            }
            for (int row = 0; row < tasks.count(); ++row)
                QCOMPARE(first.value(tasks.at(row).task.id, NeedsYou::Nothing), tasks.at(row).needs);
        }
    }
};

} // namespace foundry

QTEST_GUILESS_MAIN(foundry::TestTaskModels)
#include "tst_taskmodels.moc"
