// An agent as a child process: one JSON object per line on its standard input and output, in its own session and process
// group (setsid), ended as a group. Reads from its own pipe instead of QProcess's buffer, so that pausing is real.
#pragma once

#include "backend/agents/agenttransport.h"
#include "backend/agents/processreaper.h"

#include <QProcess>
#include <QTimer>
#include <memory>

class QSocketNotifier;

namespace foundry::backend {

struct StdioLimits {
    qint64 maxLineBytes = 32 * 1024 * 1024;
    qint64 maxUnsentBytes = 64 * 1024 * 1024;
    qint64 maxGarbageLines = 1000; // without a message between: it speaks something else
    qint64 maxGarbageBytes = 8 * 1024 * 1024;
    qint64 stderrTailBytes = 64 * 1024;
    int eofGraceMs = 3000;  // measured: agents leave within 0.2 s of end of input, codex may not at all
    int termGraceMs = 2000; // between SIGTERM and SIGKILL
};

class StdioTransport : public AgentTransport {
    Q_OBJECT
public:
    explicit StdioTransport(StdioLimits limits = {}, QObject *parent = nullptr);
    // Kills the group when it still runs.
    ~StdioTransport() override;

    void start(const AgentSpec &spec) override;
    void send(const QJsonObject &message) override;
    void stop(bool force) override;
    void setPaused(bool paused) override;
    bool isRunning() const override;
    ProcessIdentity identity() const override { return m_identity; }
    QString stderrTail() const override;

private:
    enum class Stopping { No, Eof, Term, Kill };

    void onStarted();
    void onProcessError(QProcess::ProcessError error);
    void onFinished(int code, QProcess::ExitStatus status);
    void readOutput();
    void readErrors();
    bool fill(qint64 budget); // false at end of stream
    void takeLines(bool evenPaused);
    void takeLine(const QByteArray &line);
    void breakOff(const Error &error);
    void escalate();
    void signalGroup(int signal);
    void reportExit();
    void closeOutput();

    StdioLimits m_limits;
    AgentSpec m_spec;
    std::unique_ptr<QProcess> m_process;
    QSocketNotifier *m_notifier = nullptr;
    QTimer m_escalation;
    ProcessReaper m_reaper; // what the agent left behind when it went
    ProcessIdentity m_identity;
    QString m_marker;
    QByteArray m_buffer;
    qsizetype m_scanned = 0; // of m_buffer, known to hold no line end
    QByteArray m_stderr;
    qint64 m_garbageLines = 0;
    qint64 m_garbageRun = 0;      // lines since the last message
    qint64 m_garbageRunBytes = 0;
    int m_outputFd = -1;
    int m_childFd = -1;
    bool m_started = false;
    bool m_reported = false;
    bool m_paused = false;
    bool m_broken = false;
    bool m_draining = false;
    Stopping m_stopping = Stopping::No;
    AgentExit m_exit;
};

} // namespace foundry::backend
