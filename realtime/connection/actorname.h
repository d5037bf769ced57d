// Which actor: its name and key, e.g. {"task", {"org", "local", "task", repo, task}}. The key layout of the contract is
// written here and nowhere else in the client.
#pragma once

#include "models/types/ids.h"

#include <QHash>
#include <QStringList>

namespace foundry::realtime {

struct ActorName {
    QString name;
    QStringList key;

    QString describe() const { return name + QLatin1Char(' ') + key.join(QLatin1Char('/')); }
    friend bool operator==(const ActorName &, const ActorName &) = default;
    friend size_t qHash(const ActorName &actor, size_t seed = 0) noexcept
    {
        return qHashMulti(seed, actor.name, actor.key);
    }
};

inline ActorName appActor()
{
    return {QStringLiteral("app"), {QStringLiteral("app")}};
}
inline ActorName userActor(const AccountId &account)
{
    return {QStringLiteral("user"), {QStringLiteral("user"), account.value}};
}
inline ActorName organizationActor(const OrganizationId &organization)
{
    return {QStringLiteral("organization"), {QStringLiteral("org"), organization.value}};
}
inline ActorName taskActor(const OrganizationId &organization, const RepoId &repo, const TaskId &task)
{
    return {QStringLiteral("task"),
        {QStringLiteral("org"), organization.value, QStringLiteral("task"), repo.value, task.value}};
}

} // namespace foundry::realtime
