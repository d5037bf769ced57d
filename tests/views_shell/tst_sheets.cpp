// The sheets and the first start: what they check, send, refuse and remember.
#include "resources/foundryresources.h"
#include "tests/views_shell/guiturn.h"
#include "tests/views_shell/shell.h"
#include "views/common/longtextedit.h"
#include "views/common/promptbox.h"
#include "views/dashboard/addrepositorysheet.h"
#include "views/dashboard/agentways.h"
#include "views/dashboard/dashboard.h"
#include "views/task/newtasksheet.h"

#include <QClipboard>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>

namespace foundry::views {

using test::activate;
using test::cpuMilliseconds;
using test::settle;
using test::Shell;

class TestSheets : public QObject {
    Q_OBJECT

    ThemeProvider m_theme{ThemeChoice::Light};

private Q_SLOTS:
    void initTestCase()
    {
        initResources();
        m_theme.applyTo(*qobject_cast<QApplication *>(QCoreApplication::instance()));
    }

    void newTaskChecksSendsAndRemembers()
    {
        Shell shell(&m_theme);
        shell.fill();
        QSignalSpy requested(&shell.window, &MainWindow::newTaskRequested);
        QVERIFY(activate(shell.window));
        QTest::keyClick(&shell.window, Qt::Key_N, Qt::ControlModifier);
        auto *sheet = shell.window.findChild<NewTaskSheet *>();
        QVERIFY(sheet && sheet->isModal());
        auto *prompt = sheet->findChild<PromptBox *>();
        const auto boxes = sheet->findChildren<QComboBox *>();
        QCOMPARE(boxes.size(), 3);
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(requested.size(), 0); // nothing to do yet
        // An agent that was found is never taken unasked, and one that is not there is not offered.
        QCOMPARE(boxes.at(1)->currentText(), QStringLiteral("Claude Code"));
        QCOMPARE(boxes.at(1)->findText(QStringLiteral("OpenCode")), -1);
        boxes.at(0)->setCurrentIndex(boxes.at(0)->findText(QStringLiteral("infra")));
        Q_EMIT boxes.at(0)->activated(boxes.at(0)->currentIndex());
        boxes.at(2)->setCurrentIndex(2);
        sheet->findChild<QLineEdit *>()->setText(QStringLiteral("release"));
        QTest::keyClicks(prompt, QStringLiteral("Do it"));
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(requested.size(), 1);
        const auto request = requested.at(0).at(0).value<NewTaskRequest>();
        QCOMPARE(request.repoId, RepoId(QStringLiteral("r3")));
        QCOMPARE(request.prompt, QStringLiteral("Do it"));
        QCOMPARE(request.baseBranch, QStringLiteral("release"));
        QCOMPARE(request.agent, AgentId(QStringLiteral("claude")));
        QCOMPARE(request.mode, QStringLiteral("plan"));
        settle();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);

        shell.window.openNewTask();
        sheet = shell.window.findChild<NewTaskSheet *>();
        QCOMPARE(sheet->findChildren<QComboBox *>().at(0)->currentText(), QStringLiteral("infra"));
        QCOMPARE(sheet->findChildren<QComboBox *>().at(2)->currentData().toString(), QStringLiteral("plan"));
        QCOMPARE(sheet->findChild<QLineEdit *>()->text(), QStringLiteral("release"));
        QVERIFY(sheet->findChild<PromptBox *>()->prompt().isEmpty());
        // What was written and not sent is there again.
        sheet->setPrompt(QStringLiteral("half a thought"));
        QTest::keyClick(sheet, Qt::Key_Escape);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        shell.window.openNewTask();
        QCOMPARE(shell.window.findChild<PromptBox *>()->prompt(), QStringLiteral("half a thought"));
    }

    void oversizePromptsAreSaidNotSent()
    {
        Shell shell(&m_theme);
        shell.fill();
        QSignalSpy requested(&shell.window, &MainWindow::newTaskRequested);
        shell.window.openNewTask(RepoId(QStringLiteral("r1")));
        auto *sheet = shell.window.findChild<NewTaskSheet *>();
        auto *prompt = sheet->findChild<PromptBox *>();
        prompt->setPlainText(QStringLiteral("short"));
        QApplication::clipboard()->setText(QString(1'000'000, QLatin1Char('x')));
        QElapsedTimer timer;
        timer.start();
        prompt->paste();
        QVERIFY(timer.elapsed() < 100);
        QCOMPARE(prompt->prompt(), QStringLiteral("short")); // the paste did not go in
        const auto said = [&] {
            for (const QLabel *label : sheet->findChildren<QLabel *>()) {
                if (label->text().contains(QStringLiteral("a prompt may have")))
                    return true;
            }
            return false;
        };
        QVERIFY(said());
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(requested.size(), 1); // what is there is fine
        requested.clear();
        shell.window.openNewTask(RepoId(QStringLiteral("r1")));
        sheet = shell.window.findChildren<NewTaskSheet *>().constLast();
        prompt = sheet->findChild<PromptBox *>();
        prompt->setPlainText(QString(300 * 1024, QLatin1Char('y')));
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(requested.size(), 0);
        QVERIFY(said());
        // One line of 200 KiB is laid out by nobody, and sent whole.
        const QString line(200 * 1024, QLatin1Char('z'));
        prompt->setPlainText(QStringLiteral("Look: "));
        prompt->moveCursor(QTextCursor::End);
        QApplication::clipboard()->setText(line);
        const double before = cpuMilliseconds();
        prompt->paste();
        prompt->viewport()->repaint();
        QVERIFY(cpuMilliseconds() - before < 100);
        QTest::keyClicks(prompt, QStringLiteral(" and this."));
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(requested.size(), 1);
        QCOMPARE(requested.at(0).at(0).value<NewTaskRequest>().prompt, QStringLiteral("Look: ") + line + QStringLiteral(" and this."));
    }

