// Rows, revisions, tombstones and catching up, without a runtime.
#include "backend/actors/actorschema.h"
#include "backend/actors/actortransaction.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

class tst_TopicStore : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void oneEventForATransaction();
    void silentWhenTheSame();
    void removedAndPutAgain();
    void catchUpNamesOnlyWhatIsNewer();
    void anUnknownGenerationIsFull();
    void pagesStayBelowTheLimit();
    void removalsFillPagesToo();
    void aRowThatNoMessageCarries();
    void windowedTopics();
    void appends();
    void bigTransactionsAreSeveralEvents();
    void oldTombstonesMeanFull();
    void aLostTailIsANewGeneration();

private:
    TopicEvent only(const std::function<void(ActorTransaction &)> &body)
    {
        const QList<TopicEvent> events = change(body);
        return events.size() == 1 ? events.first() : TopicEvent{};
    }
    QList<TopicEvent> change(const std::function<void(ActorTransaction &)> &body, Millis at = 1000)
    {
        QList<TopicEvent> events;
        if (!m_db->begin())
            return events;
        ActorTransaction tx(*m_db, *m_store, at, m_correlation);
        body(tx);
        if (!tx.finish() || !m_db->commit())
            return events;
        tx.publish();
        for (const EncodedEvent &encoded : tx.takeEvents([](const QString &) { return true; })) {
            auto event = protocol::decodeEvent(encoded.json);
            events.append(event ? *event : TopicEvent{});
        }
        return events;
    }
    ChangesPage since(const QString &generation, qint64 revision, const std::optional<QString> &cursor = {},
        const QString &topic = QStringLiteral("overlay"))
    {
        ChangesSince asked;
        asked.topic = topic;
        asked.generation = generation;
        asked.revision = revision;
        asked.cursor = cursor;
        auto json = m_store->changesSince(asked);
        auto page = json ? protocol::decodeChangesPage(*json) : Result<ChangesPage>(json.error());
        return page ? *page : ChangesPage{};
    }
    static TaskOverlay overlay(const QString &id, bool unread)
    {
        TaskOverlay overlay;
        overlay.id = TaskId(id);
        overlay.unread = unread;
        return overlay;
    }
    static TranscriptEntry entry(qint64 index, const QString &text)
    {
        TranscriptEntry entry;
        entry.index = index;
        entry.text = text;
        return entry;
    }

    const QString m_topic = QStringLiteral("overlay");
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<TopicStore> m_store;
    std::unique_ptr<Database> m_db;
    QString m_correlation;
};

void tst_TopicStore::init()
{
    m_store.reset();
    m_db.reset();
    m_dir = std::make_unique<QTemporaryDir>();
    auto opened = Database::open(m_dir->filePath(QStringLiteral("t.sqlite")));
    QVERIFY(opened);
    m_db = std::move(*opened);
    QVERIFY(m_db->migrate(QStringLiteral("runtime"), actorRuntimeSchema()));
    m_store = std::make_unique<TopicStore>(*m_db);
    QVERIFY(m_store->load(false));
}

void tst_TopicStore::oneEventForATransaction()
{
    const TopicEvent event = only([&](ActorTransaction &tx) {
        tx.setCause(Cause{QStringLiteral("command"), RequestId(QStringLiteral("r1")), QStringLiteral("local")});
        tx.put(m_topic, overlay(QStringLiteral("a"), true));
        tx.put(m_topic, overlay(QStringLiteral("b"), true));
        tx.put(m_topic, overlay(QStringLiteral("a"), false)); // the last one counts
    });
    QCOMPARE(event.revision, 1);
    QCOMPARE(event.cause.requestId->value, QStringLiteral("r1"));
    QCOMPARE(event.upserts.size(), 2);
    QCOMPARE(std::get<TaskOverlay>(event.upserts.first()).unread, false);
    QCOMPARE(protocol::entityMeta(event.upserts.first()).rev, 1);
    QCOMPARE(m_store->info(m_topic).count, 2);
}

void tst_TopicStore::silentWhenTheSame()
{
    const auto put = [&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("a"), true)); };
    QCOMPARE(change(put).size(), 1);
    QCOMPARE(change(put).size(), 0);
    QCOMPARE(m_store->info(m_topic).revision, 1);
    QCOMPARE(change([&](ActorTransaction &tx) { tx.remove(m_topic, QStringLiteral("TaskOverlay"), QStringLiteral("none")); }).size(), 0);
}

