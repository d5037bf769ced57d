#include "backend/actors/turnworkflow.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/messagejson.h"
#include "backend/actors/taskattention.h"

#include <QDateTime>

namespace foundry::backend {

namespace {

constexpr qint64 turnPromptLimit = 256 * 1024;

Error turnConflict(const QString &message, const QString &action = {})
{
    return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), message, action);
}

} // namespace

TurnWorkflow::TurnWorkflow(TaskStore &store, TaskTranscripts &transcripts, TaskProvisioning &provisioning,
    TaskAttention &attention, BlobStore blobs)
    : m_store(store)
    , m_transcripts(transcripts)
    , m_provisioning(provisioning)
    , m_attention(attention)
    , m_blobs(std::move(blobs))
{
}

ActorAddress TurnWorkflow::sandbox() const
{
    return sandboxAddress(m_store.creation()->organization, m_provisioning.sandboxId());
}

Result<> checkPromptSize(const BlobStore &blobs, const Prompt &prompt)
{
    qint64 size = prompt.text.toUtf8().size();
    if (prompt.blobId) {
        const auto stored = blobs.size(*prompt.blobId);
        if (!stored)
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                QStringLiteral("The prompt's text was not uploaded completely."), QStringLiteral("Send it again."),
                QStringLiteral("prompt"));
        size = *stored;
    }
    if (size > turnPromptLimit)
        return makeError(QLatin1StringView("input"), QLatin1StringView("too_large"),
            QStringLiteral("The prompt has %1 KiB; an agent is given at most %2 KiB at once.").arg(size / 1024).arg(turnPromptLimit / 1024),
            QStringLiteral("Shorten it, or put the long part into a file of the repository or an attachment and mention it."),
            QStringLiteral("prompt"));
    return Unit{};
}

Result<> checkAttachments(const BlobStore &blobs, const QList<Attachment> &attachments)
{
    for (const Attachment &attachment : attachments) {
        if (!blobs.size(attachment.blobId))
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                QStringLiteral("The attachment “%1” was not uploaded completely.").arg(attachment.name), QStringLiteral("Send it again."),
                QStringLiteral("attachments"));
    }
    return Unit{};
}

Result<> takeUploads(const BlobStore &blobs, const Prompt &prompt, const QList<Attachment> &attachments)
{
    if (prompt.blobId) {
        if (auto taken = blobs.take(*prompt.blobId); !taken)
            return taken;
    }
    for (const Attachment &attachment : attachments) {
        if (auto taken = blobs.take(attachment.blobId); !taken)
            return taken;
    }
    return Unit{};
}

QString promptText(const BlobStore &blobs, const Prompt &prompt)
{
    if (!prompt.blobId)
        return prompt.text;
    auto bytes = blobs.readAll(*prompt.blobId, turnPromptLimit);
    return bytes ? QString::fromUtf8(*bytes) : bytes.error().message;
}

QString promptStart(const BlobStore &blobs, const Prompt &prompt)
{
    if (!prompt.blobId)
        return prompt.text.left(300);
    const auto page = blobs.read(*prompt.blobId, 0, 1200); // a cut character at the end is beyond what is shown
    return page ? QString::fromUtf8(page->data).left(300) : page.error().message;
}

Result<QueuedPrompt> TurnWorkflow::sendMessage(Transaction &tx, const SendMessage &command, const QString &by)
{
    if (command.prompt.isEmpty() && command.attachments.isEmpty())
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("The prompt is empty."),
            QStringLiteral("Write what the agent shall do."), QStringLiteral("prompt"));
    if (auto fits = checkPromptSize(m_blobs, command.prompt); !fits)
        return fits.error();
    if (auto uploaded = checkAttachments(m_blobs, command.attachments); !uploaded)
        return uploaded.error();
    auto state = m_store.state(command.sessionId);
    if (!state)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("There is no such session in this task."), {}, QStringLiteral("sessionId"));
    // One id is one prompt: it is neither queued twice nor delivered again.
    if (command.queueId.isEmpty() || m_store.wasDelivered(command.queueId))
        return command.queueId.isEmpty()
            ? makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("A prompt needs an id of its own."), {},
                QStringLiteral("queueId"))
            : turnConflict(QStringLiteral("This prompt was delivered already."), QStringLiteral("Send it anew if the agent shall get it once more."));
    if (auto waiting = m_store.queued(command.queueId))
        return waiting->sessionId == command.sessionId && waiting->prompt == command.prompt
            ? Result<QueuedPrompt>(*waiting)
            : Result<QueuedPrompt>(turnConflict(QStringLiteral("Another prompt with this id is waiting."), QStringLiteral("Edit that one.")));
    const QList<QueuedPrompt> queue = m_store.queue(command.sessionId);
    QueuedPrompt prompt;
    prompt.id = command.queueId;
    prompt.sessionId = command.sessionId;
    prompt.prompt = command.prompt;
    prompt.attachments = command.attachments;
    prompt.order = queue.isEmpty() ? 1 : queue.last().order + 1;
    prompt.createdAt = QDateTime::currentMSecsSinceEpoch();
    prompt.by = by;
    if (auto kept = takeUploads(m_blobs, prompt.prompt, prompt.attachments); !kept)
        return kept.error();
    tx.put(TaskStore::topic(), prompt);
    // A new word of the user is the leave to go on: after a cut or a failure the queue moves again.
    const bool wasHeld = state->hold || state->error;
    const auto error = std::exchange(state->error, std::nullopt);
    state->hold = false;
    state->interruptedTurn.clear();
    m_store.putState(tx, *state);
    m_provisioning.renewAgent(tx, *state, error);
    state = m_store.state(command.sessionId);
    if (wasHeld || m_store.session(command.sessionId).value_or(Session{}).status == SessionStatus::Error)
        m_provisioning.ensureLive(tx, *state, true);
    return prompt;
}

