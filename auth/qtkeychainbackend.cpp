#include "auth/qtkeychainbackend.h"

#include <qt6keychain/keychain.h>

namespace foundry::auth {

namespace {

// Whatever is neither success, absence nor refusal is a keychain that is not there: libraries and buses say it in many
// ways, mostly as "other error".
KeychainReply keychainReply(const QKeychain::Job &job)
{
    KeychainReply reply;
    reply.message = job.errorString();
    switch (job.error()) {
    case QKeychain::NoError:
        reply.outcome = KeychainOutcome::Done;
        break;
    case QKeychain::EntryNotFound:
        reply.outcome = KeychainOutcome::NotFound;
        break;
    case QKeychain::AccessDenied: // what a locked collection says when nobody can be asked for its password
        reply.outcome = KeychainOutcome::Locked;
        break;
    case QKeychain::AccessDeniedByUser:
        reply.outcome = KeychainOutcome::Denied;
        break;
    default:
        reply.outcome = KeychainOutcome::Unavailable;
        break;
    }
    return reply;
}

template <class Job>
void startKeychainJob(Job *job, const QString &key, std::function<void(KeychainReply)> reply)
{
    // Deletes itself when it is finished; one that hangs is left alone, our deadline answers for it.
    job->setAutoDelete(true);
    job->setInsecureFallback(false);
    job->setKey(key);
    QObject::connect(job, &QKeychain::Job::finished, job, [job, reply = std::move(reply)] {
        KeychainReply made = keychainReply(*job);
        if constexpr (std::is_same_v<Job, QKeychain::ReadPasswordJob>)
            made.secret = job->binaryData();
        reply(made);
    });
    job->start();
}

} // namespace

void QtKeychainBackend::read(const QString &service, const QString &key, std::function<void(KeychainReply)> reply)
{
    startKeychainJob(new QKeychain::ReadPasswordJob(service), key, std::move(reply));
}

void QtKeychainBackend::write(
    const QString &service, const QString &key, const QByteArray &secret, std::function<void(KeychainReply)> reply)
{
    auto *job = new QKeychain::WritePasswordJob(service);
    job->setBinaryData(secret);
    startKeychainJob(job, key, std::move(reply));
}

void QtKeychainBackend::remove(const QString &service, const QString &key, std::function<void(KeychainReply)> reply)
{
    startKeychainJob(new QKeychain::DeletePasswordJob(service), key, std::move(reply));
}

} // namespace foundry::auth
