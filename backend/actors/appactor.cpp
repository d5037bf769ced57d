#include "backend/actors/appactor.h"

#include "backend/store/database.h"
#include "realtime/protocol/keys.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QTimer>

#include <cmath>
#include <cstdlib>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcApp, "foundry.actors.app")

namespace {

constexpr int kLoadEveryMs = 60000;

double appactorLoad()
{
    double load[1] = {0};
    return getloadavg(load, 1) == 1 ? std::round(load[0] * 2) / 2 : 0; // in halves: coarse changes only
}

qint64 appactorResidentBytes()
{
    QFile file(QStringLiteral("/proc/self/statm"));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    return file.readAll().split(' ').value(1).toLongLong() * 4096;
}

QByteArray appactorJson(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

} // namespace

AppActor::AppActor(ActorContext &context, QString version, QString instance)
    : Actor(context)
    , m_version(std::move(version))
    , m_instance(std::move(instance))
{
}

QStringList AppActor::migrations() const
{
    return {QStringLiteral("CREATE TABLE usage(sender TEXT PRIMARY KEY, agents INTEGER NOT NULL, bytes INTEGER NOT NULL)")};
}

void AppActor::started()
{
    // Agents do not outlive the host that counted them.
    const auto refresh = [this](bool fresh) {
        auto written = context().transaction([&](Transaction &tx) -> Result<> {
            if (fresh) {
                if (auto cleared = tx.database().run("UPDATE usage SET agents = 0"); !cleared)
                    return cleared;
            }
            putStatus(tx);
            return Unit{};
        });
        if (!written)
            qCWarning(lcApp, "the host's status cannot be written: %ls", qUtf16Printable(written.error().message));
    };
    m_load = appactorLoad();
    refresh(true);
    auto *timer = new QTimer(context().owner());
    timer->setTimerType(Qt::VeryCoarseTimer);
    QObject::connect(timer, &QTimer::timeout, context().owner(), [this, refresh] {
        if (context().subscriberCount(QStringLiteral("host")) == 0)
            return;
        const double load = appactorLoad();
        if (load == m_load)
            return;
        m_load = load;
        refresh(false);
    });
    timer->start(kLoadEveryMs);
}

void AppActor::putStatus(Transaction &tx)
{
    HostStatus status;
    status.version = m_version;
    status.load = m_load;
    if (auto q = tx.database().query("SELECT coalesce(sum(agents), 0), coalesce(sum(bytes), 0) FROM usage"); q.next()) {
        status.agentsRunning = q.integer(0);
        status.tasksDiskBytes = q.integer(1);
    }
    tx.put(QStringLiteral("host"), status);
}

void AppActor::registerActions(ActionTable &table)
{
    table.read(QStringLiteral("whoami"),
        [this](const Caller &caller, QByteArrayView) -> Result<QByteArray> { return whoami(caller); });
    table.read(QStringLiteral("metrics"), [this](const Caller &, QByteArrayView) -> Result<QByteArray> { return metrics(); });
    const auto later = [](const QString &what) {
        return [what](Transaction &, const Caller &, QByteArrayView) -> Result<QByteArray> {
            return makeError(QLatin1StringView("state"), QLatin1StringView("not_available"), what);
        };
    };
    table.command(QStringLiteral("createOrganization"),
        later(QStringLiteral("This host has one organization, \"local\"; more of them cannot be made yet.")));
    table.command(QStringLiteral("beginSignIn"), later(QStringLiteral("This host does not offer a sign-in yet.")));
    table.command(QStringLiteral("completeSignIn"), later(QStringLiteral("This host does not offer a sign-in yet.")));
}

QByteArray AppActor::whoami(const Caller &caller) const
{
    return appactorJson({{QStringLiteral("userId"), caller.userId}, {QStringLiteral("role"), QStringLiteral("owner")},
        {QStringLiteral("hostVersion"), m_version}, {QStringLiteral("hostInstance"), m_instance}});
}

QByteArray AppActor::metrics() const
{
    qint64 agents = 0;
    if (auto q = context().database().query("SELECT coalesce(sum(agents), 0) FROM usage"); q.next())
        agents = q.integer(0);
    return appactorJson({{QStringLiteral("residentBytes"), appactorResidentBytes()},
        {QStringLiteral("agentsRunning"), agents}, {QStringLiteral("hostVersion"), m_version}});
}

Result<> AppActor::received(Transaction &tx, const Send &send)
{
    if (send.name != QLatin1StringView("usage"))
        return Actor::received(tx, send);
    const QJsonObject usage = QJsonDocument::fromJson(send.json).object();
    auto kept = tx.database().run("INSERT INTO usage(sender, agents, bytes) VALUES(?, ?, ?) "
                                  "ON CONFLICT(sender) DO UPDATE SET agents = excluded.agents, bytes = excluded.bytes",
        protocol::encodeKey(send.from.key), usage.value(QLatin1StringView("agentsRunning")).toInteger(),
        usage.value(QLatin1StringView("tasksDiskBytes")).toInteger());
    if (kept)
        putStatus(tx);
    return kept;
}

} // namespace foundry::backend
