// Pictures of the task page in its states, light and dark, to be looked at; and that no state paints nothing.
#include "resources/foundryresources.h"
#include "tests/views_task/shotfixture.h"
#include "views/common/codehighlighter.h"
#include "views/common/themeprovider.h"
#include "views/composer/composer.h"
#include "views/composer/promptedit.h"
#include "views/task/taskpage.h"
#include "views/transcript/transcriptview.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QDir>
#include <QSet>
#include <QSignalSpy>
#include <QTest>

using namespace foundry;
using namespace foundry::views;

class TaskShots : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void shots_data();
    void shots();

private:
    void grab(QWidget &page, const QString &name);
    QString m_dir;
};

void TaskShots::initTestCase()
{
    initResources();
    initLateFonts();
    m_dir = qEnvironmentVariable("FOUNDRY_SHOTS", QStringLiteral(FOUNDRY_SHOTS_DIR));
    QVERIFY(QDir().mkpath(m_dir));
}

void TaskShots::grab(QWidget &page, const QString &name)
{
    const QImage image = page.grab().toImage();
    QSet<QRgb> colors;
    for (int y = 0; y < image.height(); y += 7) {
        for (int x = 0; x < image.width(); x += 5)
            colors.insert(image.pixel(x, y));
    }
    QVERIFY2(colors.size() > 12, qPrintable(name));
    QVERIFY(image.save(m_dir + QLatin1Char('/') + name + QStringLiteral(".png")));
}

void TaskShots::shots_data()
{
    QTest::addColumn<QString>("scene");
    QTest::addColumn<bool>("dark");
    for (const char *scene : {"provisioning", "failed", "clash", "running", "long", "diff", "queued", "unsent", "empty", "narrow", "top", "focus"}) {
        QTest::addRow("%s-light", scene) << QString::fromLatin1(scene) << false;
        QTest::addRow("%s-dark", scene) << QString::fromLatin1(scene) << true;
    }
}

