#include "backend/actors/appactor.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/organizationmessages.h"
#include "backend/observe/metrics.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/keys.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QTimer>

#include <cmath>
#include <cstdlib>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcApp, "foundry.actors.app")

namespace {

constexpr int kLoadEveryMs = 60000;

double appactorLoad()
{
    double load[1] = {0};
    return getloadavg(load, 1) == 1 ? std::round(load[0] * 2) / 2 : 0; // in halves: coarse changes only
}

QByteArray appactorJson(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

} // namespace

AppActor::AppActor(ActorContext &context, QString version, QString instance, MembershipSink *members)
    : Actor(context)
    , m_version(std::move(version))
    , m_instance(std::move(instance))
    , m_members(members)
{
}

QStringList AppActor::migrations() const
{
    return {QStringLiteral("CREATE TABLE usage(sender TEXT PRIMARY KEY, agents INTEGER NOT NULL, bytes INTEGER NOT NULL)"),
        QStringLiteral("CREATE TABLE organizations(id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;"
                       "CREATE TABLE members(organization TEXT NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL,"
                       " source_revision INTEGER NOT NULL, PRIMARY KEY(organization, user)) WITHOUT ROWID;"),
        QStringLiteral("CREATE TABLE usage_counted(instance TEXT PRIMARY KEY) WITHOUT ROWID;")};
}

void AppActor::started()
{
    tellMemberships();
    // Agents do not outlive the host that counted them.
    const auto refresh = [this](bool fresh) {
        auto written = context().transaction([&](Transaction &tx) -> Result<> {
            if (fresh) {
                // This actor sleeps and starts again while they run.
                bool isSame = false;
                if (auto q = tx.database().query("SELECT 1 FROM usage_counted WHERE instance = ?", m_instance); q.next())
                    isSame = true;
                if (!isSame) {
                    if (auto cleared = tx.database().run("UPDATE usage SET agents = 0"); !cleared)
                        return cleared;
                    tx.database().run("DELETE FROM usage_counted");
                    tx.database().run("INSERT INTO usage_counted(instance) VALUES(?)", m_instance);
                }
            }
            putStatus(tx);
            return Unit{};
        });
        if (!written)
            qCWarning(lcApp, "the host's status cannot be written: %ls", qUtf16Printable(written.error().message));
    };
    m_load = appactorLoad();
    refresh(true);
    auto *timer = new QTimer(context().owner());
    timer->setTimerType(Qt::VeryCoarseTimer);
    QObject::connect(timer, &QTimer::timeout, context().owner(), [this, refresh] {
        if (context().subscriberCount(QStringLiteral("host")) == 0)
            return;
        const double load = appactorLoad();
        if (load == m_load)
            return;
        m_load = load;
        refresh(false);
    });
    timer->start(kLoadEveryMs);
}

void AppActor::putStatus(Transaction &tx)
{
    HostStatus status;
    status.version = m_version;
    status.load = m_load;
    if (auto q = tx.database().query("SELECT coalesce(sum(agents), 0), coalesce(sum(bytes), 0) FROM usage"); q.next()) {
        status.agentsRunning = q.integer(0);
        status.tasksDiskBytes = q.integer(1);
    }
    tx.put(QStringLiteral("host"), status);
}

void AppActor::registerActions(ActionTable &table)
{
    table.read(QStringLiteral("whoami"),
        [this](const Caller &caller, QByteArrayView) -> Result<QByteArray> { return whoami(caller); });
    table.read(QStringLiteral("metrics"), [this](const Caller &, QByteArrayView) -> Result<QByteArray> { return metrics(); });
    const auto later = [](const QString &what) {
        return [what](Transaction &, const Caller &, QByteArrayView) -> Result<QByteArray> {
            return makeError(QLatin1StringView("state"), QLatin1StringView("not_available"), what);
        };
    };
    table.command(QStringLiteral("createOrganization"),
        [this](Transaction &tx, const Caller &caller, QByteArrayView args) -> Result<QByteArray> {
            auto command = protocol::decodeArgs<CreateOrganization>(args);
            return command ? createOrganization(tx, caller, *command) : Result<QByteArray>(command.error());
        });
    table.command(QStringLiteral("beginSignIn"), later(QStringLiteral("This host does not offer a sign-in yet.")));
    table.command(QStringLiteral("completeSignIn"), later(QStringLiteral("This host does not offer a sign-in yet.")));
}

QByteArray AppActor::whoami(const Caller &caller) const
{
    return appactorJson({{QStringLiteral("userId"), caller.userId}, {QStringLiteral("role"), roleText(caller.role)},
        {QStringLiteral("hostVersion"), m_version}, {QStringLiteral("hostInstance"), m_instance}});
}

QByteArray AppActor::metrics() const
{
    qint64 agents = 0;
    if (auto q = context().database().query("SELECT coalesce(sum(agents), 0) FROM usage"); q.next())
        agents = q.integer(0);
    QJsonObject all{{QStringLiteral("residentBytes"), HostMetrics::residentBytes()}, {QStringLiteral("agentsRunning"), agents},
        {QStringLiteral("hostVersion"), m_version}};
    all.insert(QStringLiteral("figures"), QJsonDocument::fromJson(context().metrics().json()).object());
    return appactorJson(all);
}

void AppActor::tellMemberships()
{
    if (!m_members)
        return;
    MembershipTable all;
    auto q = context().database().query("SELECT organization, user, role FROM members");
    while (q.next()) {
        auto &users = all[q.text(0)];
        if (const Role role = roleFromText(q.text(2)); role != Role::None)
            users.insert(q.text(1), role);
    }
    m_members->setMemberships(all);
}

Result<QByteArray> AppActor::createOrganization(Transaction &tx, const Caller &caller, const CreateOrganization &command)
{
    const QString id = command.organizationId.value;
    const QString name = command.name.simplified();
    if (!isOrganizationId(id))
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("An organization's id has at most 64 letters, digits, dots, hyphens and underscores, and begins with a "
                           "letter or a digit."),
            QStringLiteral("Choose another id."), QStringLiteral("organizationId"));
    if (name.isEmpty() || name.size() > 100)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("An organization needs a name of at most 100 characters."), {}, QStringLiteral("name"));
    bool taken = id == QLatin1StringView("local");
    if (auto q = tx.database().query("SELECT 1 FROM organizations WHERE id = ?", id); q.next())
        taken = true;
    if (taken)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("There is an organization “%1” already.").arg(id), QStringLiteral("Choose another id."));
    if (auto kept = tx.database().run("INSERT INTO organizations(id, name, created_at) VALUES(?, ?, ?)", id, name,
            QDateTime::currentMSecsSinceEpoch());
        !kept)
        return kept.error();
    // The maker may connect as soon as there is an answer; what the organization says of its members comes after.
    if (auto kept = tx.database().run("INSERT INTO members(organization, user, role, source_revision) VALUES(?, ?, 'owner', 0)", id,
            caller.userId);
        !kept)
        return kept.error();
    tx.send(organizationAddress(command.organizationId), QStringLiteral("create"),
        encodeOrganizationCreation({name, caller.userId}));
    tx.afterCommit([this, id, user = caller.userId] {
        if (m_members)
            m_members->setMembership(id, user, Role::Owner);
    });
    Organization organization;
    organization.id = command.organizationId;
    organization.name = name;
    organization.kind = OrganizationKind::Organization;
    organization.role = roleText(Role::Owner);
    return protocol::encodeValue(organization);
}

