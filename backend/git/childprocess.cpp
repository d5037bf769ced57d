#include "backend/git/childprocess.h"

#include <QPointer>

#include <csignal>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace foundry::backend {

namespace {

constexpr qsizetype childErrorLineCap = 8192;
constexpr int childReapMs = 5000; // a killed program is gone at once, unless the kernel holds it

// Runs between fork and exec: async-signal-safe calls only.
void childPrepare(bool dieWithParent, pid_t parent)
{
    // An own session: no terminal to ask on, and one group to signal with everything the program starts.
    ::setsid();
    // Nothing of ours is inherited but stdin, stdout and stderr.
    ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    if (dieWithParent) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent)
            ::_exit(127);
    }
}

} // namespace

ChildProcess::ChildProcess(ChildSpec spec, QObject *parent)
    : QObject(parent)
    , m_spec(std::move(spec))
{
    m_deadline.setSingleShot(true);
    m_idle.setSingleShot(true);
    m_kill.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, [this] { stop(ChildEnd::Deadline); });
    connect(&m_idle, &QTimer::timeout, this, [this] { stop(ChildEnd::IdleDeadline); });
    connect(&m_kill, &QTimer::timeout, this, [this] { signalGroup(SIGKILL); });
    connect(&m_process, &QProcess::started, this, [this] {
        m_pid = m_process.processId();
        if (m_stopping)
            signalGroup(SIGTERM);
        Q_EMIT started(m_pid);
    });
    // Queued: our signals may lead to this object's deletion, which QProcess does not survive in the midst of reading.
    connect(&m_process, &QProcess::readyReadStandardOutput, this, &ChildProcess::readOutput, Qt::QueuedConnection);
    connect(&m_process, &QProcess::readyReadStandardError, this, &ChildProcess::readError, Qt::QueuedConnection);
    connect(&m_process, &QProcess::finished, this, [this](int exitCode, QProcess::ExitStatus status) {
        // The leader is gone; whoever of its group outlived a cancel goes now, before the number can be used again.
        if (m_stopping)
            signalGroup(SIGKILL);
        m_pid = 0;
        if (!m_stopping) {
            m_outcome.end = status == QProcess::NormalExit ? ChildEnd::Exited : ChildEnd::Crashed;
            if (status == QProcess::NormalExit)
                m_outcome.exitCode = exitCode;
            else
                m_outcome.signal = exitCode;
        }
        QTimer::singleShot(0, this, &ChildProcess::conclude);
    });
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error != QProcess::FailedToStart)
            return;
        m_outcome.end = m_stopping ? m_outcome.end : ChildEnd::FailedToStart;
        m_outcome.startError = m_process.errorString();
        // Also from inside QProcess::start(): the answer waits for the event loop.
        QTimer::singleShot(0, this, &ChildProcess::conclude);
    });
}

ChildProcess::~ChildProcess()
{
    m_process.disconnect(this);
    if (m_process.state() == QProcess::NotRunning)
        return;
    if (m_pid == 0)
        m_pid = m_process.processId(); // it was started, and nobody has heard of it yet
    signalGroup(SIGKILL);
    m_process.kill(); // before it made a group of its own
    m_process.waitForFinished(childReapMs); // what ~QProcess would do as well, with a warning
}

void ChildProcess::start()
{
    if (m_clock.isValid() || m_over)
        return;
    m_clock.start();
    const bool dieWithParent = m_spec.dieWithParent;
    const pid_t parent = ::getpid();
    m_process.setChildProcessModifier([dieWithParent, parent] { childPrepare(dieWithParent, parent); });
    m_process.setProgram(m_spec.program);
    m_process.setArguments(m_spec.arguments);
    m_process.setProcessEnvironment(m_spec.environment);
    if (!m_spec.workingDirectory.isEmpty())
        m_process.setWorkingDirectory(m_spec.workingDirectory);
    if (m_spec.deadlineMs > 0)
        m_deadline.start(m_spec.deadlineMs);
    if (m_spec.idleDeadlineMs > 0)
        m_idle.start(m_spec.idleDeadlineMs);
    m_process.start();
    if (!m_spec.input.isEmpty())
        m_process.write(m_spec.input);
    if (!m_spec.keepInputOpen)
        m_process.closeWriteChannel();
    m_spec.input.clear();
}

