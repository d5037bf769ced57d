// What happened, who did it and why: the append-only log of an organization.
#pragma once

#include "models/types/commandbase.h"
#include "models/types/entity.h"

#include <QList>
#include <QMap>
#include <optional>

namespace foundry {

struct AuditEvent : EntityMeta {
    qint64 index = 0; // 0…, dense
    Millis at = 0;
    std::optional<QString> actorUser = {}; // absent: the host itself
    QString kind;  // task_created, stage_failed, prompt_sent, permission_answered, …
    QString cause; // command, agent, workflow, system
    std::optional<TaskId> taskId = {};
    std::optional<RepoId> repoId = {};
    QMap<QString, QString> payload = {};
    friend bool operator==(const AuditEvent &, const AuditEvent &) = default;
};

struct AuditFilters {
    std::optional<TaskId> taskId = {};
    std::optional<RepoId> repoId = {};
    std::optional<QString> kind = {};
    std::optional<QString> actorUser = {};
};
// Newest first; `before` is an index.
struct ListAudit {
    std::optional<qint64> before = {};
    qint64 limit = 200;
    AuditFilters filters = {};
};
struct AuditPage {
    QList<AuditEvent> events;
    qint64 count = 0; // of the whole log
    qint64 revision = 0;
    QString generation;
    std::optional<qint64> next = {}; // `before` of the next page; absent at the end
};
// Oldest first, as JSON lines.
struct ExportAudit {
    std::optional<qint64> after = {};
    qint64 limit = 500;
};
struct AuditExport {
    QString lines;
    std::optional<qint64> next = {}; // `after` of the next page; absent at the end
};

} // namespace foundry
