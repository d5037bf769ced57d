// What the user asked for, as values that views hand out in signals. The composition root turns them into commands.
#pragma once

#include "models/types/ids.h"

#include <QString>
#include <optional>

namespace foundry::views {

struct NewTaskRequest {
    RepoId repoId;
    QString prompt;                           // at most maxPromptBytes of UTF-8
    std::optional<QString> baseBranch = {};   // absent: the repository's default branch
    std::optional<AgentId> agent = {};        // absent: the host chooses by the rules
    std::optional<QString> mode = {};         // absent: the agent's own
    friend bool operator==(const NewTaskRequest &, const NewTaskRequest &) = default;
};

inline constexpr qint64 maxPromptBytes = 256 * 1024;

// Exactly one of the two.
struct AddRepositoryRequest {
    std::optional<QString> path = {};
    std::optional<QString> url = {};
    friend bool operator==(const AddRepositoryRequest &, const AddRepositoryRequest &) = default;
};

} // namespace foundry::views
