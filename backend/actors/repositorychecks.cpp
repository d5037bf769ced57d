#include "backend/actors/repositorychecks.h"

#include "backend/git/giturl.h"
#include "backend/store/database.h"

#include <QDateTime>
#include <QDir>
#include <QElapsedTimer>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcRepositories, "foundry.actors.repositories")

namespace {

QString repositoryTopic()
{
    return QStringLiteral("organization");
}

QString repositoryWorkflow(const RepoId &id)
{
    return QStringLiteral("repository:") + id.value;
}

Error invalidRepository(const QString &message, const QString &action, const QString &field)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, action, field);
}

// What people should know about a repository that is usable all the same.
QString repositoryNotes(const RepositoryInfo &info)
{
    QStringList notes;
    if (info.isBare)
        notes.append(QStringLiteral("This is a bare repository: it has no checkout of its own. Tasks work in their own work trees."));
    else if (!info.headBranch)
        notes.append(QStringLiteral("Its checkout is on no branch (detached HEAD). Tasks start from %1 unless you name a base.")
                         .arg(info.defaultBranch ? QStringLiteral("“%1”").arg(*info.defaultBranch) : QStringLiteral("the commit that is checked out")));
    if (info.dirty)
        notes.append(QStringLiteral("Its checkout has uncommitted edits. They stay where they are; tasks start from commits."));
    if (!info.hasIdentity)
        notes.append(QStringLiteral("git does not know your name and e-mail, so commits will fail: set user.name and user.email with git config --global."));
    return notes.join(QLatin1Char(' '));
}

// Trust is given to what was there: anything else is asked again.
void repositoryTrust(Repository &repository, const RepositoryInfo &info)
{
    if (info.ownPrograms.isEmpty()) {
        repository.trustState = QStringLiteral("none");
        repository.trustVersion.reset();
    } else if (repository.trustVersion != info.ownPrograms) {
        repository.trustState = QStringLiteral("asked");
        repository.trustVersion = info.ownPrograms;
    }
}

} // namespace

RepositoryChecks::RepositoryChecks(ActorContext &context, WorkflowRunner &runner, GitEnvironment git, QString cloneRoot,
    std::function<void(Transaction &)> changed)
    : m_context(context)
    , m_runner(runner)
    , m_git(std::move(git))
    , m_cloneRoot(std::move(cloneRoot))
    , m_changed(std::move(changed))
{
}

QString RepositoryChecks::schema()
{
    return QStringLiteral("CREATE TABLE repository_places (repo TEXT PRIMARY KEY, given TEXT NOT NULL, is_url INTEGER NOT NULL,"
                          " path TEXT NOT NULL, common_dir TEXT NOT NULL DEFAULT '') WITHOUT ROWID;");
}

std::optional<Repository> RepositoryChecks::row(const RepoId &id) const
{
    auto entity = m_context.row(repositoryTopic(), QStringLiteral("Repository"), id.value);
    if (!entity)
        return std::nullopt;
    if (auto *repository = std::get_if<Repository>(&*entity))
        return *repository;
    return std::nullopt;
}

QString RepositoryChecks::pathOf(const RepoId &id) const
{
    auto q = m_context.database().query("SELECT path FROM repository_places WHERE repo = ?", id.value);
    return q.next() ? q.text(0) : QString();
}

