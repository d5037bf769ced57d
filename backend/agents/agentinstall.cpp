#include "backend/agents/agentinstall.h"

#include "models/types/ids.h"

#include <QDir>
#include <QFileInfo>
#include <QPointer>
#include <QStandardPaths>
#include <QStorageInfo>
#include <QThread>
#include <algorithm>
#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

constexpr qsizetype installTailBytes = 16 * 1024;
constexpr int installTermGraceMs = 2000;

Error installError(const char *code, const QString &message, const QString &action, const QString &detail = {})
{
    return makeError(QLatin1StringView("agent"), QLatin1StringView(code), message, action, detail);
}

// What npm names its errors by.
bool installSays(std::initializer_list<const char *> codes, const QByteArray &tail)
{
    return std::any_of(codes.begin(), codes.end(), [&tail](const char *code) { return tail.contains(code); });
}

// Hundreds of megabytes in thousands of files: not on the caller's thread.
void installRemoveTree(const QString &folder)
{
    auto *worker = QThread::create([folder] { QDir(folder).removeRecursively(); });
    QObject::connect(worker, &QThread::finished, worker, &QObject::deleteLater);
    worker->start();
}

} // namespace

AgentInstaller::AgentInstaller(QString dataDirectory, const QProcessEnvironment &environment, QObject *parent)
    : QObject(parent)
    , m_dataDirectory(std::move(dataDirectory))
    , m_environment(environment)
{
    m_deadline.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, [this] {
        if (!m_failure) {
            m_failure = installError("timeout", tr("Installing %1 took more than %2 s.").arg(m_row.name).arg(m_deadlineMs / 1000),
                tr("Check the network, then try again."), QString::fromUtf8(m_tail));
        }
        endGroup();
    });
}

AgentInstaller::~AgentInstaller()
{
    if (m_process) {
        m_process->disconnect(this);
        signalMembers(m_identity, SIGKILL);
        installRemoveTree(m_staging);
    }
}

void AgentInstaller::install(const AgentRow &row, std::function<void(Result<QString>)> done)
{
    if (m_process) {
        done(makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), tr("An agent is being installed already."),
            tr("Wait for it, or cancel it.")));
        return;
    }
    const QStringList path = m_environment.value(QStringLiteral("PATH")).split(QDir::listSeparator(), Qt::SkipEmptyParts);
    const QString npm = path.isEmpty() ? QString() : QStandardPaths::findExecutable(QStringLiteral("npm"), path);
    if (npm.isEmpty() || row.install.package.isEmpty()) {
        done(installError("npm_missing", tr("%1 is installed with npm, and there is no npm here.").arg(row.name),
            tr("Install Node.js with npm, or install the agent yourself.")));
        return;
    }
    m_row = row;
    m_done = std::move(done);
    m_failure.reset();
    m_tail.clear();
    m_target = m_dataDirectory + QStringLiteral("/agents/") + row.id.value;
    QDir().mkpath(m_dataDirectory + QStringLiteral("/agents"));
    if (const QStorageInfo disk(m_dataDirectory); disk.isValid() && disk.bytesAvailable() < row.install.bytes * 2) {
        finish(installError("no_space", tr("%1 needs %2 MB on disk, and there is not enough.").arg(row.name).arg(row.install.bytes / 1000000),
            tr("Free some space in %1.").arg(m_dataDirectory)));
        return;
    }
    // Into a folder beside, moved into place when it is whole: what is found there later is never half an agent.
    const QDir agents(m_dataDirectory + QStringLiteral("/agents"));
    for (const QString &left : agents.entryList({row.id.value + QStringLiteral(".new-*"), row.id.value + QStringLiteral(".old-*")}, QDir::Dirs))
        installRemoveTree(agents.filePath(left));
    m_staging = m_target + QStringLiteral(".new-") + makeUuid7();
    QDir().mkpath(m_staging);

    m_process = std::make_unique<QProcess>();
    m_process->setProcessChannelMode(QProcess::MergedChannels);
    m_process->setStandardInputFile(QProcess::nullDevice());
    m_process->setChildProcessModifier([parent = ::getpid()] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a host that is killed leaves no npm behind
        if (::getppid() != parent)
            ::_exit(127);
        ::setsid();
    });
    const QString marker = makeUuid7();
    QProcessEnvironment environment = m_environment;
    environment.insert(processMarkerName(), marker);
    m_process->setProcessEnvironment(environment);
    m_process->setWorkingDirectory(m_staging);
    m_process->setProgram(npm);
    m_process->setArguments({QStringLiteral("install"), QStringLiteral("--prefix"), m_staging, QStringLiteral("--no-fund"),
        QStringLiteral("--no-audit"), QStringLiteral("--no-update-notifier"), QStringLiteral("--loglevel=http"),
        row.install.package + QLatin1Char('@') + row.install.version});
    connect(m_process.get(), &QProcess::started, this,
        [this, marker] { m_identity = identifyProcess(m_process->processId(), marker); });
    connect(m_process.get(), &QProcess::readyReadStandardOutput, this, &AgentInstaller::readLines);
    connect(m_process.get(), &QProcess::finished, this, &AgentInstaller::onFinished);
    connect(m_process.get(), &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            finish(installError("npm_missing", tr("npm cannot be started: %1.").arg(m_process->errorString()), {}));
    });
    m_deadline.start(m_deadlineMs);
    m_process->start();
}

