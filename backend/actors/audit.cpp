#include "backend/actors/audit.h"

#include "backend/actors/actoraddresses.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>

namespace foundry::backend {

namespace {
constexpr qsizetype kValueLength = 400;
} // namespace

void audit(Transaction &tx, const OrganizationId &organization, const AuditRecord &record)
{
    AuditEvent event;
    event.at = QDateTime::currentMSecsSinceEpoch();
    event.kind = record.kind;
    event.cause = tx.cause().kind;
    event.actorUser = record.actorUser ? record.actorUser : tx.cause().userId;
    event.taskId = record.taskId;
    event.repoId = record.repoId;
    for (auto it = record.payload.cbegin(); it != record.payload.cend(); ++it) {
        if (!it.value().isEmpty())
            event.payload.insert(it.key(), it.value().left(kValueLength));
    }
    tx.send(auditLogAddress(organization), QStringLiteral("event"), protocol::encodeEntity(event));
}

} // namespace foundry::backend
