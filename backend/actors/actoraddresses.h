// Names and keys of the actors, in one place.
#pragma once

#include "backend/actors/actorcontext.h"
#include "models/types/ids.h"

namespace foundry::backend {

ActorAddress organizationAddress(const OrganizationId &organization);
ActorAddress taskAddress(const OrganizationId &organization, const RepoId &repo, const TaskId &task);
ActorAddress sandboxAddress(const OrganizationId &organization, const SandboxId &sandbox);
ActorAddress auditLogAddress(const OrganizationId &organization);
ActorAddress appAddress();
ActorAddress userAddress(const QString &accountId);

} // namespace foundry::backend
