// Which actors this host has. The one place that knows all kinds.
#pragma once

#include "backend/actors/actorfactory.h"
#include "backend/host/hostconfig.h"

#include <QList>

namespace foundry::backend {

QList<ActorFactory> actorFactories(const HostConfig &config);

} // namespace foundry::backend
