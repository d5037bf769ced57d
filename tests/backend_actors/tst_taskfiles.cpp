// The derived state of a task's work tree: folders, pieces of files and names as stored reads, changes by difference,
// the watch, and what is new in the last turn. Through the actors, with real git and files.
#include "backend/actors/actorregistry.h"
#include "tests/backend_actors/domainharness.h"

#include <QDir>
#include <QDirIterator>
#include <QRegularExpression>
#include <QStandardPaths>

using namespace foundry;
using foundry::test::DomainHarness;

class TestTaskFiles : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<DomainHarness> m_host;
    DomainHarness::Made m_made;
    QString m_tree;

    // Asked again until the answer is there.
    template <class Page, class Command>
    Page read(const QString &action, const Command &asked)
    {
        Page page;
        QString said;
        const bool came = QTest::qWaitFor([&] {
            auto answer = m_host->command(m_made.address, action, asked);
            if (!answer) {
                said = answer.error().key();
                return true;
            }
            auto decoded = protocol::decodeValue<Page>(*answer);
            if (!decoded)
                qFatal("%ls", qUtf16Printable(decoded.error().message));
            page = *decoded;
            return !page.pending;
        }, 20000);
        if (!came || !said.isEmpty())
            qWarning("%ls: %ls", qUtf16Printable(action), qUtf16Printable(said));
        return page;
    }
    DirectoryPage list(const QString &path, const std::optional<QString> &cursor = {})
    {
        ListDirectory asked;
        asked.path = path;
        asked.cursor = cursor;
        return read<DirectoryPage>(QStringLiteral("listDirectory"), asked);
    }
    FilesFound find(const QString &query)
    {
        FindFiles asked;
        asked.query = query;
        return read<FilesFound>(QStringLiteral("findFiles"), asked);
    }
    FilePage file(const QString &path, const std::optional<QString> &ref = {})
    {
        ReadFile asked;
        asked.path = path;
        asked.ref = ref;
        return read<FilePage>(QStringLiteral("readFile"), asked);
    }
    static QStringList names(const DirectoryPage &page)
    {
        QStringList all;
        for (const FileNode &node : page.nodes)
            all.append(node.path + (node.isDir ? QStringLiteral("/") : QString()));
        return all;
    }
    QStringList fileRows()
    {
        // A windowed topic tells what is newer than a revision: from the first one, all rows.
        QStringList all;
        ChangesSince since;
        since.topic = QStringLiteral("files");
        auto answer = m_host->call(m_made.address, QStringLiteral("changesSince"), protocol::encodeArgs(since));
        since.generation = protocol::decodeChangesPage(*answer)->generation;
        answer = m_host->call(m_made.address, QStringLiteral("changesSince"), protocol::encodeArgs(since));
        const auto page = protocol::decodeChangesPage(*answer);
        for (const Entity &entity : page->upserts) {
            if (const auto *node = std::get_if<FileNode>(&entity))
                all.append(node->path);
        }
        all.sort();
        return all;
    }
    QList<FileChange> changed() { return m_host->rows<FileChange>(m_made.address, QStringLiteral("changes")); }
    QStringList changedIds(bool lastTurn = false)
    {
        QStringList ids;
        for (const FileChange &file : changed()) {
            if (!lastTurn || file.inLastTurn)
                ids.append(file.id);
        }
        ids.sort();
        return ids;
    }
    ChangesHeader header() { return m_host->rows<ChangesHeader>(m_made.address, QStringLiteral("changes")).value(0); }
    // A refresh that began after this call is over.
    bool refresh()
    {
        QTest::qWait(2);
        const Millis before = QDateTime::currentMSecsSinceEpoch();
        if (!m_host->command(m_made.address, QStringLiteral("refreshChanges"), RefreshChanges{}))
            return false;
        return QTest::qWaitFor([&] {
            const ChangesHeader now = header();
            return !now.refreshing && now.at > before;
        }, 20000);
    }
    void write(const QString &name, const QByteArray &bytes) { m_host->git.write(m_tree, name, bytes); }
    bool runTurn(const QString &prompt)
    {
        const auto ends = [this] {
            const auto entries = m_host->transcript(m_made.address, m_made.session);
            return std::count_if(entries.begin(), entries.end(), [](const TranscriptEntry &entry) { return entry.kind == EntryKind::TurnEnd; });
        };
        const auto before = ends();
        SendMessage send;
        send.queueId = makeId<QueueId>();
        send.sessionId = m_made.session;
        send.prompt = Prompt{prompt};
        return m_host->command(m_made.address, QStringLiteral("sendMessage"), send) && m_host->answerPermission(m_made, QStringLiteral("allow_once"))
            && QTest::qWaitFor([&] { return ends() > before; }, 20000);
    }

