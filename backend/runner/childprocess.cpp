#include "backend/runner/childprocess.h"

#include <QProcessEnvironment>
#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

namespace foundry::runner {

ChildProcess::ChildProcess(QObject *parent)
    : QObject(parent)
{
    m_grace.setSingleShot(true);
    m_grace.setInterval(2000);
    connect(&m_grace, &QTimer::timeout, this, [this] { kill(SIGKILL); });
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    m_process.setStandardInputFile(QProcess::nullDevice());
    m_process.setChildProcessModifier([] {
        ::setsid();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    });
    connect(&m_process, &QProcess::started, this, [this] { m_group = m_process.processId(); });
    connect(&m_process, &QProcess::readyReadStandardOutput, this, &ChildProcess::readOutput);
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            Q_EMIT finished(-1, 0, m_process.errorString());
    });
    connect(&m_process, &QProcess::finished, this, [this](int code, QProcess::ExitStatus status) {
        m_grace.stop();
        readOutput();
        // What it left running in its group belongs to it.
        if (m_group > 1)
            ::kill(pid_t(-m_group), SIGKILL);
        if (status == QProcess::CrashExit)
            Q_EMIT finished(-1, code, {});
        else
            Q_EMIT finished(code, 0, {});
    });
}

ChildProcess::~ChildProcess()
{
    m_process.disconnect(this);
    if (m_process.state() != QProcess::NotRunning)
        kill(SIGKILL);
}

void ChildProcess::start(const QStringList &command, const QString &workingDirectory)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("NO_COLOR"), QStringLiteral("1"));
    environment.insert(QStringLiteral("TERM"), QStringLiteral("dumb"));
    environment.insert(QStringLiteral("GIT_TERMINAL_PROMPT"), QStringLiteral("0"));
    m_process.setProcessEnvironment(environment);
    m_process.setWorkingDirectory(workingDirectory);
    m_process.setProgram(command.first());
    m_process.setArguments(command.mid(1));
    m_process.start();
}

void ChildProcess::stop()
{
    m_stopped = true;
    kill(SIGTERM);
    m_grace.start();
}

void ChildProcess::kill(int signal)
{
    const pid_t pid = pid_t(m_process.processId());
    if (pid > 1 && ::kill(-pid, signal) != 0)
        ::kill(pid, signal);
}

void ChildProcess::readOutput()
{
    const QString text = plainOutput(m_decoder.decode(m_process.readAllStandardOutput()), &m_held);
    if (!text.isEmpty())
        Q_EMIT output(text);
}

QString plainOutput(const QString &text, QString *held)
{
    const QString all = *held + text;
    held->clear();
    QString plain;
    plain.reserve(all.size());
    const QChar escape(0x1b);
    for (qsizetype i = 0; i < all.size(); ++i) {
        const QChar c = all[i];
        if (c == escape) {
            // CSI … final byte, OSC … BEL or ST, or two characters.
            qsizetype end = i + 1;
            if (end < all.size() && all[end] == QLatin1Char('[')) {
                ++end;
                while (end < all.size() && (all[end] < QLatin1Char('@') || all[end] > QLatin1Char('~')))
                    ++end;
            } else if (end < all.size() && all[end] == QLatin1Char(']')) {
                while (end < all.size() && all[end] != QChar(7) && !(all[end] == QLatin1Char('\\') && all[end - 1] == escape))
                    ++end;
            }
            if (end >= all.size()) {
                if (all.size() - i < 256)
                    *held = all.mid(i);
                break;
            }
            i = end;
        } else if (c == QLatin1Char('\r')) {
            if (i + 1 < all.size() && all[i + 1] != QLatin1Char('\n'))
                plain += QLatin1Char('\n');
        } else if (c >= QLatin1Char(' ') || c == QLatin1Char('\n') || c == QLatin1Char('\t')) {
            plain += c;
        }
    }
    return plain;
}

} // namespace foundry::runner
