// Names of branches. Pure functions.
#pragma once

#include <QString>

namespace foundry::backend {

// `fix-the-login-3f9a2c`: words of the title in lower-case ASCII where they have such a form, at most 48 characters, and
// a suffix from the task's id that makes it unique without asking git. Always a valid branch name.
QString slugForBranch(const QString &title, const QString &taskId);

// The rules of git-check-ref-format for a branch, and at most 200 bytes.
bool isValidBranchName(const QString &name);

} // namespace foundry::backend
