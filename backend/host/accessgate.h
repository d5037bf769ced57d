// Who may talk to this host. Loopback can be reached by every web page in a browser here, so a secret token, the Host
// header and the Origin are all looked at. Any thread after construction.
#pragma once

#include "backend/actors/actor.h"
#include "backend/host/gatewayroute.h"

#include <optional>

namespace foundry::backend {

class AccessGate {
public:
    // `authorities`: what a Host header may say, e.g. "127.0.0.1:6420".
    AccessGate(const QString &token, QStringList authorities, QStringList allowedOrigins = {});

    // auth.forbidden for a foreign Host or Origin; checked before anything else is looked at.
    std::optional<Error> refuseForeign(const HttpHead &head) const;
    // Who asks, or auth.unauthorized.
    Result<Caller> authorize(const GatewayRoute &route) const;
    // hex HMAC-SHA256(token, challenge), for a challenge of 32 bytes in hex; empty otherwise.
    QString proof(const QString &challenge) const;
    bool allowsOrigin(const QByteArray &origin) const;

private:
    const QByteArray m_token;
    const QByteArray m_digest;
    const QStringList m_authorities;
    const QStringList m_allowedOrigins;
};

// The names under which a listener on this address is known.
QStringList authoritiesOf(const QString &address, quint16 port);

} // namespace foundry::backend
