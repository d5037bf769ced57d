// A real foundry-host with a repository and scripted agents, spoken to over its socket. Blocking: tests only.
#pragma once

#include "realtime/protocol/codec.h"
#include "tests/support/customagent.h"
#include "tests/support/gitfixture.h"
#include "tests/wire/hostprocess.h"
#include "tests/wire/wireclient.h"

#include <QFile>
#include <QTest>

#include <csignal>
#include <memory>

namespace foundry::test {

class HostWorld {
public:
    GitFixture git;
    RepoId repo = makeId<RepoId>();
    TaskId task = makeId<TaskId>();
    SessionId session = makeId<SessionId>();
    std::unique_ptr<wire::HostProcess> host;
    std::unique_ptr<wire::WireClient> organization;
    std::unique_ptr<wire::WireClient> client; // of the task

    // What is wrong, or nothing.
    QString start()
    {
        if (m_repository.isEmpty())
            m_repository = git.makeRepository(QStringLiteral("project"));
        host = std::make_unique<wire::HostProcess>(git.path(QStringLiteral("data")));
        QProcessEnvironment environment = git.environment();
        for (auto it = m_environment.cbegin(); it != m_environment.cend(); ++it)
            environment.insert(it.key(), it.value());
        host->setEnvironment(environment);
        if (auto started = host->start(); !started)
            return started.error().message;
        organization = std::make_unique<wire::WireClient>(host->endpoint(), host->token());
        auto opened = organization->open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")});
        return opened ? QString() : opened.error().message;
    }
    void setEnvironment(const QString &name, const QString &value) { m_environment.insert(name, value); }
    void killHost()
    {
        client.reset();
        organization.reset();
        host->kill(SIGKILL);
        host.reset();
    }
    QString openTask()
    {
        client = std::make_unique<wire::WireClient>(host->endpoint(), host->token());
        auto opened = client->open(QStringLiteral("task"),
            {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("task"), repo.value, task.value});
        return opened ? QString() : opened.error().message;
    }

    template <class Command>
    Result<QByteArray> ask(wire::WireClient &at, const QString &action, Command command)
    {
        if (command.requestId.isEmpty())
            command.requestId = makeId<RequestId>();
        return at.call(action, protocol::encodeArgs(command));
    }
    template <class T>
    QList<T> rows(wire::WireClient &at, const QString &topic)
    {
        QList<T> found;
        ChangesSince since;
        since.topic = topic;
        auto answer = at.call(QStringLiteral("changesSince"), protocol::encodeArgs(since));
        auto page = answer ? protocol::decodeChangesPage(*answer) : Result<ChangesPage>(answer.error());
        if (!page)
            return found;
        for (const Entity &entity : page->upserts) {
            if (const auto *value = std::get_if<T>(&entity))
                found.append(*value);
        }
        return found;
    }
    // The last entries of a session, at most a page.
    TranscriptPage transcript(const SessionId &of)
    {
        GetTranscript asked;
        asked.sessionId = of;
        auto answer = client->call(QStringLiteral("getTranscript"), protocol::encodeArgs(asked));
        auto page = answer ? protocol::decodeValue<TranscriptPage>(*answer) : Result<TranscriptPage>(answer.error());
        return page ? *page : TranscriptPage{};
    }
    int count(const SessionId &of, EntryKind kind)
    {
        const auto entries = transcript(of).entries;
        return int(std::count_if(entries.begin(), entries.end(), [kind](const TranscriptEntry &entry) { return entry.kind == kind; }));
    }
    SessionStatus status(const SessionId &of)
    {
        for (const Session &row : rows<Session>(*client, QStringLiteral("task"))) {
            if (row.id == of)
                return row.status.valueOr(SessionStatus::Error);
        }
        return SessionStatus::PendingProvision;
    }
    bool waitForStatus(const SessionId &of, SessionStatus wanted, int ms = 30000)
    {
        const bool came = QTest::qWaitFor([&] { return status(of) == wanted; }, ms);
        if (came)
            return true;
        for (const Session &row : rows<Session>(*client, QStringLiteral("task")))
            qWarning("%ls is %ls: %ls", qUtf16Printable(row.id.value), qUtf16Printable(row.status.text()),
                qUtf16Printable(row.error ? row.error->message + row.error->detail : QString()));
        return false;
    }

    bool addRepository()
    {
        AddRepository add;
        add.repoId = repo;
        add.path = m_repository;
        return ask(*organization, QStringLiteral("addRepository"), add).ok()
            && QTest::qWaitFor(
                [&] {
                    const auto known = rows<Repository>(*organization, QStringLiteral("organization"));
                    return !known.isEmpty() && known.first().state == RepositoryState::Ready;
                },
                20000);
    }
    // The scripted agent in a mode.
    AgentId addAgent(const QString &mode)
    {
        const AddCustomAgent add = scriptedAgent(mode);
        return ask(*organization, QStringLiteral("addCustomAgent"), add) ? add.agentId : AgentId();
    }
    // With its first session; opens it.
    QString createTask(const AgentId &agent, const QString &prompt)
    {
        CreateTask create;
        create.taskId = task;
        create.sessionId = session;
        create.repoId = repo;
        if (!prompt.isEmpty())
            create.prompt = Prompt{prompt};
        create.agent = agent;
        if (auto made = ask(*organization, QStringLiteral("createTask"), create); !made)
            return made.error().message;
        return openTask();
    }
    Result<QByteArray> send(const SessionId &to, const QString &text)
    {
        SendMessage message;
        message.queueId = makeId<QueueId>();
        message.sessionId = to;
        message.prompt.text = text;
        return ask(*client, QStringLiteral("sendMessage"), message);
    }
    // "VmRSS" or "VmHWM" (the most ever) of the host, bytes.
    qint64 memory(const char *field) const
    {
        QFile status(QStringLiteral("/proc/%1/status").arg(host->pid()));
        if (!status.open(QIODevice::ReadOnly))
            return 0;
        for (const QByteArray &line : status.readAll().split('\n')) {
            if (line.startsWith(field))
                return line.mid(qsizetype(qstrlen(field)) + 1).simplified().split(' ').first().toLongLong() * 1024;
        }
        return 0;
    }

private:
    QString m_repository;
    QMap<QString, QString> m_environment;
};

} // namespace foundry::test
