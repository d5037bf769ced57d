// The local host of this window: finds or starts it, connects to it, and says how that goes. When the host dies
// a new one is started and everything comes back by itself. GUI thread.
#pragma once

#include "backend/launcher/hostlauncher.h"
#include "models/types/linkstate.h"
#include "realtime/commands/hostclient.h"
#include "realtime/connection/httpactorresolver.h"

#include <QTimer>

namespace foundry::app {

class HostLink : public QObject {
    Q_OBJECT

public:
    HostLink(const LauncherOptions &launcher, const realtime::HostClientOptions &client, QObject *parent = nullptr);
    ~HostLink() override;

    realtime::HostClient &client() { return m_client; }
    const LinkState &state() const { return m_state; }
    const QString &hostVersion() const { return m_hostVersion; }

    // Before the first paint: the cache is read on its thread meanwhile. No socket is opened yet.
    void view();
    // After the first paint.
    void start();
    // The user's wish, or the system's signal that it woke up.
    void retry();
    // The window is closing: lets go of the host, and asks it to stop when nothing runs. No other is started.
    void stopHostWhenIdle();
    // Ends this window's own host, whatever it does; no other is started. `ended` comes within ten seconds.
    void endHost(QObject *context, std::function<void()> ended);

Q_SIGNALS:
    void stateChanged(const foundry::LinkState &state);

private:
    void update();
    void tryAgain();
    void lookAgain();

    HostLauncher m_launcher;
    realtime::HttpActorResolver m_resolver;
    realtime::HostClient m_client;
    realtime::Backoff m_backoff;
    QString m_dataDir;
    QTimer m_again;
    QElapsedTimer m_available;
    QString m_hostVersion;
    bool m_ended = false; // the host's process died; a new one is on its way
    Error m_problem;
    QString m_log;
    bool m_failed = false;
    LinkState m_state;
};

} // namespace foundry::app
