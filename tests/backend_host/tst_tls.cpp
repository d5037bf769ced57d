// TLS of the host: what it refuses to start with, who gets in, and what happens to those who speak slowly, or plainly.
#include "backend/host/tlslistener.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QProcess>
#include <QSignalSpy>
#include <QSslSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>

using namespace foundry;
using namespace foundry::backend;

class TstTls : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void badFiles_data();
    void badFiles();
    void identities_data();
    void identities();
    void answersToItsNames();
    void slowAndTooMany();
    void plainIsToldSo();
    void beyondLoopbackNeedsACertificate();
    void overTls();

private:
    static bool openssl(const QStringList &arguments)
    {
        QProcess program;
        program.setProcessChannelMode(QProcess::MergedChannels);
        program.start(QStringLiteral("openssl"), arguments);
        if (program.waitForFinished(30000) && program.exitCode() == 0)
            return true;
        qWarning("%s", program.readAll().constData());
        return false;
    }
    QString file(const QString &name) const { return m_dir.filePath(name); }
    // NAME.crt and NAME.key
    bool make(const QString &name, const QStringList &key) const
    {
        return openssl(QStringList{QStringLiteral("req"), QStringLiteral("-x509"), QStringLiteral("-nodes"), QStringLiteral("-newkey")} + key
                   + QStringList{QStringLiteral("-keyout"), file(name + QStringLiteral(".key")), QStringLiteral("-out"), file(name + QStringLiteral(".crt")),
                       QStringLiteral("-days"), QStringLiteral("2"), QStringLiteral("-subj"), QStringLiteral("/CN=host.test"), QStringLiteral("-addext"),
                       QStringLiteral("subjectAltName=DNS:host.test,DNS:*.many.test,IP:127.0.0.1")})
            && QFile::setPermissions(file(name + QStringLiteral(".key")), QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    }
    bool write(const QString &name, const QByteArray &content) const
    {
        QFile made(file(name));
        return made.open(QIODevice::WriteOnly) && made.write(content) == content.size()
            && made.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    }
    static std::unique_ptr<QTcpSocket> plainTo(quint16 port)
    {
        auto socket = std::make_unique<QTcpSocket>();
        socket->setProxy(QNetworkProxy::NoProxy);
        socket->connectToHost(QHostAddress(QHostAddress::LocalHost), port);
        return QTest::qWaitFor([&] { return socket->state() == QAbstractSocket::ConnectedState; }, 5000) ? std::move(socket) : nullptr;
    }

    QTemporaryDir m_dir;
};

void TstTls::initTestCase()
{
    QVERIFY(make(QStringLiteral("good"), {QStringLiteral("rsa:2048")}));
    QVERIFY(make(QStringLiteral("other"), {QStringLiteral("rsa:2048")}));
    QVERIFY(make(QStringLiteral("curve"), {QStringLiteral("ec"), QStringLiteral("-pkeyopt"), QStringLiteral("ec_paramgen_curve:prime256v1")}));
    QVERIFY(make(QStringLiteral("curve2"), {QStringLiteral("ec"), QStringLiteral("-pkeyopt"), QStringLiteral("ec_paramgen_curve:prime256v1")}));
    QVERIFY(openssl({QStringLiteral("req"), QStringLiteral("-new"), QStringLiteral("-key"), file(QStringLiteral("good.key")), QStringLiteral("-subj"),
        QStringLiteral("/CN=host.test"), QStringLiteral("-out"), file(QStringLiteral("good.csr"))}));
    QVERIFY(openssl({QStringLiteral("x509"), QStringLiteral("-req"), QStringLiteral("-in"), file(QStringLiteral("good.csr")), QStringLiteral("-signkey"),
        file(QStringLiteral("good.key")), QStringLiteral("-days"), QStringLiteral("-1"), QStringLiteral("-out"), file(QStringLiteral("old.crt"))}));
    QVERIFY(openssl({QStringLiteral("rsa"), QStringLiteral("-aes128"), QStringLiteral("-passout"), QStringLiteral("pass:test"), QStringLiteral("-in"),
        file(QStringLiteral("good.key")), QStringLiteral("-out"), file(QStringLiteral("locked.key"))}));
    QVERIFY(QFile::setPermissions(file(QStringLiteral("locked.key")), QFileDevice::ReadOwner));
    QVERIFY(write(QStringLiteral("none.pem"), "no certificate and no key\n"));
    QVERIFY(QFile::copy(file(QStringLiteral("good.key")), file(QStringLiteral("wide.key"))));
    QVERIFY(QFile::setPermissions(file(QStringLiteral("wide.key")), QFileDevice::ReadOwner | QFileDevice::ReadOther));
}

