// The audit log, told by real actors and read as a client reads it.
#include "backend/actors/actoraddresses.h"
#include "tests/backend_actors/domainharness.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <algorithm>

using namespace foundry;
using namespace foundry::test;

namespace {

backend::ActorAddress tstauditLog()
{
    return backend::auditLogAddress(OrganizationId(QStringLiteral("local")));
}

AuditPage tstauditList(DomainHarness &world, const ListAudit &asked)
{
    auto answer = world.call(tstauditLog(), QStringLiteral("list"), protocol::encodeArgs(asked));
    if (!answer)
        qFatal("%ls", qUtf16Printable(answer.error().message));
    auto page = protocol::decodeValue<AuditPage>(*answer);
    if (!page)
        qFatal("%ls", qUtf16Printable(page.error().message));
    return *page;
}

QStringList tstauditKinds(const QList<AuditEvent> &events)
{
    QStringList kinds;
    for (const AuditEvent &event : events)
        kinds.append(event.kind);
    return kinds;
}

// Every page to the end, newest first.
QList<AuditEvent> tstauditAll(DomainHarness &world, ListAudit asked, int *pages = nullptr)
{
    QList<AuditEvent> all;
    for (int i = 0; i < 1000; ++i) {
        const AuditPage page = tstauditList(world, asked);
        all += page.events;
        if (pages)
            *pages = i + 1;
        if (!page.next)
            return all;
        asked.before = page.next;
    }
    qFatal("pages without end");
}

} // namespace

class TstAudit : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aTaskLeavesItsTrace();
    void pagesFiltersAndExport();
    void catchesUpByWindow();
};

void TstAudit::aTaskLeavesItsTrace()
{
    DomainHarness world;
    world.start();
    const RepoId repo = world.addRepository(world.git.makeRepository(QStringLiteral("sample")));
    const auto made = world.createTask(repo, QStringLiteral("/write NOTES.md\n```\nCANARY-4711\n```"));
    QVERIFY2(!made.error, made.error ? qPrintable(made.error->message) : "");
    QVERIFY(world.answerPermission(made, QStringLiteral("allow_once")));
    QVERIFY(world.waitForStatus(made, SessionStatus::Idle));
    QVERIFY(world.command(made.address, QStringLiteral("closeSession"), CloseSession{{}, made.session}).ok());

    ListAudit ofTask;
    ofTask.filters.taskId = made.task;
    QTRY_VERIFY(tstauditKinds(tstauditAll(world, ofTask)).contains(QStringLiteral("session_closed")));
    QList<AuditEvent> events = tstauditAll(world, ofTask);
    std::reverse(events.begin(), events.end());
    const QStringList kinds = tstauditKinds(events);
    for (const char *once : {"task_created", "session_created", "prompt_sent", "permission_answered", "session_closed"})
        QCOMPARE(kinds.count(QLatin1StringView(once)), 1);
    QVERIFY(kinds.count(QStringLiteral("stage_done")) >= 5);
    QVERIFY(!kinds.contains(QStringLiteral("stage_failed")));
    for (const AuditEvent &event : std::as_const(events)) {
        QCOMPARE(event.repoId, std::optional(repo));
        QVERIFY(event.at > 0);
        const bool byUser = event.kind != QLatin1StringView("stage_done");
        QCOMPARE(event.actorUser, byUser ? std::optional(QStringLiteral("local")) : std::nullopt);
        for (const QString &value : event.payload)
            QVERIFY2(!value.contains(QStringLiteral("CANARY")), qPrintable(event.kind));
    }
    QCOMPARE(events.last().cause, QStringLiteral("command"));

    // Nothing is lost or doubled by a restart.
    const qint64 count = tstauditList(world, {}).count;
    world.stop();
    world.start();
    QCOMPARE(tstauditList(world, {}).count, count);
    world.stop();
}

