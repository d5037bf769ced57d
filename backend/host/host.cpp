#include "backend/host/host.h"

#include "backend/actors/actorruntime.h"
#include "backend/host/connectfile.h"
#include "backend/host/deliveries.h"
#include "backend/host/server.h"
#include "backend/host/tokenstore.h"

#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcHost, "foundry.host")

namespace {
constexpr int kStopMs = 15000;     // then the process ends anyway
constexpr int kIdleCheckMs = 2000; // only while asked to stop when idle

// A bound that this machine's owner wants otherwise.
void hostNumber(const char *variable, int &value)
{
    bool isNumber = false;
    const int wanted = qEnvironmentVariableIntValue(variable, &isNumber);
    if (isNumber && wanted > 0)
        value = wanted;
}
} // namespace

Host::Host(HostConfig config, QObject *parent)
    : QObject(parent)
    , m_config(std::move(config))
{
    m_idleCheck.setInterval(kIdleCheckMs);
    connect(&m_idleCheck, &QTimer::timeout, this, &Host::stopWhenIdle);
}

Host::~Host() = default;

Result<> Host::lock()
{
    return m_lock.acquire(m_config.dataDir);
}

Result<> Host::start(QList<ActorFactory> factories)
{
    m_deliveries = std::make_unique<Deliveries>();
    RuntimeOptions options;
    options.dataDir = m_config.dataDir;
    options.metrics = &m_metrics;
    hostNumber("FOUNDRY_IDLE_MS", options.idleMs);
    hostNumber("FOUNDRY_IDLE_ACTORS", options.idleActors);
    hostNumber("FOUNDRY_DRAIN_MS", options.drainMs);
    m_runtime = std::make_unique<ActorRuntime>(options, std::move(factories));
    auto tokens = TokenStore::open(m_config.dataDir, m_config.clock);
    if (!tokens)
        return tokens.error();
    m_tokens = std::move(*tokens);
    const auto tellRoles = [this] { m_members.setTokenRoles(m_tokens->roles()); };
    tellRoles();
    connect(m_tokens.get(), &TokenStore::changed, this, tellRoles);
    m_server = std::make_unique<Server>(m_config, *m_runtime, *m_deliveries, &m_members);
    m_server->setTokenStore(m_tokens.get());
    connect(m_server.get(), &Server::drainRequested, this, [this](bool whenIdle) {
        qCInfo(lcHost, whenIdle ? "asked to stop when idle" : "asked to stop");
        if (whenIdle) {
            m_idleCheck.start();
            stopWhenIdle();
        } else {
            stop();
        }
    });
    if (auto opened = m_runtime->open(m_deliveries.get()); !opened)
        return opened;
    // The port is taken before anything goes on, so that a host that cannot be reached does not run agents.
    if (auto listening = m_server->listen(); !listening)
        return listening;
    m_runtime->start([this] { openApp(); });
    return Unit{};
}

// Who is in which organization is known before anybody can ask.
void Host::openApp()
{
    const auto app = m_runtime->getOrCreate({QStringLiteral("app"), {QStringLiteral("app")}});
    if (!app) {
        announce();
        return;
    }
    ActorCall call{QStringLiteral("whoami"), "[{}]", Caller{}, QStringLiteral("start")};
    m_runtime->act(app->id, std::move(call), [this](const Result<QByteArray> &) {
        m_deliveries->run([this] { announce(); });
    });
}

void Host::announce()
{
    if (m_stopping)
        return;
    // They exist from the first start on.
    for (const ActorAddress &address :
        {ActorAddress{QStringLiteral("app"), {QStringLiteral("app")}},
            ActorAddress{QStringLiteral("user"), {QStringLiteral("user"), QStringLiteral("local")}},
            ActorAddress{QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}}}) {
        if (auto made = m_runtime->getOrCreate(address); !made)
            qCWarning(lcHost, "%ls is not there: %ls", qUtf16Printable(address.name), qUtf16Printable(made.error().message));
    }
    if (auto written = writeConnectFile(m_config, m_server->endpoint()); !written) {
        Q_EMIT failed(written.error());
        return;
    }
    qCInfo(lcHost, "version %ls ready at %ls, data in %ls", qUtf16Printable(m_config.version),
        qUtf16Printable(m_server->endpoint()), qUtf16Printable(m_config.dataDir));
    Q_EMIT ready();
}

QString Host::endpoint() const
{
    return m_server ? m_server->endpoint() : QString();
}

QString Host::tlsEndpoint() const
{
    return m_server ? m_server->tlsEndpoint() : QString();
}

QString Host::tlsFingerprint() const
{
    return m_server ? m_server->tlsFingerprint() : QString();
}

void Host::stopWhenIdle()
{
    if (m_stopping || m_server->openSockets() > 0)
        return;
    m_runtime->countWorking([this](int working) {
        if (working == 0 && m_server->openSockets() == 0)
            stop();
    });
}

void Host::stop()
{
    if (m_stopping)
        return;
    m_stopping = true;
    m_idleCheck.stop();
    qCInfo(lcHost, "stopping");
    removeConnectFile(m_config);
    if (!m_server || !m_runtime) {
        Q_EMIT stopped(true);
        return;
    }
    m_server->stopListening();
    QTimer::singleShot(kStopMs, this, [this] {
        qCWarning(lcHost, "an actor did not stop in time");
        Q_EMIT stopped(false);
    });
    m_runtime->stop([this] {
        // Answers of what still ran have been handed over before: they leave first, then the sockets close.
        m_deliveries->run([this] { m_server->closeAll([this] { Q_EMIT stopped(true); }); });
    });
}

} // namespace foundry::backend
