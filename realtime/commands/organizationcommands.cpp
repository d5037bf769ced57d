#include "realtime/commands/organizationcommands.h"

#include <QDateTime>

namespace foundry::realtime {

namespace {

TaskSummary placeholderSummary(const CreateTask &command, const QString &title)
{
    TaskSummary summary;
    summary.id = command.taskId;
    summary.repoId = command.repoId;
    summary.title = title;
    summary.branch = command.onBranch ? *command.onBranch : command.branch.value_or(QString());
    summary.baseBranch = command.baseBranch;
    summary.status = TaskStatus::Provisioning;
    summary.createdAt = QDateTime::currentMSecsSinceEpoch();
    SessionBrief session;
    session.id = command.sessionId;
    session.agent = command.agent.value_or(AgentId());
    session.status = SessionStatus::PendingProvision;
    summary.sessions << session;
    return summary;
}

} // namespace

QString titleOfPrompt(const QString &prompt)
{
    constexpr qsizetype longest = 62;
    const QStringList lines = prompt.split(QLatin1Char('\n'));
    for (const QString &line : lines) {
        QString text = line.simplified();
        if (text.isEmpty())
            continue;
        if (text.size() <= longest)
            return text;
        const qsizetype space = text.lastIndexOf(QLatin1Char(' '), longest);
        return text.left(space > 0 ? space : longest);
    }
    return {};
}

OrganizationCommands::OrganizationCommands(CommandQueue &queue, OrganizationFeed &feed, QObject *parent)
    : QObject(parent)
    , m_queue(queue)
    , m_feed(feed)
    , m_uploads(queue)
{
}

RepoId OrganizationCommands::addRepositoryPath(const QString &path, QObject *context, Answered<Unit> then)
{
    AddRepository command;
    command.repoId = makeId<RepoId>();
    command.path = path;
    sendCommand(m_queue, QStringLiteral("addRepository"), command, context, std::move(then));
    return command.repoId;
}

RepoId OrganizationCommands::addRepositoryUrl(const QString &url, QObject *context, Answered<Unit> then)
{
    AddRepository command;
    command.repoId = makeId<RepoId>();
    command.url = url;
    sendCommand(m_queue, QStringLiteral("addRepository"), command, context, std::move(then));
    return command.repoId;
}

void OrganizationCommands::removeRepository(const RepoId &repo, QObject *context, Answered<Unit> then)
{
    RemoveRepository command;
    command.repoId = repo;
    sendCommand(m_queue, QStringLiteral("removeRepository"), command, context, std::move(then));
}

void OrganizationCommands::confirmAgent(const AgentId &agent, QObject *context, Answered<Unit> then)
{
    ConfirmAgent command;
    command.agentId = agent;
    sendCommand(m_queue, QStringLiteral("confirmAgent"), command, context, std::move(then));
}

void OrganizationCommands::installAgent(const AgentId &agent, QObject *context, Answered<Unit> then)
{
    InstallAgent command;
    command.agentId = agent;
    sendCommand(m_queue, QStringLiteral("installAgent"), command, context, std::move(then));
}

void OrganizationCommands::refreshAgents(QObject *context, Answered<Unit> then)
{
    sendCommand(m_queue, QStringLiteral("refreshAgents"), RefreshAgents{}, context, std::move(then));
}

void OrganizationCommands::addCustomAgent(AddCustomAgent command, QObject *context, Answered<Unit> then)
{
    if (command.agentId.isEmpty())
        command.agentId = makeId<AgentId>();
    sendCommand(m_queue, QStringLiteral("addCustomAgent"), command, context, std::move(then));
}

CreateTask OrganizationCommands::createTask(CreateTask command, QObject *context, Answered<CreateTaskAnswer> then)
{
    if (command.taskId.isEmpty())
        command.taskId = makeId<TaskId>();
    if (command.sessionId.isEmpty())
        command.sessionId = makeId<SessionId>();
    if (command.requestId.isEmpty())
        command.requestId = makeId<RequestId>();
    const QString text = command.prompt ? command.prompt->text : QString();
    if (const auto tooLarge = PromptUpload::check(text)) {
        QMetaObject::invokeMethod(
            context, [then = std::move(then), error = *tooLarge] { then(error); }, Qt::QueuedConnection);
        return command;
    }
    const QString title = command.title.value_or(titleOfPrompt(text));
    m_feed.publishLocal({placeholderSummary(command, title.isEmpty() ? tr("New task") : title)});

    const auto withdraw = [this, task = command.taskId] { m_feed.withdraw(QStringLiteral("TaskSummary"), task.value); };
    auto send = [this, command, withdraw, context, title, then = std::move(then)](const Result<Prompt> &prompt) {
        if (!prompt) {
            withdraw();
            return then(prompt.error());
        }
        CreateTask sent = command;
        if (sent.prompt)
            sent.prompt = *prompt;
        sendCommand<CreateTaskAnswer>(m_queue, QStringLiteral("createTask"), sent, context,
            Answered<CreateTaskAnswer>([this, withdraw, then](const Result<CreateTaskAnswer> &answer) {
                if (answer)
                    m_feed.adopt({answer->task});
                else
                    withdraw();
                then(answer);
            }),
            Kept{title});
    };
    if (command.prompt && command.prompt->blobId)
        send(*command.prompt); // it has gone up in an earlier run
    else if (text.isEmpty())
        send(Prompt{});
    else
        m_uploads.prepare(text, context, std::move(send));
    return command;
}

} // namespace foundry::realtime
