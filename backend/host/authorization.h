// What a user may do, as a pure function of who they are, their role and what they ask for; and the replica of the
// memberships that it is asked with. Owner and admin: all. Member: all but members, settings and deleting others' tasks.
// The actor `user`: that user alone. Functions: no state. Replica: any thread.
#pragma once

#include "backend/actors/actorcontext.h"
#include "backend/actors/memberships.h"

#include <functional>
#include <optional>
#include <shared_mutex>

namespace foundry::backend {

// The organization whose roles decide about an actor: key[1] of ["org", …], nothing for a user's actor, and `local` for
// what belongs to the machine (the app).
QString organizationOf(const ActorAddress &actor);

// auth.forbidden, or nothing. `role` is the user's in organizationOf(actor).
std::optional<Error> refuseConnection(const QString &user, Role role, const ActorAddress &actor);
std::optional<Error> refuseAction(const QString &user, Role role, const ActorAddress &actor, const QString &action);

class Memberships final : public MembershipSink {
public:
    // The machine's own user owns `local`, whatever else is known.
    Role roleOf(const QString &user, const QString &organization) const;
    // There is such an organization, whoever is in it.
    bool knows(const QString &organization) const;

    void setMemberships(const MembershipTable &all) override;
    void setMembership(const QString &organization, const QString &user, Role role) override;
    // What holders of tokens may do in `local`, all of them: the store of tokens owns that.
    void setTokenRoles(const QHash<QString, Role> &roles);
    // Called after somebody may have lost something, on the thread that said so.
    void onLoss(std::function<void()> lost);

private:
    void tellLoss() const;

    mutable std::shared_mutex m_mutex;
    MembershipTable m_table;
    QHash<QString, Role> m_tokenRoles;
    std::function<void()> m_lost;
};

} // namespace foundry::backend
