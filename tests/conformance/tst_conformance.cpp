// The official RivetKit JavaScript clients drive a real foundry-host (drive.mjs says what they do), and the same host with one
// actor more, made for the test (probe.mjs and conformancehost.cpp).
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

class tst_Conformance : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void clients_data();
    void clients();
    void probes_data();
    void probes();
    void overTls_data();
    void overTls();

private:
    void startHost(const QString &program, const QStringList &more = {});
    void drive(const QString &package, const QString &script);
    // Its standard output, without the line's end; empty when it fails.
    static QString run(const QString &program, const QStringList &arguments);
    static QString hostProgram()
    {
        return qEnvironmentVariable("FOUNDRY_BIN_DIR", QStringLiteral(FOUNDRY_BIN_DIR)) + QStringLiteral("/foundry-host");
    }

    std::unique_ptr<QTemporaryDir> m_data;
    std::unique_ptr<QProcess> m_host;
    QString m_folder;
    QString m_node;
    QJsonObject m_ready;
    QString m_endpoint;
    QString m_token;
    QString m_certificate; // that the client is to trust
};

void tst_Conformance::initTestCase()
{
    m_node = QStandardPaths::findExecutable(QStringLiteral("node"));
    QString npm = qEnvironmentVariable("FOUNDRY_NPM_DIR");
    if (npm.isEmpty())
        npm = QStringLiteral(FOUNDRY_SOURCE_DIR "/build/npm");
    m_folder = npm + QStringLiteral("/conformance");
}

// A host for each client: the last step stops it.
void tst_Conformance::startHost(const QString &program, const QStringList &more)
{
    if (more.isEmpty())
        m_data = std::make_unique<QTemporaryDir>();
    QVERIFY(m_data->isValid());
    m_host = std::make_unique<QProcess>();
    m_host->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_host->start(program,
        QStringList{QStringLiteral("--data-dir"), m_data->path() + QStringLiteral("/data"), QStringLiteral("--listen"),
            QStringLiteral("127.0.0.1:0")}
            + more);
    QVERIFY2(m_host->waitForReadyRead(20000), "the host did not become ready");
    m_ready = QJsonDocument::fromJson(m_host->readLine()).object();
    QFile file(m_ready.value(QLatin1StringView("connectFile")).toString());
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject connect = QJsonDocument::fromJson(file.readAll()).object();
    m_endpoint = connect.value(QLatin1StringView("endpoint")).toString();
    m_token = connect.value(QLatin1StringView("token")).toString();
    m_certificate.clear();
}

void tst_Conformance::cleanup()
{
    if (QTest::currentTestFailed())
        m_host->terminate();
    QVERIFY(m_host->waitForFinished(20000));
    QCOMPARE(m_host->exitStatus(), QProcess::NormalExit);
    QCOMPARE(m_host->exitCode(), 0);
    QFile log(m_data->path() + QStringLiteral("/data/host.log"));
    QVERIFY(log.open(QIODevice::ReadOnly));
    QVERIFY(!log.readAll().contains("Timers cannot be stopped"));
}

void tst_Conformance::clients_data()
{
    QTest::addColumn<QString>("package");
    QTest::newRow("2.1.5") << QStringLiteral("rivetkit-215");
    QTest::newRow("2.2.1") << QStringLiteral("rivetkit-221");
    QTest::newRow("2.3.19") << QStringLiteral("rivetkit-2319");
}

void tst_Conformance::probes_data()
{
    clients_data();
}

void tst_Conformance::clients()
{
    QFETCH(QString, package);
    startHost(hostProgram());
    if (!QTest::currentTestFailed())
        drive(package, QStringLiteral("drive.mjs"));
}

void tst_Conformance::probes()
{
    QFETCH(QString, package);
    startHost(QCoreApplication::applicationDirPath() + QStringLiteral("/conformance-host"));
    if (!QTest::currentTestFailed())
        drive(package, QStringLiteral("probe.mjs"));
}

