#include "realtime/feeds/topicfeed.h"

#include "realtime/feeds/decodeaside.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QLoggingCategory>
#include <algorithm>

namespace foundry::realtime {

namespace {

Q_LOGGING_CATEGORY(feedLog, "foundry.realtime.feed", QtInfoMsg)

// A buffer that grew so long means that the catch-up does not come: start over when it does.
constexpr qsizetype feedBufferLimit = 20000;
constexpr auto feedFetchDeadline = std::chrono::seconds(20);
// Of the cache, before the host is asked for everything although the cache may hold it.
constexpr auto feedCachePatience = std::chrono::milliseconds(150);

bool isNotice(const TopicEvent &event)
{
    return (event.ready || event.chunk) && event.upserts.isEmpty() && event.removals.isEmpty()
        && event.appends.isEmpty();
}

} // namespace

TopicFeed::TopicFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, QString topic, QObject *parent)
    : QObject(parent)
    , m_subscriptions(subscriptions)
    , m_topic(std::move(topic))
{
    m_retry.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, [this] { startFetch(m_synced ? FetchReason::Gap : FetchReason::Bootstrap); });
    m_patience.setSingleShot(true);
    m_patience.setInterval(feedCachePatience);
    connect(&m_patience, &QTimer::timeout, this, [this] {
        if (m_phase == Phase::CatchingUp && !m_fetching && connection().isLive())
            startFetch(m_synced ? FetchReason::Reconnect : FetchReason::Bootstrap);
    });
    connect(&m_delivery, &Delivery::applied, this, &TopicFeed::applied);
    connect(&m_delivery, &Delivery::replaced, this, &TopicFeed::replaced);
    connect(&m_delivery, &Delivery::loaded, this, &TopicFeed::loaded);
    connect(&connection(), &ActorConnection::eventReceived, this, [this](const QString &name, const QByteArray &args) {
        if (name == m_topic && m_phase != Phase::Dormant)
            receiveRaw(args);
    });
    connect(&connection(), &ActorConnection::becameLive, this, [this] {
        if (m_phase != Phase::Dormant)
            catchUp();
    });
    connect(&connection(), &ActorConnection::stateChanged, this, [this](ConnectionState state) {
        if (state != ConnectionState::Live) {
            m_fetching = false;
            m_patience.stop();
        }
        if (m_phase == Phase::Live && state != ConnectionState::Live)
            setPhase(Phase::CatchingUp); // events of the old link still count; the next link fills the gap
        if (state == ConnectionState::Refused && m_phase != Phase::Dormant)
            Q_EMIT failed(connection().lastError());
    });
    connect(&subscriptions, &Subscriptions::ended, this, [this](const QString &ended) {
        if (ended != m_topic)
            return;
        ++m_fetch;
        m_fetching = false;
        m_retry.stop();
        m_patience.stop();
        m_buffer.clear();
        m_raw.clear();
        setPhase(Phase::Dormant);
    });
    if (heartbeat) {
        connect(heartbeat, &Heartbeat::revisionsRead, this, [this](const QMap<QString, TopicRevision> &revisions) {
            if (const auto mine = revisions.constFind(m_topic); mine != revisions.cend())
                checkRevision(*mine);
        });
    }
}

TopicFeed::~TopicFeed()
{
    noteSeen();
    while (m_views > 0)
        leave();
}

void TopicFeed::view()
{
    ++m_views;
    m_subscriptions.add(m_topic);
    if (m_phase != Phase::Dormant)
        return;
    setPhase(Phase::CatchingUp);
    if (m_cache && !m_loaded && !m_cacheAsked) {
        m_cacheAsked = true;
        askCache(++m_cacheNumber);
    }
    if (connection().isLive())
        catchUp();
}

void TopicFeed::catchUp()
{
    m_fetching = false;
    if (m_cacheAsked && !m_loaded)
        m_patience.start(); // a moment later it is known what is missing
    else
        startFetch(m_synced ? FetchReason::Reconnect : FetchReason::Bootstrap);
}

void TopicFeed::leave()
{
    --m_views;
    m_subscriptions.release(m_topic);
}

void TopicFeed::refetch()
{
    if (m_phase != Phase::Dormant && connection().isLive())
        startFetch(FetchReason::Manual);
}

void TopicFeed::forget()
{
    Q_ASSERT(m_views == 0);
    ++m_fetch;
    m_retry.stop();
    m_buffer.clear();
    m_raw.clear();
    m_delivery.clear();
    m_rows.forget();
    setPhase(Phase::Dormant);
    m_position = {};
    m_asOf = 0;
    m_loaded = false;
    m_synced = false;
    m_fetching = false;
    m_cacheAsked = false;
    ++m_cacheNumber;
    m_patience.stop();
}

