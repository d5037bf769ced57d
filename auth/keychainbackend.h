// One job of a keychain, as a callback: the seam between our rules (deadlines, what an error means) and QtKeychain, so
// that the rules can be tested with a keychain that is locked, hanging or missing. GUI thread.
#pragma once

#include <QByteArray>
#include <QString>
#include <functional>

namespace foundry::auth {

enum class KeychainOutcome { Done, NotFound, Locked, Denied, Unavailable };

struct KeychainReply {
    KeychainOutcome outcome = KeychainOutcome::Done;
    QByteArray secret = {};
    QString message = {}; // the keychain's own words; never the secret
};

class KeychainBackend {
public:
    virtual ~KeychainBackend() = default;

    // The reply may come late, or never.
    virtual void read(const QString &service, const QString &key, std::function<void(KeychainReply)> reply) = 0;
    virtual void write(const QString &service, const QString &key, const QByteArray &secret, std::function<void(KeychainReply)> reply) = 0;
    virtual void remove(const QString &service, const QString &key, std::function<void(KeychainReply)> reply) = 0;
};

} // namespace foundry::auth
