// The parts of the task page: what they say when, and what they ask for.
#include "resources/foundryresources.h"
#include "tests/views_task/shotfixture.h"
#include "views/common/asoflabel.h"
#include "views/common/codehighlighter.h"
#include "views/common/themeprovider.h"
#include "views/composer/composer.h"
#include "views/composer/promptedit.h"
#include "views/diff/diffcanvas.h"
#include "views/diff/diffview.h"
#include "views/session/sessiontabs.h"
#include "views/task/stagetimeline.h"
#include "views/task/taskpage.h"

#include <QAccessible>
#include <QApplication>
#include <QElapsedTimer>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

#include <time.h>

using namespace foundry;
using namespace foundry::views;

class TaskPartsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void composerSendsAndKeepsDrafts();
    void composerQueuesWhileRunning();
    void composerSaysTooLong();
    void composerEditsQueued();
    void composerShowsWhatWasNotSent();
    void withoutAHost();
    void pageChoosesAndActivatesSessions();
    void pageAsksToRetryFromTheFailedStage();
    void pageOffersBranchClash();
    void diffStates();
    void diffOfFiftyThousandLines();
    void everyControlHasAName();

private:
    static Session session(const QString &id, SessionStatus status);
    static QueuedPrompt queued(const Session &session);
    ThemeProvider m_theme{ThemeChoice::Light};
};

void TaskPartsTest::initTestCase()
{
    initResources();
    m_theme.applyTo(*qApp);
}

QueuedPrompt TaskPartsTest::queued(const Session &session)
{
    QueuedPrompt first;
    first.id = QueueId(QStringLiteral("q1"));
    first.sessionId = session.id;
    first.prompt.text = QStringLiteral("first");
    return first;
}

Session TaskPartsTest::session(const QString &id, SessionStatus status)
{
    Session one;
    one.id = SessionId(id);
    one.name = id;
    one.agent = AgentId(QStringLiteral("runner"));
    one.status = status;
    return one;
}

void TaskPartsTest::composerSendsAndKeepsDrafts()
{
    Composer composer(&m_theme);
    composer.show();
    const Session a = session(QStringLiteral("a"), SessionStatus::Idle);
    const Session b = session(QStringLiteral("b"), SessionStatus::PendingProvision);
    QSignalSpy sent(&composer, &Composer::sendRequested);
    QSignalSpy drafts(&composer, &Composer::draftChanged);
    composer.setSession(&a);
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(sent.size(), 0); // nothing written
    QTest::keyClicks(composer.edit(), QStringLiteral("one"));
    QTest::keyClick(composer.edit(), Qt::Key_Return, Qt::ShiftModifier);
    QTest::keyClicks(composer.edit(), QStringLiteral("two"));
    composer.setSession(&b);
    QCOMPARE(composer.text(), QString());
    QCOMPARE(drafts.last().at(1).value<Draft>().text, QStringLiteral("one\ntwo"));
    composer.setDraft(a.id, QStringLiteral("from elsewhere"));
    composer.setSession(&a);
    QCOMPARE(composer.text(), QStringLiteral("one\ntwo"));
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(sent.size(), 1);
    QCOMPARE(sent.first().at(1).toString(), QStringLiteral("one\ntwo"));
    QCOMPARE(composer.text(), QString());
    composer.setDraft(a.id, QStringLiteral("one\ntwo")); // a late echo of what was typed before it was sent
    QCOMPARE(composer.text(), QString());
    composer.restore(a.id, QStringLiteral("one\ntwo"));
    QCOMPARE(composer.text(), QStringLiteral("one\ntwo"));
    composer.setBlocked(QStringLiteral("The task is archived"));
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(sent.size(), 1);
}

void TaskPartsTest::composerQueuesWhileRunning()
{
    Composer composer(&m_theme);
    composer.show();
    const Session a = session(QStringLiteral("a"), SessionStatus::Running);
    QSignalSpy sent(&composer, &Composer::sendRequested);
    QSignalSpy stopped(&composer, &Composer::stopRequested);
    composer.setSession(&a);
    QTest::keyClicks(composer.edit(), QStringLiteral("next"));
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(sent.size(), 1);
    QTest::keyClick(composer.edit(), Qt::Key_Escape);
    QCOMPARE(stopped.size(), 1);
}

