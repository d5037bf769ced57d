#include "backend/host/authorization.h"

#include <QSet>

#include <algorithm>
#include <mutex>

namespace foundry::backend {

namespace {

QString authorizationLocal()
{
    return QStringLiteral("local");
}

// Actions that decide which programs and people an organization trusts.
bool authorizationIsSetting(const ActorAddress &actor, const QString &action)
{
    static const QSet<QString> settings{QStringLiteral("confirmAgent"), QStringLiteral("installAgent"),
        QStringLiteral("addCustomAgent"), QStringLiteral("loginAgent"), QStringLiteral("trustRepository"),
        QStringLiteral("cancelJob")}; // of an installation
    return actor.name == QLatin1StringView("organization") && settings.contains(action);
}

Error authorizationForbidden(const QString &message, const QString &way)
{
    return makeError(QLatin1StringView("auth"), QLatin1StringView("forbidden"), message, way);
}

} // namespace

QString organizationOf(const ActorAddress &actor)
{
    if (actor.key.value(0) == QLatin1StringView("org"))
        return actor.key.value(1);
    return actor.name == QLatin1StringView("user") ? QString() : authorizationLocal();
}

std::optional<Error> refuseConnection(const QString &user, Role role, const ActorAddress &actor)
{
    if (actor.name == QLatin1StringView("app"))
        return std::nullopt;
    if (actor.name == QLatin1StringView("user")) {
        if (actor.key == QStringList{QStringLiteral("user"), user})
            return std::nullopt;
        return authorizationForbidden(QStringLiteral("This is another user's."), QStringLiteral("Ask for your own user."));
    }
    if (role != Role::None)
        return std::nullopt;
    return authorizationForbidden(QStringLiteral("You are not in this organization."),
        QStringLiteral("Ask one of its owners to take you in."));
}

std::optional<Error> refuseAction(const QString &user, Role role, const ActorAddress &actor, const QString &action)
{
    if (auto refused = refuseConnection(user, role, actor))
        return refused;
    if (role >= Role::Admin || actor.name == QLatin1StringView("user"))
        return std::nullopt;
    const bool machines = actor.name == QLatin1StringView("app")
        && (action == QLatin1StringView("metrics") || action == QLatin1StringView("drain"));
    if (machines || authorizationIsSetting(actor, action)) {
        return authorizationForbidden(QStringLiteral("Members may not do this."),
            QStringLiteral("Ask an owner or an admin of the organization."));
    }
    return std::nullopt;
}

Role Memberships::roleOf(const QString &user, const QString &organization) const
{
    if (user == authorizationLocal() && organization == authorizationLocal())
        return Role::Owner;
    const std::shared_lock lock(m_mutex);
    const Role told = m_table.value(organization).value(user, Role::None);
    return organization == authorizationLocal() ? std::max(told, m_tokenRoles.value(user, Role::None)) : told;
}

bool Memberships::knows(const QString &organization) const
{
    const std::shared_lock lock(m_mutex);
    return organization == authorizationLocal() || m_table.contains(organization);
}

void Memberships::setMemberships(const MembershipTable &all)
{
    {
        const std::unique_lock lock(m_mutex);
        m_table = all;
    }
    tellLoss();
}

void Memberships::setTokenRoles(const QHash<QString, Role> &roles)
{
    {
        const std::unique_lock lock(m_mutex);
        m_tokenRoles = roles;
    }
    tellLoss();
}

void Memberships::onLoss(std::function<void()> lost)
{
    const std::unique_lock lock(m_mutex);
    m_lost = std::move(lost);
}

void Memberships::tellLoss() const
{
    std::function<void()> lost;
    {
        const std::shared_lock lock(m_mutex);
        lost = m_lost;
    }
    if (lost)
        lost();
}

void Memberships::setMembership(const QString &organization, const QString &user, Role role)
{
    bool less = false;
    {
        const std::unique_lock lock(m_mutex);
        auto &users = m_table[organization];
        less = role < users.value(user, Role::None);
        if (role == Role::None)
            users.remove(user);
        else
            users.insert(user, role);
    }
    if (less)
        tellLoss();
}

} // namespace foundry::backend