void TstTls::badFiles_data()
{
    QTest::addColumn<QString>("certificate");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("words");
    const auto row = [](const char *name, const char *certificate, const char *key, const char *words) {
        QTest::newRow(name) << QString::fromLatin1(certificate) << QString::fromLatin1(key) << QString::fromLatin1(words);
    };
    row("no certificate file", "missing.crt", "good.key", "cannot be read");
    row("no key file", "good.crt", "missing.key", "cannot be read");
    row("no certificate", "none.pem", "good.key", "no certificate");
    row("no key", "good.crt", "none.pem", "no key");
    row("passphrase", "good.crt", "locked.key", "no key");
    row("another's key", "good.crt", "other.key", "is not that of");
    row("another kind of key", "good.crt", "curve.key", "is not that of");
    row("another's curve", "curve.crt", "curve2.key", "is not that of");
    row("over", "old.crt", "good.key", "expired on");
    row("readable by others", "good.crt", "wide.key", "Others may read");
}

void TstTls::badFiles()
{
    QFETCH(QString, certificate);
    QFETCH(QString, key);
    QFETCH(QString, words);
    const auto read = readTlsIdentity(file(certificate), file(key));
    QVERIFY(!read);
    QCOMPARE(read.error().key(), QStringLiteral("input.invalid"));
    QVERIFY2(read.error().message.contains(words), qPrintable(read.error().message));
    QVERIFY(!read.error().action.isEmpty());
}

void TstTls::identities_data()
{
    QTest::addColumn<QString>("name");
    QTest::newRow("RSA") << QStringLiteral("good");
    QTest::newRow("EC") << QStringLiteral("curve");
}

void TstTls::identities()
{
    QFETCH(QString, name);
    const auto read = readTlsIdentity(file(name + QStringLiteral(".crt")), file(name + QStringLiteral(".key")));
    QVERIFY2(read, read ? "" : qPrintable(read.error().message));
    QCOMPARE(read->fingerprint.size(), 32 * 3 - 1);
    // And one can shake hands with it.
    TlsListener listener(*read);
    QVERIFY(listener.listen(QHostAddress::LocalHost));
    QSignalSpy connected(&listener, &TlsListener::connected);
    QSslSocket client;
    client.setProxy(QNetworkProxy::NoProxy);
    client.setPeerVerifyMode(QSslSocket::VerifyNone);
    client.connectToHostEncrypted(QStringLiteral("127.0.0.1"), listener.serverPort());
    QTRY_COMPARE(connected.size(), 1);
    QTRY_VERIFY(client.isEncrypted());
    QCOMPARE(tlsFingerprint(client.peerCertificate()), read->fingerprint);
    QCOMPARE(listener.handshakes(), 0);
}

void TstTls::answersToItsNames()
{
    const auto identity = readTlsIdentity(file(QStringLiteral("good.crt")), file(QStringLiteral("good.key")));
    QVERIFY(identity);
    for (const char *name : {"host.test", "HOST.test:7443", "a.many.test:1", "127.0.0.1:7443", "10.1.2.3", "[::1]:7443", "localhost:1"})
        QVERIFY2(tlsAnswersTo(*identity, QString::fromLatin1(name)), name);
    for (const char *name : {"", ":7443", "evil.test", "host.test.evil.test", "many.test", ".many.test", "a.b.many.test", "xhost.test"})
        QVERIFY2(!tlsAnswersTo(*identity, QString::fromLatin1(name)), name);
}

void TstTls::slowAndTooMany()
{
    const auto identity = readTlsIdentity(file(QStringLiteral("good.crt")), file(QStringLiteral("good.key")));
    TlsListener listener(*identity);
    listener.setHandshakeDeadline(3000);
    QVERIFY(listener.listen(QHostAddress::LocalHost));
    std::vector<std::unique_ptr<QTcpSocket>> silent;
    for (int n = 0; n < kTlsHandshakeLimit; ++n) {
        silent.push_back(plainTo(listener.serverPort()));
        if (n % 2) // some say nothing, some begin
            silent.back()->write("\x16\x03\x01");
    }
    QTRY_COMPARE(listener.handshakes(), kTlsHandshakeLimit);
    const auto oneMore = plainTo(listener.serverPort());
    QTRY_COMPARE(oneMore->state(), QAbstractSocket::UnconnectedState);
    QCOMPARE(listener.handshakes(), kTlsHandshakeLimit);
    QTRY_COMPARE_WITH_TIMEOUT(listener.handshakes(), 0, 20000);
    for (const auto &socket : silent)
        QTRY_COMPARE(socket->state(), QAbstractSocket::UnconnectedState);
}

