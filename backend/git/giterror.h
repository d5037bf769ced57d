// What went wrong in a run of git, as an error for people: decided by how it ended and by its English stderr (LC_ALL=C).
// Pure functions. Codes of the group `git`:
//   not_installed too_old not_found not_a_repository empty_repository untrusted missing_ref branch_exists branch_in_use
//   invalid_name path_exists dirty conflict locked no_space read_only auth_failed host_key network no_identity nothing_to_commit hook_refused changed
//   damaged cancelled timeout failed
#pragma once

#include "backend/git/childprocess.h"
#include "models/types/error.h"

namespace foundry::backend {

// doing: a verb phrase that completes "Could not …", e.g. "clone the repository".
Error gitError(const QString &doing, const ChildOutcome &outcome);
// The same from what git wrote alone; for tests and for output that was read elsewhere.
Error gitErrorFromText(const QString &doing, int exitCode, const QByteArray &errorText);
// An error of ours, with the standing action sentence of that code.
Error gitErrorOf(QLatin1StringView code, const QString &message, const QString &detail = {});

// Without user information in addresses; for anything that is shown or logged.
QString withoutSecrets(const QString &text);

} // namespace foundry::backend
