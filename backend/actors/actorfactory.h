// How an actor of one kind comes into being. Factories are registered with the runtime by the composition
// (backend/host/composition.cpp), before it starts.
#pragma once

#include "backend/actors/actor.h"

#include <memory>

namespace foundry::backend {

enum class CreatedBy {
    FirstTouch, // whoever asks for it first (getOrCreate)
    SendOnly,   // only a delivered send named "create"; until then it is actor.not_found
};

struct ActorFactory {
    QString name;
    std::function<bool(const QStringList &key)> keyMatches;
    CreatedBy createdBy = CreatedBy::FirstTouch;
    std::function<std::unique_ptr<Actor>(ActorContext &)> make;
    // Where it names one: the first touch makes it only when the actor of this address exists (an organization).
    std::function<std::optional<ActorAddress>(const QStringList &key)> parent = {};
};

} // namespace foundry::backend
