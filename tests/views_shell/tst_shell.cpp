// The window's shell with invented data: what it shows and says in each state, and pictures of all of them in both themes
// (in $FOUNDRY_SHOTS).
#include "resources/foundryresources.h"
#include "tests/views_shell/shell.h"
#include "views/common/promptbox.h"
#include "views/dashboard/addrepositorysheet.h"
#include "views/dashboard/agentways.h"
#include "views/dashboard/dashboard.h"
#include "views/settings/settingssheet.h"
#include "views/sidebar/sidebar.h"
#include "views/task/newtasksheet.h"

#include <QApplication>
#include <QDir>
#include <QTest>

namespace foundry::views {

namespace {

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
        test::Shell shell(&m_theme);
        shell.fill();
        shell.window.sidebar()->setCurrentTask(TaskId(QStringLiteral("t5")));
        bothThemes(QStringLiteral("dashboard-populated"), shell.window);
        shell.window.resize(820, 620);
        bothThemes(QStringLiteral("dashboard-narrow"), shell.window);
    }
    void loading()
    {
        test::Shell shell(&m_theme);
        bothThemes(QStringLiteral("dashboard-loading"), shell.window);
    }
    void firstStart()
    {
        test::Shell shell(&m_theme);
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
        test::Shell shell(&m_theme);
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
        test::Shell shell(&m_theme);
        shell.models.apply(test::sampleRepositories());
        shell.models.apply(test::sampleAgents());
        shell.models.apply(test::manyTasks(1000));
        shell.models.setReady();
        bothThemes(QStringLiteral("dashboard-1000"), shell.window);
    }
    void sheets()
    {
        test::Shell shell(&m_theme);
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
        bothThemes(QStringLiteral("confirmagent"), *shell.window.findChild<ConfirmAgentSheet *>());
        shell.window.openSettings();
        bothThemes(QStringLiteral("settings"), *shell.window.findChild<SettingsSheet *>());
    }
};

} // namespace foundry::views

QTEST_MAIN(foundry::views::TestShell)
#include "tst_shell.moc"
