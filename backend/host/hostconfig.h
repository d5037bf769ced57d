// What the host was started with: known before anything runs, never changed after.
#pragma once

#include <QDateTime>
#include <QHostAddress>
#include <QString>
#include <functional>

namespace foundry::backend {

struct HostConfig {
    QString dataDir;     // everything of the host lies below it
    QString connectFile; // endpoint and token, 0600
    QHostAddress address = QHostAddress(QHostAddress::LocalHost);
    quint16 port = 0;    // 0: a free one
    // PEM files. With them it is TLS that is spoken at the address, and the connect file has a plain port of loopback.
    QString tlsCertFile = {};
    QString tlsKeyFile = {};
    QString programDir;  // where foundry-host lies; foundry-runner lies beside it
    QString version = QStringLiteral(FOUNDRY_VERSION);
    QString instance;    // random, new at each start
    // Milliseconds since the epoch: what waits for days is measured by it.
    std::function<qint64()> clock = &QDateTime::currentMSecsSinceEpoch;
    QString token;       // the connection's secret; never logged, never in an argument list

    QString stageDeadlines; // "STAGE=SECONDS,…", checked; above the environment's

    bool usesTls() const { return !tlsCertFile.isEmpty(); }
    QString actorsDir() const { return dataDir + QStringLiteral("/actors"); }
    // Work trees of tasks and clones of repositories.
    QString tasksDir() const { return dataDir + QStringLiteral("/tasks"); }
    QString repositoriesDir() const { return dataDir + QStringLiteral("/repositories"); }
    QString agentsDir() const { return dataDir + QStringLiteral("/agents"); }
    QString logFile() const { return dataDir + QStringLiteral("/host.log"); }
};

} // namespace foundry::backend
