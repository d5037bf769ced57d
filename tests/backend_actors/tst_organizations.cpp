// Several organizations on one host: made by the app, told to the user, each with actors and folders of its own.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/organizationactor.h"
#include "tests/backend_actors/domainharness.h"

#include <QDir>
#include <QElapsedTimer>
#include <QTest>

using namespace foundry;
using namespace foundry::test;

namespace {

OrganizationId tstorganizationsTeam()
{
    return OrganizationId(QStringLiteral("team"));
}

Result<QByteArray> tstorganizationsMake(DomainHarness &world, const QString &id, const QString &name, const RequestId &request = {})
{
    CreateOrganization command;
    command.requestId = request;
    command.organizationId = OrganizationId(id);
    command.name = name;
    return world.command(backend::appAddress(), QStringLiteral("createOrganization"), command);
}

QStringList tstorganizationsOfUser(DomainHarness &world)
{
    QStringList ids;
    for (const Organization &organization : world.rows<Organization>(backend::userAddress(QStringLiteral("local")), QStringLiteral("app")))
        ids.append(organization.id.value + QLatin1Char(':') + organization.role);
    ids.sort();
    return ids;
}

} // namespace

class TstOrganizations : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void madeOnce();
    void worksLikeLocal();
    void nothingOfUnknownOnes();
    void membersDeleteTheirOwn();
    void aSwitchCostsTheSame();
};

void TstOrganizations::madeOnce()
{
    DomainHarness world;
    world.start();
    const RequestId request = makeId<RequestId>();
    auto made = tstorganizationsMake(world, QStringLiteral("team"), QStringLiteral("  The  team "), request);
    QVERIFY2(made.ok(), made.ok() ? "" : qPrintable(made.error().message));
    const auto row = protocol::decodeValue<Organization>(*made);
    QVERIFY(row.ok());
    QCOMPARE(row->name, QStringLiteral("The team"));
    QCOMPARE(row->role, QStringLiteral("owner"));
    QCOMPARE(tstorganizationsMake(world, QStringLiteral("team"), QStringLiteral("The team"), request).value(), *made);
    for (const char *id : {"team", "local"})
        QCOMPARE(tstorganizationsMake(world, QString::fromLatin1(id), QStringLiteral("x")).error().key(), QStringLiteral("state.conflict"));
    for (const char *id : {"", "..", "a/b", ".hidden", "a b", "naïve"})
        QCOMPARE(tstorganizationsMake(world, QString::fromUtf8(id), QStringLiteral("x")).error().key(), QStringLiteral("input.invalid"));
    QCOMPARE(tstorganizationsMake(world, QStringLiteral("nameless"), QStringLiteral(" ")).error().detail, QStringLiteral("name"));
    const QStringList both{QStringLiteral("local:owner"), QStringLiteral("team:owner")};
    QTRY_COMPARE(tstorganizationsOfUser(world), both);

    // The choice is answered at once and shows on the topic.
    const backend::ActorAddress user = backend::userAddress(QStringLiteral("local"));
    SelectOrganization select;
    select.organizationId = tstorganizationsTeam();
    QVERIFY(world.command(user, QStringLiteral("selectOrganization"), select).ok());
    QCOMPARE(world.rows<User>(user, QStringLiteral("app")).constFirst().activeOrganizationId, tstorganizationsTeam());
    select.organizationId = OrganizationId(QStringLiteral("elsewhere"));
    QCOMPARE(world.command(user, QStringLiteral("selectOrganization"), select).error().key(), QStringLiteral("input.invalid"));

    world.stop();
    world.start();
    QCOMPARE(tstorganizationsOfUser(world), both);
    QCOMPARE(world.rows<Organization>(backend::organizationAddress(tstorganizationsTeam()), QStringLiteral("organization")).constFirst().name,
        QStringLiteral("The team"));
    world.stop();
}

