#include "backend/actors/taskactor.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/taskstatus.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTask, "foundry.actors.task")

TaskActor::TaskActor(ActorContext &context, GitEnvironment git, QString blobRoot, StageDeadlines deadlines)
    : Actor(context)
    , m_store(context)
    , m_blobs(BlobStore(std::move(blobRoot)).ofTask(TaskId(context.address().key.last())))
    , m_transcripts(context, m_blobs, [this](Transaction &tx) { settle(tx); })
    , m_attention(m_store)
    , m_provisioning(context, m_store, deadlines,
          {[this](Transaction &tx, const SessionId &session, const QString &origin) { m_turns.sessionReady(tx, session, origin); },
              [this](Transaction &tx) { tx.afterCommit([this] { m_changes.request(0); }); },
              [](Transaction &, const Stage &) {},
              {}, [this](Transaction &tx) { settle(tx); }})
    , m_turns(m_store, m_transcripts, m_provisioning, m_attention, m_blobs)
    , m_lane(context.owner())
    , m_changes(context, m_store, git, m_lane, {[this](Transaction &tx) { settle(tx); }, [this] { m_files.refreshed(); }})
    , m_files(context, m_store, git, m_lane, {[this](int delayMs) { m_changes.request(delayMs); }, [this] { return m_turns.hasOpenTurn(); }})
    , m_jobs(context, [this](Transaction &tx) { settle(tx); })
    , m_lifecycle(context, m_store, m_jobs, m_provisioning, m_turns, m_attention, m_lane, deadlines)
    , m_edits(context, m_store, git, m_lane, m_jobs, [this] { m_changes.request(0); })
{
    m_turns.turnStarts = [this](Transaction &tx) {
        m_changes.turnStarts(tx);
        tx.afterCommit([this] { m_files.reconsider(); });
    };
    m_turns.turnEnded = m_lifecycle.active = [this](Transaction &tx) {
        tx.afterCommit([this] {
            m_changes.request(0);
            m_files.reconsider();
        });
    };
    m_lifecycle.placeGone = [this](Transaction &tx) { m_changes.placeGone(tx); };
}

TaskActor::~TaskActor() = default;

QStringList TaskActor::migrations() const
{
    return {TaskStore::schema() + TaskAttention::schema() + WorkflowRunner::schema() + TranscriptWriter::schema() + ChangesJob::schema(),
        WorkflowRunner::schema2(),
        TaskStore::secondSchema() + TranscriptIndex::schema(), TaskFiles::schema(), WorkflowRunner::schema3()};
}

void TaskActor::started()
{
    m_store.load();
    if (!m_store.creation())
        return;
    auto resumed = context().transaction([this](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        m_provisioning.resume(tx);
        m_turns.resume(tx);
        m_jobs.resume(tx);
        settle(tx);
        return Unit{};
    });
    if (!resumed)
        qCWarning(lcTask, "a task could not go on: %ls", qUtf16Printable(resumed.error().message));
    m_files.recover();
    m_edits.forgetOld();
    m_changes.request(1000);
}

void TaskActor::listenersChanged(const QString &topic)
{
    if (m_store.creation() && (topic == ChangesJob::topic() || topic == TaskFiles::topic()))
        m_files.reconsider();
}

bool TaskActor::holds() const
{
    return works() || (m_store.creation() && (m_files.isBusy() || !m_lane.isIdle()));
}

bool TaskActor::works() const
{
    if (!m_store.creation())
        return false;
    return m_jobs.hasWork() || m_changes.isRunning() || (!m_lifecycle.isAway() && (m_provisioning.hasWork() || m_turns.hasOpenTurn()));
}

