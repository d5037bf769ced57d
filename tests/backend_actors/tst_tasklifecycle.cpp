// Whole tasks with real git and the built-in runner: archived and brought back, deleted and restored; orders that join,
// replace and cancel each other; and what a stop of the host leaves.
#include "tests/backend_actors/lifecycletest.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>

using namespace foundry;
using namespace foundry::test;

class tst_TaskLifecycle : public LifecycleTest {
    Q_OBJECT

private Q_SLOTS:
    void init() { begin(); }
    void cleanup() { end(); }

    void archiveAndBack();
    void archiveInATurn();
    void deleteAndRestore();
    void deletedFromTheArchive();
    void joinsAndRefuses();
    void deleteReplacesAnArchivingThatHangs();
    void waitsForTheGitOfTheTask();
    void readsGiveWay_data();
    void readsGiveWay();
    void goesOnAfterAStop();

private:
    // The changes were derived after this moment.
    bool derivedSince(const Made &made, Millis before);
    QStringList changedFiles(const Made &made);
};

void tst_TaskLifecycle::archiveAndBack()
{
    const auto made = ready();
    const QString tree = workTree(made);
    edit(tree);
    const QByteArray before = status(tree);
    const QByteArray mine = status(m_repository);
    const auto ordered = archive(made);
    QVERIFY2(ordered.ok(), ordered ? "" : qPrintable(ordered.error().message));
    QCOMPARE(ordered->kind, QStringLiteral("archive"));
    // Hidden in the command's own transaction.
    const auto hidden = m_host->summary(made.task)->status;
    QVERIFY2(hidden == TaskStatus::Archiving || hidden == TaskStatus::Archived, qPrintable(hidden.text()));
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QVERIFY(m_host->summary(made.task)->archivedAt.has_value());
    QCOMPARE(job(made, ordered->id)->status.text(), QStringLiteral("completed"));
    QVERIFY(!QFile::exists(tree));
    QVERIFY(!QFile::exists(tree + QStringLiteral(".removed")));
    QVERIFY(!rev(branch(made)).isEmpty());
    QVERIFY(!rev(ref(made)).isEmpty());
    QCOMPARE(status(m_repository), mine);
    QVERIFY(!m_host->git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("list")}).contains(tree.toUtf8()));
    SendMessage message;
    message.queueId = makeId<QueueId>();
    message.sessionId = made.session;
    message.prompt = Prompt{QStringLiteral("more")};
    const auto refused = m_host->command(made.address, QStringLiteral("sendMessage"), message);
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().code, QStringLiteral("archived"));
    QCOMPARE(archive(made).error().code, QStringLiteral("conflict"));

    const auto back = unarchive(made);
    QVERIFY(back.ok());
    QVERIFY(m_host->summary(made.task)->status != TaskStatus::Archived);
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    QVERIFY(!m_host->summary(made.task)->archivedAt.has_value());
    QCOMPARE(workTree(made), tree);
    QCOMPARE(status(tree), before);
    QCOMPARE(m_host->git.mustGit(tree, {QStringLiteral("show"), QStringLiteral(":README.md")}), QByteArray("staged\n"));
    QVERIFY(rev(ref(made)).isEmpty());
    // It works as before.
    message.queueId = makeId<QueueId>();
    message.prompt = Prompt{QStringLiteral("hello")};
    QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle, longMs));
}

