// Where secrets of the user are kept: the keychain of the desktop. Asynchronous; every request is answered exactly once,
// within a deadline, unless its context is gone. There is no silent fallback: who cannot keep a secret says so.
// GUI thread.
#pragma once

#include "models/types/result.h"

#include <QByteArray>
#include <QObject>
#include <functional>
#include <optional>

namespace foundry::auth {

class SecretStore : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    // Errors: auth/keychain_locked, auth/keychain_denied (the user said no), auth/keychain_timeout (hanging),
    // auth/keychain_unavailable (no keychain, no bus, …). A key that does not exist is no error.
    virtual void read(const QString &key, QObject *context, std::function<void(Result<std::optional<QByteArray>>)> answer) = 0;
    virtual void write(const QString &key, const QByteArray &secret, QObject *context, std::function<void(Result<>)> answer) = 0;
    // Removing what is not there succeeds.
    virtual void remove(const QString &key, QObject *context, std::function<void(Result<>)> answer) = 0;
};

} // namespace foundry::auth
