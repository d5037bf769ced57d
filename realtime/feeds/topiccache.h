// What a feed asks of a store that outlives the program: rows of one actor's topics with the position that they are at,
// and every change written back. "Nothing known" is never "empty". The answers come later, on the GUI thread, in order,
// and not at all when their context is gone. Nothing here waits or fails: without a disk it answers "nothing known".
#pragma once

#include "models/types/topic.h"

#include <QObject>
#include <functional>

namespace foundry::realtime {

struct CachedTopic {
    bool known = false;
    // Of all the rows. Without a generation: the rows may be shown, and the host has to be asked for all of them.
    TopicRevision position = {};
    Millis asOf = 0; // when this was last known to be current
    QList<Entity> rows = {};
};

// Entries of a windowed topic that lie side by side.
struct CachedWindow : CachedTopic {
    qint64 heldFrom = 0; // where the run begins that they belong to: its older entries are in the cache too
    bool fresh = false;  // as of `position`; otherwise they may have changed since
};

struct CacheWrite {
    enum class Kind {
        Whole,   // all there is at `revision`; of a windowed topic: the part from its first entry to the end
        Changes, // what changed after `from`, up to `revision`
        Page,    // entries of a windowed topic that were read beside; the position stays
        Seen,    // nothing changed up to `asOf`
    };

    Kind kind = Kind::Changes;
    QString topic;
    bool windowed = false;
    QString generation;
    qint64 from = 0;
    qint64 revision = 0;
    Millis asOf = 0;
    std::optional<qint64> windowFrom = {}; // Changes: entries before it were not asked for
    QList<Entity> upserts = {};
    QList<Removal> removals = {};
    QList<TextAppend> appends = {};
};

class TopicCache {
public:
    virtual ~TopicCache() = default;

    virtual void load(const QString &topic, QObject *context, std::function<void(CachedTopic)> then) = 0;
    // The last `limit` entries before `before` (nullopt: before the end) that lie side by side; none when the entry right
    // before it is not held.
    virtual void loadWindow(const QString &topic, std::optional<qint64> before, qint64 limit, QObject *context,
        std::function<void(CachedWindow)> then)
        = 0;
    // Rows and position together or not at all; never older over newer.
    virtual void write(CacheWrite write) = 0;
};

} // namespace foundry::realtime