void tst_Conformance::overTls_data()
{
    clients_data();
}

void tst_Conformance::overTls()
{
    QFETCH(QString, package);
    m_data = std::make_unique<QTemporaryDir>();
    const QString certificate = m_data->filePath(QStringLiteral("host.crt"));
    const QString key = m_data->filePath(QStringLiteral("host.key"));
    run(QStringLiteral("openssl"),
        {QStringLiteral("req"), QStringLiteral("-x509"), QStringLiteral("-nodes"), QStringLiteral("-newkey"), QStringLiteral("rsa:2048"),
            QStringLiteral("-keyout"), key, QStringLiteral("-out"), certificate, QStringLiteral("-days"), QStringLiteral("2"), QStringLiteral("-subj"),
            QStringLiteral("/CN=localhost"), QStringLiteral("-addext"), QStringLiteral("subjectAltName=IP:127.0.0.1")});
    QVERIFY(QFile::setPermissions(key, QFileDevice::ReadOwner | QFileDevice::WriteOwner));
    startHost(hostProgram(), {QStringLiteral("--tls-cert"), certificate, QStringLiteral("--tls-key"), key});
    if (QTest::currentTestFailed())
        return;
    m_endpoint = m_ready.value(QLatin1StringView("tlsEndpoint")).toString();
    QVERIFY(m_endpoint.startsWith(QLatin1StringView("https://")));
    m_token = run(hostProgram(), {QStringLiteral("token"), QStringLiteral("create"), QStringLiteral("--user"), QStringLiteral("ann"),
                                     QStringLiteral("--data-dir"), m_data->filePath(QStringLiteral("data"))});
    QVERIFY(!m_token.isEmpty());
    m_certificate = certificate;
    drive(package, QStringLiteral("tls.mjs"));
    m_host->terminate();
}

QString tst_Conformance::run(const QString &program, const QStringList &arguments)
{
    QProcess process;
    process.start(program, arguments);
    if (!process.waitForFinished(30000) || process.exitCode() != 0)
        return {};
    return QString::fromUtf8(process.readAllStandardOutput()).trimmed();
}

void tst_Conformance::drive(const QString &package, const QString &script)
{
    QProcess node;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("FOUNDRY_TOKEN"), m_token);
    if (!m_certificate.isEmpty())
        environment.insert(QStringLiteral("NODE_EXTRA_CA_CERTS"), m_certificate);
    node.setProcessEnvironment(environment);
    // A file takes all of it, also what comes with the end.
    node.setProcessChannelMode(QProcess::MergedChannels);
    const QString output = m_data->path() + QStringLiteral("/said");
    node.setStandardOutputFile(output);
    node.start(m_node,
        {QStringLiteral(FOUNDRY_SOURCE_DIR "/tests/conformance/") + script, m_folder, package,
            m_endpoint});
    QVERIFY(node.waitForFinished(60000));
    QFile file(output);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QByteArray said; // without what the clients log
    while (!file.atEnd()) {
        const QByteArray line = file.readLine();
        if (!line.startsWith("level="))
            said += line;
    }
    QVERIFY2(node.exitStatus() == QProcess::NormalExit && node.exitCode() == 0, said.right(2000).constData());
    QVERIFY2(said.contains("done " + package.toLatin1()), said.right(2000).constData());
}

// Skipped as a whole, with the reason, only when the clients could not be fetched.
int main(int argc, char **argv)
{
    QString reason;
    if (qEnvironmentVariableIsSet("FOUNDRY_NPM_MISSING"))
        reason = QStringLiteral("npm could not be reached, so the official clients are not there");
    else if (QStandardPaths::findExecutable(QStringLiteral("node")).isEmpty())
        reason = QStringLiteral("there is no node");
    if (!reason.isEmpty()) {
        std::fprintf(stderr, "SKIP: %s\n", qPrintable(reason));
        return 77;
    }
    QCoreApplication app(argc, argv);
    tst_Conformance test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_conformance.moc"
