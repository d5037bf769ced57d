// What the machine can do to a host's data: a full disk, a folder that cannot be written, a damaged file, a clock that
// is set back. Each is answered, and nothing else is disturbed.
#include "tests/backend_host/hosttask.h"
#include "tests/support/gitfixture.h"

#include "backend/actors/actorregistry.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTest>

#include <cerrno>
#include <csignal>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace foundry;

namespace {
constexpr uid_t kNobody = 65534;
} // namespace

class tst_HostStorage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void diskFull();
    void aFolderThatCannotBeWritten();
    void actorsThatCannotBeWritten();
    void aDamagedTask();
    void aDamagedOrganization();
    void clockSteppedBack();

private:
    void start(const QProcessEnvironment &environment);
    void createTask(const test::HostTask &ids);
    void waitForIdle(const test::HostTask &ids);

    std::unique_ptr<test::GitFixture> m_git;
    std::unique_ptr<wire::HostProcess> m_host;
    QString m_data;
    QString m_repository;
    RepoId m_repo;
};

void tst_HostStorage::init()
{
    m_host.reset();
    m_git = std::make_unique<test::GitFixture>();
    m_data = m_git->path(QStringLiteral("data"));
    m_repository = m_git->makeRepository(QStringLiteral("project"));
    m_repo = makeId<RepoId>();
    QVERIFY(QDir().mkpath(m_data));
    // Another user may pass through the private folders of this test.
    for (QDir folder(m_git->root()); folder.absolutePath().count(QLatin1Char('/')) > 1; folder.cdUp())
        (void)::chmod(folder.absolutePath().toLocal8Bit().constData(), 0711);
}

void tst_HostStorage::cleanup()
{
    m_host.reset();
    ::umount2((m_data + QStringLiteral("/actors")).toLocal8Bit().constData(), MNT_DETACH); // of diskFull(); else it is none
}

void tst_HostStorage::start(const QProcessEnvironment &environment)
{
    m_host = std::make_unique<wire::HostProcess>(m_data);
    m_host->setEnvironment(environment);
    const auto started = m_host->start();
    QVERIFY2(started, started ? "" : qPrintable(started.error().message));
    const auto added = test::addRepository(*m_host, m_repo, m_repository);
    QVERIFY2(added, added ? "" : qPrintable(added.error().message));
}

void tst_HostStorage::createTask(const test::HostTask &ids)
{
    auto organization = test::openOrganization(*m_host);
    QVERIFY(organization);
    const auto created = test::ask(**organization, QStringLiteral("createTask"), test::newTask(ids, QStringLiteral("/help")));
    QVERIFY2(created, created ? "" : qPrintable(created.error().message));
}

void tst_HostStorage::waitForIdle(const test::HostTask &ids)
{
    auto task = test::openTask(*m_host, ids);
    QVERIFY2(task, task ? "" : qPrintable(task.error().message));
    QTRY_COMPARE_WITH_TIMEOUT(test::sessionStatus(**task, ids.session), QStringLiteral("idle"), 30000);
}

void tst_HostStorage::diskFull()
{
    // The disk of the databases; a work tree asks for more than a test should take of the memory.
    const QString actors = m_data + QStringLiteral("/actors");
    QVERIFY(QDir().mkpath(actors));
    if (::mount("tmpfs", actors.toLocal8Bit().constData(), "tmpfs", 0, "size=16m") != 0)
        QSKIP(qPrintable(QStringLiteral("A file system cannot be mounted here: %1").arg(qt_error_string(errno))));
    start(m_git->environment());
    test::HostTask ids;
    ids.repo = m_repo;
    createTask(ids);
    waitForIdle(ids);
    auto organization = test::openOrganization(*m_host);
    auto task = test::openTask(*m_host, ids);
    QVERIFY(organization && task);
    QFile filler(actors + QStringLiteral("/filler"));
    QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
    const QByteArray block(4096, 'x');
    while (filler.write(block) == block.size()) { }
    // Commands say so, sooner or later (a log that was made larger before has room left); reads go on.
    QString said;
    for (int n = 0; n < 500 && said.isEmpty(); ++n) {
        RenameTask rename;
        rename.title = QString(2000, QLatin1Char('t')) + QString::number(n);
        if (const auto renamed = test::ask(**task, QStringLiteral("renameTask"), rename); !renamed)
            said = renamed.error().key();
    }
    QCOMPARE(said, QStringLiteral("internal.storage_full"));
    QVERIFY(test::sessionOf(**task, ids.session));
    QVERIFY(!test::rowsOf<TaskSummary>(**organization, QStringLiteral("organization")).isEmpty());
    // With room again everything goes on, without a restart.
    QVERIFY(filler.remove());
    RenameTask rename;
    rename.title = QStringLiteral("After it");
    QTRY_VERIFY_WITH_TIMEOUT(test::ask(**task, QStringLiteral("renameTask"), rename).ok(), 10000);
    const auto title = [&] {
        const auto all = test::rowsOf<TaskSummary>(**organization, QStringLiteral("organization"));
        return all.isEmpty() ? QString() : all.first().title;
    };
    QTRY_COMPARE_WITH_TIMEOUT(title(), QStringLiteral("After it"), 40000); // its send was tried again
}

