#include "app/hostlink.h"

#include "backend/launcher/processwatch.h"
#include "realtime/transport/websockettransport.h"

#include <QDateTime>

#include <signal.h>

namespace foundry::app {

using realtime::ConnectionState;

namespace {

// A host that lived shorter than this is not started again at once.
constexpr qint64 linkSteadyMs = 10000;

} // namespace

HostLink::HostLink(const LauncherOptions &launcher, const realtime::HostClientOptions &client, QObject *parent)
    : QObject(parent)
    , m_launcher(launcher)
    // The launcher has had the host prove itself: its metadata need not be asked for again.
    , m_resolver(realtime::HttpActorResolver::MetadataLookup::Skip)
    , m_client(m_resolver, realtime::WebSocketTransport::factory(), client)
    , m_backoff(std::chrono::milliseconds(500))
    , m_dataDir(launcher.dataDir)
{
    m_again.setSingleShot(true);
    connect(&m_again, &QTimer::timeout, this, &HostLink::tryAgain);
    connect(&m_launcher, &HostLauncher::progress, this, &HostLink::update);
    connect(&m_launcher, &HostLauncher::available, this, [this](const HostConnection &host) {
        m_ended = false;
        m_failed = false;
        m_log.clear();
        m_hostVersion = host.version;
        m_available.start();
        auto endpoint = realtime::Endpoint::parse(host.endpoint);
        if (endpoint) {
            endpoint->token = host.token;
            m_client.setEndpoint(*endpoint);
        } else {
            m_failed = true;
            m_problem = endpoint.error();
        }
        update();
    });
    connect(&m_launcher, &HostLauncher::hostEnded, this, [this] {
        m_ended = true;
        m_client.setEndpoint(std::nullopt);
        lookAgain();
        update();
    });
    connect(&m_launcher, &HostLauncher::failed, this, [this](const Error &error, const QString &log) {
        m_failed = true;
        m_problem = error;
        m_log = log;
        m_client.setEndpoint(std::nullopt);
        m_again.start(m_backoff.next());
        update();
    });
    connect(&m_client, &realtime::HostClient::stateChanged, this, [this](ConnectionState state) {
        // A host that was replaced has another token, one that is gone has another port: look for it.
        if (state == ConnectionState::Refused || state == ConnectionState::Offline)
            lookAgain();
        update();
    });
    connect(&m_client.connection(), &realtime::ActorConnection::retryPlanned, this, &HostLink::update);
    // Rows out of the cache have a time of their own.
    connect(&m_client.organizationFeed(), &realtime::TopicFeed::loaded, this, &HostLink::update);
    update();
}

HostLink::~HostLink()
{
    m_client.disconnect(this);
    m_client.organizationFeed().disconnect(this);
    m_launcher.disconnect(this);
}

void HostLink::view()
{
    m_client.view();
}

void HostLink::start()
{
    m_launcher.start();
}

void HostLink::lookAgain()
{
    if (m_available.isValid() && m_available.elapsed() > linkSteadyMs)
        m_backoff.reset();
    if (m_backoff.failures() == 0) {
        m_backoff.next();
        m_launcher.lost();
    } else if (!m_again.isActive()) {
        m_again.start(m_backoff.next());
    }
}

void HostLink::retry()
{
    m_failed = false;
    tryAgain();
}

// Unasked: what is wrong stays said until it is better, or wrong in another way.
void HostLink::tryAgain()
{
    m_again.stop();
    if (m_launcher.state() == HostLauncher::State::Idle || m_launcher.state() == HostLauncher::State::Failed) {
        m_launcher.start();
    } else if (!m_client.connection().isLive()) {
        m_launcher.lost();
    }
    m_client.wake();
    update();
}

void HostLink::stopHostWhenIdle()
{
    m_launcher.disconnect(this); // its end is wanted
    m_again.stop();
    m_client.setEndpoint(std::nullopt); // it stops only when nobody is connected
    QTimer::singleShot(100, this, [this] { m_launcher.stopWhenIdle(); });
}

void HostLink::endHost(QObject *context, std::function<void()> ended)
{
    m_launcher.disconnect(this);
    m_again.stop();
    m_client.setEndpoint(std::nullopt);
    const auto host = readConnectInfo(m_dataDir + QStringLiteral("/host.json"));
    if (!host || !processLives(host->pid)) {
        QMetaObject::invokeMethod(context, ended, Qt::QueuedConnection);
        return;
    }
    auto *watch = new ProcessWatch(host->pid, this);
    auto *deadline = new QTimer(watch);
    deadline->setSingleShot(true);
    connect(deadline, &QTimer::timeout, watch, [pid = host->pid] { ::kill(pid_t(pid), SIGKILL); });
    connect(watch, &ProcessWatch::ended, context, [watch, ended = std::move(ended)] {
        watch->deleteLater();
        ended();
    });
    deadline->start(std::chrono::seconds(10));
    ::kill(pid_t(host->pid), SIGTERM);
}

void HostLink::update()
{
    const realtime::ActorConnection &connection = m_client.connection();
    LinkState state;
    state.where = tr("here");
    state.asOf = m_client.lostAt();
    if (connection.isLive()) {
        state.phase = LinkPhase::Live;
    } else if (m_failed) {
        state.phase = LinkPhase::HostFailed;
        state.error = m_problem;
        state.hostLog = m_log;
    } else if (m_ended) {
        state.phase = LinkPhase::Starting;
        state.error = makeError(QLatin1StringView("client"), QLatin1StringView("host_ended"),
            tr("The host on this machine has ended unexpectedly. A new one is started."),
            tr("Nothing that was stored is lost; what agents were doing is shown in their tasks."));
    } else if (m_launcher.state() == HostLauncher::State::Starting || m_launcher.state() == HostLauncher::State::Draining) {
        state.phase = LinkPhase::Starting;
    } else if (connection.state() == ConnectionState::Recovering || connection.state() == ConnectionState::Offline) {
        state.phase = connection.state() == ConnectionState::Offline ? LinkPhase::Offline : LinkPhase::Reconnecting;
        if (connection.retryIn() >= 0)
            state.retryAt = QDateTime::currentMSecsSinceEpoch() + connection.retryIn();
        state.error = connection.lastError();
    } else if (connection.state() == ConnectionState::Refused) {
        state.phase = LinkPhase::Refused;
        state.error = connection.lastError();
    } else {
        state.phase = LinkPhase::Connecting;
    }
    if (state != m_state) {
        m_state = state;
        Q_EMIT stateChanged(m_state);
    }
}

} // namespace foundry::app
