#include "realtime/protocol/manager.h"

#include "realtime/protocol/fieldcodec.h"
#include "realtime/protocol/keys.h"

namespace foundry::protocol {

template <class V, Same<Metadata> T>
void describe(V &v, T &x)
{
    v.lenient(QLatin1StringView("runtime"), x.runtime);
    v.lenient(QLatin1StringView("version"), x.version);
    v(QLatin1StringView("clientEndpoint"), x.clientEndpoint);
    v(QLatin1StringView("clientNamespace"), x.clientNamespace);
    v(QLatin1StringView("clientToken"), x.clientToken);
    v(QLatin1StringView("hostVersion"), x.hostVersion);
    v(QLatin1StringView("hostInstance"), x.hostInstance);
    v(QLatin1StringView("proof"), x.proof);
}

namespace {


bool readActor(const Json &json, ActorRecord &out)
{
    std::string_view id;
    std::string_view name;
    std::string_view key;
    if (json["actor_id"].get(id) || json["name"].get(name))
        return false;
    out.actorId = textOf(id);
    out.name = textOf(name);
    if (!json["key"].get(key))
        out.key = decodeKey(textOf(key));
    int64_t created = 0;
    if (!json["create_ts"].get(created))
        out.createdAt = created;
    return true;
}

void writeActor(JsonWriter &json, const ActorRecord &actor)
{
    FieldWriter writer(json);
    json.beginObject();
    writer(QLatin1StringView("actor_id"), actor.actorId);
    writer(QLatin1StringView("name"), actor.name);
    writer(QLatin1StringView("key"), encodeKey(actor.key));
    writer(QLatin1StringView("namespace_id"), QStringLiteral("default"));
    writer(QLatin1StringView("runner_name_selector"), QStringLiteral("default"));
    writer(QLatin1StringView("datacenter"), QStringLiteral("default"));
    writer(QLatin1StringView("crash_policy"), QStringLiteral("sleep"));
    writer(QLatin1StringView("create_ts"), actor.createdAt);
    writer(QLatin1StringView("connectable_ts"), actor.createdAt);
    writer(QLatin1StringView("start_ts"), actor.createdAt);
    for (const auto name : {QLatin1StringView("destroy_ts"), QLatin1StringView("sleep_ts"),
             QLatin1StringView("pending_allocation_ts"), QLatin1StringView("reschedule_ts")}) {
        json.key(name);
        json.null();
    }
    json.endObject();
}

} // namespace

Result<Metadata> decodeMetadata(QByteArrayView body)
{
    return withJson(body, [](const Json &root) -> Result<Metadata> {
        std::optional<Error> error;
        Metadata metadata;
        if (!readObject(root, metadata, error))
            return malformed(QStringLiteral("The server's metadata is no object."));
        if (error)
            return *error;
        return metadata;
    });
}

QByteArray encodeMetadata(const Metadata &metadata)
{
    JsonWriter json;
    FieldWriter writer(json);
    json.beginObject();
    describe(writer, metadata);
    json.key(QLatin1StringView("actorNames"));
    json.beginObject();
    json.endObject();
    json.endObject();
    return json.take();
}

QByteArray encodeGetOrCreate(const QString &name, const QStringList &key)
{
    JsonWriter json;
    FieldWriter writer(json);
    json.beginObject();
    writer(QLatin1StringView("name"), name);
    writer(QLatin1StringView("key"), encodeKey(key));
    writer(QLatin1StringView("runner_name_selector"), QStringLiteral("default"));
    writer(QLatin1StringView("crash_policy"), QStringLiteral("sleep"));
    json.endObject();
    return json.take();
}

Result<ActorQuery> decodeActorQuery(QByteArrayView body)
{
    return withJson(body, [](const Json &root) -> Result<ActorQuery> {
        ActorQuery query;
        std::string_view text;
        if (root["name"].get(text))
            return missingField(QLatin1StringView("name"));
        query.name = textOf(text);
        query.hasKey = !root["key"].get(text);
        if (query.hasKey)
            query.key = decodeKey(textOf(text));
        return query;
    });
}

Result<ActorRecord> decodeActor(QByteArrayView body)
{
    return withJson(body, [](const Json &root) -> Result<ActorRecord> {
        ActorRecord actor;
        Json json;
        if (root["actor"].get(json) || !readActor(json, actor))
            return missingField(QLatin1StringView("actor"));
        return actor;
    });
}

Result<QList<ActorRecord>> decodeActors(QByteArrayView body)
{
    return withJson(body, [](const Json &root) -> Result<QList<ActorRecord>> {
        simdjson::dom::array array;
        if (root["actors"].get(array))
            return missingField(QLatin1StringView("actors"));
        QList<ActorRecord> actors;
        for (const Json item : array) {
            ActorRecord actor;
            if (!readActor(item, actor))
                return missingField(QLatin1StringView("actors"));
            actors.append(actor);
        }
        return actors;
    });
}

QByteArray encodeActor(const ActorRecord &actor, std::optional<bool> created)
{
    JsonWriter json;
    json.beginObject();
    json.key(QLatin1StringView("actor"));
    writeActor(json, actor);
    if (created) {
        json.key(QLatin1StringView("created"));
        json.boolean(*created);
    }
    json.endObject();
    return json.take();
}

QByteArray encodeActors(const QList<ActorRecord> &actors)
{
    JsonWriter json;
    json.beginObject();
    json.key(QLatin1StringView("actors"));
    json.beginArray();
    for (const ActorRecord &actor : actors)
        writeActor(json, actor);
    json.endArray();
    json.endObject();
    return json.take();
}

} // namespace foundry::protocol