Result<> AppActor::membership(Transaction &tx, const QByteArray &json)
{
    const auto told = decodeMembership(json);
    if (!told)
        return told.error();
    if (auto q = tx.database().query("SELECT source_revision FROM members WHERE organization = ? AND user = ?", told->organization,
            told->user);
        q.next() && q.integer(0) >= told->revision)
        return Unit{}; // older than what is known
    // One who has gone stays as a row without a role: what was said before must not bring them back.
    auto kept = tx.database().run("INSERT INTO members(organization, user, role, source_revision) VALUES(?, ?, ?, ?) "
                                  "ON CONFLICT(organization, user) DO UPDATE SET role = excluded.role, "
                                  "source_revision = excluded.source_revision",
        told->organization, told->user, roleText(told->role), told->revision);
    tx.afterCommit([this, told = *told] {
        if (m_members)
            m_members->setMembership(told.organization, told.user, told.role);
    });
    return kept;
}

Result<> AppActor::organizationLost(Transaction &tx, const ActorAddress &organization)
{
    OrganizationCreation creation;
    {
        auto q = tx.database().query("SELECT o.name, m.user FROM organizations o JOIN members m ON m.organization = o.id WHERE o.id = ? AND m.role = 'owner'"
                                     " ORDER BY m.source_revision LIMIT 1",
            organization.key.value(1));
        if (q.next())
            creation = {q.text(0), q.text(1)};
    }
    if (!creation.owner.isEmpty())
        tx.send(organization, QStringLiteral("create"), encodeOrganizationCreation(creation));
    return Unit{};
}

Result<> AppActor::received(Transaction &tx, const Send &send)
{
    if (send.name == QLatin1StringView("membership"))
        return membership(tx, send.json);
    if (send.name == QLatin1StringView("organizationLost"))
        return organizationLost(tx, send.from);
    if (send.name != QLatin1StringView("usage"))
        return Actor::received(tx, send);
    const QJsonObject usage = QJsonDocument::fromJson(send.json).object();
    auto kept = tx.database().run("INSERT INTO usage(sender, agents, bytes) VALUES(?, ?, ?) "
                                  "ON CONFLICT(sender) DO UPDATE SET agents = excluded.agents, bytes = excluded.bytes",
        protocol::encodeKey(send.from.key), usage.value(QLatin1StringView("agentsRunning")).toInteger(),
        usage.value(QLatin1StringView("tasksDiskBytes")).toInteger());
    if (kept)
        putStatus(tx);
    return kept;
}

} // namespace foundry::backend
