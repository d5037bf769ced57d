// The part of the runtime that hands things to mailboxes: calls, connections, durable sends and streams. Any thread.
#include "backend/actors/actorruntime.h"

#include <QLoggingCategory>

namespace foundry::backend {

Q_DECLARE_LOGGING_CATEGORY(lcRuntime)

void ActorRuntime::act(const QString &id, ActorCall call, ActorReply reply)
{
    if (m_stopping) {
        reply(actorStoppingError());
        return;
    }
    ActorMessage message;
    message.kind = ActorMessage::Kind::Call;
    message.bytes = call.args.size() + call.action.size() + 256;
    message.correlation = call.correlationId;
    message.run = [call = std::move(call), reply](ActorInstance &actor) { actor.act(call, reply); };
    message.refuse = [reply](const Error &error) { reply(error); };
    post(id, std::move(message));
}

void ActorRuntime::attach(const QString &id, ConnectionId connection, std::function<void(Result<>)> reply)
{
    ActorMessage message;
    message.kind = ActorMessage::Kind::Link;
    message.bytes = 256;
    message.correlation = connectionCorrelation(connection);
    message.run = [connection, reply](ActorInstance &actor) {
        if (actor.isRetired()) { // deleted since it was looked up
            reply(makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"), QStringLiteral("This was deleted.")));
            return;
        }
        actor.connected(connection);
        reply(Unit{});
    };
    message.refuse = [reply](const Error &error) { reply(error); };
    post(id, std::move(message));
}

void ActorRuntime::subscribe(const QString &id, ConnectionId connection, const QString &topic, bool on)
{
    // A client that believes it listens and does not would wait for ever: its connection is closed instead.
    const auto refuse = [this, connection](const Error &error) {
        if (m_sink)
            m_sink->close({connection}, error);
    };
    ActorMessage message;
    message.kind = ActorMessage::Kind::Link;
    message.bytes = topic.size() + 256;
    message.correlation = connectionCorrelation(connection);
    message.run = [connection, topic, on, refuse](ActorInstance &actor) {
        if (auto listening = actor.subscribe(connection, topic, on); !listening)
            refuse(listening.error());
    };
    message.refuse = refuse;
    post(id, std::move(message));
}

void ActorRuntime::detach(const QString &id, ConnectionId connection)
{
    ActorMessage message;
    message.run = [connection](ActorInstance &actor) { actor.disconnected(connection); };
    message.wakes = false;
    post(id, std::move(message));
}

void ActorRuntime::announce(const ActorAddress &target)
{
    const std::lock_guard lock(m_mutex);
    if (!factoryFor(target))
        return;
    if (auto added = m_registry->add(target, nullptr); !added)
        qCWarning(lcRuntime, "cannot register %ls: %ls", qUtf16Printable(addressText(target)),
            qUtf16Printable(added.error().message));
}

void ActorRuntime::deliver(const QString &senderId, const ActorAddress &target, const QList<Send> &sends)
{
    const QString targetId = actorIdOf(target);
    enum class Outcome { Posted, Refused, Dropped } outcome = Outcome::Posted;
    {
        // One lock for registering and posting: a client that is early finds the creation in the mailbox before it.
        const std::lock_guard lock(m_mutex);
        const ActorFactory *factory = factoryFor(target);
        std::optional<ActorRef> ref = m_registry->find(targetId);
        if (factory && !ref
            && (mayTouch(*factory, target) || sends.first().name == QLatin1StringView("create"))) {
            auto added = m_registry->add(target, nullptr);
            if (added)
                ref = *added;
            else
                outcome = Outcome::Refused;
        }
        if (outcome == Outcome::Posted && factory && ref) {
            ActorMessage message;
            message.kind = ActorMessage::Kind::Send;
            for (const Send &send : sends)
                message.bytes += send.json.size() + 256;
            message.correlation = sends.first().correlation;
            if (message.correlation.isEmpty())
                message.correlation = sendCorrelation(sends.first(), senderId);
            message.run = [senderId, sends](ActorInstance &actor) { actor.receive(senderId, sends); };
            message.refuse = [this, senderId, targetId, last = sends.last().sequence](const Error &error) {
                // What is lost for good takes nothing any more; all else is tried again.
                const bool lost = error.code == QLatin1StringView("storage_lost");
                acknowledge(senderId, targetId, lost ? last : 0);
            };
            const bool stopping = m_stopping && !m_cells.contains(targetId);
            if (stopping || cellOf(*ref, *factory)->post(std::move(message)) != ActorCell::Posted::Taken)
                outcome = Outcome::Refused;
        } else if (outcome == Outcome::Posted) {
            outcome = Outcome::Dropped;
        }
    }
    if (outcome == Outcome::Dropped) {
        qCWarning(lcRuntime, "a send \"%ls\" to %ls, which does not exist, is dropped", qUtf16Printable(sends.first().name),
            qUtf16Printable(addressText(target)));
        acknowledge(senderId, targetId, sends.last().sequence);
    } else if (outcome == Outcome::Refused) {
        acknowledge(senderId, targetId, 0);
    }
}

void ActorRuntime::acknowledge(const QString &senderId, const QString &targetId, qint64 upTo)
{
    ActorMessage message;
    message.run = [targetId, upTo](ActorInstance &actor) { actor.acknowledged(targetId, upTo); };
    message.wakes = false;
    post(senderId, std::move(message));
}

void ActorRuntime::stream(const ActorAddress &from, const ActorAddress &to, const QString &name, const QByteArray &json)
{
    ActorMessage message;
    message.kind = ActorMessage::Kind::Stream;
    message.bytes = json.size() + 256;
    message.run = [from, name, json](ActorInstance &actor) { actor.streamed(from, name, json); };
    message.refuse = [this, to](const Error &error) {
        // Counted, and told at each power of two.
        const int dropped = ++m_droppedStreams;
        if ((dropped & (dropped - 1)) == 0) {
            qCWarning(lcRuntime, "%d stream messages were dropped so far, the last one to %ls: %ls", dropped,
                qUtf16Printable(addressText(to)), qUtf16Printable(error.message));
        }
    };
    post(actorIdOf(to), std::move(message));
}

} // namespace foundry::backend
