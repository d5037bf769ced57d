#include "realtime/commands/commandqueue.h"

#include <algorithm>

namespace foundry::realtime {

namespace {

// Says nothing about the command itself: it goes again. The request id makes that safe.
bool isAboutTheLink(const Error &error)
{
    if (error.group == QLatin1StringView("client"))
        return error.code != QLatin1StringView("cancelled");
    return error.group == QLatin1StringView("actor")
        && (error.code == QLatin1StringView("stopping") || error.code == QLatin1StringView("overloaded"));
}

} // namespace

CommandQueue::CommandQueue(ActorConnection &connection, std::chrono::milliseconds deadline, QObject *parent)
    : QObject(parent)
    , m_connection(connection)
    , m_deadline(deadline)
{
    m_again.setSingleShot(true);
    m_again.setInterval(std::chrono::milliseconds(300));
    connect(&m_again, &QTimer::timeout, this, &CommandQueue::sendAll);
    connect(&connection, &ActorConnection::becameLive, this, &CommandQueue::sendAll);
    connect(&connection, &ActorConnection::stateChanged, this, [this](ConnectionState state) {
        if (state == ConnectionState::Refused)
            refused(m_connection.lastError());
    });
}

void CommandQueue::setOutbox(Outbox *outbox)
{
    m_outbox = outbox;
    if (!outbox)
        return;
    connect(outbox, &Outbox::removed, this, [this](const RequestId &id) {
        if (Command *command = findKept(id); command && !command->sent)
            end(command->number, makeError(QLatin1StringView("client"), QLatin1StringView("cancelled"), tr("Taken back before it was sent.")));
    });
    connect(outbox, &Outbox::changed, this, [this](const RequestId &id) {
        const OutboxEntry *entry = m_outbox->find(id);
        if (entry && entry->state == OutboxState::Queued && entry->actor == m_connection.actor() && m_outbox->isRestored()
            && !findKept(id))
            restore(); // by the user's wish, once more
    });
    if (outbox->isRestored())
        restore();
    else
        connect(outbox, &Outbox::restored, this, &CommandQueue::restore);
}

void CommandQueue::restore()
{
    QList<Command> before;
    for (const OutboxEntry &entry : m_outbox->entries()) {
        const bool waits = entry.state == OutboxState::Queued || entry.state == OutboxState::Sent;
        if (!waits || entry.actor != m_connection.actor() || findKept(entry.id))
            continue;
        Command command{++m_lastNumber, entry.action, entry.args, nullptr, {}};
        command.kept = entry.id;
        command.marked = false;
        before << command;
    }
    if (!before.isEmpty()) {
        if (m_commands.isEmpty())
            m_connection.retain();
        m_commands = before + m_commands;
        Q_EMIT waitingChanged(waiting());
    }
    sendAll();
}

CommandQueue::~CommandQueue()
{
    if (!m_commands.isEmpty())
        m_connection.release();
}

void CommandQueue::enqueue(const QString &action, const QByteArray &args, QObject *context, CallAnswer answer)
{
    append(Command{++m_lastNumber, action, args, context, std::move(answer)});
    sendAll();
}

void CommandQueue::enqueueKept(
    const Keeping &keeping, const QString &action, const QByteArray &args, QObject *context, CallAnswer answer)
{
    if (!m_outbox)
        return enqueue(action, args, context, std::move(answer));
    if (Command *waiting = findKept(keeping.id)) {
        waiting->context = context;
        waiting->answer = std::move(answer);
        return;
    }
    // With a link it goes at once: one write says that it is there and that it is sent.
    const bool now = m_connection.isLive() && m_outbox->isRestored();
    Command command{++m_lastNumber, action, args, context, std::move(answer)};
    command.kept = keeping.id;
    command.written = false;
    command.marked = now;
    const quint64 number = command.number;
    append(std::move(command));
    OutboxEntry entry;
    entry.id = keeping.id;
    entry.actor = m_connection.actor();
    entry.action = action;
    entry.args = args;
    entry.label = keeping.label;
    entry.state = now ? OutboxState::Sent : OutboxState::Queued;
    m_outbox->add(entry, keeping.draft, this, [this, number](const Result<> &) {
        if (Command *written = find(number)) {
            written->written = true;
            sendAll();
        }
    });
}

void CommandQueue::append(Command command)
{
    m_commands << std::move(command);
    if (m_commands.size() == 1)
        m_connection.retain();
    Q_EMIT waitingChanged(waiting());
}

CommandQueue::Command *CommandQueue::find(quint64 number)
{
    const auto found = std::find_if(
        m_commands.begin(), m_commands.end(), [number](const Command &command) { return command.number == number; });
    return found == m_commands.end() ? nullptr : &*found;
}

CommandQueue::Command *CommandQueue::findKept(const RequestId &id)
{
    const auto found = std::find_if(
        m_commands.begin(), m_commands.end(), [&id](const Command &command) { return command.kept == id && !id.isEmpty(); });
    return found == m_commands.end() ? nullptr : &*found;
}

void CommandQueue::sendAll()
{
    if (!m_connection.isLive() || (m_outbox && !m_outbox->isRestored()))
        return;
    // In order: what is not written yet holds up those behind it, for the moment that a disk takes.
    for (Command &command : m_commands) {
        if (command.sent)
            continue;
        if (!command.written)
            return;
        if (!command.marked)
            return markWaiting();
        send(command);
    }
}

void CommandQueue::markWaiting()
{
    QList<RequestId> ids;
    for (Command &command : m_commands) {
        if (command.sent || command.marked || command.marking || !command.written)
            continue;
        command.marking = true;
        ids << command.kept;
    }
    if (ids.isEmpty())
        return; // under way
    m_outbox->markSent(ids, this, [this, ids](const Result<> &) {
        for (const RequestId &id : ids) {
            Command *command = findKept(id);
            if (!command)
                continue;
            command->marking = false;
            command->marked = true;
            const OutboxEntry *entry = m_outbox->find(id);
            if (entry && entry->state == OutboxState::Uncertain) {
                end(command->number, makeError(QLatin1StringView("client"), QLatin1StringView("uncertain"),
                        tr("It was sent more than a week ago, and no answer came: the host can no longer tell whether it has it."),
                        tr("Look whether it took effect, and send it again if it did not.")));
            }
        }
        sendAll();
    });
}

void CommandQueue::send(Command &command)
{
    command.sent = true;
    const OutboxEntry *entry = m_outbox ? m_outbox->find(command.kept) : nullptr;
    // The user may have changed it while it waited.
    m_connection.call(command.action, entry ? entry->args : command.args, m_deadline, this,
        [this, number = command.number](Result<QByteArray> result) { answered(number, std::move(result)); });
}

void CommandQueue::answered(quint64 number, Result<QByteArray> result)
{
    Command *found = find(number);
    if (!found)
        return;
    const bool waits = !found->kept.isEmpty() || m_connection.state() != ConnectionState::Refused;
    if (!result && isAboutTheLink(result.error()) && waits) {
        found->sent = false;
        found->marked = found->kept.isEmpty(); // its age is looked at again
        // Still live: the host was slow, or is going away; not in a tight loop.
        if (m_connection.isLive())
            m_again.start();
        return;
    }
    end(number, result);
}

void CommandQueue::end(quint64 number, const Result<QByteArray> &result)
{
    const auto found = std::find_if(
        m_commands.cbegin(), m_commands.cend(), [number](const Command &command) { return command.number == number; });
    if (found == m_commands.cend())
        return;
    const Command command = m_commands.takeAt(std::distance(m_commands.cbegin(), found));
    if (m_commands.isEmpty())
        m_connection.release();
    const OutboxEntry *entry = m_outbox ? m_outbox->find(command.kept) : nullptr;
    if (entry && entry->state != OutboxState::Uncertain) {
        if (result)
            m_outbox->accept(command.kept);
        else
            m_outbox->fail(command.kept, result.error());
    }
    const QPointer<CommandQueue> alive(this);
    if (command.context && command.answer)
        command.answer(result);
    if (!alive)
        return;
    if (m_outbox && result)
        m_outbox->finish(command.kept);
    Q_EMIT waitingChanged(waiting());
}

void CommandQueue::refused(const Error &error)
{
    // Only a new sign-in helps, and after it they go; of an actor that is not there nothing is to be hoped.
    if (!m_outbox || error.group != QLatin1StringView("auth"))
        return failAll(error);
    const QPointer<CommandQueue> alive(this);
    QList<Command> kept;
    QList<Command> told;
    for (Command &command : m_commands) {
        told << command;
        if (command.kept.isEmpty())
            continue;
        command.answer = nullptr;
        command.sent = false;
        command.marked = false;
        kept << command;
    }
    if (kept.isEmpty() && !m_commands.isEmpty())
        m_connection.release();
    m_commands = kept;
    for (const Command &command : std::as_const(told)) {
        if (command.context && command.answer)
            command.answer(error);
        if (!alive)
            return;
    }
    Q_EMIT waitingChanged(waiting());
}

void CommandQueue::failAll(const Error &error)
{
    if (m_commands.isEmpty())
        return;
    QList<Command> commands;
    commands.swap(m_commands);
    m_connection.release();
    const QPointer<CommandQueue> alive(this);
    for (const Command &command : std::as_const(commands)) {
        if (m_outbox && m_outbox->find(command.kept))
            m_outbox->fail(command.kept, error);
        if (command.context && command.answer)
            command.answer(error);
        if (!alive)
            return;
    }
    Q_EMIT waitingChanged(waiting());
}

} // namespace foundry::realtime
