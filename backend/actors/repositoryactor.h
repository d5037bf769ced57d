// One repository: its branches, pull requests and jobs. Its systems come later; until then it exists, its topics are
// empty, and its commands say so.
#pragma once

#include "backend/actors/actor.h"

namespace foundry::backend {

class RepositoryActor : public Actor {
public:
    using Actor::Actor;

    void registerActions(ActionTable &table) override;
};

} // namespace foundry::backend
