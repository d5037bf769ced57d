// Processes of a sandbox, as a client of a real host sees them: rows, commands, limits, and what a host that was killed or
// stopped leaves of them.
#include "tests/backend_processes/follower.h"

#include <QDir>

#include <csignal>

using namespace foundry;
using test::ask;
using test::lives;
using test::numberIn;
using test::SandboxWorld;

class tst_Processes : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_world = std::make_unique<SandboxWorld>();
        QVERIFY(m_world->prepare());
    }
    void cleanupTestCase() { m_world.reset(); }

    void oneShot();
    void failsInItsRow();
    void refusesWhatCannotBe();
    void happensOnce();
    void stopKillDelete();
    void atMost64();
    void beforeTheWorkTree();
    void killedHost();
    void stoppedHost();

private:
    std::unique_ptr<SandboxWorld> m_world;
};

void tst_Processes::oneShot()
{
    m_world->sandbox->subscribe(QStringLiteral("processes"));
    const auto id = m_world->run(QStringLiteral("pwd; echo err >&2; exit 4"), false);
    QVERIFY(id);
    QVERIFY(m_world->waitForExit(*id));
    const auto row = m_world->process(*id);
    QCOMPARE(row->exitCode, 4);
    QVERIFY(!row->signal && !row->error && row->pid && row->startedAt && row->exitedAt);
    QCOMPARE(m_world->tail(*id), m_world->workTree.toUtf8() + "\nerr\n");
    QCOMPARE(row->logBytes, m_world->workTree.toUtf8().size() + 5);
    QCOMPARE(row->logStart, 0);
    QVERIFY(std::any_of(m_world->sandbox->events.cbegin(), m_world->sandbox->events.cend(), [](const auto &received) {
        return received.event.topic == QLatin1StringView("processes") && !received.event.upserts.isEmpty();
    }));
}

void tst_Processes::failsInItsRow()
{
    const auto id = m_world->run(QString(), false, [](CreateProcess &create) { create.command = QStringLiteral("no-such-program"); });
    QVERIFY(id);
    QVERIFY(m_world->waitForExit(*id));
    const auto row = m_world->process(*id);
    QVERIFY(row->error && !row->pid && !row->exitCode);
    QCOMPARE(row->error->key(), QStringLiteral("sandbox.program_not_found"));
    QVERIFY(row->error->message.contains(QStringLiteral("no-such-program")) && !row->error->action.isEmpty());

    const auto missing = m_world->run(QStringLiteral("true"), true, [](CreateProcess &create) { create.cwd = QStringLiteral("not/there"); });
    QVERIFY(missing);
    QVERIFY(m_world->waitForExit(*missing));
    QCOMPARE(m_world->process(*missing)->error->key(), QStringLiteral("sandbox.folder_missing"));
}

void tst_Processes::refusesWhatCannotBe()
{
    QVERIFY(QFile::link(QStringLiteral("/etc"), m_world->workTree + QStringLiteral("/way-out")));
    for (const char *folder : {"/etc", "..", "src/../../x", "way-out", "way-out/apt"}) {
        const auto id = m_world->run(QStringLiteral("true"), false, [&](CreateProcess &create) { create.cwd = QString::fromLatin1(folder); });
        QVERIFY2(!id, folder);
        QCOMPARE(id.error().key(), QStringLiteral("input.invalid"));
    }
    QVERIFY(QFile::remove(m_world->workTree + QStringLiteral("/way-out")));
    const auto refused = [&](const std::function<void(CreateProcess &)> &change) {
        const auto id = m_world->run(QStringLiteral("true"), true, change);
        return id ? QString() : id.error().key();
    };
    QCOMPARE(refused([](CreateProcess &create) { create.command = QStringLiteral(" "); }), QStringLiteral("input.invalid"));
    QCOMPARE(refused([](CreateProcess &create) { create.processId = ProcessId(QString(101, QLatin1Char('x'))); }), QStringLiteral("input.invalid"));
    QCOMPARE(refused([](CreateProcess &create) { create.cols = 0; }), QStringLiteral("input.invalid"));
    QCOMPARE(refused([](CreateProcess &create) { create.rows = 100000; }), QStringLiteral("input.invalid"));

    const ProcessId nobody(QStringLiteral("nobody"));
    QCOMPARE(ask(*m_world->sandbox, QStringLiteral("stopProcess"), StopProcess{{}, nobody}).error().key(), QStringLiteral("input.invalid"));
    QCOMPARE(SandboxWorld::page(*m_world->sandbox, nobody).error().key(), QStringLiteral("input.invalid"));
    const auto id = m_world->run(QStringLiteral("sleep 400"), false);
    QVERIFY(id);
    QCOMPARE(ask(*m_world->sandbox, QStringLiteral("writeInput"), WriteInput{{}, *id, "x"}).error().key(), QStringLiteral("state.conflict"));
    QCOMPARE(ask(*m_world->sandbox, QStringLiteral("resizeTerminal"), ResizeTerminal{{}, *id, 80, 24}).error().key(), QStringLiteral("state.conflict"));
    QCOMPARE(ask(*m_world->sandbox, QStringLiteral("deleteProcess"), DeleteProcess{{}, *id}).error().key(), QStringLiteral("state.conflict"));
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("killProcess"), KillProcess{{}, *id}));
    QVERIFY(m_world->waitForExit(*id));
}

