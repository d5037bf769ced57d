// Arguments that make a diff independent of the user's and the repository's settings, and safe. Pure.
#pragma once

#include "backend/git/gitrunner.h"

namespace foundry::backend {

// For every form of diff: no programs, no colour, renames, submodules as one line.
QStringList plainDiffArguments();
// For lists: statuses and line counts.
QStringList listDiffArguments();
// For one file's text with three lines around a change.
QStringList textDiffArguments();
// Names of files that are not tracked and not ignored.
QStringList untrackedArguments();
// Compares every file with an index of ours by content, so that only times that moved are not taken for changes.
QStringList refreshArguments();
// Names of files that are other than the index says, after that.
QStringList changedNamesArguments();
// Files above this are treated as binary instead of being read into memory.
GitSetting bigFileSetting();

} // namespace foundry::backend
