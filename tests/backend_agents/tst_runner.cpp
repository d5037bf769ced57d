// foundry-runner through its own process, spoken to by AcpClient.
#include "tests/backend_agents/agentdriver.h"

#include "backend/agents/processidentity.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::AgentDriver;

class TestRunner : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<AgentDriver> m_driver;

    QString tree() const { return m_folder->filePath(QStringLiteral("tree")); }
    void put(const QString &relative, const QByteArray &content, bool executable = false)
    {
        const QString path = tree() + QLatin1Char('/') + relative;
        QDir().mkpath(QFileInfo(path).path());
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(content);
        if (executable)
            file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    }
    QByteArray read(const QString &relative) const
    {
        QFile file(tree() + QLatin1Char('/') + relative);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(not there)");
    }
    void git(const QStringList &args)
    {
        QProcess process;
        process.setWorkingDirectory(tree());
        process.start(QStringLiteral("git"), args);
        QTRY_COMPARE(process.state(), QProcess::NotRunning);
    }
    std::unique_ptr<AgentDriver> runner()
    {
        auto driver = std::make_unique<AgentDriver>();
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("FOUNDRY_RUNNER_STATE"), m_folder->filePath(QStringLiteral("state")));
        driver->start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-runner"), {}, tree(), environment);
        return QTest::qWaitFor([&] { return driver->started.has_value(); }) && driver->started->ok() ? std::move(driver) : nullptr;
    }
    // Sends a prompt and answers every permission with `option`; the turn's stop reason.
    QString turn(const QString &prompt, const QString &option = QStringLiteral("allow_once"))
    {
        m_driver->updates.clear();
        m_driver->permissions.clear();
        m_driver->prompt(prompt);
        qsizetype answered = 0;
        const bool ended = QTest::qWaitFor([&] {
            while (!option.isEmpty() && answered < m_driver->permissions.size())
                m_driver->client().answerPermission(m_driver->permissions[answered++].permission.ask.requestId, option);
            return m_driver->turn.has_value();
        }, 20000);
        return ended && m_driver->turn->ok() ? (*m_driver->turn)->stopReason : QStringLiteral("(none)");
    }
    ToolCall onlyCall() const
    {
        const auto rows = m_driver->all<ToolCallUpsert>();
        return rows.isEmpty() ? ToolCall() : rows.last().call;
    }
    static QString outputOf(const ToolCall &call)
    {
        return call.content.isEmpty() ? QString() : std::get<ToolText>(call.content.last()).text.text;
    }

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        QDir().mkpath(tree());
        m_driver = runner();
        QVERIFY(m_driver);
        QVERIFY(m_driver->open(tree()));
    }
    void cleanup()
    {
        m_driver->client().stop();
        QTRY_VERIFY(m_driver->exit.has_value());
        QCOMPARE(m_driver->exit->code, 0);
        QCOMPARE(m_driver->exit->signal, 0);
        m_driver.reset();
    }

    void saysWhatItIs()
    {
        QCOMPARE((*m_driver->started)->title, QStringLiteral("Built-in runner (no AI model)"));
        QTRY_VERIFY(!m_driver->all<CommandsUpdate>().isEmpty());
        QStringList names;
        const QList<AgentChoice> commands = m_driver->all<CommandsUpdate>().first().commands;
        for (const AgentChoice &command : commands)
            names.append(command.id);
        QCOMPARE(names.join(QLatin1Char(' ')), QStringLiteral("run test find replace write todo help"));
        QCOMPARE(turn(QStringLiteral("Please make the tests pass")), QStringLiteral("end_turn"));
        QVERIFY(m_driver->text().contains(QStringLiteral("no AI model")));
        QVERIFY(m_driver->text().contains(QStringLiteral("/replace")));
        turn(QStringLiteral("/frobnicate now\n/run touch x"));
        QVERIFY(m_driver->text().contains(QStringLiteral("/frobnicate now")));
        QVERIFY(m_driver->permissions.isEmpty()); // nothing of it was begun
        turn(QStringLiteral("/help"));
        QVERIFY(m_driver->text().contains(QStringLiteral("| `/todo`")));
    }

    void run()
    {
        QCOMPARE(turn(QStringLiteral("/run sh -c 'echo one; echo \"$0\" >&2; pwd' 'two  words' $HOME")), QStringLiteral("end_turn"));
        const ToolCall call = onlyCall();
        QCOMPARE(call.kind, QStringLiteral("execute"));
        QCOMPARE(call.status, QStringLiteral("completed"));
        QVERIFY(call.rawInput->text.contains(QStringLiteral("\"$HOME\""))); // no shell expands it
        const QString output = outputOf(call);
        QVERIFY2(output.startsWith(QStringLiteral("one\ntwo  words\n")), qPrintable(output));
        QVERIFY(output.contains(QDir(tree()).canonicalPath()));
        QVERIFY(m_driver->text().contains(QStringLiteral("exited with status 0")));

        turn(QStringLiteral("/run sh -c 'exit 7'"));
        QCOMPARE(onlyCall().status, QStringLiteral("failed"));
        QVERIFY(onlyCall().rawOutput->text.contains(QStringLiteral("\"exitCode\":7")));
        turn(QStringLiteral("/run no-such-program-here"));
        QCOMPARE(onlyCall().status, QStringLiteral("failed"));
        QVERIFY(m_driver->text().contains(QStringLiteral("could not be started")));
        turn(QStringLiteral("/run 'open quote"));
        QVERIFY(m_driver->permissions.isEmpty());
        QVERIFY(m_driver->text().contains(QStringLiteral("not closed")));
    }

    void runRejectedAndAlways()
    {
        QCOMPARE(turn(QStringLiteral("/run touch made"), QStringLiteral("reject_once")), QStringLiteral("end_turn"));
        QCOMPARE(onlyCall().status, QStringLiteral("failed"));
        QCOMPARE(read(QStringLiteral("made")), QByteArray("(not there)"));
        turn(QStringLiteral("/run touch made"), QStringLiteral("allow_always"));
        QCOMPARE(m_driver->permissions.size(), 1);
        turn(QStringLiteral("/run touch again"), QString());
        QCOMPARE(m_driver->permissions.size(), 0);
        QCOMPARE(read(QStringLiteral("again")), QByteArray());
        // Running was granted, writing was not.
        turn(QStringLiteral("/write w hello"));
        QCOMPARE(m_driver->permissions.size(), 1);
    }

    void runStreams()
    {
        m_driver->prompt(QStringLiteral("/run sh -c 'echo first; sleep 60'"));
        QTRY_COMPARE(m_driver->permissions.size(), 1);
        m_driver->client().answerPermission(m_driver->permissions[0].permission.ask.requestId, QStringLiteral("allow_once"));
        QTRY_COMPARE(outputOf(onlyCall()), QStringLiteral("first\n"));
        QVERIFY(!m_driver->turn);
        m_driver->client().cancel(m_driver->sessionId);
        QTRY_VERIFY(m_driver->turn.has_value());
        QCOMPARE((*m_driver->turn)->stopReason, QStringLiteral("cancelled"));
        QVERIFY(!(*m_driver->turn)->agentEnded);
        QCOMPARE(onlyCall().status, QStringLiteral("cancelled")); // it did not fail: it was stopped
    }

    // Ends the whole group: a child that ignores SIGTERM, and its child.
    void cancelKillsTheGroup()
    {
        m_driver->prompt(QStringLiteral("/run sh -c 'trap \"\" TERM; (trap \"\" TERM; echo $$; while :; do sleep 1; done) & wait'"));
        QTRY_COMPARE(m_driver->permissions.size(), 1);
        m_driver->client().answerPermission(m_driver->permissions[0].permission.ask.requestId, QStringLiteral("allow_once"));
        QTRY_VERIFY(outputOf(onlyCall()).toLongLong() > 0);
        const ProcessIdentity child = identifyProcess(outputOf(onlyCall()).toLongLong(), {});
        QVERIFY(isSameProcess(child));
        m_driver->client().cancel(m_driver->sessionId);
        QTRY_VERIFY_WITH_TIMEOUT(m_driver->turn.has_value(), 10000);
        QCOMPARE((*m_driver->turn)->stopReason, QStringLiteral("cancelled"));
        QVERIFY(!(*m_driver->turn)->agentEnded);
        QTRY_VERIFY(livingMembers(child).isEmpty());
    }

    void cancelAtPermission()
    {
        m_driver->prompt(QStringLiteral("/write a.txt\nhello\n/write b.txt\nworld"));
        QTRY_COMPARE(m_driver->permissions.size(), 1);
        m_driver->client().cancel(m_driver->sessionId);
        QTRY_VERIFY(m_driver->turn.has_value());
        QCOMPARE((*m_driver->turn)->stopReason, QStringLiteral("cancelled"));
        QVERIFY(!QFile::exists(tree() + QStringLiteral("/a.txt")));
        QCOMPARE(m_driver->all<PlanUpdate>().first().entries.size(), 2);
    }

    void manyLinesOfOutput()
    {
        turn(QStringLiteral("/run seq 1 200000"));
        const QString output = outputOf(onlyCall());
        QVERIFY(output.size() < 600000);
        QVERIFY(output.startsWith(QStringLiteral("1\n2\n")) && output.endsWith(QStringLiteral("199999\n200000\n")));
        QVERIFY(output.contains(QStringLiteral("were left out")));
        turn(QStringLiteral("/run printf '\\033[31mred\\033[0m\\a\\r\\nend'"));
        QCOMPARE(outputOf(onlyCall()), QStringLiteral("red\nend"));
    }

    void write()
    {
        turn(QStringLiteral("/write docs/NOTES.md\n```\n# Notes\n\n/run is a word here\n```"));
        QCOMPARE(read(QStringLiteral("docs/NOTES.md")), QByteArray("# Notes\n\n/run is a word here\n"));
        const auto *diff = std::get_if<ToolDiff>(&m_driver->permissions[0].permission.call.content.first());
        QVERIFY(diff && !diff->oldText && diff->newText.text.startsWith(QStringLiteral("# Notes")));
        turn(QStringLiteral("/write docs/NOTES.md short"));
        QCOMPARE(read(QStringLiteral("docs/NOTES.md")), QByteArray("short\n"));
        diff = std::get_if<ToolDiff>(&m_driver->permissions[0].permission.call.content.first());
        QVERIFY(diff && diff->oldText && diff->oldText->text.startsWith(QStringLiteral("# Notes")));
        turn(QStringLiteral("/write docs/NOTES.md short"));
        QVERIFY(m_driver->permissions.isEmpty());
        turn(QStringLiteral("/write other text"), QStringLiteral("reject_once"));
        QVERIFY(!QFile::exists(tree() + QStringLiteral("/other")));
    }

    void writeOnlyInside_data()
    {
        QTest::addColumn<QString>("path");
        QTest::newRow("parent") << QStringLiteral("../out.txt");
        QTest::newRow("absolute") << QStringLiteral("/tmp/foundry-out.txt");
        QTest::newRow("through a link") << QStringLiteral("link/out.txt");
        QTest::newRow("a link") << QStringLiteral("file-link");
        QTest::newRow("a dead link") << QStringLiteral("dead");
        QTest::newRow("git's folder") << QStringLiteral(".git/hooks/post-checkout");
        QTest::newRow("git's folder in capitals") << QStringLiteral(".GIT/config");
        QTest::newRow("a folder") << QStringLiteral("folder");
        QTest::newRow("through a file") << QStringLiteral("plain/x");
        QTest::newRow("nothing") << QStringLiteral("''");
    }
    void writeOnlyInside()
    {
        QFETCH(QString, path);
        QDir().mkpath(m_folder->filePath(QStringLiteral("outside")));
        put(QStringLiteral("../outside/secret"), "secret\n");
        put(QStringLiteral("plain"), "plain\n");
        QDir().mkpath(tree() + QStringLiteral("/folder"));
        QFile::link(m_folder->filePath(QStringLiteral("outside")), tree() + QStringLiteral("/link"));
        QFile::link(m_folder->filePath(QStringLiteral("outside/secret")), tree() + QStringLiteral("/file-link"));
        QFile::link(m_folder->filePath(QStringLiteral("outside/none")), tree() + QStringLiteral("/dead"));
        QCOMPARE(turn(QStringLiteral("/write %1\nevil").arg(path)), QStringLiteral("end_turn"));
        QVERIFY(m_driver->permissions.isEmpty());
        QVERIFY2(m_driver->text().contains(QStringLiteral("Nothing was written")), qPrintable(m_driver->text()));
        QCOMPARE(QDir(m_folder->filePath(QStringLiteral("outside"))).entryList(QDir::Files), QStringList(QStringLiteral("secret")));
        QCOMPARE(read(QStringLiteral("../outside/secret")), QByteArray("secret\n"));
        QVERIFY(!QFile::exists(QStringLiteral("/tmp/foundry-out.txt")));
    }

    void findRespectsGitignore()
    {
        git({QStringLiteral("init"), QStringLiteral("-q")});
        put(QStringLiteral(".gitignore"), "build/\n");
        put(QStringLiteral("src/a.cpp"), "int needle = 1;\n\n// needle again\n");
        put(QStringLiteral("src/b.cpp"), "nothing\n");
        put(QStringLiteral("build/c.cpp"), "needle\n");
        put(QStringLiteral("data.bin"), QByteArray("needle\0", 7));
        turn(QStringLiteral("/find needle"));
        QCOMPARE(outputOf(onlyCall()), QStringLiteral("src/a.cpp:1: int needle = 1;\nsrc/a.cpp:3: // needle again\n"));
        QCOMPARE(onlyCall().kind, QStringLiteral("search"));
        QCOMPARE(onlyCall().locations.size(), 2);
        QVERIFY(m_driver->text().contains(QStringLiteral("2 lines of 1 files")));
        QVERIFY(m_driver->permissions.isEmpty());
        turn(QStringLiteral("/find it's \"odd\""));
        QVERIFY(m_driver->text().contains(QStringLiteral("Nothing found")));
    }

    void findWithoutGit()
    {
        put(QStringLiteral("a.txt"), "needle\n");
        put(QStringLiteral("node_modules/x/b.txt"), "needle\n");
        turn(QStringLiteral("/find needle"));
        QCOMPARE(outputOf(onlyCall()), QStringLiteral("a.txt:1: needle\n"));
    }

    void replace()
    {
        git({QStringLiteral("init"), QStringLiteral("-q")});
        put(QStringLiteral("a.cpp"), "old(old);\r\nlast without line end: old");
        put(QStringLiteral("sub/b.h"), "old\n");
        put(QStringLiteral("c.txt"), "old\n");
        turn(QStringLiteral("/replace old 'brand new' *.cpp"));
        QCOMPARE(read(QStringLiteral("a.cpp")), QByteArray("brand new(brand new);\r\nlast without line end: brand new"));
        QCOMPARE(read(QStringLiteral("c.txt")), QByteArray("old\n"));
        turn(QStringLiteral("/replace old new"), QStringLiteral("reject_once"));
        QCOMPARE(m_driver->permissions.size(), 1);
        QCOMPARE(m_driver->permissions[0].permission.call.content.size(), 2); // one set, two files
        QCOMPARE(read(QStringLiteral("sub/b.h")), QByteArray("old\n"));
        turn(QStringLiteral("/replace old new sub/**"));
        QCOMPARE(read(QStringLiteral("sub/b.h")), QByteArray("new\n"));
        QCOMPARE(read(QStringLiteral("c.txt")), QByteArray("old\n"));
        turn(QStringLiteral("/replace not-there x"));
        QVERIFY(m_driver->text().contains(QStringLiteral("not found")));
        turn(QStringLiteral("/replace alone"));
        QVERIFY(m_driver->text().contains(QStringLiteral("OLD NEW")));
    }

    void replaceNoticesChanges()
    {
        put(QStringLiteral("a.txt"), "old\n");
        m_driver->prompt(QStringLiteral("/replace old new"));
        QTRY_COMPARE(m_driver->permissions.size(), 1);
        put(QStringLiteral("a.txt"), "old, and somebody else's words\n");
        m_driver->client().answerPermission(m_driver->permissions[0].permission.ask.requestId, QStringLiteral("allow_once"));
        QTRY_VERIFY(m_driver->turn.has_value());
        QCOMPARE(read(QStringLiteral("a.txt")), QByteArray("old, and somebody else's words\n"));
        QVERIFY(m_driver->text().contains(QStringLiteral("changed meanwhile")));
    }

    void largeFileShowsAnExcerpt()
    {
        QByteArray content;
        for (int i = 0; i < 20000; ++i)
            content += "line " + QByteArray::number(i) + '\n';
        put(QStringLiteral("big.txt"), content);
        turn(QStringLiteral("/replace 'line 10000' 'LINE'"));
        const auto *diff = std::get_if<ToolDiff>(&m_driver->permissions[0].permission.call.content.first());
        QVERIFY(diff && diff->newText.text.size() < 200);
        QVERIFY(diff->newText.text.contains(QStringLiteral("LINE\nline 10001")));
        QCOMPARE(read(QStringLiteral("big.txt")), QByteArray(content).replace("line 10000", "LINE"));
    }

    void todo()
    {
        put(QStringLiteral("a.cpp"), "// TODO: first\nint x; // FIXME second\nmastodon TODOS\n");
        turn(QStringLiteral("/todo"));
        const auto plan = m_driver->all<PlanUpdate>().last().entries;
        QCOMPARE(plan.size(), 2);
        QCOMPARE(plan[0].content, QStringLiteral("a.cpp:1 TODO: first"));
        QCOMPARE(plan[1].priority, QStringLiteral("high"));
    }

    void severalCommands()
    {
        put(QStringLiteral("a.txt"), "old\n");
        QCOMPARE(turn(QStringLiteral("/find old\n/replace old new\n/run cat a.txt")), QStringLiteral("end_turn"));
        QCOMPARE(outputOf(onlyCall()), QStringLiteral("new\n"));
        const auto plans = m_driver->all<PlanUpdate>();
        QCOMPARE(plans.first().entries.size(), 3);
        QCOMPARE(plans.first().entries[0].status, QStringLiteral("pending"));
        for (const PlanEntry &entry : plans.last().entries)
            QCOMPARE(entry.status, QStringLiteral("completed"));
        // The first that fails ends it.
        turn(QStringLiteral("/run false\n/run touch after"));
        QVERIFY(!QFile::exists(tree() + QStringLiteral("/after")));
        QVERIFY(m_driver->text().contains(QStringLiteral("Stopped here")));
    }

    void testDetection_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("command");
        QTest::newRow("script") << QStringLiteral("test.sh") << QByteArray("#!/bin/sh\necho ran\n") << QStringLiteral("./test.sh");
        QTest::newRow("npm") << QStringLiteral("package.json") << QByteArray("{\"scripts\":{\"test\":\"echo ran\"}}") << QStringLiteral("npm test");
        QTest::newRow("cargo") << QStringLiteral("Cargo.toml") << QByteArray("[package]") << QStringLiteral("cargo test");
        QTest::newRow("go") << QStringLiteral("go.mod") << QByteArray("module x") << QStringLiteral("go test ./...");
        QTest::newRow("make") << QStringLiteral("Makefile") << QByteArray("all:\n\ntest: all\n\techo ran\n") << QStringLiteral("make test");
        QTest::newRow("pytest") << QStringLiteral("tests/test_a.py") << QByteArray("def test_a(): pass") << QStringLiteral("python3 -m pytest");
        QTest::newRow("ctest") << QStringLiteral("build/CTestTestfile.cmake") << QByteArray() << QStringLiteral("ctest --test-dir build --output-on-failure");
    }
    void testDetection()
    {
        QFETCH(QString, file);
        QFETCH(QByteArray, content);
        QFETCH(QString, command);
        put(file, content, file.endsWith(QStringLiteral(".sh")));
        if (command.startsWith(QStringLiteral("ctest")))
            put(QStringLiteral("CMakeLists.txt"), "project(x)\n");
        turn(QStringLiteral("/test"), QStringLiteral("reject_once"));
        QCOMPARE(m_driver->permissions.size(), 1);
        QCOMPARE(m_driver->permissions[0].permission.ask.title, command);
        if (file == QStringLiteral("test.sh")) {
            turn(QStringLiteral("/test"));
            QCOMPARE(outputOf(onlyCall()), QStringLiteral("ran\n"));
        }
    }

    void noTests()
    {
        put(QStringLiteral("package.json"), "{\"scripts\":{\"test\":\"echo \\\"Error: no test specified\\\" && exit 1\"}}");
        put(QStringLiteral("Makefile"), "test := variable\nall:\n");
        turn(QStringLiteral("/test"));
        QVERIFY(m_driver->permissions.isEmpty());
        QVERIFY(m_driver->text().contains(QStringLiteral("found no tests")));
    }

    void loadReplays()
    {
        turn(QStringLiteral("/write a.txt hello"));
        const QString said = m_driver->text();
        auto other = runner();
        QVERIFY(other);
        std::optional<Result<AcpSession>> loaded;
        other->client().loadSession(m_driver->sessionId, tree(), [&](const auto &r) { loaded = r; });
        QTRY_VERIFY(loaded.has_value());
        QVERIFY(loaded->ok());
        QCOMPARE(other->text(), said);
        QCOMPARE(other->all<UserChunk>().first().text, QStringLiteral("/write a.txt hello"));
        QCOMPARE(other->all<ToolCallUpsert>().last().call.status, QStringLiteral("completed"));
        other->sessionId = m_driver->sessionId;
        other->prompt(QStringLiteral("/help"));
        QTRY_VERIFY(other->turn.has_value() && other->turn->ok());
        std::optional<Result<AcpSession>> none;
        other->client().loadSession(QStringLiteral("../../etc/passwd"), tree(), [&](const auto &r) { none = r; });
        QTRY_VERIFY(none.has_value());
        QVERIFY(!none->ok());
        other->client().stop();
        QTRY_VERIFY(other->exit.has_value());
    }

    // End of input in the middle of a command: nothing stays behind.
    void endOfInput()
    {
        m_driver->prompt(QStringLiteral("/run sleep 60"));
        QTRY_COMPARE(m_driver->permissions.size(), 1);
        m_driver->client().answerPermission(m_driver->permissions[0].permission.ask.requestId, QStringLiteral("allow_once"));
        QTRY_COMPARE(onlyCall().status, QStringLiteral("in_progress"));
        m_driver->client().stop();
        QTRY_VERIFY(m_driver->exit.has_value());
        QVERIFY(livingMembers(m_driver->client().identity()).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestRunner)
#include "tst_runner.moc"
