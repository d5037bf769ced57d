// SecretStore over a keychain, with a deadline of its own for each job: some keychains never answer.
#pragma once

#include "auth/keychainbackend.h"
#include "auth/secretstore.h"

#include <chrono>
#include <memory>

namespace foundry::auth {

class KeychainSecretStore final : public SecretStore {
    Q_OBJECT

public:
    // The deadline is long because a prompt may wait for the user to type.
    explicit KeychainSecretStore(std::unique_ptr<KeychainBackend> backend,
        std::chrono::milliseconds deadline = std::chrono::seconds(60), QObject *parent = nullptr);

    void read(const QString &key, QObject *context, std::function<void(Result<std::optional<QByteArray>>)> answer) override;
    void write(const QString &key, const QByteArray &secret, QObject *context, std::function<void(Result<>)> answer) override;
    void remove(const QString &key, QObject *context, std::function<void(Result<>)> answer) override;

private:
    using Reply = std::function<void(Result<KeychainReply>)>;

    // A backend's callback that counts once, and not after the deadline or without its context.
    std::function<void(KeychainReply)> guarded(QObject *context, Reply reply);

    std::unique_ptr<KeychainBackend> m_backend;
    std::chrono::milliseconds m_deadline;
};

} // namespace foundry::auth
