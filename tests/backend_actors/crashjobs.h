// The other script of the crash walk: what is done with a whole task and its work tree. A clone, an agent that is
// installed, a commit, a revert and its undo, archived and brought back, deleted and restored, deleted for good.
#pragma once

#include "tests/backend_actors/crashrun.h"

namespace foundry::test {

class CrashJobs : public CrashRun {
public:
    explicit CrashJobs(CrashSpot spot);

protected:
    bool script() override;
    void verify() override;
    QProcessEnvironment environment() const override;
    QString dump() override;

private:
    bool prepare();
    bool edit();
    bool putAway();
    bool purge();
    template <class Command>
    bool jobOfTask(const char *what, Command command); // until its only job of that kind has ended
    template <class Command>
    bool order(const char *what, Command command, const std::function<bool()> &done);
    std::optional<TaskSummary> summary();
    bool isIdle();
    QString tree() const;
    QByteArray git(const QStringList &arguments) const { return m_git.git(m_repository, arguments).out; }
    void checkInstall();

    RepoId m_clone = makeId<RepoId>();
    QString m_jobProblem;
    QString m_tip; // of the task's branch, after its commit
    QByteArray m_status;
};

} // namespace foundry::test
