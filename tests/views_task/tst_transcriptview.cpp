// What the transcript promises: what is under the reader's eye does not move, following is followed, costs do not grow.
#include "resources/foundryresources.h"
#include "tests/views_task/taskfixture.h"
#include "views/common/themeprovider.h"
#include "views/transcript/transcriptview.h"

#include <QAccessible>
#include <QApplication>
#include <QElapsedTimer>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>

#include <time.h>

using namespace foundry;
using namespace foundry::views;

class TranscriptViewTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void followsAtTheBottom();
    void anchorStaysWhenTextStreams();
    void anchorStaysWhenOlderArrive();
    void anchorStaysWhenEstimatesResolve();
    void scrollingMovesByPixels();
    void onlyNearEntriesAreLaidOut();
    void streamingCostDoesNotGrow();
    void answersPermissionByKeyboard();
    void selectsAcrossEntries();
    void foldsAreKeptBySession();
    void isAnAccessibleList();
    void longLinesDoNotFreeze();
    void scrollFrames();

private:
    struct Shown {
        ThemeProvider theme{ThemeChoice::Dark};
        TranscriptModel model;
        TranscriptView view{&theme, nullptr};
    };
    static std::unique_ptr<Shown> shown(int count, qint64 from = 0);
    static void wheel(TranscriptView &view, int pixels);
    // Where the first character of the anchor entry stands on screen.
    static int eye(const TranscriptView &view, qint64 entry);
};

void TranscriptViewTest::initTestCase()
{
    initResources();
}

std::unique_ptr<TranscriptViewTest::Shown> TranscriptViewTest::shown(int count, qint64 from)
{
    auto all = std::make_unique<Shown>();
    TranscriptPage page;
    for (qint64 i = from; i < from + count; ++i)
        page.entries.append(plainEntry(i));
    page.count = from + count;
    all->model.applyPage(page);
    all->model.setReady(true);
    all->view.resize(900, 700);
    all->view.setTranscript(SessionId(QStringLiteral("s")), &all->model);
    all->view.show();
    all->view.flush();
    return all;
}