void tst_TopicStore::removedAndPutAgain()
{
    change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("a"), true)); });
    const TopicEvent removed
        = only([&](ActorTransaction &tx) { tx.remove(m_topic, QStringLiteral("TaskOverlay"), QStringLiteral("a")); });
    QCOMPARE(removed.revision, 2);
    QCOMPARE(removed.removals.size(), 1);
    QCOMPARE(m_store->info(m_topic).count, 0);
    QVERIFY(!m_store->row(m_topic, QStringLiteral("TaskOverlay"), QStringLiteral("a")));
    QCOMPARE(since(removed.generation, 1).removals.size(), 1);
    const TopicEvent back = only([&](ActorTransaction &tx) {
        tx.put(m_topic, overlay(QStringLiteral("a"), true));
        tx.remove(m_topic, QStringLiteral("TaskOverlay"), QStringLiteral("a"));
        tx.put(m_topic, overlay(QStringLiteral("a"), true));
    });
    QCOMPARE(back.upserts.size(), 1);
    QCOMPARE(back.removals.size(), 0);
    QCOMPARE(since(removed.generation, 1).removals.size(), 0);
    QCOMPARE(since(removed.generation, 1).upserts.size(), 1);
}

void tst_TopicStore::catchUpNamesOnlyWhatIsNewer()
{
    for (int i = 0; i < 10; ++i)
        change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QString::number(i), true)); });
    const QString generation = m_store->info(m_topic).generation;
    change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("3"), false)); });
    const ChangesPage page = since(generation, 9);
    QCOMPARE(page.revision, 11);
    QVERIFY(!page.full);
    QCOMPARE(page.upserts.size(), 2);
    QVERIFY(since(generation, 11).upserts.isEmpty());
    QVERIFY(since(generation, 12).full); // a revision that never was
}

void tst_TopicStore::anUnknownGenerationIsFull()
{
    change([&](ActorTransaction &tx) {
        tx.put(m_topic, overlay(QStringLiteral("a"), true));
        tx.put(m_topic, overlay(QStringLiteral("b"), true));
    });
    change([&](ActorTransaction &tx) { tx.remove(m_topic, QStringLiteral("TaskOverlay"), QStringLiteral("b")); });
    for (const QString &generation : {QString(), QStringLiteral("gold")}) {
        const ChangesPage page = since(generation, 1);
        QVERIFY(page.full);
        QCOMPARE(page.upserts.size(), 1);
        QVERIFY(page.removals.isEmpty());
    }
    // A topic that never had an event: full, and empty.
    const ChangesPage none = since(QString(), 0, {}, QStringLiteral("nothing"));
    QVERIFY(none.full && none.upserts.isEmpty() && none.generation.isEmpty());
}

void tst_TopicStore::pagesStayBelowTheLimit()
{
    for (int i = 0; i < 60; ++i) {
        change([&](ActorTransaction &tx) {
            SessionOverlay draft;
            draft.id = SessionId(QString::number(i));
            draft.draft = Draft{QString(30000, QLatin1Char('x'))};
            tx.put(m_topic, draft);
        });
    }
    QStringList ids;
    std::optional<QString> cursor;
    int pages = 0;
    do {
        ChangesSince asked;
        asked.topic = m_topic;
        asked.cursor = cursor;
        const auto json = m_store->changesSince(asked);
        QVERIFY(json);
        QVERIFY(json->size() <= 512 * 1024);
        const auto page = protocol::decodeChangesPage(*json);
        QVERIFY(page);
        QVERIFY(page->full);
        QCOMPARE(page->revision, 60); // of the first page, whatever happens meanwhile
        for (const Entity &row : page->upserts)
            ids.append(protocol::entityId(row));
        if (++pages == 1)
            change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("late"), true)); });
        cursor = page->cursor;
    } while (cursor && pages < 20);
    QVERIFY(pages > 3);
    QCOMPARE(ids.size(), 61);
    QCOMPARE(QSet<QString>(ids.cbegin(), ids.cend()).size(), 61);
}

