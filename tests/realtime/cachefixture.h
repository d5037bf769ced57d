// A cache on a real file, asked as the feeds ask it.
#pragma once

#include "realtime/cache/cacheschema.h"
#include "realtime/cache/hostcache.h"

#include <QTest>

namespace foundry::tests {

using namespace foundry::realtime;
using namespace std::chrono_literals;

inline const QString topicName = QStringLiteral("organization");
inline const QString sessionTopic = QStringLiteral("session/s1");

inline ActorName organization()
{
    return organizationActor(OrganizationId(QStringLiteral("local")));
}
inline ActorName taskOne()
{
    return taskActor(OrganizationId(QStringLiteral("local")), RepoId(QStringLiteral("r1")), TaskId(QStringLiteral("t1")));
}

inline TaskSummary task(const QString &id, const QString &title, qint64 rev)
{
    TaskSummary made;
    made.id = TaskId(id);
    made.repoId = RepoId(QStringLiteral("r1"));
    made.title = title;
    made.branch = QStringLiteral("feature/") + id;
    made.status = TaskStatus::Running;
    made.rev = rev;
    return made;
}

inline TranscriptEntry entry(qint64 index, const QString &text, qint64 rev)
{
    TranscriptEntry made;
    made.index = index;
    made.kind = EntryKind::AgentMessage;
    made.text = text;
    made.rev = rev;
    return made;
}

inline CacheWrite whole(qint64 revision, const QList<Entity> &rows, const QString &generation = QStringLiteral("g1"))
{
    CacheWrite write;
    write.kind = CacheWrite::Kind::Whole;
    write.topic = topicName;
    write.generation = generation;
    write.revision = revision;
    write.asOf = 1000 + revision;
    write.upserts = rows;
    return write;
}

inline CacheWrite changes(qint64 from, qint64 revision, const QList<Entity> &upserts, const QList<Removal> &removals = {})
{
    CacheWrite write = whole(revision, upserts);
    write.kind = CacheWrite::Kind::Changes;
    write.from = from;
    write.removals = removals;
    return write;
}

inline CacheWrite ofSession(CacheWrite write)
{
    write.topic = sessionTopic;
    write.windowed = true;
    return write;
}

inline QList<Entity> entries(qint64 from, qint64 end, qint64 rev = 1)
{
    QList<Entity> made;
    for (qint64 i = from; i < end; ++i)
        made << entry(i, QStringLiteral("entry %1").arg(i), rev);
    return made;
}

inline QStringList titles(const QList<Entity> &rows)
{
    QStringList found;
    for (const Entity &row : rows)
        found << std::get<TaskSummary>(row).title;
    found.sort();
    return found;
}

template <class T, class Ask>
T answerOf(Ask ask)
{
    QObject context;
    std::optional<T> answer;
    ask(&context, [&answer](T value) { answer = std::move(value); });
    for (int i = 0; i < 10000 && !answer; ++i)
        QTest::qWait(1);
    return answer.value_or(T{});
}

inline CachedTopic load(HostCache &cache, const QString &topic = topicName)
{
    return answerOf<CachedTopic>(
        [&](QObject *context, auto then) { cache.topics(organization()).load(topic, context, then); });
}

inline CachedWindow window(HostCache &cache, std::optional<qint64> before = {}, qint64 limit = 100)
{
    return answerOf<CachedWindow>([&](QObject *context, auto then) {
        cache.topics(taskOne()).loadWindow(sessionTopic, before, limit, context, then);
    });
}

inline std::optional<KeptAnswer> kept(HostCache &cache, const QString &key)
{
    return answerOf<std::optional<KeptAnswer>>(
        [&](QObject *context, auto then) { cache.find(taskOne(), QStringLiteral("blob"), key, context, then); });
}

inline QList<CacheHit> search(HostCache &cache, const QString &text)
{
    return answerOf<CacheHits>([&](QObject *context, auto then) { cache.search(text, 20, context, then); }).hits;
}

inline CacheStats stats(HostCache &cache)
{
    return answerOf<CacheStats>([&](QObject *context, auto then) { cache.stats(context, then); });
}

inline HostCacheOptions at(const QString &path)
{
    HostCacheOptions options;
    options.path = path;
    options.collect = 5ms;
    return options;
}

} // namespace foundry::tests