void TstTls::plainIsToldSo()
{
    const auto identity = readTlsIdentity(file(QStringLiteral("good.crt")), file(QStringLiteral("good.key")));
    TlsListener listener(*identity);
    QVERIFY(listener.listen(QHostAddress::LocalHost));
    QSignalSpy connected(&listener, &TlsListener::connected);
    const auto socket = plainTo(listener.serverPort());
    socket->write("GET /metadata HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    QByteArray said;
    QTRY_VERIFY((said += socket->readAll(), socket->state() == QAbstractSocket::UnconnectedState));
    said += socket->readAll();
    QVERIFY2(said.startsWith("HTTP/1.1 400") && said.contains("https"), said.constData());
    QCOMPARE(connected.size(), 0);
    QTRY_COMPARE(listener.handshakes(), 0);
}

void TstTls::beyondLoopbackNeedsACertificate()
{
    const auto started = [&](const QStringList &more) {
        QProcess host;
        host.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host"), QStringList{QStringLiteral("--data-dir"), file(QStringLiteral("data"))} + more);
        (void)host.waitForFinished(20000);
        return std::pair(host.exitCode(), QString::fromUtf8(host.readAllStandardError()));
    };
    const auto [code, words] = started({QStringLiteral("--listen"), QStringLiteral("0.0.0.0:0")});
    QCOMPARE(code, 2);
    QVERIFY2(words.contains(QLatin1StringView("--tls-cert")), qPrintable(words));
    QCOMPARE(started({QStringLiteral("--tls-cert"), file(QStringLiteral("good.crt"))}).first, 2);
    const auto [mismatch, why] = started({QStringLiteral("--listen"), QStringLiteral("0.0.0.0:0"), QStringLiteral("--tls-cert"),
        file(QStringLiteral("good.crt")), QStringLiteral("--tls-key"), file(QStringLiteral("other.key"))});
    QCOMPARE(mismatch, 4);
    QVERIFY2(why.contains(QLatin1StringView("is not that of")), qPrintable(why));
}

// The whole host: requests and a WebSocket over TLS, by a name of the certificate; others are refused.
void TstTls::overTls()
{
    QProcess host;
    host.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host"),
        {QStringLiteral("--data-dir"), file(QStringLiteral("whole")), QStringLiteral("--listen"), QStringLiteral("0.0.0.0:0"), QStringLiteral("--tls-cert"),
            file(QStringLiteral("good.crt")), QStringLiteral("--tls-key"), file(QStringLiteral("good.key"))});
    QVERIFY(host.waitForReadyRead(20000));
    const QJsonObject ready = QJsonDocument::fromJson(host.readLine()).object();
    QUrl endpoint(ready.value(QLatin1StringView("tlsEndpoint")).toString());
    QCOMPARE(endpoint.scheme(), QStringLiteral("https"));
    endpoint.setHost(QStringLiteral("127.0.0.1"));
    QVERIFY(ready.value(QLatin1StringView("endpoint")).toString().startsWith(QLatin1StringView("http://127.0.0.1:")));
    QFile connectFile(ready.value(QLatin1StringView("connectFile")).toString());
    QVERIFY(connectFile.open(QIODevice::ReadOnly));
    const QString token = QJsonDocument::fromJson(connectFile.readAll()).object().value(QLatin1StringView("token")).toString();

    QSslConfiguration trust = QSslConfiguration::defaultConfiguration();
    trust.setCaCertificates(QSslCertificate::fromPath(file(QStringLiteral("good.crt"))));
    QNetworkAccessManager network;
    network.setProxy(QNetworkProxy::NoProxy);
    const auto statusOf = [&](const QByteArray &name, const QSslConfiguration &trusted) {
        QUrl url(endpoint);
        url.setPath(QStringLiteral("/metadata"));
        QNetworkRequest request(url);
        request.setSslConfiguration(trusted);
        if (!name.isEmpty())
            request.setRawHeader("Host", name);
        QNetworkReply *reply = network.get(request);
        return QTest::qWaitFor([reply] { return reply->isFinished(); }, 10000)
            ? reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt()
            : -1;
    };
    QCOMPARE(statusOf({}, trust), 200);
    QCOMPARE(statusOf("host.test", trust), 200);
    QCOMPARE(statusOf("evil.test", trust), 403);
    network.clearConnectionCache();
    QSslConfiguration stranger = trust;
    stranger.setCaCertificates({});
    QCOMPARE(statusOf({}, stranger), 0); // whoever does not trust the certificate sends nothing

    QWebSocket socket;
    socket.setProxy(QNetworkProxy::NoProxy);
    socket.setSslConfiguration(trust);
    QSignalSpy said(&socket, &QWebSocket::textMessageReceived);
    QWebSocketHandshakeOptions handshake;
    handshake.setSubprotocols({QStringLiteral("rivet"), QStringLiteral("rivet_encoding.json"), QStringLiteral("rivet_token.") + token});
    endpoint.setScheme(QStringLiteral("wss"));
    endpoint.setPath(QStringLiteral("/gateway/app/connect"));
    endpoint.setQuery(QStringLiteral("rvt-method=getOrCreate&rvt-key=app"));
    socket.open(QNetworkRequest(endpoint), handshake);
    QTRY_COMPARE_WITH_TIMEOUT(said.size(), 1, 10000);
    socket.sendTextMessage(QStringLiteral(R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","1"],"name":"whoami","args":[{}]}}})"));
    QTRY_COMPARE_WITH_TIMEOUT(said.size(), 2, 10000);
    QVERIFY(said.at(1).constFirst().toString().contains(QLatin1StringView("hostVersion")));
    host.terminate();
    QTRY_COMPARE_WITH_TIMEOUT(socket.closeReason(), QStringLiteral("actor.stopping"), 10000);
    QVERIFY(host.state() == QProcess::NotRunning || host.waitForFinished(20000));
    QCOMPARE(host.exitCode(), 0);
}

QTEST_GUILESS_MAIN(TstTls)
#include "tst_tls.moc"