private Q_SLOTS:
    void init()
    {
        m_host = std::make_unique<DomainHarness>();
        const QString repository = m_host->git.makeRepository(QStringLiteral("project"));
        m_host->git.write(repository, QStringLiteral(".gitignore"), "ignored/\n");
        m_host->git.commitAll(repository, QStringLiteral("ignore"));
        m_host->start();
        const RepoId repo = m_host->addRepository(repository);
        m_made = m_host->createTask(repo, {});
        QVERIFY(!m_made.error);
        QVERIFY(QTest::qWaitFor([this] { return m_host->rows<Task>(m_made.address, QStringLiteral("task")).value(0).git.head.has_value(); }, 30000));
        m_tree = m_host->rows<Task>(m_made.address, QStringLiteral("task")).first().workTree.value();
    }
    void cleanup() { m_host.reset(); }

    void folders()
    {
        ListDirectory first;
        auto answer = m_host->command(m_made.address, QStringLiteral("listDirectory"), first);
        QVERIFY(answer);
        QVERIFY(protocol::decodeValue<DirectoryPage>(*answer)->pending); // at once, whatever the disk does
        QCOMPARE(names(list({})), (QStringList{QStringLiteral("src/"), QStringLiteral(".gitignore"), QStringLiteral("README.md")}));
        QCOMPARE(names(list(QStringLiteral("src"))), QStringList{QStringLiteral("src/main.cpp")});
        QCOMPARE(fileRows(), (QStringList{QStringLiteral(".gitignore"), QStringLiteral("README.md"), QStringLiteral("src"), QStringLiteral("src/main.cpp")}));
        // Served from what is stored also after a restart of the host; only what changed is written then.
        m_host->stop();
        write(QStringLiteral("src/more.cpp"), "x");
        QVERIFY(QFile::remove(m_tree + QStringLiteral("/src/main.cpp")));
        m_host->start();
        ListDirectory again;
        again.path = QStringLiteral("src");
        answer = m_host->command(m_made.address, QStringLiteral("listDirectory"), again);
        QVERIFY(answer);
        QCOMPARE(names(*protocol::decodeValue<DirectoryPage>(*answer)), QStringList{QStringLiteral("src/main.cpp")});
        QTRY_COMPARE_WITH_TIMEOUT(names(list(QStringLiteral("src"))), QStringList{QStringLiteral("src/more.cpp")}, 10000);
        QTRY_COMPARE(fileRows(), (QStringList{QStringLiteral(".gitignore"), QStringLiteral("README.md"), QStringLiteral("src"), QStringLiteral("src/more.cpp")}));
        // A folder that goes takes its rows along, and says so when it is asked for.
        QVERIFY(QDir(m_tree + QStringLiteral("/src")).removeRecursively());
        QTRY_VERIFY_WITH_TIMEOUT(list(QStringLiteral("src")).error.has_value(), 10000);
        QCOMPARE(list(QStringLiteral("src")).error->code, QStringLiteral("not_found"));
        QVERIFY(!fileRows().contains(QStringLiteral("src/more.cpp")));
        again.path = QStringLiteral("../..");
        answer = m_host->command(m_made.address, QStringLiteral("listDirectory"), again);
        QVERIFY(!answer && answer.error().code == QLatin1StringView("invalid"));
    }

    void bigFolder()
    {
        QDir(m_tree).mkpath(QStringLiteral("big/sub"));
        for (int i = 0; i < 2500; ++i)
            write(QStringLiteral("big/f%1").arg(i, 5, 10, QLatin1Char('0')), "x");
        QStringList all;
        std::optional<QString> cursor;
        int pages = 0;
        do {
            const DirectoryPage page = list(QStringLiteral("big"), cursor);
            QVERIFY(!page.error);
            all += names(page);
            cursor = page.cursor;
            ++pages;
        } while (cursor && pages < 10);
        QCOMPARE(pages, 3);
        QCOMPARE(all.size(), 2501);
        QCOMPARE(all.first(), QStringLiteral("big/sub/"));
        QCOMPARE(all.last(), QStringLiteral("big/f02499"));
    }

    void findAndRead()
    {
        write(QStringLiteral("docs/Main notes.md"), "notes");
        write(QStringLiteral("ignored/main.o"), "o");
        QVERIFY(refresh());
        QTRY_COMPARE(find(QStringLiteral("main")).paths, (QStringList{QStringLiteral("src/main.cpp"), QStringLiteral("docs/Main notes.md")}));
        QCOMPARE(file(QStringLiteral("docs/Main notes.md")).data, QByteArray("notes"));
        const QByteArray was = file(QStringLiteral("README.md"), QStringLiteral("base")).data;
        QVERIFY(!was.isEmpty());
        write(QStringLiteral("README.md"), "staged");
        m_host->git.mustGit(m_tree, {QStringLiteral("add"), QStringLiteral("README.md")});
        write(QStringLiteral("README.md"), "edited");
        QVERIFY(refresh());
        QTRY_COMPARE(file(QStringLiteral("README.md")).data, QByteArray("edited"));
        QTRY_COMPARE(file(QStringLiteral("README.md"), QStringLiteral("index")).data, QByteArray("staged"));
        QCOMPARE(file(QStringLiteral("README.md"), QStringLiteral("base")).data, was);
        QCOMPARE(file(QStringLiteral("absent")).error.value_or(Error{}).code, QStringLiteral("not_found"));
        ReadFile out;
        out.path = QStringLiteral("../../../etc/passwd");
        QVERIFY(!m_host->command(m_made.address, QStringLiteral("readFile"), out));
        // What was listed is known after a restart before git has said anything.
        m_host->stop();
        m_host->start();
        QCOMPARE(find(QStringLiteral("main notes")).paths, QStringList{QStringLiteral("docs/Main notes.md")});
    }

    // The names cannot be kept for the next start: they are found all the same, and it is said.
    void namesThatCannotBeKept()
    {
        QVERIFY(refresh());
        const QString kept = m_host->dataDir() + QStringLiteral("/content/") + backend::actorIdOf(m_made.address) + QStringLiteral("/filenames");
        QVERIFY(find(QStringLiteral("main")).paths.contains(QStringLiteral("src/main.cpp")));
        QVERIFY(QFile::remove(kept));
        QVERIFY(QDir().mkpath(kept + QStringLiteral("/in the way")));
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("names of a task's files are not kept")));
        write(QStringLiteral("another-main"), "x");
        QVERIFY(refresh());
        QTRY_VERIFY_WITH_TIMEOUT(find(QStringLiteral("another")).paths.contains(QStringLiteral("another-main")), 15000);
    }

    // 05-5: one changed file among many is one row.
    void refreshCostsWhatChanged()
    {
        for (int i = 0; i < 1200; ++i)
            write(QStringLiteral("many/f%1").arg(i), "x\n");
        QVERIFY(refresh());
        QCOMPARE(changed().size(), 1200);
        write(QStringLiteral("many/f7"), "x\ny\n");
        QVERIFY(QFile::remove(m_tree + QStringLiteral("/many/f8")));
        ChangesSince since;
        since.topic = QStringLiteral("changes");
        auto answer = m_host->call(m_made.address, QStringLiteral("revisions"), QByteArray("[{}]"));
        QVERIFY(answer);
        answer = m_host->call(m_made.address, QStringLiteral("changesSince"), protocol::encodeArgs(since));
        const auto page = protocol::decodeChangesPage(*answer);
        since.generation = page->generation;
        since.revision = page->revision;
        QVERIFY(refresh());
        answer = m_host->call(m_made.address, QStringLiteral("changesSince"), protocol::encodeArgs(since));
        const auto after = protocol::decodeChangesPage(*answer);
        QStringList rows;
        for (const Entity &entity : after->upserts) {
            if (const auto *file = std::get_if<FileChange>(&entity))
                rows.append(file->id);
        }
        QCOMPARE(rows, QStringList{QStringLiteral("untracked:many/f7")});
        QCOMPARE(after->removals.size(), 1);
        // A restart compares with what is stored.
        since.revision = after->revision;
        m_host->stop();
        m_host->start();
        QVERIFY(refresh());
        answer = m_host->call(m_made.address, QStringLiteral("changesSince"), protocol::encodeArgs(since));
        const auto restarted = protocol::decodeChangesPage(*answer);
        for (const Entity &entity : restarted->upserts)
            QVERIFY(!std::holds_alternative<FileChange>(entity));
    }

    // However much is asked at once: one git after another, not one for each question, and none leaves a trace.
    void oneGitAtATimeAndNoTrace()
    {
        QVERIFY(m_host->waitForStatus(m_made, SessionStatus::Ready));
        write(QStringLiteral("README.md"), "staged\n");
        m_host->git.mustGit(m_tree, {QStringLiteral("add"), QStringLiteral("README.md")});
        write(QStringLiteral("README.md"), "and edited\n");
        write(QStringLiteral("new"), "x\n");
        QVERIFY(refresh());
        QTest::qWait(700); // further looks of the start-up
        // The same bytes with another time: what makes a plain git write the index.
        write(QStringLiteral("src/main.cpp"), m_host->git.read(m_tree, QStringLiteral("src/main.cpp")));
        const QString gitDir = m_host->git.git(m_tree, {QStringLiteral("rev-parse"), QStringLiteral("--absolute-git-dir")}).line();
        const auto snapshot = [&] {
            QMap<QString, QByteArray> all;
            for (const QString &folder : {m_tree, gitDir}) {
                QDirIterator files(folder, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
                while (files.hasNext()) {
                    const QFileInfo info(files.next());
                    QFile file(info.filePath());
                    if (file.open(QIODevice::ReadOnly))
                        all.insert(info.filePath(), QByteArray::number(info.lastModified().toMSecsSinceEpoch()) + ' ' + file.readAll());
                }
            }
            return all;
        };
        const auto before = snapshot();
        QVERIFY(before.contains(gitDir + QStringLiteral("/index")));
        const QByteArray path = qgetenv("PATH");
        const auto restore = qScopeGuard([&path] { qputenv("PATH", path); });
        const QString root = m_host->git.root();
        m_host->git.write(root, QStringLiteral("bin/git"),
            // Held by whatever git it becomes, until that has ended in any way.
            QStringLiteral("#!/bin/sh\nexec 9>>'%1/busy'\nflock -n 9 || echo \"$*\" >>'%1/overlaps'\necho \"$*\" >>'%1/runs'\nsleep 0.02\nexec '%2' \"$@\"\n")
                .arg(root, QStandardPaths::findExecutable(QStringLiteral("git"))).toUtf8(), true);
        qputenv("PATH", (root + QStringLiteral("/bin:")).toUtf8() + path);
        for (int i = 0; i < 15; ++i) {
            QVERIFY(m_host->command(m_made.address, QStringLiteral("refreshChanges"), RefreshChanges{}));
            GetDiff diff;
            diff.requestId = makeId<RequestId>();
            diff.path = QStringLiteral("README.md");
            diff.scope = i % 2 ? ChangeScope::Staged : ChangeScope::Unstaged;
            QVERIFY(m_host->call(m_made.address, QStringLiteral("getDiff"), protocol::encodeArgs(diff)));
        }
        QCOMPARE(file(QStringLiteral("README.md"), QStringLiteral("index")).data, QByteArray("staged\n"));
        QVERIFY(find(QStringLiteral("main")).paths.contains(QStringLiteral("src/main.cpp")));
        SendMessage send;
        send.queueId = makeId<QueueId>();
        send.sessionId = m_made.session;
        send.prompt = Prompt{QStringLiteral("/help")};
        QVERIFY(m_host->command(m_made.address, QStringLiteral("sendMessage"), send));
        QVERIFY(m_host->waitForStatus(m_made, SessionStatus::Idle));
        QVERIFY(refresh());
        const QByteArray runs = m_host->git.read(root, QStringLiteral("runs"));
        const QByteArray overlaps = m_host->git.read(root, QStringLiteral("overlaps"));
        QVERIFY2(overlaps.isEmpty(), (overlaps + "of\n" + runs).constData());
        const qsizetype looks = runs.count(" rev-list --left-right ");
        QVERIFY2(looks >= 1 && looks <= 8, runs.constData());
        QVERIFY(snapshot() == before);
        m_host->git.mustGit(m_tree, {QStringLiteral("status")});
        QVERIFY(snapshot() != before); // a plain git does write
        QCOMPARE(changedIds(), (QStringList{QStringLiteral("staged:README.md"), QStringLiteral("unstaged:README.md"), QStringLiteral("untracked:new")}));
    }

    // Edits by anybody show by themselves while somebody looks; not when nobody does.
    void watched()
    {
        m_host->listen(m_made.address, QStringLiteral("changes"));
        m_host->listen(m_made.address, QStringLiteral("files"));
        QCOMPARE(names(list({})).size(), 3);
        // The watch stands when an edit is seen; how long that takes is the machine's business.
        int edits = 0;
        QVERIFY(QTest::qWaitFor([&] {
            if (++edits % 10 == 1)
                write(QStringLiteral("first%1").arg(edits), "x");
            return changedIds().contains(QStringLiteral("untracked:first1"));
        }, 20000));
        QTest::qWait(700); // further looks of the start-up
        write(QStringLiteral("README.md"), "by hand\n");
        QTRY_VERIFY_WITH_TIMEOUT(changedIds().contains(QStringLiteral("unstaged:README.md")), 15000);
        QDir(m_tree).mkpath(QStringLiteral("deep/er"));
        QTRY_VERIFY_WITH_TIMEOUT(fileRows().contains(QStringLiteral("deep")), 15000);
        QTest::qWait(500);
        write(QStringLiteral("deep/er/file"), "x");
        QTRY_VERIFY_WITH_TIMEOUT(changedIds().contains(QStringLiteral("untracked:deep/er/file")), 15000);
        m_host->git.mustGit(m_tree, {QStringLiteral("add"), QStringLiteral("README.md")});
        QTRY_VERIFY_WITH_TIMEOUT(changedIds().contains(QStringLiteral("staged:README.md")), 15000);
    }

    // What users' processes do shows too, though nobody watches: when one ends, and while somebody types into one.
    void processesTouch()
    {
        const backend::ActorAddress sandbox{QStringLiteral("sandbox"),
            {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), m_made.task.value}};
        QVERIFY(refresh());
        QTest::qWait(700); // further looks of the start-up
        CreateProcess once;
        once.processId = makeId<ProcessId>();
        once.command = QStringLiteral("sh");
        once.args = {QStringLiteral("-c"), QStringLiteral("echo x > by-process")};
        QVERIFY(m_host->command(sandbox, QStringLiteral("createProcess"), once).ok());
        QTRY_VERIFY_WITH_TIMEOUT(changedIds().contains(QStringLiteral("untracked:by-process")), 15000);
        CreateProcess shell;
        shell.processId = makeId<ProcessId>();
        shell.command = QStringLiteral("sh");
        shell.tty = true;
        QVERIFY(m_host->command(sandbox, QStringLiteral("createProcess"), shell).ok());
        WriteInput typed;
        typed.processId = shell.processId;
        typed.data = "echo x > typed\n";
        QTRY_VERIFY_WITH_TIMEOUT(m_host->command(sandbox, QStringLiteral("writeInput"), typed).ok(), 15000);
        QTRY_VERIFY_WITH_TIMEOUT(changedIds().contains(QStringLiteral("untracked:typed")), 15000);
        for (const foundry::Process &process : m_host->rows<foundry::Process>(sandbox, QStringLiteral("processes"))) {
            if (process.id == shell.processId)
                QCOMPARE(process.status, QStringLiteral("running"));
        }
        KillProcess kill;
        kill.processId = shell.processId;
        QVERIFY(m_host->command(sandbox, QStringLiteral("killProcess"), kill).ok());
    }

    void lastTurn()
    {
        QVERIFY(m_host->waitForStatus(m_made, SessionStatus::Ready) || m_host->waitForStatus(m_made, SessionStatus::Idle, 1000));
        write(QStringLiteral("mine"), "before the turn\n");
        QVERIFY(refresh());
        QTest::qWait(50);
        QVERIFY(runTurn(QStringLiteral("/write ONE.md\n```\none\n```")));
        QTRY_COMPARE_WITH_TIMEOUT(changedIds(true), QStringList{QStringLiteral("untracked:ONE.md")}, 15000);
        QVERIFY(changedIds().contains(QStringLiteral("untracked:mine")));
        QTest::qWait(50);
        QVERIFY(runTurn(QStringLiteral("/write TWO.md\n```\ntwo\n```")));
        QTRY_COMPARE_WITH_TIMEOUT(changedIds(true), QStringList{QStringLiteral("untracked:TWO.md")}, 15000);
        // The same after a restart.
        m_host->stop();
        m_host->start();
        QVERIFY(refresh());
        QCOMPARE(changedIds(true), QStringList{QStringLiteral("untracked:TWO.md")});
    }
};

QTEST_GUILESS_MAIN(TestTaskFiles)
#include "tst_taskfiles.moc"
