// One task of a host: its connection, its feeds and its commands. Made for a task that exists, or held for one whose
// creation is on the way. GUI thread.
#pragma once

#include "realtime/commands/taskcommands.h"

namespace foundry::realtime {

class TaskClient : public QObject {
    Q_OBJECT

public:
    struct Parts {
        ActorResolver *resolver = nullptr;
        TransportFactory transports;
        ConnectionTimes times = {};
        std::chrono::milliseconds grace = std::chrono::seconds(30);
        std::chrono::milliseconds heartbeat = std::chrono::seconds(20);
        PromptUpload *uploads = nullptr;
        HostCache *cache = nullptr; // may be null: nothing is kept
        Outbox *outbox = nullptr;   // the same
    };

    TaskClient(TaskId task, const ActorName &actor, const Parts &parts, QObject *parent = nullptr);

    const TaskId &task() const { return m_task; }
    ActorConnection &connection() { return m_connection; }
    TaskFeed &feed() { return m_feed; }
    TaskCommands &commands() { return m_commands; }

    // Kept while somebody holds its models; it may be dormant meanwhile.
    void keep();
    void letGo();
    // Nobody looks, nobody keeps it and nothing waits: may be deleted.
    bool isUnused() const;

    // The task's parts, as far as the workbench can know them before the host does.
    void publishPlaceholders(const CreateTask &command);
    void created(const CreateTaskAnswer &answer);
    void creationFailed(const Error &error);

Q_SIGNALS:
    void unused();

private:
    void checkUse();

    TaskId m_task;
    ActorConnection m_connection;
    Subscriptions m_subscriptions;
    Heartbeat m_heartbeat;
    TaskFeed m_feed;
    CommandQueue m_queue;
    TaskCommands m_commands;
    QList<Removal> m_placeholders;
    bool m_creating = false;
    int m_kept = 0;
};

} // namespace foundry::realtime
