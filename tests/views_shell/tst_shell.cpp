// The window's shell with invented data: what it shows and says in each state, and pictures of all of them in both themes
// (in $FOUNDRY_SHOTS).
#include "resources/foundryresources.h"
#include "tests/views_shell/sampledata.h"
#include "views/common/emptystate.h"
#include "views/common/linkbanner.h"
#include "views/common/minuteclock.h"
#include "views/common/promptbox.h"
#include "views/common/uistate.h"
#include "views/dashboard/addrepositorysheet.h"
#include "views/dashboard/boardview.h"
#include "views/dashboard/chipstrip.h"
#include "views/dashboard/dashboard.h"
#include "views/mainwindow.h"
#include "views/sidebar/attentionlist.h"
#include "views/sidebar/sidebar.h"
#include "views/sidebar/tasktree.h"
#include "views/task/newtasksheet.h"

#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>

namespace foundry::views {

namespace {

struct Shell {
    explicit Shell(ThemeProvider *theme, QSize size = {1360, 860})
        : clock([] { return test::sampleNow; })
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
        models.apply(test::sampleRepositories());
        models.apply(test::sampleAgents());
        models.apply(test::sampleTasks());
        models.setReady();
    }

    test::SampleModels models;
    MinuteClock clock;
    UiState state{QString()};
    MainWindow window;
};

QString shotsDirectory()
{
    const QString directory = qEnvironmentVariable("FOUNDRY_SHOTS");
    return directory.isEmpty() ? QDir::currentPath() + QStringLiteral("/shots") : directory;
}

void shoot(QWidget &widget, const QString &name)
{
    QDir().mkpath(shotsDirectory());
    QCoreApplication::sendPostedEvents();
    QApplication::processEvents(); // a picture wants the layout settled; only tests may do this
    QVERIFY(widget.grab().save(shotsDirectory() + QLatin1Char('/') + name + QStringLiteral(".png")));
}

} // namespace

class TestShell : public QObject {
    Q_OBJECT

    ThemeProvider m_theme{ThemeChoice::Light};

    void bothThemes(const QString &name, QWidget &widget)
    {
        for (const ThemeChoice choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
            m_theme.setChoice(choice);
            shoot(widget, name + (choice == ThemeChoice::Dark ? QStringLiteral("-dark") : QStringLiteral("-light")));
        }
    }

private Q_SLOTS:
    void initTestCase()
    {
        initResources();
        initLateFonts();
        m_theme.applyTo(*qobject_cast<QApplication *>(QCoreApplication::instance()));
    }

    void populated()
    {
        Shell shell(&m_theme);
        shell.fill();
        shell.window.sidebar()->setCurrentTask(TaskId(QStringLiteral("t5")));
        bothThemes(QStringLiteral("dashboard-populated"), shell.window);
        shell.window.resize(820, 620);
        bothThemes(QStringLiteral("dashboard-narrow"), shell.window);
    }
    void loading()
    {
        Shell shell(&m_theme);
        bothThemes(QStringLiteral("dashboard-loading"), shell.window);
    }
    void firstStart()
    {
        Shell shell(&m_theme);
        shell.models.apply(test::sampleAgents());
        shell.models.setReady();
        QVERIFY(shell.window.dashboard()->showsFirstStart());
        bothThemes(QStringLiteral("firststart-empty"), shell.window);
        shell.models.apply(test::sampleRepositories());
        shell.window.findChild<PromptBox *>()->setPlainText(QStringLiteral("Make the tests in src/parser pass."));
        bothThemes(QStringLiteral("firststart-ready"), shell.window);
        shell.models.apply(test::sampleTasks());
        QVERIFY(!shell.window.dashboard()->showsFirstStart());
    }
    void troubled()
    {
        Shell shell(&m_theme);
        shell.fill();
        LinkState link;
        link.phase = LinkPhase::Offline;
        link.asOf = test::sampleNow - 12 * 60'000;
        shell.window.setLinkState(link);
        bothThemes(QStringLiteral("dashboard-offline"), shell.window);
        link.phase = LinkPhase::HostFailed;
        link.error = Error{QStringLiteral("client"), QStringLiteral("host_failed"),
            QStringLiteral("The host program ended as soon as it was started: its data folder is full."),
            QStringLiteral("Free some space, then start it again.")};
        link.hostLog = QStringLiteral("09:26:01.233 foundry.host  opening data directory\n"
                                      "09:26:01.240 foundry.store database or disk is full (13)\n"
                                      "09:26:01.241 foundry.host  leaving with code 3");
        shell.window.setLinkState(link);
        bothThemes(QStringLiteral("dashboard-hostfailed"), shell.window);
    }
    void thousandTasks()
    {
        Shell shell(&m_theme);
        shell.models.apply(test::sampleRepositories());
        shell.models.apply(test::sampleAgents());
        shell.models.apply(test::manyTasks(1000));
        shell.models.setReady();
        bothThemes(QStringLiteral("dashboard-1000"), shell.window);
    }
    void sheets()
    {
        Shell shell(&m_theme);
        shell.fill();
        shell.window.openNewTask(RepoId(QStringLiteral("r1")));
        auto *sheet = shell.window.findChild<NewTaskSheet *>();
        QVERIFY(sheet);
        sheet->setPrompt(QStringLiteral("Retry failed webhooks with exponential backoff.\n\nAfter eight attempts put them "
                                        "into a dead-letter table and show them in the admin page."));
        bothThemes(QStringLiteral("newtask"), *sheet);
        sheet->close();
        shell.window.openAddRepository();
        auto *add = shell.window.findChild<AddRepositorySheet *>();
        bothThemes(QStringLiteral("addrepository"), *add);
        add->close();
        shell.window.confirmAgent(AgentId(QStringLiteral("codex")));
        bothThemes(QStringLiteral("confirmagent"), *shell.window.findChild<QDialog *>(QString(), Qt::FindDirectChildrenOnly));
    }
};

} // namespace foundry::views

QTEST_MAIN(foundry::views::TestShell)
#include "tst_shell.moc"
