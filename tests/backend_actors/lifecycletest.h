// What the tests of whole tasks share: a host in this process with one ready repository, orders over tasks, and waiting for
// their ends. Waits: tests only.
#pragma once

#include "models/types/lifecycle.h"
#include "models/types/processcommands.h"
#include "tests/backend_actors/domainharness.h"

#include <QFile>

namespace foundry::test {

class LifecycleTest : public QObject {
    Q_OBJECT

protected:
    static constexpr int longMs = 60000;
    using Made = DomainHarness::Made;

    void begin(const backend::SandboxProviders &providers = {}); // kinds of places beside the work trees
    void end();
    Made ready(const std::function<void(CreateTask &)> &change = {});
    QString workTree(const Made &made);
    QString branch(const Made &made) { return made.answer.task.branch; }
    QString ref(const Made &made) { return QStringLiteral("refs/foundry/trash/") + made.task.value; }
    QString rev(const QString &name) { return m_host->git.git(m_repository, {QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), name}).line(); }
    QByteArray status(const QString &tree) { return m_host->git.mustGit(tree, {QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("-z"), QStringLiteral("-uall"), QStringLiteral("--branch")}); }
    void edit(const QString &tree);
    template <class Command>
    Result<Job> order(const QString &action, const Made &made, Command command = {})
    {
        command.taskId = made.task;
        auto answer = m_host->command(m_host->organization(), action, command);
        if (!answer)
            return answer.error();
        auto job = protocol::decodeValue<JobAnswer>(*answer);
        return job ? Result<Job>(job->job) : Result<Job>(job.error());
    }
    Result<Job> archive(const Made &made) { return order(QStringLiteral("archiveTask"), made, ArchiveTask{}); }
    Result<Job> unarchive(const Made &made) { return order(QStringLiteral("unarchiveTask"), made, UnarchiveTask{}); }
    Result<Job> remove(const Made &made, bool keepBranch = false)
    {
        DeleteTask command;
        command.keepBranch = keepBranch;
        return order(QStringLiteral("deleteTask"), made, command);
    }
    Result<Job> restore(const Made &made) { return order(QStringLiteral("restoreTask"), made, RestoreTask{}); }
    std::optional<Job> job(const Made &made, const QString &id);
    bool waitForTask(const Made &made, TaskStatus wanted);
    bool waitForJob(const Made &made, const QString &id, JobStatus wanted);
    std::optional<DeletedTask> deleted(const Made &made);
    bool waitDeleted(const Made &made);
    // A git on PATH that waits while the file `hold` is there, once it is asked for `verb`.
    void hangGit(const QString &verb);
    // How many of them run with it.
    int hungGits(const QString &verb);
    void releaseGit() { QFile::remove(m_host->git.path(QStringLiteral("hold"))); }

    std::unique_ptr<DomainHarness> m_host;
    QString m_repository;
    RepoId m_repo;
    QByteArray m_path;
};

} // namespace foundry::test
