#include "backend/actors/organizationmessages.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace foundry::backend {

namespace {

QByteArray organizationmessagesText(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

Error organizationmessagesBroken(const QString &what)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("The message “%1” is incomplete.").arg(what));
}

} // namespace

bool isOrganizationId(const QString &id)
{
    const auto isLetter = [](QChar c) { return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z') || (c >= u'0' && c <= u'9'); };
    return !id.isEmpty() && id.size() <= 64 && isLetter(id.front())
        && std::all_of(id.cbegin(), id.cend(), [&](QChar c) { return isLetter(c) || c == u'.' || c == u'-' || c == u'_'; });
}

QByteArray encodeOrganizationCreation(const OrganizationCreation &creation)
{
    return organizationmessagesText({{QStringLiteral("name"), creation.name}, {QStringLiteral("owner"), creation.owner}});
}

Result<OrganizationCreation> decodeOrganizationCreation(const QByteArray &json)
{
    const QJsonObject o = QJsonDocument::fromJson(json).object();
    OrganizationCreation creation{o.value(QLatin1StringView("name")).toString(), o.value(QLatin1StringView("owner")).toString()};
    if (creation.name.isEmpty() || creation.owner.isEmpty())
        return organizationmessagesBroken(QStringLiteral("create"));
    return creation;
}

QByteArray encodeMembership(const Membership &membership)
{
    return organizationmessagesText({{QStringLiteral("organization"), membership.organization}, {QStringLiteral("user"), membership.user},
        {QStringLiteral("role"), roleText(membership.role)}, {QStringLiteral("revision"), membership.revision}});
}

Result<Membership> decodeMembership(const QByteArray &json)
{
    const QJsonObject o = QJsonDocument::fromJson(json).object();
    Membership membership{o.value(QLatin1StringView("organization")).toString(), o.value(QLatin1StringView("user")).toString(),
        roleFromText(o.value(QLatin1StringView("role")).toString()), o.value(QLatin1StringView("revision")).toInteger()};
    if (membership.organization.isEmpty() || membership.user.isEmpty() || membership.revision <= 0)
        return organizationmessagesBroken(QStringLiteral("membership"));
    return membership;
}

QByteArray encodeOrganizationRemoved(const OrganizationId &organization)
{
    return organizationmessagesText({{QStringLiteral("id"), organization.value}});
}

} // namespace foundry::backend
