// Bad input, through the real window and a real host: for each kind the user reads the cause and what to do, in widgets
// that are visible and not cut off; and doing it leads on. Pictures in $FOUNDRY_SHOTS, else in the build folder.
#include "tests/e2e/badinputtest.h"

void BadInputTest::initTestCase()
{
    qRegisterMetaType<foundry::LinkState>();
    qputenv("HOME", m_git.path(QStringLiteral("home")).toUtf8());
    qputenv("FOUNDRY_STAGE_DEADLINE_MS", badStageDeadline);
    // Stand-ins for programs of the catalogue: found before all others on this PATH.
    const QByteArray programs = m_git.path(QStringLiteral("bin")).toUtf8();
    m_git.write(m_git.root(), QStringLiteral("bin/node"), "#!/bin/sh\necho v22.11.0\n", true);
    m_git.write(m_git.root(), QStringLiteral("bin/claude-agent-acp"),
        "#!/bin/sh\nexec " + qgetenv("SCRIPTED_AGENT") + " $(cat " + m_git.path(QStringLiteral("modes/claude")).toUtf8() + ")\n", true);
    setAgentMode(QStringLiteral("claude"), "rootless");
    qputenv("PATH", programs + ':' + qgetenv("PATH"));
    m_repository = m_git.makeRepository(QStringLiteral("sample"));
    Config config;
    config.hostDataDir = m_dir.filePath(QStringLiteral("host"));
    config.hostProgram = QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host");
    config.theme = ThemeChoice::Light;
    config.themeFromCommandLine = true;
    m_application = std::make_unique<Application>(m_qt, config);
    m_application->start();
    QTRY_COMPARE_WITH_TIMEOUT(m_application->link().state().phase, LinkPhase::Live, badWait);
    QTRY_VERIFY_WITH_TIMEOUT(page() && workspace().tasks().isReady() && workspace().agents().count() > 1, badWait);
}

void BadInputTest::cleanup()
{
    if (QTest::currentTestFailed() && !m_missed.isEmpty())
        qWarning("%ls", qUtf16Printable(m_missed));
    if (QTest::currentTestFailed())
        shoot(QStringLiteral("failed-") + QString::fromLatin1(QTest::currentTestFunction()));
    while (QDialog *sheet = touruser::find<QDialog>(&window()))
        sheet->close();
}

void BadInputTest::cleanupTestCase()
{
    if (!m_application)
        return;
    bool ended = false;
    m_application->link().endHost(this, [&] { ended = true; });
    QTRY_VERIFY_WITH_TIMEOUT(ended, 15000);
    m_application.reset();
}

void BadInputTest::repositories_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<bool>("usable");
    QTest::addColumn<QStringList>("words");
    const auto row = [](const char *name, const char *kind, bool usable, const QStringList &words) {
        QTest::addRow("%s", name) << QString::fromLatin1(kind) << usable << words;
    };
    row("no path", "relative", false, {QStringLiteral("neither a folder"), QStringLiteral("would begin with /")});
    row("unknown folder", "unknown", false, {QStringLiteral("no folder"), QStringLiteral("Check the spelling")});
    row("not a repository", "folder", false, {QStringLiteral("not in a git repository"), QStringLiteral("git init")});
    row("empty repository", "empty", false, {QStringLiteral("no commit yet"), QStringLiteral("Make a first commit")});
    row("dubious ownership", "dubious", false, {QStringLiteral("belongs to another user"), QStringLiteral("safe.directory")});
    row("detached HEAD", "detached", true, {QStringLiteral("detached HEAD"), QStringLiteral("Tasks start from")});
    row("bare repository", "bare", true, {QStringLiteral("bare repository"), QStringLiteral("their own work trees")});
    row("dirty work tree", "dirty", true, {QStringLiteral("uncommitted edits"), QStringLiteral("stay where they are")});
    row("no git identity", "anonymous", true, {QStringLiteral("does not know your name"), QStringLiteral("git config --global")});
}

