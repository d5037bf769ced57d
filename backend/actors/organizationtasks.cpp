// Tasks of an organization: creation, which only checks, writes and enqueues; and the summaries that come up.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/audit.h"
#include "backend/actors/organizationactor.h"
#include "backend/actors/stageplan.h"
#include "backend/actors/tasknaming.h"
#include "backend/actors/taskstatus.h"
#include "backend/actors/turnworkflow.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>

namespace foundry::backend {

Result<AgentId> OrganizationActor::chooseAgent(const std::optional<AgentId> &wanted) const
{
    if (wanted && !wanted->isEmpty()) {
        if (agentRow(*wanted) || findAgentRow(*wanted))
            return *wanted;
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("There is no agent “%1” here.").arg(wanted->value), QStringLiteral("Choose one of the list."),
            QStringLiteral("agent"));
    }
    // Installed ones that the user has confirmed, in the catalogue's order; else the built-in runner.
    for (const AgentRow &known : agentCatalogue()) {
        const auto row = agentRow(known.id);
        if (row && row->state == AgentState::Ready && row->source != AgentSource::Builtin)
            return known.id;
    }
    return builtinRunnerId();
}

Result<QByteArray> OrganizationActor::createTask(Transaction &tx, const Caller &caller, const CreateTask &command)
{
    const auto invalid = [](const QString &message, const QString &action, const QString &field) {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, action, field);
    };
    if (command.taskId.isEmpty() || command.sessionId.isEmpty())
        return invalid(QStringLiteral("A new task needs ids for itself and its first session."), {}, QStringLiteral("taskId"));
    if (context().row(topic(), QStringLiteral("TaskSummary"), command.taskId.value))
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("This task exists already."));
    const auto entity = context().row(topic(), QStringLiteral("Repository"), command.repoId.value);
    const auto *repository = entity ? std::get_if<Repository>(&*entity) : nullptr;
    if (!repository)
        return invalid(QStringLiteral("There is no such repository."), QStringLiteral("Add it first."), QStringLiteral("repoId"));
    if (repository->state == RepositoryState::Error) {
        const QString why = repository->error ? repository->error->message : QString();
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("%1 cannot be used: %2").arg(repository->name, why),
            repository->error ? repository->error->action : QStringLiteral("Add it again."));
    }
    if (repository->state != RepositoryState::Ready)
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("%1 is still being looked at.").arg(repository->name), QStringLiteral("Try again when it is ready."));
    if (command.prompt) {
        if (auto fits = checkPromptSize(m_blobs, *command.prompt); !fits)
            return fits.error();
    }
    if (auto uploaded = checkAttachments(m_blobs, command.attachments); !uploaded)
        return uploaded.error();
    if (command.provider && !m_config.providers.contains(*command.provider))
        return invalid(QStringLiteral("This host has no sandboxes of the kind “%1”.").arg(*command.provider),
            QStringLiteral("Choose one of: %1.").arg(m_config.providers.join(QStringLiteral(", "))), QStringLiteral("provider"));
    auto agent = chooseAgent(command.agent);
    if (!agent)
        return agent.error();

    TaskCreation creation;
    creation.title = titleForTask(command, command.prompt ? promptText(m_blobs, *command.prompt) : QString());
    const auto taken = [&](const QString &branch) {
        auto q = tx.database().query("SELECT 1 FROM tasks WHERE repo = ? AND branch = ?", command.repoId.value, branch);
        return q.next();
    };
    auto branch = branchForTask(command, creation.title, taken);
    if (!branch)
        return branch.error();
    creation.organization = organizationId();
    creation.repo = command.repoId;
    creation.repositoryPath = m_repositories.pathOf(command.repoId);
    creation.task = command.taskId;
    creation.session = command.sessionId;
    creation.branch = branch->branch;
    creation.adopt = branch->adopt;
    creation.baseBranch = command.baseBranch ? *command.baseBranch : repository->defaultBranch.value_or(QString());
    creation.agent = *agent;
    creation.sessionName = QStringLiteral("Session 1");
    creation.model = command.model;
    creation.mode = command.mode;
    creation.provider = command.provider.value_or(QStringLiteral("worktree"));
    creation.prompt = command.prompt;
    creation.attachments = command.attachments;
    creation.owner = caller.userId;
    creation.requestId = command.requestId;
    creation.createdAt = QDateTime::currentMSecsSinceEpoch();

    CreateTaskAnswer answer;
    answer.stages = plannedStages(creation);
    answer.session.id = creation.session;
    answer.session.name = creation.sessionName;
    answer.session.agent = creation.agent;
    answer.session.model = creation.model;
    answer.session.mode = creation.mode;
    answer.session.status = SessionStatus::PendingProvision;
    TaskSummary &summary = answer.task;
    summary.id = creation.task;
    summary.repoId = creation.repo;
    summary.title = creation.title;
    summary.branch = creation.branch;
    if (!creation.baseBranch.isEmpty())
        summary.baseBranch = creation.baseBranch;
    summary.status = TaskStatus::Provisioning;
    summary.stage = stageInWords(answer.stages);
    summary.sessions = {{creation.session, creation.sessionName, creation.agent, SessionStatus::PendingProvision, {}}};
    summary.owner = creation.owner;
    summary.createdAt = creation.createdAt;
    tx.put(topic(), summary);
    tx.database().run("INSERT INTO tasks (task, repo, branch, status, source_revision, created_at) VALUES (?, ?, ?, ?, 0, ?)",
        creation.task.value, creation.repo.value, creation.branch, summary.status.text(), creation.createdAt);
    index(tx, summary);
    recount(tx, creation.repo);
    audit(tx, creation.organization, {auditkind::taskCreated, creation.task, creation.repo,
        {{QStringLiteral("branch"), creation.branch}, {QStringLiteral("agent"), creation.agent.value}}});
    tx.send(taskAddress(creation.organization, creation.repo, creation.task), QStringLiteral("create"), encodeCreation(creation));
    const auto stored = context().row(topic(), QStringLiteral("TaskSummary"), creation.task.value);
    if (const auto *row = stored ? std::get_if<TaskSummary>(&*stored) : nullptr)
        answer.task = *row; // with its revision
    return protocol::encodeValue(answer);
}