void TstAudit::pagesFiltersAndExport()
{
    DomainHarness world;
    world.start();
    const backend::ActorAddress user = backend::userAddress(QStringLiteral("local"));
    constexpr int changes = 23;
    for (int i = 0; i < changes; ++i) {
        SetDefaults command;
        command.defaults.agent = AgentId(QStringLiteral("agent-%1").arg(i));
        QVERIFY(world.command(user, QStringLiteral("setDefaults"), command).ok());
    }
    const RepoId repo = world.addRepository(world.git.makeRepository(QStringLiteral("sample")));
    QTRY_COMPARE(tstauditList(world, {}).count, changes + 1);

    int pages = 0;
    ListAudit paged;
    paged.limit = 5;
    const QList<AuditEvent> all = tstauditAll(world, paged, &pages);
    QCOMPARE(pages, 5);
    QCOMPARE(all.size(), changes + 1);
    for (int i = 0; i < all.size(); ++i)
        QCOMPARE(all.at(i).index, changes - i);

    ListAudit filtered;
    filtered.limit = 10;
    filtered.filters.kind = QStringLiteral("defaults_changed");
    filtered.filters.actorUser = QStringLiteral("local");
    QCOMPARE(tstauditAll(world, filtered).size(), changes);
    filtered.filters.repoId = repo;
    QCOMPARE(tstauditAll(world, filtered).size(), 0);
    filtered.filters.kind.reset();
    QCOMPARE(tstauditKinds(tstauditAll(world, filtered)), QStringList{QStringLiteral("repository_added")});
    filtered.filters.actorUser = QStringLiteral("somebody else");
    QCOMPARE(tstauditAll(world, filtered).size(), 0);

    QByteArray lines;
    ExportAudit asked;
    asked.limit = 7;
    for (int i = 0; i < 10; ++i) {
        auto answer = world.call(tstauditLog(), QStringLiteral("exportLines"), protocol::encodeArgs(asked));
        QVERIFY(answer.ok());
        const auto part = protocol::decodeValue<AuditExport>(*answer);
        QVERIFY(part.ok());
        lines += part->lines.toUtf8();
        asked.after = part->next;
        if (!part->next)
            break;
    }
    QList<QByteArray> parts = lines.split('\n');
    QVERIFY(parts.takeLast().isEmpty());
    QCOMPARE(parts.size(), changes + 1);
    for (int i = 0; i < parts.size(); ++i) {
        const QJsonObject line = QJsonDocument::fromJson(parts.at(i)).object();
        QCOMPARE(line.value(QLatin1StringView("index")).toInt(-1), i);
        QVERIFY(!line.value(QLatin1StringView("kind")).toString().isEmpty());
    }
    world.stop();
}

void TstAudit::catchesUpByWindow()
{
    DomainHarness world;
    world.start();
    const backend::ActorAddress user = backend::userAddress(QStringLiteral("local"));
    for (int i = 0; i < 6; ++i)
        QVERIFY(world.command(user, QStringLiteral("setDefaults"), SetDefaults{}).ok());
    QTRY_COMPARE(tstauditList(world, {}).count, 6);
    const auto ask = [&](const ChangesSince &since) {
        const auto answer = world.call(tstauditLog(), QStringLiteral("changesSince"), protocol::encodeArgs(since));
        return protocol::decodeChangesPage(answer.ok() ? *answer : QByteArray()).value();
    };
    ChangesSince since;
    since.topic = QStringLiteral("audit");
    const ChangesPage unknown = ask(since);
    QCOMPARE(unknown.count, std::optional<qint64>(6));
    QVERIFY(unknown.upserts.isEmpty()); // a windowed topic never sends all
    since.generation = unknown.generation;
    since.revision = 2;
    since.windowFrom = 1;
    since.windowTo = 4;
    const ChangesPage page = ask(since);
    QList<qint64> indexes;
    for (const Entity &entity : page.upserts)
        indexes.append(std::get<AuditEvent>(entity).index);
    QCOMPARE(indexes, (QList<qint64>{2, 3, 4})); // newer than revision 2 (index 0 and 1), inside the window
    world.stop();
}

QTEST_GUILESS_MAIN(TstAudit)
#include "tst_audit.moc"
