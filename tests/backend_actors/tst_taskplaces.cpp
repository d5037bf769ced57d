// What stands in the way when a whole task is put away, and that nothing but the task's own things ever goes; what is kept
// for how long; what would be lost; and finding tasks again.
#include "backend/actors/actorregistry.h"
#include "tests/backend_actors/lifecycletest.h"

#include <QDir>
#include <QDirIterator>
#include <QElapsedTimer>
#include <QFile>

#include <limits>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

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
    void purgeGoesOnAfterAKill();
    void purgedTexts();
    void purgeThatFailedIsAskedForAgain();
    void search();
    void searchAmongTenThousand();

private:
    QList<TaskSummary> find(const QString &query, qint64 limit = 50);
    static backend::ActorAddress sandboxOf(const Made &made)
    {
        return {QStringLiteral("sandbox"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), made.task.value}};
    }
    // What the data directory holds of an actor.
    QStringList filesOf(const backend::ActorAddress &address) const
    {
        QStringList found;
        for (const char *folder : {"/actors", "/content"})
            found += QDir(m_host->dataDir() + QLatin1StringView(folder)).entryList({backend::actorIdOf(address) + QLatin1Char('*')});
        return found;
    }
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
    const auto other = ready();
    edit(workTree(made));
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    QVERIFY(!rev(ref(made)).isEmpty());
    m_host->stop();
    // A link in its folder to something of the user's.
    m_host->git.write(m_host->git.root(), QStringLiteral("home/letter.txt"), "mine\n");
    const QString content = m_host->dataDir() + QStringLiteral("/content/") + backend::actorIdOf(sandboxOf(made));
    QVERIFY(QDir().mkpath(content));
    QVERIFY(QFile::link(m_host->git.path(QStringLiteral("home")), content + QStringLiteral("/home")));
    m_host->hostClock = [] { return QDateTime::currentMSecsSinceEpoch() + qint64(13) * 24 * 3600 * 1000; };
    m_host->start();
    QVERIFY(deleted(made).has_value());
    m_host->stop();
    m_host->hostClock = [] { return QDateTime::currentMSecsSinceEpoch() + qint64(15) * 24 * 3600 * 1000; };
    m_host->start();
    QVERIFY(QTest::qWaitFor([&] { return !deleted(made).has_value() && rev(ref(made)).isEmpty(); }, longMs));
    QCOMPARE(restore(made).error().code, QStringLiteral("invalid"));
    QCOMPARE(m_host->call(made.address, QStringLiteral("revisions"), "[{}]").error().key(), QStringLiteral("actor.not_found"));
    // Nothing of it stays on disk, and nothing that is not its own goes.
    const auto gone = [&] { return filesOf(made.address).isEmpty() && filesOf(sandboxOf(made)).isEmpty(); };
    QVERIFY2(QTest::qWaitFor(gone, longMs), qPrintable((filesOf(made.address) + filesOf(sandboxOf(made))).join(QLatin1Char(' '))));
    QVERIFY(!filesOf(other.address).isEmpty());
    QVERIFY(!filesOf(sandboxOf(other)).isEmpty());
    QCOMPARE(m_host->git.read(m_host->git.root(), QStringLiteral("home/letter.txt")), QByteArray("mine\n"));
    // Also for the next host; and whoever lives on works.
    m_host->stop();
    m_host->start();
    QCOMPARE(m_host->call(made.address, QStringLiteral("revisions"), "[{}]").error().key(), QStringLiteral("actor.not_found"));
    QVERIFY(filesOf(made.address).isEmpty());
    QVERIFY(archive(other).ok());
    QVERIFY(waitForTask(other, TaskStatus::Archived));
}

// A host that was killed while it removed the files of a purged task: the next one does the rest.
void tst_TaskPlaces::purgeGoesOnAfterAKill()
{
    const auto made = ready();
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    m_host->stop();
    {
        auto registry = backend::Database::open(m_host->dataDir() + QStringLiteral("/host.sqlite"));
        QVERIFY(registry.ok());
        QVERIFY((*registry)->run("UPDATE actors SET retired = 2 WHERE id = ?", backend::actorIdOf(made.address)).ok());
    }
    QVERIFY(QFile::remove(m_host->dataDir() + QStringLiteral("/actors/") + backend::actorIdOf(made.address) + QStringLiteral(".sqlite")));
    QVERIFY(QDir().mkpath(m_host->dataDir() + QStringLiteral("/content/") + backend::actorIdOf(made.address) + QStringLiteral("/rest")));
    m_host->start();
    QVERIFY2(filesOf(made.address).isEmpty(), qPrintable(filesOf(made.address).join(QLatin1Char(' '))));
    QCOMPARE(m_host->call(made.address, QStringLiteral("revisions"), "[{}]").error().key(), QStringLiteral("actor.not_found"));
}

