#include "app/wiring/windowwiring.h"

#include "app/hostlink.h"
#include "app/wiring/taskpagebinding.h"
#include "app/workspace.h"
#include "views/mainwindow.h"
#include "views/task/newtasksheet.h"
#include "views/task/taskpage.h"

namespace foundry::app {

using realtime::Answered;
using views::MainWindow;

namespace {

Answered<Unit> sayInWindow(MainWindow &window)
{
    return [&window](const Result<> &answer) {
        if (!answer)
            window.showError(answer.error());
    };
}

void createTask(MainWindow &window, realtime::HostClient &client, const views::NewTaskRequest &request)
{
    CreateTask command;
    command.repoId = request.repoId;
    if (!request.prompt.isEmpty())
        command.prompt = Prompt{request.prompt};
    command.baseBranch = request.baseBranch;
    command.agent = request.agent;
    command.mode = request.mode;
    const auto id = std::make_shared<TaskId>();
    *id = client.createTask(command, &window, [&window, id, request](const Result<CreateTaskAnswer> &answer) {
        if (answer)
            return;
        // Its row is gone again; the page of a task that does not exist is no place to stay. The prompt is kept.
        if (window.currentTask() == *id)
            window.showDashboard();
        window.openNewTask(request.repoId);
        if (auto *sheet = window.findChild<views::NewTaskSheet *>())
            sheet->setPrompt(request.prompt);
        window.showError(answer.error());
    });
    window.openTask(*id);
}

} // namespace

void wireValues(MainWindow &window, HostLink &link, Workspace &workspace)
{
    QObject::connect(&link, &HostLink::stateChanged, &window, &MainWindow::setLinkState);
    QObject::connect(&workspace, &Workspace::hostChanged, &window, &MainWindow::setHostStatus);
    QObject::connect(&workspace, &Workspace::organizationChanged, &window, &MainWindow::setOrganization);
    window.setLinkState(link.state());
}

void wireIntents(MainWindow &window, HostLink &link, Workspace &workspace)
{
    realtime::HostClient &client = link.client();
    realtime::OrganizationCommands &organization = client.organization();
    QObject::connect(&window, &MainWindow::newTaskRequested, &window,
        [&window, &client](const views::NewTaskRequest &request) { createTask(window, client, request); });
    QObject::connect(&window, &MainWindow::addRepositoryRequested, &window,
        [&window, &organization](const views::AddRepositoryRequest &request) {
            if (request.path)
                organization.addRepositoryPath(*request.path, &window, sayInWindow(window));
            else if (request.url)
                organization.addRepositoryUrl(*request.url, &window, sayInWindow(window));
        });
    QObject::connect(&window, &MainWindow::removeRepositoryRequested, &window,
        [&window, &organization](const RepoId &repo) { organization.removeRepository(repo, &window, sayInWindow(window)); });
    QObject::connect(&window, &MainWindow::confirmAgentRequested, &window,
        [&window, &organization](const AgentId &agent) { organization.confirmAgent(agent, &window, sayInWindow(window)); });
    QObject::connect(&window, &MainWindow::installAgentRequested, &window,
        [&window, &organization](const AgentId &agent) { organization.installAgent(agent, &window, sayInWindow(window)); });
    QObject::connect(&window, &MainWindow::refreshAgentsRequested, &window,
        [&window, &organization] { organization.refreshAgents(&window, sayInWindow(window)); });
    QObject::connect(&window, &MainWindow::permissionAnswered, &window,
        [&window, &client, &workspace](const TaskId &task, const SessionId &session, const QString &request, const QString &option) {
            if (const TaskRow *row = workspace.tasks().find(task))
                client.task(row->task.repoId, task).commands().answerPermission(session, request, option, &window, sayInWindow(window));
        });
    QObject::connect(&window, &MainWindow::renameTaskRequested, &window,
        [&window, &client, &workspace](const TaskId &task, const QString &title) {
            if (const TaskRow *row = workspace.tasks().find(task))
                client.task(row->task.repoId, task).commands().renameTask(title, &window, sayInWindow(window));
        });
    QObject::connect(&window, &MainWindow::unreadRequested, &window,
        [&window, &client](const TaskId &task, bool unread) { client.user().setUnread(task, unread, &window, sayInWindow(window)); });
    QObject::connect(&window, &MainWindow::retryLinkRequested, &link, &HostLink::retry);
}

void wireTaskPage(MainWindow &window, views::TaskPage &page, TaskPageBinding &binding, Workspace &workspace)
{
    QObject::connect(&window, &MainWindow::taskActivated, &binding, [&binding, &workspace](const TaskId &task) {
        if (const TaskRow *row = workspace.tasks().find(task))
            binding.open(row->task);
    });
    QObject::connect(&window, &MainWindow::entryActivated, &binding,
        [&binding, &workspace](const TaskId &task, const SessionId &session, qint64 entry) {
            if (const TaskRow *row = workspace.tasks().find(task))
                binding.open(row->task, session, entry >= 0 ? std::optional<qint64>(entry) : std::nullopt);
        });
    QObject::connect(&window, &MainWindow::dashboardShown, &binding, &TaskPageBinding::close);

    const auto agents = [&page, &workspace] {
        QList<Agent> all;
        for (int row = 0; row < workspace.agents().count(); ++row)
            all << workspace.agents().at(row);
        page.setAgents(all);
    };
    AgentListModel *model = &workspace.agents();
    QObject::connect(model, &AgentListModel::modelReset, &page, agents);
    QObject::connect(model, &AgentListModel::rowsInserted, &page, agents);
    QObject::connect(model, &AgentListModel::rowsRemoved, &page, agents);
    QObject::connect(model, &AgentListModel::dataChanged, &page, agents);
    agents();
}

} // namespace foundry::app