void ChildProcess::cancel()
{
    stop(ChildEnd::Cancelled);
}

void ChildProcess::finishEarly()
{
    m_early = true;
    stop(ChildEnd::Exited);
}

void ChildProcess::write(const QByteArray &bytes)
{
    if (!m_over)
        m_process.write(bytes);
}

void ChildProcess::closeInput()
{
    m_process.closeWriteChannel();
}

void ChildProcess::stop(ChildEnd reason)
{
    if (m_over || m_stopping)
        return;
    m_stopping = true;
    m_outcome.end = reason;
    m_outcome.exitCode = reason == ChildEnd::Exited ? 0 : -1;
    m_deadline.stop();
    m_idle.stop();
    if (!m_clock.isValid()) { // never started
        m_clock.start();
        QTimer::singleShot(0, this, &ChildProcess::conclude);
        return;
    }
    signalGroup(SIGTERM);
    m_kill.start(m_spec.killGraceMs);
}

void ChildProcess::signalGroup(int signal)
{
    if (m_pid > 0)
        ::kill(static_cast<pid_t>(-m_pid), signal);
}

void ChildProcess::readOutput()
{
    const QByteArray chunk = m_process.readAllStandardOutput();
    if (m_stopping || m_over || chunk.isEmpty())
        return;
    if (m_spec.idleDeadlineMs > 0)
        m_idle.start();
    if (m_spec.streamOutput) {
        Q_EMIT output(chunk);
        return;
    }
    m_outcome.output += chunk;
    if (m_outcome.output.size() > m_spec.outputCap) {
        m_outcome.output.truncate(m_spec.outputCap);
        stop(ChildEnd::OutputCap);
    }
}

void ChildProcess::readError()
{
    const QByteArray chunk = m_process.readAllStandardError();
    if (m_over || chunk.isEmpty())
        return;
    if (m_spec.idleDeadlineMs > 0 && !m_stopping)
        m_idle.start();
    m_outcome.errorTail += chunk;
    if (m_outcome.errorTail.size() > 2 * m_spec.errorTailCap)
        m_outcome.errorTail = m_outcome.errorTail.right(m_spec.errorTailCap);
    const QPointer<ChildProcess> self(this);
    qsizetype from = 0;
    for (qsizetype i = 0; i < chunk.size(); ++i) {
        if (chunk[i] != '\n' && chunk[i] != '\r')
            continue;
        m_errorLine += chunk.mid(from, i - from);
        from = i + 1;
        if (!m_errorLine.isEmpty()) {
            const QByteArray line = std::exchange(m_errorLine, {});
            Q_EMIT errorLine(line);
            if (!self)
                return;
        }
    }
    m_errorLine = (m_errorLine + chunk.mid(from)).right(childErrorLineCap);
}

void ChildProcess::conclude()
{
    if (m_over)
        return;
    const QPointer<ChildProcess> self(this); // a reader may delete it
    if (m_process.isOpen())
        readOutput();
    if (self && m_process.isOpen())
        readError();
    if (!self)
        return;
    m_over = true;
    m_pid = 0;
    m_deadline.stop();
    m_idle.stop();
    m_kill.stop();
    if (!m_errorLine.isEmpty())
        Q_EMIT errorLine(std::exchange(m_errorLine, {}));
    if (!self)
        return;
    m_outcome.errorTail = m_outcome.errorTail.right(m_spec.errorTailCap);
    m_outcome.elapsedMs = m_clock.elapsed();
    Q_EMIT finished(m_outcome);
}

} // namespace foundry::backend
