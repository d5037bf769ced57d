// Runs git safely: a cleaned environment, flags that keep a repository's own configuration from running programs, a
// process group, deadlines and bounded output. One GitEnvironment is made by the host and handed to everything that runs
// git; a GitRun is one run of git. Any thread with an event loop.
//
// Why GIT_SSH_COMMAND is not set: git hands that text to a shell, and it would replace the ssh command that the user
// chose. A session without a terminal, SSH_ASKPASS_REQUIRE=never and an empty GIT_ASKPASS keep ssh and git from asking
// just as well (ssh fails with a message instead), and a repository's own core.sshCommand is overridden by the guard.
#pragma once

#include "backend/git/childprocess.h"
#include "backend/observe/metrics.h"
#include "models/types/entity.h"
#include "models/types/result.h"

#include <QList>
#include <QMap>
#include <QProcessEnvironment>
#include <functional>

namespace foundry::backend {

// One configuration value handed over by GIT_CONFIG_COUNT, which beats every file and, unlike -c, takes any name.
struct GitSetting {
    QString key;
    QString value;
    friend bool operator==(const GitSetting &, const GitSetting &) = default;
};

struct GitEnvironment {
    QString program = QStringLiteral("git"); // found on PATH when it has no slash
    QProcessEnvironment environment;         // cleaned: see cleanGitEnvironment()
    QString scratchDir;                      // for our own index files; empty: the system's temporary folder
    HostMetrics *metrics = nullptr;          // counts the runs
    Millis startedAt = 0;                    // when this life of the host began: what git left before it is cleared away (leftlock.h); 0: never
};

// The user's environment without what redirects git or runs programs, and with what keeps it quiet and in English.
QProcessEnvironment cleanGitEnvironment(const QProcessEnvironment &from);
GitEnvironment systemGitEnvironment();

// Settings for every run, whatever the repository says: no hooks, no fsmonitor, no external diff, no background work.
QList<GitSetting> alwaysSettings();

struct GitCall {
    QString directory;     // becomes -C
    QStringList arguments; // the subcommand and what follows
    QList<GitSetting> settings = {}; // on top of alwaysSettings(), usually a guard (gitguard.h)
    QMap<QString, QString> environment = {};
    QByteArray input = {};
    int deadlineMs = 30000;
    int idleDeadlineMs = 0;
    qint64 outputCap = 64 << 20;
    bool stream = false; // stdout by GitRun::output
};

// How it ended. `outcome.ok()`, or an exit code that the caller knows; error() says the rest.
struct GitOutput {
    ChildOutcome outcome;
    bool ok() const { return outcome.ok(); }
    int exitCode() const { return outcome.exitCode; }
    const QByteArray &out() const { return outcome.output; }
    QString line() const; // stdout without the newline at its end
    Error error(const QString &doing) const; // doing: "read the branches"; see giterror.h
};

class GitRun : public QObject {
    Q_OBJECT
public:
    GitRun(const GitEnvironment &git, GitCall call, QObject *parent);

    void start();
    void cancel();
    void finishEarly();

Q_SIGNALS:
    void output(const QByteArray &chunk);
    // From `--progress`: 0..1 of the present phase, and git's own words for it ("Receiving objects").
    void progress(double fraction, const QString &phase);
    void finished(const foundry::backend::GitOutput &output);

private:
    void ended(const ChildOutcome &outcome);

    Counter *m_runs = nullptr;
    const ChildSpec m_spec;
    const Millis m_startedAt;
    ChildProcess *m_child = nullptr; // ours as a QObject; another one after a lock that was left
    QTimer m_again;                  // runs while that lock is waited for
    ChildOutcome m_last;             // then: how the run before ended
    int m_looks = 0;
};

} // namespace foundry::backend
