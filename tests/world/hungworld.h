// A real host in a world that stops answering: git, npm and node on PATH that sleep, an agent that never says a word, a
// port that accepts and stays silent. Waits: tests only.
#pragma once

#include "realtime/protocol/codec.h"
#include "tests/support/gitfixture.h"
#include "tests/wire/hostprocess.h"
#include "tests/wire/wireclient.h"

#include <QJsonObject>
#include <QTcpServer>

#include <map>
#include <memory>

namespace foundry::test {

// Names in the order of the contract's key.
struct HungTask {
    TaskId task = makeId<TaskId>();
    SessionId session = makeId<SessionId>();
    RepoId repo;
    QStringList key() const { return {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("task"), repo.value, task.value}; }
    QStringList sandbox() const { return {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), task.value}; }
};

class HungWorld {
public:
    HungWorld();

    GitFixture git;
    RepoId repo = makeId<RepoId>();
    AgentId mute = AgentId(QStringLiteral("mute"));

    // The host runs, with a ready repository and an agent that never answers.
    bool start();
    // From here on everything outside hangs.
    void hang();
    void stopHost();
    bool isRunning() const { return m_host->isRunning(); }

    wire::WireClient *client(const QString &actor, const QStringList &key);
    wire::WireClient *organization() { return client(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}); }
    wire::WireClient *task(const HungTask &task) { return client(QStringLiteral("task"), task.key()); }

    Result<QByteArray> ask(wire::WireClient *client, const QString &action, QJsonObject args, double *ms = nullptr);
    HungTask createTask(const QString &prompt, const AgentId &agent);
    template <class T>
    std::optional<T> row(wire::WireClient *client, const QString &topic, const std::function<bool(const T &)> &wanted)
    {
        ChangesSince since;
        since.topic = topic;
        auto answer = client->call(QStringLiteral("changesSince"), protocol::encodeArgs(since));
        auto page = answer ? protocol::decodeChangesPage(*answer) : Result<ChangesPage>(answer.error());
        if (!page)
            return std::nullopt;
        for (const Entity &entity : page->upserts) {
            const auto *value = std::get_if<T>(&entity);
            if (value && wanted(*value))
                return *value;
        }
        return std::nullopt;
    }
    std::optional<Session> session(const HungTask &of, const SessionId &id);
    std::optional<TaskSummary> summary(const HungTask &of);
    QString silentUrl() const;
    // Programs that this world's host started and that still run, its own ones included.
    QStringList processes() const;

private:
    void program(const QString &name) const;

    QTcpServer m_silent; // the kernel accepts for it; it never reads
    std::unique_ptr<wire::HostProcess> m_host;
    std::map<QString, std::unique_ptr<wire::WireClient>> m_clients;
};

} // namespace foundry::test
