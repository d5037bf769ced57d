#include "tests/world/hungworld.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QStandardPaths>
#include <QTest>

#include <csignal>

namespace foundry::test {

HungWorld::HungWorld()
{
    if (!m_silent.listen(QHostAddress(QHostAddress::LocalHost)))
        qFatal("no port");
    m_silent.pauseAccepting();
    for (const char *name : {"git", "npm", "node"})
        program(QString::fromLatin1(name));
}

void HungWorld::program(const QString &name) const
{
    const QString real = QStandardPaths::findExecutable(name);
    git.write(git.root(), QStringLiteral("bin/") + name,
        QStringLiteral("#!/bin/sh\n[ -e '%1' ] && exec sleep 100000\nexec '%2' \"$@\"\n")
            .arg(git.path(QStringLiteral("hang")), real.isEmpty() ? QStringLiteral("/bin/false") : real)
            .toUtf8(),
        true);
}

void HungWorld::hang()
{
    git.write(git.root(), QStringLiteral("hang"), "");
}

bool HungWorld::start()
{
    const QString path = git.makeRepository(QStringLiteral("project"));
    m_host = std::make_unique<wire::HostProcess>(git.path(QStringLiteral("data")));
    QProcessEnvironment environment = git.environment();
    environment.insert(QStringLiteral("PATH"), git.path(QStringLiteral("bin")) + QLatin1Char(':') + qEnvironmentVariable("PATH"));
    environment.insert(QStringLiteral("FOUNDRY_HUNG_WORLD"), git.root());
    m_host->setEnvironment(environment);
    if (!m_host->start())
        return false;
    if (!ask(organization(), QStringLiteral("addRepository"), {{QStringLiteral("repoId"), repo.value}, {QStringLiteral("path"), path}}))
        return false;
    const bool ready = QTest::qWaitFor(
        [this] { return row<Repository>(organization(), QStringLiteral("organization"), [this](const Repository &one) { return one.id == repo && one.state == RepositoryState::Ready; }).has_value(); },
        30000);
    const QJsonObject agent{{QStringLiteral("agentId"), mute.value}, {QStringLiteral("name"), QStringLiteral("Mute")},
        {QStringLiteral("command"), QStandardPaths::findExecutable(QStringLiteral("sleep"))}, {QStringLiteral("args"), QJsonArray{QStringLiteral("100000")}}};
    return ready && ask(organization(), QStringLiteral("addCustomAgent"), agent).ok();
}

void HungWorld::stopHost()
{
    m_clients.clear();
    m_host->kill(SIGTERM);
}

QString HungWorld::silentUrl() const
{
    return QStringLiteral("http://127.0.0.1:%1/silent.git").arg(m_silent.serverPort());
}

wire::WireClient *HungWorld::client(const QString &actor, const QStringList &key)
{
    auto &known = m_clients[actor + key.join(QLatin1Char('/'))];
    if (!known) {
        known = std::make_unique<wire::WireClient>(m_host->endpoint(), m_host->token());
        if (auto opened = known->open(actor, key); !opened)
            qFatal("%ls %ls: %ls", qUtf16Printable(actor), qUtf16Printable(key.join(QLatin1Char('/'))), qUtf16Printable(opened.error().message));
    }
    return known.get();
}

Result<QByteArray> HungWorld::ask(wire::WireClient *client, const QString &action, QJsonObject args, double *ms)
{
    if (!args.contains(QLatin1StringView("requestId")))
        args.insert(QStringLiteral("requestId"), makeUuid7());
    const QByteArray text = '[' + QJsonDocument(args).toJson(QJsonDocument::Compact) + ']';
    QElapsedTimer clock;
    clock.start();
    auto answer = client->call(action, text, 20000);
    if (ms)
        *ms = double(clock.nsecsElapsed()) / 1e6;
    return answer;
}

HungTask HungWorld::createTask(const QString &prompt, const AgentId &agent)
{
    HungTask made;
    made.repo = repo;
    QJsonObject args{{QStringLiteral("taskId"), made.task.value}, {QStringLiteral("sessionId"), made.session.value}, {QStringLiteral("repoId"), repo.value}, {QStringLiteral("agent"), agent.value}};
    if (!prompt.isEmpty())
        args.insert(QStringLiteral("prompt"), QJsonObject{{QStringLiteral("text"), prompt}});
    if (auto answer = ask(organization(), QStringLiteral("createTask"), args); !answer)
        qFatal("createTask: %ls", qUtf16Printable(answer.error().message));
    return made;
}

std::optional<Session> HungWorld::session(const HungTask &of, const SessionId &id)
{
    return row<Session>(task(of), QStringLiteral("task"), [&id](const Session &one) { return one.id == id; });
}

std::optional<TaskSummary> HungWorld::summary(const HungTask &of)
{
    return row<TaskSummary>(organization(), QStringLiteral("organization"), [&of](const TaskSummary &one) { return one.id == of.task; });
}

QStringList HungWorld::processes() const
{
    QStringList found;
    const QByteArray mark = "FOUNDRY_HUNG_WORLD=" + git.root().toUtf8();
    for (const QString &pid : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs)) {
        if (pid.toLongLong() <= 0)
            continue;
        QFile environment(QStringLiteral("/proc/%1/environ").arg(pid));
        if (!environment.open(QIODevice::ReadOnly) || !environment.readAll().contains(mark))
            continue;
        QFile command(QStringLiteral("/proc/%1/cmdline").arg(pid));
        if (command.open(QIODevice::ReadOnly))
            found.append(pid + QLatin1Char(' ') + QString::fromUtf8(command.readAll().replace('\0', ' ')));
    }
    return found;
}

} // namespace foundry::test
