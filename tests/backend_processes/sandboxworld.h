// A real host with a task whose work tree is ready, and its sandbox over the wire. Waits: tests only.
#pragma once

#include "models/types/commands.h"
#include "models/types/processcommands.h"
#include "realtime/protocol/codec.h"
#include "tests/support/gitfixture.h"
#include "tests/wire/hostprocess.h"
#include "tests/wire/wireclient.h"

#include <QTest>

#include <memory>

namespace foundry::test {

template <class Command>
Result<QByteArray> ask(wire::WireClient &client, const QString &action, Command command)
{
    if (command.requestId.isEmpty())
        command.requestId = makeId<RequestId>();
    return client.call(action, protocol::encodeArgs(command), 20000);
}

template <class T>
QList<T> storedRows(wire::WireClient &client, const QString &topic)
{
    QList<T> found;
    ChangesSince since;
    since.topic = topic;
    for (;;) {
        auto answer = client.call(QStringLiteral("changesSince"), protocol::encodeArgs(since));
        auto page = answer ? protocol::decodeChangesPage(*answer) : Result<ChangesPage>(answer.error());
        if (!page)
            return found;
        for (const Entity &entity : page->upserts) {
            if (const auto *value = std::get_if<T>(&entity))
                found.append(*value);
        }
        if (!page->cursor)
            return found;
        since.cursor = page->cursor;
    }
}

class SandboxWorld {
public:
    SandboxWorld() { repository = git.makeRepository(QStringLiteral("project")); }

    // Starts the host on the same data folder, again after stop() or kill.
    Result<> start()
    {
        sandbox.reset();
        host = std::make_unique<wire::HostProcess>(git.path(QStringLiteral("data")));
        host->setEnvironment(git.environment());
        return host->start();
    }

    // A task with the built-in runner; ready when its work tree is there.
    Result<> makeTask(const QString &baseBranch = {})
    {
        wire::WireClient organization(host->endpoint(), host->token());
        if (auto open = organization.open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}); !open)
            return open;
        if (repo.isEmpty()) {
            repo = makeId<RepoId>();
            AddRepository add;
            add.repoId = repo;
            add.path = repository;
            if (auto added = ask(organization, QStringLiteral("addRepository"), add); !added)
                return added.error();
            const bool ready = organization.wait(
                [&] {
                    const auto known = storedRows<Repository>(organization, QStringLiteral("organization"));
                    return !known.isEmpty() && known.first().state == RepositoryState::Ready;
                },
                20000);
            if (!ready)
                return makeError(QLatin1StringView("client"), QLatin1StringView("failed"), QStringLiteral("The repository is not ready."));
        }
        task = makeId<TaskId>();
        CreateTask create;
        create.taskId = task;
        create.sessionId = makeId<SessionId>();
        create.repoId = repo;
        create.agent = AgentId(QStringLiteral("runner"));
        if (!baseBranch.isEmpty())
            create.baseBranch = baseBranch;
        auto made = ask(organization, QStringLiteral("createTask"), create);
        return made ? Result<>(Unit{}) : Result<>(made.error());
    }
    std::unique_ptr<wire::WireClient> openTask()
    {
        auto client = std::make_unique<wire::WireClient>(host->endpoint(), host->token());
        auto open = client->open(QStringLiteral("task"),
            {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("task"), repo.value, task.value});
        return open ? std::move(client) : nullptr;
    }
    std::unique_ptr<wire::WireClient> openSandbox()
    {
        auto client = std::make_unique<wire::WireClient>(host->endpoint(), host->token());
        auto open = client->open(QStringLiteral("sandbox"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), task.value});
        return open ? std::move(client) : nullptr;
    }
    bool waitForWorkTree()
    {
        auto client = openTask();
        return client && client->wait(
            [&] {
                const auto rows = storedRows<Task>(*client, QStringLiteral("task"));
                workTree = rows.isEmpty() ? QString() : rows.first().workTree.value_or(QString());
                return !workTree.isEmpty();
            },
            20000);
    }
    // All of it.
    bool prepare()
    {
        if (!start() || !makeTask() || !waitForWorkTree())
            return false;
        sandbox = openSandbox();
        return sandbox != nullptr;
    }

    Result<ProcessId> run(const QString &script, bool tty, const std::function<void(CreateProcess &)> &change = {})
    {
        CreateProcess create;
        create.processId = makeId<ProcessId>();
        create.command = QStringLiteral("bash");
        create.args = QStringList{QStringLiteral("-c"), script};
        create.tty = tty;
        if (change)
            change(create);
        auto made = ask(*sandbox, QStringLiteral("createProcess"), create);
        return made ? Result<ProcessId>(create.processId) : Result<ProcessId>(made.error());
    }
    std::optional<Process> process(const ProcessId &id)
    {
        for (const Process &row : storedRows<Process>(*sandbox, QStringLiteral("processes"))) {
            if (row.id == id)
                return row;
        }
        return std::nullopt;
    }
    bool waitForExit(const ProcessId &id, int ms = 20000)
    {
        return sandbox->wait(
            [&] {
                const auto row = process(id);
                return row && row->status == QLatin1StringView("exited");
            },
            ms);
    }
    // Once nothing of it is left.
    bool remove(const ProcessId &id)
    {
        return sandbox->wait([&] { return ask(*sandbox, QStringLiteral("deleteProcess"), DeleteProcess{{}, id}).ok(); }, 20000);
    }
    static Result<ProcessLogPage> page(wire::WireClient &client, const ProcessId &id, const std::function<void(GetProcessLogs &)> &change = {})
    {
        GetProcessLogs asked;
        asked.processId = id;
        if (change)
            change(asked);
        auto answer = client.call(QStringLiteral("getProcessLogs"), protocol::encodeArgs(asked));
        return answer ? protocol::decodeValue<ProcessLogPage>(*answer) : Result<ProcessLogPage>(answer.error());
    }
    QByteArray tail(const ProcessId &id)
    {
        const auto last = page(*sandbox, id);
        return last ? last->data : QByteArray();
    }
    bool waitForOutput(const ProcessId &id, const QByteArray &text, int ms = 10000)
    {
        return sandbox->wait([&] { return tail(id).contains(text); }, ms);
    }
    bool type(const ProcessId &id, const QByteArray &bytes)
    {
        WriteInput input;
        input.processId = id;
        input.data = bytes;
        return ask(*sandbox, QStringLiteral("writeInput"), input).ok();
    }

    GitFixture git;
    QString repository;
    std::unique_ptr<wire::HostProcess> host;
    std::unique_ptr<wire::WireClient> sandbox;
    RepoId repo;
    TaskId task;
    QString workTree;
};

} // namespace foundry::test
