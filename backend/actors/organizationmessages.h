// What the app, organizations and users tell each other, as JSON of durable sends.
#pragma once

#include "backend/actors/memberships.h"
#include "models/types/ids.h"
#include "models/types/result.h"

#include <QByteArray>

namespace foundry::backend {

// Letters, digits, ".", "-" and "_", at most 64, no leading mark: an id is part of keys and of folder names.
bool isOrganizationId(const QString &id);

// app → organization, "create"
struct OrganizationCreation {
    QString name;
    QString owner;
};
QByteArray encodeOrganizationCreation(const OrganizationCreation &creation);
Result<OrganizationCreation> decodeOrganizationCreation(const QByteArray &json);

// organization → app, "membership": what a user is there now
struct Membership {
    QString organization;
    QString user;
    Role role = Role::None;
    qint64 revision = 0; // of this user's membership, so that an older word is dropped
};
QByteArray encodeMembership(const Membership &membership);
Result<Membership> decodeMembership(const QByteArray &json);

// organization → user, "organizationRemoved"
QByteArray encodeOrganizationRemoved(const OrganizationId &organization);

} // namespace foundry::backend
