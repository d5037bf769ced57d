// Reads of a task's files: stored rows, or {state: "pending"} at once and a ready event on the topic later.
// Paths are relative to the work tree, with "/" between their parts; the root is the empty path.
#pragma once

#include "models/types/commandbase.h"
#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/process.h"

#include <optional>

namespace foundry {

struct ListDirectory : CommandBase {
    QString path;
    std::optional<QString> cursor = {};
};
struct DirectoryPage {
    bool pending = false;
    QString path;
    QList<FileNode> nodes = {}; // folders first, then by name
    std::optional<QString> cursor = {};
    std::optional<Error> error = {};
};
struct FindFiles : CommandBase {
    QString query;
    qint64 limit = 100;
};
struct FilesFound {
    bool pending = false;
    QStringList paths = {}; // best first
    bool truncated = false;
    std::optional<Error> error = {};
};
struct ReadFile : CommandBase {
    QString path;
    std::optional<QString> ref = {}; // a commit, "base" or "index"; absent: the work tree
    qint64 offset = 0; // bytes
    qint64 limit = 262144;
};
struct FilePage {
    bool pending = false;
    QString path;
    QByteArray data = {};
    qint64 offset = 0;
    qint64 size = 0;
    bool binary = false;
    std::optional<Error> error = {};
};

struct SearchTranscript {
    std::optional<SessionId> sessionId = {};
    QString query;
    qint64 limit = 50;
};
struct TranscriptHit {
    SessionId sessionId;
    qint64 index = 0;
    Millis at = 0;
    QString kind;
    QString snippet;
};
struct TranscriptHits {
    QList<TranscriptHit> hits;
    bool truncated = false;
};

} // namespace foundry
