// The user's own record and the overlay over tasks and sessions (what this user has seen, ordered and drafted).
#pragma once

#include "models/types/blob.h"
#include "models/types/entity.h"
#include "models/types/ids.h"

namespace foundry {

struct TaskDefaults {
    std::optional<AgentId> agent = {};
    std::optional<QString> model = {};
    std::optional<QString> mode = {};
    std::optional<QString> provider = {};
    friend bool operator==(const TaskDefaults &, const TaskDefaults &) = default;
};

struct User : EntityMeta {
    AccountId id;
    QString name;
    std::optional<QString> login = {};
    std::optional<QString> avatarUrl = {};
    OrganizationId activeOrganizationId;
    TaskDefaults defaults = {};
    friend bool operator==(const User &, const User &) = default;
};

struct TaskOverlay : EntityMeta {
    TaskId id;
    bool unread = false;
    Millis lastSeenAt = 0;
    std::optional<double> order = {};
    std::optional<SessionId> activeSessionId = {};
    friend bool operator==(const TaskOverlay &, const TaskOverlay &) = default;
};

struct Draft {
    QString text;
    std::optional<BlobId> blobId = {};
    QList<Attachment> attachments = {};
    friend bool operator==(const Draft &, const Draft &) = default;
};

struct SessionOverlay : EntityMeta {
    SessionId id;
    std::optional<Draft> draft = {};
    std::optional<qint64> lastSeenEntry = {};
    friend bool operator==(const SessionOverlay &, const SessionOverlay &) = default;
};

} // namespace foundry