void tst_Processes::happensOnce()
{
    CreateProcess create;
    create.requestId = makeId<RequestId>();
    create.processId = makeId<ProcessId>();
    create.command = QStringLiteral("bash");
    create.args = QStringList{QStringLiteral("-c"), QStringLiteral("echo one >> ran.txt; cat")};
    create.tty = true;
    const auto first = ask(*m_world->sandbox, QStringLiteral("createProcess"), create);
    const auto again = ask(*m_world->sandbox, QStringLiteral("createProcess"), create);
    QVERIFY(first && again);
    QCOMPARE(*first, *again);
    create.requestId = makeId<RequestId>();
    QCOMPARE(ask(*m_world->sandbox, QStringLiteral("createProcess"), create).error().key(), QStringLiteral("state.conflict"));
    WriteInput input{{makeId<RequestId>()}, create.processId, "typed\n"};
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("writeInput"), input));
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("writeInput"), input));
    QVERIFY(m_world->waitForOutput(create.processId, "typed\r\ntyped\r\n")); // the echo and cat's
    QVERIFY(m_world->type(create.processId, "\x04"));
    QVERIFY(m_world->waitForExit(create.processId));
    QCOMPARE(m_world->tail(create.processId).count("typed"), 2);
    QCOMPARE(m_world->git.read(m_world->workTree, QStringLiteral("ran.txt")), QByteArray("one\n"));
}

void tst_Processes::stopKillDelete()
{
    const auto id = m_world->run(
        QStringLiteral("bash -c 'trap \"\" HUP; echo child=$$; sleep 402; sleep 402' & trap 'echo bye; exit 3' HUP; echo self=$$; wait; wait"), true);
    QVERIFY(id);
    QVERIFY(m_world->waitForOutput(*id, "child="));
    QVERIFY(m_world->waitForOutput(*id, "self="));
    const qint64 child = numberIn(m_world->tail(*id), "child");
    QVERIFY(lives(child));
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("stopProcess"), StopProcess{{}, *id}));
    QVERIFY(m_world->waitForExit(*id));
    QCOMPARE(m_world->process(*id)->exitCode, 3);
    QVERIFY(m_world->tail(*id).contains("bye"));
    QTRY_VERIFY(!lives(child));
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("stopProcess"), StopProcess{{}, *id})); // what was asked for is so
    QVERIFY(m_world->remove(*id));
    QVERIFY(!m_world->process(*id));
    QCOMPARE(SandboxWorld::page(*m_world->sandbox, *id).error().key(), QStringLiteral("input.invalid"));

    const auto deaf = m_world->run(QStringLiteral("trap '' HUP TERM INT; echo self=$$; while :; do sleep 1; done"), true);
    QVERIFY(deaf);
    QVERIFY(m_world->waitForOutput(*deaf, "self="));
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("killProcess"), KillProcess{{}, *deaf}));
    QVERIFY(m_world->waitForExit(*deaf));
    QCOMPARE(m_world->process(*deaf)->signal, SIGKILL);
}

void tst_Processes::atMost64()
{
    QList<ProcessId> ids;
    std::optional<Error> refused;
    for (int i = 0; i < 66 && !refused; ++i) {
        const auto id = m_world->run(QStringLiteral("exec sleep 403"), i % 2 == 0);
        if (id)
            ids.append(*id);
        else
            refused = id.error();
    }
    QCOMPARE(ids.size(), 64);
    QVERIFY(refused);
    QCOMPARE(refused->key(), QStringLiteral("actor.overloaded"));
    QVERIFY(!refused->action.isEmpty());
    QVERIFY(ask(*m_world->sandbox, QStringLiteral("killProcess"), KillProcess{{}, ids.first()}));
    QVERIFY(m_world->waitForExit(ids.first()));
    const auto next = m_world->run(QStringLiteral("true"), false);
    QVERIFY(next);
    for (const ProcessId &id : std::as_const(ids))
        QVERIFY(ask(*m_world->sandbox, QStringLiteral("killProcess"), KillProcess{{}, id}));
    for (const ProcessId &id : std::as_const(ids))
        QVERIFY(m_world->remove(id));
}