Result<QueuedPrompt> TurnWorkflow::editQueued(Transaction &tx, const EditQueued &command)
{
    auto prompt = m_store.queued(command.queueId);
    if (!prompt)
        return turnConflict(QStringLiteral("This prompt is not waiting any more: it was delivered or dropped."));
    if (command.prompt.isEmpty())
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("The prompt is empty."),
            QStringLiteral("Drop it instead."), QStringLiteral("prompt"));
    if (auto fits = checkPromptSize(m_blobs, command.prompt); !fits)
        return fits.error();
    if (auto kept = takeUploads(m_blobs, command.prompt, {}); !kept)
        return kept.error();
    prompt->prompt = command.prompt;
    tx.put(TaskStore::topic(), *prompt);
    return m_store.queued(command.queueId).value_or(*prompt);
}

Result<QueuedPrompt> TurnWorkflow::dropQueued(Transaction &tx, const DropQueued &command)
{
    auto prompt = m_store.queued(command.queueId);
    if (!prompt)
        return turnConflict(QStringLiteral("This prompt is not waiting any more: it was delivered or dropped."));
    tx.remove(TaskStore::topic(), QStringLiteral("QueuedPrompt"), command.queueId.value);
    return *prompt;
}

Result<> TurnWorkflow::cancelTurn(Transaction &tx, const SessionId &session)
{
    auto state = m_store.state(session);
    if (!state || state->openTurn.isEmpty())
        return Unit{}; // over already: what was asked for is so
    auto turn = m_store.turn(state->openTurn);
    if (!turn || turn->cancelling)
        return Unit{};
    turn->cancelling = true;
    m_store.putTurn(tx, *turn);
    dismissAsks(tx, session);
    if (turn->state == QLatin1StringView("refused")) { // never delivered: nobody else ends it
        TurnReport report;
        report.turn = turn->turn;
        report.session = session;
        report.stopReason = QStringLiteral("cancelled");
        return ended(tx, report);
    }
    SessionRequest request;
    request.session = session;
    request.agent = state->agent;
    request.turn = turn->turn;
    tx.send(sandbox(), QStringLiteral("cancelTurn"), encodeSessionRequest(request));
    return Unit{};
}

Result<> TurnWorkflow::resendInterrupted(Transaction &tx, const SessionId &session, const QString &by)
{
    auto state = m_store.state(session);
    if (!state || state->interruptedTurn.isEmpty())
        return turnConflict(QStringLiteral("No turn of this session was cut."), QStringLiteral("Write a new prompt."));
    const auto turn = m_store.turn(state->interruptedTurn);
    if (!turn)
        return turnConflict(QStringLiteral("The cut prompt is not stored any more."), QStringLiteral("Write it again."));
    QueuedPrompt prompt;
    prompt.id = makeId<QueueId>();
    prompt.sessionId = session;
    prompt.prompt = turn->prompt;
    prompt.attachments = turn->attachments;
    const QList<QueuedPrompt> queue = m_store.queue(session);
    prompt.order = queue.isEmpty() ? 1 : queue.first().order - 1; // it came before them
    prompt.createdAt = QDateTime::currentMSecsSinceEpoch();
    prompt.by = by;
    tx.put(TaskStore::topic(), prompt);
    state->interruptedTurn.clear();
    state->hold = false;
    state->error.reset();
    m_store.putState(tx, *state);
    m_provisioning.ensureLive(tx, *state, true);
    return Unit{};
}

