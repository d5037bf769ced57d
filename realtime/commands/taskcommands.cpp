#include "realtime/commands/taskcommands.h"

#include <QDateTime>

namespace foundry::realtime {

namespace {

QString taskcommandsDiffKey(const GetDiff &question)
{
    return question.path + QLatin1Char('\n') + question.scope.text() + QLatin1Char('\n') + question.cursor.value_or(QString());
}

// What the search finds a diff by: its path, and its lines that are new or gone.
QStringList taskcommandsDiffNames(const DiffPage &page)
{
    QStringList names{page.path};
    for (const QString &line : page.unified.split(QLatin1Char('\n'))) {
        if (line.startsWith(QLatin1Char('+')) || line.startsWith(QLatin1Char('-')))
            names << line;
    }
    return names;
}

} // namespace

TaskCommands::TaskCommands(CommandQueue &queue, PromptUpload &uploads, TaskFeed &feed, QObject *parent)
    : QObject(parent)
    , m_queue(queue)
    , m_uploads(uploads)
    , m_feed(feed)
{
    connect(&feed.changes(), &TopicFeed::applied, this, [this](const TopicEvent &event) {
        if (event.ready)
            onReady(*event.ready);
    });
}

template <class Command>
void TaskCommands::send(
    const char *action, Command command, QObject *context, Answered<Unit> then, const std::optional<Kept> &kept)
{
    sendCommand(m_queue, QString::fromLatin1(action), std::move(command), context, std::move(then), kept);
}

void TaskCommands::setOutbox(Outbox *outbox)
{
    m_outbox = outbox;
    connect(outbox, &Outbox::changed, this, [this](const RequestId &id) {
        const OutboxEntry *entry = m_outbox->find(id);
        const bool queued = entry && entry->state == OutboxState::Queued;
        if ((!queued && !(entry && entry->state == OutboxState::Sent)) || entry->actor != m_queue.connection().actor())
            return;
        const auto message = Outbox::messageOf(*entry);
        if (!message)
            return;
        // Sent once more by the user's wish; with a link it is on its way already, and the queue has it.
        const bool again = m_outbox->isRestored() && !m_given.contains(message->queueId) && !m_resumed.contains(message->queueId);
        if ((queued && !message->prompt.blobId) || again)
            showQueued(*message, entry->createdAt); // as it reads now
        if (again) {
            m_resumed.insert(message->queueId);
            QMetaObject::invokeMethod(this, [this, id] { continueMessage(id); }, Qt::QueuedConnection);
        }
    });
    if (outbox->isRestored())
        resumeMessages();
    else
        connect(outbox, &Outbox::restored, this, &TaskCommands::resumeMessages);
}

void TaskCommands::resumeMessages()
{
    const QList<OutboxEntry> entries = m_outbox->entries();
    for (const OutboxEntry &entry : entries) {
        const bool waits = entry.state == OutboxState::Queued || entry.state == OutboxState::Sent;
        if (!waits || entry.actor != m_queue.connection().actor())
            continue;
        const auto message = Outbox::messageOf(entry);
        if (!message || m_given.contains(message->queueId))
            continue;
        showQueued(*message, entry.createdAt);
        m_resumed.insert(message->queueId);
        continueMessage(entry.id);
    }
}

void TaskCommands::continueMessage(const RequestId &id)
{
    const OutboxEntry *entry = m_outbox->find(id);
    const auto message = entry ? Outbox::messageOf(*entry) : std::nullopt;
    if (!message || (entry->state != OutboxState::Queued && entry->state != OutboxState::Sent))
        return;
    m_queue.enqueueKept({entry->id, entry->label}, entry->action, entry->args, this,
        [this, queued = message->queueId](const Result<QByteArray> &) {
            m_resumed.remove(queued);
            m_feed.task().withdraw(QStringLiteral("QueuedPrompt"), queued.value);
        });
}

void TaskCommands::showQueued(const SendMessage &message, Millis createdAt)
{
    QueuedPrompt placeholder;
    placeholder.id = message.queueId;
    placeholder.sessionId = message.sessionId;
    placeholder.prompt = message.prompt;
    placeholder.createdAt = createdAt;
    placeholder.order = double(createdAt);
    m_feed.task().publishLocal({placeholder});
}

SessionId TaskCommands::createSession(
    const std::optional<AgentId> &agent, const std::optional<QString> &mode, QObject *context, Answered<Session> then)
{
    CreateSession command;
    command.sessionId = makeId<SessionId>();
    command.agent = agent;
    command.mode = mode;
    Session placeholder;
    placeholder.id = command.sessionId;
    placeholder.name = tr("New session");
    placeholder.agent = agent.value_or(AgentId());
    placeholder.mode = mode;
    placeholder.status = SessionStatus::PendingSessionCreate;
    m_feed.task().publishLocal({placeholder});
    sendCommand<Session>(m_queue, QStringLiteral("createSession"), command, context,
        Answered<Session>([this, id = command.sessionId, then = std::move(then)](const Result<Session> &answer) {
            if (answer)
                m_feed.task().adopt({*answer});
            else
                m_feed.task().withdraw(QStringLiteral("Session"), id.value);
            if (then)
                then(answer);
        }),
        Kept{tr("New session")});
    return command.sessionId;
}

void TaskCommands::renameSession(const SessionId &session, const QString &name, QObject *context, Answered<Unit> then)
{
    RenameSession command;
    command.sessionId = session;
    command.name = name;
    send("renameSession", command, context, std::move(then), Kept{tr("Session name: %1").arg(name)});
}

void TaskCommands::closeSession(const SessionId &session, QObject *context, Answered<Unit> then)
{
    CloseSession command;
    command.sessionId = session;
    send("closeSession", command, context, std::move(then), Kept{tr("Close a session")});
}

QueueId TaskCommands::sendMessage(const SessionId &session, const QString &text, QObject *context, Answered<Unit> then)
{
    SendMessage command;
    command.queueId = makeId<QueueId>();
    command.sessionId = session;
    command.prompt.text = text;
    m_given.insert(command.queueId);
    if (!PromptUpload::check(text))
        showQueued(command, QDateTime::currentMSecsSinceEpoch());
    std::optional<Kept> kept;
    if (m_outbox) {
        UpdateDraft given; // cleared with the very write that the message is in
        given.taskId = TaskId(m_queue.connection().actor().key.value(4));
        given.sessionId = session;
        kept = Kept{text.simplified().left(80), given};
        if (!PromptUpload::fitsInline(text)) {
            // It goes up first. Until then it is a draft, so that it is not only in memory.
            given.draft = Draft{text, {}, {}};
            m_outbox->setDraft(given);
            m_outbox->flushDrafts();
        }
    }
    const auto finish = [this, id = command.queueId, then = std::move(then)](const Result<> &answer) {
        // The host's own row has taken its place by now; a message that was taken up at once never had one.
        m_given.remove(id);
        m_feed.task().withdraw(QStringLiteral("QueuedPrompt"), id.value);
        if (then)
            then(answer);
    };
    m_prompts.enqueue({text, [this, command, kept, context = QPointer<QObject>(context), finish](const Result<Prompt> &prompt) {
                           if (!context)
                               return;
                           if (!prompt)
                               return finish(prompt.error());
                           SendMessage sent = command;
                           sent.prompt = *prompt;
                           send("sendMessage", sent, context, finish, kept);
                       }});
    prepareNext();
    return command.queueId;
}

void TaskCommands::prepareNext()
{
    if (m_preparing || m_prompts.isEmpty())
        return;
    m_preparing = true;
    const Prepared next = m_prompts.dequeue();
    m_uploads.prepare(next.text, this, [this, send = next.send](const Result<Prompt> &prompt) {
        send(prompt);
        m_preparing = false;
        prepareNext();
    });
}

const OutboxEntry *TaskCommands::entryOf(const QueueId &message) const
{
    if (!m_outbox)
        return nullptr;
    for (const OutboxEntry &entry : m_outbox->entries()) {
        if (entry.actor != m_queue.connection().actor())
            continue;
        if (const auto found = Outbox::messageOf(entry); found && found->queueId == message)
            return &entry;
    }
    return nullptr;
}

bool TaskCommands::isInOutbox(const QueueId &message) const
{
    return entryOf(message) != nullptr;
}

RequestId TaskCommands::queuedHere(const QueueId &queued) const
{
    const OutboxEntry *entry = entryOf(queued);
    return entry && entry->state == OutboxState::Queued ? entry->id : RequestId();
}

void TaskCommands::editQueued(const QueueId &queued, const QString &text, QObject *context, Answered<Unit> then)
{
    // Not sent yet: it is changed where it lies, and the host sees one message. A large one goes up, and by the host.
    if (const RequestId waiting = queuedHere(queued);
        !waiting.isEmpty() && PromptUpload::fitsInline(text) && m_outbox->editMessage(waiting, text)) {
        if (then)
            then(Unit{});
        return;
    }
    m_prompts.enqueue(
        {text, [this, queued, context = QPointer<QObject>(context), then = std::move(then)](const Result<Prompt> &prompt) {
             if (!context)
                 return;
             if (!prompt)
                 return then(prompt.error());
             EditQueued command;
             command.queueId = queued;
             command.prompt = *prompt;
             send("editQueued", command, context, then, Kept{command.prompt.text.simplified().left(80)});
         }});
    prepareNext();
}

void TaskCommands::dropQueued(const QueueId &queued, QObject *context, Answered<Unit> then)
{
    if (const RequestId waiting = queuedHere(queued); !waiting.isEmpty() && m_outbox->remove(waiting)) {
        if (then)
            then(Unit{});
        return;
    }
    DropQueued command;
    command.queueId = queued;
    send("dropQueued", command, context, std::move(then), Kept{tr("Take back a queued message")});
}

void TaskCommands::cancelTurn(const SessionId &session, QObject *context, Answered<Unit> then)
{
    CancelTurn command;
    command.sessionId = session;
    send("cancelTurn", command, context, std::move(then));
}

void TaskCommands::resendInterrupted(const SessionId &session, QObject *context, Answered<Unit> then)
{
    ResendInterrupted command;
    command.sessionId = session;
    send("resendInterrupted", command, context, std::move(then));
}

void TaskCommands::answerPermission(const SessionId &session, const QString &permissionRequestId,
    const QString &optionId, QObject *context, Answered<Unit> then)
{
    AnswerPermission command;
    command.sessionId = session;
    command.permissionRequestId = permissionRequestId;
    command.optionId = optionId;
    send("answerPermission", command, context, std::move(then), Kept{tr("Answer a permission")});
}

void TaskCommands::setModel(const SessionId &session, const QString &model, QObject *context, Answered<Unit> then)
{
    SetModel command;
    command.sessionId = session;
    command.model = model;
    send("setModel", command, context, std::move(then), Kept{tr("Model: %1").arg(model)});
}

void TaskCommands::setMode(const SessionId &session, const QString &mode, QObject *context, Answered<Unit> then)
{
    SetMode command;
    command.sessionId = session;
    command.mode = mode;
    send("setMode", command, context, std::move(then), Kept{tr("Mode: %1").arg(mode)});
}

void TaskCommands::setOption(
    const SessionId &session, const QString &option, const QString &value, QObject *context, Answered<Unit> then)
{
    SetOption command;
    command.sessionId = session;
    command.optionId = option;
    command.value = value;
    send("setOption", command, context, std::move(then), Kept{tr("Option %1: %2").arg(option, value)});
}

void TaskCommands::renameTask(const QString &title, QObject *context, Answered<Unit> then)
{
    RenameTask command;
    command.title = title;
    send("renameTask", command, context, std::move(then), Kept{tr("Title: %1").arg(title)});
}

void TaskCommands::retryStage(const QString &stage, QObject *context, Answered<Unit> then)
{
    RetryStage command;
    command.stageId = stage;
    send("retryStage", command, context, std::move(then));
}

void TaskCommands::cancelProvisioning(QObject *context, Answered<Unit> then)
{
    send("cancelProvisioning", CancelProvisioning{}, context, std::move(then));
}

void TaskCommands::resolveBranchClash(const ResolveBranchClash &choice, QObject *context, Answered<Unit> then)
{
    send("resolveBranchClash", choice, context, std::move(then), Kept{tr("Choose a branch")});
}

void TaskCommands::refreshChanges(QObject *context, Answered<Unit> then)
{
    send("refreshChanges", RefreshChanges{}, context, std::move(then));
}

void TaskCommands::getDiff(const QString &path, OpenEnum<ChangeScope> scope, const QString &cursor, QObject *context,
    Answered<DiffPage> then)
{
    GetDiff question;
    question.path = path;
    question.scope = scope;
    if (!cursor.isEmpty())
        question.cursor = cursor;
    readDiff(question, context, then);
}

bool TaskCommands::askCache(const QString &kind, const QString &key, QObject *context,
    std::function<void(std::optional<KeptAnswer>)> then)
{
    if (!m_cache || m_queue.connection().isLive())
        return false;
    m_cache->find(m_queue.connection().actor(), kind, key, context, std::move(then));
    return true;
}

void TaskCommands::readDiff(GetDiff question, QObject *context, const Answered<DiffPage> &then)
{
    const auto askHost = [this, question, context = QPointer<QObject>(context), then] {
        GetDiff asked = question;
        asked.requestId = makeId<RequestId>();
        // Noted before the question leaves: the notice may come before the answer.
        m_diffs.insert(asked.requestId, WaitingDiff{asked, context, then});
        sendCommand<DiffPage>(m_queue, QStringLiteral("getDiff"), asked, context,
            Answered<DiffPage>([this, asked, then](const Result<DiffPage> &page) {
                // Pending: shown as such; the notice brings the lines.
                if (!page || !page->pending)
                    m_diffs.remove(asked.requestId);
                if (m_cache && page && !page->pending && !page->error) {
                    m_cache->keep(m_queue.connection().actor(), QStringLiteral("diff"), taskcommandsDiffKey(asked),
                        protocol::encodeValue(*page), taskcommandsDiffNames(*page));
                }
                then(page);
            }));
    };
    const bool offline = askCache(QStringLiteral("diff"), taskcommandsDiffKey(question), context,
        [askHost, then](const std::optional<KeptAnswer> &kept) {
            if (kept) {
                if (auto page = protocol::decodeValue<DiffPage>(kept->data)) {
                    page->asOf = kept->storedAt;
                    return then(page);
                }
            }
            askHost(); // waits for the link
        });
    if (!offline)
        askHost();
}

void TaskCommands::onReady(const ReadyNotice &notice)
{
    if (!m_diffs.contains(notice.requestId))
        return;
    const WaitingDiff diff = m_diffs.take(notice.requestId);
    if (diff.context)
        readDiff(diff.question, diff.context, diff.then);
}

void TaskCommands::getBlob(const BlobId &blob, qint64 limit, QObject *context, Answered<QByteArray> then)
{
    // A blob never changes: what is kept of it is as good as the host's. What was cut is not kept.
    const auto answer = [this, blob, limit, then](const Result<QByteArray> &whole) {
        if (m_cache && whole && whole->size() < limit)
            m_cache->keep(m_queue.connection().actor(), QStringLiteral("blob"), blob.value, *whole);
        then(whole);
    };
    if (!m_cache)
        return readBlob(blob, {}, limit, context, answer);
    m_cache->find(m_queue.connection().actor(), QStringLiteral("blob"), blob.value, context,
        [this, blob, limit, context = QPointer<QObject>(context), then, answer](const std::optional<KeptAnswer> &kept) {
            if (kept)
                then(kept->data.left(limit));
            else
                readBlob(blob, {}, limit, context, answer);
        });
}

void TaskCommands::readBlob(const BlobId &blob, const QByteArray &sofar, qint64 limit, QObject *context,
    const Answered<QByteArray> &then)
{
    GetBlob question;
    question.blobId = blob;
    question.offset = sofar.size();
    m_queue.enqueue(QStringLiteral("getBlob"), protocol::encodeArgs(question), context,
        [this, blob, sofar, limit, context = QPointer<QObject>(context), then](const Result<QByteArray> &answer) {
            if (!answer)
                return then(answer.error());
            const auto page = protocol::decodeValue<BlobPage>(*answer);
            if (!page)
                return then(page.error());
            const QByteArray whole = sofar + page->data;
            if (page->data.isEmpty() || whole.size() >= page->size || whole.size() >= limit)
                then(whole.left(limit));
            else if (context)
                readBlob(blob, whole, limit, context, then);
        });
}

void TaskCommands::getStageLog(const QString &stage, QObject *context, Answered<StageLog> then)
{
    GetStageLog question;
    question.stageId = stage;
    m_queue.enqueue(QStringLiteral("getStageLog"), protocol::encodeArgs(question), context,
        [then = std::move(then)](const Result<QByteArray> &answer) {
            if (answer)
                then(protocol::decodeValue<StageLog>(*answer));
            else
                then(answer.error());
        });
}

} // namespace foundry::realtime
