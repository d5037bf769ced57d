// The user actor: who this user is, which organizations they are in, and the overlay (what they have seen, ordered and
// drafted). Topics `app` and `overlay`. An organization tells it about itself with the send "organization" (an
// Organization row as encodeValue writes it) and "organizationRemoved" ({"id"}).
#pragma once

#include "backend/actors/actor.h"

namespace foundry::backend {

class UserActor final : public Actor {
public:
    // `displayName`: what the machine calls its user; used at the first start only. `role`: theirs in `local`.
    UserActor(ActorContext &context, QString displayName, Role role = Role::Owner);

    void started() override;
    void registerActions(ActionTable &table) override;
    Result<> received(Transaction &tx, const Send &send) override;

private:
    Result<QByteArray> selectOrganization(Transaction &tx, QByteArrayView args);
    Result<QByteArray> setDefaults(Transaction &tx, QByteArrayView args);
    Result<QByteArray> updateDraft(Transaction &tx, QByteArrayView args);
    template <class Command, class Change>
    Result<QByteArray> changeTask(Transaction &tx, QByteArrayView args, Change change);
    QString accountId() const { return context().address().key.value(1); }

    const QString m_displayName;
    const Role m_role;
};

} // namespace foundry::backend
