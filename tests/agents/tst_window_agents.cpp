// codex, claude and opencode from npm, each against the scripted model, through the whole window and a real host: found on
// PATH, confirmed, given a task on the sheet, asked in the transcript, answered there; then what is on disk and on screen.
#include "app/application.h"
#include "app/tour/touruser.h"
#include "tests/agents/agentworld.h"
#include "tests/agents/transcriptuser.h"
#include "tests/support/gitfixture.h"
#include "views/common/promptbox.h"
#include "views/composer/composer.h"
#include "views/composer/promptedit.h"
#include "views/dashboard/agentways.h"
#include "views/diff/changespanel.h"
#include "views/diff/diffcanvas.h"
#include "views/diff/diffview.h"
#include "views/task/newtasksheet.h"
#include "views/task/taskpage.h"

#include <QComboBox>
#include <QElapsedTimer>
#include <QFile>
#include <QListView>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::app;

namespace {

constexpr int windowWait = 30000;
constexpr int agentWait = 90000; // a first start of one of these takes seconds, more on a busy machine
const char *const allAgents[] = {"codex", "claude", "opencode"};

} // namespace

class WindowAgentsTest : public QObject {
    Q_OBJECT

public:
    WindowAgentsTest(WatchedApplication &qt, QTemporaryDir &dir)
        : m_qt(qt)
        , m_dir(dir)
    {
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_repository = m_git.makeRepository(QStringLiteral("sample"));
        Config config;
        config.hostDataDir = m_dir.filePath(QStringLiteral("host"));
        config.hostProgram = QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host");
        m_application = std::make_unique<Application>(m_qt, config);
        m_application->start();
        QTRY_COMPARE_WITH_TIMEOUT(m_application->link().state().phase, LinkPhase::Live, windowWait);
        QTRY_VERIFY_WITH_TIMEOUT(page(), windowWait);
        views::AddRepositoryRequest request;
        request.path = m_repository;
        Q_EMIT window().addRepositoryRequested(request);
        QTRY_VERIFY_WITH_TIMEOUT(repositories().count() == 1 && repositories().at(0).state == RepositoryState::Ready, windowWait);
    }

    void confirm_data()
    {
        QTest::addColumn<QString>("agent");
        for (const char *agent : allAgents)
            QTest::newRow(agent) << QString::fromLatin1(agent);
    }
    // Found on PATH, used by nobody before the user has said so on the sheet.
    void confirm()
    {
        QFETCH(QString, agent);
        const AgentId id(agent);
        QTRY_VERIFY_WITH_TIMEOUT(agents().find(id) && agents().find(id)->state.is(AgentState::Unconfirmed), windowWait);
        QVERIFY(agents().find(id)->detail.value_or(QString()).contains(QStringLiteral("node_modules/.bin")));
        window().confirmAgent(id);
        auto *sheet = touruser::find<views::ConfirmAgentSheet>(&window());
        QVERIFY(sheet);
        QPushButton *use = nullptr;
        for (auto *button : sheet->findChildren<QPushButton *>())
            use = button->isDefault() ? button : use;
        QVERIFY(use);
        QTest::mouseClick(use, Qt::LeftButton);
        const auto state = [&] { return agents().find(id)->state; };
        const bool left = QTest::qWaitFor([&] { return !state().is(AgentState::Unconfirmed); }, agentWait);
        QVERIFY2(left && state().is(AgentState::Ready), qPrintable(state().text() + QLatin1Char(' ') + agents().find(id)->detail.value_or(QString())));
    }

