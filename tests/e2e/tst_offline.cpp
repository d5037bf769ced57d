// Offline for real: what every pane showed is there after a restart without a host, row by row, with its time; what
// cannot be done says why; what is given waits, in view.
#include "tests/e2e/workbench.h"

#include "app/tour/touruser.h"
#include "realtime/protocol/codec.h"
#include "views/common/asoflabel.h"
#include "views/common/controls.h"
#include "views/composer/composer.h"
#include "views/composer/promptedit.h"
#include "views/dashboard/dashboard.h"
#include "views/diff/changespanel.h"
#include "views/diff/diffcanvas.h"
#include "views/diff/diffview.h"
#include "views/settings/settingssheet.h"
#include "views/sidebar/sidebar.h"

#include <QSettings>
#include <QStandardPaths>

using namespace foundry;
using namespace foundry::app;

namespace {

template <class Model>
void offlineRows(QStringList &into, const char *pane, const Model &model)
{
    for (int row = 0; row < model.count(); ++row) {
        QString text;
        if constexpr (std::is_constructible_v<Entity, decltype(model.at(row))>)
            text = QString::fromUtf8(protocol::encodeEntity(Entity(model.at(row))));
        else
            text = QString::fromUtf8(protocol::encodeEntity(Entity(model.at(row).task)) + protocol::encodeEntity(Entity(model.at(row).overlay)));
        into << QStringLiteral("%1 %2: %3").arg(QLatin1StringView(pane)).arg(row).arg(text);
    }
}

} // namespace

class OfflineTest : public QObject {
    Q_OBJECT

public:
    explicit OfflineTest(WatchedApplication &qt)
        : m_bench(qt, m_dir.filePath(QStringLiteral("host")))
    {
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_bench.start(true);
        QVERIFY(m_bench.is(LinkPhase::Live));
        QVERIFY(m_bench.addRepository(m_git.makeRepository(QStringLiteral("sample"))));
        m_read = create(QStringLiteral("/write NOTES.md\n# Notes\nberths are counted\n\n/find main\n/run sh -c 'echo out; echo err >&2'"));
        QVERIFY(m_bench.waitForIdle(m_read));
        m_unread = create(QStringLiteral("/find light"));
        QVERIFY(m_bench.waitForIdle(m_unread));
    }

    void samePanesWithoutAHost()
    {
        open(m_read);
        QTRY_VERIFY_WITH_TIMEOUT(transcript() && transcript()->isReady() && transcript()->count() > 3, tests::Workbench::patience);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench.task(m_read)->changes().count() > 0, tests::Workbench::patience);
        openDiff();
        QTRY_VERIFY_WITH_TIMEOUT(!diffLines().isEmpty(), tests::Workbench::patience);
        QTRY_VERIFY_WITH_TIMEOUT(allLive(), tests::Workbench::patience);
        QVERIFY(asOfShown().isEmpty()); // nothing while it is live
        m_bench.picture(QStringLiteral("live-diff"));
        QTRY_VERIFY_WITH_TIMEOUT(dump() == std::exchange(m_before, dump()), tests::Workbench::patience); // the last word is in
        QVERIFY2(m_before.size() > 15, qPrintable(m_before.join(QLatin1Char('\n'))));

