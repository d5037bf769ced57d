// One task: its stages, sessions, queued prompts, transcript and changes. Single writer of all of them. Work goes on
// beside the mailbox: provisioning and turns are recorded steps that the sandbox carries out and answers by sends.
#pragma once

#include "backend/actors/actor.h"
#include "backend/actors/changesjob.h"
#include "backend/actors/taskattention.h"
#include "backend/actors/taskedits.h"
#include "backend/actors/taskfiles.h"
#include "backend/actors/taskjobs.h"
#include "backend/actors/tasklifecycle.h"
#include "backend/actors/taskprovisioning.h"
#include "backend/actors/turnworkflow.h"

namespace foundry::backend {

class TaskActor : public Actor {
public:
    TaskActor(ActorContext &context, GitEnvironment git, QString blobRoot, StageDeadlines deadlines);
    ~TaskActor() override;

    QStringList migrations() const override;
    void started() override;
    void registerActions(ActionTable &table) override;
    Result<> received(Transaction &tx, const Send &send) override;
    void streamed(const ActorAddress &from, const QString &name, const QByteArray &json) override;
    void listenersChanged(const QString &topic) override;
    void alarm() override;
    bool works() const override;
    bool holds() const override;

private:
    void registerReads(ActionTable &table);
    void registerSessionCommands(ActionTable &table);
    void registerTurnCommands(ActionTable &table);
    void registerProvisioningCommands(ActionTable &table);
    void registerJobCommands(ActionTable &table);
    // Commands that need a living task are refused while it is put away.
    void guardCommands(ActionTable &table);

    Result<> create(Transaction &tx, const TaskCreation &creation);
    Result<> sessionChanged(Transaction &tx, const SessionChanged &changed);
    Session addSession(Transaction &tx, const SessionId &id, const AgentId &agent, const QString &name,
        const std::optional<QString> &model, const std::optional<QString> &mode);
    // The session, open, or an error that says why not.
    Result<Session> openSession(const SessionId &id) const;
    Result<QByteArray> sessionAnswer(const SessionId &id) const;
    // After any change: starts what can start, derives every status, pushes the summary up, sets alarm and wake.
    void settle(Transaction &tx);
    void deriveSessions(Transaction &tx);
    void pushSummary(Transaction &tx);
    // To an organization that lost what it had stored.
    void tellAgain(Transaction &tx);

    TaskStore m_store;
    BlobStore m_blobs;
    TaskTranscripts m_transcripts;
    TaskAttention m_attention;
    TaskProvisioning m_provisioning;
    TurnWorkflow m_turns;
    GitLane m_lane; // whatever wants git in this task's work tree
    ChangesJob m_changes;
    TaskFiles m_files;
    TaskJobs m_jobs;
    TaskLifecycle m_lifecycle;
    TaskEdits m_edits;
};

} // namespace foundry::backend
