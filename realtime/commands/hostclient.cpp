#include "realtime/commands/hostclient.h"

namespace foundry::realtime {

HostClient::Link::Link(const ActorName &actor, ActorResolver &resolver, const TransportFactory &transports,
    const HostClientOptions &options)
    : connection(actor, resolver, transports, options.times)
    , subscriptions(connection, options.grace)
    , heartbeat(subscriptions, options.heartbeat)
    , queue(connection)
{
}

HostClient::HostClient(
    ActorResolver &resolver, TransportFactory transports, HostClientOptions options, QObject *parent)
    : QObject(parent)
    , m_resolver(resolver)
    , m_transports(std::move(transports))
    , m_options(std::move(options))
    , m_app(appActor(), resolver, m_transports, m_options)
    , m_user(userActor(m_options.account), resolver, m_transports, m_options)
    , m_organization(organizationActor(m_options.organization), resolver, m_transports, m_options)
    , m_hostFeed(m_app.subscriptions, &m_app.heartbeat)
    , m_appFeed(m_user.subscriptions, &m_user.heartbeat)
    , m_overlayFeed(m_user.subscriptions, &m_user.heartbeat)
    , m_organizationFeed(m_organization.subscriptions, &m_organization.heartbeat)
    , m_userCommands(m_user.queue)
    , m_organizationCommands(m_organization.queue, m_organizationFeed)
{
    if (HostCache *cache = m_options.cache) {
        m_hostFeed.setCache(&cache->topics(m_app.connection.actor()));
        m_appFeed.setCache(&cache->topics(m_user.connection.actor()));
        m_overlayFeed.setCache(&cache->topics(m_user.connection.actor()));
        m_organizationFeed.setCache(&cache->topics(m_organization.connection.actor()));
    }
    if (Outbox *outbox = m_options.outbox) {
        for (Link *link : {&m_app, &m_user, &m_organization})
            link->queue.setOutbox(outbox);
        m_userCommands.setOutbox(outbox);
        if (outbox->isRestored())
            resume();
        else
            connect(outbox, &Outbox::restored, this, &HostClient::resume);
    }
    connect(&m_organization.connection, &ActorConnection::stateChanged, this, [this](ConnectionState state) {
        Q_EMIT stateChanged(state);
    });
}

HostClient::~HostClient()
{
    // The links let go of their connections while they are destroyed, after the feeds: nobody here may listen any more.
    disconnect(&m_organization.connection, nullptr, this, nullptr);
    m_tasks.clear();
}

void HostClient::setEndpoint(const std::optional<Endpoint> &endpoint)
{
    m_endpoint = endpoint;
    for (ActorConnection *connection : {&m_organization.connection, &m_user.connection, &m_app.connection})
        connection->setEndpoint(endpoint);
    for (const auto &[id, task] : m_tasks)
        task->connection().setEndpoint(endpoint);
}

void HostClient::wake()
{
    for (ActorConnection *connection : {&m_organization.connection, &m_user.connection, &m_app.connection})
        connection->wake();
    for (const auto &[id, task] : m_tasks)
        task->connection().wake();
}

Millis HostClient::lostAt() const
{
    return m_organization.connection.isLive() ? 0 : m_organizationFeed.asOf();
}

int HostClient::waitingCommands() const
{
    return m_app.queue.waiting() + m_user.queue.waiting() + m_organization.queue.waiting();
}

void HostClient::view()
{
    m_organizationFeed.view();
    m_overlayFeed.view();
    m_appFeed.view();
    m_hostFeed.view();
}

TaskClient &HostClient::task(const RepoId &repo, const TaskId &task)
{
    std::unique_ptr<TaskClient> &client = m_tasks[task.value];
    if (!client) {
        TaskClient::Parts parts;
        parts.resolver = &m_resolver;
        parts.transports = m_transports;
        parts.times = m_options.times;
        parts.grace = m_options.grace;
        parts.heartbeat = m_options.heartbeat;
        parts.uploads = &m_organizationCommands.uploads();
        parts.cache = m_options.cache;
        parts.outbox = m_options.outbox;
        client = std::make_unique<TaskClient>(task, taskActor(m_options.organization, repo, task), parts);
        client->connection().setEndpoint(m_endpoint);
        // Queued: it is inside one of its own signals.
        connect(
            client.get(), &TaskClient::unused, this, [this, task] { dropUnused(task); }, Qt::QueuedConnection);
    }
    return *client;
}

void HostClient::dropUnused(const TaskId &task)
{
    const auto found = m_tasks.find(task.value);
    if (found != m_tasks.end() && found->second->isUnused())
        m_tasks.erase(found);
}

TaskId HostClient::createTask(CreateTask command, QObject *context, Answered<CreateTaskAnswer> then)
{
    command.taskId = makeId<TaskId>();
    command.sessionId = makeId<SessionId>();
    return create(command, context, then);
}

void HostClient::resume()
{
    const QList<OutboxEntry> entries = m_options.outbox->entries();
    for (const OutboxEntry &entry : entries) {
        if (entry.state != OutboxState::Queued && entry.state != OutboxState::Sent)
            continue;
        if (entry.actor == m_organization.connection.actor() && entry.action == QLatin1StringView("createTask")) {
            if (const auto command = protocol::decodeArgs<CreateTask>(entry.args))
                create(*command, this, {});
            continue;
        }
        // The client of a task holds its commands. One that is being created waits for that.
        const QStringList &key = entry.actor.key;
        if (key.size() == 5 && entry.actor == taskActor(m_options.organization, RepoId(key.at(3)), TaskId(key.at(4))))
            task(RepoId(key.at(3)), TaskId(key.at(4)));
    }
}

TaskId HostClient::create(const CreateTask &command, QObject *context, const Answered<CreateTaskAnswer> &then)
{
    const bool tooLarge = command.prompt && PromptUpload::check(command.prompt->text);
    if (!tooLarge)
        task(command.repoId, command.taskId).publishPlaceholders(command);
    m_organizationCommands.createTask(command, this,
        [this, id = command.taskId, asker = QPointer<QObject>(context), then](
            const Result<CreateTaskAnswer> &answer) {
            if (const auto client = m_tasks.find(id.value); client != m_tasks.end()) {
                if (answer)
                    client->second->created(*answer);
                else
                    client->second->creationFailed(answer.error());
            }
            if (asker && then)
                then(answer);
        });
    return command.taskId;
}

} // namespace foundry::realtime
