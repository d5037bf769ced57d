#include "backend/actors/actormailbox.h"

#include <utility>

namespace foundry::backend {

ActorMailbox::ActorMailbox(const MailboxLimits &limits)
    : m_limits{limits.calls, limits.links, limits.sends, limits.streams, MailboxBound{}}
{
}

bool ActorMailbox::hasRoom(Kind kind, qsizetype bytes) const
{
    const MailboxBound &limit = m_limits[size_t(kind)];
    const MailboxBound &held = m_held[size_t(kind)];
    if (limit.messages == 0 || held.messages == 0)
        return true;
    return held.messages < limit.messages && held.bytes + bytes <= limit.bytes;
}

void ActorMailbox::count(const ActorMessage &message, int sign)
{
    MailboxBound &held = m_held[size_t(message.kind)];
    held.messages += sign;
    held.bytes += sign * message.bytes;
}

void ActorMailbox::push(ActorMessage message)
{
    count(message, 1);
    m_messages.push_back(std::move(message));
}

std::optional<ActorMessage> ActorMailbox::pop()
{
    if (m_messages.empty())
        return std::nullopt;
    ActorMessage message = std::move(m_messages.front());
    m_messages.pop_front();
    count(message, -1);
    return message;
}

std::deque<ActorMessage> ActorMailbox::takeRefusable()
{
    std::deque<ActorMessage> taken;
    std::deque<ActorMessage> kept;
    for (ActorMessage &message : std::exchange(m_messages, {})) {
        const bool stays = message.kind == Kind::Stream || message.kind == Kind::Note;
        if (!stays)
            count(message, -1);
        (stays ? kept : taken).push_back(std::move(message));
    }
    m_messages = std::move(kept);
    return taken;
}

} // namespace foundry::backend
