#include "realtime/feeds/topicrows.h"

#include "realtime/protocol/codec.h"

#include <QSet>

namespace foundry::realtime {

namespace {

QString rowsKey(const QString &type, const QString &id)
{
    return type + QLatin1Char('\n') + id;
}

QString rowsKey(const Entity &entity)
{
    return rowsKey(protocol::entityType(entity), protocol::entityId(entity));
}

} // namespace

void TopicRows::note(const QList<Entity> &entities)
{
    for (const Entity &entity : entities)
        m_rows.insert(rowsKey(entity), Row{protocol::entityMeta(entity).rev, false});
}

QList<Entity> TopicRows::newer(const QList<Entity> &entities)
{
    QList<Entity> newer;
    newer.reserve(entities.size());
    for (const Entity &entity : entities) {
        const qint64 rev = protocol::entityMeta(entity).rev;
        const QString key = rowsKey(entity);
        Row &row = m_rows[key];
        // A page fetched after an event may hold a later state of a row than that event.
        if (!row.placeholder && row.rev > rev)
            continue;
        if (row.placeholder)
            m_placeholders.remove(key);
        row = {rev, false};
        newer << entity;
    }
    return newer;
}

QList<Entity> TopicRows::differing(const QList<Entity> &entities) const
{
    QList<Entity> differing;
    for (const Entity &entity : entities) {
        const qint64 rev = protocol::entityMeta(entity).rev;
        const auto row = m_rows.constFind(rowsKey(entity));
        if (rev == 0 || row == m_rows.cend() || row->placeholder || row->rev != rev)
            differing << entity;
    }
    return differing;
}

void TopicRows::remove(const QList<Removal> &removals)
{
    for (const Removal &removal : removals) {
        const QString key = rowsKey(removal.type, removal.id);
        m_rows.remove(key);
        m_placeholders.remove(key);
    }
}

QList<Removal> TopicRows::takeUnnamed(const QList<Entity> &snapshot)
{
    QSet<QString> named;
    for (const Entity &entity : snapshot)
        named.insert(rowsKey(entity));
    QList<Removal> gone;
    m_rows.removeIf([&](const auto &row) {
        if (row->placeholder || named.contains(row.key()))
            return false;
        gone << Removal{row.key().section(QLatin1Char('\n'), 0, 0), row.key().section(QLatin1Char('\n'), 1)};
        return true;
    });
    return gone;
}

void TopicRows::beginGeneration()
{
    for (Row &row : m_rows)
        row.rev = 0;
}

void TopicRows::forget()
{
    m_rows.removeIf([](const auto &row) { return !row->placeholder; });
}

QList<Entity> TopicRows::addPlaceholders(const QList<Entity> &entities)
{
    QList<Entity> added;
    for (const Entity &entity : entities) {
        const QString key = rowsKey(entity);
        Row &row = m_rows[key];
        if (row.rev > 0)
            continue; // the host was faster
        row.placeholder = true;
        m_placeholders.insert(key, entity);
        added << entity;
    }
    return added;
}

bool TopicRows::takePlaceholder(const QString &type, const QString &id)
{
    const auto row = m_rows.constFind(rowsKey(type, id));
    if (row == m_rows.constEnd() || !row->placeholder)
        return false;
    m_placeholders.remove(row.key());
    m_rows.erase(row);
    return true;
}

void TopicRows::mergePlaceholders(QList<Entity> &snapshot)
{
    for (const Entity &entity : std::as_const(snapshot))
        m_placeholders.remove(rowsKey(entity));
    for (const Entity &placeholder : std::as_const(m_placeholders))
        snapshot.prepend(placeholder);
}

QList<Entity> TopicRows::adopt(const QList<Entity> &entities)
{
    QList<Entity> adopted;
    for (const Entity &entity : entities) {
        const qint64 rev = protocol::entityMeta(entity).rev;
        if (rev == 0)
            continue; // without a revision there is no telling which is newer: its event says it
        const QString key = rowsKey(entity);
        Row &row = m_rows[key];
        if (row.rev >= rev)
            continue;
        m_placeholders.remove(key);
        row = {rev, false};
        adopted << entity;
    }
    return adopted;
}

} // namespace foundry::realtime
