#include "backend/host/accessgate.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>

namespace foundry::backend {

namespace {

QByteArray accessgateDigest(const QByteArray &text)
{
    return QCryptographicHash::hash(text, QCryptographicHash::Sha256);
}

} // namespace

bool equalInConstantTime(const QByteArray &a, const QByteArray &b)
{
    uchar difference = a.size() == b.size() ? 0 : 1;
    for (qsizetype i = 0; i < qMin(a.size(), b.size()); ++i)
        difference = uchar(difference | uchar(a.at(i) ^ b.at(i)));
    return difference == 0;
}

AccessGate::AccessGate(const QString &token, QStringList authorities, QStringList allowedOrigins, const Memberships *members,
    const TokenDirectory *others)
    : m_token(token.toUtf8())
    , m_digest(accessgateDigest(m_token))
    , m_authorities(std::move(authorities))
    , m_allowedOrigins(std::move(allowedOrigins))
    , m_members(members)
    , m_others(others)
{
}

std::optional<Error> AccessGate::refuseForeign(const HttpHead &head, bool isOurName) const
{
    const QString host = QString::fromLatin1(head.header("host")).toLower();
    if (!isOurName && !m_authorities.contains(host)) {
        return makeError(QLatin1StringView("auth"), QLatin1StringView("forbidden"),
            QStringLiteral("This host does not answer to the name \"%1\".").arg(host.left(80)),
            QStringLiteral("Use the endpoint that the host wrote into its connect file, or a name of its certificate."));
    }
    const QByteArray origin = head.header("origin");
    if (!origin.isEmpty() && !allowsOrigin(origin)) {
        return makeError(QLatin1StringView("auth"), QLatin1StringView("forbidden"),
            QStringLiteral("Pages of \"%1\" may not talk to this host.").arg(QString::fromLatin1(origin.left(80))));
    }
    return std::nullopt;
}

bool AccessGate::allowsOrigin(const QByteArray &origin) const
{
    return m_allowedOrigins.contains(QString::fromLatin1(origin));
}

Result<Caller> AccessGate::authorize(const GatewayRoute &route) const
{
    std::optional<TokenHolder> holder;
    std::optional<Error> refused;
    for (const QString &token : route.tokens) {
        if (equalInConstantTime(accessgateDigest(token.toUtf8()), m_digest)) {
            holder = TokenHolder{QStringLiteral("local")};
        } else if (m_others && !holder) {
            if (const auto other = m_others->holderOf(token))
                holder = *other;
            else if (token.startsWith(QLatin1StringView("fdt_"))) // else it is one of a connect file
                refused = other.error();
        }
    }
    if (holder)
        return Caller{holder->user, Role::None, false, holder->id};
    if (refused)
        return *refused;
    return makeError(QLatin1StringView("auth"), QLatin1StringView("unauthorized"),
        QStringLiteral("The token is missing or is not this host's."),
        QStringLiteral("Read the connect file again: the token changes at each start of the host."));
}

const Memberships &AccessGate::members() const
{
    static const Memberships none;
    return m_members ? *m_members : none;
}

Caller AccessGate::callerAt(const Caller &caller, const ActorAddress &actor) const
{
    Caller there = caller;
    there.role = members().roleOf(caller.userId, organizationOf(actor));
    return there;
}

std::optional<Error> AccessGate::refuseToken(const Caller &caller) const
{
    return m_others && !caller.tokenId.isEmpty() ? m_others->refused(caller.tokenId) : std::nullopt;
}

std::optional<Error> AccessGate::refuseConnection(const Caller &caller, const ActorAddress &actor) const
{
    if (auto refused = refuseToken(caller))
        return refused;
    const QString organization = organizationOf(actor);
    if (!organization.isEmpty() && !members().knows(organization))
        return makeError(QLatin1StringView("actor"), QLatin1StringView("not_found"),
            QStringLiteral("There is no organization “%1”.").arg(organization.left(64)));
    return backend::refuseConnection(caller.userId, callerAt(caller, actor).role, actor);
}

std::optional<Error> AccessGate::refuseAction(const Caller &caller, const ActorAddress &actor, const QString &action) const
{
    if (auto refused = refuseToken(caller))
        return refused;
    return backend::refuseAction(caller.userId, callerAt(caller, actor).role, actor, action);
}

QString AccessGate::proof(const QString &challenge) const
{
    const QByteArray bytes = QByteArray::fromHex(challenge.toLatin1());
    if (challenge.size() != 64 || bytes.size() != 32)
        return {};
    return QString::fromLatin1(QMessageAuthenticationCode::hash(bytes, m_token, QCryptographicHash::Sha256).toHex());
}

QStringList authoritiesOf(const QString &address, quint16 port)
{
    const QString suffix = QLatin1Char(':') + QString::number(port);
    const QString literal = address.contains(QLatin1Char(':')) ? QLatin1Char('[') + address + QLatin1Char(']') : address;
    QStringList names{literal.toLower() + suffix, QStringLiteral("localhost") + suffix};
    if (port == 80)
        names += {literal.toLower(), QStringLiteral("localhost")};
    return names;
}

} // namespace foundry::backend
