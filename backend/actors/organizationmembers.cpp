// How an organization comes into being, and who is in it: it owns its members, and tells each of them and the app's index.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/audit.h"
#include "backend/actors/organizationactor.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

namespace foundry::backend {

Result<> OrganizationActor::create(Transaction &tx, const OrganizationCreation &creation)
{
    if (context().row(topic(), QStringLiteral("Organization"), organizationId().value))
        return Unit{};
    tx.setCause(Cause{QStringLiteral("command"), {}, creation.owner});
    Organization organization;
    organization.id = organizationId();
    organization.name = creation.name;
    organization.kind = OrganizationKind::Organization;
    organization.role = roleText(Role::Owner);
    tx.put(topic(), organization);
    if (context().lostStorage().isEmpty()) // else it is made good, not made
        audit(tx, organizationId(), {auditkind::organizationCreated, {}, {}, {{QStringLiteral("name"), creation.name}}});
    return setMember(tx, creation.owner, Role::Owner);
}

Result<> OrganizationActor::setMember(Transaction &tx, const QString &user, Role role)
{
    qint64 revision = 1;
    if (auto q = tx.database().query("SELECT revision FROM members WHERE user = ?", user); q.next())
        revision = q.integer(0) + 1;
    auto kept = tx.database().run("INSERT INTO members(user, role, revision) VALUES(?, ?, ?) "
                                  "ON CONFLICT(user) DO UPDATE SET role = excluded.role, revision = excluded.revision",
        user, roleText(role), revision);
    if (!kept)
        return kept;
    tx.send(appAddress(), QStringLiteral("membership"), encodeMembership({organizationId().value, user, role, revision}));
    const auto entity = context().row(topic(), QStringLiteral("Organization"), organizationId().value);
    const auto *stored = entity ? std::get_if<Organization>(&*entity) : nullptr;
    if (role == Role::None || !stored) {
        tx.send(userAddress(user), QStringLiteral("organizationRemoved"), encodeOrganizationRemoved(organizationId()));
    } else {
        Organization organization = *stored;
        organization.role = roleText(role);
        tx.send(userAddress(user), QStringLiteral("organization"), protocol::encodeValue(organization));
    }
    return Unit{};
}

Result<> OrganizationActor::mayDelete(const Caller &caller, const TaskSummary &task)
{
    if (caller.isHost || caller.role >= Role::Admin || task.owner == caller.userId)
        return Unit{};
    return makeError(QLatin1StringView("auth"), QLatin1StringView("forbidden"), QStringLiteral("This task is somebody else's."),
        QStringLiteral("Ask its owner, or an owner or admin of the organization."));
}

} // namespace foundry::backend
