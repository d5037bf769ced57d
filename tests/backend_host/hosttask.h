// A repository and tasks of a real host, driven over its socket: what the tests of the host as a process share. Waits.
#pragma once

#include "realtime/protocol/codec.h"
#include "tests/wire/hostprocess.h"
#include "tests/wire/wireclient.h"

#include <QTcpSocket>

namespace foundry::test {

struct HostTask {
    RepoId repo = makeId<RepoId>();
    TaskId task = makeId<TaskId>();
    SessionId session = makeId<SessionId>();
    QStringList key() const
    {
        return {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("task"), repo.value, task.value};
    }
};

// A command with a request id of its own.
template <class Command>
Result<QByteArray> ask(wire::WireClient &client, const QString &action, Command command)
{
    if (command.requestId.isEmpty())
        command.requestId = makeId<RequestId>();
    return client.call(action, protocol::encodeArgs(command));
}

// The stored rows of one type, all pages.
template <class T>
QList<T> rowsOf(wire::WireClient &client, const QString &topic)
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

Result<std::unique_ptr<wire::WireClient>> openOrganization(const wire::HostProcess &host);
Result<std::unique_ptr<wire::WireClient>> openTask(const wire::HostProcess &host, const HostTask &ids);
// Adds the repository and waits until it is ready.
Result<> addRepository(const wire::HostProcess &host, const RepoId &repo, const QString &path);
CreateTask newTask(const HostTask &ids, const QString &prompt);
std::optional<Session> sessionOf(wire::WireClient &task, const SessionId &id);
// "idle", "running", …; empty when there is no such session.
QString sessionStatus(wire::WireClient &task, const SessionId &id);

// What a process holds, from /proc: its memory, and which of the actors' databases are open.
double residentMB(qint64 pid);
QStringList openDatabases(qint64 pid, const QString &dataDir);

// A socket of plain bytes to the host, and the request that turns it into a WebSocket of the organization.
std::unique_ptr<QTcpSocket> rawSocket(const wire::HostProcess &host);
QByteArray upgradeRequest(const wire::HostProcess &host);

} // namespace foundry::test
