#include "auth/secretkeeper.h"

#include <QPointer>

namespace foundry::auth {

namespace {

// The keychain gives back only what was put into it with this mark: something else under our key is not ours.
QByteArray secretkeeperMark()
{
    return QByteArrayLiteral("foundry1:");
}

KeychainState secretkeeperState(const std::optional<Error> &problem)
{
    if (!problem)
        return KeychainState::Working;
    if (problem->code == QLatin1StringView("keychain_locked"))
        return KeychainState::Locked;
    if (problem->code == QLatin1StringView("keychain_denied"))
        return KeychainState::Denied;
    if (problem->code == QLatin1StringView("keychain_timeout"))
        return KeychainState::Hanging;
    return problem->code == QLatin1StringView("keychain_corrupt") ? KeychainState::Corrupt : KeychainState::Missing;
}

} // namespace

QString keychainStateName(KeychainState state)
{
    switch (state) {
    case KeychainState::Unknown:
        return QStringLiteral("unknown");
    case KeychainState::Working:
        return QStringLiteral("working");
    case KeychainState::Locked:
        return QStringLiteral("locked");
    case KeychainState::Denied:
        return QStringLiteral("denied");
    case KeychainState::Missing:
        return QStringLiteral("missing");
    case KeychainState::Hanging:
        return QStringLiteral("hanging");
    case KeychainState::Corrupt:
        return QStringLiteral("corrupt");
    }
    return {};
}

SecretKeeper::SecretKeeper(SecretStore &store, QObject *parent)
    : QObject(parent)
    , m_store(store)
{
}

void SecretKeeper::tell(const std::optional<Error> &problem)
{
    const KeychainState state = secretkeeperState(problem);
    const bool isNew = state != m_state;
    m_state = state;
    m_problem = problem;
    if (isNew)
        Q_EMIT stateChanged();
}

void SecretKeeper::read(const QString &key, QObject *context, std::function<void(std::optional<QByteArray>)> answer)
{
    if (const auto known = m_known.constFind(key); known != m_known.cend()) {
        answer(*known);
        return;
    }
    m_store.read(key, this, [this, key, context = QPointer(context), answer = std::move(answer)](const Result<std::optional<QByteArray>> &read) {
        std::optional<QByteArray> secret;
        if (!read) {
            tell(read.error());
        } else if (*read && !(*read)->startsWith(secretkeeperMark())) {
            tell(makeError(QLatin1StringView("auth"), QLatin1StringView("keychain_corrupt"), tr("What the keychain has is not what was put into it."),
                tr("Enter the token again; it then replaces what is there.")));
        } else {
            tell(std::nullopt);
            if (*read)
                secret = (*read)->mid(secretkeeperMark().size());
        }
        // Somebody may have given one meanwhile.
        if (const auto known = m_known.constFind(key); known != m_known.cend())
            secret = *known;
        else if (secret)
            m_known.insert(key, *secret);
        if (context)
            answer(secret);
    });
}

void SecretKeeper::write(const QString &key, const QByteArray &secret, QObject *context, std::function<void(Result<>)> answer)
{
    m_known.insert(key, secret);
    m_forThisRun.insert(key);
    m_store.write(key, secretkeeperMark() + secret, this,
        [this, key, secret, context = QPointer(context), answer = std::move(answer)](const Result<> &written) {
            tell(written ? std::nullopt : std::optional(written.error()));
            if (written && m_known.value(key) == secret)
                m_forThisRun.remove(key);
            if (context)
                answer(written);
        });
}

void SecretKeeper::remove(const QString &key, QObject *context, std::function<void(Result<>)> answer)
{
    m_known.remove(key);
    m_forThisRun.remove(key);
    m_store.remove(key, this, [this, context = QPointer(context), answer = std::move(answer)](const Result<> &removed) {
        tell(removed ? std::nullopt : std::optional(removed.error()));
        if (context)
            answer(removed);
    });
}

} // namespace foundry::auth
