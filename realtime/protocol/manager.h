// The manager API: finding actors by name and key, and the server's metadata. JSON text in and out, no I/O.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QList>
#include <QStringList>
#include <optional>

namespace foundry::protocol {

struct ActorRecord {
    QString actorId;
    QString name;
    QStringList key;
    qint64 createdAt = 0;
    friend bool operator==(const ActorRecord &, const ActorRecord &) = default;
};

// The answer of GET /metadata. `hostVersion` and `proof` are foundry-host's own additions.
struct Metadata {
    QString runtime;
    QString version;
    std::optional<QString> clientEndpoint = {};
    std::optional<QString> clientNamespace = {};
    std::optional<QString> clientToken = {};
    std::optional<QString> hostVersion = {};
    std::optional<QString> hostInstance = {}; // random, new at each start of the host
    std::optional<QString> proof = {};        // hex HMAC-SHA256(token, challenge)
    friend bool operator==(const Metadata &, const Metadata &) = default;
};

Result<Metadata> decodeMetadata(QByteArrayView body);
QByteArray encodeMetadata(const Metadata &metadata);

// PUT (getOrCreate) and POST (create) bodies.
QByteArray encodeGetOrCreate(const QString &name, const QStringList &key);
struct ActorQuery {
    QString name;
    QStringList key;
    bool hasKey = true;
};
Result<ActorQuery> decodeActorQuery(QByteArrayView body);

// `{"actor":…,"created":…}` and `{"actors":[…]}`
Result<ActorRecord> decodeActor(QByteArrayView body);
Result<QList<ActorRecord>> decodeActors(QByteArrayView body);
QByteArray encodeActor(const ActorRecord &actor, std::optional<bool> created);
QByteArray encodeActors(const QList<ActorRecord> &actors);

} // namespace foundry::protocol
