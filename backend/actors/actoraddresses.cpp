#include "backend/actors/actoraddresses.h"

namespace foundry::backend {

ActorAddress organizationAddress(const OrganizationId &organization)
{
    return {QStringLiteral("organization"), {QStringLiteral("org"), organization.value}};
}

ActorAddress taskAddress(const OrganizationId &organization, const RepoId &repo, const TaskId &task)
{
    return {QStringLiteral("task"),
        {QStringLiteral("org"), organization.value, QStringLiteral("task"), repo.value, task.value}};
}

ActorAddress sandboxAddress(const OrganizationId &organization, const SandboxId &sandbox)
{
    return {QStringLiteral("sandbox"), {QStringLiteral("org"), organization.value, QStringLiteral("sandbox"), sandbox.value}};
}

ActorAddress auditLogAddress(const OrganizationId &organization)
{
    return {QStringLiteral("audit-log"), {QStringLiteral("org"), organization.value, QStringLiteral("audit-log")}};
}

ActorAddress appAddress()
{
    return {QStringLiteral("app"), {QStringLiteral("app")}};
}

ActorAddress userAddress(const QString &accountId)
{
    return {QStringLiteral("user"), {QStringLiteral("user"), accountId}};
}

} // namespace foundry::backend
