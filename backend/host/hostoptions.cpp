#include "backend/host/hostoptions.h"

#include "backend/actors/stageplan.h"

#include <QCommandLineParser>
#include <QDir>
#include <QRandomGenerator>
#include <QStandardPaths>

namespace foundry::backend {

namespace {

Error hostoptionsInvalid(const QString &message)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message,
        QStringLiteral("foundry-host --help shows what can be said."));
}

QString hostoptionsRandomHex(int bytes)
{
    QByteArray random(bytes, '\0');
    for (int i = 0; i < bytes; ++i)
        random[i] = char(QRandomGenerator::system()->generate());
    return QString::fromLatin1(random.toHex());
}

} // namespace

QString defaultDataDir()
{
    return QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation) + QStringLiteral("/foundry");
}

Result<HostOptions> parseHostOptions(const QStringList &arguments, const QString &programDir)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral(
        "The local backend of Foundry Workbench: keeps tasks, runs git and agents, and goes on when the window closes."));
    const QCommandLineOption dataDir(QStringLiteral("data-dir"), QStringLiteral("Where everything is kept."),
        QStringLiteral("DIR"), defaultDataDir());
    const QCommandLineOption listen(QStringLiteral("listen"),
        QStringLiteral("Address and port to listen on; port 0 is any free one. Beyond loopback with a certificate only."),
        QStringLiteral("ADDRESS:PORT"), QStringLiteral("127.0.0.1:0"));
    const QCommandLineOption connectFile(QStringLiteral("connect-file"),
        QStringLiteral("Where endpoint and token are written (default: host.json in the data directory)."), QStringLiteral("FILE"));
    const QCommandLineOption tlsCert(QStringLiteral("tls-cert"),
        QStringLiteral("Certificate (PEM, with its chain) to speak TLS with at that address."), QStringLiteral("FILE"));
    const QCommandLineOption tlsKey(QStringLiteral("tls-key"), QStringLiteral("Its key (PEM, no passphrase, readable by you alone)."),
        QStringLiteral("FILE"));
    const QCommandLineOption stageDeadlines(QStringLiteral("stage-deadlines"),
        QStringLiteral("How long stages of a new task, and saving, giving up and bringing back a task's work, may take, in seconds; 0 is for ever. FOUNDRY_STAGE_DEADLINES says the same."),
        QStringLiteral("STAGE=SECONDS,…"));
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")}, QStringLiteral("Shows this text."));
    const QCommandLineOption version(QStringLiteral("version"), QStringLiteral("Shows the version."));
    parser.addOptions({dataDir, listen, connectFile, tlsCert, tlsKey, stageDeadlines, help, version});
    if (!parser.parse(arguments))
        return hostoptionsInvalid(parser.errorText());

    HostOptions options;
    if (parser.isSet(help)) {
        options.print = parser.helpText();
        return options;
    }
    if (parser.isSet(version)) {
        options.print = QStringLiteral("foundry-host %1\n").arg(options.config.version);
        return options;
    }
    if (!parser.positionalArguments().isEmpty())
        return hostoptionsInvalid(QStringLiteral("Unexpected argument \"%1\".").arg(parser.positionalArguments().constFirst()));

    HostConfig &config = options.config;
    config.stageDeadlines = parser.value(stageDeadlines);
    if (auto read = StageDeadlines().apply(config.stageDeadlines); !read)
        return hostoptionsInvalid(read.error().message + QLatin1Char(' ') + read.error().action);
    const QString where = parser.value(listen);
    const qsizetype colon = where.lastIndexOf(QLatin1Char(':'));
    QString address = where.left(colon);
    if (address.startsWith(QLatin1Char('[')) && address.endsWith(QLatin1Char(']')))
        address = address.mid(1, address.size() - 2);
    if (address == QLatin1StringView("localhost"))
        address = QStringLiteral("127.0.0.1");
    bool ok = false;
    const ushort port = QStringView(where).mid(colon + 1).toUShort(&ok);
    if (colon <= 0 || !ok || !config.address.setAddress(address))
        return hostoptionsInvalid(QStringLiteral("\"%1\" is no address and port.").arg(where));
    config.port = port;
    config.tlsCertFile = parser.value(tlsCert);
    config.tlsKeyFile = parser.value(tlsKey);
    if (config.tlsCertFile.isEmpty() != config.tlsKeyFile.isEmpty())
        return hostoptionsInvalid(QStringLiteral("--tls-cert and --tls-key belong together."));
    if (!config.address.isLoopback() && !config.usesTls()) {
        return hostoptionsInvalid(QStringLiteral("%1 can be reached from other machines; a listener beyond loopback needs "
                                                 "--tls-cert and --tls-key.")
                                      .arg(config.address.toString()));
    }
    config.dataDir = QDir::cleanPath(QDir::current().absoluteFilePath(parser.value(dataDir)));
    config.connectFile = parser.isSet(connectFile)
        ? QDir::cleanPath(QDir::current().absoluteFilePath(parser.value(connectFile)))
        : config.dataDir + QStringLiteral("/host.json");
    config.programDir = programDir;
    config.instance = hostoptionsRandomHex(8);
    config.token = hostoptionsRandomHex(32);
    return options;
}

} // namespace foundry::backend