void TaskPartsTest::composerShowsWhatWasNotSent()
{
    Composer composer(&m_theme);
    composer.show();
    const Session a = session(QStringLiteral("a"), SessionStatus::Idle);
    QueuedPromptModel queue;
    const QueuedPrompt waiting = queued(a);
    queue.replaceAll({waiting});
    composer.setQueue(&queue);
    composer.setSession(&a);
    const auto says = [&composer](const QString &text) {
        const QList<QLabel *> labels = composer.findChildren<QLabel *>();
        return std::count_if(labels.begin(), labels.end(), [&text](const QLabel *label) { return label->isVisible() && label->text() == text; });
    };
    const auto press = [&composer](const QString &text) {
        for (auto *button : composer.findChildren<QPushButton *>()) {
            if (button->isVisible() && button->text() == text)
                return button->click();
        }
        QFAIL(qPrintable(text));
    };
    OutboxItem message{RequestId(QStringLiteral("r1")), waiting.id, a.id, QStringLiteral("first"), OutboxItemState::Queued, {}};
    composer.setOutbox({message});
    QTRY_COMPARE(says(QStringLiteral("first")), 1); // its row in the queue, once
    QTRY_COMPARE(says(QStringLiteral("Kept here until the host is back")), 1);
    message.state = OutboxItemState::Sent;
    composer.setOutbox({message});
    QTRY_COMPARE(says(QStringLiteral("Sent, no answer yet")), 1);

    OutboxItem failed{RequestId(QStringLiteral("r2")), QueueId(QStringLiteral("q2")), a.id, QStringLiteral("second"), OutboxItemState::Failed,
        Error{QStringLiteral("state"), QStringLiteral("archived"), QStringLiteral("The task is archived."), QStringLiteral("Bring it back first."), {}}};
    OutboxItem elsewhere = failed;
    elsewhere.id = RequestId(QStringLiteral("r3"));
    elsewhere.sessionId = SessionId(QStringLiteral("b"));
    OutboxItem uncertain{RequestId(QStringLiteral("r4")), {}, {}, QStringLiteral("Title: New"), OutboxItemState::Uncertain, {}};
    composer.setOutbox({failed, elsewhere, uncertain});
    QTRY_COMPARE(says(QStringLiteral("Queued")), 1); // the host has it
    QTRY_COMPARE(says(QStringLiteral("Failed")), 1); // not the other session's
    QTRY_COMPARE(says(QStringLiteral("The task is archived. Bring it back first.")), 1);
    QTRY_COMPARE(says(QStringLiteral("Uncertain")), 1);
    QSignalSpy again(&composer, &Composer::sendAgainRequested);
    QSignalSpy dropped(&composer, &Composer::dropUnsentRequested);
    QSignalSpy back(&composer, &Composer::takeBackRequested);
    press(QStringLiteral("Send again"));
    press(QStringLiteral("Drop"));
    press(QStringLiteral("Edit"));
    QCOMPARE(again.value(0).value(0).value<RequestId>(), uncertain.id);
    QCOMPARE(dropped.value(0).value(0).value<RequestId>(), uncertain.id);
    QCOMPARE(back.value(0).value(0).value<RequestId>(), failed.id);

    QList<OutboxItem> many;
    for (int i = 0; i < 40; ++i) {
        many << failed;
        many.last().id = RequestId(QString::number(i));
        many.last().queueId = QueueId(QString::number(i));
    }
    composer.setOutbox(many);
    QVERIFY2(composer.sizeHint().height() < 420, qPrintable(QString::number(composer.sizeHint().height())));
}

