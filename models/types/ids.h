// Distinct id types, so that a task's id cannot be handed where a session's is meant. Ids are opaque text.
#pragma once

#include <QHash>
#include <QString>

namespace foundry {

template <class Tag>
struct Id {
    QString value;

    Id() = default;
    explicit Id(QString text)
        : value(std::move(text))
    {
    }
    bool isEmpty() const { return value.isEmpty(); }
    friend bool operator==(const Id &, const Id &) = default;
    friend auto operator<=>(const Id &a, const Id &b) { return a.value.compare(b.value) <=> 0; }
    friend size_t qHash(const Id &id, size_t seed = 0) noexcept { return ::qHash(id.value, seed); }
};

using AccountId = Id<struct AccountTag>;
using OrganizationId = Id<struct OrganizationTag>;
using RepoId = Id<struct RepoTag>;
using TaskId = Id<struct TaskTag>;
using SessionId = Id<struct SessionTag>;
using SandboxId = Id<struct SandboxTag>;
using ProcessId = Id<struct ProcessTag>;
using AgentId = Id<struct AgentTag>;
using QueueId = Id<struct QueueTag>;
using JobId = Id<struct JobTag>;
using BlobId = Id<struct BlobTag>;
using RequestId = Id<struct RequestTag>;

// A time-ordered random id (UUID version 7, RFC 9562): task, session, queue, process and request ids are made
// by the client, so that chains of commands can be written down before the host answers.
QString makeUuid7();

template <class IdType>
IdType makeId()
{
    return IdType(makeUuid7());
}

} // namespace foundry
