// The commands of the task actor: each checks stored facts, writes the smallest record, and answers with the row.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/decodedcommand.h"
#include "backend/actors/taskactor.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <algorithm>

namespace foundry::backend {

Result<Session> TaskActor::openSession(const SessionId &id) const
{
    auto session = m_store.session(id);
    if (!session)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("There is no such session in this task."), {}, QStringLiteral("sessionId"));
    if (session->closedAt)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("This session is closed."),
            QStringLiteral("Open a new session."));
    return *session;
}

Result<QByteArray> TaskActor::sessionAnswer(const SessionId &id) const
{
    const auto session = m_store.session(id);
    if (!session)
        return makeError(QLatin1StringView("internal"), QLatin1StringView("storage_failed"), QStringLiteral("The session was not stored."));
    return protocol::encodeValue(*session);
}

void TaskActor::registerActions(ActionTable &table)
{
    registerReads(table);
    registerSessionCommands(table);
    registerTurnCommands(table);
    registerProvisioningCommands(table);
    registerJobCommands(table);
    // Their systems come with the forge; until then they say so.
    for (const char *name : {"push", "publishPullRequest", "updatePullRequest", "markReady", "mergePullRequest", "rerunChecks"}) {
        table.command(QString::fromLatin1(name), [name](Transaction &, const Caller &, QByteArrayView) -> Result<QByteArray> {
            return makeError(QLatin1StringView("state"), QLatin1StringView("not_available"),
                QStringLiteral("This version of the host cannot do “%1” yet.").arg(QLatin1StringView(name)),
                QStringLiteral("Do it with git in the task's work tree meanwhile."));
        });
    }
    guardCommands(table);
}

void TaskActor::registerSessionCommands(ActionTable &table)
{
    table.command(QStringLiteral("createSession"), decodedCommand<CreateSession>([this](Transaction &tx, const Caller &, const CreateSession &command) -> Result<QByteArray> {
        m_transcripts.recover();
        if (command.sessionId.isEmpty() || m_store.session(command.sessionId))
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                QStringLiteral("A new session needs an id of its own."), {}, QStringLiteral("sessionId"));
        const QList<SessionState> states = m_store.states();
        const AgentId agent = command.agent ? *command.agent : states.isEmpty() ? m_store.creation()->agent : states.last().agent;
        addSession(tx, command.sessionId, agent, QStringLiteral("Session %1").arg(states.size() + 1), command.model, command.mode);
        m_provisioning.addSession(tx, command.sessionId, agent);
        // The agent may have ended since; a session that the user asks for also retries one that failed.
        if (const auto state = m_store.state(command.sessionId))
            m_provisioning.ensureLive(tx, *state, true);
        settle(tx);
        return sessionAnswer(command.sessionId);
    }));
    table.command(QStringLiteral("renameSession"), decodedCommand<RenameSession>([this](Transaction &tx, const Caller &, const RenameSession &command) -> Result<QByteArray> {
        m_transcripts.recover();
        auto session = m_store.session(command.sessionId);
        const QString name = command.name.simplified().left(100);
        if (!session || name.isEmpty())
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                session ? QStringLiteral("A session needs a name.") : QStringLiteral("There is no such session in this task."), {},
                session ? QStringLiteral("name") : QStringLiteral("sessionId"));
        session->name = name;
        tx.put(TaskStore::topic(), *session);
        settle(tx);
        return sessionAnswer(command.sessionId);
    }));
    table.command(QStringLiteral("closeSession"), decodedCommand<CloseSession>([this](Transaction &tx, const Caller &, const CloseSession &command) -> Result<QByteArray> {
        m_transcripts.recover();
        auto session = m_store.session(command.sessionId);
        if (!session)
            return openSession(command.sessionId).error();
        if (session->closedAt)
            return sessionAnswer(command.sessionId);
        bool agentUnused = true;
        for (const Session &other : m_store.sessions())
            agentUnused = agentUnused && (other.closedAt || other.id == command.sessionId || other.agent != session->agent);
        m_turns.close(tx, command.sessionId, agentUnused);
        session = m_store.session(command.sessionId);
        session->closedAt = QDateTime::currentMSecsSinceEpoch();
        tx.put(TaskStore::topic(), *session);
        m_provisioning.dropSession(tx, command.sessionId, session->agent, agentUnused);
        if (agentUnused)
            m_store.setAgentLive(tx, session->agent, false);
        m_store.note(tx, auditkind::sessionClosed, {{QStringLiteral("session"), command.sessionId.value}});
        settle(tx);
        return sessionAnswer(command.sessionId);
    }));
    // The agent's own settings: wished for here, carried out by the sandbox, confirmed by the agent.
    const auto setting = [this](Transaction &tx, const SessionId &id, const QString &name, const QString &option, const QString &value) -> Result<QByteArray> {
        m_transcripts.recover();
        auto session = openSession(id);
        if (!session)
            return session.error();
        if (value.isEmpty() || value.size() > 1000 || (name == QLatin1StringView("setOption") && (option.isEmpty() || option.size() > 200)))
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("A setting needs a name and a value."), {},
                option.isEmpty() && name == QLatin1StringView("setOption") ? QStringLiteral("optionId") : QStringLiteral("value"));
        if (name == QLatin1StringView("setMode"))
            session->mode = value;
        else if (name == QLatin1StringView("setModel"))
            session->model = value;
        for (SessionOption &known : session->options) {
            if (known.id == option || (name == QLatin1StringView("setMode") && known.category == QLatin1StringView("mode"))
                || (name == QLatin1StringView("setModel") && known.category == QLatin1StringView("model")))
                known.currentValue = value;
        }
        tx.put(TaskStore::topic(), *session);
        m_store.note(tx, name == QLatin1StringView("setMode") ? auditkind::modeChanged
                : name == QLatin1StringView("setModel") ? auditkind::modelChanged : auditkind::optionChanged,
            {{QStringLiteral("session"), id.value}, {QStringLiteral("option"), option}, {QStringLiteral("value"), value}});
        if (auto state = m_store.state(id)) {
            // Kept for when the session is opened, now or again.
            QString category;
            for (const SessionOption &known : session->options)
                category = known.id == option ? known.category : category;
            if (name == QLatin1StringView("setMode") || category == QLatin1StringView("mode"))
                state->mode = value;
            else if (name == QLatin1StringView("setModel") || category == QLatin1StringView("model"))
                state->model = value;
            else
                state->options.insert(option, value);
            m_store.putState(tx, *state);
        }
        // One that is being opened takes it too; one that is not hears of it when it is.
        const SessionRequest request{id, session->agent, {}, option, value, false};
        tx.send(sandboxAddress(m_store.creation()->organization, m_provisioning.sandboxId()), name, encodeSessionRequest(request));
        settle(tx);
        return sessionAnswer(id);
    };
    table.command(QStringLiteral("setMode"), decodedCommand<SetMode>([setting](Transaction &tx, const Caller &, const SetMode &command) {
        return setting(tx, command.sessionId, QStringLiteral("setMode"), {}, command.mode);
    }));
    table.command(QStringLiteral("setModel"), decodedCommand<SetModel>([setting](Transaction &tx, const Caller &, const SetModel &command) {
        return setting(tx, command.sessionId, QStringLiteral("setModel"), {}, command.model);
    }));
    table.command(QStringLiteral("setOption"), decodedCommand<SetOption>([setting](Transaction &tx, const Caller &, const SetOption &command) {
        return setting(tx, command.sessionId, QStringLiteral("setOption"), command.optionId, command.value);
    }));
}