void TranscriptViewTest::wheel(TranscriptView &view, int pixels)
{
    QWheelEvent event(QPointF(100, 100), view.viewport()->mapToGlobal(QPointF(100, 100)), QPoint(0, -pixels), QPoint(0, -pixels), Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(view.viewport(), &event);
}

int TranscriptViewTest::eye(const TranscriptView &view, qint64 entry)
{
    return view.entryRect(view.transcript()->rowOf(entry)).top();
}

void TranscriptViewTest::followsAtTheBottom()
{
    const auto all = shown(200);
    QVERIFY(all->view.isAtBottom());
    QCOMPARE(all->view.visibleEntries().last().row, 199);
    TopicEvent event;
    event.upserts = {plainEntry(200)};
    all->model.apply(event);
    all->view.flush();
    QVERIFY(all->view.isAtBottom());
    QCOMPARE(all->view.visibleEntries().last().row, 200);
    const QRect last = all->view.entryRect(200);
    QVERIFY(last.bottom() < all->view.viewport()->height());
}

void TranscriptViewTest::anchorStaysWhenTextStreams()
{
    const auto all = shown(200);
    wheel(all->view, -900);
    QVERIFY(!all->view.isAtBottom());
    const qint64 entry = all->model.at(all->view.visibleEntries().at(1).row).index;
    const int before = eye(all->view, entry);
    for (int i = 0; i < 20; ++i) {
        TopicEvent event;
        event.upserts = {plainEntry(200 + i)};
        all->model.apply(event);
        all->view.flush();
    }
    QCOMPARE(eye(all->view, entry), before);
    QVERIFY(all->view.findChild<QWidget *>(QStringLiteral("newBelow"))->isVisible());
    QTest::keyClick(&all->view, Qt::Key_End);
    QVERIFY(all->view.isAtBottom());
    QVERIFY(!all->view.findChild<QWidget *>(QStringLiteral("newBelow"))->isVisible());
}

void TranscriptViewTest::anchorStaysWhenOlderArrive()
{
    const auto all = shown(100, 500);
    QSignalSpy wanted(&all->model, &TranscriptModel::olderWanted);
    all->view.revealEntry(505);
    const int before = eye(all->view, 505);
    QCOMPARE(wanted.size(), 1);
    TranscriptPage older;
    for (qint64 i = 300; i < 500; ++i)
        older.entries.append(plainEntry(i));
    older.count = 600;
    all->model.applyPage(older);
    all->view.flush();
    QCOMPARE(all->model.firstIndex(), 300);
    QCOMPARE(eye(all->view, 505), before);
}

void TranscriptViewTest::anchorStaysWhenEstimatesResolve()
{
    const auto all = shown(3000);
    // A jump among estimates; then small steps up, through entries that were never laid out.
    all->view.verticalScrollBar()->setValue(all->view.verticalScrollBar()->maximum() / 2);
    for (int step = 0; step < 300; ++step) {
        const qint64 entry = all->model.at(all->view.visibleEntries().last().row).index;
        const int before = eye(all->view, entry);
        wheel(all->view, -7);
        const QRect after = all->view.entryRect(all->model.rowOf(entry));
        if (!after.isNull())
            QCOMPARE(after.top(), before + 7);
    }
}

void TranscriptViewTest::scrollingMovesByPixels()
{
    const auto all = shown(400);
    all->view.revealEntry(200);
    for (const int pixels : {13, -13, 400, -400, 1, -1}) {
        const qint64 entry = all->model.at(all->view.visibleEntries().at(1).row).index;
        const int before = eye(all->view, entry);
        wheel(all->view, pixels);
        if (!all->view.entryRect(all->model.rowOf(entry)).isNull())
            QCOMPARE(eye(all->view, entry), before - pixels);
    }
    // Visible entries stand on each other without gaps.
    int y = all->view.visibleEntries().first().y;
    for (const TranscriptView::Visible &visible : all->view.visibleEntries()) {
        QCOMPARE(visible.y, y);
        y += all->view.entryHeight(visible.row);
    }
    QTest::keyClick(&all->view, Qt::Key_Home);
    QCOMPARE(all->view.anchorRow(), 0);
}

void TranscriptViewTest::onlyNearEntriesAreLaidOut()
{
    const auto all = shown(20'000);
    QVERIFY(all->view.laidOutCount() < 60);
    for (int i = 0; i < 40; ++i)
        all->view.verticalScrollBar()->setValue(all->view.verticalScrollBar()->maximum() / 40 * i);
    QVERIFY(all->view.laidOutCount() < 160);
}

void TranscriptViewTest::streamingCostDoesNotGrow()
{
    const auto cost = [](int count) {
        const auto all = shown(count);
        TranscriptEntry last = entryOf(EntryKind::AgentMessage, QStringLiteral("start "), count);
        TopicEvent first;
        first.upserts = {last};
        all->model.apply(first);
        all->view.flush();
        qint64 best = std::numeric_limits<qint64>::max();
        for (int round = 0; round < 5; ++round) {
            QElapsedTimer timer;
            timer.start();
            for (int i = 0; i < 40; ++i) {
                last = all->model.at(all->model.count() - 1);
                last.text += QStringLiteral("word ");
                TopicEvent event;
                event.upserts = {last};
                all->model.apply(event);
                all->view.flush();
            }
            best = std::min(best, timer.nsecsElapsed());
            last.text = QStringLiteral("start ");
        }
        return best;
    };
    const qint64 small = cost(1000);
    const qint64 big = cost(100'000);
    qInfo("40 chunks: %.2f ms at 1e3, %.2f ms at 1e5 entries", double(small) / 1e6, double(big) / 1e6);
    QVERIFY2(double(big) < double(small) * 1.6 + 2e6, "the cost of a chunk grows with the transcript");
}

void TranscriptViewTest::answersPermissionByKeyboard()
{
    const auto all = shown(5);
    TranscriptEntry ask = entryOf(EntryKind::Permission, {}, 5);
    PermissionAsk permission;
    permission.requestId = QStringLiteral("r9");
    permission.title = QStringLiteral("Run tests");
    permission.options = {{QStringLiteral("yes"), QStringLiteral("Allow"), QStringLiteral("allow_once")},
        {QStringLiteral("no"), QStringLiteral("Reject"), QStringLiteral("reject_once")}};
    ask.permission = permission;
    TopicEvent event;
    event.upserts = {ask};
    all->model.apply(event);
    all->view.flush();
    QSignalSpy answered(&all->view, &TranscriptView::permissionAnswered);
    all->view.activateWindow();
    all->view.setFocus();
    // The last button is reached first from behind.
    QTest::keyClick(&all->view, Qt::Key_Backtab);
    const HotArea *area = all->view.hotArea(all->view.focusedHot());
    QVERIFY(area);
    QCOMPARE(area->value, QStringLiteral("no"));
    QTest::keyClick(&all->view, Qt::Key_Return);
    QCOMPARE(answered.size(), 1);
    QCOMPARE(answered.first().at(0).toString(), QStringLiteral("r9"));
    QCOMPARE(answered.first().at(1).toString(), QStringLiteral("no"));
}

void TranscriptViewTest::selectsAcrossEntries()
{
    auto all = std::make_unique<Shown>();
    fill(all->model, {entryOf(EntryKind::UserMessage, QStringLiteral("first prompt")), entryOf(EntryKind::AgentMessage, QStringLiteral("A **bold** answer\n\n- one\n- two")),
                         entryOf(EntryKind::AgentMessage, QStringLiteral("the end"))});
    all->view.resize(900, 700);
    all->view.setTranscript(SessionId(QStringLiteral("s")), &all->model);
    all->view.show();
    all->view.selectAll();
    QCOMPARE(all->view.selectedText(), QStringLiteral("first prompt\n\nA bold answer\n\n• one\n• two\n\nthe end"));
    // From the middle of one to the middle of another.
    const QRect first = all->view.entryRect(1);
    const QRect last = all->view.entryRect(2);
    QTest::mousePress(all->view.viewport(), Qt::LeftButton, {}, QPoint(first.left() + 1, first.top() + 24));
    QTest::mouseMove(all->view.viewport(), QPoint(last.left() + 30, last.top() + 24));
    QMouseEvent move(QEvent::MouseMove, QPointF(last.left() + 30, last.top() + 24), all->view.viewport()->mapToGlobal(QPointF(last.left() + 30, last.top() + 24)), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(all->view.viewport(), &move);
    const QString text = all->view.selectedText();
    QVERIFY2(text.contains(QStringLiteral("A bold answer")) && text.contains(QStringLiteral("one")) && text.contains(QStringLiteral("\n\nth")) && !text.endsWith(QStringLiteral("the end")), qPrintable(text));
    QVERIFY(!text.contains(QStringLiteral("first prompt")));
}

void TranscriptViewTest::foldsAreKeptBySession()
{
    auto all = std::make_unique<Shown>();
    TranscriptEntry tool = toolEntry(QStringLiteral("execute"), QStringLiteral("ls"), QStringLiteral("completed"), 12);
    ToolText output;
    output.text.text = QStringLiteral("one\ntwo\nthree");
    tool.tool->content.append(output);
    fill(all->model, {entryOf(EntryKind::AgentMessage, QStringLiteral("x")), tool});
    all->view.resize(900, 700);
    const SessionId session(QStringLiteral("s"));
    all->view.setTranscript(session, &all->model);
    all->view.show();
    const int folded = all->view.entryHeight(1);
    QVERIFY(all->view.activateHot({1, 0}));
    const int open = all->view.entryHeight(1);
    QVERIFY(open > folded + 40);
    TranscriptModel other;
    all->view.setTranscript(SessionId(QStringLiteral("t")), &other);
    all->view.setTranscript(session, &all->model);
    QCOMPARE(all->view.entryHeight(1), open);
}

void TranscriptViewTest::isAnAccessibleList()
{
    const auto all = shown(30);
    QAccessibleInterface *list = QAccessible::queryAccessibleInterface(&all->view);
    QVERIFY(list);
    QCOMPARE(list->role(), QAccessible::List);
    QCOMPARE(list->childCount(), 30);
    QAccessibleInterface *item = list->child(6);
    QVERIFY(item);
    QCOMPARE(item->role(), QAccessible::ListItem);
    QVERIFY(item->text(QAccessible::Name).startsWith(QStringLiteral("You: Sentence 0 of entry 6")));
    QCOMPARE(list->indexOfChild(item), 6);
    QCOMPARE(item->parent(), list);
}

void TranscriptViewTest::longLinesDoNotFreeze()
{
    auto all = std::make_unique<Shown>();
    TranscriptEntry tool = toolEntry(QStringLiteral("execute"), QStringLiteral("cat big"), QStringLiteral("failed"), 12);
    ToolText output;
    output.text.text = QString(1'000'000, QLatin1Char('x'));
    tool.tool->content.append(output);
    fill(all->model, {tool});
    all->view.resize(900, 700);
    QElapsedTimer timer;
    timer.start();
    all->view.setTranscript(SessionId(QStringLiteral("s")), &all->model);
    all->view.show();
    all->view.grab();
    qInfo("a line of 1 MB: %lld ms", timer.elapsed());
    QVERIFY(timer.elapsed() < 500);
}

// What a frame of scrolling costs; the budget itself is the bench's, in release.
void TranscriptViewTest::scrollFrames()
{
    const auto all = shown(100'000);
    all->view.resize(1600, 1000);
    const auto cpu = [] {
        timespec now = {};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
    };
    QImage target(all->view.viewport()->size(), QImage::Format_RGB32);
    QList<double> frames;
    all->view.verticalScrollBar()->setValue(all->view.verticalScrollBar()->maximum() / 3);
    for (int i = 0; i < 400; ++i) {
        const double before = cpu();
        if (i % 40 == 0)
            all->view.verticalScrollBar()->setValue(all->view.verticalScrollBar()->maximum() / 40 * (i / 10));
        else
            wheel(all->view, i % 3 ? 90 : -60);
        all->view.viewport()->render(&target);
        frames.append(cpu() - before);
    }
    std::sort(frames.begin(), frames.end());
    qInfo("scrolling 1e5 entries: frame p50 %.1f, p99 %.1f, max %.1f ms of CPU", frames.at(200), frames.at(396), frames.last());
    QVERIFY(frames.at(396) < 60);
}

QTEST_MAIN(TranscriptViewTest)
#include "tst_transcriptview.moc"