void OrganizationActor::recount(Transaction &tx, const RepoId &repo)
{
    const auto organizationEntity = context().row(topic(), QStringLiteral("Organization"), organizationId().value);
    if (const auto *stored = organizationEntity ? std::get_if<Organization>(&*organizationEntity) : nullptr) {
        Organization organization = *stored;
        organization.taskCounts.clear();
        auto q = tx.database().query("SELECT status, count(*) FROM tasks GROUP BY status");
        while (q.next())
            organization.taskCounts.insert(q.text(0), q.integer(1));
        tx.put(topic(), organization);
    }
    const auto repositoryEntity = context().row(topic(), QStringLiteral("Repository"), repo.value);
    if (const auto *stored = repositoryEntity ? std::get_if<Repository>(&*repositoryEntity) : nullptr) {
        Repository repository = *stored;
        auto q = tx.database().query("SELECT count(*) FROM tasks WHERE repo = ?", repo.value);
        repository.taskCount = q.next() ? q.integer(0) : 0;
        tx.put(topic(), repository);
    }
}

Result<> OrganizationActor::summaryPushed(Transaction &tx, const SummaryPush &push)
{
    QString status;
    TaskSummary summary = push.summary;
    {
        auto q = tx.database().query("SELECT source_revision, status, hidden, hidden_order FROM tasks WHERE task = ?", push.summary.id.value);
        if (!q.next() || q.integer(0) >= push.sourceRevision)
            return Unit{}; // older than what is here, or of a task that is gone
        status = q.text(1);
        if (push.lifecycle < q.integer(3)) // said before the task heard that it is put away
            summary.status = OpenEnum<TaskStatus>::fromText(q.text(2));
    }
    tx.put(topic(), summary);
    index(tx, summary);
    tx.database().run("UPDATE tasks SET branch = ?, status = ?, source_revision = ? WHERE task = ?", push.summary.branch,
        summary.status.text(), push.sourceRevision, push.summary.id.value);
    if (status != summary.status.text())
        recount(tx, push.summary.repoId);
    return Unit{};
}

Result<> OrganizationActor::attentionPushed(Transaction &tx, const AttentionPush &push)
{
    {
        auto q = tx.database().query("SELECT source_revision FROM attention_sources WHERE id = ?", push.id);
        if (q.next() && q.integer(0) >= push.sourceRevision)
            return Unit{};
    }
    tx.database().run("INSERT OR REPLACE INTO attention_sources (id, source_revision) VALUES (?, ?)", push.id, push.sourceRevision);
    if (push.attention)
        tx.put(topic(), *push.attention);
    else
        tx.remove(topic(), QStringLiteral("Attention"), push.id);
    return Unit{};
}

} // namespace foundry::backend
