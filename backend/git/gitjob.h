// An operation of several git runs with one deadline, one cancel and one answer. The answer comes exactly once, never
// from inside the function that started it, in the thread that started it; it never comes when the context is gone,
// and then the programs are killed. A cancelled job answers git/cancelled after its programs have ended.
#pragma once

#include "backend/git/gitguard.h"

#include <QPointer>
#include <QTimer>

#include <optional>

namespace foundry::backend {

class GitJob : public QObject {
    Q_OBJECT
public:
    // Harmless at any time. A job that leaves things behind (clone, worktree) tidies up before it answers.
    void cancel();

Q_SIGNALS:
    // 0..1 over the whole operation, never falling; text for people.
    void progress(double fraction, const QString &text);

protected:
    using Next = std::function<void(const GitOutput &)>;

    GitJob(const GitEnvironment &git, int deadlineMs, QObject *context);

    virtual void begin() = 0;
    virtual void answer(const Error &error) = 0; // hands the error to the callback
    // Called once when the job fails or is cancelled, with all its programs ended; answers when it has tidied up.
    virtual void tidyUp(const Error &error) { finish(error); }

    // Starts a run; `next` is not called when the job has failed or was cancelled meanwhile.
    GitRun *git(GitCall call, Next next);
    // Fails unless the run ended well.
    GitRun *gitOk(const QString &doing, GitCall call, Next next);
    void fail(const Error &error);
    void finish(const Error &error);
    void succeed(const std::function<void()> &hand);
    bool isOver() const { return m_over || m_failing; }
    void report(double fraction, const QString &text);
    int remainingMs() const;

    const GitEnvironment m_git;
    GitGuard m_guard; // laid over every run

private:
    void settle();

    QTimer m_deadline;
    QList<QPointer<GitRun>> m_runs;
    std::optional<Error> m_error;
    double m_reported = 0;
    bool m_failing = false;
    bool m_tidying = false;
    bool m_over = false;
};

} // namespace foundry::backend
