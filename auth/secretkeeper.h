// Keeps secrets for this run, and beyond it where there is a keychain. What a keychain does not take lives in memory
// until the program ends; state() says so, and isForThisRunOnly() of which secret: it is shown, never silent. GUI thread.
#pragma once

#include "auth/secretstore.h"

#include <QHash>
#include <QSet>

namespace foundry::auth {

enum class KeychainState {
    Unknown, // nothing was asked of it yet
    Working,
    Locked,  // waits for its user
    Denied,  // its user said no
    Missing, // no keychain, or no way to it
    Hanging, // does not answer
    Corrupt, // answers with what it was not given
};

// For logs and tests: "working", "locked", …
QString keychainStateName(KeychainState state);

class SecretKeeper final : public QObject {
    Q_OBJECT

public:
    // `store` outlives the keeper.
    explicit SecretKeeper(SecretStore &store, QObject *parent = nullptr);

    // The secret that is known, or that the keychain has; nothing when there is none, or the keychain cannot say (state()).
    void read(const QString &key, QObject *context, std::function<void(std::optional<QByteArray>)> answer);
    // Known from here on; `answer` comes when the keychain has it, or with why not.
    void write(const QString &key, const QByteArray &secret, QObject *context, std::function<void(Result<>)> answer);
    // Unknown from here on; an error says that the keychain may still have it.
    void remove(const QString &key, QObject *context, std::function<void(Result<>)> answer);

    KeychainState state() const { return m_state; }
    // Why the keychain does not keep anything; nothing while it works.
    std::optional<Error> problem() const { return m_problem; }
    bool isForThisRunOnly(const QString &key) const { return m_forThisRun.contains(key); }

Q_SIGNALS:
    void stateChanged();

private:
    void tell(const std::optional<Error> &problem);

    SecretStore &m_store;
    QHash<QString, QByteArray> m_known;
    QSet<QString> m_forThisRun;
    KeychainState m_state = KeychainState::Unknown;
    std::optional<Error> m_problem;
};

} // namespace foundry::auth
