// Bad input, through the real window and a real host: the world of the test, and what a user does and reads in it.
#pragma once

#include "app/application.h"
#include "app/tour/touruser.h"
#include "tests/e2e/spokentext.h"
#include "tests/support/gitfixture.h"
#include "views/common/promptbox.h"
#include "views/composer/composer.h"
#include "views/composer/promptedit.h"
#include "views/task/newtasksheet.h"
#include "views/task/taskpage.h"

#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLineEdit>
#include <QPainter>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace foundry;
using namespace foundry::app;

constexpr int badWait = 20000;
// For a git and an agent that answer, also on a busy machine; an agent that never answers makes the test wait as long.
inline const QByteArray badStageDeadline = "3500";

inline QString badText(qsizetype bytes)
{
    const QString line = QStringLiteral("0123456789 abcdefghijklmnopqrstuvwxyz 0123456789 abcdefghijklmn\n"); // 64
    return line.repeated(bytes / 64);
}

class BadInputTest : public QObject {
    Q_OBJECT

public:
    explicit BadInputTest(WatchedApplication &qt)
        : m_qt(qt)
    {
    }

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void cleanupTestCase();

    // The first start is on screen.
    void repositories_data();
    void repositories();
    void promptOfFirstStart();
    void claudeAsRoot();

    void agents_data();
    void agents();
    void loginAtThePrompt();
    void branchThatExists_data();
    void branchThatExists();
    void baseThatIsNotThere();
    void noDiskSpace();
    void promptInTheSheet();
    void promptInTheComposer();
    void repositoryOnTheBoard();

private:
    views::MainWindow &window() { return m_application->window(); }
    views::TaskPage *page() { return window().findChild<views::TaskPage *>(); }
    Workspace &workspace() { return m_application->workspace(); }
    template <class T>
    T *find(const QString &name = {})
    {
        if (QDialog *sheet = touruser::find<QDialog>(&window()))
            return touruser::find<T>(sheet, name);
        return touruser::find<T>(&window(), name);
    }
    QAbstractButton *button(const QString &text);
    bool click(const QString &text);

    const Repository *repositoryAt(const QString &path);
    RepoId added(const QString &path); // by its path; waits until it is ready
    bool removed(const RepoId &repository);
    AgentId addAgent(const QString &id);
    void setAgentMode(const QString &agent, const QByteArray &mode) { m_git.write(m_git.root(), QStringLiteral("modes/") + agent, mode); }
    views::NewTaskSheet *openSheet(const AgentId &agent);
    TaskId start(const AgentId &agent, const QString &prompt); // through the sheet
    bool sessionIs(SessionStatus status);
    // All of them can be read at once, each in a widget that is whole; else says what can be read.
    bool reads(const QStringList &words);
    void shoot(const QString &name);

    WatchedApplication &m_qt;
    QTemporaryDir m_dir;
    test::GitFixture m_git;
    QString m_repository;
    AgentId m_agent;
    QString m_missed; // why the last reads() said no
    std::unique_ptr<Application> m_application;
};
