// Who is in which organization, as the app actor hands it to the door of the host: a replica that every connection and
// action is checked against. The organizations own it; the app keeps the index. Any thread.
#pragma once

#include <QHash>
#include <QString>

namespace foundry::backend {

// In rising order of what one may.
enum class Role { None, Member, Admin, Owner };

// "member", "admin", "owner"; anything else is None.
Role roleFromText(QStringView text);
QString roleText(Role role);

// organization → user → role; an organization that nobody is in is there with no users
using MembershipTable = QHash<QString, QHash<QString, Role>>;

class MembershipSink {
public:
    virtual ~MembershipSink() = default;
    // All that is known, at the start of the app actor.
    virtual void setMemberships(const MembershipTable &all) = 0;
    // One change, after its commit; None takes the user out.
    virtual void setMembership(const QString &organization, const QString &user, Role role) = 0;
};

} // namespace foundry::backend
