// KeychainBackend over QtKeychain (Secret Service, KWallet).
#pragma once

#include "auth/keychainbackend.h"

namespace foundry::auth {

class QtKeychainBackend final : public KeychainBackend {
public:
    void read(const QString &service, const QString &key, std::function<void(KeychainReply)> reply) override;
    void write(const QString &service, const QString &key, const QByteArray &secret, std::function<void(KeychainReply)> reply) override;
    void remove(const QString &service, const QString &key, std::function<void(KeychainReply)> reply) override;
};

} // namespace foundry::auth