        QVERIFY(m_bench.endHost());
        m_bench.start(false);
        QVERIFY(m_bench.is(LinkPhase::HostFailed));
        open(m_read);
        QTRY_VERIFY_WITH_TIMEOUT(transcript() && transcript()->isReady() && m_bench.task(m_read)->changes().isReady(), tests::Workbench::patience);
        openDiff();
        QTRY_VERIFY_WITH_TIMEOUT(!diffLines().isEmpty(), tests::Workbench::patience);
        QTRY_COMPARE(dump(), m_before);
    }

    void everyPanelSaysFromWhen()
    {
        // Sidebar and banner say it in words; the diff and the changes in their corners.
        QVERIFY(m_bench.application().link().state().asOf > 0);
        QTRY_COMPARE(asOfShown().size(), 2);
        m_bench.picture(QStringLiteral("offline-diff"));
        views::TaskPage *page = m_bench.page();
        page->focusComposer(); // the conversation
        QTRY_COMPARE(asOfShown().size(), 2);
        m_bench.picture(QStringLiteral("offline-task"));
        m_bench.window().showDashboard();
        QTRY_COMPARE(asOfShown().size(), 1);
        m_bench.picture(QStringLiteral("offline-board"));
        open(m_read);
    }

    // Never opened while there was a host: not empty, but not here.
    void notHereIsNotEmpty()
    {
        open(m_unread);
        QTRY_VERIFY(shows(views::TaskPage::tr("This task is not on this computer yet")));
        QVERIFY(!shows(views::ChangesPanel::tr("Nothing changed")));
        QTRY_VERIFY(shows(views::ChangesPanel::tr("Not on this computer yet")));
        m_bench.picture(QStringLiteral("offline-not-here"));
        open(m_read);
    }

    void whatCannotBeDoneSaysWhy()
    {
        auto *add = button(views::Sidebar::tr("Add repository"));
        QVERIFY(add && !add->isEnabled() && !add->toolTip().isEmpty());
        auto *refresh = touruser::find<views::IconButton>(&m_bench.window(), views::ChangesPanel::tr("Read the changes again"));
        QVERIFY(refresh);
        QTRY_VERIFY(!refresh->isEnabled());
        QVERIFY(refresh->toolTip() != views::ChangesPanel::tr("Read the changes again"));
    }

    void promptsWaitInView()
    {
        give(QStringLiteral("/find berths"));
        give(QStringLiteral("/find harbour"));
        OpenTask *task = m_bench.task(m_read);
        QTRY_COMPARE(task->queue().count(), 2);
        QTRY_VERIFY(shows(QStringLiteral("Kept here until the host is back")));
        // Changed and taken back where it waits.
        Q_EMIT m_bench.page()->editQueuedRequested(m_read, task->queue().at(0).id, QStringLiteral("/find ships"));
        QTRY_COMPARE(task->queue().at(0).prompt.text, QStringLiteral("/find ships"));
        m_bench.picture(QStringLiteral("offline-queued"));
        Q_EMIT m_bench.page()->dropQueuedRequested(m_read, task->queue().at(1).id);
        QTRY_COMPARE(task->queue().count(), 1);
        QTest::keyClicks(composer()->edit(), QStringLiteral("half a sen"));
    }

    // A host again: all goes live, once, and the draft is where it was.
    void liveAgain()
    {
        m_bench.start(true);
        QVERIFY(m_bench.is(LinkPhase::Live));
        open(m_read);
        const auto given = [&] {
            int found = 0;
            for (int row = 0; transcript() && row < transcript()->count(); ++row)
                found += transcript()->at(row).kind == EntryKind::UserMessage && transcript()->at(row).text == QStringLiteral("/find ships");
            return found;
        };
        QTRY_COMPARE_WITH_TIMEOUT(given(), 1, tests::Workbench::patience);
        QCOMPARE(composer()->text(), QStringLiteral("half a sen"));
        QVERIFY(m_bench.waitForIdle(m_read));
        QCOMPARE(given(), 1);
        QTRY_VERIFY_WITH_TIMEOUT(allLive(), tests::Workbench::patience);
        QTRY_VERIFY(asOfShown().isEmpty());
        auto *add = button(views::Sidebar::tr("Add repository"));
        QVERIFY(add && add->isEnabled());
    }

    // By the settings, or by signing out: the next start knows nothing, and says so; it does not look like a first start.
    void emptiedIsUnknown()
    {
        m_bench.window().openSettings();
        auto *sheet = m_bench.window().findChild<views::SettingsSheet *>();
        QVERIFY(sheet);
        QTRY_VERIFY(sheetSays(*sheet, QStringLiteral("in use")));
        m_bench.picture(QStringLiteral("settings"));
        Q_EMIT sheet->cacheLimitChosen(512);
        Q_EMIT sheet->emptyCacheRequested();
        const QDir folder(QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation) + QStringLiteral("/foundry"));
        const auto bytes = [&folder] {
            qint64 sum = 0;
            for (const QFileInfo &file : folder.entryInfoList(QDir::Files))
                sum += file.size();
            return sum;
        };
        QVERIFY(folder.exists());
        QTRY_VERIFY2(bytes() < 200'000, qPrintable(QString::number(bytes())));
        sheet->accept();
        QVERIFY(m_bench.endHost());
        m_bench.start(false);
        QVERIFY(m_bench.is(LinkPhase::HostFailed));
        QTest::qWait(300); // nothing comes
        QVERIFY(!m_bench.workspace().tasks().isReady());
        QVERIFY(!m_bench.window().dashboard()->showsFirstStart());
        QVERIFY(shows(views::Sidebar::tr("Not known yet")));
        m_bench.picture(QStringLiteral("offline-unknown"));
        QSettings settings(QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) + QStringLiteral("/foundry/workbench.ini"), QSettings::IniFormat);
        QCOMPARE(settings.value(QStringLiteral("cache/limitMiB")).toInt(), 512);
    }

    void cleanupTestCase()
    {
        m_bench.close();
    }