    void longTextIsKeptAsideAndComesBack()
    {
        LongTextEdit edit;
        const QString solid(9000, QLatin1Char('a'));
        const QString many = QStringLiteral("line\n").repeated(20'000);
        for (const QString &text : {QString(), QStringLiteral("a\nb\n"), solid, QStringLiteral("x\n") + solid + QStringLiteral("\ny"),
                 many, QStringLiteral("[Pasted text 1: 9 KiB]")}) {
            edit.setPlainText(text);
            QCOMPARE(edit.toPlainText(), text);
            QVERIFY(edit.document()->characterCount() <= LongTextEdit::longestText);
        }
        // A text that holds a mark's own words is not opened again.
        edit.setPlainText(solid);
        const QString mark = edit.document()->toPlainText();
        const QString tricky = mark + QLatin1Char('\n') + solid + mark;
        edit.setPlainText(tricky);
        QCOMPARE(edit.toPlainText(), tricky);
        edit.selectAll();
        edit.textCursor().removeSelectedText();
        QCOMPARE(edit.toPlainText(), QString());
    }

    void addresses_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("path");
        QTest::addColumn<QString>("url");
        const auto s = [](const char *text) { return QString::fromLatin1(text); };
        QTest::newRow("folder") << s(" /home/me/x/ ") << s("/home/me/x") << QString();
        QTest::newRow("https") << s("https://host/o/p.git") << QString() << s("https://host/o/p.git");
        QTest::newRow("ssh") << s("ssh://git@host:22/o/p") << QString() << s("ssh://git@host:22/o/p");
        QTest::newRow("scp") << s("git@host:o/p.git") << QString() << s("git@host:o/p.git");
        QTest::newRow("file") << s("file:///srv/p.git") << QString() << s("file:///srv/p.git");
        QTest::newRow("empty") << s("  ") << QString() << QString();
        QTest::newRow("word") << s("project") << QString() << QString();
        QTest::newRow("option") << s("--upload-pack=x") << QString() << QString();
        QTest::newRow("helper") << s("ext::sh -c x") << QString() << QString();
        QTest::newRow("password") << s("https://me:secret@host/p") << QString() << QString();
        QTest::newRow("no host") << s("https:///p") << QString() << QString();
        QTest::newRow("scheme") << s("ftp://host/p") << QString() << QString();
    }
    void addresses()
    {
        QFETCH(QString, text);
        QFETCH(QString, path);
        QFETCH(QString, url);
        const auto parsed = parseRepositoryAddress(text);
        if (path.isEmpty() && url.isEmpty()) {
            QVERIFY(std::holds_alternative<QString>(parsed));
            QVERIFY(std::get<QString>(parsed).size() > 20); // a sentence
            QVERIFY(!std::get<QString>(parsed).contains(QStringLiteral("secret")));
            return;
        }
        const auto request = std::get<AddRepositoryRequest>(parsed);
        QCOMPARE(request.path.value_or(QString()), path);
        QCOMPARE(request.url.value_or(QString()), url);
    }

    void firstStartLeadsToATask()
    {
        Shell shell(&m_theme);
        shell.models.apply(test::sampleAgents());
        QVERIFY(!shell.window.dashboard()->showsFirstStart()); // not ready is not empty
        shell.models.setReady();
        QVERIFY(shell.window.dashboard()->showsFirstStart());
        QSignalSpy added(&shell.window, &MainWindow::addRepositoryRequested);
        QSignalSpy requested(&shell.window, &MainWindow::newTaskRequested);
        auto *page = shell.window.dashboard();
        QLineEdit *address = nullptr;
        for (QLineEdit *edit : page->findChildren<QLineEdit *>()) {
            if (edit->accessibleName().contains(QStringLiteral("clone URL")))
                address = edit;
        }
        QVERIFY(address);
        QTest::keyClicks(address, QStringLiteral("nonsense"));
        QTest::keyClick(address, Qt::Key_Return);
        QCOMPARE(added.size(), 0);
        address->setText(QStringLiteral("/tmp/project"));
        QTest::keyClick(address, Qt::Key_Return);
        QCOMPARE(added.size(), 1);
        QCOMPARE(added.at(0).at(0).value<AddRepositoryRequest>().path, QStringLiteral("/tmp/project"));
        auto *prompt = page->findChild<PromptBox *>();
        prompt->setPlainText(QStringLiteral("Go"));
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(requested.size(), 0); // no repository yet
        shell.models.apply(test::sampleRepositories());
        QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(requested.size(), 1);
        QCOMPARE(requested.at(0).at(0).value<NewTaskRequest>().agent, AgentId(QStringLiteral("claude")));
    }

    void agentsAreConfirmedOnlyByTheUser()
    {
        Shell shell(&m_theme);
        shell.fill();
        QSignalSpy confirmed(&shell.window, &MainWindow::confirmAgentRequested);
        shell.window.confirmAgent(AgentId(QStringLiteral("codex")));
        auto *sheet = shell.window.findChild<ConfirmAgentSheet *>();
        QVERIFY(sheet);
        QTest::keyClick(sheet, Qt::Key_Escape);
        QCOMPARE(confirmed.size(), 0);
        shell.window.confirmAgent(AgentId(QStringLiteral("codex")));
        sheet = shell.window.findChildren<ConfirmAgentSheet *>().constLast();
        QTest::keyClick(sheet, Qt::Key_Return);
        QCOMPARE(confirmed.size(), 1);
    }
};

} // namespace foundry::views

QTEST_MAIN(foundry::views::TestSheets)
#include "tst_sheets.moc"
