#include "backend/agents/stdiotransport.h"

#include "backend/agents/agenterrors.h"
#include "models/types/ids.h"

#include <QFileInfo>
#include <QJsonDocument>
#include <QLoggingCategory>
#include <QPointer>
#include <QSocketNotifier>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

Q_LOGGING_CATEGORY(transportLog, "foundry.agents")

constexpr qint64 transportReadBudget = 256 * 1024; // per turn of the event loop, so that a flood starves nobody
constexpr int transportEofPatienceMs = 1000;
constexpr int transportStuckMs = 5000;

} // namespace

StdioTransport::StdioTransport(StdioLimits limits, QObject *parent)
    : AgentTransport(parent)
    , m_limits(limits)
{
    m_escalation.setSingleShot(true);
    connect(&m_escalation, &QTimer::timeout, this, &StdioTransport::escalate);
}

StdioTransport::~StdioTransport()
{
    if (m_process && m_process->state() != QProcess::NotRunning) {
        m_process->disconnect(this);
        signalGroup(SIGKILL);
        signalMembers(m_identity, SIGKILL);
    }
    closeOutput();
}

void StdioTransport::start(const AgentSpec &spec)
{
    Q_ASSERT(!m_process);
    m_spec = spec;
    m_marker = makeUuid7();
    int fds[2] = {-1, -1};
    if (!QFileInfo(spec.workingDirectory).isDir() || ::pipe2(fds, O_CLOEXEC) != 0) {
        const QString why = fds[0] < 0 && !QFileInfo(spec.workingDirectory).isDir()
            ? tr("the folder %1 is not there").arg(spec.workingDirectory)
            : tr("the system has no free file descriptors");
        const Error error = makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"),
            tr("%1 cannot be started: %2.").arg(spec.agentName, why), tr("Try again."));
        QTimer::singleShot(0, this, [this, error] { Q_EMIT failed(error); });
        return;
    }
    m_outputFd = fds[0];
    m_childFd = fds[1];
    ::fcntl(m_outputFd, F_SETFL, O_NONBLOCK);

    m_process = std::make_unique<QProcess>();
    m_process->setProgram(spec.program);
    m_process->setArguments(spec.args);
    QProcessEnvironment environment = spec.environment;
    environment.insert(processMarkerName(), m_marker);
    m_process->setProcessEnvironment(environment);
    m_process->setWorkingDirectory(spec.workingDirectory);
    // Standard output is our own pipe; QProcess would read it into memory whether or not anybody wants it.
    m_process->setStandardOutputFile(QProcess::nullDevice());
    m_process->setChildProcessModifier([fd = m_childFd, parent = ::getpid()] {
        // A host that is killed before it has this process on record would leave it to nobody.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(127);
        ::setsid();
        ::dup2(fd, STDOUT_FILENO);
    });
    connect(m_process.get(), &QProcess::started, this, &StdioTransport::onStarted);
    connect(m_process.get(), &QProcess::errorOccurred, this, &StdioTransport::onProcessError);
    connect(m_process.get(), &QProcess::finished, this, &StdioTransport::onFinished);
    connect(m_process.get(), &QProcess::readyReadStandardError, this, &StdioTransport::readErrors);
    m_process->start();
    ::close(m_childFd);
    m_childFd = -1;
}

void StdioTransport::onStarted()
{
    m_started = true;
    m_identity = identifyProcess(m_process->processId(), m_marker);
    m_notifier = new QSocketNotifier(m_outputFd, QSocketNotifier::Read, this);
    m_notifier->setEnabled(!m_paused);
    connect(m_notifier, &QSocketNotifier::activated, this, &StdioTransport::readOutput);
    Q_EMIT started(m_identity);
}

