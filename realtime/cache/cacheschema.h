// The tables of a cache file. Values are the JSON of realtime/protocol, as bytes: what is stored under `cipher` in meta
// says how to read them ("none" today), so that a later version can encrypt those of remote hosts.
#pragma once

#include "realtime/cache/sqlfile.h"

namespace foundry::realtime {

inline SqlSchema cacheSchema()
{
    SqlSchema schema;
    schema.steps << R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('cipher', 'none');

-- partial: rows of a type that this version did not know were left out, so the position cannot be relied on.
CREATE TABLE topics(
  id INTEGER PRIMARY KEY, actor TEXT NOT NULL, topic TEXT NOT NULL, generation TEXT NOT NULL, revision INTEGER NOT NULL,
  as_of INTEGER NOT NULL, used_at INTEGER NOT NULL, windowed INTEGER NOT NULL, partial INTEGER NOT NULL,
  ranges TEXT NOT NULL, UNIQUE(actor, topic));
CREATE INDEX topics_by_use ON topics(windowed, used_at);

CREATE TABLE rows(
  doc INTEGER PRIMARY KEY, topic INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, rev INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE(topic, type, id));

-- Entries of windowed topics. text_bytes counts the text of value and of all its appends.
CREATE TABLE entries(
  doc INTEGER PRIMARY KEY, topic INTEGER NOT NULL, idx INTEGER NOT NULL, type TEXT NOT NULL, rev INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, text_bytes INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE(topic, idx));
CREATE TABLE appends(
  entry INTEGER NOT NULL, at INTEGER NOT NULL, text BLOB NOT NULL, PRIMARY KEY(entry, at)) WITHOUT ROWID;

-- Answers to reads: diffs, directories, blobs.
CREATE TABLE kept(
  doc INTEGER PRIMARY KEY, actor TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, stored_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL, names TEXT NOT NULL, data BLOB NOT NULL, UNIQUE(actor, kind, key));
CREATE INDEX kept_by_use ON kept(used_at);

-- Documents are doc * 4 + 0 (rows), 1 (entries), 2 (kept). Those in `stale` are indexed again when there is time.
CREATE VIRTUAL TABLE search USING fts5(title, body, tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');
CREATE TABLE stale(document INTEGER PRIMARY KEY);
)";
    return schema;
}

constexpr qint64 cacheDocument(qint64 doc, int table)
{
    return doc * 4 + table;
}

} // namespace foundry::realtime