// What is given is taken; what needs the host at once cannot be pressed, and says why.
void TaskPartsTest::withoutAHost()
{
    Composer composer(&m_theme);
    composer.show();
    const Session running = session(QStringLiteral("a"), SessionStatus::Running);
    composer.setSession(&running);
    composer.setConnected(false);
    QSignalSpy sent(&composer, &Composer::sendRequested);
    QSignalSpy stopped(&composer, &Composer::stopRequested);
    QTest::keyClicks(composer.edit(), QStringLiteral("later"));
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(sent.size(), 1);
    QTest::keyClick(composer.edit(), Qt::Key_Escape);
    QCOMPARE(stopped.size(), 0);

    StageListModel stages;
    stages.replaceAll({stageOf(QStringLiteral("sandbox/repo_prepared"), StageState::Failed, 1, 10)});
    StageTimeline timeline(&m_theme);
    timeline.setConnected(false);
    timeline.setStages(&stages);
    timeline.show();
    int retries = 0;
    for (const auto *button : timeline.findChildren<QPushButton *>()) {
        if (button->text() != QStringLiteral("Retry from here"))
            continue;
        ++retries;
        QVERIFY(!button->isEnabled() && !button->toolTip().isEmpty());
    }
    QVERIFY(retries > 0);
    timeline.setConnected(true);
    for (const auto *button : timeline.findChildren<QPushButton *>())
        QVERIFY(button->isEnabled() || button->text() != QStringLiteral("Retry from here"));

    // A panel says from when its rows are only when that lasts, and nothing while they are current.
    AsOfLabel label(&m_theme);
    stages.setReady(true);
    stages.setAsOf(QDateTime::currentMSecsSinceEpoch());
    stages.setLive(true);
    label.setModels({&stages});
    QVERIFY(label.isHidden());
    stages.setLive(false);
    QVERIFY(label.isHidden());
    QTRY_VERIFY(!label.isHidden());
    QVERIFY(label.accessibleName().startsWith(QStringLiteral("as of ")));
    stages.setLive(true);
    QVERIFY(label.isHidden());
}

void TaskPartsTest::composerSaysTooLong()
{
    Composer composer(&m_theme);
    const Session a = session(QStringLiteral("a"), SessionStatus::Idle);
    QSignalSpy sent(&composer, &Composer::sendRequested);
    composer.setSession(&a);
    composer.edit()->setPlainText(QString(200 * 1024, QLatin1Char('x')));
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(sent.size(), 1);
    composer.edit()->setPlainText(QString(257 * 1024, QLatin1Char('x')));
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(sent.size(), 1);
    QVERIFY(!composer.text().isEmpty());
}

void TaskPartsTest::composerEditsQueued()
{
    Composer composer(&m_theme);
    composer.show();
    const Session a = session(QStringLiteral("a"), SessionStatus::Running);
    QueuedPromptModel queue;
    queue.replaceAll({queued(a)});
    composer.setQueue(&queue);
    composer.setSession(&a);
    QTest::keyClicks(composer.edit(), QStringLiteral("unsent"));
    QSignalSpy edited(&composer, &Composer::editQueuedRequested);
    QSignalSpy dropped(&composer, &Composer::dropQueuedRequested);
    const auto press = [&](const QString &name) {
        for (QAbstractButton *button : composer.findChildren<QAbstractButton *>()) {
            if (button->accessibleName() == name && !button->isHidden() && button->isVisible()) {
                button->click();
                return;
            }
        }
        QFAIL("no such button");
    };
    press(QStringLiteral("Edit queued prompt"));
    QCOMPARE(composer.text(), QStringLiteral("first"));
    QTest::keyClicks(composer.edit(), QStringLiteral(" more"));
    QTest::keyClick(composer.edit(), Qt::Key_Return);
    QCOMPARE(edited.size(), 1);
    QCOMPARE(edited.first().at(1).toString(), QStringLiteral("first more"));
    QCOMPARE(composer.text(), QStringLiteral("unsent"));
    QTest::qWait(20); // the rows are made anew and shown with the next turn of the loop
    press(QStringLiteral("Remove queued prompt"));
    QCOMPARE(dropped.size(), 1);
}

