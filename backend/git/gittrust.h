// What a repository brings along that git would run: programs named by its own configuration (the values that the guard
// overrides, credential helpers), and its hooks. Their version is a hash over the settings and over names and contents of
// the hooks, so that whoever trusts it trusts exactly these: any change is another version. Attribute files only choose
// among the programs that are configured, and do not count. Reads some small files: blocks shortly.
#pragma once

#include "backend/git/gitguard.h"

namespace foundry::backend {

struct OwnPrograms {
    QString version;         // empty: there are none
    QString hooksPath;       // the folder of its hooks, absolute; empty: no hook
    QStringList names = {};  // for people: pre-commit, filter.lfs.clean …
};

// commonDir: where the repository's objects are; topLevel: of the work tree they would run in, which a hooks folder may be
// relative to (so a branch can have other hooks than the next).
OwnPrograms ownPrograms(const QList<ScopedSetting> &settings, const QString &commonDir, const QString &topLevel);

} // namespace foundry::backend