void TaskActor::registerTurnCommands(ActionTable &table)
{
    table.command(QStringLiteral("sendMessage"), decodedCommand<SendMessage>([this](Transaction &tx, const Caller &caller, const SendMessage &command) -> Result<QByteArray> {
        m_transcripts.recover();
        if (auto session = openSession(command.sessionId); !session)
            return session.error();
        auto prompt = m_turns.sendMessage(tx, command, caller.userId);
        if (!prompt)
            return prompt.error();
        settle(tx);
        return protocol::encodeValue(m_store.queued(command.queueId).value_or(*prompt));
    }));
    table.command(QStringLiteral("editQueued"), decodedCommand<EditQueued>([this](Transaction &tx, const Caller &, const EditQueued &command) -> Result<QByteArray> {
        auto prompt = m_turns.editQueued(tx, command);
        return prompt ? Result<QByteArray>(protocol::encodeValue(*prompt)) : Result<QByteArray>(prompt.error());
    }));
    table.command(QStringLiteral("dropQueued"), decodedCommand<DropQueued>([this](Transaction &tx, const Caller &, const DropQueued &command) -> Result<QByteArray> {
        auto prompt = m_turns.dropQueued(tx, command);
        return prompt ? Result<QByteArray>(protocol::encodeValue(*prompt)) : Result<QByteArray>(prompt.error());
    }));
    const auto turn = [this](Transaction &tx, const SessionId &id, const Result<> &done) -> Result<QByteArray> {
        if (!done)
            return done.error();
        settle(tx);
        return sessionAnswer(id);
    };
    table.command(QStringLiteral("cancelTurn"), decodedCommand<CancelTurn>([this, turn](Transaction &tx, const Caller &, const CancelTurn &command) -> Result<QByteArray> {
        m_transcripts.recover();
        if (auto session = openSession(command.sessionId); !session)
            return session.error();
        const auto state = m_store.state(command.sessionId);
        if (const auto open = state && !state->openTurn.isEmpty() ? m_store.turn(state->openTurn) : std::nullopt; open && !open->cancelling)
            m_store.note(tx, auditkind::turnCancelled, {{QStringLiteral("session"), command.sessionId.value}});
        return turn(tx, command.sessionId, m_turns.cancelTurn(tx, command.sessionId));
    }));
    table.command(QStringLiteral("resendInterrupted"), decodedCommand<ResendInterrupted>([this, turn](Transaction &tx, const Caller &caller, const ResendInterrupted &command) -> Result<QByteArray> {
        m_transcripts.recover();
        if (auto session = openSession(command.sessionId); !session)
            return session.error();
        return turn(tx, command.sessionId, m_turns.resendInterrupted(tx, command.sessionId, caller.userId));
    }));
    table.command(QStringLiteral("answerPermission"), decodedCommand<AnswerPermission>([this](Transaction &tx, const Caller &caller, const AnswerPermission &command) -> Result<QByteArray> {
        m_transcripts.recover();
        const QString permission = command.permissionRequestId.isEmpty() ? command.requestId.value : command.permissionRequestId;
        SessionId of = command.sessionId;
        for (const SessionState &state : m_store.states()) {
            if (m_transcripts.of(state.session).permissionEntry(permission))
                of = state.session;
        }
        if (auto answered = m_turns.answerPermission(tx, command, caller.userId); !answered)
            return answered.error();
        m_store.note(tx, auditkind::permissionAnswered, {{QStringLiteral("session"), of.value},
            {QStringLiteral("permission"), permission}, {QStringLiteral("option"), command.optionId}});
        settle(tx);
        return sessionAnswer(of);
    }));
    table.command(QStringLiteral("answerQuestion"), decodedCommand<AnswerQuestion>([this, turn](Transaction &tx, const Caller &caller, const AnswerQuestion &command) -> Result<QByteArray> {
        m_transcripts.recover();
        SessionId of = command.sessionId;
        for (const SessionState &state : m_store.states()) {
            if (m_transcripts.of(state.session).questionEntry(command.questionRequestId))
                of = state.session;
        }
        const Result<> answered = m_turns.answerQuestion(tx, command, caller.userId);
        if (answered)
            m_store.note(tx, auditkind::questionAnswered, {{QStringLiteral("session"), of.value},
                {QStringLiteral("question"), command.questionRequestId}, {QStringLiteral("answer"), command.answer}});
        return turn(tx, of, answered);
    }));
}