void TstOrganizations::worksLikeLocal()
{
    DomainHarness world;
    world.start();
    QVERIFY(tstorganizationsMake(world, QStringLiteral("team"), QStringLiteral("Team")).ok());
    const backend::ActorAddress team = backend::organizationAddress(tstorganizationsTeam());
    AddRepository add;
    add.repoId = makeId<RepoId>();
    add.path = world.git.makeRepository(QStringLiteral("sample"));
    QVERIFY(world.command(team, QStringLiteral("addRepository"), add).ok());
    QTRY_VERIFY(!world.rows<Repository>(team, QStringLiteral("organization")).isEmpty()
        && world.rows<Repository>(team, QStringLiteral("organization")).constFirst().state == RepositoryState::Ready);
    CreateTask create;
    create.taskId = makeId<TaskId>();
    create.sessionId = makeId<SessionId>();
    create.repoId = add.repoId;
    create.agent = AgentId(QStringLiteral("runner"));
    QVERIFY(world.command(team, QStringLiteral("createTask"), create).ok());
    const backend::ActorAddress task = backend::taskAddress(tstorganizationsTeam(), add.repoId, create.taskId);
    QTRY_VERIFY_WITH_TIMEOUT(world.session(task, create.sessionId) && world.session(task, create.sessionId)->status == SessionStatus::Ready, 30000);
    QVERIFY(QDir(world.dataDir() + QStringLiteral("/organizations/team/worktrees")).exists());
    QVERIFY(!QDir(world.dataDir() + QStringLiteral("/worktrees")).exists());
    // `local` knows nothing of it, its own log does.
    QVERIFY(world.rows<TaskSummary>(world.organization(), QStringLiteral("organization")).isEmpty());
    const auto kindsOf = [&](const OrganizationId &organization) {
        QStringList kinds;
        auto answer = world.call(backend::auditLogAddress(organization), QStringLiteral("list"), "[{}]");
        const auto page = protocol::decodeValue<AuditPage>(answer.ok() ? *answer : QByteArray());
        for (const AuditEvent &event : page.ok() ? page->events : QList<AuditEvent>())
            kinds.append(event.kind + QLatin1Char(':') + event.actorUser.value_or(QString()));
        return kinds;
    };
    QTRY_VERIFY(kindsOf(tstorganizationsTeam()).contains(QStringLiteral("task_created:local")));
    QVERIFY(kindsOf(tstorganizationsTeam()).contains(QStringLiteral("organization_created:local")));
    QVERIFY(kindsOf(OrganizationId(QStringLiteral("local"))).isEmpty());
    world.stop();
}

void TstOrganizations::nothingOfUnknownOnes()
{
    DomainHarness world;
    world.start();
    const OrganizationId nowhere(QStringLiteral("nowhere"));
    for (const backend::ActorAddress &address : {backend::organizationAddress(nowhere), backend::auditLogAddress(nowhere),
             backend::ActorAddress{QStringLiteral("repository"), {QStringLiteral("org"), nowhere.value, QStringLiteral("repo"), QStringLiteral("r")}},
             backend::taskAddress(nowhere, RepoId(QStringLiteral("r")), TaskId(QStringLiteral("t")))}) {
        QCOMPARE(world.call(address, QStringLiteral("revisions"), "[{}]").error().key(), QStringLiteral("actor.not_found"));
    }
    QVERIFY(!QDir(world.dataDir() + QStringLiteral("/organizations")).exists());
    world.stop();
}