void TaskPartsTest::pageChoosesAndActivatesSessions()
{
    TaskPage page(&m_theme, nullptr);
    QSignalSpy activated(&page, &TaskPage::sessionActivated);
    SessionListModel sessions;
    StageListModel stages;
    sessions.replaceAll({session(QStringLiteral("a"), SessionStatus::Idle)});
    page.setTask({TaskId(QStringLiteral("t")), &stages, &sessions, nullptr, nullptr});
    QCOMPARE(activated.size(), 1);
    QCOMPARE(page.activeSession().value, QStringLiteral("a"));
    // A session that was asked for before its row is there comes to the front with it.
    page.activateSession(SessionId(QStringLiteral("b")));
    QCOMPARE(page.activeSession().value, QStringLiteral("a"));
    sessions.apply({session(QStringLiteral("b"), SessionStatus::PendingSessionCreate)}, {});
    QTRY_COMPARE(page.activeSession().value, QStringLiteral("b"));
    // A closed one gives its place to another.
    Session closed = session(QStringLiteral("b"), SessionStatus::Idle);
    closed.closedAt = 1;
    sessions.apply({closed}, {});
    QTRY_COMPARE(page.activeSession().value, QStringLiteral("a"));
    QVERIFY(page.findChild<SessionTabs *>()->hasSession(SessionId(QStringLiteral("a"))));
    page.setTask({});
    QVERIFY(page.activeSession().isEmpty());
    {
        SessionListModel brief;
        brief.replaceAll({session(QStringLiteral("c"), SessionStatus::Idle)});
        page.setTask({TaskId(QStringLiteral("u")), nullptr, &brief, nullptr, nullptr});
        QCOMPARE(page.activeSession().value, QStringLiteral("c"));
    }
    QVERIFY(page.activeSession().isEmpty());
}

void TaskPartsTest::pageAsksToRetryFromTheFailedStage()
{
    TaskPage page(&m_theme, nullptr);
    page.resize(1100, 800);
    SessionListModel sessions;
    StageListModel stages;
    sessions.replaceAll({session(QStringLiteral("a"), SessionStatus::PendingProvision)});
    Stage failed = stageOf(QStringLiteral("sandbox/repo_prepared"), StageState::Failed, 2, 100);
    failed.error = Error{QStringLiteral("git"), QStringLiteral("failed"), QStringLiteral("No space left on the disk."), QStringLiteral("Free some and retry."), {}};
    stages.replaceAll({stageOf(QStringLiteral("sandbox/sandbox_allocated"), StageState::Done, 1, 50), failed});
    page.setTask({TaskId(QStringLiteral("t")), &stages, &sessions, nullptr, nullptr});
    page.show();
    QSignalSpy retry(&page, &TaskPage::retryStageRequested);
    QSignalSpy log(&page, &TaskPage::stageLogRequested);
    for (QPushButton *button : page.findChildren<QPushButton *>()) {
        if (button->isVisible() && button->text() == QLatin1StringView("Retry from here"))
            button->click();
    }
    QCOMPARE(retry.size(), 1);
    QCOMPARE(retry.first().at(1).toString(), failed.id);
    for (QPushButton *button : page.findChildren<QPushButton *>()) {
        if (button->isVisible() && button->text() == QLatin1StringView("Show log"))
            button->click();
    }
    QCOMPARE(log.size(), 1);
    page.setStageLog(failed.id, QStringLiteral("a log"));
}

void TaskPartsTest::pageOffersBranchClash()
{
    TaskPage page(&m_theme, nullptr);
    page.resize(1100, 800);
    SessionListModel sessions;
    StageListModel stages;
    sessions.replaceAll({session(QStringLiteral("a"), SessionStatus::PendingProvision)});
    Stage failed = stageOf(QStringLiteral("sandbox/repo_prepared"), StageState::Failed, 2, 100);
    failed.error = Error{QStringLiteral("git"), QStringLiteral("branch_exists"), QStringLiteral("It exists."), {}, {}};
    stages.replaceAll({failed});
    page.setTask({TaskId(QStringLiteral("t")), &stages, &sessions, nullptr, nullptr});
    page.show();
    QSignalSpy resolved(&page, &TaskPage::resolveBranchClashRequested);
    for (QPushButton *button : page.findChildren<QPushButton *>()) {
        if (button->isVisible() && button->text() == QLatin1StringView("Work on that branch"))
            button->click();
    }
    QCOMPARE(resolved.size(), 1);
    QCOMPARE(resolved.first().at(1).toBool(), true);
}

