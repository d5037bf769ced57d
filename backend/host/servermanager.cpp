// The manager part of the server: finding and making actors at /actors.
#include "backend/host/server.h"

#include "realtime/protocol/frame.h"
#include "realtime/protocol/keys.h"
#include "realtime/protocol/manager.h"

namespace foundry::backend {

namespace {

protocol::ActorRecord servermanagerRecord(const ActorRef &actor)
{
    return {actor.id, actor.address.name, actor.address.key, actor.createdAt};
}

} // namespace

void Server::answerActors(
    HttpConnection *connection, const HttpRequest &request, const GatewayRoute &route, const Caller &caller)
{
    const auto refuseWith = [connection](const Error &error) {
        connection->respondJson(httpStatusOf(error), protocol::encodeErrorBody(error));
    };
    if (request.head.method == "GET") {
        QList<protocol::ActorRecord> found;
        const QString ids = route.param(u"actor_ids");
        const QString name = route.param(u"name");
        const bool byKey = std::any_of(
            route.query.cbegin(), route.query.cend(), [](const auto &pair) { return pair.first == QLatin1StringView("key"); });
        if (!ids.isEmpty()) {
            for (const QString &id : ids.split(QLatin1Char(','))) {
                if (const auto actor = m_runtime.byId(id))
                    found.append(servermanagerRecord(*actor));
            }
        } else if (byKey) {
            if (const auto actor = m_runtime.get(ActorAddress{name, protocol::decodeKey(route.param(u"key"))}))
                found.append(servermanagerRecord(*actor));
        } else {
            for (const ActorRef &actor : m_runtime.list(name))
                found.append(servermanagerRecord(actor));
        }
        // What one may not connect to is not there for one.
        found.removeIf([&](const protocol::ActorRecord &record) {
            return m_gate->refuseConnection(caller, ActorAddress{record.name, record.key}).has_value();
        });
        connection->respondJson(200, protocol::encodeActors(found));
        return;
    }
    const bool createOnly = request.head.method == "POST";
    if (!createOnly && request.head.method != "PUT") {
        connection->respond(405, "text/plain", httpReason(405));
        return;
    }
    const auto query = protocol::decodeActorQuery(request.body);
    if (!query) {
        refuseWith(makeError(QLatin1StringView("api"), QLatin1StringView("bad_request"), query.error().message));
        return;
    }
    if (!query->hasKey) {
        refuseWith(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("Actors of this host have a key."), {}, QStringLiteral("key")));
        return;
    }
    if (const auto refused = m_gate->refuseConnection(caller, ActorAddress{query->name, query->key})) {
        refuseWith(*refused);
        return;
    }
    bool created = false;
    const auto actor = m_runtime.getOrCreate(ActorAddress{query->name, query->key}, &created);
    if (!actor) {
        refuseWith(actor.error());
    } else if (createOnly && !created) {
        refuseWith(makeError(QLatin1StringView("actor"), QLatin1StringView("duplicate_key"),
            QStringLiteral("An actor with this key exists already."), {}, actor->id));
    } else {
        connection->respondJson(
            200, protocol::encodeActor(servermanagerRecord(*actor), createOnly ? std::nullopt : std::optional(created)));
    }
}

} // namespace foundry::backend
