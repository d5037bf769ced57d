#include "tests/backend_actors/crashjobs.h"

#include "backend/store/database.h"

#include <QDir>
#include <QDirIterator>
#include <QTest>

namespace foundry::test {

namespace {

AgentId crashjobsAgent()
{
    return AgentId(QStringLiteral("opencode")); // of the catalogue, and needs no node
}

} // namespace

CrashJobs::CrashJobs(CrashSpot spot)
    : CrashRun(std::move(spot))
{
    // The package is a program that is the scripted agent; npm takes its time, so that it can be cut.
    const QByteArray root = m_git.root().toUtf8();
    m_git.write(m_git.root(), QStringLiteral("bin/npm"),
        "#!/bin/sh\nroot='" + root + "'\necho run >>\"$root/npm-runs\"\n"
        "while [ $# -gt 0 ]; do if [ \"$1\" = --prefix ]; then dir=$2; fi; shift; done\n"
        "mkdir -p \"$dir/node_modules/.bin\"\necho fetching\nsleep 0.05\n"
        "printf '#!/bin/sh\\nexec \"%s\" ok --journal \"%s\"\\n' '" + qgetenv("SCRIPTED_AGENT") + "' \"$root/journal-ok\" >\"$dir/node_modules/.bin/opencode\"\n"
        "chmod +x \"$dir/node_modules/.bin/opencode\"\n",
        true);
}

QProcessEnvironment CrashJobs::environment() const
{
    QProcessEnvironment variables = CrashRun::environment();
    variables.insert(QStringLiteral("PATH"), m_git.path(QStringLiteral("bin")) + QLatin1Char(':') + variables.value(QStringLiteral("PATH")));
    return variables;
}

std::optional<TaskSummary> CrashJobs::summary()
{
    auto *client = organization();
    for (const TaskSummary &row : client ? rowsOf<TaskSummary>(*client, QStringLiteral("organization")) : QList<TaskSummary>()) {
        if (row.id == m_ids.task)
            return row;
    }
    return std::nullopt;
}

bool CrashJobs::isIdle()
{
    const auto row = summary();
    return row && row->status == TaskStatus::Idle;
}

QString CrashJobs::tree() const
{
    QDirIterator found(m_git.path(QStringLiteral("data/worktrees")), {QStringLiteral("README.md")}, QDir::Files, QDirIterator::Subdirectories);
    return found.hasNext() ? QFileInfo(found.next()).path() : QString();
}

template <class Command>
bool CrashJobs::order(const char *what, Command command, const std::function<bool()> &done)
{
    static int count = 0;
    command.requestId = RequestId(QStringLiteral("r-%1-%2").arg(QString::fromLatin1(what)).arg(++count));
    return CrashRun::order(what, QString::fromLatin1(what), command, [&] {
        m_task.reset(); // with its actor's sockets, which an order may close
        return waitFor(done, what);
    });
}

template <class Command>
bool CrashJobs::jobOfTask(const char *what, Command command)
{
    command.requestId = RequestId(QStringLiteral("r-") + QString::fromLatin1(what));
    const QString kind = qstrcmp(what, "undoRevert") == 0 ? QStringLiteral("undo_revert") : QString::fromLatin1(what);
    return perform(what, [&]() -> QString {
        m_task.reset();
        auto *client = task();
        if (!client)
            return QStringLiteral("no task");
        if (auto asked = ask(*client, QString::fromLatin1(what), command); !asked)
            return asked.error().message;
        QString problem;
        const QString waited = waitFor([&] {
            QList<Job> jobs = rowsOf<Job>(*client, QStringLiteral("task"));
            jobs.removeIf([&kind](const Job &job) { return job.kind != kind; });
            if (jobs.size() > 1 || (!jobs.isEmpty() && jobs.first().error))
                problem = QStringLiteral("%1 jobs; %2").arg(jobs.size()).arg(jobs.first().error ? jobs.first().error->message : QString());
            return !problem.isEmpty() || (jobs.size() == 1 && jobs.first().status == JobStatus::Completed);
        }, what);
        return problem.isEmpty() ? waited : problem;
    });
}

bool CrashJobs::prepare()
{
    const bool added = addRepository({{RequestId(QStringLiteral("addRepository"))}, m_ids.repo, m_repository, {}})
        && addRepository({{RequestId(QStringLiteral("clone"))}, m_clone, {}, QStringLiteral("file://") + m_repository});
    if (!added)
        return false;
    const bool installed = order("installAgent", InstallAgent{{}, crashjobsAgent()}, [this] {
        const auto rows = rowsOf<Agent>(*organization(), QStringLiteral("organization"));
        return std::any_of(rows.begin(), rows.end(), [](const Agent &row) { return row.id == crashjobsAgent() && row.state == AgentState::Ready; });
    });
    // What comes with the prompt has to go with the task.
    const PutBlob put{{}, BlobId(QStringLiteral("attached")), 0, QByteArrayLiteral("a file"), true};
    CreateTask create = newTask(m_ids, QStringLiteral("first"));
    create.agent = crashjobsAgent();
    create.attachments = {{QStringLiteral("a.txt"), QStringLiteral("text/plain"), put.data.size(), put.blobId}};
    return installed && order("putBlob", put, [] { return true; }) && order("createTask", create, [this] {
        if (auto *client = task(); client) {
            const auto row = sessionOf(*client, m_ids.session);
            if (row && row->interrupted && row->status == SessionStatus::Idle)
                ask(*client, QStringLiteral("resendInterrupted"), ResendInterrupted{{}, m_ids.session});
            if (!row)
                m_task.reset();
            return row && !row->interrupted && isIdle() && !tree().isEmpty();
        }
        return false;
    });
}

bool CrashJobs::edit()
{
    m_git.write(tree(), QStringLiteral("README.md"), "committed\n");
    if (!jobOfTask("commit", Commit{{}, QStringLiteral("A commit"), {}}))
        return false;
    m_tip = m_git.git(tree(), {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line();
    check(git({QStringLiteral("rev-list"), QStringLiteral("--count"), QStringLiteral("main..") + m_tip}).trimmed() == "1", QStringLiteral("not one commit"));
    m_git.write(tree(), QStringLiteral("README.md"), "changed\n");
    m_git.write(tree(), QStringLiteral("new.txt"), "new\n");
    m_status = m_git.git(tree(), {QStringLiteral("status"), QStringLiteral("--porcelain")}).out;
    check(m_status == " M README.md\n?? new.txt\n", QStringLiteral("after the commit: ") + QString::fromUtf8(m_status));
    if (!jobOfTask("revert", Revert{{}, {QStringLiteral("README.md"), QStringLiteral("new.txt")}}))
        return false;
    check(!QFile::exists(tree() + QStringLiteral("/new.txt")) && m_git.read(tree(), QStringLiteral("README.md")) != "changed\n", QStringLiteral("nothing was taken back"));
    if (!jobOfTask("undoRevert", UndoRevert{}))
        return false;
    check(m_git.git(tree(), {QStringLiteral("status"), QStringLiteral("--porcelain")}).out == m_status, QStringLiteral("the undo did not bring it back"));
    return true;
}

bool CrashJobs::putAway()
{
    const auto isBack = [this](const char *after) {
        check(m_git.git(tree(), {QStringLiteral("status"), QStringLiteral("--porcelain")}).out == m_status && m_git.read(tree(), QStringLiteral("README.md")) == "changed\n",
            QStringLiteral("the work is not as it was after %1").arg(QString::fromLatin1(after)));
        check(m_git.git(tree(), {QStringLiteral("rev-parse"), QStringLiteral("HEAD")}).line() == m_tip, QStringLiteral("the branch moved"));
    };
    const auto deleted = [this] {
        auto *client = organization();
        return client && rowsOf<DeletedTask>(*client, QStringLiteral("organization")).size() == 1 && !summary();
    };
    const auto archived = [this] {
        const auto row = summary();
        return row && row->status == TaskStatus::Archived;
    };
    if (!order("archiveTask", ArchiveTask{{}, m_ids.task}, archived))
        return false;
    check(tree().isEmpty(), QStringLiteral("the work tree of an archived task is there"));
    if (!order("unarchiveTask", UnarchiveTask{{}, m_ids.task}, [this] { return isIdle(); }))
        return false;
    isBack("archiving");
    const bool looked = order("previewDelete", PreviewDelete{{}, m_ids.task}, [this] {
        if (!task())
            return false;
        const auto jobs = rowsOf<Job>(*task(), QStringLiteral("task"));
        return std::any_of(jobs.begin(), jobs.end(), [](const Job &job) { return job.kind == QLatin1StringView("preview_delete") && job.loss && job.loss->uncommitted == 1 && job.loss->untracked == 1; });
    });
    if (!looked || !order("deleteTask", DeleteTask{{}, m_ids.task}, deleted))
        return false;
    check(tree().isEmpty() && git({QStringLiteral("branch"), QStringLiteral("--list")}).count('\n') == 1, QStringLiteral("what was deleted is there"));
    if (!order("restoreTask", RestoreTask{{}, m_ids.task}, [this] { return isIdle(); }))
        return false;
    isBack("deleting");
    return order("deleteTask", DeleteTask{{}, m_ids.task}, deleted);
}

// 14 days later: what the host would let go of then it lets go of at its next start.
bool CrashJobs::purge()
{
    const QString ref = QStringLiteral("refs/foundry/trash/") + m_ids.task.value;
    check(m_git.git(m_repository, {QStringLiteral("rev-parse"), QStringLiteral("--verify"), ref}).ok(), QStringLiteral("nothing was kept"));
    m_organization.reset();
    m_task.reset();
    QTest::qWait(50);
    m_host->stop();
    const QDir actors(m_git.path(QStringLiteral("data/actors")));
    for (const QString &name : actors.entryList({QStringLiteral("*.sqlite")}, QDir::Files)) {
        auto database = backend::Database::open(actors.filePath(name));
        if (!database)
            continue;
        bool isOrganization = false;
        {
            auto q = (*database)->query("SELECT 1 FROM sqlite_master WHERE name = 'deleted_tasks'");
            isOrganization = q.next();
        }
        if (isOrganization)
            (*database)->run("UPDATE deleted_tasks SET until = 1");
    }
    if (auto started = startLife(2); !started) {
        m_wrong.append(QStringLiteral("the host does not start after 14 days: ") + started.error().message);
        return false;
    }
    return perform("the purge", [&]() -> QString {
        auto *client = organization();
        if (!client)
            return QStringLiteral("no organization");
        return waitFor([&] {
            return rowsOf<DeletedTask>(*client, QStringLiteral("organization")).isEmpty()
                && !m_git.git(m_repository, {QStringLiteral("rev-parse"), QStringLiteral("--verify"), QStringLiteral("-q"), ref}).ok();
        }, "the purge");
    }) && perform("the rest", [this]() -> QString { return waitFor([&, since = m_clock.elapsed()] { return m_clock.elapsed() - since > 300; }, "the end"); });
}

bool CrashJobs::script()
{
    return prepare() && edit() && putAway() && purge();
}

void CrashJobs::checkInstall()
{
    const qsizetype runs = m_git.read(m_git.root(), QStringLiteral("npm-runs")).count('\n');
    check(runs >= 1 && runs <= (m_hit ? 2 : 1), QStringLiteral("npm ran %1 times").arg(runs));
    (void)QTest::qWaitFor([this] { return QDir(m_git.path(QStringLiteral("data/agents"))).entryList({QStringLiteral("opencode*")}, QDir::Dirs).size() == 1; }, 2000);
    const QStringList left = QDir(m_git.path(QStringLiteral("data/agents"))).entryList({QStringLiteral("opencode*")}, QDir::Dirs);
    check(left == QStringList{QStringLiteral("opencode")}, QStringLiteral("installed is %1").arg(left.join(QLatin1Char(' '))));
}

void CrashJobs::verify()
{
    checkInstall();
    check(processesOf("ok").isEmpty(), QStringLiteral("an agent of the deleted task lives"));
    const QString kept = m_git.path(QStringLiteral("data/blobs/tasks"));
    // What a purge lets go of after the trash goes step by step, on a busy machine later than the script waits.
    (void)QTest::qWaitFor([&] { return QDir(kept).isEmpty() && git({QStringLiteral("for-each-ref"), QStringLiteral("refs/foundry")}).isEmpty(); }, 5000);
    check(QFileInfo(kept).isDir() && QDir(kept).isEmpty(), QStringLiteral("no attachment was kept, or one stays"));
    const QByteArray trees = git({QStringLiteral("worktree"), QStringLiteral("list"), QStringLiteral("--porcelain")});
    check(trees.count("worktree ") == 1, QStringLiteral("the work trees are %1").arg(QString::fromUtf8(trees)));
    check(git({QStringLiteral("branch"), QStringLiteral("--list")}).count('\n') == 1, QStringLiteral("a branch is left"));
    const QByteArray refs = git({QStringLiteral("for-each-ref"), QStringLiteral("refs/foundry")});
    check(refs.isEmpty(), QStringLiteral("left: %1").arg(QString::fromUtf8(refs)));
    check(m_git.git(m_repository, {QStringLiteral("status"), QStringLiteral("--porcelain")}).out.isEmpty(), QStringLiteral("the user's checkout was touched"));
    check(m_git.git(m_repository, {QStringLiteral("fsck"), QStringLiteral("--connectivity-only")}).ok(), QStringLiteral("the repository is damaged"));
    const auto known = rowsOf<Repository>(*organization(), QStringLiteral("organization"));
    check(known.size() == 2, QStringLiteral("%1 repositories").arg(known.size()));
    check(rowsOf<Attention>(*organization(), QStringLiteral("organization")).isEmpty(), QStringLiteral("something wants attention"));
    const QStringList clones = QDir(m_git.path(QStringLiteral("data/repositories"))).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    check(clones.size() <= 1, QStringLiteral("the clones are %1").arg(clones.join(QLatin1Char(' '))));
}

QString CrashJobs::dump()
{
    QString text;
    if (m_host && m_host->isRunning()) {
        if (const auto row = summary())
            text += QStringLiteral("  the task is %1\n").arg(row->status.text());
        if (auto *client = task()) {
            for (const Job &job : rowsOf<Job>(*client, QStringLiteral("task")))
                text += QStringLiteral("  job %1 %2 %3 %4\n").arg(job.kind, job.status.text(), job.step.value_or(QString()), job.error ? job.error->message + job.error->detail : job.message.value_or(QString()));
        }
    }
    return text + CrashRun::dump();
}

} // namespace foundry::test
