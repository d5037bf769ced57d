// Takes a work tree away whatever state it is in: by git, and by hand where git refuses a half-made one. The caller has
// decided that nothing in it is worth keeping.
#pragma once

#include "backend/git/gitguard.h"

namespace foundry::backend {

struct ForcedRemoval {
    QString repository;
    QString commonDir;
    QString path;
    GitGuard guard = {};
};

void forceRemoveWorktree(const GitEnvironment &git, const ForcedRemoval &removal, QObject *context, std::function<void(Result<>)> done,
    int deadlineMs = 120000);

} // namespace foundry::backend
