// The app actor: the host itself. Topic `host` with one HostStatus, changed only when there is something to see.
// Sandboxes tell it what they use with the send "usage" ({"agentsRunning":n,"tasksDiskBytes":n}, what this sender has).
#pragma once

#include "backend/actors/actor.h"

namespace foundry::backend {

class AppActor final : public Actor {
public:
    AppActor(ActorContext &context, QString version, QString instance);

    QStringList migrations() const override;
    void started() override;
    void registerActions(ActionTable &table) override;
    Result<> received(Transaction &tx, const Send &send) override;

private:
    void putStatus(Transaction &tx);
    QByteArray whoami(const Caller &caller) const;
    QByteArray metrics() const;

    const QString m_version;
    const QString m_instance;
    double m_load = 0;
};

} // namespace foundry::backend