void StdioTransport::onProcessError(QProcess::ProcessError error)
{
    if (error == QProcess::FailedToStart) {
        closeOutput();
        const QFileInfo program(m_spec.program);
        if (!program.exists()) {
            Q_EMIT failed(agenterrors::notInstalled(m_spec.agentName, m_spec.program));
        } else {
            Q_EMIT failed(makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"),
                tr("%1 cannot be started: %2.").arg(m_spec.agentName, m_process->errorString()),
                tr("Check that %1 may be executed here.").arg(m_spec.program)));
        }
        return;
    }
    // Crashed comes with finished(); a write error means that it closed its input, and it will show by its end.
    qCDebug(transportLog) << m_spec.agentId << m_process->errorString();
}

bool StdioTransport::isRunning() const
{
    return m_started && !m_reported;
}

QString StdioTransport::stderrTail() const
{
    return QString::fromUtf8(m_stderr);
}

void StdioTransport::send(const QJsonObject &message)
{
    if (!m_process || m_process->state() == QProcess::NotRunning || m_stopping != Stopping::No)
        return;
    m_process->write(QJsonDocument(message).toJson(QJsonDocument::Compact) + '\n');
    if (m_process->bytesToWrite() > m_limits.maxUnsentBytes)
        breakOff(agenterrors::protocol(m_spec.agentName, tr("it does not read what it is sent"), stderrTail()));
}

void StdioTransport::setPaused(bool paused)
{
    if (m_paused == paused)
        return;
    m_paused = paused;
    if (m_notifier)
        m_notifier->setEnabled(!paused);
    // Lines that were read already but not handed on; not from inside the call that resumes.
    if (!paused)
        QTimer::singleShot(0, this, [this] { takeLines(false); });
}

bool StdioTransport::fill(qint64 budget)
{
    while (budget > 0) {
        char chunk[65536];
        const ssize_t n = ::read(m_outputFd, chunk, sizeof chunk);
        if (n > 0) {
            m_buffer.append(chunk, qsizetype(n));
            budget -= n;
        } else if (n == 0) {
            return false;
        } else if (errno != EINTR) {
            return errno == EAGAIN;
        }
    }
    return true;
}

void StdioTransport::readOutput()
{
    const bool open = fill(transportReadBudget);
    if (!open)
        closeOutput();
    takeLines(false);
    if (open)
        return;
    // Most agents end right after they close their output. One that stays cannot be spoken to.
    QTimer::singleShot(transportEofPatienceMs, this, [this] {
        if (m_process->state() != QProcess::NotRunning && m_stopping == Stopping::No)
            breakOff(agenterrors::protocol(m_spec.agentName, tr("it closed its output and went on running"), stderrTail()));
    });
}

void StdioTransport::takeLines(bool evenPaused)
{
    if (m_draining)
        return;
    m_draining = true;
    const QPointer<StdioTransport> self(this);
    qsizetype begin = 0;
    while (!m_broken && (evenPaused || !m_paused)) {
        const qsizetype end = m_buffer.indexOf('\n', std::max(begin, m_scanned));
        if (end < 0) {
            m_scanned = m_buffer.size();
            break;
        }
        const QByteArray line = m_buffer.mid(begin, end - begin);
        begin = end + 1;
        takeLine(line);
        if (!self)
            return;
    }
    m_draining = false;
    m_buffer.remove(0, begin);
    m_scanned = std::max<qsizetype>(0, m_scanned - begin);
    if (m_broken)
        m_buffer.clear();
    else if (m_buffer.size() - m_scanned == 0 && m_buffer.size() > m_limits.maxLineBytes)
        breakOff(agenterrors::protocol(m_spec.agentName,
            tr("it sent a line of more than %1 MiB").arg(m_limits.maxLineBytes / (1024 * 1024)), stderrTail()));
}