void AgentInstaller::cancel()
{
    if (!m_process || m_failure)
        return;
    m_failure = installError("cancelled", tr("Installing %1 was cancelled.").arg(m_row.name), {});
    endGroup();
}

void AgentInstaller::endGroup()
{
    signalMembers(m_identity, SIGTERM);
    QTimer::singleShot(installTermGraceMs, this, [identity = m_identity] { signalMembers(identity, SIGKILL); });
}

void AgentInstaller::readLines()
{
    while (m_process->canReadLine() || m_process->bytesAvailable() > 4096) {
        const QByteArray line = m_process->readLine(4096);
        m_tail = (m_tail + line).right(installTailBytes);
        if (const QString text = QString::fromUtf8(line).trimmed(); !text.isEmpty())
            Q_EMIT progress(text);
    }
}

void AgentInstaller::onFinished(int code, QProcess::ExitStatus status)
{
    readLines();
    m_tail = (m_tail + m_process->readAll()).right(installTailBytes);
    if (m_failure) {
        finish(*m_failure);
        return;
    }
    const QString program = m_staging + QStringLiteral("/node_modules/.bin/") + m_row.program;
    if (status != QProcess::NormalExit || code != 0 || !QFileInfo(program).isExecutable()) {
        if (installSays({"ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ERR_SOCKET_TIMEOUT"}, m_tail)) {
            finish(installError("network", tr("npm cannot reach its registry, so %1 was not installed.").arg(m_row.name),
                tr("Check the network and npm's proxy settings, then try again."), QString::fromUtf8(m_tail)));
            return;
        }
        if (installSays({"ENOSPC"}, m_tail)) {
            finish(installError("no_space", tr("The disk was full before %1 was installed.").arg(m_row.name),
                tr("Free some space in %1.").arg(m_dataDirectory), QString::fromUtf8(m_tail)));
            return;
        }
        finish(installError("install_failed", tr("npm could not install %1.").arg(m_row.install.package),
            tr("See what npm says; check the network, then try again."), QString::fromUtf8(m_tail)));
        return;
    }
    if (QFileInfo::exists(m_target)) {
        const QString old = m_target + QStringLiteral(".old-") + makeUuid7();
        QDir().rename(m_target, old);
        installRemoveTree(old);
    }
    if (!QDir().rename(m_staging, m_target)) {
        finish(installError("install_failed", tr("%1 cannot be moved into place.").arg(m_row.name),
            tr("Check that %1 may be written.").arg(m_dataDirectory)));
        return;
    }
    finish(m_target + QStringLiteral("/node_modules/.bin/") + m_row.program);
}

void AgentInstaller::finish(Result<QString> result)
{
    m_deadline.stop();
    if (m_process)
        m_process.release()->deleteLater(); // we are in one of its signals
    if (!result && !m_staging.isEmpty())
        installRemoveTree(m_staging);
    m_staging.clear();
    if (const auto done = std::exchange(m_done, nullptr))
        done(std::move(result));
}

} // namespace foundry::backend
