// Where a server is and how to address it: `http://NAMESPACE:TOKEN@host:port/path`. The token leaves this struct only
// in a header or a socket's path; describe() and logs never carry it. Value, any thread.
#pragma once

#include "models/types/result.h"

#include <QString>
#include <QStringList>
#include <QUrl>

namespace foundry::realtime {

struct Endpoint {
    QUrl url; // without user information and without a trailing slash
    QString nameSpace = QStringLiteral("default");
    QString token = {};

    // Errors: input.invalid.
    static Result<Endpoint> parse(const QString &text);

    QUrl metadataUrl() const;
    QUrl actorsUrl() const;
    QUrl actorsUrl(const QString &name, const QString &encodedKey) const;
    // The socket of an actor (section 6 of the protocol).
    QUrl connectUrl(const QString &actorId) const;
    // For people: no token.
    QString describe() const;

    friend bool operator==(const Endpoint &, const Endpoint &) = default;
};

// The sub-protocols of a connection; `connParamsJson` may be empty.
QStringList connectSubprotocols(const QByteArray &connParamsJson);

} // namespace foundry::realtime