Result<Repository> RepositoryChecks::add(Transaction &tx, const RepoId &id, const std::optional<QString> &path, const std::optional<QString> &url)
{
    if (id.isEmpty() || row(id))
        return invalidRepository(QStringLiteral("A new repository needs an id of its own."), {}, QStringLiteral("repoId"));
    if (path.has_value() == url.has_value())
        return invalidRepository(QStringLiteral("Name a folder or an address, one of them."), {}, QStringLiteral("path"));
    Repository repository;
    repository.id = id;
    QString given;
    QString place;
    if (url) {
        auto parsed = parseGitUrl(*url);
        if (!parsed)
            return parsed.error();
        given = parsed->forGit;
        repository.origin = parsed->shown;
        repository.name = parsed->name;
        repository.state = RepositoryState::Cloning;
        repository.progress = 0;
        // An id is opaque: it is no path.
        place = m_cloneRoot + QLatin1Char('/') + QString::fromLatin1(id.value.toUtf8().toHex());
    } else {
        given = path->trimmed();
        if (given == QLatin1StringView("~") || given.startsWith(QLatin1StringView("~/")))
            given = QDir::homePath() + given.mid(1);
        if (!QDir::isAbsolutePath(given))
            return invalidRepository(QStringLiteral("“%1” is not a whole path.").arg(*path),
                QStringLiteral("Give the folder with its path from the root, for example /home/you/project."), QStringLiteral("path"));
        given = QDir::cleanPath(given);
        place = given;
        repository.origin = given;
        repository.name = given.section(QLatin1Char('/'), -1);
        repository.state = RepositoryState::Checking;
    }
    {
        auto q = tx.database().query("SELECT repo FROM repository_places WHERE given = ?", given);
        while (q.next()) {
            const auto other = row(RepoId(q.text(0)));
            if (other && other->state != RepositoryState::Error)
                return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
                    QStringLiteral("This repository is here already, as “%1”.").arg(other->name),
                    QStringLiteral("Start a task in it."), QStringLiteral("path"));
        }
    }
    tx.database().run("INSERT INTO repository_places (repo, given, is_url, path) VALUES (?, ?, ?, ?)", id.value, given, url.has_value(), place);
    tx.put(repositoryTopic(), repository);
    WorkflowRecipe recipe{repositoryWorkflow(id), QStringLiteral("repository"), {}};
    if (url)
        recipe.steps.append({QStringLiteral("clone"), 0}); // git ends one that says nothing for minutes
    recipe.steps.append({QStringLiteral("check"), 2 * 60 * 1000});
    m_runner.start(tx, recipe);
    m_runner.advance(tx);
    return repository;
}

void RepositoryChecks::putBack(Transaction &tx, const RepoId &id, const QString &path)
{
    if (id.isEmpty() || path.isEmpty() || row(id))
        return;
    Repository repository;
    repository.id = id;
    repository.origin = path;
    repository.name = path.section(QLatin1Char('/'), -1);
    repository.state = RepositoryState::Checking;
    // Of a clone the look finds the address.
    tx.database().run("INSERT OR REPLACE INTO repository_places (repo, given, is_url, path) VALUES (?, ?, ?, ?)", id.value, path,
        path.startsWith(m_cloneRoot + QLatin1Char('/')), path);
    tx.put(repositoryTopic(), repository);
    m_runner.start(tx, {repositoryWorkflow(id), QStringLiteral("repository"), {{QStringLiteral("check"), 2 * 60 * 1000}}});
    m_runner.advance(tx);
}

void RepositoryChecks::remove(Transaction &tx, const RepoId &id)
{
    m_runner.forget(tx, repositoryWorkflow(id));
    tx.database().run("DELETE FROM repository_places WHERE repo = ?", id.value);
    tx.remove(repositoryTopic(), QStringLiteral("Repository"), id.value);
}

void RepositoryChecks::begin(Transaction &tx, const StepRecord &record)
{
    const RepoId id(record.workflow.section(QLatin1Char(':'), 1));
    tx.afterCommit([this, id, record] {
        if (record.step == QLatin1StringView("clone"))
            cloneNow(id, record.attempt);
        else
            checkNow(id, record.attempt);
    });
}

void RepositoryChecks::update(const RepoId &id, const std::function<void(Repository &)> &change)
{
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        auto repository = row(id);
        if (!repository)
            return Unit{}; // removed meanwhile
        tx.setCause(Cause{QStringLiteral("workflow")});
        change(*repository);
        tx.put(repositoryTopic(), *repository);
        return Unit{};
    });
    if (!written)
        qCWarning(lcRepositories, "a repository's row was not written: %ls", qUtf16Printable(written.error().message));
}