void TaskActor::registerProvisioningCommands(ActionTable &table)
{
    const auto answerTask = [this]() -> Result<QByteArray> {
        const auto task = m_store.task();
        if (!task)
            return makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"), QStringLiteral("There is no such task."));
        return protocol::encodeValue(*task);
    };
    table.command(QStringLiteral("renameTask"), decodedCommand<RenameTask>([this, answerTask](Transaction &tx, const Caller &, const RenameTask &command) -> Result<QByteArray> {
        m_transcripts.recover();
        const QString title = command.title.simplified().left(200);
        if (title.isEmpty())
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("A task needs a title."), {},
                QStringLiteral("title"));
        TaskCreation creation = *m_store.creation();
        creation.title = title;
        m_store.setCreation(tx, creation);
        m_store.note(tx, auditkind::taskRenamed);
        settle(tx);
        return answerTask();
    }));
    table.command(QStringLiteral("retryStage"), decodedCommand<RetryStage>([this](Transaction &tx, const Caller &, const RetryStage &command) -> Result<QByteArray> {
        m_transcripts.recover();
        if (auto retried = m_provisioning.retryStage(tx, command.stageId); !retried)
            return retried.error();
        m_store.note(tx, auditkind::stageRetried, {{QStringLiteral("stage"), command.stageId}});
        for (SessionState state : m_store.states()) { // their errors came from what is retried
            if (state.error && state.openTurn.isEmpty()) {
                state.error.reset();
                state.hold = false;
                m_store.putState(tx, state);
            }
        }
        settle(tx);
        for (const Stage &stage : m_store.stages()) {
            if (stage.id == command.stageId)
                return protocol::encodeValue(stage);
        }
        return QByteArrayLiteral("null");
    }));
    table.command(QStringLiteral("cancelProvisioning"), decodedCommand<CancelProvisioning>([this, answerTask](Transaction &tx, const Caller &, const CancelProvisioning &) -> Result<QByteArray> {
        m_transcripts.recover();
        if (m_provisioning.cancel(tx))
            m_store.note(tx, auditkind::provisioningCancelled);
        settle(tx);
        return answerTask();
    }));
    table.command(QStringLiteral("resolveBranchClash"), decodedCommand<ResolveBranchClash>([this, answerTask](Transaction &tx, const Caller &, const ResolveBranchClash &command) -> Result<QByteArray> {
        m_transcripts.recover();
        if (auto resolved = m_provisioning.resolveBranchClash(tx, command); !resolved)
            return resolved.error();
        settle(tx);
        return answerTask();
    }));
    table.command(QStringLiteral("refreshChanges"), decodedCommand<RefreshChanges>([this](Transaction &tx, const Caller &, const RefreshChanges &) -> Result<QByteArray> {
        const auto task = m_store.task();
        if (!task || !task->workTree)
            return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
                QStringLiteral("The work tree is not prepared yet."), QStringLiteral("Wait until the repository is prepared."));
        tx.afterCommit([this] { m_changes.request(0); });
        return protocol::encodeValue(m_changes.ask(tx));
    }));
}

} // namespace foundry::backend
