// Folders and files of a work tree, read without ever leaving it: every name was written by an agent or by a stranger.
// Paths are relative, as git has them (bytes); the root is the empty path. All functions block: call them aside.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QList>
#include <QString>

namespace foundry::backend {

// Error input/invalid unless the path stays inside by its words alone: relative, without empty, "." and ".." parts, and
// without git's own folder.
Result<> checkWorkTreePath(const QByteArray &path);

struct FolderEntry {
    QByteArray name;
    bool isDir = false; // links are not followed: a link to a folder is a file
    qint64 size = 0;    // bytes, of files
    friend bool operator==(const FolderEntry &, const FolderEntry &) = default;
};
// Folders first, then by name without regard to case.
bool folderEntryBefore(const FolderEntry &a, const FolderEntry &b);

struct Folder {
    QList<FolderEntry> entries; // in that order, without git's own
    bool truncated = false;     // there are more than `most`
};
// Errors: git/not_found, input/invalid (not a folder of the work tree), git/read_only.
Result<Folder> listFolder(const QString &worktree, const QByteArray &path, qsizetype most);

struct FilePiece {
    QByteArray data;
    qint64 size = 0; // of the whole file
    bool binary = false;
};
// Links are followed as long as they end inside the work tree. Pipes, devices and folders are refused.
Result<FilePiece> readPiece(const QString &worktree, const QByteArray &path, qint64 offset, qint64 limit);
// Git's rule: a zero byte among the first 8000.
bool looksBinary(QByteArrayView beginning);

} // namespace foundry::backend
