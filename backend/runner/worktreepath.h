// Paths inside the work tree, and nowhere else. Touches the file system to resolve links.
#pragma once

#include <QString>

namespace foundry::runner {

struct ResolvedPath {
    QString absolute; // to be opened
    QString relative; // to the root, for people
    QString error;    // a sentence, empty when it may be used
};

// `path` as typed, relative to `root` or absolute. It must lie inside `root` after links are resolved, must not be in
// `.git`, and must not be a folder or a link that leads nowhere.
ResolvedPath resolveInside(const QString &root, const QString &path);
// A glob without a slash is matched against the file's name, one with a slash against the whole relative path; `**`
// matches over folders.
bool matchesGlob(const QString &relative, const QString &glob);

} // namespace foundry::runner
