// Which loaded actors nobody is connected to, the most recently used first: beyond a limit the others go to sleep, so
// that ten thousand actors cost what a few dozen cost. Any thread.
#pragma once

#include <QHash>
#include <QString>
#include <QStringList>

#include <list>
#include <mutex>

namespace foundry::backend {

class IdleActors {
public:
    explicit IdleActors(qsizetype limit)
        : m_limit(qMax(qsizetype(1), limit))
    {
    }

    // Used just now. Answers which ones are to rest; those are no longer known here until they are used again.
    QStringList used(const QString &id);
    // Stopped, or somebody has connected.
    void gone(const QString &id);

private:
    const qsizetype m_limit;
    std::mutex m_mutex;
    std::list<QString> m_order; // the most recently used first
    QHash<QString, std::list<QString>::iterator> m_places;
};

} // namespace foundry::backend