void TurnWorkflow::close(Transaction &tx, const SessionId &session, bool last)
{
    auto state = m_store.state(session);
    if (!state)
        return;
    for (const QueuedPrompt &prompt : m_store.queue(session))
        tx.remove(TaskStore::topic(), QStringLiteral("QueuedPrompt"), prompt.id.value);
    if (!state->openTurn.isEmpty()) {
        TurnReport report;
        report.turn = state->openTurn;
        report.session = session;
        report.stopReason = QStringLiteral("cancelled");
        ended(tx, report);
        state = m_store.state(session);
    }
    SessionRequest request;
    request.session = session;
    request.agent = state->agent;
    request.last = last;
    tx.send(sandbox(), QStringLiteral("closeSession"), encodeSessionRequest(request));
    m_attention.removeOfSession(tx, session);
    state->live = false;
    state->hold = false;
    state->interruptedTurn.clear();
    state->error.reset();
    m_store.putState(tx, *state);
}

void TurnWorkflow::resume(Transaction &tx)
{
    for (const SessionState &state : m_store.states()) {
        const auto turn = state.openTurn.isEmpty() ? std::nullopt : m_store.turn(state.openTurn);
        if (!turn || turn->state != QLatin1StringView("sent"))
            continue;
        m_sentBefore.insert(turn->turn);
        deliver(tx, *turn);
    }
}

void TurnWorkflow::pump(Transaction &tx)
{
    for (const SessionState &state : m_store.states()) {
        const auto session = m_store.session(state.session);
        if (!session || session->closedAt)
            continue;
        if (!state.openTurn.isEmpty()) {
            auto turn = m_store.turn(state.openTurn);
            if (!turn || turn->state != QLatin1StringView("refused"))
                continue;
            if (state.live)
                deliver(tx, *turn);
            else
                m_provisioning.ensureLive(tx, state, false);
            continue;
        }
        if (state.hold)
            continue;
        const QList<QueuedPrompt> queue = m_store.queue(state.session);
        if (queue.isEmpty())
            continue;
        if (state.live)
            start(tx, state, queue.first());
        else
            m_provisioning.ensureLive(tx, state, false);
    }
}

void TurnWorkflow::start(Transaction &tx, SessionState state, const QueuedPrompt &prompt)
{
    TurnRow turn;
    turn.turn = makeUuid7();
    turn.session = state.session;
    turn.queue = prompt.id;
    turn.number = ++state.turns;
    turn.prompt = prompt.prompt;
    turn.attachments = prompt.attachments;
    turn.by = prompt.by;
    turn.startedAt = QDateTime::currentMSecsSinceEpoch();
    state.openTurn = turn.turn;
    state.error.reset();
    state.interruptedTurn.clear();
    TranscriptWriter &writer = m_transcripts.of(state.session);
    turn.entryIndex = writer.entryCount();
    writer.beginTurn(tx, turn.number, promptText(m_blobs, prompt.prompt), prompt.attachments);
    tx.remove(TaskStore::topic(), QStringLiteral("QueuedPrompt"), prompt.id.value);
    m_store.putState(tx, state);
    m_store.note(tx, auditkind::promptSent, {{QStringLiteral("session"), turn.session.value}, {QStringLiteral("turn"), turn.turn}},
        turn.by.isEmpty() ? std::nullopt : std::optional(turn.by));
    if (turnStarts)
        turnStarts(tx);
    deliver(tx, turn);
}

void TurnWorkflow::deliver(Transaction &tx, TurnRow turn)
{
    turn.state = QStringLiteral("sent");
    m_store.putTurn(tx, turn);
    tx.send(sandbox(), QStringLiteral("prompt"), encodeDeliverPrompt({turn.turn, turn.session, turn.prompt, turn.attachments}));
}

void TurnWorkflow::sessionReady(Transaction &tx, const SessionId &session, const QString &origin)
{
    auto state = m_store.state(session);
    if (!state)
        return;
    state->live = true;
    m_store.putState(tx, *state);
    if (state->turns == 0)
        return;
    TranscriptWriter &writer = m_transcripts.of(session);
    if (origin == QLatin1StringView("loaded") || origin == QLatin1StringView("resumed"))
        writer.notice(tx, QStringLiteral("The agent was started again and has taken up this conversation."));
    else if (origin == QLatin1StringView("anew"))
        writer.notice(tx,
            QStringLiteral("The agent was started again. It cannot take up a conversation, so it knows nothing of what was said above; "
                           "the files are as they were."));
}

bool TurnWorkflow::hasOpenTurn() const
{
    for (const SessionState &state : m_store.states()) {
        if (!state.openTurn.isEmpty())
            return true;
    }
    return false;
}

bool TurnWorkflow::accepts(const AgentUpdate &update) const
{
    const auto state = m_store.state(update.session);
    return state && state->openTurn == update.turn;
}

