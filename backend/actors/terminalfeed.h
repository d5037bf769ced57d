// The events of one terminal: output in pieces of at most 64 KiB, gathered for at most 25 ms, each with the next sequence
// number and the offset of its first byte. What is printed faster than anybody can look at is left out from the front:
// who listens sees the gap by the offset and reads the log. Nothing is kept for those who do not listen, and nothing waits
// for those who are slow. Lives on its actor's thread.
#pragma once

#include "backend/actors/actorcontext.h"

#include <QElapsedTimer>
#include <QTimer>

namespace foundry::backend {

class TerminalFeed {
public:
    TerminalFeed(ActorContext &context, QString topic, QString generation);

    void append(QByteArrayView bytes);
    // Says now what is gathered.
    void flush();
    // All before it has been said; a page of the log that ends here is followed by the next event.
    qint64 said() const { return m_said; }
    qint64 sequence() const { return m_sequence; }
    QString generation() const { return m_generation; }

private:
    ActorContext &m_context;
    const QString m_topic;
    const QString m_generation;
    QByteArray m_gathered; // ends at m_end
    qint64 m_end = 0;
    qint64 m_said = 0;
    qint64 m_sequence = 0;
    QTimer m_timer;
    QElapsedTimer m_sinceSaid;
};

} // namespace foundry::backend