Result<> TaskActor::received(Transaction &tx, const Send &send)
{
    m_transcripts.recover();
    tx.setCause(Cause{QStringLiteral("workflow")});
    if (send.name == QLatin1StringView("create")) {
        auto creation = decodeCreation(send.json);
        return creation ? create(tx, *creation) : Result<>(creation.error());
    }
    if (!m_store.creation())
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("A task that was not created got the message “%1”.").arg(send.name));
    Result<> outcome = Unit{};
    if (m_provisioning.received(tx, send, &outcome) || m_turns.received(tx, send, &outcome) || m_lifecycle.received(tx, send, &outcome)
        || m_edits.received(tx, send, &outcome)) {
        // done by one of them
    } else if (send.name == QLatin1StringView("sessionChanged")) {
        auto changed = decodeSessionChanged(send.json);
        outcome = changed ? sessionChanged(tx, *changed) : Result<>(changed.error());
    } else if (send.name == QLatin1StringView("tellAgain")) {
        tellAgain(tx);
        return Unit{};
    } else if (send.name == QLatin1StringView("workTreeTouched")) { // by a process of the user's in the sandbox
        tx.afterCommit([this] { m_changes.request(300); });
        return Unit{};
    } else {
        return Actor::received(tx, send);
    }
    if (outcome)
        settle(tx);
    return outcome;
}

void TaskActor::streamed(const ActorAddress &from, const QString &name, const QByteArray &json)
{
    if (name == QLatin1StringView("flowAsked")) {
        if (auto mark = decodeStreamMark(json))
            m_transcripts.arrived(from, *mark, true);
        return;
    }
    if (!m_store.creation())
        return;
    if (name == QLatin1StringView("update")) {
        auto update = decodeAgentUpdate(json);
        if (!update)
            return;
        const StreamMark mark{update->mark.epoch, update->mark.bytes + json.size()};
        if (!m_turns.accepts(*update)) {
            m_transcripts.arrived(from, mark, false);
            return;
        }
        const bool toolOver = update->entry.tool
            && (update->entry.tool->status == QLatin1StringView("completed") || update->entry.tool->status == QLatin1StringView("failed")
                || update->entry.tool->status == QLatin1StringView("cancelled"));
        m_transcripts.streamed(*update, json.size());
        m_transcripts.arrived(from, mark, false);
        if (toolOver)
            m_changes.request(500);
    } else if (name == QLatin1StringView("stageProgress")) {
        if (auto progress = decodeStageProgress(json))
            m_provisioning.progressed(*progress);
    } else if (name == QLatin1StringView("workTreeTouched")) {
        m_changes.request(300);
    }
}

void TaskActor::alarm()
{
    m_transcripts.recover();
    auto checked = context().transaction([this](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        const Millis now = QDateTime::currentMSecsSinceEpoch();
        m_provisioning.checkDeadlines(tx, now);
        m_jobs.checkDeadlines(tx, now);
        settle(tx);
        return Unit{};
    });
    if (!checked)
        qCWarning(lcTask, "deadlines were not checked: %ls", qUtf16Printable(checked.error().message));
}

Result<> TaskActor::create(Transaction &tx, const TaskCreation &creation)
{
    if (m_store.creation())
        return Unit{};
    if (!creation.requestId.isEmpty())
        tx.setCause(Cause{QStringLiteral("command"), creation.requestId, creation.owner});
    m_store.setCreation(tx, creation);
    Task task;
    task.id = creation.task;
    task.prompt = creation.prompt.value_or(Prompt{});
    task.attachments = creation.attachments;
    task.provider = creation.provider;
    tx.put(TaskStore::topic(), task);
    addSession(tx, creation.session, creation.agent, creation.sessionName, creation.model, creation.mode);
    m_provisioning.plan(tx);
    if (creation.prompt && !creation.prompt->isEmpty()) {
        QueuedPrompt prompt;
        prompt.id = QueueId(creation.task.value + QStringLiteral(".first"));
        prompt.sessionId = creation.session;
        prompt.prompt = *creation.prompt;
        prompt.attachments = creation.attachments;
        prompt.order = 1;
        prompt.createdAt = creation.createdAt;
        prompt.by = creation.owner;
        // The task is there already: what cannot be kept is still read where it was uploaded.
        if (auto kept = takeUploads(m_blobs, prompt.prompt, prompt.attachments); !kept)
            qCWarning(lcTask, "what the first prompt brings stays an upload: %ls", qUtf16Printable(kept.error().message));
        tx.put(TaskStore::topic(), prompt);
    }
    ChangesHeader header;
    header.at = creation.createdAt;
    tx.put(ChangesJob::topic(), header);
    settle(tx);
    return Unit{};
}

