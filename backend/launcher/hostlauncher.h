// Finds the host of this user, or starts one that outlives the window, and hands out where it is. Nothing here waits:
// every step has a deadline and ends in available() or failed(). Main thread.
#pragma once

#include "backend/launcher/connectinfo.h"

#include <QFileSystemWatcher>
#include <QNetworkAccessManager>
#include <QObject>
#include <QTimer>

#include <functional>
#include <memory>

namespace foundry {

class ProcessWatch;

// A watch is often let go of in answer to its own signal.
struct DeleteLater {
    void operator()(QObject *object) const
    {
        object->disconnect();
        object->deleteLater();
    }
};

struct LauncherOptions {
    QString dataDir;      // empty: $XDG_DATA_HOME/foundry
    QString program;      // empty: foundry-host beside this program
    QString version = QStringLiteral(FOUNDRY_VERSION);
    int startDeadlineMs = 20000;  // until a started host is ready
    int answerDeadlineMs = 10000; // until one that lives has answered
    int drainDeadlineMs = 10000;  // until an older one has gone
};

struct HostConnection {
    QString endpoint;
    QString token;
    QString version;
    friend bool operator==(const HostConnection &, const HostConnection &) = default;
};

class HostLauncher final : public QObject {
    Q_OBJECT

public:
    enum class State { Idle, Looking, Asking, Draining, Starting, Available, Failed };

    explicit HostLauncher(LauncherOptions options, QObject *parent = nullptr);
    ~HostLauncher() override;

    // Attaches to a running host, or starts one. Does nothing while it is under way.
    void start();
    // The host does not answer any more: looks again, and starts a new one when it has died.
    void lost();
    // Asks the host to go when nothing runs and nobody is connected. The answer is not waited for.
    void stopWhenIdle();
    State state() const { return m_state; }

Q_SIGNALS:
    void available(const foundry::HostConnection &connection);
    // `logTail`: the end of what the host said, for the window; empty when it said nothing.
    void failed(const foundry::Error &error, const QString &logTail);
    // One line for people: "Starting the host".
    void progress(const QString &text);
    // The process that available() named has ended.
    void hostEnded();

private:
    void look();
    void ask(const ConnectInfo &info);
    void answered(const ConnectInfo &info, const QString &challenge, int status, const QByteArray &body);
    void drain(const ConnectInfo &info, const QString &version);
    void launch();
    void launched(qint64 pid, const QString &problem);
    void startedEnded();
    void lookForReady();
    void watch(qint64 pid, std::function<void()> ended);
    void attach(const ConnectInfo &info, const QString &version);
    void fail(const Error &error, bool withLog);
    void enter(State state, int deadlineMs);
    void deadlinePassed();
    // Runs on a pool thread; `then` on this one, not at all when the launcher or this attempt is gone.
    template <class T>
    void offThread(std::function<T()> work, std::function<void(T)> then);
    QString connectFile() const { return m_options.dataDir + QStringLiteral("/host.json"); }
    QString startLog() const { return m_options.dataDir + QStringLiteral("/host.start.log"); }

    LauncherOptions m_options;
    QNetworkAccessManager m_network;
    QTimer m_deadline;
    QFileSystemWatcher m_directory;
    std::unique_ptr<QObject, DeleteLater> m_watch;
    State m_state = State::Idle;
    quint64 m_attempt = 0; // late answers of an earlier one are dropped
    ConnectInfo m_current;
    qint64 m_startedPid = 0;
    bool m_lookedAfterEnd = false;
};

} // namespace foundry
