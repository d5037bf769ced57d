// What a task changed, against the merge base: files, and the lines of one file's diff.
#pragma once

#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/openenum.h"

#include <QString>
#include <optional>

namespace foundry {

enum class ChangeScope { Committed, Staged, Unstaged, Untracked };
template <>
struct EnumNames<ChangeScope> {
    static constexpr EnumName<ChangeScope> all[] = {{ChangeScope::Committed, QLatin1StringView("committed")},
        {ChangeScope::Staged, QLatin1StringView("staged")}, {ChangeScope::Unstaged, QLatin1StringView("unstaged")},
        {ChangeScope::Untracked, QLatin1StringView("untracked")}};
};

struct ChangesHeader : EntityMeta {
    QString id = QStringLiteral("changes");
    std::optional<QString> head = {};
    std::optional<QString> mergeBase = {};
    qint64 ahead = 0; // of the base
    qint64 behind = 0;
    std::optional<QString> upstream = {}; // origin/name; the branch's own counterpart, where it has one
    std::optional<qint64> upstreamAhead = {};
    std::optional<qint64> upstreamBehind = {};
    Millis at = 0;
    bool refreshing = false;
    std::optional<Error> error = {};
    friend bool operator==(const ChangesHeader &, const ChangesHeader &) = default;
};

struct FileChange : EntityMeta {
    QString id; // `scope:path`
    QString path;
    std::optional<QString> oldPath = {};
    OpenEnum<ChangeScope> scope = {};
    QString status; // A M D R C T U
    qint64 added = 0;
    qint64 removed = 0;
    bool binary = false;
    bool inLastTurn = false;
    friend bool operator==(const FileChange &, const FileChange &) = default;
};

struct FileNode : EntityMeta {
    QString path; // its id
    bool isDir = false;
    std::optional<qint64> size = {};
    friend bool operator==(const FileNode &, const FileNode &) = default;
};

// The answer of getDiff: a page of unified diff text, or `pending` until a ready notice says that it is there.
struct DiffPage {
    bool pending = false;
    QString path;
    QString unified; // git's unified diff of this file, without its header lines before the first @@
    bool binary = false;
    std::optional<QString> cursor = {}; // for the next page; absent on the last
    std::optional<Error> error = {};
    Millis asOf = 0; // never on the wire: when a copy that is kept on this computer was read; 0: the host's own
    friend bool operator==(const DiffPage &, const DiffPage &) = default;
};

} // namespace foundry
