// Which rows of a topic were handed out, by type and id, with the revision of each: so that an older state of a row never
// follows a newer one, that a whole snapshot can say what is gone, and that placeholders become the host's rows in place.
// Value; GUI thread.
#pragma once

#include "models/types/topic.h"

#include <QHash>

namespace foundry::realtime {

class TopicRows {
public:
    // Handed out as they are.
    void note(const QList<Entity> &entities);
    // What of these is not older than what was handed out; noted.
    QList<Entity> newer(const QList<Entity> &entities);
    // Without those that were handed out at this very revision.
    QList<Entity> differing(const QList<Entity> &entities) const;
    void remove(const QList<Removal> &removals);
    // What a whole snapshot does not name; no longer there. Placeholders are not the host's to end.
    QList<Removal> takeUnnamed(const QList<Entity> &snapshot);
    // Revisions count anew.
    void beginGeneration();
    // All but the placeholders.
    void forget();

    // Rows that the host does not know yet; those it does know are left out.
    QList<Entity> addPlaceholders(const QList<Entity> &entities);
    // False when it is no placeholder (any more).
    bool takePlaceholder(const QString &type, const QString &id);
    QList<Entity> placeholders() const { return m_placeholders.values(); }
    // Those that the snapshot does not name, in front of it; the others are the host's rows from now on.
    void mergePlaceholders(QList<Entity> &snapshot);
    // Rows out of a command's answer that are newer than what was handed out; noted.
    QList<Entity> adopt(const QList<Entity> &entities);

private:
    struct Row {
        qint64 rev = 0;
        bool placeholder = false;
    };

    QHash<QString, Row> m_rows;
    QHash<QString, Entity> m_placeholders;
};

} // namespace foundry::realtime