void TopicFeed::setPhase(Phase phase)
{
    const bool was = isCurrent();
    if (was && phase != Phase::Live) {
        noteSeen();
        m_asOf = QDateTime::currentMSecsSinceEpoch();
    }
    m_phase = phase;
    if (was != isCurrent())
        Q_EMIT currentChanged(isCurrent());
}

void TopicFeed::startFetch(FetchReason reason)
{
    setPhase(Phase::CatchingUp);
    m_retry.stop();
    m_patience.stop();
    m_fetching = true;
    ++m_fetch;
    ++m_fetches[int(reason)];
    m_collected = {};
    m_firstPage = true;
    if (m_loaded)
        request(catchUpQuestion(), m_fetch);
    else
        requestSnapshot(m_fetch);
}

void TopicFeed::requestSnapshot(quint64 fetch)
{
    ChangesSince question;
    question.topic = m_topic;
    request(question, fetch);
}

ChangesSince TopicFeed::catchUpQuestion() const
{
    ChangesSince question;
    question.topic = m_topic;
    question.generation = m_position.generation;
    question.revision = m_position.revision;
    return question;
}

bool TopicFeed::prepare(TopicEvent &)
{
    return true;
}

void TopicFeed::request(const ChangesSince &question, quint64 fetch)
{
    m_question = question;
    connection().call(QStringLiteral("changesSince"), protocol::encodeArgs(question), feedFetchDeadline, this,
        [this, fetch](Result<QByteArray> answer) {
            if (fetch != m_fetch)
                return;
            if (!answer)
                return fetchFailed(fetch, answer.error());
            decodeAside<ChangesPage>(std::move(*answer), &protocol::decodeChangesPage, this,
                [this, fetch](const Result<ChangesPage> &page) {
                    if (page)
                        pageArrived(fetch, *page);
                    else
                        fetchFailed(fetch, page.error());
                });
        });
}

void TopicFeed::pageArrived(quint64 fetch, const ChangesPage &page)
{
    if (fetch != m_fetch || m_phase == Phase::Dormant)
        return;
    if (m_firstPage) {
        m_firstPage = false;
        m_collected = page;
        // A windowed topic answers an unknown generation with its size alone: what we hold is history.
        if (m_loaded && page.count && page.generation != m_position.generation) {
            m_loaded = false;
            // Its first question was about what the cache held: the fetch is still the first.
            return startFetch(m_synced ? FetchReason::Gap : FetchReason::Bootstrap);
        }
    } else if (page.generation != m_collected.generation) {
        return startFetch(FetchReason::Gap); // its history was lost between two pages
    } else {
        m_collected.upserts << page.upserts;
        m_collected.removals << page.removals;
    }
    if (!page.cursor)
        return finishFetch();
    ChangesSince next = m_question;
    next.cursor = page.cursor;
    request(next, fetch);
}

void TopicFeed::fetchFailed(quint64 fetch, const Error &error)
{
    if (fetch != m_fetch || m_phase == Phase::Dormant)
        return;
    ++m_fetch;
    m_fetching = false;
    // Without a link the next one starts over; with one, the topic itself could not be read.
    if (!connection().isLive())
        return;
    qCWarning(feedLog, "%s: cannot be read: %s %s", qUtf8Printable(m_topic), qUtf8Printable(error.key()),
        qUtf8Printable(error.message));
    Q_EMIT failed(error);
    m_retry.start(m_backoff.next());
}

void TopicFeed::finishFetch()
{
    ++m_fetch;
    m_fetching = false;
    m_synced = true;
    m_backoff.reset();
    const TopicRevision before = m_position;
    const bool newGeneration = m_position.generation != m_collected.generation;
    if (newGeneration) {
        if (!m_position.generation.isEmpty())
            m_oldGenerations.insert(m_position.generation);
        m_oldGenerations.remove(m_collected.generation);
        m_rows.beginGeneration();
    }
    m_position = {m_collected.generation, m_collected.revision};
    if (m_cache) {
        CacheWrite write = newWrite(m_collected.full ? CacheWrite::Kind::Whole : CacheWrite::Kind::Changes);
        write.from = before.revision;
        write.windowFrom = m_question.windowFrom;
        write.upserts = m_collected.upserts;
        write.removals = m_collected.removals;
        writeBack(std::move(write));
    }

    if (m_collected.full && !m_loaded) {
        m_rows.note(m_collected.upserts);
        // Placeholders are not the host's to end: they stay until their command is answered.
        m_rows.mergePlaceholders(m_collected.upserts);
        m_delivery.firstSnapshot(m_collected);
    } else {
        TopicEvent event;
        event.topic = m_topic;
        event.generation = m_position.generation;
        event.revision = m_position.revision;
        if (m_collected.full) {
            event.removals = m_rows.takeUnnamed(m_collected.upserts);
            m_collected.upserts = m_rows.differing(m_collected.upserts);
        } else {
            event.removals = m_collected.removals;
            m_rows.remove(event.removals);
        }
        event.upserts = m_rows.newer(m_collected.upserts);
        if (prepare(event) && (!event.upserts.isEmpty() || !event.removals.isEmpty()))
            m_delivery.deliver(event);
    }
    m_collected = {};
    if (!m_loaded) {
        m_loaded = true;
        m_delivery.loadedMark();
    }
    setPhase(Phase::Live);
    replayBuffer();
}

