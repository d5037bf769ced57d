// A task as a whole: archived, brought back, deleted, restored. Each is a job of recorded steps: hidden at once, then
// stopped, then its work kept, then its place given back; interrupted ones go on with the next start. One writer: the
// task actor. The organization orders it and keeps what lists show.
#pragma once

#include "backend/actors/lifecyclemessages.h"
#include "backend/actors/taskattention.h"
#include "backend/actors/taskjobs.h"
#include "backend/actors/taskprovisioning.h"
#include "backend/actors/taskstatus.h"
#include "backend/actors/turnworkflow.h"
#include "backend/git/gitlane.h"

namespace foundry::backend {

class TaskLifecycle {
public:
    TaskLifecycle(ActorContext &context, TaskStore &store, TaskJobs &jobs, TaskProvisioning &provisioning, TurnWorkflow &turns,
        TaskAttention &attention, GitLane &lane, const StageDeadlines &deadlines);

    // The work tree is given back. And: the task is worked on again, whatever became of the order, and what was derived
    // of its files may be old.
    std::function<void(Transaction &)> placeGone;
    std::function<void(Transaction &)> active;

    // Nothing is worked on: archived or deleted, on the way there, or on the way back.
    bool isAway() const;
    // Why a command is refused meanwhile: state/archived.
    Error refusal() const;
    void fill(TaskFacts &facts, TaskSummary &summary) const;
    // The last order of the organization that was heard.
    qint64 order() const { return load().order; }
    // The user has seen that something did not work, and goes on.
    void acknowledge(Transaction &tx);

    // For an organization that lost what it had stored: the last order and what is under way of it; false when there is
    // nothing to tell, because the task is about to go for good. And, after that, that it is deleted.
    bool tell(TaskTold &told) const;
    void tellDeleted(Transaction &tx);

    // Messages of organization and sandbox; false when it is none of theirs.
    bool received(Transaction &tx, const Send &send, Result<> *outcome);

private:
    enum class Phase { Active, Archiving, Archived, Deleting, Deleted, Returning };
    struct State {
        Phase phase = Phase::Active;
        qint64 order = 0;
        QString job;              // under way, or the last one
        Millis archivedAt = 0;
        bool hadPlace = false;    // a work tree was there, and shall be again
        bool ownBranch = false;   // the task made its branch: it may be deleted with it
        bool keepBranch = false;
        QString failed;           // Attention id of what did not work
        QString notes;            // what the steps said about what stays
        SavedWork saved;
    };
    State load() const;
    void store(Transaction &tx, const State &state);
    static QString phaseText(Phase phase);

    void addKinds(const StageDeadlines &deadlines);
    Result<> ordered(Transaction &tx, const LifecycleOrder &order);
    Result<> reported(Transaction &tx, const PlaceReport &report);
    void putAway(Transaction &tx, State &state, Phase phase, const LifecycleOrder &order);
    void begin(Transaction &tx, const JobStep &step);
    void abandon(Transaction &tx, const JobStep &step);
    // Work is kept and removed while no other git of the task's is in the work tree: the lane is held until the job is over.
    void orderInLane(const JobStep &step);
    void giveLane(const QString &job);
    void over(Transaction &tx, Job &job);
    void purged(Transaction &tx);
    void tellOrganization(Transaction &tx, const Job &job, const QString &kept = {});
    void sayFailed(Transaction &tx, State &state, const Job &job);
    PlaceOrder orderOf(const JobStep &step, const State &state) const;
    void sendOrder(Transaction &tx, const QString &name, const PlaceOrder &order);
    QString keptInWords(const State &state) const;

    ActorContext &m_context;
    TaskStore &m_store;
    TaskJobs &m_jobs;
    TaskProvisioning &m_provisioning;
    TurnWorkflow &m_turns;
    TaskAttention &m_attention;
    GitLane &m_lane;
    QString m_laneJob; // that holds the lane
    GitLane::Release m_release;
};

} // namespace foundry::backend
