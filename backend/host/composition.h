// Which actors this host has. The one place that knows all kinds.
#pragma once

#include "backend/actors/actorfactory.h"
#include "backend/host/hostconfig.h"
#include "backend/observe/metrics.h"
#include "backend/sandboxes/sandboxprovider.h"

#include <QList>
#include <functional>

namespace foundry::backend {

// What the host has for its actors; outlives them. All may be absent.
struct HostServices {
    MembershipSink *members = nullptr;
    HostMetrics *metrics = nullptr;
    std::function<Role(const QString &user)> localRole = {}; // of a holder of a token, in `local`; any thread
    SandboxProviders providers = {}; // kinds of places for tasks beside the work trees of this machine
};

QList<ActorFactory> actorFactories(const HostConfig &config, const HostServices &services = {});

} // namespace foundry::backend