// What was removed has a name as well, and names may be long paths.
void tst_TopicStore::removalsFillPagesToo()
{
    const auto idOf = [](int n) { return TaskId(QStringLiteral("%1/").arg(n) + QString(2000, QChar(0x4e00))); };
    const QString generation = change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("first"), true)); }).constFirst().generation;
    change([&](ActorTransaction &tx) {
        for (int n = 0; n < 300; ++n)
            tx.put(m_topic, overlay(idOf(n).value, true));
    });
    const qint64 before = m_store->info(m_topic).revision;
    QVERIFY(m_db->begin());
    ActorTransaction tx(*m_db, *m_store, 2000, m_correlation);
    for (int n = 0; n < 300; ++n)
        tx.remove(m_topic, QStringLiteral("TaskOverlay"), idOf(n).value);
    QVERIFY(tx.finish() && m_db->commit());
    tx.publish();
    for (const EncodedEvent &event : tx.takeEvents([](const QString &) { return true; }))
        QVERIFY(event.json.size() <= 512 * 1024);
    int removed = 0;
    int pages = 0;
    ChangesSince asked;
    asked.topic = m_topic;
    asked.generation = generation;
    asked.revision = before;
    do {
        const auto json = m_store->changesSince(asked);
        QVERIFY(json && json->size() <= 512 * 1024);
        const auto page = protocol::decodeChangesPage(*json);
        QVERIFY(page && !page->full);
        removed += int(page->removals.size());
        asked.cursor = page->cursor;
    } while (asked.cursor && ++pages < 20);
    QVERIFY(pages >= 3);
    QCOMPARE(removed, 300);
}

void tst_TopicStore::aRowThatNoMessageCarries()
{
    const auto put = [&](qsizetype length, QChar of) {
        (void)m_db->begin();
        ActorTransaction tx(*m_db, *m_store, 1000, m_correlation);
        SessionOverlay draft;
        draft.id = SessionId(QStringLiteral("s"));
        draft.draft = Draft{QString(length, of)};
        tx.put(m_topic, overlay(QStringLiteral("beside"), true));
        tx.put(m_topic, draft);
        const Result<> done = tx.finish();
        if (!done) {
            m_db->rollback();
            return done.error().key();
        }
        (void)m_db->commit();
        tx.publish();
        qsizetype longest = 0;
        for (const EncodedEvent &event : tx.takeEvents([](const QString &) { return true; }))
            longest = qMax(longest, event.json.size());
        return longest <= 512 * 1024 ? QStringLiteral("fits") : QStringLiteral("too long");
    };
    QCOMPARE(put(600 * 1024, QLatin1Char('x')), QStringLiteral("message.outgoing_too_long"));
    QCOMPARE(put(200 * 1024, QChar(0x4e00)), QStringLiteral("message.outgoing_too_long"));
    QVERIFY(m_store->rows(m_topic, QStringLiteral("TaskOverlay")).isEmpty()); // nothing of that transaction
    QCOMPARE(put(500 * 1024, QLatin1Char('x')), QStringLiteral("fits"));
    ChangesSince asked;
    asked.topic = m_topic;
    const auto page = m_store->changesSince(asked);
    QVERIFY(page && page->size() <= 512 * 1024);
}

void tst_TopicStore::windowedTopics()
{
    const QString topic = QStringLiteral("session/s1");
    for (int i = 0; i < 50; ++i)
        change([&](ActorTransaction &tx) { tx.put(topic, entry(i, QStringLiteral("text %1").arg(i))); });
    const QString generation = m_store->info(topic).generation;
    const ChangesPage unknown = since(QString(), 0, {}, topic);
    QCOMPARE(unknown.count.value_or(-1), 50);
    QCOMPARE(unknown.revision, 50);
    QVERIFY(unknown.upserts.isEmpty());
    QVERIFY(!unknown.full);
    change([&](ActorTransaction &tx) { tx.put(topic, entry(3, QStringLiteral("changed"))); });
    change([&](ActorTransaction &tx) { tx.put(topic, entry(45, QStringLiteral("changed"))); });
    ChangesSince asked;
    asked.topic = topic;
    asked.generation = generation;
    asked.revision = 50;
    asked.windowFrom = 40;
    asked.windowTo = 49;
    const auto json = m_store->changesSince(asked);
    QVERIFY(json);
    const auto page = protocol::decodeChangesPage(*json);
    QVERIFY(page);
    QCOMPARE(page->upserts.size(), 1);
    QCOMPARE(std::get<TranscriptEntry>(page->upserts.first()).index, 45);

    QCOMPARE(m_store->window(topic, std::nullopt, std::nullopt, 5).size(), 5);
    QCOMPARE(std::get<TranscriptEntry>(m_store->window(topic, std::nullopt, std::nullopt, 5).first()).index, 45);
    QCOMPARE(std::get<TranscriptEntry>(m_store->window(topic, 10, std::nullopt, 5).last()).index, 9);
    QCOMPARE(std::get<TranscriptEntry>(m_store->window(topic, std::nullopt, 10, 5).first()).index, 11);
}