Session TaskActor::addSession(Transaction &tx, const SessionId &id, const AgentId &agent, const QString &name,
    const std::optional<QString> &model, const std::optional<QString> &mode)
{
    Session session;
    session.id = id;
    session.name = name;
    session.agent = agent;
    session.model = model;
    session.mode = mode;
    session.status = SessionStatus::PendingProvision;
    tx.put(TaskStore::topic(), session);
    SessionState state;
    state.session = id;
    state.agent = agent;
    state.position = m_store.states().size();
    state.model = model;
    state.mode = mode;
    m_store.putState(tx, state);
    m_store.note(tx, auditkind::sessionCreated, {{QStringLiteral("session"), id.value}, {QStringLiteral("agent"), agent.value}});
    return session;
}

Result<> TaskActor::sessionChanged(Transaction &tx, const SessionChanged &changed)
{
    auto session = m_store.session(changed.session);
    if (!session)
        return Unit{};
    tx.setCause(Cause{QStringLiteral("agent")});
    if (changed.options)
        session->options = *changed.options;
    if (changed.commands)
        session->commands = *changed.commands;
    if (changed.mode)
        session->mode = *changed.mode;
    if (changed.model)
        session->model = *changed.model;
    if (changed.usage)
        session->usage = mergedUsage(session->usage.value_or(Usage{}), *changed.usage);
    tx.put(TaskStore::topic(), *session);
    if (changed.error)
        m_transcripts.of(changed.session).notice(tx,
            QStringLiteral("The agent did not take the setting: %1").arg(changed.error->message));
    if (changed.options || changed.commands) {
        AgentReport report;
        report.agent = session->agent;
        AgentOptions options;
        for (const SessionOption &option : session->options) {
            if (option.category == QLatin1StringView("mode"))
                options.modes = option.values;
            else if (option.category == QLatin1StringView("model"))
                options.models = option.values;
        }
        options.commands = session->commands;
        report.options = options;
        tx.send(organizationAddress(m_store.creation()->organization), QStringLiteral("agentReported"), encodeAgentReport(report));
    }
    return Unit{};
}

void TaskActor::settle(Transaction &tx)
{
    // Jobs first: one that ends may bring the task back.
    m_jobs.advance(tx);
    const bool away = m_lifecycle.isAway();
    if (!away) {
        m_turns.pump(tx);
        m_provisioning.advance(tx);
    }
    deriveSessions(tx);
    pushSummary(tx);
    std::optional<Millis> due = m_provisioning.nextDeadline();
    if (const auto job = m_jobs.nextDeadline())
        due = due ? qMin(*due, *job) : *job;
    tx.setAlarm(due);
    tx.setNeedsWake(m_jobs.hasWork() || (!away && (m_provisioning.hasWork() || m_turns.hasOpenTurn())));
}

