#include "tests/bench/hostrig.h"

#include "backend/store/database.h"
#include "realtime/protocol/codec.h"
#include "tests/bench/clientrig.h"

#include <QDir>
#include <QFile>
#include <QProcess>

namespace foundry::bench {

namespace {

Error rigError(const QString &what)
{
    return makeError(QLatin1StringView("internal"), QLatin1StringView("bench"), what);
}

} // namespace

HostRig::HostRig()
{
    m_repo = makeId<RepoId>();
}

Result<> HostRig::run(const QString &program, const QStringList &args, const QString &folder)
{
    QProcess process;
    process.setWorkingDirectory(folder);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, args);
    if (!process.waitForFinished(120000) || process.exitCode() != 0)
        return rigError(QStringLiteral("%1 %2 failed: %3").arg(program, args.join(QLatin1Char(' ')), QString::fromUtf8(process.readAll().right(500))));
    return Unit{};
}

Result<> HostRig::start(const QString &path)
{
    if (!QDir().exists(repositoryPath())) {
        QDir().mkpath(repositoryPath());
        for (int i = 0; i < 20; ++i) {
            QFile file(repositoryPath() + QStringLiteral("/file%1.txt").arg(i));
            if (!file.open(QIODevice::WriteOnly))
                return rigError(file.errorString());
            file.write("a line\nanother\n");
        }
        const QList<QStringList> steps{{QStringLiteral("init"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("main")},
            {QStringLiteral("add"), QStringLiteral("-A")},
            {QStringLiteral("-c"), QStringLiteral("user.name=Bench"), QStringLiteral("-c"), QStringLiteral("user.email=bench@example.org"),
                QStringLiteral("commit"), QStringLiteral("-q"), QStringLiteral("-m"), QStringLiteral("Begin")}};
        for (const QStringList &step : steps) {
            if (const auto done = run(QStringLiteral("git"), step, repositoryPath()); !done)
                return done;
        }
    }
    m_host = std::make_unique<wire::HostProcess>(dataDir());
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    if (!path.isEmpty())
        environment.insert(QStringLiteral("PATH"), path + QLatin1Char(':') + environment.value(QStringLiteral("PATH")));
    m_host->setEnvironment(environment);
    return m_host->start();
}

Result<std::unique_ptr<wire::WireClient>> HostRig::open(const QString &actor, const QStringList &key)
{
    auto client = std::make_unique<wire::WireClient>(m_host->endpoint(), m_host->token());
    if (const auto opened = client->open(actor, key); !opened)
        return opened.error();
    return client;
}

Result<std::unique_ptr<wire::WireClient>> HostRig::organization()
{
    return open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")});
}

Result<std::unique_ptr<wire::WireClient>> HostRig::task(const TaskId &task)
{
    return open(QStringLiteral("task"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("task"), m_repo.value, task.value});
}

Result<> HostRig::addRepository()
{
    auto organization = this->organization();
    if (!organization)
        return organization.error();
    (*organization)->subscribe(QStringLiteral("organization"));
    AddRepository add;
    add.requestId = makeId<RequestId>();
    add.repoId = m_repo;
    add.path = repositoryPath();
    if (const auto answer = (*organization)->call(QStringLiteral("addRepository"), protocol::encodeArgs(add)); !answer)
        return answer.error();
    std::optional<Repository> last;
    const bool ready = (*organization)->wait(
        [&] {
            for (const auto &received : std::as_const((*organization)->events)) {
                for (const Entity &entity : received.event.upserts) {
                    if (const auto *repository = std::get_if<Repository>(&entity))
                        last = *repository;
                }
            }
            return last && (last->state == RepositoryState::Ready || last->state == RepositoryState::Error);
        },
        15000);
    if (!ready || !(last->state == RepositoryState::Ready))
        return last && last->error ? *last->error : rigError(QStringLiteral("The repository did not get ready."));
    return Unit{};
}

Result<> HostRig::prepare(int count)
{
    if (const auto ready = start(); !ready)
        return ready;
    if (const auto added = addRepository(); !added)
        return added;
    return seedTasks(count);
}

Result<> HostRig::seedTasks(int count)
{
    m_host->stop();
    auto registry = backend::Database::open(dataDir() + QStringLiteral("/host.sqlite"));
    if (!registry)
        return registry.error();
    QString id;
    {
        auto query = (*registry)->query("SELECT id FROM actors WHERE name = 'organization'");
        if (query.next())
            id = query.text(0);
    }
    auto database = backend::Database::open(dataDir() + QStringLiteral("/actors/%1.sqlite").arg(id));
    if (!database)
        return database.error();
    backend::Database &db = **database;
    qint64 topic = 0;
    qint64 revision = 0;
    {
        auto query = db.query("SELECT id, revision FROM topics WHERE topic = 'organization'");
        if (!query.next())
            return rigError(QStringLiteral("The organization has no topic yet."));
        topic = query.integer(0);
        revision = query.integer(1);
    }
    if (const auto begun = db.begin(); !begun)
        return begun;
    for (int n = 0; n < count; ++n) {
        TaskSummary task = sampleTask(n);
        task.repoId = m_repo;
        task.status = TaskStatus::Idle;
        ++revision;
        if (const auto row = db.run("INSERT INTO rows(topic, type, id, rev, updated_at, removed, value) VALUES(?, 'TaskSummary', ?, ?, ?, 0, ?)",
                topic, task.id.value, revision, task.createdAt, protocol::encodeEntity(task));
            !row)
            return row;
    }
    if (const auto raised = db.run("UPDATE topics SET revision = ?, count = count + ? WHERE id = ?", revision, count, topic); !raised)
        return raised;
    return db.commit();
}

Result<QString> HostRig::hangingPrograms(const QStringList &names)
{
    const QString folder = m_folder.path() + QStringLiteral("/hanging");
    QDir().mkpath(folder);
    for (const QString &name : names) {
        QFile file(folder + QLatin1Char('/') + name);
        if (!file.open(QIODevice::WriteOnly))
            return rigError(file.errorString());
        file.write("#!/bin/sh\nexec sleep 3600\n");
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    }
    return folder;
}

} // namespace foundry::bench
