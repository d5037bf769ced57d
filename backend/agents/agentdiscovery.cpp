#include "backend/agents/agentdiscovery.h"

#include "backend/agents/agenterrors.h"
#include "backend/agents/stdiotransport.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QPointer>
#include <QProcess>
#include <QThread>
#include <QTimer>

namespace foundry::backend {

namespace {

constexpr int discoveryNodeDeadlineMs = 5000;

// Node.js is looked for in the same go.
AgentId discoveryNodeId()
{
    return AgentId(QStringLiteral("node"));
}

} // namespace

QProcessEnvironment agentEnvironment(const AgentRow &row, const QString &program, QProcessEnvironment environment,
    const QString &nodeProgram)
{
    for (auto it = row.environment.constBegin(); it != row.environment.constEnd(); ++it) {
        if (!environment.contains(it.key()))
            environment.insert(it.key(), it.value());
    }
    if (!row.jsonVariable.isEmpty()) {
        QJsonObject merged = QJsonDocument::fromJson(row.jsonDefaults).object();
        const QJsonObject users = QJsonDocument::fromJson(environment.value(row.jsonVariable).toUtf8()).object();
        for (auto it = users.constBegin(); it != users.constEnd(); ++it)
            merged.insert(it.key(), it.value());
        environment.insert(row.jsonVariable, QString::fromUtf8(QJsonDocument(merged).toJson(QJsonDocument::Compact)));
    }
    // npm's programs start with `#!/usr/bin/env node`.
    QStringList path = environment.value(QStringLiteral("PATH")).split(QDir::listSeparator(), Qt::SkipEmptyParts);
    for (const QString &each : {program, nodeProgram}) {
        const QString directory = QFileInfo(each).absolutePath();
        if (!each.isEmpty() && !path.contains(directory))
            path.append(directory);
    }
    environment.insert(QStringLiteral("PATH"), path.join(QDir::listSeparator()));
    return environment;
}

AgentDiscovery::AgentDiscovery(DiscoveryConfig config, QObject *parent)
    : QObject(parent)
    , m_config(std::move(config))
{
}

AgentDiscovery::~AgentDiscovery() = default;

void AgentDiscovery::setConfirmed(const QSet<AgentId> &confirmed)
{
    m_confirmed = confirmed;
}

void AgentDiscovery::setCustomAgents(const QList<AgentRow> &rows)
{
    m_custom = rows;
}

QList<AgentRow> AgentDiscovery::rows() const
{
    return agentCatalogue() + m_custom;
}

std::optional<AgentRow> AgentDiscovery::row(const AgentId &id) const
{
    for (const AgentRow &row : rows()) {
        if (row.id == id)
            return row;
    }
    return std::nullopt;
}

void AgentDiscovery::scan(std::function<void()> done)
{
    if (done)
        (m_scanning ? m_nextDone : m_scanDone).append(std::move(done));
    if (m_scanning) {
        m_scanAgain = true;
        return;
    }
    m_scanning = true;
    m_scanAgain = false;
    // A thread of its own, not the pool's: a lookup that hangs on a dead mount must not take a place from others.
    auto found = std::make_shared<QHash<AgentId, FoundAgent>>();
    QList<AgentRow> sought = rows();
    sought.append(customAgentRow(discoveryNodeId(), QStringLiteral("Node.js"), QStringLiteral("node"), {}));
    auto *worker = QThread::create([config = m_config, sought, found] { *found = lookForAgents(config, sought); });
    connect(worker, &QThread::finished, this, [this, found] { looked(*found); });
    connect(worker, &QThread::finished, worker, &QObject::deleteLater);
    worker->start();
}

void AgentDiscovery::looked(const QHash<AgentId, FoundAgent> &found)
{
    m_found = found;
    m_nodeProgram = m_found.take(discoveryNodeId()).program;
    askNode();
}

void AgentDiscovery::askNode()
{
    m_nodeVersion.clear();
    if (m_nodeProgram.isEmpty()) {
        finishScan();
        return;
    }
    auto *node = new QProcess(this);
    auto *deadline = new QTimer(node);
    deadline->setSingleShot(true);
    connect(deadline, &QTimer::timeout, node, &QProcess::kill);
    const auto ended = [this, node] {
        if (!node->parent())
            return; // told twice: a failed start may come as error and as end
        node->setParent(nullptr);
        const QString said = QString::fromLatin1(node->readAllStandardOutput()).trimmed();
        if (said.startsWith(QLatin1Char('v')))
            m_nodeVersion = said.mid(1);
        node->deleteLater();
        finishScan();
    };
    connect(node, &QProcess::finished, this, ended);
    connect(node, &QProcess::errorOccurred, this, [ended](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            ended();
    });
    node->setProcessEnvironment(m_config.environment);
    node->setProgram(m_nodeProgram);
    node->setArguments({QStringLiteral("--version")});
    deadline->start(discoveryNodeDeadlineMs);
    node->start();
}

void AgentDiscovery::finishScan()
{
    m_scanning = false;
    m_scanned = true;
    const auto waiting = std::exchange(m_scanDone, std::exchange(m_nextDone, {}));
    Q_EMIT agentsFound(agents());
    for (const auto &done : waiting)
        done();
    if (m_scanAgain)
        scan();
}

int AgentDiscovery::nodeMajor() const
{
    return m_nodeVersion.section(QLatin1Char('.'), 0, 0).toInt();
}

// What stands in the way of starting it, beside that nobody confirmed it.
std::optional<Error> AgentDiscovery::obstacle(const AgentRow &row) const
{
    const FoundAgent found = m_found.value(row.id);
    if (found.program.isEmpty()) {
        return found.companion.isEmpty() ? agenterrors::notInstalled(row.name, row.program)
                                         : agenterrors::adapterMissing(row.name, row.install.package);
    }
    if (row.runsFromNodeMajor > 0 && nodeMajor() < row.runsFromNodeMajor)
        return agenterrors::needsNode(row.name, QString::number(row.needsNodeMajor), m_nodeVersion);
    return std::nullopt;
}

Agent AgentDiscovery::describe(const AgentRow &row) const
{
    const FoundAgent found = m_found.value(row.id);
    Agent agent;
    agent.id = row.id;
    agent.name = row.name;
    agent.source = found.source;
    if (!row.install.package.isEmpty())
        agent.install = row.install;
    if (row.needsNodeMajor > 0 && m_scanned && nodeMajor() < row.needsNodeMajor)
        agent.needsNode = QString::number(row.needsNodeMajor);
    if (m_options.contains(row.id))
        agent.lastOptions = m_options.value(row.id);
    if (!found.program.isEmpty())
        agent.detail = found.program;
    if (const auto error = obstacle(row)) {
        agent.detail = error->message + QLatin1Char(' ') + error->action;
        agent.state = error->code == QLatin1StringView("not_installed") ? AgentState::NotInstalled
            : error->code == QLatin1StringView("adapter_missing")       ? AgentState::AdapterMissing
                                                                        : AgentState::Broken;
    } else if (!row.builtin && !m_confirmed.contains(row.id)) {
        agent.state = AgentState::Unconfirmed;
    } else if (const auto noted = m_noted.constFind(row.id); noted != m_noted.constEnd() && noted->program == found.program) {
        agent.state = noted->state;
        if (!noted->detail.isEmpty())
            agent.detail = noted->detail;
    } else {
        agent.state = AgentState::Ready;
    }
    return agent;
}

QList<Agent> AgentDiscovery::agents() const
{
    QList<Agent> all;
    for (const AgentRow &row : rows())
        all.append(describe(row));
    return all;
}

std::optional<Agent> AgentDiscovery::agent(const AgentId &id) const
{
    const auto known = row(id);
    return known ? std::optional<Agent>(describe(*known)) : std::nullopt;
}

void AgentDiscovery::publish(const AgentId &id)
{
    if (const auto value = agent(id))
        Q_EMIT agentChanged(*value);
}

Result<AgentSpec> AgentDiscovery::specFor(const AgentId &id, const QString &workingDirectory) const
{
    const auto known = row(id);
    if (!known)
        return agenterrors::notInstalled(id.value, id.value);
    if (const auto error = obstacle(*known))
        return *error;
    if (!known->builtin && !m_confirmed.contains(id))
        return agenterrors::unconfirmed(known->name);
    const FoundAgent found = m_found.value(id);
    AgentSpec spec;
    spec.agentId = id.value;
    spec.agentName = known->name;
    spec.program = found.program;
    spec.args = known->args;
    spec.environment = agentEnvironment(*known, found.program, m_config.environment, m_nodeProgram);
    spec.workingDirectory = workingDirectory;
    spec.loginHint = known->loginHint;
    return spec;
}

void AgentDiscovery::confirm(const AgentId &id, std::function<void(Result<Agent>)> done)
{
    m_confirmed.insert(id);
    m_noted.remove(id);
    probe(id, std::move(done));
}

void AgentDiscovery::probe(const AgentId &id, std::function<void(Result<Agent>)> done)
{
    if (const auto running = m_probes.value(id)) {
        running->waiting.append(std::move(done));
        return;
    }
    // Not in a work tree: an agent may write where it stands already while it shakes hands.
    const QString folder = m_config.dataDirectory + QStringLiteral("/agents/probe");
    QDir().mkpath(folder);
    const auto spec = specFor(id, folder);
    if (!spec) {
        publish(id);
        done(spec.error());
        return;
    }
    auto running = std::make_shared<Probe>();
    running->waiting.append(std::move(done));
    AcpTimeouts timeouts;
    timeouts.initializeMs = m_config.probeDeadlineMs;
    timeouts.requestMs = m_config.probeDeadlineMs;
    running->client = std::make_unique<AcpClient>(std::make_unique<StdioTransport>(), timeouts);
    m_probes.insert(id, running);
    AcpClient *client = running->client.get();
    client->start(*spec, [this, id, client, folder](const Result<AcpAgentInfo> &info) {
        if (!info) {
            finishProbe(id, info.error());
            return;
        }
        // Whether it needs a login shows only here (measured: codex, gemini), for claude not before the first prompt.
        client->newSession(folder, [this, id](const Result<AcpSession> &session) {
            if (session) {
                AgentOptions options = m_options.value(id);
                options.models = session->models;
                options.modes = session->modes;
                m_options.insert(id, options);
            }
            finishProbe(id, session ? std::nullopt : std::optional<Error>(session.error()));
        });
    });
}

void AgentDiscovery::finishProbe(const AgentId &id, const std::optional<Error> &error)
{
    const auto running = m_probes.take(id);
    const auto known = row(id);
    if (!running || !known)
        return;
    const QString program = m_found.value(id).program;
    if (error) {
        m_noted.insert(id, {error->code == QLatin1StringView("needs_login") ? AgentState::NeedsLogin : AgentState::Broken,
                               error->message + QLatin1Char(' ') + error->action, program});
    } else {
        const QString version = running->client->info().version;
        m_noted.insert(id, {AgentState::Ready, version.isEmpty() ? program : program + QLatin1Char(' ') + version, program});
    }
    // The client is in the middle of a call: end it afterwards, gently, and let it go when it has gone.
    AcpClient *client = running->client.release();
    client->setParent(this);
    connect(client, &AcpClient::ended, client, &QObject::deleteLater);
    if (client->isReady())
        client->stop();
    else if (!client->identity().isValid())
        client->deleteLater();
    const QPointer<AgentDiscovery> self(this);
    publish(id);
    for (const auto &done : running->waiting) {
        if (!self)
            return;
        done(error ? Result<Agent>(*error) : Result<Agent>(describe(*known)));
    }
}

void AgentDiscovery::noteState(const AgentId &id, AgentState state, const QString &detail)
{
    m_noted.insert(id, {state, detail, m_found.value(id).program});
    publish(id);
}

void AgentDiscovery::noteOptions(const AgentId &id, const AgentOptions &options)
{
    if (m_options.value(id) == options)
        return;
    m_options.insert(id, options);
    publish(id);
}

} // namespace foundry::backend