void tst_Processes::beforeTheWorkTree()
{
    const TaskId before = m_world->task;
    QVERIFY(m_world->makeTask(QStringLiteral("no-such-branch")));
    std::unique_ptr<wire::WireClient> sandbox;
    QTRY_VERIFY(sandbox || (sandbox = m_world->openSandbox()));
    CreateProcess create;
    create.processId = makeId<ProcessId>();
    create.command = QStringLiteral("true");
    const auto refused = ask(*sandbox, QStringLiteral("createProcess"), create);
    QVERIFY(!refused);
    QCOMPARE(refused.error().key(), QStringLiteral("state.not_ready"));
    m_world->task = before;
}

// SIGKILL of the host: what ran is ended by the next one, the row says so, and the log is as it was.
void tst_Processes::killedHost()
{
    const auto id = m_world->run(
        QStringLiteral("bash -c 'trap \"\" HUP TERM; echo deaf=$$; while :; do sleep 404; done' & "
                       "setsid bash -c 'echo away=$$; sleep 405' & trap '' HUP; for i in $(seq 2000); do echo line $i; done; echo ready; sleep 406; sleep 406"),
        true);
    QVERIFY(id);
    const auto finished = m_world->run(QStringLiteral("echo finished before"), false);
    QVERIFY(finished);
    QVERIFY(m_world->waitForExit(*finished));
    QVERIFY(m_world->waitForOutput(*id, "ready"));
    QVERIFY(m_world->waitForOutput(*id, "away="));
    QVERIFY(m_world->waitForOutput(*id, "deaf="));
    const QByteArray before = m_world->tail(*id);
    const qint64 pid = *m_world->process(*id)->pid;
    const qint64 away = numberIn(before, "away");
    const qint64 deaf = numberIn(before, "deaf");
    const auto page = SandboxWorld::page(*m_world->sandbox, *id);
    QVERIFY(lives(pid) && lives(away) && lives(deaf));
    m_world->host->kill(SIGKILL);
    QVERIFY(m_world->start());
    m_world->sandbox = m_world->openSandbox();
    QVERIFY(m_world->sandbox);
    QVERIFY(m_world->waitForExit(*id));
    QVERIFY(!lives(pid) && !lives(away) && !lives(deaf));
    const auto row = m_world->process(*id);
    QVERIFY(row->error);
    QCOMPARE(row->error->key(), QStringLiteral("sandbox.lost"));
    QVERIFY(!row->exitCode && !row->signal && row->exitedAt);
    const auto again = SandboxWorld::page(*m_world->sandbox, *id);
    QVERIFY(again);
    QVERIFY(again->data.startsWith(before)); // what it printed while dying may have been added to it by nobody
    QCOMPARE(row->logBytes, again->end);
    QCOMPARE(row->logBytes - row->logStart, again->data.size());
    QVERIFY(again->generation != page->generation);
    QCOMPARE(m_world->tail(*finished), QByteArray("finished before\n"));
    QVERIFY(!m_world->process(*finished)->error);
    // It is not started again by anybody, and its place can be used.
    const auto next = m_world->run(QStringLiteral("pgrep -f 'sleep 40[456]' | wc -l"), false);
    QVERIFY(next);
    QVERIFY(m_world->waitForExit(*next));
    QCOMPARE(m_world->tail(*next).trimmed(), QByteArray("0"));
    QVERIFY(m_world->remove(*id));
}

// The host is asked to stop: everything is ended, and the rows are final before the next start.
void tst_Processes::stoppedHost()
{
    const auto id = m_world->run(QStringLiteral("bash -c 'trap \"\" HUP TERM; echo deaf=$$; sleep 407; sleep 407'; true"), true);
    QVERIFY(id);
    QVERIFY(m_world->waitForOutput(*id, "deaf="));
    const qint64 deaf = numberIn(m_world->tail(*id), "deaf");
    QVERIFY(lives(deaf));
    m_world->host->stop();
    QVERIFY(!lives(deaf));
    // What a kill between the removal of a row and of its log leaves.
    const QDir content(m_world->host->dataDir() + QStringLiteral("/content"));
    QStringList strays;
    for (const QString &actor : content.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        if (content.exists(actor + QStringLiteral("/processes")))
            strays.append(content.filePath(actor + QStringLiteral("/processes/99999")));
    }
    QCOMPARE(strays.size(), 1); // actors that had no process have no folder for them
    m_world->git.write(strays.first(), QStringLiteral("0000000000000000000.log"), "stray");
    QVERIFY(m_world->start());
    m_world->sandbox = m_world->openSandbox();
    QVERIFY(m_world->sandbox);
    const auto row = m_world->process(*id);
    QVERIFY(row);
    QCOMPARE(row->status, QStringLiteral("exited"));
    QCOMPARE(row->error->key(), QStringLiteral("sandbox.stopped_with_host"));
    QVERIFY(m_world->tail(*id).contains("deaf="));
    QVERIFY(!QDir(strays.first()).exists());
}

QTEST_GUILESS_MAIN(tst_Processes)
#include "tst_processes.moc"
