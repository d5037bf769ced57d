// A process that a user started: a command on a terminal, or a one-shot on a pipe (output and errors in the order they
// were written, no input). It has a session of its own, and is ended with all that belongs to it. Reads in small pieces
// from non-blocking descriptors on the thread it lives on; waits for its own child only, so that QProcess and others are
// not disturbed.
#pragma once

#include "backend/agents/processidentity.h"
#include "backend/processes/processspawn.h"
#include "models/types/result.h"

#include <QElapsedTimer>
#include <QObject>
#include <QProcessEnvironment>
#include <QTimer>

class QSocketNotifier;

namespace foundry::backend {

struct UserProcessSpec {
    QString command;
    QStringList args = {};
    QString root = {};   // the folder that it must start in or below
    QString folder = {}; // relative to it
    bool tty = false;
    int columns = 80;
    int rows = 24;
    QProcessEnvironment environment = {}; // as userProcessEnvironment() gives it
};

struct UserProcessLimits {
    int graceMs = 5000;               // between being asked to end and SIGKILL
    int stuckMs = 10000;              // after SIGKILL: then it is given up (stuck in the kernel)
    qint64 unsentInput = 256 * 1024;  // bytes that the program has not read yet
};

// Exactly one of them.
struct UserProcessExit {
    std::optional<int> code = {};
    std::optional<int> signal = {};
};

class UserProcess : public QObject {
    Q_OBJECT
public:
    explicit UserProcess(UserProcessLimits limits = {}, QObject *parent = nullptr);
    // Kills all of it at once.
    ~UserProcess() override;

    // The process exists and can be put on record, and runs nothing yet. Errors: input.invalid, sandbox.folder_missing,
    // program_not_found, not_executable, start_failed; then nothing was started and no signal follows.
    Result<ProcessIdentity> prepare(const UserProcessSpec &spec);
    // Now it becomes the program. Then come output(), and once failed() or exited(), and at last gone().
    void run();

    // Terminals only: what is typed, in order. actor.overloaded when the program does not read, state.conflict when it
    // reads nothing any more.
    Result<> checkRoom(qint64 bytes) const;
    Result<> write(const QByteArray &bytes);
    void resize(int columns, int rows);
    // Asks all of it to end (a terminal hangs up; SIGTERM), and kills what is left after the grace.
    void stop();
    void kill();
    // Exists and has not said exited() or failed().
    bool isRunning() const { return m_child.pid > 0 && !m_concluded; }

Q_SIGNALS:
    void output(const QByteArray &bytes);
    void failed(const foundry::Error &error);
    void exited(const foundry::backend::UserProcessExit &exit);
    // Nothing of its session lives any more, and no zombie is left.
    void gone();

private:
    enum class Ending { No, Asked, Killed };

    void watch();
    void readOutput();
    bool readSome(qint64 budget); // false: nothing will come any more
    void writeInput();
    void leaderEnded();
    void conclude();
    void sweep();
    void signalAll(int signal, bool alsoThoseWhoLeft);
    void finish();
    void closeOutput();
    Error failureOf(const SpawnFailure &failure) const;

    UserProcessLimits m_limits;
    UserProcessSpec m_spec;
    QString m_program;
    SpawnedChild m_child;
    ProcessIdentity m_identity;
    QSocketNotifier *m_reader = nullptr;
    QSocketNotifier *m_writer = nullptr;
    QSocketNotifier *m_ender = nullptr;
    QTimer m_endPoll;   // where there is no pidfd
    QTimer m_drain;     // output that is still on its way when the leader has ended
    QTimer m_sweep;     // looks for what is left
    QElapsedTimer m_since; // asked to end, or killed
    QByteArray m_input;
    UserProcessExit m_exit;
    Ending m_ending = Ending::No;
    bool m_reachesAll = false; // also those who left the session
    bool m_isTermDue = false;
    bool m_leaderEnded = false;
    bool m_concluded = false;
    bool m_gone = false;
};

} // namespace foundry::backend
