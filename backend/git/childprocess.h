// One external program, run without waiting: argument list, own session and process group, deadlines, bounded output.
// Lives in the thread that made it and needs that thread's event loop. `finished` comes exactly once, never from inside
// start(), and not at all when the object is deleted first (deleting kills the whole group at once). Times are
// milliseconds, sizes bytes. Reusable for anything that is not an interactive terminal.
#pragma once

#include <QByteArray>
#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QProcessEnvironment>
#include <QStringList>
#include <QTimer>

namespace foundry::backend {

struct ChildSpec {
    QString program;
    QStringList arguments = {};
    QString workingDirectory = {};
    QProcessEnvironment environment = {};
    QByteArray input = {};       // written to stdin, which is then closed
    bool keepInputOpen = false;  // stdin stays open for write() and closeInput()
    int deadlineMs = 0;          // from start to end; 0: none
    int idleDeadlineMs = 0;      // without a byte on stdout or stderr; 0: none
    int killGraceMs = 2000;      // between SIGTERM and SIGKILL, both to the whole group
    qint64 outputCap = 16 << 20; // collected stdout; more ends the run as OutputCap. Ignored when streaming
    qint64 errorTailCap = 16384; // the end of stderr that is kept
    bool streamOutput = false;   // stdout goes out by `output` and is not collected
    bool dieWithParent = false;  // SIGTERM when the thread that started it ends, also by SIGKILL for this program
};

enum class ChildEnd { Exited, Crashed, FailedToStart, Cancelled, Deadline, IdleDeadline, OutputCap };

struct ChildOutcome {
    ChildEnd end = ChildEnd::Exited;
    int exitCode = -1;     // only with Exited
    int signal = 0;        // only with Crashed
    QByteArray output;     // collected stdout, at most outputCap
    QByteArray errorTail;  // end of stderr
    QString startError;    // only with FailedToStart
    qint64 elapsedMs = 0;
    bool ok() const { return end == ChildEnd::Exited && exitCode == 0; }
};

class ChildProcess : public QObject {
    Q_OBJECT
public:
    explicit ChildProcess(ChildSpec spec, QObject *parent = nullptr);
    ~ChildProcess() override;

    void start();
    // SIGTERM to the group now, SIGKILL after the grace time; ends as Cancelled. Harmless when it is over.
    void cancel();
    // For a reader that has all it wants: ends the program the same way, but as Exited with exit code 0.
    void finishEarly();

    void write(const QByteArray &bytes); // with keepInputOpen
    void closeInput();
    qint64 processId() const { return m_pid; } // also its group id; 0 before the start and after the end
    bool isRunning() const { return m_pid > 0; }

Q_SIGNALS:
    void started(qint64 pid);
    void output(const QByteArray &chunk);
    // One line of stderr without its end; a carriage return ends a line too (progress).
    void errorLine(const QByteArray &line);
    void finished(const foundry::backend::ChildOutcome &outcome);

private:
    void stop(ChildEnd reason);
    void readOutput();
    void readError();
    void conclude();
    void signalGroup(int signal);

    ChildSpec m_spec;
    QProcess m_process;
    QTimer m_deadline;
    QTimer m_idle;
    QTimer m_kill;
    QElapsedTimer m_clock;
    ChildOutcome m_outcome;
    QByteArray m_errorLine;
    qint64 m_pid = 0;
    bool m_stopping = false;
    bool m_early = false;
    bool m_over = false;
};

} // namespace foundry::backend
