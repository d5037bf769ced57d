// `git worktree list --porcelain -z` as values, and the place where git keeps what it knows of a work tree. No processes.
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

namespace foundry::backend {

struct WorktreeEntry {
    QString path;
    QString head;
    QString branch; // without refs/heads/; empty when detached or bare
    bool isBare = false;
    bool isLocked = false;
    QString lockReason;
    bool isGone = false; // git says that its folder is missing
    friend bool operator==(const WorktreeEntry &, const WorktreeEntry &) = default;
};

QStringList worktreeListArguments();
QList<WorktreeEntry> parseWorktreeList(const QByteArray &listed);

// The same path as git writes it: links of the parent folders resolved. Works for a path that does not exist yet.
QString resolvedPath(const QString &path);

// <commonDir>/worktrees/<id> whose work tree is at path; empty when there is none.
QString worktreeAdminDir(const QString &commonDir, const QString &path);

} // namespace foundry::backend