void tst_TopicStore::appends()
{
    const QString topic = QStringLiteral("session/s1");
    change([&](ActorTransaction &tx) { tx.put(topic, entry(0, QStringLiteral("Hello"))); });
    const TopicEvent event = only([&](ActorTransaction &tx) {
        tx.append(topic, TextAppend{0, 5, QStringLiteral(", wor")}, entry(0, QStringLiteral("Hello, wor")));
        tx.append(topic, TextAppend{0, 10, QStringLiteral("ld")}, entry(0, QStringLiteral("Hello, world")));
    });
    QCOMPARE(event.revision, 2);
    QVERIFY(event.upserts.isEmpty());
    QCOMPARE(event.appends.size(), 2);
    QCOMPARE(event.appends.last().offset, 10);
    const auto row = m_store->row(topic, QStringLiteral("TranscriptEntry"), QStringLiteral("0"));
    QVERIFY(row);
    QCOMPARE(std::get<TranscriptEntry>(*row).text, QStringLiteral("Hello, world"));
    // With the whole row in the same event the pieces are not said as well.
    const TopicEvent whole = only([&](ActorTransaction &tx) {
        tx.put(topic, entry(1, QStringLiteral("a")));
        tx.append(topic, TextAppend{1, 1, QStringLiteral("b")}, entry(1, QStringLiteral("ab")));
    });
    QCOMPARE(whole.appends.size(), 0);
    QCOMPARE(whole.upserts.size(), 1);
    QCOMPARE(std::get<TranscriptEntry>(whole.upserts.first()).text, QStringLiteral("ab"));
}

void tst_TopicStore::bigTransactionsAreSeveralEvents()
{
    const QList<TopicEvent> events = change([&](ActorTransaction &tx) {
        for (int i = 0; i < 40; ++i) {
            SessionOverlay draft;
            draft.id = SessionId(QString::number(i));
            draft.draft = Draft{QString(30000, QLatin1Char('x'))};
            tx.put(m_topic, draft);
        }
    });
    QVERIFY(events.size() > 2);
    qsizetype rows = 0;
    for (qsizetype i = 0; i < events.size(); ++i) {
        QCOMPARE(events.at(i).revision, i + 1);
        rows += events.at(i).upserts.size();
    }
    QCOMPARE(rows, 40);
    QCOMPARE(m_store->info(m_topic).revision, events.size());
    // Who has seen all but the last event misses just that one's rows.
    QCOMPARE(since(events.first().generation, events.size() - 1).upserts.size(), events.last().upserts.size());
}

void tst_TopicStore::oldTombstonesMeanFull()
{
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("a"), true)); }, now);
    change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("b"), true)); }, now);
    change([&](ActorTransaction &tx) { tx.remove(m_topic, QStringLiteral("TaskOverlay"), QStringLiteral("a")); },
        now - Millis(40) * 24 * 3600 * 1000);
    const QString generation = m_store->info(m_topic).generation;
    QVERIFY(!since(generation, 2).full);
    QVERIFY(m_store->prune(now));
    QVERIFY(since(generation, 2).full);
    QVERIFY(!since(generation, 3).full);
}

void tst_TopicStore::aLostTailIsANewGeneration()
{
    change([&](ActorTransaction &tx) { tx.put(m_topic, overlay(QStringLiteral("a"), true)); });
    const QString before = m_store->info(m_topic).generation;
    TopicStore same(*m_db);
    QVERIFY(same.load(false));
    QCOMPARE(same.info(m_topic).generation, before);
    TopicStore after(*m_db);
    QVERIFY(after.load(true));
    QVERIFY(after.info(m_topic).generation != before);
    QCOMPARE(after.info(m_topic).revision, 1);
}

QTEST_GUILESS_MAIN(tst_TopicStore)
#include "tst_topicstore.moc"
