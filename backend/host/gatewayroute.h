// What a request of the actor protocol asks for, read from its target, headers and sub-protocols. No I/O.
#pragma once

#include "backend/actors/actorcontext.h"
#include "backend/host/httpmessage.h"

namespace foundry::backend {

struct GatewayRoute {
    enum class Kind {
        Unknown,
        Metadata, // GET /metadata[?challenge=…]
        Health,
        Metrics, // GET /metrics: figures for Prometheus
        Actors, // /actors
        Drain,  // POST /drain
        Tokens, // /tokens[/ID]
        Action, // POST /gateway/…/action/NAME
        Connect // GET /gateway/…/connect (upgrade)
    };
    Kind kind = Kind::Unknown;
    QList<QPair<QString, QString>> query; // without rvt-*

    // Of the gateway: an actor by id, or by name and key.
    QString actorId;
    ActorAddress address;
    bool byKey = false;
    bool mayCreate = false;
    QString action;

    // Where a token may be: header, path, query, connection parameters. Any of them may be the right one.
    QStringList tokens;

    QString param(QStringView name) const;
};

GatewayRoute parseRoute(const HttpHead &head);

// Sub-protocols as offered; "rivet_encoding.json" and the like.
struct OfferedProtocols {
    QString encoding = QStringLiteral("json");
    QByteArray connParams; // JSON
    QString token;
};
OfferedProtocols parseProtocols(QByteArrayView header);

// {"authToken":…} or {"token":…}; empty when there is none.
QString tokenOfParams(QByteArrayView json);

} // namespace foundry::backend
