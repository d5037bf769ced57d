#include "backend/runner/runneragent.h"

#include "backend/runner/sessionlog.h"
#include "models/types/ids.h"

#include <QDir>
#include <QFileInfo>
#include <QTimer>

namespace foundry::runner {

namespace {

constexpr int agentInvalidRequest = -32600;
constexpr int agentMethodNotFound = -32601;
constexpr int agentInvalidParams = -32602;
constexpr int agentNoSuchResource = -32002;

QJsonArray agentCommands()
{
    QJsonArray commands;
    for (const CommandInfo &info : knownCommands()) {
        QJsonObject command{{QStringLiteral("name"), info.name}, {QStringLiteral("description"), info.description}};
        if (!info.hint.isEmpty())
            command.insert(QStringLiteral("input"), QJsonObject{{QStringLiteral("hint"), info.hint}});
        commands.append(command);
    }
    return commands;
}

} // namespace

RunnerAgent::RunnerAgent(RpcChannel &channel, QObject *parent)
    : QObject(parent)
    , m_channel(channel)
{
    connect(&channel, &RpcChannel::requested, this, &RunnerAgent::onRequest);
    connect(&channel, &RpcChannel::notified, this, [this](const QString &method, const QJsonObject &params) {
        if (method == QLatin1String("session/cancel"))
            cancel(params.value(QStringLiteral("sessionId")).toString());
    });
    connect(&channel, &RpcChannel::closed, this, &RunnerAgent::shutDown);
}

void RunnerAgent::onRequest(const QJsonValue &id, const QString &method, const QJsonObject &params)
{
    if (method == QLatin1String("initialize")) {
        m_channel.respond(id,
            {{QStringLiteral("protocolVersion"), 1},
                {QStringLiteral("agentInfo"),
                    QJsonObject{{QStringLiteral("name"), QStringLiteral("foundry-runner")},
                        {QStringLiteral("title"), QStringLiteral("Built-in runner (no AI model)")},
                        {QStringLiteral("version"), QStringLiteral(FOUNDRY_VERSION)}}},
                {QStringLiteral("agentCapabilities"),
                    QJsonObject{{QStringLiteral("loadSession"), true},
                        {QStringLiteral("promptCapabilities"), QJsonObject{{QStringLiteral("embeddedContext"), true}}},
                        {QStringLiteral("sessionCapabilities"), QJsonObject{{QStringLiteral("close"), QJsonObject()}}}}},
                {QStringLiteral("authMethods"), QJsonArray()}});
        return;
    }
    if (method == QLatin1String("session/new")) {
        open(id, makeUuid7(), params, false);
        return;
    }
    const QString sessionId = params.value(QStringLiteral("sessionId")).toString();
    if (method == QLatin1String("session/load")) {
        if (!SessionLog::exists(sessionId))
            m_channel.refuse(id, agentNoSuchResource, QStringLiteral("There is no such session"));
        else
            open(id, sessionId, params, true);
        return;
    }
    const auto live = m_sessions.find(sessionId);
    if (method != QLatin1String("session/prompt") && method != QLatin1String("session/close")) {
        m_channel.refuse(id, agentMethodNotFound, QStringLiteral("Method not found: ") + method);
    } else if (live == m_sessions.end()) {
        m_channel.refuse(id, agentNoSuchResource, QStringLiteral("There is no such session"));
    } else if (live->second.turn) {
        m_channel.refuse(id, agentInvalidRequest, QStringLiteral("A turn runs in this session"));
    } else if (method == QLatin1String("session/close")) {
        m_sessions.erase(live);
        m_channel.respond(id, {});
    } else {
        prompt(id, live->second, params.value(QStringLiteral("prompt")).toArray());
    }
}

void RunnerAgent::open(const QJsonValue &id, const QString &sessionId, const QJsonObject &params, bool replay)
{
    const QString cwd = params.value(QStringLiteral("cwd")).toString();
    if (!QDir::isAbsolutePath(cwd) || !QFileInfo(cwd).isDir()) {
        m_channel.refuse(id, agentInvalidParams, QStringLiteral("cwd must be an absolute path of a folder that is there"));
        return;
    }
    Live &live = m_sessions[sessionId];
    if (live.turn) {
        m_channel.refuse(id, agentInvalidRequest, QStringLiteral("A turn runs in this session"));
        return;
    }
    live.state.id = sessionId;
    live.state.root = QFileInfo(cwd).canonicalFilePath();
    live.state.log = std::make_shared<SessionLog>(sessionId);
    const auto tell = [this, sessionId](const QJsonObject &update) {
        m_channel.notify(QStringLiteral("session/update"), {{QStringLiteral("sessionId"), sessionId}, {QStringLiteral("update"), update}});
    };
    if (replay) {
        live.state.log->replay(tell);
        m_channel.respond(id, {});
    } else {
        m_channel.respond(id, {{QStringLiteral("sessionId"), sessionId}});
    }
    tell({{QStringLiteral("sessionUpdate"), QStringLiteral("available_commands_update")}, {QStringLiteral("availableCommands"), agentCommands()}});
}

void RunnerAgent::prompt(const QJsonValue &id, Live &live, const QJsonArray &blocks)
{
    QStringList text;
    for (const auto &block : blocks) {
        if (block[QStringLiteral("type")].toString() == QLatin1String("text"))
            text.append(block[QStringLiteral("text")].toString());
    }
    live.promptId = id;
    live.turn = std::make_unique<Turn>(m_channel, live.state);
    const QString sessionId = live.state.id;
    connect(live.turn.get(), &Turn::finished, this, [this, sessionId](const QString &reason) { turnEnded(sessionId, reason); });
    live.turn->start(text.join(QLatin1Char('\n')));
}

void RunnerAgent::cancel(const QString &sessionId)
{
    const auto live = m_sessions.find(sessionId);
    if (live != m_sessions.end() && live->second.turn)
        live->second.turn->cancel();
}

void RunnerAgent::turnEnded(const QString &sessionId, const QString &stopReason)
{
    const auto live = m_sessions.find(sessionId);
    if (live == m_sessions.end())
        return;
    live->second.turn.release()->deleteLater();
    m_channel.respond(live->second.promptId, {{QStringLiteral("stopReason"), stopReason}});
    if (m_leaving)
        shutDown();
}

void RunnerAgent::shutDown()
{
    m_leaving = true;
    bool busy = false;
    for (auto &[id, live] : m_sessions) {
        if (!live.turn)
            continue;
        busy = true;
        live.turn->cancel();
    }
    if (!busy)
        QTimer::singleShot(0, this, &RunnerAgent::ended);
}

} // namespace foundry::runner
