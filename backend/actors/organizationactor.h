// One organization: its repositories, the agents known, the index of its tasks with their summaries, what needs its
// user, and blobs on their way. Tasks push their summaries up; no read asks a task.
#pragma once

#include "backend/actors/actor.h"
#include "backend/actors/lifecyclemessages.h"
#include "backend/actors/organizationmessages.h"
#include "backend/actors/processdesk.h"
#include "backend/actors/repositorychecks.h"
#include "backend/actors/taskmessages.h"
#include "backend/agents/agentdiscovery.h"
#include "backend/agents/agentinstall.h"
#include "backend/store/blobstore.h"
#include "models/types/commands.h"
#include "models/types/lifecycle.h"

#include <QDateTime>

#include <map>

namespace foundry::backend {

struct OrganizationActorConfig {
    GitEnvironment git;
    DiscoveryConfig discovery;
    QString cloneRoot;
    QString blobRoot;
    // How long what a deletion kept stays, and by which clock.
    Millis keepDeletedMs = Millis(14) * 24 * 3600 * 1000;
    std::function<Millis()> clock = &QDateTime::currentMSecsSinceEpoch;
    QStringList providers = {QStringLiteral("worktree")}; // that a task may name
};

class OrganizationActor : public Actor {
public:
    OrganizationActor(ActorContext &context, OrganizationActorConfig config);
    ~OrganizationActor() override;

    QStringList migrations() const override;
    void started() override;
    void registerActions(ActionTable &table) override;
    Result<> received(Transaction &tx, const Send &send) override;
    void alarm() override;
    void stopping(StopReason reason) override { m_desk.stopping(reason); }
    bool works() const override;
    void watched() override { lookForAgents(); }

    static QString topic() { return QStringLiteral("organization"); }
    // auth.forbidden for a member and somebody else's task.
    static Result<> mayDelete(const Caller &caller, const TaskSummary &task);

private:
    void registerRepositoryCommands(ActionTable &table);
    void registerAgentCommands(ActionTable &table);
    void settle(Transaction &tx);
    void recount(Transaction &tx, const RepoId &repo);
    OrganizationId organizationId() const;
    bool isLocal() const { return organizationId().value == QLatin1StringView("local"); }

    // organizationmembers.cpp
    Result<> create(Transaction &tx, const OrganizationCreation &creation);
    // Tells the member and the index what they are here.
    Result<> setMember(Transaction &tx, const QString &user, Role role);

    // organizationtasks.cpp
    Result<QByteArray> createTask(Transaction &tx, const Caller &caller, const CreateTask &command);
    Result<AgentId> chooseAgent(const std::optional<AgentId> &wanted) const;
    Result<> summaryPushed(Transaction &tx, const SummaryPush &push);
    Result<> attentionPushed(Transaction &tx, const AttentionPush &push);

    // organizationlifecycle.cpp
    static QString lifecycleSchema();
    static QString ordererSchema();
    void registerLifecycleCommands(ActionTable &table);
    Result<Job> orderLifecycle(Transaction &tx, const Caller &caller, const QString &kind, const TaskId &task, bool keepBranch);
    Job sendLifecycle(Transaction &tx, const TaskSummary &summary, const LifecycleOrder &order);
    Result<QByteArray> previewDelete(Transaction &tx, const Caller &caller, const TaskId &task);
    Result<Job> restoreTask(Transaction &tx, const Caller &caller, const TaskId &task);
    Result<> lifecycleEnded(Transaction &tx, const LifecycleEnded &ended);
    void auditLifecycle(Transaction &tx, const LifecycleEnded &ended, const QString &by);
    void taskDeleted(Transaction &tx, const LifecycleEnded &ended);
    std::optional<TaskSummary> summaryRow(const TaskId &task) const;
    QString titlesOf(const RepoId &repo, qint64 count) const; // of its tasks, the first few
    void index(Transaction &tx, const TaskSummary &summary);
    void indexOld(Transaction &tx);
    TasksFound searchTasks(const SearchTasks &asked) const;

    // organizationpurge.cpp
    static QString purgeSchema();
    void purgeDeleted(Transaction &tx);
    void purgeEnded(Transaction &tx, const LifecycleEnded &ended);
    std::optional<Millis> nextPurge() const;

    // organizationrebuild.cpp
    static QString rebuildSchema();
    // After the loss of its database: asks every task, and says what happened.
    void rebuild(Transaction &tx);
    Result<> taskTold(Transaction &tx, const TaskTold &told);

    // organizationagents.cpp
    void startDiscovery();
    void lookForAgents();
    void applyChoices();
    void agentsFound(const QList<Agent> &agents);
    void putAgent(const Agent &agent);
    Result<> resolveAgent(Transaction &tx, const ActorAddress &from, const ResolveAgent &ask);
    void answerResolve(const ActorAddress &to, const ResolveAgent &ask);
    Result<> agentReported(Transaction &tx, const AgentReport &report);
    Result<Agent> confirm(Transaction &tx, const AgentId &id);
    Result<Agent> addCustom(Transaction &tx, const AddCustomAgent &command);
    Result<Agent> install(Transaction &tx, const AgentId &id);
    void beginInstall(Transaction &tx, const StepRecord &record);
    void installFailed(Transaction &tx, const StepRecord &record);
    void installNow(const AgentId &id, qint64 attempt);
    void abandonInstall(Transaction &tx, const StepRecord &record);
    static QString missingSchema();
    void noteMissing(Transaction &tx, const ActorAddress &task, const ResolveAgent &ask);
    QList<QPair<ActorAddress, ResolveAgent>> takeMissing(Transaction &tx, const AgentId &id);
    void registerInstallCommands(ActionTable &table);
    void cancelInstall(Transaction &tx, const AgentId &id);
    std::optional<StepRecord> installing(const AgentId &id) const;
    QString installProblem(const AgentId &id) const;
    Agent withInstallation(Agent agent) const;
    void resolveAbandoned(Transaction &tx, const ActorAddress &from, const ResolveAgent &ask);
    void answerAwaiting(const AgentId &id, const std::optional<Error> &error);
    std::optional<Agent> agentRow(const AgentId &id) const;

    // organizationlogins.cpp
    ProcessDeskConfig loginDeskConfig();
    Result<foundry::Process> login(Transaction &tx, const AgentId &id);
    void write(const std::function<Result<>(Transaction &)> &body);

    OrganizationActorConfig m_config;
    BlobStore m_blobs;
    WorkflowRunner m_runner;
    RepositoryChecks m_repositories;
    AgentDiscovery *m_discovery = nullptr;
    bool m_looking = false; // the first scan has begun
    bool m_scanned = false;
    QList<QPair<ActorAddress, ResolveAgent>> m_unresolved; // asked before the first scan was over
    QList<QPair<ActorAddress, ResolveAgent>> m_awaiting;  // until an installation is over
    QHash<QString, AgentInstaller *> m_installers; // whose end is waited for
    QSet<AgentId> m_installed; // and looked for
    ProcessDesk m_desk;                // where people log in to agents
    QHash<QString, AgentId> m_logins; // by process
};

} // namespace foundry::backend
