// Internal to realtime/protocol. The wire name of every entity type and where its id lives.
#pragma once

#include "models/types/topic.h"

namespace foundry::protocol {

template <class T>
struct EntityTraits {
    static constexpr bool isEntity = false;
};

#define FOUNDRY_ENTITY(Type, get, set)                                                                                       \
    template <>                                                                                                              \
    struct EntityTraits<Type> {                                                                                              \
        static constexpr bool isEntity = true;                                                                               \
        static QString name() { return QStringLiteral(#Type); }                                                              \
        static QString id(const Type &x) { return get; }                                                                     \
        static bool setId(Type &x, const QString &id) { set; }                                                               \
    };

FOUNDRY_ENTITY(HostStatus, x.id, x.id = id; return true)
FOUNDRY_ENTITY(User, x.id.value, x.id = AccountId(id); return true)
FOUNDRY_ENTITY(TaskOverlay, x.id.value, x.id = TaskId(id); return true)
FOUNDRY_ENTITY(SessionOverlay, x.id.value, x.id = SessionId(id); return true)
FOUNDRY_ENTITY(Organization, x.id.value, x.id = OrganizationId(id); return true)
FOUNDRY_ENTITY(Repository, x.id.value, x.id = RepoId(id); return true)
FOUNDRY_ENTITY(Agent, x.id.value, x.id = AgentId(id); return true)
FOUNDRY_ENTITY(TaskSummary, x.id.value, x.id = TaskId(id); return true)
FOUNDRY_ENTITY(Attention, x.id, x.id = id; return true)
FOUNDRY_ENTITY(DeletedTask, x.id.value, x.id = TaskId(id); return true)
FOUNDRY_ENTITY(Task, x.id.value, x.id = TaskId(id); return true)
FOUNDRY_ENTITY(Stage, x.id, x.id = id; return true)
FOUNDRY_ENTITY(Session, x.id.value, x.id = SessionId(id); return true)
FOUNDRY_ENTITY(QueuedPrompt, x.id.value, x.id = QueueId(id); return true)
FOUNDRY_ENTITY(Job, x.id, x.id = id; return true)
FOUNDRY_ENTITY(ChangesHeader, x.id, x.id = id; return true)
FOUNDRY_ENTITY(FileChange, x.id, x.id = id; return true)
FOUNDRY_ENTITY(FileNode, x.path, x.path = id; return true)
FOUNDRY_ENTITY(TranscriptEntry, QString::number(x.index), bool ok = false; x.index = id.toLongLong(&ok);
               return ok && x.index >= 0)
FOUNDRY_ENTITY(Process, x.id.value, x.id = ProcessId(id); return true)

FOUNDRY_ENTITY(AuditEvent, QString::number(x.index), bool ok = false; x.index = id.toLongLong(&ok);
               return ok && x.index >= 0)

#undef FOUNDRY_ENTITY

} // namespace foundry::protocol
