#include "tests/backend_agents/agentdriver.h"

#include <QFileInfo>
#include <QTest>

namespace foundry::test {

using namespace foundry::backend;

AgentDriver::AgentDriver(AcpTimeouts timeouts, StdioLimits limits)
    : m_client(std::make_unique<AcpClient>(std::make_unique<StdioTransport>(limits), timeouts))
{
    connect(m_client.get(), &AcpClient::update, this, [this](const QString &, const AcpUpdate &update) { updates.append(update); });
    connect(m_client.get(), &AcpClient::permissionRequested, this,
        [this](const QString &id, const AcpPermission &permission) { permissions.append({id, permission}); });
    connect(m_client.get(), &AcpClient::permissionWithdrawn, this,
        [this](const QString &, const QString &requestId) { withdrawn.append(requestId); });
    connect(m_client.get(), &AcpClient::questionAsked, this, [this](const QString &, const QuestionAsk &ask) { questions.append(ask); });
    connect(m_client.get(), &AcpClient::questionWithdrawn, this,
        [this](const QString &, const QString &requestId, bool done) { (done ? questionsDone : withdrawn).append(requestId); });
    connect(m_client.get(), &AcpClient::ended, this, [this](const AgentExit &how, const std::optional<Error> &error) {
        exit = how;
        endError = error;
    });
}

void AgentDriver::start(const QString &program, const QStringList &args, const QString &cwd, const QProcessEnvironment &environment)
{
    AgentSpec spec;
    spec.agentId = QStringLiteral("test");
    spec.agentName = QStringLiteral("Scripted");
    spec.program = program;
    spec.args = args;
    spec.environment = environment;
    spec.workingDirectory = cwd;
    start(spec);
}

void AgentDriver::start(const AgentSpec &spec)
{
    m_client->start(spec, [this](const Result<AcpAgentInfo> &info) { started = info; });
}

bool AgentDriver::open(const QString &cwd)
{
    session.reset();
    m_client->newSession(cwd, [this](const Result<AcpSession> &made) {
        session = made;
        if (made)
            sessionId = made->sessionId;
    });
    return QTest::qWaitFor([this] { return session.has_value(); }, 20000) && session->ok();
}

void AgentDriver::prompt(const QString &text)
{
    turn.reset();
    m_client->prompt(sessionId, {AcpBlock::fromText(text)}, [this](const Result<AcpTurn> &end) { turn = end; });
}

QString AgentDriver::text() const
{
    QString text;
    for (const AgentChunk &chunk : all<AgentChunk>())
        text += chunk.text;
    return text;
}

QString AgentDriver::thought() const
{
    QString text;
    for (const ThoughtChunk &chunk : all<ThoughtChunk>())
        text += chunk.text;
    return text;
}

ToolCall AgentDriver::call(const QString &callId) const
{
    ToolCall last;
    for (const ToolCallUpsert &upsert : all<ToolCallUpsert>()) {
        if (upsert.call.callId == callId)
            last = upsert.call;
    }
    return last;
}

QList<ToolCall> AgentDriver::callsOfKind(const QString &kind) const
{
    QStringList ids;
    for (const ToolCallUpsert &upsert : all<ToolCallUpsert>()) {
        if (!ids.contains(upsert.call.callId))
            ids.append(upsert.call.callId);
    }
    QList<ToolCall> calls;
    for (const QString &id : ids) {
        if (const ToolCall found = call(id); found.kind == kind)
            calls.append(found);
    }
    return calls;
}

QString scriptedAgent()
{
    return qEnvironmentVariable("SCRIPTED_AGENT");
}

} // namespace foundry::test
