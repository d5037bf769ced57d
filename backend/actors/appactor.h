// The app actor: the host itself. Topic `host` with one HostStatus, changed only when there is something to see.
// It keeps the index of organizations and their members, for the door of the host: an organization tells it with the send
// "membership" ({"organization","user","role","revision"}; no role takes the user out). Sandboxes tell it what they use with the send "usage" ({"agentsRunning":n,"tasksDiskBytes":n}, what this sender has).
#pragma once

#include "backend/actors/actor.h"
#include "models/types/commands.h"

namespace foundry::backend {

class AppActor final : public Actor {
public:
    // `members` outlives the actor.
    AppActor(ActorContext &context, QString version, QString instance, MembershipSink *members = nullptr);

    QStringList migrations() const override;
    void started() override;
    void registerActions(ActionTable &table) override;
    Result<> received(Transaction &tx, const Send &send) override;

private:
    void putStatus(Transaction &tx);
    void tellMemberships();
    Result<QByteArray> createOrganization(Transaction &tx, const Caller &caller, const CreateOrganization &command);
    Result<> membership(Transaction &tx, const QByteArray &json);
    // One that lost what it had stored is told its name and its owner.
    Result<> organizationLost(Transaction &tx, const ActorAddress &organization);
    QByteArray whoami(const Caller &caller) const;
    QByteArray metrics() const;

    const QString m_version;
    const QString m_instance;
    MembershipSink *const m_members;
    double m_load = 0;
};

} // namespace foundry::backend