    void task_data()
    {
        QTest::addColumn<QString>("agent");
        QTest::addColumn<QString>("answer");
        for (const char *agent : allAgents) {
            for (const char *answer : {"allow", "reject", "cancel"})
                QTest::addRow("%s %s", agent, answer) << QString::fromLatin1(agent) << QString::fromLatin1(answer);
        }
    }
    void task()
    {
        QFETCH(QString, agent);
        QFETCH(QString, answer);
        QVERIFY2(agents().find(AgentId(agent))->state.is(AgentState::Ready), "not confirmed");
        QElapsedTimer clock;
        clock.start();
        const TaskId id = start(agent, QStringLiteral("Please write the notes."));
        QVERIFY(!id.isEmpty());
        QCOMPARE(window().currentTask(), id);

        // Asked: in the transcript, and in the queue of what needs the user.
        const bool toAsk = QTest::qWaitFor([&] { return asked() || turnEnd() || hasFailed(id); }, agentWait);
        QVERIFY2(toAsk && asked(), qPrintable(story(id)));
        const qint64 askedMs = clock.restart();
        QCOMPARE(session()->agent.value, agent);
        const QString request = asked()->requestId;
        QTRY_VERIFY_WITH_TIMEOUT(waits(id) == 1, windowWait);
        QCOMPARE(tasks().find(id)->needs, NeedsYou::Permission);
        QTRY_VERIFY_WITH_TIMEOUT(open(id)->details() && open(id)->details()->workTree, windowWait);
        const QString notes = *open(id)->details()->workTree + QStringLiteral("/NOTES.md");
        QVERIFY(!QFile::exists(notes));
        const auto *panel = touruser::find<views::ChangesPanel>(&window());
        QVERIFY(panel);
        QCOMPARE(panel->list()->model()->rowCount(), 0);

        if (answer == QStringLiteral("allow"))
            QVERIFY(transcript().answerByMouse(QStringLiteral("allow_once")));
        else if (answer == QStringLiteral("reject"))
            QVERIFY(transcript().answerByKeyboard(QStringLiteral("reject_once")));
        else
            QTest::keyClick(touruser::find<views::Composer>(&window())->edit(), Qt::Key_Escape);
        const auto ended = [&] { return turnEnd() && session()->status == SessionStatus::Idle; };
        const bool toEnd = QTest::qWaitFor([&] { return ended() || hasFailed(id); }, agentWait);
        QVERIFY2(toEnd && ended(), qPrintable(story(id)));
        qInfo("%s: asked after %lld ms, turn ended (%s) %lld ms after the answer", qPrintable(agent), askedMs,
            qPrintable(turnEnd()->stopReason), clock.elapsed());

        QTRY_VERIFY_WITH_TIMEOUT(waits(id) == 0, windowWait);
        QTRY_COMPARE_WITH_TIMEOUT(tasks().find(id)->needs, NeedsYou::Nothing, windowWait); // its end was on screen, too
        QVERIFY(!asked());
        QVERIFY2(transcript().answerOf(request).has_value(), qPrintable(story(id)));
        if (answer == QStringLiteral("allow")) {
            QCOMPARE(turnEnd()->stopReason, QStringLiteral("end_turn"));
            QCOMPARE(transcript().kindOf(request), QStringLiteral("allow_once"));
            checkWritten(notes);
        } else {
            if (answer == QStringLiteral("cancel")) {
                QCOMPARE(turnEnd()->stopReason, QStringLiteral("cancelled"));
                QCOMPARE(*transcript().answerOf(request), QStringLiteral("cancelled"));
            } else {
                QCOMPARE(transcript().kindOf(request), QStringLiteral("reject_once"));
            }
            QVERIFY(!QFile::exists(notes));
            m_unwritten << notes;
            QTRY_VERIFY_WITH_TIMEOUT(open(id)->changes().isReady() && !open(id)->changes().header().refreshing, windowWait);
            QCOMPARE(panel->list()->model()->rowCount(), 0);
        }
        QVERIFY(!QFile::exists(m_repository + QStringLiteral("/NOTES.md"))); // never in the user's own checkout
    }

    // What was not allowed is not done later either.
    void unwritten()
    {
        for (const QString &notes : std::as_const(m_unwritten))
            QVERIFY2(!QFile::exists(notes), qPrintable(notes));
    }

    void cleanupTestCase()
    {
        bool ended = false;
        m_application->link().endHost(this, [&] { ended = true; });
        QTRY_VERIFY_WITH_TIMEOUT(ended, 15000);
        m_application.reset();
    }

private:
    views::MainWindow &window() { return m_application->window(); }
    views::TaskPage *page() { return window().findChild<views::TaskPage *>(); }
    test::TranscriptUser transcript() { return test::TranscriptUser(touruser::find<views::TranscriptView>(&window())); }
    const PermissionAsk *asked() { return transcript().asked(); }
    const TurnEnd *turnEnd() { return transcript().turnEnd(); }
    TaskListModel &tasks() { return m_application->workspace().tasks(); }
    AgentListModel &agents() { return m_application->workspace().agents(); }
    RepositoryListModel &repositories() { return m_application->workspace().repositories(); }
    OpenTask *open(const TaskId &task) { return m_application->openTask(task); }
    const Session *session() { return open(page()->taskId())->sessions().find(page()->activeSession()); }

    // On the sheet, with its field for the agent; the page shows the task when this returns.
    TaskId start(const QString &agent, const QString &prompt)
    {
        window().openNewTask(repositories().at(0).id);
        auto *sheet = touruser::find<views::NewTaskSheet>(&window());
        auto *field = sheet ? touruser::find<QComboBox>(sheet, views::NewTaskSheet::tr("Agent")) : nullptr;
        if (!field || field->findData(agent) < 0)
            return {};
        QTest::keyClick(field, Qt::Key_Home);
        for (int key = 0; key < field->count() && field->currentData().toString() != agent; ++key)
            QTest::keyClick(field, Qt::Key_Down);
        auto *box = sheet->findChild<views::PromptBox *>();
        QTest::keyClicks(box, prompt);
        QTest::keyClick(box, Qt::Key_Return, Qt::ControlModifier);
        return page()->taskId();
    }