void BadInputTest::repositories()
{
    QFETCH(QString, kind);
    QFETCH(bool, usable);
    QFETCH(QStringList, words);
    QString path = m_git.path(QStringLiteral("project-") + kind);
    const QString name = QStringLiteral("project-") + kind;
    const QByteArray identity = m_git.read(m_git.path(QStringLiteral("home")), QStringLiteral(".gitconfig"));
    if (kind == QLatin1StringView("folder")) {
        QDir().mkpath(path);
    } else if (kind == QLatin1StringView("relative")) {
        path = QStringLiteral("projects/mine");
    } else if (kind == QLatin1StringView("empty")) {
        m_git.makeEmpty(name);
    } else if (kind == QLatin1StringView("bare")) {
        m_git.mustGit(m_git.root(), {QStringLiteral("clone"), QStringLiteral("--bare"), m_repository, path});
    } else if (kind != QLatin1StringView("unknown")) {
        m_git.makeRepository(name);
        if (kind == QLatin1StringView("detached"))
            m_git.mustGit(path, {QStringLiteral("checkout"), QStringLiteral("--detach")});
        if (kind == QLatin1StringView("dirty"))
            m_git.write(path, QStringLiteral("README.md"), "edited\n");
        if (kind == QLatin1StringView("anonymous"))
            QVERIFY(QFile::remove(m_git.globalConfig()));
        if (kind == QLatin1StringView("dubious")) {
            if (::geteuid() != 0)
                QSKIP("only root can give a folder away");
            QCOMPARE(::chown(path.toUtf8().constData(), 12345, 12345), 0);
            QCOMPARE(::chown((path + QStringLiteral("/.git")).toUtf8().constData(), 12345, 12345), 0);
        }
    }
    auto *address = find<QLineEdit>(QStringLiteral("Folder or clone URL"));
    QVERIFY(address);
    address->setText(path);
    QTest::keyClick(address, Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(reads(words), badWait);
    shoot(QStringLiteral("repository-") + kind);
    const Repository *row = repositoryAt(path);
    if (row) {
        const RepoId id = row->id;
        QCOMPARE(row->state.is(RepositoryState::Ready), usable);
        // The sheet says it as well, and lets nobody begin what cannot work.
        window().openNewTask(id);
        auto *sheet = touruser::find<views::NewTaskSheet>(&window());
        QVERIFY(sheet);
        sheet->setPrompt(QStringLiteral("/help"));
        QTRY_VERIFY_WITH_TIMEOUT(reads(words), 2000);
        QCOMPARE(button(QStringLiteral("Start task"))->isEnabled(), usable);
        if (kind == QLatin1StringView("dirty") || kind == QLatin1StringView("dubious"))
            shoot(QStringLiteral("sheet-") + kind);
        sheet->setPrompt({});
        sheet->close();
        QVERIFY(removed(id));
        QTRY_VERIFY(!spoken(&window()).join(QLatin1Char('\n')).contains(words.first()));
    } else {
        QCOMPARE(kind, QStringLiteral("relative"));
        address->clear();
    }
    if (kind == QLatin1StringView("dirty"))
        QCOMPARE(m_git.read(path, QStringLiteral("README.md")), QByteArray("edited\n"));
    if (kind == QLatin1StringView("anonymous"))
        m_git.write(m_git.path(QStringLiteral("home")), QStringLiteral(".gitconfig"), identity);
}

void BadInputTest::promptOfFirstStart()
{
    QVERIFY(!added(m_repository).isEmpty());
    auto *prompt = find<views::PromptBox>(QStringLiteral("Prompt"));
    QVERIFY(prompt);
    const QString megabyte = badText(1024 * 1024);
    // Pasted: what stood there stays, and the clipboard still has the text.
    prompt->setPlainText(QStringLiteral("begun"));
    QGuiApplication::clipboard()->setText(megabyte);
    prompt->paste();
    QVERIFY(reads({QStringLiteral("a prompt may have"), QStringLiteral("Put it into a file")}));
    QCOMPARE(prompt->toPlainText(), QStringLiteral("begun"));
    // By other ways: it stays in the editor, whole.
    prompt->setPlainText(megabyte);
    QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
    QVERIFY(reads({QStringLiteral("a prompt may have"), QStringLiteral("Put it into a file")}));
    QCOMPARE(prompt->toPlainText(), megabyte);
    QCOMPARE(workspace().tasks().count(), 0);
    shoot(QStringLiteral("prompt-first-start"));
    prompt->clear();
}

void BadInputTest::claudeAsRoot()
{
    const QStringList words{QStringLiteral("refuses to work as root"), QStringLiteral("Run the host as an ordinary user")};
    const AgentId claude(QStringLiteral("claude"));
    QTRY_VERIFY_WITH_TIMEOUT(workspace().agents().find(claude)->state.is(AgentState::Unconfirmed), badWait);
    window().confirmAgent(claude);
    QVERIFY(reads({QStringLiteral("runs with your rights"), QStringLiteral("never starts it unasked")}));
    QVERIFY(click(QStringLiteral("Use Claude")));
    QTRY_VERIFY_WITH_TIMEOUT(reads(words), badWait);
    QVERIFY(workspace().agents().find(claude)->state.is(AgentState::Broken));
    shoot(QStringLiteral("claude-root-agents"));
    // As an ordinary user, that is: looked at again it works, until a session is refused after all.
    setAgentMode(QStringLiteral("claude"), "ok");
    window().confirmAgent(claude);
    QVERIFY(click(QStringLiteral("Use Claude")));
    QTRY_VERIFY_WITH_TIMEOUT(workspace().agents().find(claude)->state.is(AgentState::Ready), badWait);
    setAgentMode(QStringLiteral("claude"), "rootless");
    QVERIFY(!start(claude, QStringLiteral("hello")).isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(reads(words), badWait);
    QVERIFY(reads({QStringLiteral("Your prompt is kept")}));
    shoot(QStringLiteral("claude-root-task"));
    QVERIFY(button(QStringLiteral("Retry from here")));
}

void BadInputTest::agents_data()
{
    QTest::addColumn<QByteArray>("mode");
    QTest::addColumn<QStringList>("words");
    QTest::addRow("missing") << QByteArray("missing") << QStringList{QStringLiteral("was not found"), QStringLiteral("choose another agent")};
    QTest::addRow("prints garbage") << QByteArray("garbage") << QStringList{QStringLiteral("did not finish within"), QStringLiteral("Look at its log")};
    QTest::addRow("prints garbage without end") << QByteArray("garbageflood") << QStringList{QStringLiteral("does not speak ACP"), QStringLiteral("Check that this program is an ACP agent")};
    QTest::addRow("exits at once") << QByteArray("exit") << QStringList{QStringLiteral("exited with status 3"), QStringLiteral("Try again")};
    QTest::addRow("never answers") << QByteArray("silent") << QStringList{QStringLiteral("did not finish within"), QStringLiteral("Look at its log")};
    QTest::addRow("needs login") << QByteArray("login") << QStringList{QStringLiteral("needs a login"), QStringLiteral("Log in: ")};
}

void BadInputTest::agents()
{
    QFETCH(QByteArray, mode);
    QFETCH(QStringList, words);
    const QString id = QStringLiteral("scripted-") + QString::fromLatin1(mode);
    const AgentId agent = addAgent(id);
    QTRY_VERIFY_WITH_TIMEOUT(workspace().agents().find(agent) && workspace().agents().find(agent)->state.is(AgentState::Ready), badWait);
    const QString program = m_git.path(QStringLiteral("agents/") + id);
    if (mode == "missing")
        QVERIFY(QFile::rename(program, program + QStringLiteral(".away")));
    else
        setAgentMode(id, mode);
    const TaskId task = start(agent, QStringLiteral("Say hello"));
    QVERIFY(!task.isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(sessionIs(SessionStatus::Error), badWait);
    QTRY_VERIFY_WITH_TIMEOUT(reads(words), 2000);
    QVERIFY(reads({QStringLiteral("Your prompt is kept")}));
    shoot(QStringLiteral("agent-") + QString::fromLatin1(mode));
    window().showDashboard();
    QTest::qWait(50);
    shoot(QStringLiteral("board-agent-") + QString::fromLatin1(mode));
    // Mended, it goes on from there, with the prompt that was kept.
    if (mode == "missing")
        QVERIFY(QFile::rename(program + QStringLiteral(".away"), program));
    else
        setAgentMode(id, "ok");
    window().openTask(task);
    QTRY_VERIFY(button(QStringLiteral("Retry from here")));
    if (mode == "login")
        return; // the process that refused lives on: it is what is asked again
    QVERIFY(click(QStringLiteral("Retry from here")));
    QTRY_VERIFY_WITH_TIMEOUT(sessionIs(SessionStatus::Idle), badWait);
    QTRY_VERIFY_WITH_TIMEOUT(reads({QStringLiteral("Say hello")}), 2000);
}

void BadInputTest::loginAtThePrompt()
{
    const AgentId agent = addAgent(QStringLiteral("scripted-latelogin"));
    QTRY_VERIFY_WITH_TIMEOUT(workspace().agents().find(agent) && workspace().agents().find(agent)->state.is(AgentState::Ready), badWait);
    setAgentMode(agent.value, "latelogin");
    QVERIFY(!start(agent, QStringLiteral("Say hello")).isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(sessionIs(SessionStatus::Error), badWait);
    QTRY_VERIFY_WITH_TIMEOUT(reads({QStringLiteral("needs a login"), QStringLiteral("Log in: ")}), 2000);
    shoot(QStringLiteral("agent-latelogin"));
}

void BadInputTest::branchThatExists_data()
{
    QTest::addColumn<QString>("answer");
    QTest::addRow("taken over") << QString();
    QTest::addRow("another name") << QStringLiteral("another-name");
}

void BadInputTest::branchThatExists()
{
    QFETCH(QString, answer);
    const QString branch = answer.isEmpty() ? QStringLiteral("taken-one") : QStringLiteral("taken-two");
    m_git.mustGit(m_repository, {QStringLiteral("branch"), branch});
    CreateTask command;
    command.repoId = added(m_repository);
    command.prompt = Prompt{QStringLiteral("/find main")};
    command.branch = branch;
    command.agent = AgentId(QStringLiteral("runner"));
    window().openTask(m_application->link().client().createTask(command, this, {}));
    QTRY_VERIFY_WITH_TIMEOUT(reads({QStringLiteral("exists already"), branch, QStringLiteral("Take that branch over"), QStringLiteral("choose another name")}), badWait);
    shoot(QStringLiteral("branch-exists"));
    if (answer.isEmpty()) {
        QVERIFY(click(QStringLiteral("Work on that branch")));
    } else {
        auto *name = find<QLineEdit>(QStringLiteral("Another branch name"));
        QVERIFY(name);
        QTest::keyClicks(name, answer);
        QVERIFY(click(QStringLiteral("Use this name")));
    }
    QTRY_VERIFY_WITH_TIMEOUT(sessionIs(SessionStatus::Idle), badWait);
}

void BadInputTest::baseThatIsNotThere()
{
    added(m_repository);
    auto *sheet = openSheet(AgentId(QStringLiteral("runner")));
    auto *base = find<QLineEdit>(QStringLiteral("Base branch"));
    QVERIFY(sheet && base);
    base->setText(QStringLiteral("nowhere"));
    sheet->setPrompt(QStringLiteral("/find main"));
    QTest::keyClick(find<views::PromptBox>(), Qt::Key_Return, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(sessionIs(SessionStatus::Error), badWait);
    QTRY_VERIFY_WITH_TIMEOUT(reads({QStringLiteral("nowhere"), QStringLiteral("Choose a branch")}), 2000);
    shoot(QStringLiteral("base-unknown"));
    // What cannot help is not offered.
    QVERIFY(!button(QStringLiteral("Work on that branch")));
    QVERIFY(button(QStringLiteral("Retry from here")));
}

void BadInputTest::noDiskSpace()
{
    const QByteArray place = m_dir.filePath(QStringLiteral("host/worktrees")).toUtf8();
    QDir().mkpath(QString::fromUtf8(place));
    if (::geteuid() != 0 || ::mount("tmpfs", place.constData(), "tmpfs", 0, "size=8m") != 0)
        QSKIP("needs root to mount a small file system");
    QVERIFY(!start(AgentId(QStringLiteral("runner")), QStringLiteral("/find main")).isEmpty());
    const bool said = QTest::qWaitFor([this] { return reads({QStringLiteral("MB are free"), QStringLiteral("Free some disk space")}); }, badWait);
    shoot(QStringLiteral("no-space"));
    QCOMPARE(::umount2(place.constData(), MNT_DETACH), 0);
    QVERIFY(said);
    QVERIFY(click(QStringLiteral("Retry from here")));
    QTRY_VERIFY_WITH_TIMEOUT(sessionIs(SessionStatus::Idle), badWait);
}

void BadInputTest::promptInTheSheet()
{
    m_agent = addAgent(QStringLiteral("scripted-ok"));
    QTRY_VERIFY_WITH_TIMEOUT(workspace().agents().find(m_agent) && workspace().agents().find(m_agent)->state.is(AgentState::Ready), badWait);
    const int before = workspace().tasks().count();
    auto *sheet = openSheet(m_agent);
    QVERIFY(sheet);
    auto *prompt = find<views::PromptBox>();
    const QString megabyte = badText(1024 * 1024);
    prompt->setPlainText(megabyte);
    QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
    QVERIFY(reads({QStringLiteral("a prompt may have"), QStringLiteral("Put it into a file")}));
    shoot(QStringLiteral("prompt-sheet"));
    QVERIFY(sheet->isVisible());
    QCOMPARE(prompt->toPlainText(), megabyte);
    QCOMPARE(workspace().tasks().count(), before);
    // 200 KiB: begins with a line of its own, which makes the title.
    const QString large = QStringLiteral("A large prompt\n") + badText(200 * 1024);
    prompt->setPlainText(large);
    QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(sessionIs(SessionStatus::Idle), badWait);
    QCOMPARE(workspace().tasks().count(), before + 1);
    QTRY_VERIFY_WITH_TIMEOUT(reads({QStringLiteral("A large prompt")}), 2000);
    shoot(QStringLiteral("prompt-large"));
}

void BadInputTest::promptInTheComposer()
{
    auto *edit = find<views::PromptEdit>();
    QVERIFY(edit);
    const QString megabyte = badText(1024 * 1024);
    edit->setPlainText(megabyte);
    QTRY_VERIFY_WITH_TIMEOUT(reads({QStringLiteral("at most 256 KiB"), QStringLiteral("into a file")}), 2000);
    QTest::keyClick(edit, Qt::Key_Return);
    QCOMPARE(edit->toPlainText(), megabyte);
    shoot(QStringLiteral("prompt-composer"));
    const TranscriptModel &transcript = m_application->openTask(page()->taskId())->showSession(page()->activeSession());
    const int before = transcript.count();
    edit->setPlainText(badText(200 * 1024));
    QTest::keyClick(edit, Qt::Key_Return);
    QCOMPARE(edit->toPlainText(), QString());
    QTRY_VERIFY_WITH_TIMEOUT(transcript.count() > before + 1 && sessionIs(SessionStatus::Idle), badWait);
}

void BadInputTest::repositoryOnTheBoard()
{
    window().showDashboard();
    window().openAddRepository();
    auto *address = find<QLineEdit>(QStringLiteral("Folder or clone URL"));
    QVERIFY(address);
    address->setText(QStringLiteral("projects/mine"));
    QVERIFY(click(QStringLiteral("Add")));
    QVERIFY(reads({QStringLiteral("neither a folder"), QStringLiteral("would begin with /")}));
    shoot(QStringLiteral("sheet-address"));
    const QString path = m_git.path(QStringLiteral("nowhere"));
    address->setText(path);
    QVERIFY(click(QStringLiteral("Add")));
    QTRY_VERIFY_WITH_TIMEOUT(reads({QStringLiteral("no folder"), QStringLiteral("Check the spelling")}), badWait);
    shoot(QStringLiteral("board-repository"));
    m_application->theme().setChoice(ThemeChoice::Dark);
    QTest::qWait(50);
    shoot(QStringLiteral("board-repository-dark"));
    QVERIFY(removed(repositoryAt(path)->id));
    QTRY_VERIFY(!reads({QStringLiteral("Check the spelling")}));
}

int main(int argc, char **argv)
{
    WatchedApplication qt(argc, argv);
    QGuiApplication::setQuitOnLastWindowClosed(false);
    BadInputTest test(qt);
    return QTest::qExec(&test, argc, argv);
}