void tst_TaskLifecycle::archiveInATurn()
{
    const auto made = m_host->createTask(m_repo, QStringLiteral("/write NOTES.md\n```\nhello\n```"));
    QVERIFY(QTest::qWaitFor([&] { return !m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).isEmpty(); }, longMs));
    // And a program of the user that does not want to go.
    const backend::ActorAddress sandbox{QStringLiteral("sandbox"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), made.task.value}};
    CreateProcess process;
    process.processId = makeId<ProcessId>();
    process.command = QStringLiteral("sh");
    process.args = QStringList{QStringLiteral("-c"), QStringLiteral("trap '' TERM HUP; while :; do sleep 1; done")};
    QVERIFY(m_host->command(sandbox, QStringLiteral("createProcess"), process).ok());
    QVERIFY(archive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QTRY_VERIFY(m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).isEmpty());
    const auto entries = m_host->transcript(made.address, made.session);
    const auto end = std::find_if(entries.begin(), entries.end(), [](const auto &entry) { return entry.turnEnd.has_value(); });
    QVERIFY(end != entries.end());
    QCOMPARE(end->turnEnd->stopReason, QStringLiteral("cancelled"));
    const auto processes = m_host->rows<Process>(sandbox, QStringLiteral("processes"));
    QCOMPARE(processes.size(), 1);
    QCOMPARE(processes.first().status, QStringLiteral("exited"));
    process.processId = makeId<ProcessId>();
    QCOMPARE(m_host->command(sandbox, QStringLiteral("createProcess"), process).error().code, QStringLiteral("archived"));
}

void tst_TaskLifecycle::deleteAndRestore()
{
    const auto made = m_host->createTask(m_repo, QStringLiteral("hello"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle, longMs));
    const QString tree = workTree(made);
    m_host->git.write(tree, QStringLiteral("c.txt"), "committed\n");
    m_host->git.commitAll(tree, QStringLiteral("c"));
    edit(tree);
    const QByteArray before = status(tree);
    const QString tip = rev(branch(made));
    const auto transcript = m_host->transcript(made.address, made.session);
    QVERIFY(!transcript.isEmpty());
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    QVERIFY2(deleted(made)->lost.contains(QStringLiteral("2 changed files")) && deleted(made)->lost.contains(QStringLiteral("1 new file")), qPrintable(deleted(made)->lost));
    QVERIFY(deleted(made)->restorableUntil - deleted(made)->deletedAt == qint64(14) * 24 * 3600 * 1000);
    QVERIFY(!QFile::exists(tree));
    QVERIFY(rev(QStringLiteral("refs/heads/") + branch(made)).isEmpty());
    QVERIFY(m_host->git.git(m_repository, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), tip, ref(made)}).ok());
    // Whoever knows its name finds nothing.
    const auto gone = m_host->call(made.address, QStringLiteral("revisions"), "[{}]");
    QVERIFY(!gone.ok());
    QCOMPARE(gone.error().key(), QStringLiteral("actor.not_found"));
    QCOMPARE(remove(made).error().code, QStringLiteral("invalid"));

    // Also after a restart.
    m_host->stop();
    m_host->start();
    QCOMPARE(m_host->call(made.address, QStringLiteral("revisions"), "[{}]").error().key(), QStringLiteral("actor.not_found"));
    QVERIFY(restore(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Idle));
    QVERIFY(!deleted(made).has_value());
    QCOMPARE(rev(branch(made)), tip);
    QCOMPARE(status(tree), before);
    QVERIFY(rev(ref(made)).isEmpty());
    QCOMPARE(m_host->transcript(made.address, made.session), transcript);
}