private:
    TaskId create(const QString &prompt)
    {
        CreateTask command;
        command.repoId = m_bench.workspace().repositories().at(0).id;
        command.prompt = Prompt{prompt};
        return m_bench.application().link().client().createTask(command, &m_bench.window(), {});
    }
    void open(const TaskId &task)
    {
        QTRY_VERIFY_WITH_TIMEOUT(m_bench.workspace().tasks().find(task), tests::Workbench::patience);
        m_bench.window().openTask(task);
    }
    TranscriptModel *transcript()
    {
        OpenTask *task = m_bench.task(m_read);
        const SessionId session = m_bench.page()->activeSession();
        return task && !session.isEmpty() && m_bench.page()->taskId() == m_read ? &task->showSession(session) : nullptr;
    }
    views::Composer *composer() { return m_bench.window().findChild<views::Composer *>(); }
    void give(const QString &prompt)
    {
        composer()->edit()->setPlainText(prompt);
        QTest::keyClick(composer()->edit(), Qt::Key_Return);
    }
    void openDiff()
    {
        const FileChange change = m_bench.task(m_read)->changes().at(0);
        Q_EMIT m_bench.window().findChild<views::ChangesPanel *>()->fileActivated(change.path, change.scope.valueOr(ChangeScope::Untracked));
    }
    QStringList diffLines()
    {
        QStringList lines;
        const auto *diff = m_bench.window().findChild<views::DiffView *>();
        for (qsizetype line = 0; diff && line < diff->canvas()->diff().count(); ++line)
            lines << QStringLiteral("diff %1: %2").arg(int(diff->canvas()->diff().line(line).kind)).arg(diff->canvas()->diff().text(line));
        return lines;
    }
    bool allLive()
    {
        OpenTask *task = m_bench.task(m_read);
        const QList<ListModelBase *> models{&m_bench.workspace().tasks(), &m_bench.workspace().repositories(), &task->stages(),
            &task->sessions(), &task->changes(), transcript()};
        return std::all_of(models.begin(), models.end(), [](const ListModelBase *model) { return model && model->isReady() && model->isLive(); });
    }
    QStringList dump()
    {
        QStringList rows;
        Workspace &all = m_bench.workspace();
        offlineRows(rows, "board", all.tasks());
        offlineRows(rows, "repository", all.repositories());
        offlineRows(rows, "agent", all.agents());
        for (int row = 0; row < all.attention().count(); ++row)
            rows << QStringLiteral("needs you: %1 %2").arg(all.attention().at(row).id, all.attention().at(row).taskTitle);
        if (all.organization())
            rows << QString::fromUtf8(protocol::encodeEntity(Entity(*all.organization())));
        OpenTask *task = m_bench.task(m_read);
        offlineRows(rows, "stage", task->stages());
        offlineRows(rows, "session", task->sessions());
        offlineRows(rows, "queued", task->queue());
        offlineRows(rows, "change", task->changes());
        rows << QString::fromUtf8(protocol::encodeEntity(Entity(task->changes().header())));
        if (transcript())
            offlineRows(rows, "transcript", *transcript());
        return rows + diffLines();
    }
    QStringList asOfShown()
    {
        QStringList words;
        for (const auto *label : m_bench.window().findChildren<views::AsOfLabel *>()) {
            if (label->isVisible())
                words << label->accessibleName();
        }
        return words;
    }
    static bool sheetSays(QWidget &sheet, const QString &part)
    {
        const QList<QLabel *> labels = sheet.findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(), [&part](const QLabel *label) { return label->text().contains(part); });
    }
    bool shows(const QString &text)
    {
        for (const auto *label : m_bench.window().findChildren<QLabel *>()) {
            if (label->isVisible() && label->text() == text)
                return true;
        }
        return composer()->edit()->placeholderText() == text;
    }
    QAbstractButton *button(const QString &text)
    {
        for (auto *candidate : m_bench.window().findChildren<QAbstractButton *>()) {
            if (candidate->isVisible() && candidate->text() == text)
                return candidate;
        }
        return nullptr;
    }

    QTemporaryDir m_dir;
    test::GitFixture m_git;
    tests::Workbench m_bench;
    TaskId m_read;
    TaskId m_unread;
    QStringList m_before;
};

int main(int argc, char **argv)
{
    WatchedApplication qt(argc, argv);
    QGuiApplication::setQuitOnLastWindowClosed(false);
    OfflineTest test(qt);
    return QTest::qExec(&test, argc, argv);
}
#include "tst_offline.moc"
