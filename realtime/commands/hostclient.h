// One host as the workbench sees it: connections to its app, user and organization actors, their feeds and commands,
// and a client for each task that is looked at. GUI thread.
#pragma once

#include "realtime/commands/organizationcommands.h"
#include "realtime/commands/taskclient.h"
#include "realtime/commands/usercommands.h"
#include "realtime/feeds/userfeeds.h"

#include <unordered_map>

namespace foundry::realtime {

struct HostClientOptions {
    AccountId account = AccountId(QStringLiteral("local"));
    OrganizationId organization = OrganizationId(QStringLiteral("local"));
    ConnectionTimes times = {};
    std::chrono::milliseconds grace = std::chrono::seconds(30);
    std::chrono::milliseconds heartbeat = std::chrono::seconds(20);
    HostCache *cache = nullptr; // outlives the client; null: nothing is kept
    Outbox *outbox = nullptr;   // the same
};

class HostClient : public QObject {
    Q_OBJECT

public:
    // `resolver` outlives the client.
    HostClient(ActorResolver &resolver, TransportFactory transports, HostClientOptions options = {},
        QObject *parent = nullptr);
    ~HostClient() override;

    // Known, moved, or gone (nullopt): commands wait and feeds keep what they have.
    void setEndpoint(const std::optional<Endpoint> &endpoint);
    void wake();

    // Of the organization's connection: what the window shows as its own.
    ActorConnection &connection() { return m_organization.connection; }
    // When the organization's rows were last known to be current, in this run or an earlier one (then they are the
    // cache's), milliseconds since the epoch; 0 while live, and while there are none.
    Millis lostAt() const;
    Outbox *outbox() const { return m_options.outbox; } // may be null
    int waitingCommands() const;

    OrganizationFeed &organizationFeed() { return m_organizationFeed; }
    AppFeed &appFeed() { return m_appFeed; }
    OverlayFeed &overlayFeed() { return m_overlayFeed; }
    HostFeed &hostFeed() { return m_hostFeed; }
    OrganizationCommands &organization() { return m_organizationCommands; }
    UserCommands &user() { return m_userCommands; }

    // Follows what every window shows: organization, user, overlay, host.
    void view();

    // The client of a task; valid until nobody views it and nothing waits in it, and then until the next event-loop turn.
    TaskClient &task(const RepoId &repo, const TaskId &task);
    // Creates a task: its ids, its row and the parts of its page are there when this returns. input.too_large comes
    // through `then`, and nothing is published.
    TaskId createTask(CreateTask command, QObject *context, Answered<CreateTaskAnswer> then);

Q_SIGNALS:
    void stateChanged(foundry::realtime::ConnectionState state);

private:
    struct Link {
        Link(const ActorName &actor, ActorResolver &resolver, const TransportFactory &transports,
            const HostClientOptions &options);
        ActorConnection connection;
        Subscriptions subscriptions;
        Heartbeat heartbeat;
        CommandQueue queue;
    };

    void dropUnused(const TaskId &task);
    TaskId create(const CreateTask &command, QObject *context, const Answered<CreateTaskAnswer> &then);
    // What an earlier run left in the outbox goes on, whether its task is looked at or not.
    void resume();

    ActorResolver &m_resolver;
    TransportFactory m_transports;
    HostClientOptions m_options;
    std::optional<Endpoint> m_endpoint;
    Link m_app;
    Link m_user;
    Link m_organization;
    HostFeed m_hostFeed;
    AppFeed m_appFeed;
    OverlayFeed m_overlayFeed;
    OrganizationFeed m_organizationFeed;
    UserCommands m_userCommands;
    OrganizationCommands m_organizationCommands;
    std::unordered_map<QString, std::unique_ptr<TaskClient>> m_tasks;
};

} // namespace foundry::realtime