void tst_TaskLifecycle::deletedFromTheArchive()
{
    const auto made = ready();
    const QString tree = workTree(made);
    edit(tree);
    const QByteArray before = status(tree);
    QVERIFY(archive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    QVERIFY(rev(QStringLiteral("refs/heads/") + branch(made)).isEmpty());
    QVERIFY(restore(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    QCOMPARE(status(tree), before);
}

void tst_TaskLifecycle::joinsAndRefuses()
{
    const auto made = ready();
    m_host->stop();
    hangGit(QStringLiteral("write-tree"));
    m_host->start();
    QElapsedTimer clock;
    clock.start();
    const auto first = archive(made);
    QVERIFY(first.ok());
    QCOMPARE(archive(made)->id, first->id);
    QVERIFY2(clock.elapsed() < 5000, "the commands waited for git");
    QCOMPARE(unarchive(made).error().code, QStringLiteral("conflict"));
    QVERIFY(QTest::qWaitFor([&] { return job(made, first->id) && job(made, first->id)->step == QStringLiteral("save"); }, longMs));
    // Cancelled, the task is as it was.
    CancelJob cancel;
    cancel.jobId = first->id;
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelJob"), cancel).ok());
    QVERIFY(waitForJob(made, first->id, JobStatus::Cancelled));
    releaseGit();
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    QVERIFY(QFile::exists(workTree(made)));
    QVERIFY(archive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Archived));
}

void tst_TaskLifecycle::deleteReplacesAnArchivingThatHangs()
{
    const auto made = ready();
    m_host->stop();
    hangGit(QStringLiteral("write-tree"));
    m_host->start();
    const auto first = archive(made);
    QVERIFY(QTest::qWaitFor([&] { return job(made, first->id) && job(made, first->id)->step == QStringLiteral("save"); }, longMs));
    QVERIFY(remove(made).ok());
    QCOMPARE(m_host->summary(made.task)->status.text(), QStringLiteral("deleting"));
    QVERIFY(waitForJob(made, first->id, JobStatus::Cancelled));
    releaseGit();
    QVERIFY(waitDeleted(made));
}

// Two gits of one task are never in its work tree at once: what runs is ended before the work is kept.
void tst_TaskLifecycle::waitsForTheGitOfTheTask()
{
    const auto made = ready();
    const QString tree = workTree(made);
    edit(tree);
    const QByteArray before = status(tree);
    m_host->stop();
    hangGit(QStringLiteral("update-ref"));
    m_host->start();
    Commit commit;
    commit.message = QStringLiteral("Hangs");
    const auto answer = m_host->command(made.address, QStringLiteral("commit"), commit);
    QVERIFY2(answer, answer ? "" : qPrintable(answer.error().message));
    const QString committing = protocol::decodeValue<JobAnswer>(*answer)->job.id;
    const auto gits = [this] { return hungGits(QStringLiteral("update-ref")); };
    QTRY_COMPARE_WITH_TIMEOUT(gits(), 1, longMs);
    const auto archiving = archive(made);
    QVERIFY(archiving.ok());
    QVERIFY(QTest::qWaitFor([&] { return job(made, archiving->id) && job(made, archiving->id)->step == QStringLiteral("save"); }, longMs));
    QVERIFY(job(made, committing)->completedAt);
    QVERIFY(gits() <= 1); // that of the saving, should it be there already
    releaseGit();
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QVERIFY(unarchive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    QCOMPARE(status(tree), before);
}

bool tst_TaskLifecycle::derivedSince(const Made &made, Millis before)
{
    return QTest::qWaitFor([&] {
        const auto header = m_host->rows<ChangesHeader>(made.address, QStringLiteral("changes")).value(0);
        return header.at > before && !header.refreshing && !header.error;
    }, longMs);
}

QStringList tst_TaskLifecycle::changedFiles(const Made &made)
{
    QStringList paths;
    for (const FileChange &file : m_host->rows<FileChange>(made.address, QStringLiteral("changes")))
        paths.append(file.path);
    paths.sort();
    return paths;
}

void tst_TaskLifecycle::readsGiveWay_data()
{
    QTest::addColumn<QString>("verb");
    QTest::addColumn<QString>("action");
    const QString changes = QStringLiteral("--left-right"); // of the changes' run only
    const QString page = QStringLiteral("--patch"); // of a difference of one file
    for (const char *action : {"archive", "delete", "commit", "revert"}) {
        QTest::addRow("changes-%s", action) << changes << QString::fromLatin1(action);
        if (qstrcmp(action, "archive") == 0 || qstrcmp(action, "commit") == 0)
            QTest::addRow("page-%s", action) << page << QString::fromLatin1(action);
    }
}

// A read that hangs holds no command up: its git is ended, the command has the work tree, and the read is done again when
// the command is over or the task is back.
void tst_TaskLifecycle::readsGiveWay()
{
    QFETCH(QString, verb);
    QFETCH(QString, action);
    const auto made = ready();
    const QString tree = workTree(made);
    QVERIFY(derivedSince(made, 0));
    m_host->stop();
    hangGit(verb);
    m_host->start();
    m_host->git.write(tree, QStringLiteral("README.md"), "mine\n");
    m_host->git.write(tree, QStringLiteral("new"), "mine\n");
    const Millis before = QDateTime::currentMSecsSinceEpoch();
    if (verb == QLatin1StringView("--left-right")) {
        QVERIFY(m_host->command(made.address, QStringLiteral("refreshChanges"), RefreshChanges{}).ok());
    } else {
        GetDiff diff;
        diff.path = QStringLiteral("README.md");
        diff.scope = ChangeScope::Unstaged;
        QVERIFY(m_host->command(made.address, QStringLiteral("getDiff"), diff).ok());
    }
    QTRY_COMPARE_WITH_TIMEOUT(hungGits(verb), 1, longMs);
    if (action == QLatin1StringView("commit") || action == QLatin1StringView("revert")) {
        Commit commit;
        commit.message = QStringLiteral("Mine");
        const auto answer = action == QLatin1StringView("commit") ? m_host->command(made.address, action, commit) : m_host->command(made.address, action, Revert{});
        QVERIFY2(answer, answer ? "" : qPrintable(answer.error().message));
        QVERIFY(waitForJob(made, protocol::decodeValue<JobAnswer>(*answer)->job.id, JobStatus::Completed));
        QVERIFY(QFile::exists(m_host->git.path(QStringLiteral("hold")))); // the read's git would hang still
        QTRY_COMPARE_WITH_TIMEOUT(hungGits(verb), 1, longMs);             // and does: it is asked again
        releaseGit();
    } else {
        const auto ordered = action == QLatin1StringView("archive") ? archive(made) : remove(made);
        QVERIFY(ordered.ok());
        QVERIFY(action == QLatin1StringView("archive") ? waitForTask(made, TaskStatus::Archived) : waitDeleted(made));
        QCOMPARE(hungGits(verb), 0);
        if (action == QLatin1StringView("archive"))
            QVERIFY(!m_host->rows<ChangesHeader>(made.address, QStringLiteral("changes")).value(0).refreshing);
        releaseGit();
        QVERIFY((action == QLatin1StringView("archive") ? unarchive(made) : restore(made)).ok());
        QVERIFY(waitForTask(made, TaskStatus::Ready));
    }
    QVERIFY(derivedSince(made, before));
    QTRY_COMPARE_WITH_TIMEOUT(changedFiles(made),
        action == QLatin1StringView("revert") ? QStringList() : (QStringList{QStringLiteral("README.md"), QStringLiteral("new")}), longMs);
}

void tst_TaskLifecycle::goesOnAfterAStop()
{
    const auto made = ready();
    const QString tree = workTree(made);
    edit(tree);
    const QByteArray before = status(tree);
    m_host->stop();
    hangGit(QStringLiteral("commit-tree"));
    m_host->start();
    QVERIFY(archive(made).ok());
    QVERIFY(QTest::qWaitFor([&] {
        const auto rows = m_host->rows<Job>(made.address, QStringLiteral("task"));
        return !rows.isEmpty() && rows.first().step == QStringLiteral("save");
    }, longMs));
    m_host->stop();
    releaseGit();
    m_host->start(); // nobody asks: it goes on by itself
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QVERIFY(!QFile::exists(tree));
    QVERIFY(unarchive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    QCOMPARE(status(tree), before);
}

QTEST_GUILESS_MAIN(tst_TaskLifecycle)
#include "tst_tasklifecycle.moc"
