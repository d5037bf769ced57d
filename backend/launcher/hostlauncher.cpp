#include "backend/launcher/hostlauncher.h"

#include "backend/launcher/processwatch.h"
#include "realtime/protocol/manager.h"

#include <QCoreApplication>
#include <QDir>
#include <QFutureWatcher>
#include <QLoggingCategory>
#include <QMessageAuthenticationCode>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QProcess>
#include <QPromise>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <QThreadPool>
#include <QUrl>

namespace foundry {

Q_LOGGING_CATEGORY(lcLauncher, "foundry.launcher")

namespace {

constexpr int kAnswerMs = 3000;
constexpr int kAskAgainMs = 500;

QByteArray hostlauncherChallenge()
{
    QByteArray bytes(32, '\0');
    for (char &byte : bytes)
        byte = char(QRandomGenerator::system()->generate());
    return bytes;
}

} // namespace

HostLauncher::HostLauncher(LauncherOptions options, QObject *parent)
    : QObject(parent)
    , m_options(std::move(options))
{
    if (m_options.dataDir.isEmpty()) {
        m_options.dataDir
            = QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation) + QStringLiteral("/foundry");
    }
    if (m_options.program.isEmpty())
        m_options.program = QCoreApplication::applicationDirPath() + QStringLiteral("/foundry-host");
    m_network.setProxy(QNetworkProxy::NoProxy);
    m_deadline.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, &HostLauncher::deadlinePassed);
    connect(&m_directory, &QFileSystemWatcher::directoryChanged, this, &HostLauncher::lookForReady);
}

HostLauncher::~HostLauncher() = default;

template <class T>
void HostLauncher::offThread(std::function<T()> work, std::function<void(T)> then)
{
    auto promise = std::make_shared<QPromise<T>>();
    auto *watcher = new QFutureWatcher<T>(this);
    connect(watcher, &QFutureWatcher<T>::finished, this, [this, watcher, then = std::move(then), attempt = m_attempt] {
        watcher->deleteLater();
        if (attempt == m_attempt && watcher->future().resultCount() > 0)
            then(watcher->result());
    });
    watcher->setFuture(promise->future());
    QThreadPool::globalInstance()->start([promise, work = std::move(work)] {
        promise->start();
        promise->addResult(work());
        promise->finish();
    });
}

void HostLauncher::enter(State state, int deadlineMs)
{
    m_state = state;
    if (deadlineMs > 0)
        m_deadline.start(deadlineMs);
    else
        m_deadline.stop();
}

void HostLauncher::start()
{
    if (m_state != State::Idle && m_state != State::Failed)
        return;
    look();
}

void HostLauncher::lost()
{
    if (m_state != State::Available && m_state != State::Failed)
        return;
    look();
}

void HostLauncher::look()
{
    ++m_attempt;
    m_startedPid = 0;
    m_lookedAfterEnd = false;
    m_watch.reset();
    enter(State::Looking, m_options.answerDeadlineMs);
    Q_EMIT progress(tr("Looking for the host"));
    struct Found {
        Result<ConnectInfo> info = ConnectInfo{};
        bool lives = false;
    };
    offThread<Found>(
        [path = connectFile()] {
            Found found{readConnectInfo(path), false};
            found.lives = found.info && processLives(found.info->pid);
            return found;
        },
        [this](Found found) {
            if (found.lives)
                ask(*found.info);
            else
                launch();
        });
}

void HostLauncher::ask(const ConnectInfo &info)
{
    if (m_state != State::Starting)
        m_state = State::Asking;
    m_current = info;
    // The host proves that it knows the token before it is sent: anybody may listen on a port that a dead host left.
    const QByteArray challenge = hostlauncherChallenge();
    QNetworkRequest request(QUrl(info.endpoint + QStringLiteral("/metadata?challenge=") + QString::fromLatin1(challenge.toHex())));
    request.setTransferTimeout(kAnswerMs);
    QNetworkReply *reply = m_network.get(request);
    connect(reply, &QNetworkReply::finished, this, [this, reply, info, challenge, attempt = m_attempt] {
        reply->deleteLater();
        if (attempt != m_attempt)
            return;
        const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        answered(info, QString::fromLatin1(challenge.toHex()), status, reply->isOpen() ? reply->readAll() : QByteArray());
    });
}

