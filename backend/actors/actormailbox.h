// What waits for one actor, bounded by kind: a flood of one kind neither grows without end nor shuts the others out.
// Not thread-safe: the cell's lock is around it.
#pragma once

#include "backend/observe/metrics.h"
#include "models/types/error.h"

#include <QtGlobal>

#include <array>
#include <deque>
#include <functional>
#include <optional>

namespace foundry::backend {

class ActorInstance;

struct ActorMessage {
    enum class Kind {
        Call,   // an action of a client: refused with actor.stopping or actor.overloaded
        Link,   // a connection comes or listens: refused likewise
        Send,   // durable sends: refused ones stay in their sender's outbox
        Stream, // may be lost: dropped beyond the bound
        Note,   // the runtime's own (a connection has gone, sends are acknowledged): always taken
    };
    Kind kind = Kind::Note;
    std::function<void(ActorInstance &)> run = {};
    // Instead of run, when the actor cannot be started or is going away. May be empty.
    std::function<void(const Error &)> refuse = {};
    bool wakes = true;   // false: of no use to an actor that sleeps
    qsizetype bytes = 0; // what it holds, roughly
    QString correlation = {}; // of what it is about
    Stopwatch made = {}; // when it was made, just before it was posted
};

struct MailboxBound {
    qsizetype messages = 0; // 0: none
    qsizetype bytes = 0;
};

struct MailboxLimits {
    MailboxBound calls{1024, 8 * 1024 * 1024};
    MailboxBound links{1024, 1024 * 1024};
    MailboxBound sends{4096, 16 * 1024 * 1024};
    MailboxBound streams{16384, 32 * 1024 * 1024};
};

class ActorMailbox {
public:
    using Kind = ActorMessage::Kind;

    explicit ActorMailbox(const MailboxLimits &limits = {});

    bool isEmpty() const { return m_messages.empty(); }
    qsizetype count(Kind kind) const { return m_held[size_t(kind)].messages; }
    // One alone is always taken, however large: its sender has its own bound.
    bool hasRoom(Kind kind, qsizetype bytes) const;
    void push(ActorMessage message);
    std::optional<ActorMessage> pop();
    // Takes out what callers and senders will be told about; streams and notes stay.
    std::deque<ActorMessage> takeRefusable();

private:
    void count(const ActorMessage &message, int sign);
    std::array<MailboxBound, 5> m_limits;
    std::array<MailboxBound, 5> m_held = {};
    std::deque<ActorMessage> m_messages;
};

} // namespace foundry::backend
