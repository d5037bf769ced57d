// What a search over the cache finds: typed, with enough to go there. Value.
#pragma once

#include "models/types/entity.h"
#include "models/types/ids.h"

#include <QList>

namespace foundry::realtime {

enum class CacheHitKind { Task, Repository, Session, Prompt, File, Entry, Diff, Process };

struct CacheHit {
    CacheHitKind kind = CacheHitKind::Task;
    QString title;   // the task's title, the session's name, the file's path, the tool's title
    QString snippet; // text around what was found; of a task its branch
    RepoId repo = {};
    TaskId task = {};       // empty: of a repository
    SessionId session = {}; // of a session, prompt or entry
    qint64 index = -1;      // of an entry
    QString path = {};      // of a file or diff
    friend bool operator==(const CacheHit &, const CacheHit &) = default;
};

struct CacheHits {
    QList<CacheHit> hits; // best first
    bool cut = false;     // there is more than was asked for, or the time was up
};

} // namespace foundry::realtime
