// The part of a topic's feed that deals with its cache.
#include "realtime/feeds/topicfeed.h"

#include <QDateTime>

namespace foundry::realtime {

namespace {

// Between two notes that a topic is unchanged: more often would only wear the disk.
constexpr Millis topicfeedcacheSeenEvery = 60 * 1000;

} // namespace

void TopicFeed::askCache(quint64 asked)
{
    m_cache->load(m_topic, this, [this, asked](CachedTopic cached) { cacheAnswered(asked, std::move(cached)); });
}

bool TopicFeed::wantsCacheAnswer(quint64 asked) const
{
    // Once the host has answered, everything in the cache is older.
    return asked == m_cacheNumber && m_cacheAsked && !m_loaded && m_phase != Phase::Dormant;
}

bool TopicFeed::cacheAnswered(quint64 asked, CachedTopic cached)
{
    if (asked != m_cacheNumber)
        return false;
    const bool wanted = wantsCacheAnswer(asked) && cached.known;
    m_cacheAsked = false;
    m_patience.stop();
    if (wanted) {
        m_position = cached.position;
        m_asOf = m_seenAt = cached.asOf;
        ChangesPage page;
        page.generation = cached.position.generation;
        page.revision = cached.position.revision;
        page.full = true;
        page.upserts = std::move(cached.rows);
        m_rows.note(page.upserts);
        m_rows.mergePlaceholders(page.upserts);
        m_loaded = true;
        m_delivery.firstSnapshot(page);
        m_delivery.loadedMark();
    }
    // A whole snapshot that is on its way becomes the differences to these rows when it is here. A part of a windowed
    // topic cannot: it may leave a hole.
    if (m_phase == Phase::CatchingUp && connection().isLive() && (!m_fetching || (wanted && windowFrom()))) {
        if (m_fetching)
            --m_fetches[int(FetchReason::Bootstrap)]; // the same one, with a better question
        startFetch(FetchReason::Bootstrap);
    }
    return wanted;
}

Millis TopicFeed::asOf() const
{
    return m_phase == Phase::Live ? QDateTime::currentMSecsSinceEpoch() : m_asOf;
}

CacheWrite TopicFeed::newWrite(CacheWrite::Kind kind) const
{
    CacheWrite write;
    write.kind = kind;
    write.topic = m_topic;
    write.windowed = windowFrom().has_value();
    write.generation = m_position.generation;
    write.revision = m_position.revision;
    write.asOf = QDateTime::currentMSecsSinceEpoch();
    return write;
}

void TopicFeed::writeBack(CacheWrite write)
{
    if (!m_cache)
        return;
    m_seenAt = write.asOf;
    m_cache->write(std::move(write));
}

void TopicFeed::noteSeen()
{
    if (m_cache && m_phase == Phase::Live)
        writeBack(newWrite(CacheWrite::Kind::Seen));
}

void TopicFeed::noteSeenNowAndThen()
{
    if (QDateTime::currentMSecsSinceEpoch() - m_seenAt >= topicfeedcacheSeenEvery)
        noteSeen();
}

} // namespace foundry::realtime
