#include "realtime/cache/cachekept.h"

#include "realtime/cache/cacheschema.h"

#include <QDateTime>

namespace foundry::realtime {

void CacheKept::put(
    const QString &actor, const QString &kind, const QString &key, const QByteArray &data, const QStringList &names)
{
    if (data.size() > largest)
        return;
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    qint64 doc = 0;
    {
        SqlQuery put = m_file.query("INSERT INTO kept(actor, kind, key, stored_at, used_at, names, data) VALUES(?, ?, ?, ?, ?, ?, ?) "
                                    "ON CONFLICT(actor, kind, key) DO UPDATE SET stored_at = excluded.stored_at, used_at = "
                                    "excluded.used_at, names = excluded.names, data = excluded.data RETURNING doc",
            actor, kind, key, now, now, names.join(QLatin1Char('\n')), data);
        if (put.next())
            doc = put.integer(0);
        while (put.next()) { }
    }
    if (!names.isEmpty())
        m_file.run("INSERT OR IGNORE INTO stale VALUES(?)", cacheDocument(doc, 2));
}

std::optional<KeptAnswer> CacheKept::find(const QString &actor, const QString &kind, const QString &key)
{
    KeptAnswer answer;
    qint64 doc = 0;
    {
        SqlQuery found = m_file.query(
            "SELECT doc, stored_at, data FROM kept WHERE actor = ? AND kind = ? AND key = ?", actor, kind, key);
        if (!found.next())
            return std::nullopt;
        doc = found.integer(0);
        answer = {found.bytes(2), found.integer(1)};
    }
    m_file.run("UPDATE kept SET used_at = ? WHERE doc = ?", QDateTime::currentMSecsSinceEpoch(), doc);
    m_file.clearError(); // a disk that is full does not keep from reading
    return answer;
}

int CacheKept::evict(qint64 bytes, int count)
{
    QList<qint64> oldest;
    {
        SqlQuery kept = m_file.query("SELECT doc, length(data) FROM kept ORDER BY used_at, doc LIMIT ?", count);
        while (bytes > 0 && kept.next()) {
            oldest << kept.integer(0);
            bytes -= kept.integer(1);
        }
    }
    for (const qint64 doc : std::as_const(oldest)) {
        m_file.run("DELETE FROM kept WHERE doc = ?", doc);
        m_file.run("INSERT OR IGNORE INTO stale VALUES(?)", cacheDocument(doc, 2));
    }
    return int(oldest.size());
}

} // namespace foundry::realtime
