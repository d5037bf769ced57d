#include "backend/actors/terminalfeed.h"

namespace foundry::backend {

namespace {

constexpr qsizetype terminalfeedPiece = 64 * 1024;
constexpr qsizetype terminalfeedPieces = 4; // in one go: ten megabytes a second at most
constexpr int terminalfeedMs = 25;

} // namespace

TerminalFeed::TerminalFeed(ActorContext &context, QString topic, QString generation)
    : m_context(context)
    , m_topic(std::move(topic))
    , m_generation(std::move(generation))
{
    m_timer.setSingleShot(true);
    QObject::connect(&m_timer, &QTimer::timeout, context.owner(), [this] { flush(); });
}

void TerminalFeed::append(QByteArrayView bytes)
{
    m_end += bytes.size();
    if (m_context.subscriberCount(m_topic) == 0) {
        m_gathered.clear();
        m_said = m_end;
        return;
    }
    m_gathered += bytes;
    if (m_gathered.size() > terminalfeedPiece * terminalfeedPieces)
        m_gathered.remove(0, m_gathered.size() - terminalfeedPiece * terminalfeedPieces);
    if (m_timer.isActive())
        return;
    // The first byte after a pause is an echo that somebody waits for.
    if (!m_sinceSaid.isValid() || m_sinceSaid.elapsed() >= terminalfeedMs)
        flush();
    else
        m_timer.start(terminalfeedMs);
}

void TerminalFeed::flush()
{
    m_timer.stop();
    qint64 offset = m_end - m_gathered.size();
    for (qsizetype at = 0; at < m_gathered.size(); at += terminalfeedPiece) {
        const QByteArray piece = m_gathered.mid(at, terminalfeedPiece);
        ++m_sequence;
        m_context.noteRevision(m_topic, TopicRevision{m_generation, m_sequence});
        TopicEvent event;
        event.topic = m_topic;
        event.chunk = TerminalChunk{m_sequence, offset, piece};
        m_context.notify(event);
        offset += piece.size();
    }
    if (!m_gathered.isEmpty())
        m_sinceSaid.start();
    m_gathered.clear();
    m_said = m_end;
}

} // namespace foundry::backend
