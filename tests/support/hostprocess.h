// A real foundry-host as a child of the test, with a private data folder.
#pragma once

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>

namespace foundry::tests {

class HostProcess {
public:
    HostProcess() = default;
    ~HostProcess() { stop(); }

    // True when it is ready.
    bool start()
    {
        m_process.reset(new QProcess);
        m_process->setProcessChannelMode(QProcess::SeparateChannels);
        m_process->setStandardErrorFile(QProcess::nullDevice());
        m_process->start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host"),
            {QStringLiteral("--data-dir"), dataDir(), QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0")});
        QByteArray line;
        for (int i = 0; i < 1000 && !line.contains('\n'); ++i) {
            QTest::qWait(10);
            line += m_process->readAllStandardOutput();
        }
        const QJsonObject ready = QJsonDocument::fromJson(line).object();
        if (!ready.value(QStringLiteral("ready")).toBool())
            return false;
        QFile file(ready.value(QStringLiteral("connectFile")).toString());
        if (!file.open(QIODevice::ReadOnly))
            return false;
        const QJsonObject connect = QJsonDocument::fromJson(file.readAll()).object();
        endpoint = connect.value(QStringLiteral("endpoint")).toString();
        token = connect.value(QStringLiteral("token")).toString();
        return true;
    }
    void signalIt(int number) { ::kill(pid_t(m_process->processId()), number); }
    void killIt()
    {
        signalIt(SIGKILL);
        m_process->waitForFinished(5000);
    }
    void stop()
    {
        if (!m_process || m_process->state() == QProcess::NotRunning)
            return;
        signalIt(SIGCONT);
        m_process->terminate();
        if (!m_process->waitForFinished(10000))
            m_process->kill();
        m_process->waitForFinished(2000);
    }
    QString dataDir() const { return m_dir.path() + QStringLiteral("/host"); }
    QString path(const char *name) const { return m_dir.path() + QLatin1Char('/') + QString::fromLatin1(name); }

    QString endpoint;
    QString token;

private:
    QTemporaryDir m_dir;
    std::unique_ptr<QProcess> m_process;
};

} // namespace foundry::tests