void TaskPartsTest::diffStates()
{
    DiffView view(&m_theme, nullptr);
    view.resize(900, 600);
    view.show();
    QSignalSpy asked(&view, &DiffView::pageRequested);
    view.load(QStringLiteral("a/b.cpp"), ChangeScope::Unstaged);
    QCOMPARE(asked.size(), 1);
    DiffPage page;
    page.pending = true;
    view.setPage(page);
    page.pending = false;
    page.unified = QStringLiteral("@@ -1 +1 @@\n-a\n");
    page.cursor = QStringLiteral("next");
    view.setPage(page);
    QCOMPARE(asked.size(), 2);
    QCOMPARE(asked.last().at(2).toString(), QStringLiteral("next"));
    page.unified = QStringLiteral("+b\n");
    page.cursor.reset();
    view.setPage(page);
    QCOMPARE(view.canvas()->diff().count(), 3);
    view.canvas()->setFocus();
    QTest::keyClick(view.canvas(), Qt::Key_N);
    QCOMPARE(view.canvas()->currentLine(), 1);
    QTest::keyClick(view.canvas(), Qt::Key_Down, Qt::ShiftModifier);
    QCOMPARE(view.canvas()->selectedText(), QStringLiteral("a\nb"));
    // Read anew: what is shown stays until the new lines are there.
    view.load(QStringLiteral("a/b.cpp"), ChangeScope::Unstaged);
    QCOMPARE(view.canvas()->diff().count(), 3);
    page.unified = QStringLiteral("@@ -1 +1 @@\n-a\n");
    view.setPage(page);
    QCOMPARE(view.canvas()->diff().count(), 2);
    view.setPage(Error{QStringLiteral("git"), QStringLiteral("failed"), QStringLiteral("no"), {}, {}});
}

void TaskPartsTest::diffOfFiftyThousandLines()
{
    QString text = QStringLiteral("@@ -1,50000 +1,50000 @@\n");
    for (int i = 0; i < 50'000; ++i)
        text += QStringLiteral("%1    const auto value%2 = compute(%2, \"something long enough\");\n").arg(QLatin1Char(" +-"[i % 3])).arg(i);
    CodeHighlighter highlighter;
    DiffCanvas canvas(&m_theme, &highlighter);
    canvas.resize(1600, 1000);
    canvas.show();
    QElapsedTimer timer;
    timer.start();
    canvas.setPath(QStringLiteral("a.cpp"));
    canvas.appendUnified(text);
    canvas.grab();
    const qint64 open = timer.elapsed();
    const auto cpu = [] {
        timespec now = {};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
    };
    QList<double> frames;
    QImage target(canvas.viewport()->size(), QImage::Format_RGB32);
    for (int i = 0; i < 200; ++i) {
        canvas.verticalScrollBar()->setValue(canvas.verticalScrollBar()->maximum() / 200 * i + i * 7);
        const double before = cpu();
        canvas.viewport()->render(&target);
        frames.append(cpu() - before);
    }
    std::sort(frames.begin(), frames.end());
    qInfo("50,000 lines: open and first paint %lld ms; jump frames p50 %.1f, p99 %.1f ms of CPU", open, frames.at(100), frames.at(197));
    QVERIFY(open < 1000);
    QVERIFY(frames.at(197) < 60); // budgets are checked by the bench, in release
}

void TaskPartsTest::everyControlHasAName()
{
    TaskPage page(&m_theme, nullptr);
    page.resize(1200, 800);
    SessionListModel sessions;
    StageListModel stages;
    QueuedPromptModel queue;
    ChangesModel changes;
    sessions.replaceAll({session(QStringLiteral("a"), SessionStatus::Running)});
    page.setTask({TaskId(QStringLiteral("t")), &stages, &sessions, &queue, &changes});
    TaskSummary summary;
    summary.id = TaskId(QStringLiteral("t"));
    summary.title = QStringLiteral("A title");
    summary.branch = QStringLiteral("a-branch");
    page.setSummary(summary);
    page.show();
    for (QWidget *widget : page.findChildren<QWidget *>()) {
        if (!widget->isVisible() || widget->focusPolicy() == Qt::NoFocus || widget->focusProxy())
            continue;
        if (widget->parentWidget() && widget->parentWidget()->inherits("QTabBar") && widget->objectName().startsWith(QLatin1StringView("Scroll")))
            continue;
        QAccessibleInterface *face = QAccessible::queryAccessibleInterface(widget);
        QVERIFY(face);
        QVERIFY2(!face->text(QAccessible::Name).isEmpty() || face->role() == QAccessible::ScrollBar, widget->metaObject()->className());
    }
}

QTEST_MAIN(TaskPartsTest)
#include "tst_taskparts.moc"