void TaskActor::deriveSessions(Transaction &tx)
{
    const QList<Stage> stages = m_store.stages();
    for (const SessionState &state : m_store.states()) {
        auto session = m_store.session(state.session);
        if (!session)
            continue;
        SessionFacts facts;
        facts.closed = session->closedAt.has_value();
        facts.turnRunning = !state.openTurn.isEmpty();
        facts.hadTurn = state.turns > 0;
        facts.error = state.error;
        const QString sessionScope = sessionWorkflow(state.session);
        const QString agentScope = agentWorkflow(state.agent);
        const bool hadFailed = session->status == SessionStatus::Error;
        // A turn that waits for its agent to come back runs no more than the agent does.
        if (const auto turn = facts.turnRunning && !state.live ? m_store.turn(state.openTurn) : std::nullopt; turn && turn->state == QLatin1StringView("refused")) {
            SessionFacts waiting = facts;
            waiting.turnRunning = false;
            if (deriveSessionStatus(waiting, stages, sessionScope, agentScope) == SessionStatus::Error)
                facts = waiting;
        }
        session->status = deriveSessionStatus(facts, stages, sessionScope, agentScope);
        session->error = session->status == SessionStatus::Error ? sessionError(facts, stages, sessionScope, agentScope) : std::nullopt;
        if (!hadFailed && session->error)
            m_store.note(tx, auditkind::sessionFailed,
                {{QStringLiteral("session"), session->id.value}, {QStringLiteral("error"), session->error->key()}});
        session->interrupted = !state.interruptedTurn.isEmpty();
        session->entryCount = m_transcripts.of(state.session).entryCount();
        session->turnStartedAt.reset();
        if (const auto turn = facts.turnRunning ? m_store.turn(state.openTurn) : std::nullopt)
            session->turnStartedAt = turn->startedAt;
        tx.put(TaskStore::topic(), *session);
    }
}

void TaskActor::pushSummary(Transaction &tx)
{
    const TaskCreation &creation = *m_store.creation();
    const QList<Session> sessions = m_store.sessions();
    const QList<Stage> stages = m_store.stages();
    const bool away = m_lifecycle.isAway();
    m_attention.deriveErrors(tx, away ? QList<Session>() : sessions, away ? QList<Stage>() : stages);
    TaskSummary summary;
    summary.id = creation.task;
    summary.repoId = creation.repo;
    summary.title = creation.title;
    summary.branch = creation.branch;
    if (!creation.baseBranch.isEmpty())
        summary.baseBranch = creation.baseBranch;
    TaskFacts facts;
    facts.stages = stages;
    for (const Session &session : sessions) {
        if (session.closedAt)
            continue;
        facts.openSessions.append(session.status.valueOr(SessionStatus::Idle));
        summary.sessions.append({session.id, session.name, session.agent, session.status, session.turnStartedAt});
    }
    m_lifecycle.fill(facts, summary);
    summary.status = deriveTaskStatus(facts);
    if (!away && (summary.status == TaskStatus::Provisioning || summary.status == TaskStatus::Error))
        summary.stage = stageInWords(stages);
    summary.diffStat = m_changes.stat();
    if (const qint64 at = m_store.value(QStringLiteral("lastTurnEndedAt")).toLongLong())
        summary.lastTurnEndedAt = at;
    summary.owner = creation.owner;
    summary.createdAt = creation.createdAt;
    const qint64 order = m_lifecycle.order();
    // Also when nothing is new but that an order was heard.
    const QByteArray json = protocol::encodeEntity(Entity(summary)) + QByteArray::number(order);
    if (json == m_store.value(QStringLiteral("summary")))
        return;
    m_store.setValue(tx, QStringLiteral("summary"), json);
    const qint64 revision = m_store.value(QStringLiteral("pushRevision")).toLongLong() + 1;
    m_store.setValue(tx, QStringLiteral("pushRevision"), QByteArray::number(revision));
    tx.send(organizationAddress(creation.organization), QStringLiteral("summary"), encodeSummary({revision, summary, order}));
}

void TaskActor::tellAgain(Transaction &tx)
{
    TaskTold told;
    told.creation = *m_store.creation();
    told.creation.prompt.reset();
    told.creation.attachments.clear();
    if (!m_lifecycle.tell(told))
        return;
    tx.send(organizationAddress(told.creation.organization), QStringLiteral("taskTold"), encodeTaskTold(told));
    m_store.setValue(tx, QStringLiteral("summary"), {}); // so that it is pushed
    m_attention.tellAgain(tx);
    settle(tx);
    m_lifecycle.tellDeleted(tx);
}

} // namespace foundry::backend
