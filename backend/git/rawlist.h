// `git diff-… --raw --no-abbrev --no-renames -z` as entries of both sides, and entries as input of `git update-index
// --index-info`. Pure functions.
#pragma once

#include <QByteArray>
#include <QList>
#include <QMap>
#include <QStringList>

namespace foundry::backend {

struct TreeEntry {
    QByteArray mode; // empty: there is none
    QByteArray id;
    bool isThere() const { return !mode.isEmpty(); }
    bool isSubmodule() const { return mode == "160000"; }
    friend bool operator==(const TreeEntry &, const TreeEntry &) = default;
};
struct RawChange {
    TreeEntry before;
    TreeEntry after; // its id is zero when it was not read (files of the work tree)
    bool unmerged = false;
};
using RawList = QMap<QByteArray, RawChange>; // by path

QStringList rawListArguments();
RawList parseRawList(const QByteArray &listed);

// Removals first, so that a folder can take a file's place and the other way round. idLength: 40, with sha256 64.
QByteArray indexInfo(const QMap<QByteArray, TreeEntry> &entries, qsizetype idLength);
// The same names, each ended by NUL.
QByteArray nameInput(const QList<QByteArray> &names);
// The path itself, or below it.
bool isAtOrBelow(const QByteArray &path, const QByteArray &place);

} // namespace foundry::backend
