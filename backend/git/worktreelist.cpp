#include "backend/git/worktreelist.h"

#include <QDir>
#include <QFileInfo>
#include <QStringList>

namespace foundry::backend {

QStringList worktreeListArguments()
{
    return {QStringLiteral("worktree"), QStringLiteral("list"), QStringLiteral("--porcelain"), QStringLiteral("-z")};
}

QList<WorktreeEntry> parseWorktreeList(const QByteArray &listed)
{
    QList<WorktreeEntry> entries;
    const QList<QByteArray> attributes = listed.split('\0');
    for (const QByteArray &attribute : attributes) {
        const qsizetype space = attribute.indexOf(' ');
        const QByteArray label = space < 0 ? attribute : attribute.left(space);
        const QString value = space < 0 ? QString() : QString::fromUtf8(attribute.mid(space + 1));
        if (label == "worktree") {
            entries.append(WorktreeEntry{value, {}, {}, false, false, {}, false});
            continue;
        }
        if (entries.isEmpty())
            continue;
        WorktreeEntry &entry = entries.last();
        if (label == "HEAD")
            entry.head = value;
        else if (label == "branch")
            entry.branch = value.startsWith(QLatin1StringView("refs/heads/")) ? value.mid(11) : value;
        else if (label == "bare")
            entry.isBare = true;
        else if (label == "prunable")
            entry.isGone = true;
        else if (label == "locked") {
            entry.isLocked = true;
            entry.lockReason = value;
        }
    }
    return entries;
}

QString resolvedPath(const QString &path)
{
    QString rest;
    QString parent = QDir::cleanPath(path);
    // Up to the nearest folder that exists.
    while (!parent.isEmpty() && parent != QLatin1StringView("/")) {
        const QString real = QFileInfo(parent).canonicalFilePath();
        if (!real.isEmpty())
            return rest.isEmpty() ? real : real + rest;
        rest = QLatin1Char('/') + QFileInfo(parent).fileName() + rest;
        parent = QFileInfo(parent).path();
    }
    return rest.isEmpty() ? path : rest;
}

QString worktreeAdminDir(const QString &commonDir, const QString &path)
{
    const QDir all(commonDir + QStringLiteral("/worktrees"));
    const QStringList ids = all.entryList(QDir::Dirs | QDir::Hidden | QDir::NoDotAndDotDot);
    const QString wanted = resolvedPath(path) + QStringLiteral("/.git");
    for (const QString &id : ids) {
        QFile pointer(all.filePath(id) + QStringLiteral("/gitdir"));
        if (pointer.open(QIODevice::ReadOnly) && QString::fromUtf8(pointer.read(65536)).trimmed() == wanted)
            return all.filePath(id);
    }
    return {};
}

} // namespace foundry::backend
