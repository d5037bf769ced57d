#include "auth/keychainsecretstore.h"

#include <QPointer>
#include <QTimer>

namespace foundry::auth {

namespace {

constexpr QLatin1StringView keychainService("foundry-workbench");

Error keychainError(const KeychainReply &reply)
{
    if (reply.outcome == KeychainOutcome::Locked) {
        return makeError(QLatin1StringView("auth"), QLatin1StringView("keychain_locked"), SecretStore::tr("The keychain is locked."),
            SecretStore::tr("Unlock it and try again; until then a token is kept for this run only."), reply.message);
    }
    if (reply.outcome == KeychainOutcome::Denied) {
        return makeError(QLatin1StringView("auth"), QLatin1StringView("keychain_denied"), SecretStore::tr("Access to the keychain was denied."),
            SecretStore::tr("Try again and allow it; until then a token is kept for this run only."), reply.message);
    }
    return makeError(QLatin1StringView("auth"), QLatin1StringView("keychain_unavailable"),
        SecretStore::tr("There is no keychain that can be used."),
        SecretStore::tr("Start a keychain service such as gnome-keyring or KWallet; until then a token is kept for this run only."),
        reply.message);
}

} // namespace

KeychainSecretStore::KeychainSecretStore(
    std::unique_ptr<KeychainBackend> backend, std::chrono::milliseconds deadline, QObject *parent)
    : SecretStore(parent)
    , m_backend(std::move(backend))
    , m_deadline(deadline)
{
}

std::function<void(KeychainReply)> KeychainSecretStore::guarded(QObject *context, Reply reply)
{
    struct Once {
        QPointer<QObject> context;
        QPointer<QTimer> deadline;
        Reply reply;
        void finish(Result<KeychainReply> result)
        {
            if (!reply)
                return;
            const Reply answer = std::exchange(reply, nullptr);
            if (deadline)
                deadline->deleteLater();
            if (context)
                answer(std::move(result));
        }
    };
    auto once = std::make_shared<Once>();
    once->context = context;
    once->reply = std::move(reply);
    auto *deadline = new QTimer(this);
    once->deadline = deadline;
    deadline->setSingleShot(true);
    connect(deadline, &QTimer::timeout, this, [once] {
        once->finish(makeError(QLatin1StringView("auth"), QLatin1StringView("keychain_timeout"),
            tr("The keychain does not answer."), tr("Unlock it, or restart the keychain service, and try again.")));
    });
    deadline->start(m_deadline);
    return [once](const KeychainReply &made) { once->finish(made); };
}

void KeychainSecretStore::read(
    const QString &key, QObject *context, std::function<void(Result<std::optional<QByteArray>>)> answer)
{
    m_backend->read(keychainService, key, guarded(context, [answer = std::move(answer)](const Result<KeychainReply> &reply) {
        if (!reply)
            answer(reply.error());
        else if (reply->outcome == KeychainOutcome::Done)
            answer(std::optional<QByteArray>(reply->secret));
        else if (reply->outcome == KeychainOutcome::NotFound)
            answer(std::optional<QByteArray>());
        else
            answer(keychainError(*reply));
    }));
}

void KeychainSecretStore::write(
    const QString &key, const QByteArray &secret, QObject *context, std::function<void(Result<>)> answer)
{
    m_backend->write(keychainService, key, secret, guarded(context, [answer = std::move(answer)](const Result<KeychainReply> &reply) {
        if (!reply)
            answer(reply.error());
        else if (reply->outcome == KeychainOutcome::Done)
            answer(Unit{});
        else
            answer(keychainError(*reply));
    }));
}

void KeychainSecretStore::remove(const QString &key, QObject *context, std::function<void(Result<>)> answer)
{
    m_backend->remove(keychainService, key, guarded(context, [answer = std::move(answer)](const Result<KeychainReply> &reply) {
        if (!reply)
            answer(reply.error());
        else if (reply->outcome == KeychainOutcome::Done || reply->outcome == KeychainOutcome::NotFound)
            answer(Unit{});
        else
            answer(keychainError(*reply));
    }));
}

} // namespace foundry::auth
