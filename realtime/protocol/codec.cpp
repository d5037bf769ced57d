#include "realtime/protocol/codec.h"

#include "realtime/protocol/fieldcodec.h"

namespace foundry::protocol {

namespace {

template <std::size_t I = 1>
bool decodeEntityInto(QStringView type, const Json &value, std::optional<Error> &error, Entity &out)
{
    if constexpr (I >= std::variant_size_v<Entity>) {
        return false;
    } else {
        using T = std::variant_alternative_t<I, Entity>;
        if (type != EntityTraits<T>::name())
            return decodeEntityInto<I + 1>(type, value, error, out);
        T entity;
        if (!readObject(value, entity, error) && !error)
            error = missingField(QLatin1StringView("value"));
        out = std::move(entity);
        return true;
    }
}

Result<Entity> entityFromJson(QStringView type, QStringView id, EntityMeta meta, const Json &value)
{
    std::optional<Error> error;
    Entity entity;
    if (!decodeEntityInto(type, value, error, entity))
        return Entity(UnknownEntity{type.toString(), id.toString()});
    if (error)
        return *error;
    const bool idFits = std::visit(
        [&](auto &x) {
            using T = std::decay_t<decltype(x)>;
            if constexpr (std::same_as<T, UnknownEntity>)
                return true;
            else
                return EntityTraits<T>::setId(x, id.toString());
        },
        entity);
    if (!idFits)
        return missingField(QLatin1StringView("id"));
    setEntityMeta(entity, meta);
    return entity;
}

bool readRows(const Json &json, QList<Entity> &out, std::optional<Error> &error)
{
    simdjson::dom::array array;
    if (json.get(array))
        return false;
    out.reserve(qsizetype(array.size()));
    for (const Json row : array) {
        FieldReader reader(row, error);
        QString type;
        QString id;
        EntityMeta meta;
        Json value;
        reader(QLatin1StringView("type"), type);
        reader(QLatin1StringView("id"), id);
        reader.lenient(QLatin1StringView("rev"), meta.rev);
        reader.lenient(QLatin1StringView("updatedAt"), meta.updatedAt);
        if (!reader.find(QLatin1StringView("value"), value))
            reader.fail(QLatin1StringView("value"));
        if (error)
            return true;
        auto entity = entityFromJson(type, id, meta, value);
        if (!entity) {
            error = entity.error();
            return true;
        }
        out.append(std::move(*entity));
    }
    return true;
}

void readUpserts(FieldReader &reader, QList<Entity> &out, std::optional<Error> &error)
{
    Json rows;
    if (reader.find(QLatin1StringView("upserts"), rows) && !readRows(rows, out, error))
        reader.fail(QLatin1StringView("upserts"));
}

Result<TopicEvent> eventFromJson(const Json &root)
{
    std::optional<Error> error;
    TopicEvent event;
    FieldReader reader(root, error);
    reader(QLatin1StringView("topic"), event.topic);
    reader(QLatin1StringView("generation"), event.generation);
    reader(QLatin1StringView("revision"), event.revision);
    reader.lenient(QLatin1StringView("at"), event.at);
    reader.lenient(QLatin1StringView("cause"), event.cause);
    readUpserts(reader, event.upserts, error);
    reader.lenient(QLatin1StringView("removals"), event.removals);
    reader.lenient(QLatin1StringView("append"), event.appends);
    reader(QLatin1StringView("ready"), event.ready);
    Json data;
    if (reader.find(QLatin1StringView("dataBase64"), data)) {
        TerminalChunk chunk;
        reader(QLatin1StringView("seq"), chunk.seq);
        reader(QLatin1StringView("offset"), chunk.offset);
        reader.base64(QLatin1StringView("dataBase64"), chunk.data);
        event.chunk = std::move(chunk);
    }
    if (error)
        return *error;
    return event;
}

void writeUpserts(FieldWriter &writer, const QList<Entity> &upserts, QByteArrayView encoded)
{
    JsonWriter &json = writer.json();
    if (upserts.isEmpty() && encoded.isEmpty())
        return;
    json.key(QLatin1StringView("upserts"));
    json.beginArray();
    if (!encoded.isEmpty())
        json.raw(encoded);
    for (const Entity &entity : upserts) {
        const EntityMeta meta = entityMeta(entity);
        json.raw(encodeUpsert(entityType(entity), entityId(entity), meta, encodeEntity(entity)));
    }
    json.endArray();
}

} // namespace

QString entityType(const Entity &entity)
{
    return std::visit(
        [](const auto &x) {
            using T = std::decay_t<decltype(x)>;
            if constexpr (std::same_as<T, UnknownEntity>)
                return x.type;
            else
                return EntityTraits<T>::name();
        },
        entity);
}

QString entityId(const Entity &entity)
{
    return std::visit(
        [](const auto &x) {
            using T = std::decay_t<decltype(x)>;
            if constexpr (std::same_as<T, UnknownEntity>)
                return x.id;
            else
                return EntityTraits<T>::id(x);
        },
        entity);
}

EntityMeta entityMeta(const Entity &entity)
{
    return std::visit(
        [](const auto &x) {
            if constexpr (std::same_as<std::decay_t<decltype(x)>, UnknownEntity>)
                return EntityMeta{};
            else
                return static_cast<const EntityMeta &>(x);
        },
        entity);
}

void setEntityMeta(Entity &entity, const EntityMeta &meta)
{
    std::visit(
        [&](auto &x) {
            if constexpr (!std::same_as<std::decay_t<decltype(x)>, UnknownEntity>)
                static_cast<EntityMeta &>(x) = meta;
        },
        entity);
}

QByteArray encodeEntity(const Entity &entity)
{
    JsonWriter json;
    FieldWriter writer(json);
    std::visit([&](const auto &x) { writeObject(writer, x); }, entity);
    return json.take();
}

Result<Entity> decodeEntity(QStringView type, QStringView id, EntityMeta meta, QByteArrayView value)
{
    return withJson(value, [&](const Json &root) -> Result<Entity> { return entityFromJson(type, id, meta, root); });
}

QByteArray encodeUpsert(QStringView type, QStringView id, const EntityMeta &meta, QByteArrayView value)
{
    JsonWriter json;
    FieldWriter writer(json);
    json.beginObject();
    json.key(QLatin1StringView("type"));
    json.string(type);
    json.key(QLatin1StringView("id"));
    json.string(id);
    writer(QLatin1StringView("rev"), meta.rev);
    writer(QLatin1StringView("updatedAt"), meta.updatedAt);
    json.key(QLatin1StringView("value"));
    json.raw(value);
    json.endObject();
    return json.take();
}

QByteArray encodeEvent(const TopicEvent &event)
{
    return encodeEvent(event, {});
}

QByteArray encodeEvent(const TopicEvent &event, QByteArrayView encodedUpserts)
{
    JsonWriter json;
    FieldWriter writer(json);
    json.beginObject();
    writer(QLatin1StringView("topic"), event.topic);
    writer(QLatin1StringView("generation"), event.generation);
    writer(QLatin1StringView("revision"), event.revision);
    writer(QLatin1StringView("at"), event.at);
    writer(QLatin1StringView("cause"), event.cause);
    writeUpserts(writer, event.upserts, encodedUpserts);
    if (!event.removals.isEmpty())
        writer(QLatin1StringView("removals"), event.removals);
    if (!event.appends.isEmpty())
        writer(QLatin1StringView("append"), event.appends);
    writer(QLatin1StringView("ready"), event.ready);
    if (event.chunk) {
        writer(QLatin1StringView("seq"), event.chunk->seq);
        writer(QLatin1StringView("offset"), event.chunk->offset);
        writer.base64(QLatin1StringView("dataBase64"), event.chunk->data);
    }
    json.endObject();
    return json.take();
}

Result<TopicEvent> decodeEvent(QByteArrayView json)
{
    return withJson(json, eventFromJson);
}

Result<TopicEvent> decodeEventArgs(QByteArrayView args)
{
    return withJson(args, [](const Json &root) -> Result<TopicEvent> {
        Json first;
        if (root.at(0).get(first))
            return malformed(QStringLiteral("An event without an argument."));
        return eventFromJson(first);
    });
}

QByteArray encodeChangesPage(const ChangesPage &page)
{
    return encodeChangesPage(page, {});
}

QByteArray encodeChangesPage(const ChangesPage &page, QByteArrayView encodedUpserts)
{
    JsonWriter json;
    FieldWriter writer(json);
    json.beginObject();
    writer(QLatin1StringView("generation"), page.generation);
    writer(QLatin1StringView("revision"), page.revision);
    writer(QLatin1StringView("full"), page.full);
    writeUpserts(writer, page.upserts, encodedUpserts);
    if (!page.removals.isEmpty())
        writer(QLatin1StringView("removals"), page.removals);
    writer(QLatin1StringView("cursor"), page.cursor);
    writer(QLatin1StringView("count"), page.count);
    json.endObject();
    return json.take();
}

Result<ChangesPage> decodeChangesPage(QByteArrayView json)
{
    return withJson(json, [](const Json &root) -> Result<ChangesPage> {
        std::optional<Error> error;
        ChangesPage page;
        FieldReader reader(root, error);
        reader(QLatin1StringView("generation"), page.generation);
        reader(QLatin1StringView("revision"), page.revision);
        reader.lenient(QLatin1StringView("full"), page.full);
        readUpserts(reader, page.upserts, error);
        reader.lenient(QLatin1StringView("removals"), page.removals);
        reader(QLatin1StringView("cursor"), page.cursor);
        reader(QLatin1StringView("count"), page.count);
        if (error)
            return *error;
        return page;
    });
}

QByteArray encodeRevisions(const QMap<QString, TopicRevision> &revisions)
{
    JsonWriter json;
    FieldWriter(json).write(revisions);
    return json.take();
}

Result<QMap<QString, TopicRevision>> decodeRevisions(QByteArrayView text)
{
    return withJson(text, [](const Json &root) -> Result<QMap<QString, TopicRevision>> {
        std::optional<Error> error;
        QMap<QString, TopicRevision> revisions;
        FieldReader reader(root, error);
        if (!reader.read(root, revisions))
            return malformed(QStringLiteral("Revisions that are no object."));
        if (error)
            return *error;
        return revisions;
    });
}

Result<QByteArray> firstArgument(QByteArrayView args)
{
    if (args.trimmed().isEmpty())
        return QByteArray("{}");
    simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(args.data(), size_t(args.size()));
    simdjson::ondemand::document document;
    simdjson::ondemand::array array;
    if (parser.iterate(padded).get(document) || document.get_array().get(array))
        return malformed(QStringLiteral("Arguments are no list."));
    for (auto item : array) {
        simdjson::ondemand::object object;
        std::string_view raw;
        if (item.get_object().get(object) || object.raw_json().get(raw))
            return malformed(QStringLiteral("The first argument is no object."));
        return QByteArray(raw.data(), qsizetype(raw.size()));
    }
    return QByteArray("{}");
}

} // namespace foundry::protocol
