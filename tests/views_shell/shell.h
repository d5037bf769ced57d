// The window with sample models, a clock that stands still and settings in memory.
#pragma once

#include "tests/views_shell/sampledata.h"
#include "views/common/minuteclock.h"
#include "views/common/uistate.h"
#include "views/mainwindow.h"

namespace foundry::test {

struct Shell {
    explicit Shell(views::ThemeProvider *theme, QSize size = {1360, 860})
        : clock([] { return sampleNow; })
        , window(theme, &clock, &state, {&models.tasks, &models.repositories, &models.agents, &models.attention})
    {
        Organization organization;
        organization.name = QStringLiteral("Mara's machine");
        window.setOrganization(organization);
        live();
        window.resize(size);
        window.show();
    }
    void live()
    {
        LinkState link;
        link.phase = LinkPhase::Live;
        link.where = QStringLiteral("here");
        window.setLinkState(link);
        HostStatus host;
        host.version = QStringLiteral("0.1.0");
        host.load = 0.42;
        host.tasksDiskBytes = 1'310'000'000;
        host.agentsRunning = 4;
        window.setHostStatus(host);
    }
    void fill()
    {
        models.apply(sampleRepositories());
        models.apply(sampleAgents());
        models.apply(sampleTasks());
        models.setReady();
    }

    SampleModels models;
    views::MinuteClock clock;
    views::UiState state{QString()};
    views::MainWindow window;
};

} // namespace foundry::test
