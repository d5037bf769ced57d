#include "tests/wire/hostprocess.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QUrl>
#include <csignal>
#include <grp.h>
#include <unistd.h>

namespace foundry::wire {

HostProcess::HostProcess(QString dataDir)
    : m_dataDir(std::move(dataDir))
{
    if (m_dataDir.isEmpty()) {
        m_own = std::make_unique<QTemporaryDir>();
        m_dataDir = m_own->path();
    }
    m_process.setProcessEnvironment(QProcessEnvironment::systemEnvironment());
}

HostProcess::~HostProcess()
{
    stop();
}

void HostProcess::setUser(uint user)
{
    m_process.setChildProcessModifier([user] {
        if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0)
            ::_exit(126);
    });
}

Result<> HostProcess::start()
{
    QElapsedTimer clock;
    clock.start();
    m_process.setProcessChannelMode(QProcess::SeparateChannels);
    m_process.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host"),
        {QStringLiteral("--data-dir"), m_dataDir, QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")});
    QByteArray line;
    while (!line.contains('\n') && clock.elapsed() < 20000) {
        if (!m_process.waitForReadyRead(200) && m_process.state() == QProcess::NotRunning)
            break;
        line += m_process.readAllStandardOutput();
    }
    m_startMs = double(clock.nsecsElapsed()) / 1e6;
    const QJsonObject ready = QJsonDocument::fromJson(line.left(line.indexOf('\n'))).object();
    if (!ready.value(QLatin1StringView("ready")).toBool())
        return makeError(QLatin1StringView("internal"), QLatin1StringView("host_not_ready"),
            QStringLiteral("foundry-host did not get ready: %1").arg(QString::fromUtf8(line + m_process.readAllStandardError())));
    m_endpoint = ready.value(QLatin1StringView("endpoint")).toString();
    QFile connect(ready.value(QLatin1StringView("connectFile")).toString());
    if (!connect.open(QIODevice::ReadOnly))
        return makeError(QLatin1StringView("internal"), QLatin1StringView("no_connect_file"), connect.errorString());
    m_token = QJsonDocument::fromJson(connect.readAll()).object().value(QLatin1StringView("token")).toString();
    return Unit{};
}

int HostProcess::openSockets() const
{
    const QString port = QStringLiteral(":%1").arg(QUrl(m_endpoint).port(), 4, 16, QLatin1Char('0')).toUpper();
    QFile file(QStringLiteral("/proc/net/tcp"));
    if (!file.open(QIODevice::ReadOnly))
        return -1;
    int open = 0;
    for (const QByteArray &line : file.readAll().split('\n')) {
        const QList<QByteArray> words = line.simplified().split(' ');
        // local address, remote address, state (01: established)
        open += words.size() > 3 && QString::fromLatin1(words.at(1)).endsWith(port) && words.at(3) == "01" ? 1 : 0;
    }
    return open;
}

void HostProcess::kill(int signal)
{
    if (m_process.state() != QProcess::NotRunning)
        ::kill(pid_t(m_process.processId()), signal);
    if (signal == SIGKILL)
        m_process.waitForFinished(5000);
}

void HostProcess::stop()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.terminate();
    if (!m_process.waitForFinished(10000)) {
        m_process.kill();
        m_process.waitForFinished(5000);
    }
}

} // namespace foundry::wire
