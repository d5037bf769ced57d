#include "backend/actors/actorstop.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace foundry::backend {

QLatin1StringView stopReasonText(StopReason reason)
{
    switch (reason) {
    case StopReason::Sleep:
        return QLatin1StringView("sleep");
    case StopReason::Stop:
        return QLatin1StringView("stop");
    case StopReason::Destroy:
        return QLatin1StringView("destroy");
    case StopReason::GoingAway:
        return QLatin1StringView("going_away");
    case StopReason::Lost:
        break;
    }
    return QLatin1StringView("lost");
}

QByteArray encodeActorStop(const ActorStop &stop)
{
    return QJsonDocument(QJsonObject{{QStringLiteral("event"), QStringLiteral("actor_stopped")},
                             {QStringLiteral("correlation"), stop.correlation}, {QStringLiteral("actorId"), stop.actorId}, {QStringLiteral("name"), stop.address.name},
                             {QStringLiteral("key"), QJsonArray::fromStringList(stop.address.key)},
                             {QStringLiteral("reason"), stopReasonText(stop.reason)},
                             {QStringLiteral("activeActions"), stop.activeActions},
                             {QStringLiteral("activeRequests"), stop.activeRequests}, {QStringLiteral("expired"), stop.expired},
                             {QStringLiteral("drainStartedAt"), stop.drainStartedAt},
                             {QStringLiteral("drainEndedAt"), stop.drainEndedAt},
                             {QStringLiteral("cleanupStartedAt"), stop.cleanupStartedAt},
                             {QStringLiteral("cleanupEndedAt"), stop.cleanupEndedAt}})
        .toJson(QJsonDocument::Compact);
}

} // namespace foundry::backend
