// The audit log, told by real actors and read as a client reads it.
#include "backend/actors/actoraddresses.h"
#include "models/types/lifecycle.h"
#include "models/types/processcommands.h"
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
    void everyKindAsItWas();
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

// Each kind once, with who and why; what was asked for and did not happen leaves nothing.
void TstAudit::everyKindAsItWas()
{
    DomainHarness world;
    world.start();
    const RepoId repo = world.addRepository(world.git.makeRepository(QStringLiteral("sample")));
    const auto with = [&](const AgentId &agent, const QString &prompt) {
        return world.createTask(repo, prompt, [&](CreateTask &task) { task.agent = agent; });
    };
    const auto done = [](const Result<QByteArray> &answer) {
        if (!answer)
            qWarning("%ls: %ls", qUtf16Printable(answer.error().key()), qUtf16Printable(answer.error().message));
        return answer.ok();
    };
    const auto openQuestion = [&](const DomainHarness::Made &made) {
        for (const Attention &one : world.rows<Attention>(world.organization(), QStringLiteral("organization"))) {
            if (one.taskId == made.task && one.reason.is(AttentionReason::Question))
                return one.requestId.value_or(QString());
        }
        return QString();
    };

    const auto asked = with(world.addScriptedAgent(QStringLiteral("question")), QStringLiteral("build"));
    QTRY_VERIFY_WITH_TIMEOUT(!openQuestion(asked).isEmpty(), 30000);
    AnswerQuestion answer;
    answer.sessionId = asked.session;
    answer.questionRequestId = openQuestion(asked);
    answer.answer = QStringLiteral("decline");
    QVERIFY(done(world.command(asked.address, QStringLiteral("answerQuestion"), answer)));
    const auto cut = with(AgentId(QStringLiteral("scripted-question")), QStringLiteral("build"));
    QTRY_VERIFY_WITH_TIMEOUT(!openQuestion(cut).isEmpty(), 30000);
    QVERIFY(done(world.command(cut.address, QStringLiteral("cancelTurn"), CancelTurn{{}, cut.session})));
    QVERIFY(world.waitForStatus(cut, SessionStatus::Idle));
    QVERIFY(done(world.command(cut.address, QStringLiteral("cancelTurn"), CancelTurn{{}, cut.session}))); // nothing is open

    const auto set = with(world.addScriptedAgent(QStringLiteral("options")), QString());
    QVERIFY(done(world.command(set.address, QStringLiteral("setModel"), SetModel{{}, set.session, QStringLiteral("m2")})));
    QVERIFY(done(world.command(set.address, QStringLiteral("setMode"), SetMode{{}, set.session, QStringLiteral("default")})));
    QVERIFY(done(world.command(set.address, QStringLiteral("setOption"), SetOption{{}, set.session, QStringLiteral("effort"), QStringLiteral("high")})));

    const auto crashed = with(world.addScriptedAgent(QStringLiteral("crash")), QStringLiteral("hello"));
    QVERIFY(world.waitForStatus(crashed, SessionStatus::Error));

    const auto clash = world.createTask(repo, QString(), [](CreateTask &task) { task.branch = QStringLiteral("main"); });
    QVERIFY(world.waitForStatus(clash, SessionStatus::Error));
    const auto failedStage = [&] {
        for (const Stage &stage : world.rows<Stage>(clash.address, QStringLiteral("task"))) {
            if (stage.state == StageState::Failed)
                return stage;
        }
        return Stage{};
    };
    QVERIFY(done(world.command(clash.address, QStringLiteral("retryStage"), RetryStage{{}, failedStage().id})));
    QTRY_COMPARE_WITH_TIMEOUT(failedStage().attempt, 2, 30000);

    const auto slow = with(world.addScriptedAgent(QStringLiteral("mute")), QString());
    QVERIFY(done(world.command(slow.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{})));
    QVERIFY(done(world.command(slow.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{}))); // nothing goes on

    const QString hooked = world.git.makeRepository(QStringLiteral("hooked"));
    world.git.write(hooked, QStringLiteral(".git/hooks/pre-commit"), "#!/bin/sh\n", true);
    const RepoId other = world.addRepository(hooked);
    TrustRepository trust;
    trust.repoId = other;
    trust.version = world.repository(other)->trustVersion.value_or(QString());
    QVERIFY(done(world.command(world.organization(), QStringLiteral("trustRepository"), trust)));
    RemoveRepository removal;
    removal.repoId = other;
    QVERIFY(done(world.command(world.organization(), QStringLiteral("removeRepository"), removal)));

    const auto made = world.createTask(repo, QStringLiteral("/write NOTES.md\n```\nCANARY-4711\n```"));
    QVERIFY(world.answerPermission(made, QStringLiteral("allow_once")));
    QVERIFY(world.waitForStatus(made, SessionStatus::Idle));
    QVERIFY(done(world.command(made.address, QStringLiteral("cancelProvisioning"), CancelProvisioning{}))); // all is there
    RenameTask rename;
    rename.title = QStringLiteral("Other");
    QVERIFY(done(world.command(made.address, QStringLiteral("renameTask"), rename)));
    CreateProcess process;
    process.processId = makeId<ProcessId>();
    process.command = QStringLiteral("true");
    process.args = {QStringLiteral("CANARY-4711")};
    QVERIFY(done(world.command(backend::sandboxAddress(OrganizationId(QStringLiteral("local")), SandboxId(made.task.value)), QStringLiteral("createProcess"), process)));
    const auto completed = [&](const char *kind) {
        for (const Job &job : world.rows<Job>(made.address, QStringLiteral("task"))) {
            if (job.kind == QLatin1StringView(kind) && job.status == JobStatus::Completed)
                return true;
        }
        return false;
    };
    Commit commit;
    commit.message = QStringLiteral("CANARY-4711");
    QVERIFY(done(world.command(made.address, QStringLiteral("commit"), commit)));
    QTRY_VERIFY_WITH_TIMEOUT(completed("commit"), 30000);
    const auto order = [&](const char *action, auto command) {
        command.taskId = made.task;
        return done(world.command(world.organization(), QString::fromLatin1(action), command));
    };
    const auto status = [&] { return world.summary(made.task).value_or(TaskSummary{}).status.text(); };
    QVERIFY(order("archiveTask", ArchiveTask{}));
    QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("archived"), 30000);
    QVERIFY(order("unarchiveTask", UnarchiveTask{}));
    QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("idle"), 30000);
    QVERIFY(order("deleteTask", DeleteTask{}));
    QTRY_VERIFY_WITH_TIMEOUT(!world.summary(made.task), 30000);
    QVERIFY(order("restoreTask", RestoreTask{}));
    QTRY_COMPARE_WITH_TIMEOUT(status(), QStringLiteral("idle"), 30000);

    struct Expected {
        const char *kind;
        std::optional<TaskId> task;
        const char *actor; // empty: nobody
        const char *cause;
        qsizetype times = 1;
    };
    const QList<Expected> all{
        {"question_answered", asked.task, "local", "command"},
        {"turn_cancelled", cut.task, "local", "command"},
        {"model_changed", set.task, "local", "command"},
        {"mode_changed", set.task, "local", "command"},
        {"option_changed", set.task, "local", "command"},
        {"session_failed", crashed.task, "", "agent"},
        {"stage_failed", clash.task, "", "workflow", 2},
        {"stage_retried", clash.task, "local", "command"},
        {"provisioning_cancelled", slow.task, "local", "command"},
        {"repository_trusted", std::nullopt, "local", "command"},
        {"repository_removed", std::nullopt, "local", "command"},
        {"task_renamed", made.task, "local", "command"},
        {"process_started", made.task, "local", "command"},
        {"committed", made.task, "local", "workflow"},
        {"task_archived", made.task, "local", "workflow"},
        {"task_unarchived", made.task, "local", "workflow"},
        {"task_deleted", made.task, "local", "workflow"},
        {"task_restored", made.task, "local", "workflow"},
        {"turn_cancelled", made.task, "", "", 0},
        {"provisioning_cancelled", made.task, "", "", 0},
    };
    for (const Expected &expected : all) {
        ListAudit filter;
        filter.filters.kind = QString::fromLatin1(expected.kind);
        filter.filters.taskId = expected.task;
        QTRY_VERIFY2_WITH_TIMEOUT(tstauditAll(world, filter).size() >= expected.times, expected.kind, 10000);
        const QList<AuditEvent> events = tstauditAll(world, filter);
        QVERIFY2(events.size() == expected.times, qPrintable(QStringLiteral("%1: %2").arg(QString::fromLatin1(expected.kind)).arg(events.size())));
        for (const AuditEvent &event : events) {
            QVERIFY2(event.actorUser.value_or(QString()) == QLatin1StringView(expected.actor), expected.kind);
            QVERIFY2(event.cause == QLatin1StringView(expected.cause), qPrintable(event.kind + QLatin1Char(' ') + event.cause));
            for (const QString &value : event.payload)
                QVERIFY2(!value.contains(QStringLiteral("CANARY")), expected.kind);
        }
    }
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
