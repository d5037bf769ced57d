#include "realtime/feeds/sessionfeed.h"

#include "realtime/feeds/decodeaside.h"
#include "realtime/protocol/codec.h"

#include <algorithm>

namespace foundry::realtime {

namespace {

constexpr qint64 sessionFirstPage = 100; // more than a screen
constexpr qint64 sessionOlderPage = 200;
constexpr qint64 sessionEnd = (qint64(1) << 53) - 1; // the largest whole number of JSON
constexpr auto sessionDeadline = std::chrono::seconds(20);
// Text grows at the end only; what lies so far back is final.
constexpr qint64 sessionGrowing = 200;

bool growsAsText(const TranscriptEntry &entry)
{
    return entry.kind == EntryKind::AgentMessage || entry.kind == EntryKind::AgentThought
        || entry.kind == EntryKind::UserMessage;
}

QList<Entity> asEntities(const QList<TranscriptEntry> &entries)
{
    QList<Entity> entities;
    entities.reserve(entries.size());
    for (const TranscriptEntry &entry : entries)
        entities << entry;
    return entities;
}

} // namespace

SessionFeed::SessionFeed(Subscriptions &subscriptions, Heartbeat *heartbeat, SessionId session, QObject *parent)
    : TopicFeed(subscriptions, heartbeat, QStringLiteral("session/") + session.value, parent)
    , m_session(std::move(session))
{
}

void SessionFeed::fetch(const GetTranscript &question, std::function<void(Result<TranscriptPage>)> then)
{
    connection().call(QStringLiteral("getTranscript"), protocol::encodeArgs(question), sessionDeadline, this,
        [this, then = std::move(then)](Result<QByteArray> answer) {
            if (!answer)
                return then(answer.error());
            decodeAside<TranscriptPage>(
                std::move(*answer), &protocol::decodeValue<TranscriptPage>, this, then);
        });
}

void SessionFeed::requestSnapshot(quint64 number)
{
    GetTranscript question;
    question.sessionId = m_session;
    question.limit = sessionFirstPage;
    fetch(question, [this, number](const Result<TranscriptPage> &page) {
        if (number != fetchNumber())
            return; // the cache was there first, and the window is its
        if (!page)
            return fetchFailed(number, page.error());
        ChangesPage snapshot;
        snapshot.generation = page->generation;
        snapshot.revision = page->revision;
        snapshot.full = true;
        snapshot.upserts = asEntities(page->entries);
        m_bytes.clear();
        m_first = page->entries.isEmpty() ? page->count : page->entries.first().index;
        m_cachedFrom = m_first;
        m_any = !page->entries.isEmpty();
        note(snapshot.upserts);
        pageArrived(number, snapshot);
    });
}

void SessionFeed::askCache(quint64 asked)
{
    cache()->loadWindow(topic(), std::nullopt, sessionFirstPage, this, [this, asked](const CachedWindow &window) {
        if (window.known && wantsCacheAnswer(asked)) {
            m_bytes.clear();
            m_any = false;
            m_first = 0;
            note(window.rows);
            m_cachedFrom = m_any ? window.heldFrom : m_first;
        }
        cacheAnswered(asked, static_cast<const CachedTopic &>(window));
    });
}

ChangesSince SessionFeed::catchUpQuestion() const
{
    // Open at the end: what was said meanwhile belongs to the window.
    ChangesSince question = TopicFeed::catchUpQuestion();
    question.windowFrom = std::min(m_first, m_cachedFrom);
    question.windowTo = sessionEnd;
    return question;
}

void SessionFeed::note(const QList<Entity> &entities)
{
    for (const Entity &entity : entities) {
        const auto *entry = std::get_if<TranscriptEntry>(&entity);
        if (!entry)
            continue;
        m_first = m_any ? std::min(m_first, entry->index) : entry->index;
        m_any = true;
        if (growsAsText(*entry)) {
            m_bytes.insert(entry->index, entry->text.toUtf8().size());
            m_bytes.remove(entry->index - sessionGrowing);
        }
    }
}

bool SessionFeed::prepare(TopicEvent &event)
{
    // What lies before the window is the cache's: nobody was shown it.
    if (m_any) {
        m_below += quint64(event.upserts.removeIf([this](const Entity &entity) {
            const auto *entry = std::get_if<TranscriptEntry>(&entity);
            return entry && entry->index < m_first;
        }));
    }
    note(event.upserts);
    QList<TextAppend> fitting;
    for (const TextAppend &append : std::as_const(event.appends)) {
        const auto known = m_bytes.find(append.index);
        if (known == m_bytes.end()) {
            if (m_any && append.index >= m_first)
                return false; // an entry of our window that we do not know
            ++m_below;
            continue;
        }
        if (append.offset > *known)
            return false; // text between is missing
        const QByteArray utf8 = append.text.toUtf8();
        const qint64 alreadyThere = *known - append.offset;
        if (alreadyThere >= utf8.size())
            continue;
        TextAppend rest = append;
        if (alreadyThere > 0) {
            rest.offset = *known;
            rest.text = QString::fromUtf8(utf8.mid(alreadyThere));
        }
        *known += utf8.size() - alreadyThere;
        fitting << rest;
    }
    event.appends = fitting;
    return true;
}

void SessionFeed::loadOlder()
{
    if (m_fetchingOlder || !hasOlder() || !isLoaded())
        return;
    m_fetchingOlder = true;
    if (!cache())
        return fetchOlder({}, m_below);
    cache()->loadWindow(topic(), m_first, sessionOlderPage, this, [this, below = m_below](const CachedWindow &window) {
        const bool ours = window.position.generation == position().generation || !window.fresh;
        if (window.fresh && ours && !window.rows.isEmpty())
            olderArrived(window.rows, {}, below);
        else
            fetchOlder(ours ? window.rows : QList<Entity>(), below);
    });
}

void SessionFeed::fetchOlder(const QList<Entity> &held, quint64 below)
{
    GetTranscript question;
    question.sessionId = m_session;
    question.before = m_first;
    question.limit = sessionOlderPage;
    fetch(question, [this, held, below](const Result<TranscriptPage> &page) {
        if (!page && !held.isEmpty())
            return olderArrived(held, {}, below); // as they were, rather than not at all
        if (!page) {
            m_fetchingOlder = false;
            Q_EMIT olderFailed(page.error());
            return;
        }
        // Of another generation: the whole transcript is fetched anew, and this page belongs to the old one.
        if (page->generation != position().generation || page->entries.isEmpty()) {
            m_fetchingOlder = false;
            return;
        }
        CacheWrite write = newWrite(CacheWrite::Kind::Page);
        write.upserts = asEntities(page->entries);
        olderArrived(write.upserts, *page, below);
        writeBack(std::move(write));
    });
}

void SessionFeed::olderArrived(const QList<Entity> &entries, const TranscriptPage &page, quint64 below)
{
    m_fetchingOlder = false;
    if (below != m_below)
        return loadOlder(); // one of them may have changed while they were read
    TranscriptPage older = page;
    older.entries.clear();
    for (const Entity &entity : entries) {
        if (const auto *entry = std::get_if<TranscriptEntry>(&entity))
            older.entries << *entry;
    }
    if (older.entries.isEmpty() || !isLoaded() || older.entries.last().index < m_first - 1)
        return; // the window moved meanwhile
    noteRows(entries);
    m_first = std::min(m_first, older.entries.first().index);
    Q_EMIT pageLoaded(older);
}

void SessionFeed::reload(qint64 from, qint64 to)
{
    if (!isLoaded())
        return;
    GetTranscript question;
    question.sessionId = m_session;
    question.after = from - 1;
    question.limit = std::clamp<qint64>(to - from, 1, 500);
    fetch(question, [this](const Result<TranscriptPage> &page) {
        // A failure means that the link dropped: the catch-up after it brings the rows.
        if (!page || page->generation != position().generation)
            return;
        const QList<Entity> entities = asEntities(page->entries);
        noteRows(entities);
        note(entities);
        CacheWrite write = newWrite(CacheWrite::Kind::Page);
        write.upserts = entities;
        writeBack(std::move(write));
        Q_EMIT pageLoaded(*page);
    });
}

} // namespace foundry::realtime
