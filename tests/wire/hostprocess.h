// The real foundry-host as a process with its own data directory. Blocking: for tests and benchmarks only.
#pragma once

#include "models/types/result.h"

#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <memory>

namespace foundry::wire {

class HostProcess {
public:
    // An empty folder: one of its own, removed with it.
    explicit HostProcess(QString dataDir = {});
    ~HostProcess();

    void setEnvironment(const QProcessEnvironment &environment) { m_process.setProcessEnvironment(environment); }
    // Runs as this user, where the test runs as root.
    void setUser(uint user);
    // Until its ready line, at most 20 s.
    Result<> start();
    // SIGTERM, then SIGKILL after 10 s.
    void stop();
    void kill(int signal);
    bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    // It has ended, or does within this time.
    bool waitForEnd(int ms) { return !isRunning() || m_process.waitForFinished(ms); }
    bool wasKilled() const { return m_process.exitStatus() == QProcess::CrashExit; }

    QString dataDir() const { return m_dataDir; }
    QString endpoint() const { return m_endpoint; }
    QString token() const { return m_token; }
    qint64 pid() const { return m_process.processId(); }
    // False once it has ended by itself; for a caller whose event loop turns.
    // Connections that are established at its port.
    int openSockets() const;
    double startMs() const { return m_startMs; } // from spawn to ready

private:
    std::unique_ptr<QTemporaryDir> m_own;
    QString m_dataDir;
    QString m_endpoint;
    QString m_token;
    QProcess m_process;
    double m_startMs = 0;
};

} // namespace foundry::wire