void RepositoryChecks::cloneNow(const RepoId &id, qint64 attempt)
{
    CloneRequest request;
    {
        auto q = m_context.database().query("SELECT given, path FROM repository_places WHERE repo = ?", id.value);
        if (!q.next())
            return;
        request.url = q.text(0);
        request.targetDir = q.text(1);
    }
    QDir().mkpath(m_cloneRoot);
    GitJob *job = cloneRepository(m_git, request, m_context.owner(), [this, id, attempt](Result<CloneInfo> info) {
        m_jobs.remove(id.value);
        if (!info) {
            fail(id, QStringLiteral("clone"), attempt, info.error());
            return;
        }
        auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
            auto repository = row(id);
            if (!repository)
                return Unit{};
            tx.setCause(Cause{QStringLiteral("workflow")});
            tx.database().run("UPDATE repository_places SET path = ? WHERE repo = ?", info->repository, id.value);
            repository->state = RepositoryState::Checking;
            repository->progress.reset();
            repository->progressText.reset();
            tx.put(repositoryTopic(), *repository);
            m_runner.finish(tx, repositoryWorkflow(id), QStringLiteral("clone"), attempt, QByteArray());
            m_runner.advance(tx);
            m_changed(tx);
            return Unit{};
        });
        if (!written)
            qCWarning(lcRepositories, "a clone was not recorded: %ls", qUtf16Printable(written.error().message));
    });
    m_jobs.insert(id.value, job);
    auto since = std::make_shared<QElapsedTimer>();
    QObject::connect(job, &GitJob::progress, m_context.owner(), [this, id, since](double fraction, const QString &text) {
        if (since->isValid() && since->elapsed() < 200)
            return;
        since->start();
        update(id, [&](Repository &repository) {
            repository.progress = fraction;
            repository.progressText = text;
        });
    });
}

void RepositoryChecks::checkNow(const RepoId &id, qint64 attempt)
{
    const QString path = pathOf(id);
    m_jobs.insert(id.value, inspectRepository(m_git, path, m_context.owner(), [this, id, attempt](const Result<RepositoryInfo> &info) {
        m_jobs.remove(id.value);
        checked(id, attempt, info);
    }));
}

void RepositoryChecks::checked(const RepoId &id, qint64 attempt, const Result<RepositoryInfo> &info)
{
    const QString step = QStringLiteral("check");
    if (!info) {
        fail(id, step, attempt, info.error());
        return;
    }
    bool isUrl = false;
    {
        auto q = m_context.database().query("SELECT is_url FROM repository_places WHERE repo = ?", id.value);
        isUrl = q.next() && q.flag(0);
    }
    if (info->isEmpty) {
        fail(id, step, attempt,
            makeError(QLatin1StringView("git"), QLatin1StringView("empty_repository"),
                QStringLiteral("This repository has no commit yet, so no task can start from it."),
                QStringLiteral("Make a first commit (git commit --allow-empty -m \"Begin\" does), then add it again.")));
        return;
    }
    {
        auto q = m_context.database().query("SELECT repo FROM repository_places WHERE common_dir = ? AND repo != ?", info->commonDir, id.value);
        const auto other = q.next() ? row(RepoId(q.text(0))) : std::nullopt;
        if (other) {
            fail(id, step, attempt,
                makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
                    QStringLiteral("This folder belongs to a repository that is here already, as “%1”.").arg(other->name),
                    QStringLiteral("Remove this entry and start a task in that one.")));
            return;
        }
    }
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        auto repository = row(id);
        if (!repository)
            return Unit{};
        tx.setCause(Cause{QStringLiteral("workflow")});
        tx.database().run("UPDATE repository_places SET common_dir = ?, path = ? WHERE repo = ?", info->commonDir,
            isUrl ? pathOf(id) : info->topLevel, id.value);
        if (!isUrl && !info->topLevel.isEmpty()) { // a folder inside of it was given
            repository->origin = info->topLevel;
            repository->name = info->topLevel.section(QLatin1Char('/'), -1);
        }
        const auto address = isUrl && repository->origin == pathOf(id) ? parseGitUrl(info->originUrl) : Result<GitUrl>(Error());
        if (address) { // of a clone that was put back
            repository->origin = address->shown;
            repository->name = address->name;
            tx.database().run("UPDATE repository_places SET given = ? WHERE repo = ?", address->forGit, id.value);
        }
        repository->defaultBranch = info->defaultBranch;
        repository->state = RepositoryState::Ready;
        repository->progress.reset();
        repository->error.reset();
        repository->dirty = !isUrl && info->dirty;
        repositoryTrust(*repository, *info);
        RepositoryInfo shown = *info;
        shown.isBare = shown.isBare && !isUrl; // our own clones are bare by design
        if (isUrl)
            shown.headBranch = shown.headBranch.value_or(QString());
        const QString notes = repositoryNotes(shown);
        repository->progressText = notes.isEmpty() ? std::nullopt : std::optional<QString>(notes);
        tx.put(repositoryTopic(), *repository);
        m_runner.finish(tx, repositoryWorkflow(id), step, attempt, QByteArray());
        m_runner.advance(tx);
        m_changed(tx);
        return Unit{};
    });
    if (!written)
        qCWarning(lcRepositories, "a check was not recorded: %ls", qUtf16Printable(written.error().message));
}

