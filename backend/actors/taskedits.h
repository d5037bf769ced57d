// What a person changes in a task's work tree through the host: taking changes back, bringing them back, committing. Each
// is a job of the task whose steps run in the task's lane; what is removed is held by a ref first, for 14 days.
#pragma once

#include "backend/actors/taskjobs.h"
#include "backend/git/gitlane.h"
#include "backend/git/workedits.h"

#include <QPointer>
#include <QSet>

namespace foundry::backend {

class TaskEdits {
public:
    // `touched`: files or the index changed.
    TaskEdits(ActorContext &context, TaskStore &store, GitEnvironment git, GitLane &lane, TaskJobs &jobs, std::function<void()> touched);

    // Check stored facts and record the job. Errors: state/not_ready, state/conflict, input/invalid, input/too_large.
    Result<Job> revert(Transaction &tx, const Revert &command, const QString &by);
    Result<Job> undoRevert(Transaction &tx, const UndoRevert &command, const QString &by);
    Result<Job> commit(Transaction &tx, const Commit &command, const QString &by);
    // The organization's answer to a question of a job.
    bool received(Transaction &tx, const Send &send, Result<> *outcome);
    // Refs whose time is over go, in the background.
    void forgetOld();

private:
    using Start = std::function<GitJob *(const JobStep &, std::function<void()> release)>;
    void addRevert();
    void addUndo();
    void addCommit();
    // The step's git, when the lane is free and the step still counts.
    void run(Transaction &tx, const JobStep &step, Start start);
    void abandon(Transaction &tx, const JobStep &step);
    GitJob *apply(const JobStep &step, const ApplyKeptRequest &request, std::function<void()> release);
    void ended(const JobStep &step, const Result<QByteArray> &output);
    QString workTree() const;
    QString refOf(const QString &job) const;
    // The files named, with where they were renamed from.
    Result<QStringList> withOldPaths(const QStringList &paths) const;
    Result<Job> start(Transaction &tx, const QString &kind, const QString &target, const QByteArray &input);

    ActorContext &m_context;
    TaskStore &m_store;
    GitEnvironment m_git;
    GitLane &m_lane;
    TaskJobs &m_jobs;
    std::function<void()> m_touched;
    QHash<QString, QPointer<GitJob>> m_running; // by job; one step at a time
    QSet<QString> m_waiting;                    // steps that have not begun in the lane
};

} // namespace foundry::backend
