// An actor: the single writer of one small state. The runtime calls it on its own worker thread, one call at a time.
// Actor code touches the world only through its ActorContext, so that an actor may live on another machine one day.
#pragma once

#include "backend/actors/actorcontext.h"
#include "backend/actors/memberships.h"
#include "models/types/result.h"

#include <QByteArrayView>
#include <QHash>
#include <functional>

namespace foundry::backend {

// Who asks: the user a connection was authorized for.
struct Caller {
    QString userId = QStringLiteral("local");
    Role role = Role::Owner; // in the organization of the actor that is asked
    bool isHost = false; // the host itself (command line, other actors)
    QString tokenId = {}; // which of their tokens they came with; empty for the one of the connect file
};

// A read serves stored rows; it never waits, starts or writes anything. Answers with JSON text.
using ReadHandler = std::function<Result<QByteArray>(const Caller &caller, QByteArrayView args)>;
// A command checks, writes the smallest record inside the transaction, and answers; work begins in tx.afterCommit().
// The runtime records the answer by request id in the same transaction: the same id again is the same answer.
using CommandHandler = std::function<Result<QByteArray>(Transaction &tx, const Caller &caller, QByteArrayView args)>;

class ActionTable {
public:
    void read(const QString &name, ReadHandler handler) { m_reads.emplace(name, std::move(handler)); }
    void command(const QString &name, CommandHandler handler) { m_commands.emplace(name, std::move(handler)); }
    const QHash<QString, ReadHandler> &reads() const { return m_reads; }
    const QHash<QString, CommandHandler> &commands() const { return m_commands; }

private:
    QHash<QString, ReadHandler> m_reads;
    QHash<QString, CommandHandler> m_commands;
};

// Why an actor stops. One that failed never reports a clean end.
enum class StopReason { Sleep, Stop, Destroy, GoingAway, Lost };

class Actor {
public:
    explicit Actor(ActorContext &context)
        : m_context(context)
    {
    }
    virtual ~Actor() = default;
    Actor(const Actor &) = delete;
    Actor &operator=(const Actor &) = delete;

    // Numbered schema steps of the actor's own tables, run in order inside one transaction at start; the runtime's own
    // tables are made before. Step i brings the schema to version i + 1; never edit a step that has shipped.
    virtual QStringList migrations() const { return {}; }
    // Called once after the database is open: go on with what was under way.
    virtual void started() { }
    // Somebody has connected to an actor that nobody was connected to.
    virtual void watched() { }
    virtual void registerActions(ActionTable &table) = 0;
    // A durable send of another actor, exactly once: the runtime's mark and what the handler writes are one
    // transaction. An error is logged and the send is dropped (it would fail again).
    virtual Result<> received(Transaction &tx, const Send &send);
    // A message that is no send: may be lost, never stored (an agent's output on its way to the transcript).
    virtual void streamed(const ActorAddress &from, const QString &name, const QByteArray &json);
    // Somebody began or ceased to listen to a topic; how many do now is subscriberCount().
    virtual void listenersChanged(const QString &topic) { Q_UNUSED(topic); }
    // The actor's one alarm is due.
    virtual void alarm() { }
    // Last call; the database is closed after it.
    virtual void stopping(StopReason reason) { Q_UNUSED(reason); }
    // Something the user waits for is under way (an open turn, a running stage or job, a process of the user's): a host
    // that is asked to stop when idle waits for it.
    virtual bool works() const { return false; }
    // Something lives here that a sleep would end (a process, also one that idles): the actor stays awake.
    virtual bool holds() const { return works(); }

protected:
    ActorContext &context() const { return m_context; }

private:
    ActorContext &m_context;
};

} // namespace foundry::backend