bool TurnWorkflow::received(Transaction &tx, const Send &send, Result<> *outcome)
{
    const auto handle = [&](auto decoded, auto member) {
        *outcome = decoded ? (this->*member)(tx, *decoded) : Result<>(decoded.error());
        return true;
    };
    tx.setCause(Cause{QStringLiteral("agent")});
    if (send.name == QLatin1StringView("turnEnded"))
        return handle(decodeTurnReport(send.json), &TurnWorkflow::ended);
    if (send.name == QLatin1StringView("turnRefused"))
        return handle(decodeTurnReport(send.json), &TurnWorkflow::refused);
    if (send.name == QLatin1StringView("permissionAsked"))
        return handle(decodePermissionAsked(send.json), &TurnWorkflow::permissionAsked);
    if (send.name == QLatin1StringView("permissionWithdrawn"))
        return handle(decodePermissionAnswer(send.json), &TurnWorkflow::permissionWithdrawn);
    if (send.name == QLatin1StringView("questionAsked"))
        return handle(decodeQuestionAsked(send.json), &TurnWorkflow::questionAsked);
    if (send.name == QLatin1StringView("questionWithdrawn"))
        return handle(decodeQuestionAnswer(send.json), &TurnWorkflow::questionWithdrawn);
    if (send.name == QLatin1StringView("agentLost"))
        return handle(decodeAgentLost(send.json), &TurnWorkflow::agentLost);
    return false;
}

Result<> TurnWorkflow::ended(Transaction &tx, const TurnReport &report)
{
    auto state = m_store.state(report.session);
    auto turn = m_store.turn(report.turn);
    if (!state || !turn || state->openTurn != report.turn)
        return Unit{}; // ended before (closed, or said twice)
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    turn->state = QStringLiteral("ended");
    turn->endedAt = now;
    turn->stopReason = report.stopReason;
    m_store.putTurn(tx, *turn);

    TranscriptWriter &writer = m_transcripts.of(report.session);
    dismissAsks(tx, report.session);
    if (report.error)
        writer.error(tx, *report.error);
    writer.endTurn(tx, TurnEnd{report.stopReason, now - turn->startedAt, report.usage});
    const bool cut = report.stopReason == QLatin1StringView("interrupted");
    if (cut)
        writer.notice(tx,
            QStringLiteral("The host was stopped while this turn ran, and the agent with it. What it wrote until then is kept. "
                           "Send the prompt again to go on; queued prompts wait for that."));
    else if (m_sentBefore.contains(turn->turn) && report.updates > 0)
        writer.notice(tx,
            QStringLiteral("The host was stopped while this turn ended: the last of what the agent said may be missing here. "
                           "The turn is complete, and the files are as the agent left them."));
    m_sentBefore.remove(turn->turn);
    state->openTurn.clear();
    state->interruptedTurn = cut ? turn->turn : QString();
    state->hold = cut || report.error.has_value();
    state->error = report.error;
    m_store.putState(tx, *state);
    if (auto session = m_store.session(report.session)) {
        session->interrupted = cut;
        if (report.usage)
            session->usage = mergedUsage(session->usage.value_or(Usage{}), *report.usage);
        tx.put(TaskStore::topic(), *session);
    }
    m_store.setValue(tx, QStringLiteral("lastTurnEndedAt"), QByteArray::number(now));
    if (cut && !state->live)
        m_provisioning.ensureLive(tx, *state, false);
    if (turnEnded)
        turnEnded(tx);
    return Unit{};
}

Result<> TurnWorkflow::refused(Transaction &tx, const TurnReport &report)
{
    auto state = m_store.state(report.session);
    auto turn = m_store.turn(report.turn);
    if (!state || !turn || state->openTurn != report.turn || turn->state != QLatin1StringView("sent"))
        return Unit{};
    turn->state = QStringLiteral("refused");
    m_store.putTurn(tx, *turn);
    m_sentBefore.remove(turn->turn); // what it says will all be heard
    state->live = false;
    m_store.putState(tx, *state);
    if (turn->cancelling) {
        TurnReport over = report;
        over.stopReason = QStringLiteral("cancelled");
        return ended(tx, over);
    }
    return Unit{}; // pump() wakes the session and delivers it then
}

Result<> TurnWorkflow::agentLost(Transaction &tx, const AgentLost &lost)
{
    m_store.setAgentLive(tx, lost.agent, false);
    for (SessionState state : m_store.states()) {
        if (state.agent != lost.agent)
            continue;
        const bool wasLive = state.live;
        state.live = false;
        m_store.putState(tx, state);
        const auto session = m_store.session(state.session);
        if (!session || session->closedAt)
            continue;
        if (!state.interruptedTurn.isEmpty() && lost.byRestart)
            m_provisioning.ensureLive(tx, state, false);
        else if (wasLive && lost.error && state.openTurn.isEmpty() && !state.error)
            m_transcripts.of(state.session).notice(tx,
                QStringLiteral("The agent has ended: %1 It is started again with the next prompt.").arg(lost.error->message));
    }
    return Unit{};
}

} // namespace foundry::backend