void StdioTransport::takeLine(const QByteArray &line)
{
    const QByteArray trimmed = line.trimmed();
    if (trimmed.isEmpty())
        return;
    const QJsonDocument document
        = trimmed.startsWith('{') && line.size() <= m_limits.maxLineBytes ? QJsonDocument::fromJson(trimmed) : QJsonDocument();
    if (document.isObject()) {
        m_garbageRun = 0;
        m_garbageRunBytes = 0;
        Q_EMIT message(document.object());
        return;
    }
    ++m_garbageLines;
    ++m_garbageRun;
    m_garbageRunBytes += line.size();
    const QPointer<StdioTransport> self(this);
    Q_EMIT garbage(m_garbageLines, QString::fromUtf8(trimmed.left(200)));
    if (self && (m_garbageRun >= m_limits.maxGarbageLines || m_garbageRunBytes >= m_limits.maxGarbageBytes))
        breakOff(agenterrors::protocol(m_spec.agentName, tr("it prints text that is no message"),
            QString::fromUtf8(trimmed.left(2000))));
}

void StdioTransport::readErrors()
{
    m_stderr += m_process->readAllStandardError();
    if (m_stderr.size() > m_limits.stderrTailBytes)
        m_stderr.remove(0, m_stderr.size() - m_limits.stderrTailBytes);
}

void StdioTransport::breakOff(const Error &error)
{
    if (m_broken)
        return;
    m_broken = true;
    if (m_notifier)
        m_notifier->setEnabled(false);
    const QPointer<StdioTransport> self(this);
    Q_EMIT failed(error);
    if (self)
        stop(true);
}

void StdioTransport::stop(bool force)
{
    if (!m_process || m_process->state() == QProcess::NotRunning)
        return;
    if (m_stopping == Stopping::No) {
        m_exit.asked = true;
        m_stopping = Stopping::Eof;
        m_process->closeWriteChannel(); // after what is still unsent
        if (!force)
            m_escalation.start(m_limits.eofGraceMs);
    }
    if (force && m_stopping == Stopping::Eof)
        escalate();
}

void StdioTransport::escalate()
{
    switch (m_stopping) {
    case Stopping::No:
        return;
    case Stopping::Eof:
        m_stopping = Stopping::Term;
        signalGroup(SIGTERM);
        m_escalation.start(m_limits.termGraceMs);
        return;
    case Stopping::Term:
        m_stopping = Stopping::Kill;
        signalGroup(SIGKILL);
        m_escalation.start(transportStuckMs);
        return;
    case Stopping::Kill:
        qCWarning(transportLog) << m_spec.agentId << "process" << m_identity.pid << "does not go away";
        m_exit.signal = SIGKILL;
        reportExit();
        return;
    }
}

void StdioTransport::signalGroup(int signal)
{
    // Our own child that was not waited for yet: its number cannot belong to anybody else.
    const pid_t pid = pid_t(m_process->processId());
    if (pid > 1 && ::kill(-pid, signal) != 0)
        ::kill(pid, signal); // between fork and setsid there is no group yet
}

void StdioTransport::onFinished(int code, QProcess::ExitStatus status)
{
    m_escalation.stop();
    if (m_outputFd >= 0)
        fill(1024 * 1024); // what is left in the pipe: 64 KiB unless a child still writes
    closeOutput();
    readErrors();
    const QPointer<StdioTransport> self(this);
    takeLines(true);
    if (!self)
        return;
    if (status == QProcess::CrashExit)
        m_exit.signal = code;
    else
        m_exit.code = code;
    // Its children may live on in its group; nobody reads or answers them any more.
    m_reaper.reap(m_identity, [this](const Result<ReapOutcome> &outcome) {
        if (!outcome)
            qCWarning(transportLog) << m_spec.agentId << outcome.error().message;
        reportExit();
    });
}

void StdioTransport::reportExit()
{
    if (m_reported)
        return;
    m_reported = true;
    m_exit.stderrTail = stderrTail();
    Q_EMIT exited(m_exit);
}

void StdioTransport::closeOutput()
{
    if (m_notifier) {
        m_notifier->setEnabled(false);
        m_notifier->deleteLater();
        m_notifier = nullptr;
    }
    for (int *fd : {&m_outputFd, &m_childFd}) {
        if (*fd >= 0)
            ::close(*fd);
        *fd = -1;
    }
}

} // namespace foundry::backend
