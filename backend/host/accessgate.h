// Who may talk to this host. Loopback can be reached by every web page in a browser here, so a secret token, the Host
// header and the Origin are all looked at. Main thread.
#pragma once

#include "backend/actors/actor.h"
#include "backend/host/authorization.h"
#include "backend/host/gatewayroute.h"

#include <optional>

namespace foundry::backend {

struct TokenHolder {
    QString user;
    QString id = {}; // of the token: public
};

// Tokens beside the one of the connect file. The gate's thread.
class TokenDirectory {
public:
    virtual ~TokenDirectory() = default;
    // Whose it is; auth.unauthorized, or auth.expired.
    virtual Result<TokenHolder> holderOf(const QString &token) const = 0;
    // Why a token that was good when somebody came with it holds no longer; nothing while it does.
    virtual std::optional<Error> refused(const QString &id) const = 0;
};

// Takes the same time wherever the first difference is.
bool equalInConstantTime(const QByteArray &a, const QByteArray &b);

class AccessGate {
public:
    // `authorities`: what a Host header may say, e.g. "127.0.0.1:6420". The token of the connect file is the user
    // `local`; `others` and `members` outlive the gate. Without members only `local` is known, with its user as owner.
    AccessGate(const QString &token, QStringList authorities, QStringList allowedOrigins = {},
        const Memberships *members = nullptr, const TokenDirectory *others = nullptr);

    // auth.forbidden for a foreign Host or Origin; checked before anything else is looked at.
    // `isOurName`: its Host was found to be a name of this host elsewhere.
    std::optional<Error> refuseForeign(const HttpHead &head, bool isOurName = false) const;
    // Who asks, or auth.unauthorized, or auth.expired.
    Result<Caller> authorize(const GatewayRoute &route) const;
    // auth.forbidden (actor.not_found for an organization that nobody is in), or nothing: whether the caller may talk to this actor, and do this there.
    std::optional<Error> refuseConnection(const Caller &caller, const ActorAddress &actor) const;
    std::optional<Error> refuseAction(const Caller &caller, const ActorAddress &actor, const QString &action) const;
    // The caller as the actor sees them: with their role there.
    Caller callerAt(const Caller &caller, const ActorAddress &actor) const;
    // hex HMAC-SHA256(token, challenge), for a challenge of 32 bytes in hex; empty otherwise.
    QString proof(const QString &challenge) const;
    bool allowsOrigin(const QByteArray &origin) const;

private:
    const Memberships &members() const;
    std::optional<Error> refuseToken(const Caller &caller) const;

    const QByteArray m_token;
    const QByteArray m_digest;
    const QStringList m_authorities;
    const QStringList m_allowedOrigins;
    const Memberships *const m_members;
    const TokenDirectory *const m_others;
};

// The names under which a listener on this address is known.
QStringList authoritiesOf(const QString &address, quint16 port);

} // namespace foundry::backend
