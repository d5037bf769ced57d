#include "backend/host/tlsidentity.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QHostAddress>
#include <QSslCertificate>
#include <QSslKey>
#include <QSslSocket>

namespace foundry::backend {

namespace {

Error tlsidentityInvalid(const QString &message, const QString &way)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, way);
}

Result<QByteArray> tlsidentityRead(const QString &path, const QString &option)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return tlsidentityInvalid(QStringLiteral("%1 cannot be read: %2.").arg(path, file.errorString()),
            QStringLiteral("Give a PEM file with %1.").arg(option));
    return file.read(1024 * 1024);
}

QSslKey tlsidentityKey(const QByteArray &pem)
{
    for (const auto algorithm : {QSsl::Rsa, QSsl::Ec}) {
        if (QSslKey key(pem, algorithm, QSsl::Pem, QSsl::PrivateKey); !key.isNull())
            return key;
    }
    return {};
}

// Qt does not say whether two keys belong together; a private key's encoding holds the public one's numbers.
bool tlsidentityMatches(const QSslKey &key, const QSslCertificate &certificate)
{
    const QSslKey open = certificate.publicKey();
    if (open.algorithm() != key.algorithm())
        return false;
    const QByteArray numbers = open.toDer();
    const qsizetype tail = key.algorithm() == QSsl::Rsa ? 5 : 0; // an RSA key ends with its exponent
    constexpr qsizetype enough = 32;
    return numbers.size() > tail + enough && key.toDer().contains(numbers.mid(numbers.size() - tail - enough, enough));
}

} // namespace

QString tlsFingerprint(const QSslCertificate &certificate)
{
    return QString::fromLatin1(certificate.digest(QCryptographicHash::Sha256).toHex(':')).toUpper();
}

Result<TlsIdentity> readTlsIdentity(const QString &certificateFile, const QString &keyFile)
{
    if (!QSslSocket::supportsSsl())
        return tlsidentityInvalid(QStringLiteral("There is no TLS library that can be used."), QStringLiteral("Install OpenSSL 3."));
    const auto certificatePem = tlsidentityRead(certificateFile, QStringLiteral("--tls-cert"));
    if (!certificatePem)
        return certificatePem.error();
    const auto keyPem = tlsidentityRead(keyFile, QStringLiteral("--tls-key"));
    if (!keyPem)
        return keyPem.error();
    const QList<QSslCertificate> chain = QSslCertificate::fromData(*certificatePem, QSsl::Pem);
    if (chain.isEmpty() || chain.constFirst().isNull())
        return tlsidentityInvalid(QStringLiteral("%1 holds no certificate in PEM.").arg(certificateFile),
            QStringLiteral("It begins with -----BEGIN CERTIFICATE-----; intermediate ones follow in the same file."));
    const QSslCertificate &certificate = chain.constFirst();
    const auto others = QFileDevice::ReadGroup | QFileDevice::WriteGroup | QFileDevice::ReadOther | QFileDevice::WriteOther;
    if (QFileInfo(keyFile).permissions() & others)
        return tlsidentityInvalid(QStringLiteral("Others may read the key in %1.").arg(keyFile), QStringLiteral("chmod 600 it."));
    const QSslKey key = tlsidentityKey(*keyPem);
    if (key.isNull())
        return tlsidentityInvalid(QStringLiteral("%1 holds no key that can be used.").arg(keyFile),
            QStringLiteral("It is an RSA or EC key in PEM, without a passphrase."));
    if (!tlsidentityMatches(key, certificate))
        return tlsidentityInvalid(QStringLiteral("The key in %1 is not that of the certificate in %2.").arg(keyFile, certificateFile),
            QStringLiteral("Give the two that were made together."));
    const QDateTime now = QDateTime::currentDateTimeUtc();
    if (certificate.expiryDate() <= now)
        return tlsidentityInvalid(
            QStringLiteral("The certificate in %1 expired on %2.").arg(certificateFile, certificate.expiryDate().toUTC().toString(Qt::ISODate)),
            QStringLiteral("Renew it."));
    if (certificate.effectiveDate() > now)
        return tlsidentityInvalid(
            QStringLiteral("The certificate in %1 begins on %2.").arg(certificateFile, certificate.effectiveDate().toUTC().toString(Qt::ISODate)),
            QStringLiteral("Set this machine's clock, or wait."));

    TlsIdentity identity;
    identity.configuration = QSslConfiguration::defaultConfiguration();
    identity.configuration.setLocalCertificateChain(chain);
    identity.configuration.setPrivateKey(key);
    identity.configuration.setProtocol(QSsl::TlsV1_2OrLater);
    identity.configuration.setPeerVerifyMode(QSslSocket::VerifyNone); // clients prove themselves by their token
    identity.configuration.setAllowedNextProtocols({QByteArray("http/1.1")});
    const auto alternatives = certificate.subjectAlternativeNames();
    for (const QString &name : alternatives)
        identity.names.append(name.toLower());
    if (alternatives.isEmpty()) {
        const QStringList common = certificate.subjectInfo(QSslCertificate::CommonName);
        for (const QString &name : common)
            identity.names.append(name.toLower());
    }
    identity.fingerprint = tlsFingerprint(certificate);
    identity.expires = certificate.expiryDate();
    return identity;
}

bool tlsAnswersTo(const TlsIdentity &identity, const QString &authority)
{
    QString name = authority.toLower();
    if (name.startsWith(QLatin1Char('['))) {
        name = name.mid(1, name.indexOf(QLatin1Char(']')) - 1);
    } else if (const qsizetype colon = name.lastIndexOf(QLatin1Char(':')); colon >= 0) {
        name.truncate(colon);
    }
    if (name == QLatin1StringView("localhost") || !QHostAddress(name).isNull())
        return !name.isEmpty();
    for (const QString &known : identity.names) {
        if (known == name)
            return true;
        if (known.startsWith(QLatin1StringView("*.")) && name.section(QLatin1Char('.'), 1) == known.mid(2) && !name.startsWith(QLatin1Char('.')))
            return true;
    }
    return false;
}

} // namespace foundry::backend
