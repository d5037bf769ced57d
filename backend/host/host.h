// The running host: lock, actors, server, connect file, in the order in which they come up and go down. Main thread.
#pragma once

#include "backend/actors/actorfactory.h"
#include "backend/host/authorization.h"
#include "backend/host/datadirlock.h"
#include "backend/host/hostconfig.h"
#include "backend/observe/metrics.h"

#include <QObject>
#include <QTimer>

#include <memory>

namespace foundry::backend {

class ActorRuntime;
class Deliveries;
class Server;
class TokenStore;

class Host final : public QObject {
    Q_OBJECT

public:
    explicit Host(HostConfig config, QObject *parent = nullptr);
    ~Host() override;

    // The lock of the data directory; before the log is opened, which lies in it.
    Result<> lock();
    // Brings everything up; ready() follows when what was under way before goes on again.
    Result<> start(QList<ActorFactory> factories);
    // Drains and stops; stopped() follows.
    void stop();
    QString endpoint() const;
    QString tlsEndpoint() const;
    QString tlsFingerprint() const;
    Memberships &members() { return m_members; }
    HostMetrics &metrics() { return m_metrics; }

Q_SIGNALS:
    void ready();
    void failed(const foundry::Error &error);
    void stopped(bool clean);

private:
    void openApp();
    void announce();
    void stopWhenIdle();

    const HostConfig m_config;
    DataDirLock m_lock;
    Memberships m_members;
    HostMetrics m_metrics;
    std::unique_ptr<TokenStore> m_tokens;
    std::unique_ptr<Deliveries> m_deliveries; // outlives the runtime, whose threads use it
    std::unique_ptr<ActorRuntime> m_runtime;
    std::unique_ptr<Server> m_server;
    QTimer m_idleCheck;
    bool m_stopping = false;
};

} // namespace foundry::backend
