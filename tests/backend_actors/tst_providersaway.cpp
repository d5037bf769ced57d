// Archiving, deleting and bringing back a task whose place is no work tree of this machine: its work is kept and put back
// by the provider's keeper, its place is destroyed and made anew by the provider; late, failing, cancelled and killed.
#include "tests/backend_actors/lifecycletest.h"
#include "tests/backend_actors/remoteprovider.h"

#include <QDir>
#include <QProcess>

#include <csignal>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

namespace {

SandboxProviders providersawayOf(const QString &machine)
{
    return {{QStringLiteral("remote"), [machine] { return std::make_unique<RemoteProvider>(machine); }}};
}

} // namespace

class tst_ProvidersAway : public LifecycleTest {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void archivedAndBack();
    void deletedAndRestored();
    void beforeItWasPrepared();
    void destroyFails();
    void takesTooLong();
    void cancelledAndReplaced();
    void killed_data();
    void killed();

private:
    Made remote(const QString &prompt = {})
    {
        return m_host->createTask(m_repo, prompt, [](CreateTask &task) { task.provider = QStringLiteral("remote"); });
    }
    Made readyRemote()
    {
        auto made = remote();
        if (!m_host->waitForStatus(made, SessionStatus::Ready))
            qFatal("the task does not become ready");
        return made;
    }
    void tell(const QString &file, const QByteArray &words) { m_host->git.write(m_machine->path(), file, words); }
    void take(const QString &file) { QVERIFY(QFile::remove(m_machine->filePath(file))); }
    qsizetype count(const QByteArray &line) { return m_host->git.read(m_machine->path(), QStringLiteral("journal")).count(line + '\n'); }
    bool isThere(const Made &made) { return QFileInfo::exists(m_machine->filePath(made.task.value)); }
    // What edit() makes, but that nothing is staged: that machine's keeper keeps files.
    void verifyEdited(const QString &tree)
    {
        QCOMPARE(m_host->git.read(tree, QStringLiteral("README.md")), QByteArray("staged\nand more\n"));
        QCOMPARE(m_host->git.read(tree, QStringLiteral("new.txt")), QByteArray("new\n"));
        QVERIFY(!QFile::exists(tree + QStringLiteral("/src/main.cpp")));
    }
    QStringList attention()
    {
        QStringList details;
        for (const Attention &one : m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")))
            details.append(one.title + QStringLiteral(": ") + one.detail.value_or(QString()));
        return details;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<QDir> m_machine;
};

void tst_ProvidersAway::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    m_machine = std::make_unique<QDir>(m_folder->path());
    begin(providersawayOf(m_machine->path()));
}

void tst_ProvidersAway::cleanup()
{
    end();
    qunsetenv("FOUNDRY_STAGE_DEADLINES");
}

void tst_ProvidersAway::archivedAndBack()
{
    const auto made = readyRemote();
    const QString tree = workTree(made);
    QVERIFY(tree.startsWith(m_machine->path()));
    edit(tree);
    m_host->git.write(tree, QStringLiteral("c.txt"), "committed\n");
    const auto ordered = archive(made);
    QVERIFY(ordered.ok());
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QCOMPARE(job(made, ordered->id)->status, JobStatus::Completed);
    QCOMPARE(count("save did"), 1);
    QCOMPARE(count("destroy did"), 1);
    QVERIFY(!isThere(made));
    QVERIFY(!rev(ref(made)).isEmpty());
    QVERIFY(unarchive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    QCOMPARE(count("allocate did"), 2); // the place was given back: it is another one
    QCOMPARE(count("prepare did"), 2);
    verifyEdited(workTree(made));
    QCOMPARE(m_host->git.mustGit(workTree(made), {QStringLiteral("branch"), QStringLiteral("--show-current")}).trimmed(), branch(made).toUtf8());
    QVERIFY(rev(ref(made)).isEmpty());
    SendMessage message;
    message.queueId = makeId<QueueId>();
    message.sessionId = made.session;
    message.prompt = Prompt{QStringLiteral("/help")};
    QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
}

void tst_ProvidersAway::deletedAndRestored()
{
    const auto made = readyRemote();
    const QString tree = workTree(made);
    m_host->git.write(tree, QStringLiteral("c.txt"), "committed\n");
    m_host->git.commitAll(tree, QStringLiteral("c"));
    const QString tip = m_host->git.git(tree, {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
    edit(tree);
    // What would be lost is asked of the machine.
    QVERIFY(order(QStringLiteral("previewDelete"), made, PreviewDelete{}).ok());
    QTRY_COMPARE(count("look did"), 1);
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    QVERIFY2(deleted(made)->lost.contains(QStringLiteral("2 changed files")) && deleted(made)->lost.contains(QStringLiteral("1 new file")), qPrintable(deleted(made)->lost));
    QVERIFY(!isThere(made));
    QVERIFY(m_host->git.git(m_repository, {QStringLiteral("merge-base"), QStringLiteral("--is-ancestor"), tip, ref(made)}).ok());
    m_host->stop();
    m_host->start();
    QVERIFY(restore(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    verifyEdited(workTree(made));
    QCOMPARE(m_host->git.git(workTree(made), {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line(), tip);
    QCOMPARE(count("destroy did"), 1);
}

// A place that was set aside is given back too, and asked for again with the task.
void tst_ProvidersAway::beforeItWasPrepared()
{
    tell(QStringLiteral("delay-prepare"), "90");
    const auto made = remote(QStringLiteral("/help"));
    QTRY_COMPARE(count("prepare begins"), 1);
    QVERIFY(isThere(made));
    QVERIFY(archive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QCOMPARE(count("destroy did"), 1);
    QVERIFY(!isThere(made));
    take(QStringLiteral("delay-prepare"));
    QVERIFY(unarchive(made).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(count("allocate did"), 2);
    QCOMPARE(count("prepare did"), 1);
}

// Said with its cause and what to do; nothing is lost, and the user's next order does it.
void tst_ProvidersAway::destroyFails()
{
    const auto made = readyRemote();
    edit(workTree(made));
    tell(QStringLiteral("fail-destroy"), "The machine is busy with a backup.\n");
    const auto ordered = archive(made);
    QVERIFY(ordered.ok());
    QVERIFY(waitForJob(made, ordered->id, JobStatus::Error));
    const Error error = job(made, ordered->id)->error.value();
    QCOMPARE(error.key(), QStringLiteral("sandbox.failed"));
    QVERIFY2(error.message.contains(QLatin1StringView("busy with a backup")), qPrintable(error.message));
    QVERIFY(!error.action.isEmpty());
    QVERIFY(waitForTask(made, TaskStatus::Ready)); // as it was
    QTRY_COMPARE(attention().size(), 1);
    const QString said = attention().constFirst();
    QVERIFY2(said.contains(QLatin1StringView("Archiving failed")) && said.contains(QLatin1StringView("busy with a backup")), qPrintable(said));
    verifyEdited(workTree(made));
    QCOMPARE(count("destroy begins"), 1); // nobody tries again unasked
    take(QStringLiteral("fail-destroy"));
    QVERIFY(archive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QTRY_VERIFY(attention().isEmpty());
    QCOMPARE(count("destroy did"), 1);
    QVERIFY(!isThere(made));
}

void tst_ProvidersAway::takesTooLong()
{
    const auto made = readyRemote();
    edit(workTree(made));
    m_host->stop();
    qputenv("FOUNDRY_STAGE_DEADLINES", "release=0.7");
    tell(QStringLiteral("delay-destroy"), "90");
    m_host->start();
    double ms = 0;
    ArchiveTask command;
    command.taskId = made.task;
    QVERIFY(m_host->command(m_host->organization(), QStringLiteral("archiveTask"), command, &ms).ok());
    QVERIFY(ms < 500);
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    QTRY_COMPARE(attention().size(), 1);
    const auto jobs = m_host->rows<Job>(made.address, QStringLiteral("task"));
    QCOMPARE(jobs.size(), 1);
    QCOMPARE(jobs.first().error.value_or(Error{}).code, QStringLiteral("deadline"));
    QVERIFY(!jobs.first().error->action.isEmpty());
    QCOMPARE(count("destroy did"), 0);
    verifyEdited(workTree(made));
}

void tst_ProvidersAway::cancelledAndReplaced()
{
    const auto made = readyRemote();
    edit(workTree(made));
    tell(QStringLiteral("delay-save"), "90");
    const auto first = archive(made);
    QTRY_COMPARE(count("save begins"), 1);
    CancelJob cancel;
    cancel.jobId = first->id;
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelJob"), cancel).ok());
    QVERIFY(waitForJob(made, first->id, JobStatus::Cancelled));
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    verifyEdited(workTree(made));
    take(QStringLiteral("delay-save"));
    // When the place is being given back it is too late; but deleting does not wait for it.
    tell(QStringLiteral("delay-destroy"), "90");
    const auto second = archive(made);
    QTRY_COMPARE(count("destroy begins"), 1);
    cancel.jobId = second->id;
    cancel.requestId = makeId<RequestId>();
    QCOMPARE(m_host->command(made.address, QStringLiteral("cancelJob"), cancel).error().key(), QStringLiteral("state.conflict"));
    take(QStringLiteral("delay-destroy"));
    QVERIFY(remove(made).ok());
    QVERIFY(waitDeleted(made));
    QVERIFY(!isThere(made));
    QCOMPARE(count("destroy did"), 1);
    QVERIFY(restore(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    verifyEdited(workTree(made));
}

void tst_ProvidersAway::killed_data()
{
    QTest::addColumn<QString>("operation");
    for (const char *operation : {"save", "destroy", "release"})
        QTest::addRow("%s", operation) << QString::fromLatin1(operation);
}

// SIGKILL of the host in the middle: the next one goes on from there by itself, and what was done is not done again.
void tst_ProvidersAway::killed()
{
    QFETCH(QString, operation);
    const auto made = readyRemote();
    edit(workTree(made));
    m_host->stop();
    tell(QStringLiteral("delay-") + operation, "90");
    QProcess other; // a host with the same providers, in a process that can be killed
    other.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    other.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--archive"), m_host->dataDir(), m_machine->path(), made.task.value});
    QTRY_VERIFY_WITH_TIMEOUT(count(operation.toUtf8() + " begins") == 1, 20000);
    ::kill(pid_t(other.processId()), SIGKILL);
    QVERIFY(other.waitForFinished(5000));
    take(QStringLiteral("delay-") + operation);
    m_host->start();
    QVERIFY(waitForTask(made, TaskStatus::Archived));
    QVERIFY(!isThere(made));
    QCOMPARE(count("save did"), 1);
    QCOMPARE(count(operation.toUtf8() + " did"), 1);
    QVERIFY(unarchive(made).ok());
    QVERIFY(waitForTask(made, TaskStatus::Ready));
    verifyEdited(workTree(made));
}

namespace {

int providersawayArchive(const QStringList &arguments)
{
    DomainHarness host(arguments.at(2));
    host.providers = providersawayOf(arguments.at(3));
    host.start();
    ArchiveTask command;
    command.taskId = TaskId(arguments.at(4));
    const auto answer = host.command(host.organization(), QStringLiteral("archiveTask"), command);
    if (!answer)
        qFatal("%ls", qUtf16Printable(answer.error().message));
    return QCoreApplication::exec();
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (app.arguments().value(1) == QLatin1StringView("--archive"))
        return providersawayArchive(app.arguments());
    tst_ProvidersAway test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_providersaway.moc"
