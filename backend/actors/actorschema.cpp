#include "backend/actors/actorschema.h"

namespace foundry::backend {

QStringList actorRuntimeSchema()
{
    return {
        // meta: name, key, generation, clean, boot, alarm, needs_wake.
        // rows.ord is a windowed row's index; a removed row is a tombstone without a value. topics.count counts the
        // rows that are there, topics.pruned is the highest revision of a tombstone that was forgotten.
        QStringLiteral(R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE topics(
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL UNIQUE, generation TEXT NOT NULL, revision INTEGER NOT NULL,
    count INTEGER NOT NULL, pruned INTEGER NOT NULL);
CREATE TABLE rows(
    seq INTEGER PRIMARY KEY, topic INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, ord INTEGER,
    rev INTEGER NOT NULL, updated_at INTEGER NOT NULL, removed INTEGER NOT NULL, value TEXT NOT NULL);
CREATE UNIQUE INDEX rows_key ON rows(topic, type, id);
CREATE INDEX rows_rev ON rows(topic, rev);
CREATE INDEX rows_ord ON rows(topic, ord) WHERE ord IS NOT NULL;
CREATE INDEX rows_removed ON rows(topic, rev) WHERE removed = 1;
CREATE TABLE requests(id TEXT PRIMARY KEY, action TEXT NOT NULL, at INTEGER NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX requests_at ON requests(at);
CREATE TABLE outbox(
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, target_name TEXT NOT NULL, target_key TEXT NOT NULL,
    name TEXT NOT NULL, json TEXT NOT NULL);
CREATE INDEX outbox_target ON outbox(target, sequence);
CREATE TABLE inbox(sender TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
)sql"),
        // What a topic holds is read without passing the tombstones of what it held before.
        QStringLiteral("CREATE INDEX rows_live ON rows(topic, type, seq) WHERE removed = 0 AND ord IS NULL;"),
        // What caused a send is known where it is applied, also after a restart between the two.
        QStringLiteral("ALTER TABLE outbox ADD COLUMN correlation TEXT NOT NULL DEFAULT '';"),
    };
}

} // namespace foundry::backend
