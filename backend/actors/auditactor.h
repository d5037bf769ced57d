// The audit log of one organization: append-only events, dense by index, told by the other actors with the send "event"
// (backend/actors/audit.h). Windowed topic `audit`; paged reads by filter; export as JSON lines. Nothing changes or
// removes an event.
#pragma once

#include "backend/actors/actor.h"
#include "models/types/audit.h"

namespace foundry::backend {

class AuditActor final : public Actor {
public:
    using Actor::Actor;

    QStringList migrations() const override;
    void registerActions(ActionTable &table) override;
    Result<> received(Transaction &tx, const Send &send) override;

    static QString topic() { return QStringLiteral("audit"); }

private:
    Result<QByteArray> list(const ListAudit &asked) const;
    Result<QByteArray> exportLines(const ExportAudit &asked) const;
    // Indexes before `before` that the filters let through, newest first; `next`: where to go on.
    QList<qint64> matching(const ListAudit &asked, qint64 limit, std::optional<qint64> *next) const;
    std::optional<AuditEvent> event(qint64 index) const;
};

} // namespace foundry::backend
