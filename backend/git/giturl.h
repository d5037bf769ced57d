// Addresses that a repository can be cloned from. Pure.
#pragma once

#include "models/types/result.h"

namespace foundry::backend {

struct GitUrl {
    QString scheme; // file, http, https, ssh
    QString forGit; // as it was given, trimmed
    QString shown;  // without user information
    QString name;   // last part of the path without .git: a name for the repository
};

// file://, https://, http://, ssh://, and host:path as ssh has it. Errors: input/invalid: other schemes (ext:: and fd::
// run programs), plain paths, a password in the address (it would end in files and process lists).
Result<GitUrl> parseGitUrl(const QString &text);

// For an origin that is already configured: without user information, whatever its form.
QString shownGitUrl(const QString &url);

} // namespace foundry::backend
