// foundry-host: reads the command line, composes the host, waits for its end.
#include "backend/host/composition.h"
#include "backend/host/host.h"
#include "backend/host/hostlog.h"
#include "backend/host/hostoptions.h"
#include "backend/host/tokencommand.h"
#include "backend/host/unixsignals.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>

#include <cstdio>

namespace {

int complain(const foundry::Error &error, int code)
{
    const QString text = error.action.isEmpty() ? error.message : error.message + QLatin1Char(' ') + error.action;
    std::fprintf(stderr, "foundry-host: %s\n", text.toUtf8().constData());
    return code;
}

void printLine(const QByteArray &line)
{
    std::fwrite(line.constData(), 1, size_t(line.size()), stdout);
    std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv)
{
    using namespace foundry::backend;
    QCoreApplication app(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("foundry-host"));
    QCoreApplication::setApplicationVersion(QStringLiteral(FOUNDRY_VERSION));

    if (const QStringList words = QCoreApplication::arguments(); words.value(1) == QLatin1StringView("token")) {
        auto line = parseTokenCommand(words.mid(2));
        if (!line)
            return complain(line.error(), 2);
        TokenCommand command(*line);
        QObject::connect(&command, &TokenCommand::finished, &app, [](int code) { QCoreApplication::exit(code); });
        QMetaObject::invokeMethod(&command, &TokenCommand::start, Qt::QueuedConnection);
        return QCoreApplication::exec();
    }
    auto options = parseHostOptions(QCoreApplication::arguments(), QCoreApplication::applicationDirPath());
    if (!options)
        return complain(options.error(), 2);
    if (!options->print.isEmpty()) {
        printLine(options->print.toUtf8());
        return 0;
    }
    const HostConfig config = options->config;
    UnixSignals signals; // outlives the host: being asked again while it ends must not cut its end short
    Host host(config);
    if (auto locked = host.lock(); !locked)
        return complain(locked.error(), 3);
    startHostLog(config.logFile(), config.token);

    QObject::connect(&signals, &UnixSignals::terminate, &host, &Host::stop);
    QObject::connect(&host, &Host::stopped, &app, [](bool clean) { QCoreApplication::exit(clean ? 0 : 1); });
    QObject::connect(&host, &Host::failed, &app, [](const foundry::Error &error) { QCoreApplication::exit(complain(error, 4)); });
    QObject::connect(&host, &Host::ready, &app, [&host, &config] {
        QJsonObject line{{QStringLiteral("ready"), true}, {QStringLiteral("endpoint"), host.endpoint()},
            {QStringLiteral("connectFile"), config.connectFile}};
        if (const QString tls = host.tlsEndpoint(); !tls.isEmpty()) {
            line.insert(QStringLiteral("tlsEndpoint"), tls);
            line.insert(QStringLiteral("tlsFingerprint"), host.tlsFingerprint());
        }
        printLine(QJsonDocument(line).toJson(QJsonDocument::Compact) + '\n');
        endStartLog();
    });
    const auto localRole = [&members = host.members()](const QString &user) { return members.roleOf(user, QStringLiteral("local")); };
    if (auto started = host.start(actorFactories(config, {&host.members(), &host.metrics(), localRole})); !started) {
        qCritical("%ls", qUtf16Printable(started.error().message));
        return complain(started.error(), 4);
    }
    return QCoreApplication::exec();
}