    bool hasFailed(const TaskId &id)
    {
        const TaskRow *row = tasks().find(id);
        return !row || row->task.status == TaskStatus::Error || (session() && session()->status == SessionStatus::Error);
    }
    // How many permissions of the task are in the window's queue.
    int waits(const TaskId &id)
    {
        int found = 0;
        const AttentionModel &queue = m_application->workspace().attention();
        for (int row = 0; row < queue.count(); ++row)
            found += queue.at(row).taskId == id && queue.at(row).needs == NeedsYou::Permission;
        return found;
    }
    // For a failure: what the page shows.
    QString story(const TaskId &id)
    {
        QStringList lines;
        if (const TaskRow *row = tasks().find(id))
            lines << row->task.status.text() + QLatin1Char(' ') + row->task.stage.value_or(QString());
        if (const Session *shown = session()) {
            lines << shown->status.text();
            if (shown->error)
                lines << shown->error->key() + QLatin1Char(' ') + shown->error->message + QLatin1Char(' ') + shown->error->detail;
        }
        lines << transcript().story();
        return lines.join(QLatin1Char('\n'));
    }

    // The file, its row among the changes, and the lines of its diff.
    void checkWritten(const QString &notes)
    {
        const QString line = QStringLiteral("Notes by a scripted model.");
        QFile file(notes);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(QString::fromUtf8(file.readAll()).trimmed(), line);
        auto *list = touruser::find<views::ChangesPanel>(&window())->list();
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 1, windowWait);
        const auto change = list->model()->index(0, 0).data(ListModelBase::ValueRole).value<FileChange>();
        QCOMPARE(change.path, QStringLiteral("NOTES.md"));
        QVERIFY(change.scope.is(ChangeScope::Untracked));
        QCOMPARE(change.added, 1);
        list->setFocus();
        list->setCurrentIndex(list->model()->index(0, 0));
        QTest::keyClick(list, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(shownDiff() && shownDiff()->canvas()->isVisible() && shownDiff()->canvas()->diff().added() > 0, windowWait);
        QCOMPARE(shownDiff()->path(), QStringLiteral("NOTES.md"));
        const views::UnifiedDiff &diff = shownDiff()->canvas()->diff();
        QCOMPARE(diff.added(), 1);
        QCOMPARE(diff.removed(), 0);
        QCOMPARE(diff.text(diff.changes().first()).toString(), line);
    }
    views::DiffView *shownDiff() { return touruser::find<views::DiffView>(&window()); }

    WatchedApplication &m_qt;
    QTemporaryDir &m_dir;
    test::GitFixture m_git;
    QString m_repository;
    QStringList m_unwritten;
    std::unique_ptr<Application> m_application;
};

namespace {

// Of this process: the host that it starts inherits it, and the agents inherit it from the host.
void setEnvironment(const QString &packages, const QString &url, const QTemporaryDir &dir)
{
    const QProcessEnvironment before = QProcessEnvironment::systemEnvironment();
    QProcessEnvironment wanted = before;
    for (const char *agent : allAgents) {
        const QString name = QString::fromLatin1(agent);
        wanted = test::agentEnvironment(name, url, dir.filePath(QStringLiteral("home-") + name), wanted);
    }
    wanted.insert(QStringLiteral("PATH"), packages + QStringLiteral("/.bin:") + before.value(QStringLiteral("PATH")));
    for (const QString &name : wanted.keys())
        qputenv(name.toUtf8().constData(), wanted.value(name).toUtf8());
    qunsetenv("IS_SANDBOX"); // claude's adapter works as root without it
}

} // namespace

int main(int argc, char **argv)
{
    QString reason;
    const QString packages = test::agentPackages(&reason);
    if (packages.isEmpty()) {
        std::fprintf(stderr, "SKIP: %s\n", qPrintable(reason));
        return 77;
    }
    WatchedApplication qt(argc, argv);
    QGuiApplication::setQuitOnLastWindowClosed(false);
    QTemporaryDir dir;
    test::ScriptedModel model;
    if (!model.start(dir.filePath(QStringLiteral("model.log")), &reason)) {
        std::fprintf(stderr, "%s\n", qPrintable(reason));
        return 1;
    }
    setEnvironment(packages, model.url(), dir);
    WindowAgentsTest test(qt, dir);
    return QTest::qExec(&test, argc, argv);
}
#include "tst_window_agents.moc"
