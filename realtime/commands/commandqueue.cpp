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
            failAll(m_connection.lastError());
    });
}

CommandQueue::~CommandQueue()
{
    if (!m_commands.isEmpty())
        m_connection.release();
}

void CommandQueue::enqueue(const QString &action, const QByteArray &args, QObject *context, CallAnswer answer)
{
    m_commands << Command{++m_lastNumber, action, args, context, std::move(answer), false};
    if (m_commands.size() == 1)
        m_connection.retain();
    Q_EMIT waitingChanged(waiting());
    if (m_connection.isLive())
        sendAll();
}

void CommandQueue::sendAll()
{
    if (!m_connection.isLive())
        return;
    for (Command &command : m_commands) {
        if (!command.sent)
            send(command);
    }
}

void CommandQueue::send(Command &command)
{
    command.sent = true;
    m_connection.call(command.action, command.args, m_deadline, this,
        [this, number = command.number](Result<QByteArray> result) { answered(number, std::move(result)); });
}

void CommandQueue::answered(quint64 number, Result<QByteArray> result)
{
    const auto found = std::find_if(
        m_commands.begin(), m_commands.end(), [number](const Command &command) { return command.number == number; });
    if (found == m_commands.end())
        return;
    if (!result && isAboutTheLink(result.error()) && m_connection.state() != ConnectionState::Refused) {
        found->sent = false;
        // Still live: the host was slow, or is going away; not in a tight loop.
        if (m_connection.isLive())
            m_again.start();
        return;
    }
    const Command command = *found;
    m_commands.erase(found);
    if (m_commands.isEmpty())
        m_connection.release();
    const QPointer<CommandQueue> alive(this);
    if (command.context && command.answer)
        command.answer(std::move(result));
    if (alive)
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
        if (command.context && command.answer)
            command.answer(error);
        if (!alive)
            return;
    }
    Q_EMIT waitingChanged(waiting());
}

} // namespace foundry::realtime
