#include "tests/backend_host/hosttask.h"

#include "backend/actors/actorregistry.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHostAddress>
#include <QNetworkProxy>
#include <QTest>

#include <unistd.h>

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

double residentMB(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/statm").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    return file.readAll().split(' ').value(1).toDouble() * double(::sysconf(_SC_PAGESIZE)) / 1e6;
}

QStringList openDatabases(qint64 pid, const QString &dataDir)
{
    QStringList open;
    const QString folder = QStringLiteral("/proc/%1/fd").arg(pid);
    const QString actors = QDir(dataDir).canonicalPath() + QStringLiteral("/actors/");
    for (const QString &name : QDir(folder).entryList(QDir::Files | QDir::System)) {
        const QString target = QFile::symLinkTarget(folder + QLatin1Char('/') + name);
        if (target.startsWith(actors) && target.endsWith(QLatin1StringView(".sqlite")))
            open.append(QFileInfo(target).completeBaseName());
    }
    return open;
}

std::unique_ptr<QTcpSocket> rawSocket(const wire::HostProcess &host)
{
    auto socket = std::make_unique<QTcpSocket>();
    socket->setProxy(QNetworkProxy::NoProxy);
    const QUrl url(host.endpoint());
    socket->connectToHost(QHostAddress(url.host()), quint16(url.port()));
    (void)QTest::qWaitFor([&] { return socket->state() == QAbstractSocket::ConnectedState; }, 5000);
    return socket;
}

QByteArray upgradeRequest(const wire::HostProcess &host)
{
    const QUrl url(host.endpoint());
    const QString id = backend::actorIdOf({QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}});
    return "GET /gateway/" + id.toLatin1() + '@' + host.token().toLatin1() + "/connect HTTP/1.1\r\nHost: " + url.authority().toLatin1()
        + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rivet\r\n\r\n";
}

} // namespace foundry::test
