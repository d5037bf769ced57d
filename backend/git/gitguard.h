// Keeps a repository's own configuration from naming programs that our git would run. Read once per operation, in the
// folder where it works (a conditional include may depend on folder and branch), then laid over it as settings: every
// such value of scope local or worktree is replaced by the user's own (global or system) one, or by one that does
// nothing. The user's own filters, credential helpers and ssh command stay. Pure functions.
#pragma once

#include "backend/git/gitrunner.h"

namespace foundry::backend {

// One line of `git config --list --show-scope -z`.
struct ScopedSetting {
    QString scope; // system, global, local, worktree, command
    QString key;   // section and variable in lower case, subsection as it is
    QString value;
    friend bool operator==(const ScopedSetting &, const ScopedSetting &) = default;
};

struct GitGuard {
    QList<GitSetting> settings = {};
    // For what no later setting beats: git takes the first remote.*.uploadpack, the repository's. Then nothing is
    // fetched or pushed at all; it would only ever be for missing objects of a partial clone.
    QMap<QString, QString> environment = {};
    friend bool operator==(const GitGuard &, const GitGuard &) = default;
};

QStringList guardListArguments();
Result<QList<ScopedSetting>> parseScopedSettings(const QByteArray &listed);

// The repository's own configuration names something here that git would run.
bool namesProgramOfRepository(const ScopedSetting &setting);

// Fails (git/damaged) when there are so many that they cannot be overridden.
Result<GitGuard> guardAgainst(const QList<ScopedSetting> &settings);

} // namespace foundry::backend
