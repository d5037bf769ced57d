// Titles and branches of new tasks, from stored facts only: both exist before the answer, and git is not asked.
#pragma once

#include "models/types/commands.h"
#include "models/types/result.h"

#include <functional>

namespace foundry::backend {

// The first non-empty line, cut at 62 characters on a word; without Markdown's heading and list marks.
QString titleFromPrompt(const QString &prompt);
// Explicit, else from the prompt, else "New task".
QString titleForTask(const CreateTask &command, const QString &promptText);

struct BranchChoice {
    QString branch;
    bool adopt = false;    // an existing branch is taken as it is
    bool isExplicit = false; // the user named it
};
// `taken`: whether another task of the repository has that branch. An explicit name that is taken or malformed is input.invalid with
// field "branch"; a made one gets a suffix until it is free.
Result<BranchChoice> branchForTask(const CreateTask &command, const QString &title, const std::function<bool(const QString &)> &taken);

} // namespace foundry::backend
