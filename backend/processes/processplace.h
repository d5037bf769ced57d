// What a user's process starts with: the environment, the folder, and the program that a command names. Looks at the file
// system, a handful of calls; any thread.
#pragma once

#include "backend/processes/uniquefd.h"
#include "models/types/result.h"

#include <QProcessEnvironment>

namespace foundry::backend {

// The host's own environment without what is the host's alone: its settings and secrets (FOUNDRY_…), what git told a
// hook, the size of a terminal that is not this one. TERM says what the workbench's terminal understands.
QProcessEnvironment userProcessEnvironment(QProcessEnvironment host, bool tty);

// An open folder inside another.
struct ProcessFolder {
    UniqueFd fd;  // of the folder itself: it cannot be exchanged for another after the check
    QString path; // links resolved
};
// `relative` below `root`, links followed. Outside: input.invalid; not there: sandbox.folder_missing.
Result<ProcessFolder> openProcessFolder(const QString &root, const QString &relative);

// The path of the program that `command` names: with a slash from the folder on, without one on PATH. Errors:
// sandbox.program_not_found, sandbox.not_executable.
Result<QString> findProcessProgram(const QString &command, const QString &folder, const QProcessEnvironment &environment);

} // namespace foundry::backend