void HostLauncher::answered(const ConnectInfo &info, const QString &challenge, int status, const QByteArray &body)
{
    if (m_state != State::Asking && m_state != State::Starting)
        return;
    if (status == 0) {
        // No answer: it may be busy or stopped for a while. As long as its process lives it holds the data directory.
        QTimer::singleShot(kAskAgainMs, this, [this, info, attempt = m_attempt] {
            if (attempt != m_attempt || (m_state != State::Asking && m_state != State::Starting))
                return;
            if (processLives(info.pid))
                ask(info);
            else if (m_state == State::Asking)
                launch();
        });
        return;
    }
    const auto metadata = protocol::decodeMetadata(body);
    const QString expected = QString::fromLatin1(QMessageAuthenticationCode::hash(QByteArray::fromHex(challenge.toLatin1()),
        info.token.toUtf8(), QCryptographicHash::Sha256)
                                                     .toHex());
    if (status != 200 || !metadata || metadata->proof != expected) {
        qCWarning(lcLauncher, "%ls is not the host of the connect file", qUtf16Printable(info.endpoint));
        if (m_state == State::Asking)
            launch(); // the file is old and something else listens there
        return;
    }
    const QString version = metadata->hostVersion.value_or(info.version);
    const int compared = compareVersions(version, m_options.version);
    if (compared == 0) {
        attach(info, version);
    } else if (compared < 0 && m_state == State::Asking) {
        drain(info, version);
    } else if (compared < 0) {
        fail(makeError(QLatin1StringView("client"), QLatin1StringView("host_older"),
                 tr("%1 is version %2, older than this window (%3).").arg(m_options.program, version, m_options.version),
                 tr("Install Foundry Workbench again, so that both are of one version.")),
            false);
    } else {
        fail(makeError(QLatin1StringView("client"), QLatin1StringView("host_newer"),
                 tr("The host that runs is version %1, newer than this window (%2).").arg(version, m_options.version),
                 tr("Start the newer workbench, or stop that host (process %1).").arg(info.pid)),
            false);
    }
}

void HostLauncher::watch(qint64 pid, std::function<void()> ended)
{
    auto *watch = new ProcessWatch(pid, this);
    connect(watch, &ProcessWatch::ended, this, std::move(ended));
    m_watch.reset(watch);
}

void HostLauncher::attach(const ConnectInfo &info, const QString &version)
{
    enter(State::Available, 0);
    if (!m_directory.directories().isEmpty())
        m_directory.removePaths(m_directory.directories());
    m_current = info;
    watch(info.pid, [this] { Q_EMIT hostEnded(); });
    Q_EMIT available(HostConnection{info.endpoint, info.token, version});
}

void HostLauncher::drain(const ConnectInfo &info, const QString &version)
{
    enter(State::Draining, m_options.drainDeadlineMs);
    m_current = info;
    m_current.version = version;
    Q_EMIT progress(tr("Replacing the older host (%1)").arg(version));
    watch(info.pid, [this] {
        if (m_state == State::Draining)
            launch();
    });
    stopWhenIdle();
}

void HostLauncher::stopWhenIdle()
{
    if (m_current.endpoint.isEmpty())
        return;
    QNetworkRequest request(QUrl(m_current.endpoint + QStringLiteral("/drain?when=idle")));
    request.setRawHeader("Authorization", "Bearer " + m_current.token.toUtf8());
    request.setHeader(QNetworkRequest::ContentTypeHeader, QByteArrayLiteral("application/json"));
    request.setTransferTimeout(kAnswerMs);
    QNetworkReply *reply = m_network.post(request, QByteArrayLiteral("{}"));
    connect(reply, &QNetworkReply::finished, this, [reply] {
        if (reply->error() != QNetworkReply::NoError)
            qCWarning(lcLauncher, "the host was not told to stop: %ls", qUtf16Printable(reply->errorString()));
        reply->deleteLater();
    });
}

