// The task page and the host: which task is shown, its models in, the user's intents out as commands, their failures
// back. GUI thread.
#pragma once

#include "app/opentask.h"
#include "models/types/user.h"
#include "realtime/commands/hostclient.h"
#include "views/task/taskpage.h"

#include <QTimer>

namespace foundry {
class TaskListModel;
}

namespace foundry::app {

class LoopWatchdog;

class TaskPageBinding : public QObject {
    Q_OBJECT

public:
    // All outlive the binding.
    TaskPageBinding(views::TaskPage &page, realtime::HostClient &host, TaskListModel &tasks, LoopWatchdog &watchdog,
        QObject *parent = nullptr);
    ~TaskPageBinding() override;

    // Shows the task in this frame, with what is known of it.
    void open(const TaskSummary &task, const SessionId &session = {}, std::optional<qint64> entry = {});
    void close();
    TaskId shown() const { return m_shown ? m_shown->id() : TaskId(); }
    // Null when the task is not open.
    OpenTask *of(const TaskId &task);
    // The client of a task, shown or not: a permission can be answered from the queue.
    realtime::TaskClient &client(const RepoId &repo, const TaskId &task) { return m_host.task(repo, task); }

private:
    void connectSessions();
    void connectQueue();
    void connectReads();
    void connectTask();
    void followLink();
    void activate(const SessionId &session);
    void noteOverlays(const QList<Entity> &entities);
    // Typed in an earlier run, and not at the host yet.
    void noteDraft(const UpdateDraft &draft);
    void markSeen(const TaskSummary &task);
    // Says a failure on the page, when it still shows that task.
    realtime::Answered<Unit> report(const TaskId &task);

    views::TaskPage &m_page;
    realtime::HostClient &m_host;
    TaskListModel &m_tasks;
    LoopWatchdog &m_watchdog;
    std::vector<std::unique_ptr<OpenTask>> m_open; // the most recent last
    OpenTask *m_shown = nullptr;
    QHash<SessionId, Draft> m_drafts;
    QTimer m_lost;
};

} // namespace foundry::app
