#include "tests/backend_actors/lifecycletest.h"

#include <QStandardPaths>

#include <unistd.h>

namespace foundry::test {

namespace {

QString shellQuoted(const QString &text)
{
    return QLatin1Char('\'') + text + QLatin1Char('\'');
}

} // namespace

void LifecycleTest::begin(const backend::SandboxProviders &providers)
{
    m_path = qgetenv("PATH");
    m_host = std::make_unique<DomainHarness>();
    m_repository = m_host->git.makeRepository(QStringLiteral("project"));
    m_host->providers = providers;
    m_host->start();
    m_repo = m_host->addRepository(m_repository);
}

void LifecycleTest::end()
{
    if (m_host)
        releaseGit();
    m_host.reset();
    qputenv("PATH", m_path);
}

DomainHarness::Made LifecycleTest::ready(const std::function<void(CreateTask &)> &change)
{
    auto made = m_host->createTask(m_repo, {}, change);
    if (made.error)
        qFatal("%ls", qUtf16Printable(made.error->message));
    if (!m_host->waitForStatus(made, SessionStatus::Ready))
        qFatal("the task does not become ready");
    return made;
}

QString LifecycleTest::workTree(const Made &made)
{
    for (const Task &task : m_host->rows<Task>(made.address, QStringLiteral("task")))
        return task.workTree.value_or(QString());
    return {};
}

void LifecycleTest::edit(const QString &tree)
{
    m_host->git.write(tree, QStringLiteral("README.md"), "staged\n");
    m_host->git.mustGit(tree, {QStringLiteral("add"), QStringLiteral("README.md")});
    m_host->git.write(tree, QStringLiteral("README.md"), "staged\nand more\n");
    QFile::remove(tree + QStringLiteral("/src/main.cpp"));
    m_host->git.write(tree, QStringLiteral("new.txt"), "new\n");
}

std::optional<Job> LifecycleTest::job(const Made &made, const QString &id)
{
    for (const Job &job : m_host->rows<Job>(made.address, QStringLiteral("task"))) {
        if (job.id == id)
            return job;
    }
    return std::nullopt;
}

bool LifecycleTest::waitForTask(const Made &made, TaskStatus wanted)
{
    const bool came = QTest::qWaitFor([&] { return m_host->summary(made.task) && m_host->summary(made.task)->status == wanted; }, longMs);
    if (!came) {
        qWarning("the task stays %ls", qUtf16Printable(m_host->summary(made.task).value_or(TaskSummary{}).status.text()));
        for (const Job &job : m_host->rows<Job>(made.address, QStringLiteral("task")))
            qWarning("  %ls %ls %ls %ls", qUtf16Printable(job.kind), qUtf16Printable(job.status.text()), qUtf16Printable(job.step.value_or(QString())), qUtf16Printable(job.error ? job.error->message + job.error->detail : QString()));
    }
    return came;
}

bool LifecycleTest::waitForJob(const Made &made, const QString &id, JobStatus wanted)
{
    return QTest::qWaitFor([&] { return job(made, id) && job(made, id)->status == wanted; }, longMs);
}

std::optional<DeletedTask> LifecycleTest::deleted(const Made &made)
{
    for (const DeletedTask &row : m_host->rows<DeletedTask>(m_host->organization(), QStringLiteral("organization"))) {
        if (row.id == made.task)
            return row;
    }
    return std::nullopt;
}

bool LifecycleTest::waitDeleted(const Made &made)
{
    const bool gone = QTest::qWaitFor([&] { return deleted(made).has_value(); }, longMs);
    if (!gone)
        waitForTask(made, TaskStatus::Archived); // says what it waits for
    return gone && !m_host->summary(made.task);
}

void LifecycleTest::hangGit(const QString &verb)
{
    const QString real = QStandardPaths::findExecutable(QStringLiteral("git"));
    const QString hold = m_host->git.path(QStringLiteral("hold"));
    m_host->git.write(m_host->git.root(), QStringLiteral("hold"), "");
    m_host->git.write(m_host->git.root(), QStringLiteral("bin/git"),
        QStringLiteral("#!/bin/sh\ncase \" $* \" in *' %1 '*) while [ -e %2 ]; do sleep 0.05; done;; esac\nexec %3 \"$@\"\n").arg(verb, shellQuoted(hold), shellQuoted(real)).toUtf8(), true);
    if (!qgetenv("PATH").startsWith(m_host->git.root().toUtf8()))
        qputenv("PATH", m_host->git.path(QStringLiteral("bin")).toUtf8() + ':' + m_path);
}

int LifecycleTest::hungGits(const QString &verb)
{
    // The shell that runs the script has the verb among its arguments, and leads a group; so has, for a moment and without
    // leading one, what it forks.
    const QByteArray script = m_host->git.path(QStringLiteral("bin/git")).toUtf8();
    int count = 0;
    for (const QString &process : QDir(QStringLiteral("/proc")).entryList({QStringLiteral("[0-9]*")}, QDir::Dirs)) {
        QFile file(QStringLiteral("/proc/%1/cmdline").arg(process));
        const QByteArray line = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        const pid_t pid = process.toInt();
        if (line.contains(script) && ::getpgid(pid) == pid && line.split('\0').contains(verb.toUtf8()))
            ++count;
    }
    return count;
}

} // namespace foundry::test
