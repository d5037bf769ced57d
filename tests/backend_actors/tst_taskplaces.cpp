// What stands in the way when a whole task is put away, and that nothing but the task's own things ever goes; what is kept
// for how long; what would be lost; and finding tasks again.
#include "tests/backend_actors/lifecycletest.h"

#include <QDir>
#include <QFile>

#include <sys/mount.h>

using namespace foundry;
using namespace foundry::test;

class tst_TaskPlaces : public LifecycleTest {
    Q_OBJECT

private Q_SLOTS:
    void init() { begin(); }
    void cleanup() { end(); }

    void branches();
    void preview();
    void hostilePlaces();
    void fullDisk();
    void purged();
    void search();
};

void tst_TaskPlaces::branches()
{
    // Kept when asked to.
    const auto kept = ready();
    QVERIFY(remove(kept, true).ok());
    QVERIFY(waitDeleted(kept));
    QVERIFY(!rev(QStringLiteral("refs/heads/") + branch(kept)).isEmpty());
    // One that the task took over is never deleted.
    m_host->git.mustGit(m_repository, {QStringLiteral("branch"), QStringLiteral("users-own")});
    const auto adopted = ready([](CreateTask &create) { create.onBranch = QStringLiteral("users-own"); });
    QVERIFY(remove(adopted).ok());
    QVERIFY(waitDeleted(adopted));
    QVERIFY(!rev(QStringLiteral("refs/heads/users-own")).isEmpty());
    // Nor one that the user has checked out elsewhere meanwhile, nor its folder.
    const auto elsewhere = ready();
    const QString users = m_host->git.path(QStringLiteral("users"));
    m_host->git.mustGit(workTree(elsewhere), {QStringLiteral("checkout"), QStringLiteral("-q"), QStringLiteral("--detach")});
    m_host->git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-q"), users, branch(elsewhere)});
    QVERIFY(remove(elsewhere).ok());
    QVERIFY(waitDeleted(elsewhere));
    QVERIFY(QFile::exists(users + QStringLiteral("/README.md")));
    QCOMPARE(m_host->git.mustGit(users, {QStringLiteral("symbolic-ref"), QStringLiteral("--short"), QStringLiteral("HEAD")}).trimmed(), branch(elsewhere).toUtf8());
    QVERIFY2(deleted(elsewhere)->lost.contains(QStringLiteral("checked out")), qPrintable(deleted(elsewhere)->lost));
}

void tst_TaskPlaces::preview()
{
    const auto made = ready();
    edit(workTree(made));
    PreviewDelete ask;
    ask.taskId = made.task;
    const auto look = [&] {
        auto answer = m_host->command(m_host->organization(), QStringLiteral("previewDelete"), ask);
        auto preview = answer ? protocol::decodeValue<DeletePreview>(*answer) : Result<DeletePreview>(answer.error());
        return preview ? *preview : DeletePreview{};
    };
    const DeletePreview first = look();
    QCOMPARE(first.taskId, made.task);
    QVERIFY(!first.loss.has_value()); // nobody has looked yet
    QVERIFY(waitForJob(made, first.job.id, JobStatus::Completed));
    const auto fresh = job(made, first.job.id)->loss;
    QVERIFY(fresh.has_value());
    QCOMPARE(fresh->uncommitted, 2);
    QCOMPARE(fresh->untracked, 1);
    QVERIFY(QTest::qWaitFor([&] { return look().loss.has_value(); }, longMs));
    QCOMPARE(look().loss->untracked, 1);
    QCOMPARE(m_host->summary(made.task)->status.text(), QStringLiteral("ready"));
}

void tst_TaskPlaces::hostilePlaces()
{
    // A link to somebody's folder stands in the work tree's place.
    const auto made = ready();
    const QString tree = workTree(made);
    const QString precious = m_host->git.path(QStringLiteral("home/precious"));
    m_host->git.write(precious, QStringLiteral("letter.txt"), "dear\n");
    QVERIFY(QFile::rename(tree, tree + QStringLiteral(".moved")));
    QVERIFY(QFile::link(precious, tree));
    const auto first = archive(made);
    QVERIFY(waitForJob(made, first->id, JobStatus::Error));
    QCOMPARE(job(made, first->id)->error->code, QStringLiteral("moved"));
    QTRY_VERIFY(m_host->summary(made.task)->status != TaskStatus::Archiving);
    QVERIFY(QTest::qWaitFor([&] {
        const auto rows = m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization"));
        return rows.size() == 1 && rows.first().title == QStringLiteral("Archiving failed");
    }, longMs));
    const auto second = remove(made);
    QVERIFY(waitForJob(made, second->id, JobStatus::Error));
    QVERIFY(QFile::exists(precious + QStringLiteral("/letter.txt")));
    QVERIFY(QFile::exists(tree + QStringLiteral(".moved/README.md")));
    // The link leads to a work tree of the user's own, of the same repository.
    const QString users = m_host->git.path(QStringLiteral("users"));
    m_host->git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("users"), users});
    QVERIFY(QFile::remove(tree));
    QVERIFY(QFile::link(users, tree));
    const auto third = remove(made);
    QVERIFY(waitForJob(made, third->id, JobStatus::Error));
    QVERIFY(QFile::exists(users + QStringLiteral("/README.md")));
    // The link is taken away, the folder stays where its user moved it, and so does its branch.
    QVERIFY(QFile::remove(tree));
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    QVERIFY(QFile::exists(tree + QStringLiteral(".moved/README.md")));
    QVERIFY(!rev(QStringLiteral("refs/heads/") + branch(made)).isEmpty());
    QTRY_VERIFY(m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).isEmpty());

    // Locked by the user.
    const auto locked = ready();
    m_host->git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("lock"), workTree(locked)});
    const auto refused = archive(locked);
    QVERIFY(waitForJob(locked, refused->id, JobStatus::Error));
    QCOMPARE(job(locked, refused->id)->error->code, QStringLiteral("locked"));
    QVERIFY(QFile::exists(workTree(locked) + QStringLiteral("/README.md")));
    m_host->git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("unlock"), workTree(locked)});
    // The repository's folder is gone.
    QVERIFY(QFile::rename(m_repository, m_repository + QStringLiteral(".away")));
    const auto orphan = archive(locked);
    QVERIFY(waitForJob(locked, orphan->id, JobStatus::Error));
    QCOMPARE(job(locked, orphan->id)->error->code, QStringLiteral("not_found"));
    QVERIFY(QFile::exists(workTree(locked) + QStringLiteral("/README.md")));
    QVERIFY(QFile::rename(m_repository + QStringLiteral(".away"), m_repository));
}

