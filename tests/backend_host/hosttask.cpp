#include "tests/backend_host/hosttask.h"

#include <QTest>

namespace foundry::test {

namespace {

Result<std::unique_ptr<wire::WireClient>> hosttaskOpen(const wire::HostProcess &host, const QString &actor, const QStringList &key)
{
    auto client = std::make_unique<wire::WireClient>(host.endpoint(), host.token());
    if (auto opened = client->open(actor, key); !opened)
        return opened.error();
    return client;
}

} // namespace

Result<std::unique_ptr<wire::WireClient>> openOrganization(const wire::HostProcess &host)
{
    return hosttaskOpen(host, QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")});
}

Result<std::unique_ptr<wire::WireClient>> openTask(const wire::HostProcess &host, const HostTask &ids)
{
    return hosttaskOpen(host, QStringLiteral("task"), ids.key());
}

Result<> addRepository(const wire::HostProcess &host, const RepoId &repo, const QString &path)
{
    auto organization = openOrganization(host);
    if (!organization)
        return organization.error();
    AddRepository add;
    add.repoId = repo;
    add.path = path;
    if (auto asked = ask(**organization, QStringLiteral("addRepository"), add); !asked)
        return asked.error();
    const bool ready = QTest::qWaitFor(
        [&] {
            const auto known = rowsOf<Repository>(**organization, QStringLiteral("organization"));
            return std::any_of(known.begin(), known.end(),
                [&](const Repository &row) { return row.id == repo && row.state == RepositoryState::Ready; });
        },
        20000);
    if (!ready)
        return makeError(QLatin1StringView("test"), QLatin1StringView("not_ready"), QStringLiteral("The repository did not get ready."));
    return Unit{};
}

CreateTask newTask(const HostTask &ids, const QString &prompt)
{
    CreateTask create;
    create.taskId = ids.task;
    create.sessionId = ids.session;
    create.repoId = ids.repo;
    create.prompt = Prompt{prompt};
    create.agent = AgentId(QStringLiteral("runner"));
    return create;
}

std::optional<Session> sessionOf(wire::WireClient &task, const SessionId &id)
{
    for (const Session &row : rowsOf<Session>(task, QStringLiteral("task"))) {
        if (row.id == id)
            return row;
    }
    return std::nullopt;
}

QString sessionStatus(wire::WireClient &task, const SessionId &id)
{
    const auto row = sessionOf(task, id);
    return row ? row->status.text() : QString();
}

} // namespace foundry::test