void TaskShots::shots()
{
    QFETCH(const QString, scene);
    QFETCH(const bool, dark);
    ThemeProvider theme(dark ? ThemeChoice::Dark : ThemeChoice::Light);
    theme.applyTo(*qApp);
    CodeHighlighter highlighter;
    highlighter.setDark(dark);
    QSignalSpy coloured(&highlighter, &CodeHighlighter::ready);

    StageListModel stages;
    SessionListModel sessions;
    QueuedPromptModel queue;
    ChangesModel changes;
    TranscriptModel transcript;
    const TaskId task(QStringLiteral("t1"));
    const SessionId session(QStringLiteral("s1"));

    TaskPage page(&theme, &highlighter);
    page.resize(scene == QLatin1StringView("narrow") ? QSize(760, 700) : QSize(1320, 860));
    TaskSummary summary;
    summary.id = task;
    summary.title = QStringLiteral("Make the retry delay configurable");
    summary.branch = QStringLiteral("make-retry-delay-configurable-7f3k");
    summary.baseBranch = QStringLiteral("main");
    summary.status = TaskStatus::Running;

    Session one;
    one.id = session;
    one.name = QStringLiteral("Backoff");
    one.agent = AgentId(QStringLiteral("claude"));
    one.status = SessionStatus::Running;
    one.turnStartedAt = QDateTime::currentMSecsSinceEpoch() - 72'000;
    one.options = {{QStringLiteral("mode"), QStringLiteral("Mode"), QStringLiteral("mode"), QStringLiteral("default"),
                       {{QStringLiteral("default"), QStringLiteral("Ask first"), {}}, {QStringLiteral("plan"), QStringLiteral("Plan"), {}}}},
        {QStringLiteral("model"), QStringLiteral("Model"), QStringLiteral("model"), QStringLiteral("m"), {{QStringLiteral("m"), QStringLiteral("Sonnet"), {}}}}};
    Session two;
    two.id = SessionId(QStringLiteral("s2"));
    two.name = QStringLiteral("Review the API");
    two.agent = AgentId(QStringLiteral("runner"));
    two.status = SessionStatus::Idle;
    two.entryCount = 4;

    const QString own = QStringLiteral("session:s1/");
    const QString agent = QStringLiteral("agent:claude/");
    QList<Stage> all{stageOf(QStringLiteral("sandbox/sandbox_allocated"), StageState::Done, 1, 320, QStringLiteral("worktrees/7f3k")),
        stageOf(QStringLiteral("sandbox/repo_prepared"), StageState::Done, 2, 1840, QStringLiteral("branch from main at 4be1c20")),
        stageOf(agent + QStringLiteral("agent_starting"), StageState::Done, 4, 930), stageOf(agent + QStringLiteral("agent_ready"), StageState::Done, 5, 410),
        stageOf(own + QStringLiteral("session_creating"), StageState::Done, 6, 120), stageOf(own + QStringLiteral("ready"), StageState::Done, 7, 20)};
    QList<TranscriptEntry> entries = shotEntries();

    if (scene == QLatin1StringView("provisioning")) {
        summary.status = TaskStatus::Provisioning;
        summary.stage = QStringLiteral("agent_starting");
        one.status = SessionStatus::PendingProvision;
        one.turnStartedAt.reset();
        all[2] = stageOf(agent + QStringLiteral("agent_starting"), StageState::Running, 4, 3200, QStringLiteral("claude-agent-acp 0.11.2 is starting"));
        all[2].deadlineAt = *all[2].startedAt + 60'000;
        for (int i = 3; i < 6; ++i)
            all[i] = stageOf(all[i].id, StageState::Pending, all[i].order);
        entries.clear();
    } else if (scene == QLatin1StringView("failed")) {
        summary.status = TaskStatus::Error;
        summary.stage = QStringLiteral("agent_starting");
        one.status = SessionStatus::PendingProvision;
        one.turnStartedAt.reset();
        all[2] = stageOf(agent + QStringLiteral("agent_starting"), StageState::Failed, 4, 10'020);
        all[2].attempt = 2;
        all[2].error = Error{QStringLiteral("agent"), QStringLiteral("crashed"), QStringLiteral("The agent ended with code 1 before it was ready."),
            QStringLiteral("Look at its log; often the adapter needs a newer Node.js or a login."),
            QStringLiteral("node:internal/modules/cjs/loader:1228\n  throw err;\nError: Cannot find module '@anthropic-ai/claude-agent-sdk'")};
        for (int i = 3; i < 6; ++i)
            all[i] = stageOf(all[i].id, StageState::Pending, all[i].order);
        entries.clear();
    } else if (scene == QLatin1StringView("clash")) {
        summary.status = TaskStatus::Error;
        one.status = SessionStatus::PendingProvision;
        one.turnStartedAt.reset();
        all[1] = stageOf(QStringLiteral("sandbox/repo_prepared"), StageState::Failed, 2, 210);
        all[1].error = Error{QStringLiteral("git"), QStringLiteral("branch_exists"), QStringLiteral("A branch named “retry-delay” exists already."),
            QStringLiteral("Work on it, or choose another name."), {}};
        for (int i = 2; i < 6; ++i)
            all[i] = stageOf(all[i].id, StageState::Pending, all[i].order);
        entries.clear();
    } else if (scene == QLatin1StringView("running") || scene == QLatin1StringView("narrow")) {
        entries << shotPermission(true) << toolEntry(QStringLiteral("execute"), QStringLiteral("ctest --preset dev -R backoff"), QStringLiteral("in_progress"))
                << shotPermission(false);
    } else if (scene == QLatin1StringView("long")) {
        one.status = SessionStatus::Idle;
        one.turnStartedAt.reset();
        summary.status = TaskStatus::Idle;
        TranscriptEntry end = entryOf(EntryKind::TurnEnd, {});
        end.turnEnd = TurnEnd{QStringLiteral("end_turn"), 74'300, Usage{12'400, 1'900, 0.12, {}, {}}};
        entries << end << entryOf(EntryKind::UserMessage, QStringLiteral("Thanks. Why **full** jitter?")) << entryOf(EntryKind::Notice, QStringLiteral("The agent was started again; it remembers the session."));
        TranscriptEntry error = entryOf(EntryKind::Error, {});
        error.error = Error{QStringLiteral("agent"), QStringLiteral("protocol"), QStringLiteral("The model's server answered 529: overloaded."), QStringLiteral("Send the prompt again in a minute."), QStringLiteral("request id req_011CS")};
        entries << error << entryOf(EntryKind::AgentMessage, QStringLiteral("Because clients that lost the same host at the same moment would otherwise return in waves:\n\n1. Equal delays keep them in step.\n2. *Full* jitter spreads them over the whole window.\n   - see `Backoff::nextDelay`\n3. The cap bounds the wait."));
    } else if (scene == QLatin1StringView("unsent")) {
        one.status = SessionStatus::Idle;
        one.turnStartedAt.reset();
        summary.status = TaskStatus::Idle;
        TranscriptEntry end = entryOf(EntryKind::TurnEnd, {});
        end.turnEnd = TurnEnd{QStringLiteral("cancelled"), 1'200, {}};
        entries << toolEntry(QStringLiteral("execute"), QStringLiteral("sleep 100"), QStringLiteral("cancelled"), 505) << end;
        for (ListModelBase *model : {static_cast<ListModelBase *>(&sessions), static_cast<ListModelBase *>(&transcript), static_cast<ListModelBase *>(&changes)})
            model->setAsOf(QDateTime::currentMSecsSinceEpoch() - 3'600'000);
        sessions.setReady(true);
    } else if (scene == QLatin1StringView("empty")) {
        one.status = SessionStatus::Ready;
        one.turnStartedAt.reset();
        summary.status = TaskStatus::Ready;
        entries.clear();
    }

    stages.replaceAll(all);
    sessions.replaceAll({one, two});
    if (scene != QLatin1StringView("provisioning") && scene != QLatin1StringView("failed") && scene != QLatin1StringView("clash") && scene != QLatin1StringView("empty")) {
        ChangesHeader header;
        header.at = QDateTime::currentMSecsSinceEpoch();
        QList<Entity> rows{header};
        for (const FileChange &change : shotChanges())
            rows.append(change);
        changes.replace(QStringLiteral("changes"), rows);
        changes.setReady(true);
        QCOMPARE(changes.total().files, 7);
    }
    if (scene == QLatin1StringView("queued") || scene == QLatin1StringView("unsent")) {
        QueuedPrompt first;
        first.id = QueueId(QStringLiteral("q1"));
        first.sessionId = session;
        first.prompt.text = QStringLiteral("Then update docs/network.md and say that the cap is in seconds.");
        QueuedPrompt second = first;
        second.id = QueueId(QStringLiteral("q2"));
        second.order = 1;
        second.prompt.text = QStringLiteral("Run the whole suite once more and tell me which tests are slow, with their times; anything above two seconds is worth a word.");
        queue.replaceAll({first, second});
    }

    page.setTask({task, &stages, &sessions, &queue, &changes});
    page.setSummary(summary);
    page.show();
    fill(transcript, entries);
    if (scene != QLatin1StringView("provisioning"))
        page.setTranscript(session, &transcript);
    if (scene == QLatin1StringView("top"))
        page.revealEntry(0);
    if (scene == QLatin1StringView("focus")) {
        // Seen with the keyboard alone: the fold of a tool under the focus ring, text selected, the transcript scrolled up.
        auto *view = page.findChild<TranscriptView *>();
        page.activateWindow();
        view->setFocus(Qt::TabFocusReason);
        view->selectAll();
        QTest::keyClick(view, Qt::Key_PageUp);
        QTest::keyClick(view, Qt::Key_Tab);
        QTest::keyClick(view, Qt::Key_Tab);
    }
    if (scene == QLatin1StringView("queued"))
        page.findChild<PromptEdit *>()->setPlainText(QStringLiteral("And another thing:\n- the log line should name the attempt\n- no secrets in it"));
    if (scene == QLatin1StringView("unsent")) {
        page.setConnected(false);
        const Error refused{QStringLiteral("state"), QStringLiteral("archived"), QStringLiteral("The session was closed before the message came."),
            QStringLiteral("Open another session and send it there."), {}};
        page.setOutbox({{RequestId(QStringLiteral("r1")), QueueId(QStringLiteral("q1")), session, {}, OutboxItemState::Sent, {}},
            {RequestId(QStringLiteral("r2")), QueueId(QStringLiteral("q2")), session, {}, OutboxItemState::Queued, {}},
            {RequestId(QStringLiteral("r3")), {}, {}, QStringLiteral("Title: Retry delay, in seconds"), OutboxItemState::Queued, {}},
            {RequestId(QStringLiteral("r4")), QueueId(QStringLiteral("q4")), session, QStringLiteral("And the changelog, please."), OutboxItemState::Failed, refused},
            {RequestId(QStringLiteral("r5")), QueueId(QStringLiteral("q5")), session, QStringLiteral("Merge it when the tests pass."), OutboxItemState::Uncertain, {}}});
        QTest::qWait(700); // "as of" comes when it lasts
    }
    if (scene == QLatin1StringView("narrow"))
        page.setChangesVisible(false);
    if (scene == QLatin1StringView("diff")) {
        QSignalSpy asked(&page, &TaskPage::diffRequested);
        auto *list = page.findChild<QAbstractItemView *>();
        Q_EMIT list->clicked(list->model()->index(1, 0));
        QCOMPARE(asked.size(), 1);
        DiffPage diff;
        diff.path = asked.first().at(1).toString();
        diff.unified = shotDiff();
        page.setDiffPage(diff.path, asked.first().at(2).value<ChangeScope>(), diff);
    }
    page.grab();
    // The colours of code come from another thread: wait until no more do.
    for (int quiet = 0; quiet < 3; quiet = coloured.isEmpty() ? quiet + 1 : 0) {
        coloured.clear();
        QTest::qWait(60);
        page.grab();
    }
    grab(page, QStringLiteral("task-%1-%2").arg(scene, dark ? QStringLiteral("dark") : QStringLiteral("light")));
}

QTEST_MAIN(TaskShots)
#include "tst_taskshots.moc"
