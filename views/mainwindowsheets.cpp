// The sheets of the window, apart from its parts.
#include "views/mainwindow.h"

#include "models/agentlistmodel.h"
#include "models/repositorylistmodel.h"
#include "models/tasklistmodel.h"
#include "views/common/linkwords.h"
#include "views/dashboard/addrepositorysheet.h"
#include "views/dashboard/agentways.h"
#include "views/settings/settingssheet.h"
#include "views/task/newtasksheet.h"

namespace foundry::views {

void MainWindow::openNewTask(const RepoId &repository)
{
    auto *sheet = new NewTaskSheet(m_theme, m_state, m_models.repositories, m_models.agents, repository, this);
    connect(sheet, &NewTaskSheet::requested, this, &MainWindow::newTaskRequested);
    connect(sheet, &NewTaskSheet::addRepositoryWanted, this, &MainWindow::openAddRepository);
    connect(sheet, &NewTaskSheet::confirmAgentWanted, this, &MainWindow::confirmAgent);
    sheet->open();
}

void MainWindow::openAddRepository()
{
    auto *sheet = new AddRepositorySheet(m_theme, whyNotNow(m_link), this);
    connect(sheet, &AddRepositorySheet::requested, this, &MainWindow::addRepositoryRequested);
    sheet->open();
}

void MainWindow::openSettings()
{
    auto *sheet = new SettingsSheet(m_theme, {m_stopHost, m_cacheLimitMiB}, this);
    connect(sheet, &SettingsSheet::themeChosen, this, [this](ThemeChoice choice) {
        m_theme->setChoice(choice);
        Q_EMIT themeChoiceChanged(choice);
    });
    connect(sheet, &SettingsSheet::stopHostChosen, this, [this](bool stop) {
        m_stopHost = stop;
        Q_EMIT stopHostWithWindowChanged(stop);
    });
    connect(sheet, &SettingsSheet::cacheLimitChosen, this, [this](int mebibytes) {
        m_cacheLimitMiB = mebibytes;
        Q_EMIT cacheLimitChanged(mebibytes);
    });
    connect(sheet, &SettingsSheet::emptyCacheRequested, this, &MainWindow::emptyCacheRequested);
    m_settings = sheet;
    Q_EMIT cacheUseWanted();
    sheet->open();
}

void MainWindow::setCacheBytes(qint64 bytes)
{
    if (m_settings)
        m_settings->setCacheBytes(bytes);
}

void MainWindow::confirmAgent(const AgentId &agent)
{
    const Agent *found = m_models.agents->find(agent);
    if (!found)
        return;
    auto *sheet = new ConfirmAgentSheet(m_theme, *found, this);
    connect(sheet, &ConfirmAgentSheet::confirmed, this, &MainWindow::confirmAgentRequested);
    sheet->open();
}

} // namespace foundry::views
