// The certificate and key by which a listener beyond loopback proves itself. Read once, at the start. Main thread.
#pragma once

#include "models/types/result.h"

#include <QDateTime>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QStringList>

namespace foundry::backend {

struct TlsIdentity {
    QSslConfiguration configuration;
    QStringList names;   // that the certificate is for, lower case; may begin with "*."
    QString fingerprint; // SHA-256 of the certificate, as "AB:CD:…": what people compare
    QDateTime expires;
};

// PEM files. Errors: input.invalid with a sentence: unreadable, not PEM, a key with a passphrase, one that is not the
// certificate's, one that others may read, a certificate that is over or not begun.
Result<TlsIdentity> readTlsIdentity(const QString &certificateFile, const QString &keyFile);

// "AB:CD:…"
QString tlsFingerprint(const QSslCertificate &certificate);
// Whether a Host header (with or without a port) may stand for this certificate: an address, this machine, or a name of it.
// Names of somebody else's that were made to lead here are none of these.
bool tlsAnswersTo(const TlsIdentity &identity, const QString &authority);

} // namespace foundry::backend
