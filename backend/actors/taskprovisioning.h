// Brings a task's sandbox, agents and sessions into being, stage by stage: the durable workflows of a task, mirrored in
// its Stage rows. It asks the sandbox and the organization by sends and goes on when they answer.
#pragma once

#include "backend/actors/sandboxmessages.h"
#include "backend/actors/stageplan.h"
#include "backend/actors/taskstore.h"

namespace foundry::backend {

class TaskProvisioning {
public:
    struct Events {
        std::function<void(Transaction &, const SessionId &, const QString &origin)> sessionReady;
        std::function<void(Transaction &)> sandboxReady;
        std::function<void(Transaction &, const Stage &)> stageFailed;
        std::function<void(Transaction &, const QString &stageId)> stageBegun;
        std::function<void(Transaction &)> deadlineMoved;
    };

    TaskProvisioning(ActorContext &context, TaskStore &store, StageDeadlines deadlines, Events events);

    // From the creation: the sandbox and the first session's agent.
    void plan(Transaction &tx);
    void addSession(Transaction &tx, const SessionId &session, const AgentId &agent);
    void dropSession(Transaction &tx, const SessionId &session, const AgentId &agent, bool agentUnused);

    // Makes the session usable again after its agent has gone: raises attempts where work was complete. Leaves failed
    // stages alone unless `retryFailed` (the user asked).
    void ensureLive(Transaction &tx, const SessionState &state, bool retryFailed);
    Result<> retryStage(Transaction &tx, const QString &stageId);
    // After an error that the same process would only give again (a login it read when it began): the agent is ended and
    // started anew, as attempts of its stages. Not while another of its sessions has a turn: then nothing happens.
    void renewAgent(Transaction &tx, const SessionState &state, const std::optional<Error> &error);
    bool cancel(Transaction &tx); // true: something was under way or waiting
    // What was cancelled is done again, as attempts of their own.
    void goOn(Transaction &tx);
    Result<> resolveBranchClash(Transaction &tx, const ResolveBranchClash &command);

    // Messages of others; false when it is none of theirs.
    bool received(Transaction &tx, const Send &send, Result<> *outcome);
    void progressed(const StageProgress &progress);

    void advance(Transaction &tx) { m_runner.advance(tx); }
    // After a start of the actor. What was under way was cut with the host, and the agents' processes with it: their
    // stages are done again, as attempts of their own.
    void resume(Transaction &tx);
    void checkDeadlines(Transaction &tx, Millis now) { m_runner.checkDeadlines(tx, now); }
    std::optional<Millis> nextDeadline() const { return m_runner.nextDeadline(); }
    bool hasWork() const { return m_runner.hasWork(); }
    bool isComplete(const QString &workflow) const { return m_runner.isComplete(workflow); }
    std::optional<QString> log(const QString &stageId, std::optional<qint64> attempt) const;
    SandboxId sandboxId() const;

private:
    void begin(Transaction &tx, const StepRecord &record);
    // After the error that the place is gone: it is prepared again first.
    void restorePlace(Transaction &tx, const std::optional<Error> &error);
    void changed(Transaction &tx, const StepRecord &record);
    void abandon(Transaction &tx, const StepRecord &record);
    void completed(Transaction &tx, const QString &workflow);
    Result<> stageEnded(Transaction &tx, const StageEnded &ended);
    Result<> agentResolved(Transaction &tx, const AgentResolved &resolved);
    ActorAddress sandbox() const;
    std::optional<WorkflowRecipe> recipe(const QString &workflow) const;

    ActorContext &m_context;
    TaskStore &m_store;
    StageDeadlines m_deadlines;
    Events m_events;
    WorkflowRunner m_runner;
};

} // namespace foundry::backend
