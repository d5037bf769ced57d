// What people call a branch, tag or commit, as git's own full names to try, in the order that fits a task's base: the
// local branch, then a remote one of that name, then origin's, then a tag. Pure.
#pragma once

#include <QByteArray>
#include <QStringList>
#include <optional>

namespace foundry::backend {

// Arguments of `git for-each-ref` that list which of them exist.
QStringList refCandidateArguments(const QString &name);
// The best of what it listed; nothing: try it as a revision.
std::optional<QString> bestRef(const QString &name, const QByteArray &listed);
// A full object id: needs no look-up.
bool isObjectId(const QString &text);
// Nothing that git could take for an option or a range.
bool isPlausibleRevision(const QString &text);

} // namespace foundry::backend