void tst_HostStorage::aFolderThatCannotBeWritten()
{
    QVERIFY(::chmod(m_data.toLocal8Bit().constData(), 0555) == 0);
    QProcess host;
    host.start(QStringLiteral("setpriv"),
        {QStringLiteral("--reuid=%1").arg(kNobody), QStringLiteral("--regid=%1").arg(kNobody), QStringLiteral("--clear-groups"),
            QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host"), QStringLiteral("--data-dir"), m_data});
    QVERIFY(host.waitForFinished(20000));
    const QByteArray said = host.readAllStandardError();
    QVERIFY2(host.exitStatus() == QProcess::NormalExit && host.exitCode() != 0, said.constData());
    QVERIFY2(said.contains(m_data.toUtf8()), said.constData());
}

// The folder of the actors is taken away from a host that runs: what has its file goes on, what needs a new one says so.
void tst_HostStorage::actorsThatCannotBeWritten()
{
    QProcess probe;
    probe.start(QStringLiteral("setpriv"),
        {QStringLiteral("--reuid=%1").arg(kNobody), QStringLiteral("--regid=%1").arg(kNobody), QStringLiteral("--clear-groups"),
            QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host"), QStringLiteral("--version")});
    probe.waitForFinished(10000);
    if (probe.exitCode() != 0)
        QSKIP("Another user cannot start the programs of this build folder.");
    for (const QString &folder : {m_git->root(), m_data, m_repository}) {
        QProcess chown;
        chown.start(QStringLiteral("chown"), {QStringLiteral("-R"), QString::number(kNobody), folder});
        QVERIFY(chown.waitForFinished(10000));
    }
    m_host = std::make_unique<wire::HostProcess>(m_data);
    m_host->setEnvironment(m_git->environment());
    m_host->setUser(kNobody);
    const auto started = m_host->start();
    QVERIFY2(started, started ? "" : qPrintable(started.error().message));
    const auto added = test::addRepository(*m_host, m_repo, m_repository);
    QVERIFY2(added, added ? "" : qPrintable(added.error().message));
    const QByteArray actors = (m_data + QStringLiteral("/actors")).toLocal8Bit();
    QVERIFY(::chmod(actors.constData(), 0555) == 0);
    test::HostTask ids;
    ids.repo = m_repo;
    createTask(ids); // answers: nothing of it waits for the new file
    auto task = test::openTask(*m_host, ids);
    QVERIFY(!task);
    auto organization = test::openOrganization(*m_host);
    QVERIFY(organization);
    QVERIFY(!test::rowsOf<TaskSummary>(**organization, QStringLiteral("organization")).isEmpty());
    QVERIFY(::chmod(actors.constData(), 0755) == 0);
    // The creation was kept in the outbox.
    QTRY_VERIFY_WITH_TIMEOUT(test::openTask(*m_host, ids).ok(), 10000);
    QTRY_VERIFY_WITH_TIMEOUT(test::sessionOf(**test::openTask(*m_host, ids), ids.session).has_value(), 40000);
}

void tst_HostStorage::aDamagedTask()
{
    start(m_git->environment());
    test::HostTask sound;
    test::HostTask damaged;
    sound.repo = damaged.repo = m_repo;
    for (const auto &ids : {sound, damaged}) {
        createTask(ids);
        waitForIdle(ids);
    }
    m_host->stop();
    const QString id = backend::actorIdOf({QStringLiteral("task"), damaged.key()});
    {
        QFile file(m_data + QStringLiteral("/actors/") + id + QStringLiteral(".sqlite"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray(40000, '\x37'));
    }
    {
        const auto started = m_host->start();
        QVERIFY2(started, started ? "" : qPrintable(started.error().message));
    }
    QVERIFY(!test::openTask(*m_host, damaged));
    auto task = test::openTask(*m_host, sound);
    QVERIFY(task);
    RenameTask rename;
    rename.title = QStringLiteral("Lives");
    QVERIFY(test::ask(**task, QStringLiteral("renameTask"), rename));
    QCOMPARE(QDir(m_data + QStringLiteral("/actors")).entryList({id + QStringLiteral(".sqlite.damaged-*")}).size(), 1);
    QFile log(m_data + QStringLiteral("/host.log"));
    QVERIFY(log.open(QIODevice::ReadOnly));
    QVERIFY(log.readAll().contains("is damaged and was set aside"));
    // And a new task can be made.
    test::HostTask fresh;
    fresh.repo = m_repo;
    createTask(fresh);
    waitForIdle(fresh);
}

// What the organization had is told again by its tasks; what no task knows is said to be lost.
void tst_HostStorage::aDamagedOrganization()
{
    start(m_git->environment());
    test::HostTask open;
    test::HostTask archived;
    test::HostTask deleted;
    for (test::HostTask *ids : {&open, &archived, &deleted}) {
        ids->repo = m_repo;
        createTask(*ids);
        waitForIdle(*ids);
    }
    const auto organization = [&] { return std::move(*test::openOrganization(*m_host)); };
    const auto tasks = [](wire::WireClient &of) { return test::rowsOf<TaskSummary>(of, QStringLiteral("organization")); };
    const auto statusOf = [&](wire::WireClient &of, const test::HostTask &ids) {
        for (const TaskSummary &summary : tasks(of)) {
            if (summary.id == ids.task)
                return summary.status.text();
        }
        return QString();
    };
    const auto deletedTasks = [](wire::WireClient &of) { return test::rowsOf<DeletedTask>(of, QStringLiteral("organization")); };
    RenameTask rename;
    rename.title = QStringLiteral("Kept by the task");
    QVERIFY(test::ask(**test::openTask(*m_host, open), QStringLiteral("renameTask"), rename));
    {
        auto client = organization();
        QVERIFY(test::ask(*client, QStringLiteral("archiveTask"), ArchiveTask{{}, archived.task}));
        DeleteTask gone;
        gone.taskId = deleted.task;
        QVERIFY(test::ask(*client, QStringLiteral("deleteTask"), gone));
        QTRY_COMPARE_WITH_TIMEOUT(statusOf(*client, archived), QStringLiteral("archived"), 30000);
        QTRY_COMPARE_WITH_TIMEOUT(deletedTasks(*client).size(), 1, 30000);
    }
    m_host->stop();
    const QString id = backend::actorIdOf({QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}});
    {
        QFile file(m_data + QStringLiteral("/actors/") + id + QStringLiteral(".sqlite"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray(40000, '\x37'));
    }
    const auto restarted = m_host->start();
    QVERIFY2(restarted, restarted ? "" : qPrintable(restarted.error().message));
    auto client = organization();
    QTRY_COMPARE_WITH_TIMEOUT(tasks(*client).size(), 2, 30000);
    QTRY_COMPARE_WITH_TIMEOUT(statusOf(*client, archived), QStringLiteral("archived"), 10000);
    QCOMPARE(statusOf(*client, open), QStringLiteral("idle"));
    for (const TaskSummary &summary : tasks(*client)) {
        if (summary.id == open.task)
            QCOMPARE(summary.title, QStringLiteral("Kept by the task"));
    }
    QTRY_COMPARE_WITH_TIMEOUT(deletedTasks(*client).size(), 1, 10000);
    QCOMPARE(deletedTasks(*client).constFirst().id, deleted.task);
    const auto repositories = [&] { return test::rowsOf<Repository>(*client, QStringLiteral("organization")); };
    QTRY_VERIFY_WITH_TIMEOUT(!repositories().isEmpty() && repositories().constFirst().state.text() == QStringLiteral("ready"), 20000);
    QCOMPARE(repositories().constFirst().id, m_repo);
    QCOMPARE(repositories().constFirst().origin, m_repository);
    QCOMPARE(repositories().constFirst().taskCount, 2);
    const auto said = test::rowsOf<Attention>(*client, QStringLiteral("organization"));
    QCOMPARE(said.size(), 1);
    QVERIFY2(said.first().detail.value_or(QString()).contains(id + QStringLiteral(".sqlite.damaged-")), qPrintable(said.first().detail.value_or(QString())));
    // Its tasks take its orders, although it counts anew; and new ones can be made.
    QVERIFY(test::ask(*client, QStringLiteral("unarchiveTask"), UnarchiveTask{{}, archived.task}));
    QTRY_COMPARE_WITH_TIMEOUT(statusOf(*client, archived), QStringLiteral("idle"), 30000);
    QVERIFY(test::ask(*client, QStringLiteral("restoreTask"), RestoreTask{{}, deleted.task}));
    QTRY_COMPARE_WITH_TIMEOUT(statusOf(*client, deleted), QStringLiteral("idle"), 30000);
    test::HostTask fresh;
    fresh.repo = m_repo;
    createTask(fresh);
    waitForIdle(fresh);
    // Said for some days, and asked for once.
    client.reset();
    m_host->stop();
    QVERIFY(m_host->start());
    client = organization();
    QTRY_COMPARE_WITH_TIMEOUT(tasks(*client).size(), 4, 10000);
    QCOMPARE(test::rowsOf<Attention>(*client, QStringLiteral("organization")).size(), 1);
}

void tst_HostStorage::clockSteppedBack()
{
    const QString clock = m_git->path(QStringLiteral("clock"));
    QProcessEnvironment environment = m_git->environment();
    environment.insert(QStringLiteral("LD_PRELOAD"), qEnvironmentVariable("STEPPED_CLOCK_LIBRARY"));
    environment.insert(QStringLiteral("STEPPED_CLOCK"), clock);
    environment.insert(QStringLiteral("FOUNDRY_IDLE_MS"), QStringLiteral("500"));
    start(environment);
    test::HostTask before;
    before.repo = m_repo;
    createTask(before);
    waitForIdle(before);
    {
        QFile file(clock);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("-7200");
    }
    test::HostTask after;
    after.repo = m_repo;
    createTask(after);
    waitForIdle(after);
    {
        auto organization = test::openOrganization(*m_host);
        QVERIFY(organization);
        const auto all = test::rowsOf<TaskSummary>(**organization, QStringLiteral("organization"));
        QCOMPARE(all.size(), 2);
        const auto created = [&](const TaskId &id) {
            for (const TaskSummary &summary : all) {
                if (summary.id == id)
                    return summary.createdAt;
            }
            return Millis(0);
        };
        QVERIFY(created(after.task) < created(before.task) - 3600 * 1000); // the clock was set back indeed
    }
    {
        auto task = test::openTask(*m_host, before);
        QVERIFY(task);
        SendMessage next;
        next.queueId = makeId<QueueId>();
        next.sessionId = before.session;
        next.prompt.text = QStringLiteral("/help");
        QVERIFY(test::ask(**task, QStringLiteral("sendMessage"), next));
        QTRY_VERIFY_WITH_TIMEOUT(test::rowsOf<QueuedPrompt>(**task, QStringLiteral("task")).isEmpty(), 20000);
        QTRY_COMPARE_WITH_TIMEOUT(test::sessionStatus(**task, before.session), QStringLiteral("idle"), 20000);
    }
    // And whoever is idle still goes to sleep.
    const QString id = backend::actorIdOf({QStringLiteral("task"), before.key()});
    QTRY_VERIFY_WITH_TIMEOUT(!test::openDatabases(m_host->pid(), m_data).contains(id), 20000);
}

QTEST_GUILESS_MAIN(tst_HostStorage)
#include "tst_hoststorage.moc"
