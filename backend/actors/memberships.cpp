#include "backend/actors/memberships.h"

namespace foundry::backend {

Role roleFromText(QStringView text)
{
    if (text == QLatin1StringView("owner"))
        return Role::Owner;
    if (text == QLatin1StringView("admin"))
        return Role::Admin;
    return text == QLatin1StringView("member") ? Role::Member : Role::None;
}

QString roleText(Role role)
{
    switch (role) {
    case Role::Owner:
        return QStringLiteral("owner");
    case Role::Admin:
        return QStringLiteral("admin");
    case Role::Member:
        return QStringLiteral("member");
    case Role::None:
        break;
    }
    return {};
}

} // namespace foundry::backend