void tst_TaskPlaces::fullDisk()
{
    const QString small = m_host->git.path(QStringLiteral("small"));
    QDir().mkpath(small);
    if (::mount("tmpfs", QFile::encodeName(small).constData(), "tmpfs", 0, "size=4m") != 0)
        QSKIP("no file system can be mounted here");
    const auto unmount = qScopeGuard([&] { ::umount2(QFile::encodeName(small).constData(), MNT_DETACH); });
    m_repository = m_host->git.makeRepository(QStringLiteral("small/project"));
    m_repo = m_host->addRepository(m_repository);
    const auto made = ready();
    QByteArray noise(6 * 1024 * 1024, '\0');
    quint32 seed = 1;
    for (char &byte : noise)
        byte = char((seed = seed * 1664525 + 1013904223) >> 24);
    m_host->git.write(workTree(made), QStringLiteral("large.bin"), noise);
    const auto ordered = archive(made);
    QVERIFY(waitForJob(made, ordered->id, JobStatus::Error));
    QCOMPARE(job(made, ordered->id)->error->code, QStringLiteral("no_space"));
    QVERIFY(waitForTask(made, TaskStatus::Ready)); // it stays
    QCOMPARE(m_host->git.read(workTree(made), QStringLiteral("large.bin")), noise);
}

void tst_TaskPlaces::purged()
{
    const auto made = ready();
    edit(workTree(made));
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    QVERIFY(!rev(ref(made)).isEmpty());
    m_host->stop();
    m_host->hostClock = [] { return QDateTime::currentMSecsSinceEpoch() + qint64(13) * 24 * 3600 * 1000; };
    m_host->start();
    QVERIFY(deleted(made).has_value());
    m_host->stop();
    m_host->hostClock = [] { return QDateTime::currentMSecsSinceEpoch() + qint64(15) * 24 * 3600 * 1000; };
    m_host->start();
    QVERIFY(QTest::qWaitFor([&] { return !deleted(made).has_value() && rev(ref(made)).isEmpty(); }, longMs));
    QCOMPARE(restore(made).error().code, QStringLiteral("invalid"));
    QCOMPARE(m_host->call(made.address, QStringLiteral("revisions"), "[{}]").error().key(), QStringLiteral("actor.not_found"));
}

void tst_TaskPlaces::search()
{
    const auto titled = [this](const QString &title) {
        return m_host->createTask(m_repo, {}, [&](CreateTask &create) { create.title = title; });
    };
    const auto linker = titled(QStringLiteral("Fix the LINKER of größe"));
    titled(QStringLiteral("Write the manual"));
    const auto find = [this](const QString &query, qint64 limit = 50) {
        SearchTasks ask;
        ask.query = query;
        ask.limit = limit;
        auto answer = m_host->call(m_host->organization(), QStringLiteral("searchTasks"), protocol::encodeArgs(ask));
        auto found = answer ? protocol::decodeValue<TasksFound>(*answer) : Result<TasksFound>(answer.error());
        return found ? found->tasks : QList<TaskSummary>();
    };
    QCOMPARE(find(QStringLiteral("linker")).size(), 1);
    QCOMPARE(find(QStringLiteral("GRÖßE fix")).value(0).id, linker.task);
    QCOMPARE(find(QStringLiteral("linker manual")).size(), 0);
    QCOMPARE(find({}).size(), 2);
    QCOMPARE(find({}, 1).size(), 1);
    QCOMPARE(find(QStringLiteral("%")).size(), 0);
    QVERIFY(m_host->waitForStatus(linker, SessionStatus::Ready));
    RenameTask rename;
    rename.title = QStringLiteral("Another name");
    QVERIFY(m_host->command(linker.address, QStringLiteral("renameTask"), rename).ok());
    QTRY_COMPARE(find(QStringLiteral("another")).size(), 1);
    // A repository with tasks is not taken out, and says which.
    RemoveRepository out;
    out.repoId = m_repo;
    const auto refused = m_host->command(m_host->organization(), QStringLiteral("removeRepository"), out);
    QVERIFY(!refused.ok());
    QVERIFY2(refused.error().message.contains(QStringLiteral("Another name")), qPrintable(refused.error().message));
}

QTEST_GUILESS_MAIN(tst_TaskPlaces)
#include "tst_taskplaces.moc"
