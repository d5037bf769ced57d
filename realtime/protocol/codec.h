// Values of the contract to JSON text and back. One description per type serves both directions (fields.h), so that the
// workbench and the host cannot disagree. Times are milliseconds, sizes bytes. Unknown fields are ignored, unknown
// enumeration values keep their text, a missing required field is the error protocol.missing_field. No I/O, any thread.
#pragma once

#include "models/types/commands.h"
#include "models/types/result.h"
#include "models/types/topic.h"

#include <QByteArray>
#include <QByteArrayView>

namespace foundry::protocol {

// "TaskSummary", "Stage", …; for UnknownEntity the name it came with.
QString entityType(const Entity &entity);
// The id of its row: a task's id, "scope/name" of a stage, a transcript entry's index in decimal, a file's path.
QString entityId(const Entity &entity);
EntityMeta entityMeta(const Entity &entity);
void setEntityMeta(Entity &entity, const EntityMeta &meta);

// The `value` of a row: the entity without id, revision and time.
QByteArray encodeEntity(const Entity &entity);
Result<Entity> decodeEntity(QStringView type, QStringView id, EntityMeta meta, QByteArrayView value);

// One row as it stands in upserts: {"type","id","rev","updatedAt","value"}. The host joins stored values without
// parsing them.
QByteArray encodeUpsert(QStringView type, QStringView id, const EntityMeta &meta, QByteArrayView value);

QByteArray encodeEvent(const TopicEvent &event);
// The same with rows that are already encoded by encodeUpsert (joined with commas).
QByteArray encodeEvent(const TopicEvent &event, QByteArrayView encodedUpserts);
Result<TopicEvent> decodeEvent(QByteArrayView json);
// The argument list of an event frame: its first argument is the event.
Result<TopicEvent> decodeEventArgs(QByteArrayView args);

QByteArray encodeChangesPage(const ChangesPage &page);
QByteArray encodeChangesPage(const ChangesPage &page, QByteArrayView encodedUpserts);
Result<ChangesPage> decodeChangesPage(QByteArrayView json);

// `revisions({})`: topic → where it is.
QByteArray encodeRevisions(const QMap<QString, TopicRevision> &revisions);
Result<QMap<QString, TopicRevision>> decodeRevisions(QByteArrayView json);

// A command, read, answer or entity as a JSON object: defined for every struct of commands.h (encodeArgs wraps it into
// the argument list of an action), for CreateTaskAnswer, TranscriptPage, DiffPage, BlobPage, StageLog, and for the
// entities that commands answer with (as {"type","id","rev","updatedAt","value"}).
template <class T>
QByteArray encodeValue(const T &value);
template <class T>
Result<T> decodeValue(QByteArrayView json);

template <class T>
QByteArray encodeArgs(const T &value)
{
    return '[' + encodeValue(value) + ']';
}
// First element of an argument list; an empty list reads as {}.
Result<QByteArray> firstArgument(QByteArrayView args);
template <class T>
Result<T> decodeArgs(QByteArrayView args)
{
    auto first = firstArgument(args);
    if (!first)
        return first.error();
    return decodeValue<T>(*first);
}

} // namespace foundry::protocol
