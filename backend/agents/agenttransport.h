// The way to one agent process and back: JSON-RPC messages, one at a time and in order, and how it ended. Above it is
// AcpClient, which knows what the messages mean. One thread, with an event loop; signals are emitted on it.
#pragma once

#include "backend/agents/processidentity.h"
#include "models/types/error.h"

#include <QJsonObject>
#include <QObject>
#include <QProcessEnvironment>
#include <QStringList>

namespace foundry::backend {

// What to start. Never a shell string; the environment is whole (nothing is added but the process marker).
struct AgentSpec {
    QString agentId;
    QString agentName; // for messages to people
    QString program;   // absolute path
    QStringList args = {};
    QProcessEnvironment environment = {};
    QString workingDirectory;
    QString loginHint = {}; // what a person does when it says that it needs a login
};

struct AgentExit {
    int code = 0;       // exit status; meaningless when `signal` is set
    int signal = 0;     // the signal that ended it, 0 when it exited by itself
    bool asked = false; // stop() was called before
    QString stderrTail; // last 64 KiB, for the error view; never parsed
};

class AgentTransport : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    // Once. Answers with started() or failed().
    virtual void start(const AgentSpec &spec) = 0;
    // Queued without bound of time, with one of size (64 MiB unsent: failed(agent.protocol)). Ignored when not running.
    virtual void send(const QJsonObject &message) = 0;
    // Gentle: end of input, a grace, SIGTERM to the group, a grace, SIGKILL. Force: begins with SIGTERM. Ends with
    // exited(); may be called again to go from gentle to force.
    virtual void stop(bool force) = 0;
    // While paused nothing more is read, so that a flooding agent waits on its own pipe (bounded memory).
    virtual void setPaused(bool paused) = 0;
    virtual bool isRunning() const = 0;
    virtual ProcessIdentity identity() const = 0;
    virtual QString stderrTail() const = 0;

Q_SIGNALS:
    // The process runs; store the identity before anything else is asked of it.
    void started(const foundry::backend::ProcessIdentity &identity);
    void message(const QJsonObject &message);
    // A line that was no JSON object: how many so far, and the beginning of this one.
    void garbage(qint64 count, const QString &line);
    // The last signal, once: the process and its group are gone.
    void exited(const foundry::backend::AgentExit &exit);
    // It could not start (then the last signal), or breaks the protocol in a way that ends it (exited() follows).
    void failed(const foundry::Error &error);
};

} // namespace foundry::backend
