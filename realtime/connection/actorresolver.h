// From an actor's name and key to its id on a server. An interface, so that tests need no server. GUI thread.
#pragma once

#include "models/types/result.h"
#include "realtime/connection/actorname.h"
#include "realtime/connection/endpoint.h"

#include <QObject>
#include <functional>

namespace foundry::realtime {

struct ResolvedActor {
    QString actorId;
    Endpoint endpoint; // where its socket is; not the asked one when the server's metadata points elsewhere
};

class ActorResolver : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    // Errors: auth/…, actor/not_found, client/…; answered exactly once unless `context` is gone.
    virtual void resolve(const Endpoint &endpoint, const ActorName &actor, QObject *context,
        std::function<void(Result<ResolvedActor>)> answer)
        = 0;
    // The server does not know this id any longer: ask again next time.
    virtual void forget(const ActorName &actor) = 0;
};

} // namespace foundry::realtime
