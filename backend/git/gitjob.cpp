#include "backend/git/gitjob.h"

#include "backend/git/giterror.h"

namespace foundry::backend {

GitJob::GitJob(const GitEnvironment &git, int deadlineMs, QObject *context)
    : QObject(context)
    , m_git(git)
{
    m_deadline.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, [this] {
        fail(gitErrorOf(QLatin1StringView("timeout"), QStringLiteral("Git did not finish in time and was stopped.")));
    });
    m_deadline.start(deadlineMs);
    QTimer::singleShot(0, this, [this] {
        if (!m_over && !m_failing)
            begin();
    });
}

void GitJob::cancel()
{
    fail(gitErrorOf(QLatin1StringView("cancelled"), QStringLiteral("Cancelled.")));
}

int GitJob::remainingMs() const
{
    return m_deadline.isActive() ? qMax(1, m_deadline.remainingTime()) : 1;
}

GitRun *GitJob::git(GitCall call, Next next)
{
    call.settings += m_guard.settings;
    call.environment.insert(m_guard.environment);
    // Tidying up has its own short deadlines; everything else shares the job's.
    if (!m_tidying)
        call.deadlineMs = remainingMs() + 1000; // the job's own deadline comes first and words the error
    auto *run = new GitRun(m_git, std::move(call), this);
    m_runs.append(run);
    connect(run, &GitRun::finished, this, [this, run, next = std::move(next)](const GitOutput &output) {
        m_runs.removeOne(run);
        run->deleteLater();
        if (m_over)
            return;
        if (m_failing && !m_tidying) {
            settle();
            return;
        }
        next(output);
    });
    run->start();
    return run;
}

GitRun *GitJob::gitOk(const QString &doing, GitCall call, Next next)
{
    return git(std::move(call), [this, doing, next = std::move(next)](const GitOutput &output) {
        if (output.ok())
            next(output);
        else
            fail(output.error(doing));
    });
}

void GitJob::fail(const Error &error)
{
    if (m_over || m_failing)
        return;
    m_failing = true;
    m_error = error;
    m_deadline.stop();
    const auto runs = m_runs;
    for (const QPointer<GitRun> &run : runs) {
        if (run)
            run->cancel();
    }
    QTimer::singleShot(0, this, &GitJob::settle);
}

void GitJob::settle()
{
    if (m_over || m_tidying || !m_failing || !m_runs.isEmpty())
        return;
    m_tidying = true;
    tidyUp(*m_error);
}

void GitJob::finish(const Error &error)
{
    if (m_over)
        return;
    m_over = true;
    deleteLater();
    answer(error);
}

void GitJob::succeed(const std::function<void()> &hand)
{
    if (m_over || m_failing)
        return;
    m_over = true;
    m_deadline.stop();
    deleteLater();
    hand();
}

void GitJob::report(double fraction, const QString &text)
{
    if (m_over || m_failing)
        return;
    m_reported = qMax(m_reported, qBound(0.0, fraction, 1.0));
    Q_EMIT progress(m_reported, text);
}

} // namespace foundry::backend
