// foundry-host as it is, and beside its own actors one that brings about what none of them does: answers, rows and events of
// any length, and an action that is held while the host stops. Only for probe.mjs; the product has nothing of it.
#include "backend/host/composition.h"
#include "backend/host/host.h"
#include "backend/host/hostlog.h"
#include "backend/host/hostoptions.h"
#include "backend/host/unixsignals.h"
#include "realtime/protocol/codec.h"

#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QThread>

#include <cstdio>

using namespace foundry;
using namespace foundry::backend;

namespace {

class ProbeActor final : public Actor {
public:
    using Actor::Actor;

    void registerActions(ActionTable &table) override
    {
        table.read(QStringLiteral("answer"), [](const Caller &, QByteArrayView args) -> Result<QByteArray> { return text(number(args, "bytes")); });
        table.read(QStringLiteral("arrays"), [](const Caller &, QByteArrayView args) -> Result<QByteArray> {
            QByteArray all;
            for (qint64 n = number(args, "count"); n > 0; --n)
                all += all.isEmpty() ? "[\"$x\",1]" : ",[\"$x\",1]";
            return '[' + all + ']';
        });
        table.read(QStringLiteral("announce"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
            TopicEvent event;
            event.topic = topic();
            event.ready = ReadyNotice{RequestId(QStringLiteral("r")), QString(number(args, "bytes"), QLatin1Char('x'))};
            context().notify(event);
            return QByteArray("null");
        });
        table.read(QStringLiteral("hold"), [](const Caller &, QByteArrayView args) -> Result<QByteArray> {
            QFile begun(given(args).value(QLatin1StringView("begun")).toString());
            if (!begun.open(QIODevice::WriteOnly))
                return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), begun.errorString());
            begun.close();
            for (int waited = 0; waited < 20000 && !QFile::exists(given(args).value(QLatin1StringView("release")).toString()); waited += 5)
                QThread::msleep(5);
            return QByteArray("\"held\"");
        });
        table.command(QStringLiteral("note"), [](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            TaskOverlay row;
            row.id = TaskId(QStringLiteral("noted"));
            row.unread = true;
            tx.put(topic(), row);
            return text(number(args, "bytes"));
        });
        table.command(QStringLiteral("row"), [](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            SessionOverlay row;
            row.id = SessionId(given(args).value(QLatin1StringView("id")).toString());
            row.draft = Draft{QString(number(args, "bytes"), QLatin1Char('x'))};
            tx.put(topic(), row);
            return QByteArray("null");
        });
    }

    static ActorFactory factory()
    {
        return {QStringLiteral("probe"), [](const QStringList &key) { return key.size() == 2 && key.first() == QLatin1StringView("probe"); },
            CreatedBy::FirstTouch, [](ActorContext &context) { return std::make_unique<ProbeActor>(context); }};
    }

private:
    static QString topic() { return QStringLiteral("overlay"); }
    static QByteArray text(qint64 bytes) { return '"' + QByteArray(bytes - 2, 'x') + '"'; }
    static QJsonObject given(QByteArrayView args) { return QJsonDocument::fromJson(protocol::firstArgument(args).value()).object(); }
    static qint64 number(QByteArrayView args, const char *name) { return given(args).value(QLatin1StringView(name)).toInteger(); }
};

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    auto options = parseHostOptions(QCoreApplication::arguments(), QStringLiteral(FOUNDRY_BIN_DIR));
    if (!options)
        return 2;
    UnixSignals signals;
    Host host(options->config);
    if (!host.lock())
        return 3;
    startHostLog(options->config.logFile(), options->config.token);
    QObject::connect(&signals, &UnixSignals::terminate, &host, &Host::stop);
    QObject::connect(&host, &Host::stopped, &app, [](bool clean) { QCoreApplication::exit(clean ? 0 : 1); });
    QObject::connect(&host, &Host::failed, &app, [] { QCoreApplication::exit(4); });
    QObject::connect(&host, &Host::ready, &app, [&options] {
        std::printf("{\"ready\":true,\"connectFile\":\"%s\"}\n", options->config.connectFile.toUtf8().constData());
        std::fflush(stdout);
        endStartLog();
    });
    QList<ActorFactory> factories = actorFactories(options->config, {&host.members(), &host.metrics()});
    factories.append(ProbeActor::factory());
    if (!host.start(factories))
        return 4;
    return QCoreApplication::exec();
}