void TopicFeed::receiveRaw(const QByteArray &args)
{
    if (m_decoding || args.size() >= decodeAsideFrom) {
        m_raw.enqueue(args);
        if (!m_decoding)
            decodeNext();
        return;
    }
    if (const auto event = protocol::decodeEventArgs(args))
        accept(*event);
    else
        qCWarning(feedLog, "%s: event not understood: %s", qUtf8Printable(m_topic), qUtf8Printable(event.error().message));
}

void TopicFeed::decodeNext()
{
    if (m_raw.isEmpty()) {
        m_decoding = false;
        return;
    }
    m_decoding = true;
    decodeAside<TopicEvent>(m_raw.dequeue(), &protocol::decodeEventArgs, this, [this](const Result<TopicEvent> &event) {
        if (event && m_phase != Phase::Dormant)
            accept(*event);
        decodeNext();
    });
}

void TopicFeed::accept(const TopicEvent &event)
{
    if (isNotice(event)) {
        m_delivery.deliver(event); // stored nowhere and counted by nobody
        return;
    }
    if (m_oldGenerations.contains(event.generation))
        return;
    if (m_phase != Phase::Live) {
        if (m_buffer.size() >= feedBufferLimit)
            m_buffer.clear(); // the gap that this leaves is seen when the catch-up ends
        m_buffer << event;
        return;
    }
    if (event.generation != m_position.generation) {
        m_buffer << event;
        startFetch(FetchReason::Gap);
    } else if (event.revision == m_position.revision + 1) {
        apply(event);
    } else if (event.revision > m_position.revision) {
        m_buffer << event;
        startFetch(FetchReason::Gap);
    } // else: it was part of what we fetched
}

void TopicFeed::apply(TopicEvent event)
{
    const qint64 before = std::exchange(m_position.revision, event.revision);
    CacheWrite write;
    if (m_cache) {
        write = newWrite(CacheWrite::Kind::Changes);
        write.from = before;
        write.upserts = event.upserts;
        write.removals = event.removals;
        write.appends = event.appends;
    }
    if (!prepare(event)) {
        m_position.revision = before; // or the rows of this very event would not be among what is newer
        startFetch(FetchReason::Gap);
        return;
    }
    if (m_cache)
        writeBack(std::move(write));
    event.upserts = m_rows.newer(event.upserts);
    m_rows.remove(event.removals);
    m_delivery.deliver(event);
}

void TopicFeed::replayBuffer()
{
    QList<TopicEvent> events;
    events.swap(m_buffer);
    std::stable_sort(events.begin(), events.end(),
        [](const TopicEvent &a, const TopicEvent &b) { return a.revision < b.revision; });
    for (const TopicEvent &event : std::as_const(events)) {
        // The generation that the catch-up brought is the host's present one: others are older.
        if (event.generation == m_position.generation)
            accept(event);
    }
}

void TopicFeed::checkRevision(const TopicRevision &host)
{
    // The host's answer came behind its events on the same socket: what is missing now was lost.
    if (m_phase != Phase::Live || m_decoding)
        return;
    if (host.generation != m_position.generation || host.revision > m_position.revision)
        startFetch(FetchReason::Gap);
    else
        noteSeenNowAndThen();
}

void TopicFeed::publishLocal(const QList<Entity> &entities)
{
    TopicEvent event;
    event.topic = m_topic;
    event.upserts = m_rows.addPlaceholders(entities);
    if (!event.upserts.isEmpty())
        m_delivery.now(event);
}

void TopicFeed::withdraw(const QString &type, const QString &id)
{
    if (!m_rows.takePlaceholder(type, id))
        return;
    TopicEvent event;
    event.topic = m_topic;
    event.removals << Removal{type, id};
    m_delivery.deliver(event);
}

void TopicFeed::adopt(const QList<Entity> &entities)
{
    TopicEvent event;
    event.topic = m_topic;
    event.upserts = m_rows.adopt(entities);
    if (!event.upserts.isEmpty())
        m_delivery.deliver(event);
}

} // namespace foundry::realtime