void TstOrganizations::membersDeleteTheirOwn()
{
    TaskSummary task;
    task.owner = QStringLiteral("ann");
    using backend::Caller;
    using backend::OrganizationActor;
    using backend::Role;
    QVERIFY(OrganizationActor::mayDelete(Caller{QStringLiteral("ann"), Role::Member}, task).ok());
    QVERIFY(OrganizationActor::mayDelete(Caller{QStringLiteral("bob"), Role::Admin}, task).ok());
    QCOMPARE(OrganizationActor::mayDelete(Caller{QStringLiteral("bob"), Role::Member}, task).error().key(), QStringLiteral("auth.forbidden"));
    task.owner.reset();
    QVERIFY(!OrganizationActor::mayDelete(Caller{QStringLiteral("bob"), Role::Member}, task).ok());

    // And the command asks it.
    DomainHarness world;
    world.start();
    const RepoId repo = world.addRepository(world.git.makeRepository(QStringLiteral("sample")));
    world.caller = Caller{QStringLiteral("ann"), Role::Member};
    const auto made = world.createTask(repo, QString());
    QVERIFY(!made.error);
    DeleteTask command;
    command.taskId = made.task;
    world.caller = Caller{QStringLiteral("bob"), Role::Member};
    QCOMPARE(world.command(world.organization(), QStringLiteral("deleteTask"), command).error().key(), QStringLiteral("auth.forbidden"));
    QVERIFY(!world.summary(made.task)->status.is(TaskStatus::Deleting));
    world.caller = Caller{QStringLiteral("ann"), Role::Member};
    const auto deleted = world.command(world.organization(), QStringLiteral("deleteTask"), command);
    QVERIFY2(deleted, deleted ? "" : qPrintable(deleted.error().message));
    QTRY_VERIFY_WITH_TIMEOUT(!world.summary(made.task), 20000);
    world.stop();
}

void TstOrganizations::aSwitchCostsTheSame()
{
    DomainHarness world;
    world.start();
    const backend::ActorAddress user = backend::userAddress(QStringLiteral("local"));
    const auto statements = [&](const char *of) {
        qint64 all = 0;
        world.metrics.statements.each([&](const QByteArrayList &actor, const backend::Counter &count) {
            if (!of || actor.first() == of)
                all += count.value();
        });
        return all;
    };
    // Until what was begun is over: nothing runs a statement for longer than the runtime puts anything off.
    const auto rest = [&] {
        qint64 last = -1;
        QElapsedTimer still;
        return QTest::qWaitFor([&] {
            if (const qint64 now = statements(nullptr); now != last) {
                last = now;
                still.start();
            }
            return still.elapsed() > 1500;
        }, 60000);
    };
    struct Cost {
        qint64 users = 0;
        qint64 all = 0;
        qint64 events = 0;
        qint64 bytes = 0;
        double worstMs = 0;
    };
    constexpr int switches = 10;
    const auto measure = [&] {
        Cost cost{-statements("user"), -statements(nullptr), -world.ear.events, -world.ear.bytes};
        for (int i = 0; i < switches; ++i) {
            SelectOrganization select;
            select.organizationId = OrganizationId(i % 2 == 0 ? QStringLiteral("org-1") : QStringLiteral("local"));
            double ms = 0;
            if (!world.command(user, QStringLiteral("selectOrganization"), select, &ms).ok())
                qFatal("a switch failed");
            cost.worstMs = qMax(cost.worstMs, ms);
        }
        cost.users += statements("user");
        cost.all += statements(nullptr);
        cost.events += world.ear.events;
        cost.bytes += world.ear.bytes;
        return cost;
    };
    const auto make = [&](int from, int to) {
        for (int i = from; i <= to; ++i)
            QVERIFY(tstorganizationsMake(world, QStringLiteral("org-%1").arg(i), QStringLiteral("Organization %1").arg(i)).ok());
        QTRY_COMPARE_WITH_TIMEOUT(tstorganizationsOfUser(world).size(), to + 1, 60000);
    };
    make(1, 1);
    world.listen(user, QStringLiteral("app"));
    QVERIFY(rest());
    const Cost two = measure();
    make(2, 499);
    QVERIFY(rest());
    const Cost many = measure();
    QCOMPARE(many.users, two.users);
    QCOMPARE(many.all, two.all); // and no other actor had to do with it
    QCOMPARE(two.all, two.users);
    QCOMPARE(two.events, switches);
    QCOMPARE(many.events, switches);
    QVERIFY2(qAbs(many.bytes - two.bytes) <= switches * 8, qPrintable(QStringLiteral("%1 %2").arg(two.bytes).arg(many.bytes))); // digits of revisions
    QVERIFY(many.worstMs < 1000);
    world.stop();
}

QTEST_GUILESS_MAIN(TstOrganizations)
#include "tst_organizations.moc"