// What was uploaded for a task goes with it; what another one uses too stays that one's.
void tst_TaskPlaces::purgedTexts()
{
    const auto put = [this](const char *id, const QByteArray &data) {
        const PutBlob piece{{}, BlobId(QString::fromLatin1(id)), 0, data, true};
        QVERIFY(m_host->command(m_host->organization(), QStringLiteral("putBlob"), piece).ok());
    };
    put("own", QByteArray(20000, 'p'));
    put("both", "a picture");
    const auto with = [](const QString &prompt) {
        return [prompt](CreateTask &create) {
            create.prompt = Prompt{};
            if (prompt.isEmpty())
                create.prompt->text = QStringLiteral("say hello");
            else
                create.prompt->blobId = BlobId(prompt);
            create.attachments = {{QStringLiteral("a.png"), QStringLiteral("image/png"), 9, BlobId(QStringLiteral("both"))}};
        };
    };
    const auto read = [this](const Made &made, const char *id) {
        auto answer = m_host->call(made.address, QStringLiteral("getBlob"), protocol::encodeArgs(GetBlob{BlobId(QString::fromLatin1(id)), 0, 100}));
        auto page = answer ? protocol::decodeValue<BlobPage>(*answer) : Result<BlobPage>(answer.error());
        return page ? page->data : QByteArray();
    };
    const auto gone = m_host->createTask(m_repo, {}, with(QStringLiteral("own")));
    const auto other = m_host->createTask(m_repo, {}, with({}));
    QVERIFY(m_host->waitForStatus(gone, SessionStatus::Idle));
    QVERIFY(m_host->waitForStatus(other, SessionStatus::Idle));
    // One that was not uploaded is refused, not left out.
    SendMessage missing{{}, QueueId(QStringLiteral("m")), other.session, Prompt{QStringLiteral("look"), {}}, {{QStringLiteral("b.png"), QStringLiteral("image/png"), 9, BlobId(QStringLiteral("none"))}}};
    const auto refused = m_host->command(other.address, QStringLiteral("sendMessage"), missing);
    QVERIFY(!refused.ok());
    QVERIFY2(refused.error().message.contains(QStringLiteral("b.png")), qPrintable(refused.error().message));
    const QString blobs = m_host->dataDir() + QStringLiteral("/blobs");
    const auto files = [&blobs] {
        QStringList found;
        QDirIterator all(blobs, QDir::Files, QDirIterator::Subdirectories);
        while (all.hasNext())
            found.append(all.next());
        return found;
    };
    QVERIFY(remove(gone).ok());
    QVERIFY(waitDeleted(gone));
    m_host->stop();
    const timespec old[2] = {{::time(nullptr) - 3 * 24 * 3600, 0}, {::time(nullptr) - 3 * 24 * 3600, 0}};
    for (const QString &file : files())
        ::utimensat(AT_FDCWD, QFile::encodeName(file).constData(), old, 0);
    QCOMPARE(QDir(blobs + QStringLiteral("/tasks")).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size(), 2);
    m_host->hostClock = [] { return QDateTime::currentMSecsSinceEpoch() + qint64(15) * 24 * 3600 * 1000; };
    m_host->start();
    QVERIFY(!deleted(gone).has_value()); // wakes the organization
    QVERIFY2(QTest::qWaitFor([&] { return files().size() == 1; }, longMs), qPrintable(files().join(QLatin1Char('\n'))));
    QCOMPARE(read(other, "both"), QByteArray("a picture"));
    QVERIFY(read(other, "own").isEmpty());
}

