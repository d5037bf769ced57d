#include "realtime/commands/taskclient.h"

#include <QDateTime>

namespace foundry::realtime {

namespace {

Stage pendingStage(const QString &id, qint64 order)
{
    Stage stage;
    stage.id = id;
    stage.order = order;
    stage.state = StageState::Pending;
    return stage;
}

} // namespace

TaskClient::TaskClient(TaskId task, const ActorName &actor, const Parts &parts, QObject *parent)
    : QObject(parent)
    , m_task(std::move(task))
    , m_connection(actor, *parts.resolver, parts.transports, parts.times)
    , m_subscriptions(m_connection, parts.grace)
    , m_heartbeat(m_subscriptions, parts.heartbeat)
    , m_feed(m_subscriptions, &m_heartbeat)
    , m_queue(m_connection)
    , m_commands(m_queue, *parts.uploads, m_feed)
{
    if (parts.cache) {
        m_feed.setCache(&parts.cache->topics(actor));
        m_commands.setCache(parts.cache);
    }
    if (parts.outbox) {
        m_queue.setOutbox(parts.outbox);
        m_commands.setOutbox(parts.outbox);
    }
    connect(&m_subscriptions, &Subscriptions::ended, this, &TaskClient::checkUse);
    connect(&m_queue, &CommandQueue::waitingChanged, this, &TaskClient::checkUse);
}

bool TaskClient::isUnused() const
{
    return !m_creating && m_kept == 0 && m_subscriptions.subscribedCount() == 0 && m_queue.waiting() == 0;
}

void TaskClient::keep()
{
    ++m_kept;
}

void TaskClient::letGo()
{
    --m_kept;
    checkUse();
}

void TaskClient::checkUse()
{
    if (isUnused())
        Q_EMIT unused();
}

void TaskClient::publishPlaceholders(const CreateTask &command)
{
    m_creating = true;
    m_connection.setHeld(true);

    Task task;
    task.id = command.taskId;
    task.prompt = command.prompt.value_or(Prompt{});
    Session session;
    session.id = command.sessionId;
    session.name = tr("Session 1");
    session.agent = command.agent.value_or(AgentId());
    session.model = command.model;
    session.mode = command.mode;
    session.status = SessionStatus::PendingProvision;
    const QString scope = QStringLiteral("session:") + command.sessionId.value;
    QList<Entity> entities{task, session, pendingStage(QStringLiteral("sandbox/sandbox_allocated"), 0),
        pendingStage(QStringLiteral("sandbox/repo_prepared"), 1),
        pendingStage(scope + QStringLiteral("/session_creating"), 90), pendingStage(scope + QStringLiteral("/ready"), 91)};
    m_feed.task().publishLocal(entities);
    for (const Entity &entity : std::as_const(entities))
        m_placeholders << Removal{protocol::entityType(entity), protocol::entityId(entity)};
}

void TaskClient::created(const CreateTaskAnswer &answer)
{
    QList<Entity> known{answer.session};
    for (const Stage &stage : answer.stages)
        known << stage;
    m_feed.task().adopt(known);
    m_creating = false;
    // What the host did not make is taken away when its own state is here, so that nothing flickers meanwhile.
    connect(
        &m_feed.task(), &TopicFeed::loaded, this,
        [this] {
            for (const Removal &placeholder : std::exchange(m_placeholders, {}))
                m_feed.task().withdraw(placeholder.type, placeholder.id);
        },
        Qt::SingleShotConnection);
    m_connection.setHeld(false);
    checkUse();
}

void TaskClient::creationFailed(const Error &error)
{
    m_creating = false;
    m_queue.failAll(error);
    for (const Removal &placeholder : std::exchange(m_placeholders, {}))
        m_feed.task().withdraw(placeholder.type, placeholder.id);
    checkUse();
}

} // namespace foundry::realtime
