#include "backend/actors/actor.h"

namespace foundry::backend {

Result<> Actor::received(Transaction &, const Send &send)
{
    return makeError(QLatin1StringView("internal"), QLatin1StringView("unexpected_send"),
        QStringLiteral("%1 does not know the message \"%2\".").arg(m_context.address().name, send.name));
}

void Actor::streamed(const ActorAddress &, const QString &, const QByteArray &) { }

} // namespace foundry::backend