void RepositoryChecks::fail(const RepoId &id, const QString &step, qint64 attempt, const Error &error)
{
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        m_runner.finish(tx, repositoryWorkflow(id), step, attempt, error); // goes on in failed()
        m_changed(tx);
        return Unit{};
    });
    if (!written)
        qCWarning(lcRepositories, "a failed check was not recorded: %ls", qUtf16Printable(written.error().message));
}

void RepositoryChecks::failed(Transaction &tx, const StepRecord &record)
{
    auto repository = row(RepoId(record.workflow.section(QLatin1Char(':'), 1)));
    if (!repository)
        return;
    repository->state = RepositoryState::Error;
    repository->progress.reset();
    repository->progressText.reset();
    repository->error = record.error;
    tx.put(repositoryTopic(), *repository);
}

void RepositoryChecks::abandon(Transaction &tx, const StepRecord &record)
{
    tx.afterCommit([this, id = record.workflow.section(QLatin1Char(':'), 1)] {
        if (const QPointer<GitJob> job = m_jobs.take(id))
            job->cancel(); // it tidies up what it had begun
    });
}

Result<Repository> RepositoryChecks::trust(Transaction &tx, const RepoId &id, const QString &version)
{
    auto repository = row(id);
    if (!repository)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is no such repository."), {},
            QStringLiteral("repoId"));
    if (!repository->trustVersion)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("%1 has no hooks or programs of its own that could be trusted.").arg(repository->name));
    if (*repository->trustVersion != version)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("The hooks or settings of %1 have changed meanwhile.").arg(repository->name),
            QStringLiteral("Look at them again, then decide."), QStringLiteral("version"));
    repository->trustState = QStringLiteral("trusted");
    tx.put(repositoryTopic(), *repository);
    return row(id).value_or(*repository);
}

QString RepositoryChecks::trusted(const RepoId &id) const
{
    const auto repository = row(id);
    return repository && repository->trustState == QLatin1StringView("trusted") ? repository->trustVersion.value_or(QString()) : QString();
}

void RepositoryChecks::lookAgain()
{
    for (const Entity &entity : m_context.rows(repositoryTopic(), QStringLiteral("Repository"))) {
        const auto *repository = std::get_if<Repository>(&entity);
        if (!repository || repository->state != RepositoryState::Ready || m_jobs.contains(repository->id.value))
            continue;
        bool isUrl = true;
        {
            auto q = m_context.database().query("SELECT is_url FROM repository_places WHERE repo = ?", repository->id.value);
            isUrl = !q.next() || q.flag(0);
        }
        if (isUrl)
            continue;
        const RepoId id = repository->id;
        m_jobs.insert(id.value, inspectRepository(m_git, pathOf(id), m_context.owner(), [this, id](const Result<RepositoryInfo> &info) {
            m_jobs.remove(id.value);
            update(id, [&](Repository &known) {
                if (!info) { // gone or not readable now: its tasks say more when they need it
                    known.progressText = info.error().message + QLatin1Char(' ') + info.error().action;
                    return;
                }
                known.dirty = info->dirty;
                repositoryTrust(known, *info);
                known.defaultBranch = info->defaultBranch;
                const QString notes = repositoryNotes(*info);
                known.progressText = notes.isEmpty() ? std::nullopt : std::optional<QString>(notes);
            });
        }));
    }
}

} // namespace foundry::backend
