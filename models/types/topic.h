// Events of a topic as values: a closed set of entities, and what changed of them at which revision.
#pragma once

#include "models/types/audit.h"
#include "models/types/changes.h"
#include "models/types/ids.h"
#include "models/types/organization.h"
#include "models/types/process.h"
#include "models/types/provisioning.h"
#include "models/types/session.h"
#include "models/types/task.h"
#include "models/types/transcript.h"
#include "models/types/user.h"

#include <variant>

namespace foundry {

// An entity of a type that this version does not know: counted, kept by name, shown nowhere.
struct UnknownEntity {
    QString type;
    QString id;
    friend bool operator==(const UnknownEntity &, const UnknownEntity &) = default;
};

using Entity = std::variant<UnknownEntity, HostStatus, User, TaskOverlay, SessionOverlay, Organization, Repository, Agent,
    TaskSummary, Attention, DeletedTask, Task, Stage, Session, QueuedPrompt, Job, ChangesHeader, FileChange, FileNode,
    TranscriptEntry, Process, AuditEvent>;

struct Removal {
    QString type; // the entity type's name, e.g. "Attention"
    QString id;
    friend bool operator==(const Removal &, const Removal &) = default;
};

// Text added to a transcript entry at its stated offset (UTF-8 bytes, on a character's border).
struct TextAppend {
    qint64 index = 0;
    qint64 offset = 0;
    QString text;
    friend bool operator==(const TextAppend &, const TextAppend &) = default;
};

struct TerminalChunk {
    qint64 seq = 0;
    qint64 offset = 0;
    QByteArray data;
    friend bool operator==(const TerminalChunk &, const TerminalChunk &) = default;
};

// Says that something asked for before (`{state: "pending"}`) is stored now and can be read.
struct ReadyNotice {
    RequestId requestId;
    QString path;
    friend bool operator==(const ReadyNotice &, const ReadyNotice &) = default;
};

struct Cause {
    QString kind; // command, agent, workflow, system
    std::optional<RequestId> requestId = {};
    std::optional<QString> userId = {};
    friend bool operator==(const Cause &, const Cause &) = default;
};

struct TopicEvent {
    QString topic;
    QString generation;
    qint64 revision = 0;
    Millis at = 0;
    Cause cause = {};
    QList<Entity> upserts = {};
    QList<Removal> removals = {};
    QList<TextAppend> appends = {};
    std::optional<TerminalChunk> chunk = {};
    std::optional<ReadyNotice> ready = {};
    friend bool operator==(const TopicEvent &, const TopicEvent &) = default;
};

// A page of changesSince. `full`: what it does not name no longer exists. Windowed topics answer `count` alone for an
// unknown generation.
struct ChangesPage {
    QString generation;
    qint64 revision = 0;
    bool full = false;
    QList<Entity> upserts = {};
    QList<Removal> removals = {};
    std::optional<QString> cursor = {};
    std::optional<qint64> count = {};
    friend bool operator==(const ChangesPage &, const ChangesPage &) = default;
};

struct TopicRevision {
    QString generation;
    qint64 revision = 0;
    friend bool operator==(const TopicRevision &, const TopicRevision &) = default;
};

// Why a fetch was made; shown by the inspector.
enum class FetchReason { Bootstrap, Reconnect, Gap, Manual };

} // namespace foundry