void tst_TaskPlaces::purgeThatFailedIsAskedForAgain()
{
    const auto made = ready();
    edit(workTree(made));
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    const auto startLater = [&](qint64 hours) {
        m_host->stop();
        m_host->hostClock = [hours] { return QDateTime::currentMSecsSinceEpoch() + hours * 3600 * 1000; };
        m_host->start();
        QVERIFY(!deleted(made).has_value()); // wakes the organization
    };
    const auto onRecord = [this](const QString &column) {
        auto opened = backend::Database::open(m_host->dataDir() + QStringLiteral("/actors/") + backend::actorIdOf(m_host->organization()) + QStringLiteral(".sqlite"));
        if (!opened)
            return QStringLiteral("?");
        auto q = (*opened)->query(("SELECT coalesce(" + column.toUtf8() + ", '') FROM purges").constData());
        return q.next() ? q.text(0) : QString();
    };
    // Git cannot write: another one holds the ref.
    const QString lock = m_repository + QStringLiteral("/.git/") + ref(made) + QStringLiteral(".lock");
    m_host->git.write(m_repository, QStringLiteral(".git/") + ref(made) + QStringLiteral(".lock"), "");
    {
        // Younger than the host's next life: what is older is cleared away as left over.
        QFile held(lock);
        QVERIFY(held.open(QIODevice::ReadWrite) && held.setFileTime(QDateTime::currentDateTime().addDays(1), QFileDevice::FileModificationTime));
    }
    startLater(15 * 24);
    QVERIFY(QTest::qWaitFor([&] { return !onRecord(QStringLiteral("cause")).isEmpty(); }, longMs));
    QVERIFY(!rev(ref(made)).isEmpty());
    QVERIFY(!filesOf(made.address).isEmpty());
    QCOMPARE(onRecord(QStringLiteral("attempts")), QStringLiteral("1"));
    QVERIFY(QFile::remove(lock));
    // Not at once, and not again and again; a day later.
    startLater(15 * 24 + 20);
    QCOMPARE(onRecord(QStringLiteral("attempts")), QStringLiteral("1"));
    QVERIFY(!rev(ref(made)).isEmpty());
    startLater(16 * 24 + 1);
    QVERIFY(QTest::qWaitFor([&] { return rev(ref(made)).isEmpty() && filesOf(made.address).isEmpty() && filesOf(sandboxOf(made)).isEmpty(); }, longMs));
    QTRY_COMPARE(onRecord(QStringLiteral("attempts")), QString());
}

QList<TaskSummary> tst_TaskPlaces::find(const QString &query, qint64 limit)
{
    SearchTasks ask;
    ask.query = query;
    ask.limit = limit;
    auto answer = m_host->call(m_host->organization(), QStringLiteral("searchTasks"), protocol::encodeArgs(ask));
    auto found = answer ? protocol::decodeValue<TasksFound>(*answer) : Result<TasksFound>(answer.error());
    return found ? found->tasks : QList<TaskSummary>();
}

void tst_TaskPlaces::search()
{
    const auto titled = [this](const QString &title) {
        return m_host->createTask(m_repo, {}, [&](CreateTask &create) { create.title = title; });
    };
    const auto linker = titled(QStringLiteral("Fix the LINKER of größe"));
    titled(QStringLiteral("Write the manual"));
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

void tst_TaskPlaces::searchAmongTenThousand()
{
    const auto made = ready([](CreateTask &create) { create.title = QStringLiteral("Sort the harbour"); });
    m_host->stop();
    {
        auto opened = backend::Database::open(m_host->dataDir() + QStringLiteral("/actors/") + backend::actorIdOf(m_host->organization()) + QStringLiteral(".sqlite"));
        QVERIFY(opened.ok());
        backend::Database &database = **opened;
        QVERIFY(database.begin().ok());
        // As many of the same, each under a name of its own.
        QVERIFY(database.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
                             " INSERT INTO tasks (task, repo, branch, status, source_revision, created_at, search, active_at)"
                             " SELECT 'copy-' || i, repo, 'copy-' || i, status, source_revision, created_at, search || ' copy' || i, active_at FROM tasks, n WHERE task = ?",
            made.task.value).ok());
        QVERIFY(database.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
                             " INSERT INTO rows (topic, type, id, rev, updated_at, removed, value)"
                             " SELECT topic, type, 'copy-' || i, rev, updated_at, 0, replace(value, ?1, 'copy-' || i) FROM rows, n WHERE type = 'TaskSummary' AND id = ?1",
            made.task.value).ok());
        QVERIFY(database.commit().ok());
    }
    m_host->start();
    for (const auto &[query, count] : {std::pair{"harbour", 50}, std::pair{"harbour sort copy9999", 1}, std::pair{"no such words", 0}}) {
        qint64 best = std::numeric_limits<qint64>::max();
        for (int i = 0; i < 5; ++i) {
            QElapsedTimer clock;
            clock.start();
            QCOMPARE(find(QString::fromLatin1(query)).size(), count);
            best = qMin(best, clock.elapsed());
        }
        qInfo("searchTasks among 10,000, \"%s\": %lld ms", query, best);
        QVERIFY2(best <= 250, query); // a few milliseconds where nobody else works
    }
}

QTEST_GUILESS_MAIN(tst_TaskPlaces)
#include "tst_taskplaces.moc"