void HostLauncher::launch()
{
    enter(State::Starting, m_options.startDeadlineMs);
    Q_EMIT progress(tr("Starting the host"));
    struct Launched {
        qint64 pid = 0;
        QString problem;
    };
    offThread<Launched>(
        [options = m_options, log = startLog()]() -> Launched {
            if (!QDir().mkpath(options.dataDir))
                return {0, HostLauncher::tr("The folder %1 cannot be made.").arg(options.dataDir)};
            QProcess process;
            process.setProgram(options.program);
            process.setArguments({QStringLiteral("--data-dir"), options.dataDir, QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")});
            process.setStandardInputFile(QProcess::nullDevice());
            process.setStandardOutputFile(QProcess::nullDevice());
            process.setStandardErrorFile(log, QIODevice::Truncate);
            process.setWorkingDirectory(options.dataDir);
            Launched launched;
            if (!process.startDetached(&launched.pid)) // a session of its own: it outlives the window
                launched.problem = HostLauncher::tr("%1 cannot be started: %2.").arg(options.program, process.errorString());
            return launched;
        },
        [this](Launched result) { launched(result.pid, result.problem); });
}

void HostLauncher::launched(qint64 pid, const QString &problem)
{
    if (!problem.isEmpty()) {
        fail(makeError(QLatin1StringView("client"), QLatin1StringView("host_not_started"), problem,
                 tr("Install Foundry Workbench again, so that foundry-host lies beside it.")),
            false);
        return;
    }
    m_startedPid = pid;
    watch(pid, [this] { startedEnded(); });
    m_directory.addPath(m_options.dataDir);
    lookForReady();
}

void HostLauncher::lookForReady()
{
    if (m_state != State::Starting || m_startedPid == 0)
        return;
    offThread<Result<ConnectInfo>>([path = connectFile()] { return readConnectInfo(path); },
        [this](Result<ConnectInfo> info) {
            if (m_state == State::Starting && info && info->pid == m_startedPid)
                ask(*info);
        });
}

void HostLauncher::startedEnded()
{
    if (m_state != State::Starting)
        return;
    // Another window may have been faster with its own: that one is as good.
    if (!m_lookedAfterEnd) {
        m_lookedAfterEnd = true;
        offThread<Result<ConnectInfo>>(
            [path = connectFile()]() -> Result<ConnectInfo> {
                auto info = readConnectInfo(path);
                if (info && !processLives(info->pid))
                    return makeError(QLatin1StringView("client"), QLatin1StringView("no_connect_file"), QString());
                return info;
            },
            [this](Result<ConnectInfo> info) {
                if (info)
                    ask(*info);
                else
                    startedEnded();
            });
        return;
    }
    fail(makeError(QLatin1StringView("client"), QLatin1StringView("host_ended"), tr("The host ended right after its start."),
             tr("The end of its log says why.")),
        true);
}

void HostLauncher::deadlinePassed()
{
    switch (m_state) {
    case State::Looking:
    case State::Asking:
        fail(makeError(QLatin1StringView("client"), QLatin1StringView("host_silent"),
                 tr("The host (process %1) runs but does not answer.").arg(m_current.pid),
                 tr("Wait for it, or end that process and try again.")),
            true);
        break;
    case State::Draining:
        fail(makeError(QLatin1StringView("client"), QLatin1StringView("host_older"),
                 tr("An older host (version %1, process %2) is still at work.").arg(m_current.version).arg(m_current.pid),
                 tr("Close other windows and let its agents finish; it goes then, and a new one is started.")),
            false);
        break;
    case State::Starting:
        fail(makeError(QLatin1StringView("client"), QLatin1StringView("host_not_ready"),
                 tr("The host was started but is not ready after %1 seconds.").arg(m_options.startDeadlineMs / 1000),
                 tr("Its log says what it waits for.")),
            true);
        break;
    case State::Idle:
    case State::Available:
    case State::Failed:
        break;
    }
}

void HostLauncher::fail(const Error &error, bool withLog)
{
    enter(State::Failed, 0);
    m_watch.reset();
    if (!m_directory.directories().isEmpty())
        m_directory.removePaths(m_directory.directories());
    qCWarning(lcLauncher, "%ls", qUtf16Printable(error.message));
    if (!withLog) {
        Q_EMIT failed(error, {});
        return;
    }
    offThread<QString>(
        [start = startLog(), log = m_options.dataDir + QStringLiteral("/host.log")] {
            const QString said = fileTail(start);
            return said.isEmpty() ? fileTail(log) : said;
        },
        [this, error](QString tail) { Q_EMIT failed(error, tail); });
}

} // namespace foundry
