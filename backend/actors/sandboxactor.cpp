#include "backend/actors/sandboxactor.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/messagejson.h"
#include "backend/actors/stageplan.h"
#include "backend/store/database.h"
#include "backend/workflows/crashpoint.h"

#include <QLoggingCategory>

#include <algorithm>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcSandbox, "foundry.actors.sandbox")

SandboxActor::SandboxActor(ActorContext &context, SandboxActorConfig config)
    : Actor(context)
    , m_config(std::move(config))
    , m_blobs(m_config.blobRoot)
    , m_flow(context.generation())
    , m_flowTimer(new QTimer(context.owner()))
    , m_reaper(new ProcessReaper(context.owner()))
    , m_desk(context, processDeskConfig())
{
    m_flowTimer->setInterval(1000);
    QObject::connect(m_flowTimer, &QTimer::timeout, m_flowTimer,
        [this] { this->context().stream(task(), QStringLiteral("flowAsked"), encodeStreamMark(m_flow.at())); });
}

SandboxActor::~SandboxActor() = default;

QStringList SandboxActor::migrations() const
{
    return {QStringLiteral(
        "CREATE TABLE record (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE agent_processes (agent TEXT PRIMARY KEY, identity TEXT NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE agent_sessions (session TEXT PRIMARY KEY, agent TEXT NOT NULL, acp_session TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE delivered_turns (turn TEXT PRIMARY KEY, session TEXT NOT NULL, ended INTEGER NOT NULL, at INTEGER NOT NULL)"
        " WITHOUT ROWID;"),
        ProcessDesk::schema()};
}

ActorAddress SandboxActor::task() const
{
    return taskAddress(m_creation->organization, m_creation->repo, m_creation->task);
}

void SandboxActor::write(const std::function<Result<>(Transaction &)> &body)
{
    auto written = context().transaction([&](Transaction &tx) -> Result<> {
        if (auto done = body(tx); !done)
            return done;
        noteWake(tx);
        return Unit{};
    });
    if (!written)
        qCWarning(lcSandbox, "a sandbox could not write: %ls", qUtf16Printable(written.error().message));
}

void SandboxActor::started()
{
    const auto value = [this](const QString &key) {
        auto q = context().database().query("SELECT value FROM record WHERE key = ?", key);
        return q.next() ? q.bytes(0) : QByteArray();
    };
    const QByteArray creation = value(QStringLiteral("creation"));
    if (creation.isEmpty())
        return;
    if (auto read = decodeSandboxCreation(creation))
        m_creation = *read;
    else
        return;
    m_provider = makeProvider(m_creation->provider);
    const QJsonObject handle = QJsonDocument::fromJson(value(QStringLiteral("handle"))).object();
    m_handle.provider = handle.value(QLatin1StringView("provider")).toString();
    m_handle.place = handle.value(QLatin1StringView("place")).toString();
    m_handle.workTree = handle.value(QLatin1StringView("workTree")).toString();
    m_handle.branch = handle.value(QLatin1StringView("branch")).toString();
    m_handle.head = handle.value(QLatin1StringView("head")).toString();
    m_isClosed = !value(QStringLiteral("closed")).isEmpty();
    m_desk.started();
    write([this](Transaction &tx) -> Result<> {
        tellUsage(tx); // agents of an earlier run are gone
        return Unit{};
    });
    endOrphans();
}

// Processes of an earlier run of the host: ended before anything else happens here; then their turns are cut.
void SandboxActor::endOrphans()
{
    QList<QPair<QString, QString>> orphans;
    {
        auto q = context().database().query("SELECT agent, identity FROM agent_processes WHERE generation != ?", context().generation());
        while (q.next())
            orphans.append({q.text(0), q.text(1)});
    }
    bool hasCutTurns = false;
    {
        auto q = context().database().query("SELECT EXISTS(SELECT 1 FROM delivered_turns WHERE ended = 0)");
        hasCutTurns = q.next() && q.flag(0);
    }
    if (orphans.isEmpty()) {
        if (hasCutTurns)
            orphansGone({}, std::nullopt);
        return;
    }
    m_orphans = int(orphans.size());
    auto agents = std::make_shared<QStringList>();
    auto failure = std::make_shared<std::optional<Error>>();
    for (const auto &[agent, identity] : std::as_const(orphans)) {
        m_reaper->reap(ProcessIdentity::fromText(identity), [this, agents, failure, agent = agent](Result<ReapOutcome> outcome) {
            if (outcome)
                agents->append(agent);
            else
                *failure = outcome.error();
            if (--m_orphans == 0)
                orphansGone(*agents, *failure);
        });
    }
}

void SandboxActor::orphansGone(const QStringList &agents, const std::optional<Error> &error)
{
    write([&](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        QList<QPair<QString, QString>> turns;
        {
            auto q = tx.database().query("SELECT turn, session FROM delivered_turns WHERE ended = 0");
            while (q.next())
                turns.append({q.text(0), q.text(1)});
        }
        for (const auto &[turn, session] : std::as_const(turns)) {
            TurnReport report;
            report.turn = turn;
            report.session.value = session;
            report.stopReason = QStringLiteral("interrupted");
            tx.send(task(), QStringLiteral("turnEnded"), encodeTurnReport(report));
        }
        tx.database().run("UPDATE delivered_turns SET ended = 1 WHERE ended = 0");
        for (const QString &agent : agents) {
            tx.database().run("DELETE FROM agent_processes WHERE agent = ?", agent);
            AgentLost lost;
            lost.agent.value = agent;
            lost.byRestart = true;
            tx.send(task(), QStringLiteral("agentLost"), encodeAgentLost(lost));
        }
        return Unit{};
    });
    if (error)
        qCWarning(lcSandbox, "an agent of an earlier run is still there: %ls", qUtf16Printable(error->message));
    for (const auto &then : std::exchange(m_afterOrphans, {}))
        then();
    somethingStopped();
}

void SandboxActor::registerActions(ActionTable &table)
{
    m_desk.registerActions(table, [this] { return processRoot(); });
}

bool SandboxActor::works() const
{
    const auto hasTurn = [](const auto &live) { return !live.second.turn.isEmpty(); };
    const auto isComing = [](const auto &process) {
        return !process.second.startingStage.isEmpty() || !process.second.readyStage.isEmpty();
    };
    return m_placeOrder || !m_operations.isEmpty() || m_orphans > 0 || m_desk.isBusy() || std::any_of(m_live.begin(), m_live.end(), hasTurn)
        || std::any_of(m_processes.begin(), m_processes.end(), isComing);
}

bool SandboxActor::holds() const
{
    return works() || !m_processes.empty() || m_measuring > 0;
}

void SandboxActor::stopping(StopReason reason)
{
    m_desk.stopping(reason);
    // The processes end with their clients, which belong to the context's owner; the rows stay, so that the next start
    // cuts the turns that ran and says so.
    for (auto &[agent, process] : m_processes) {
        if (process.client)
            process.client->disconnect();
    }
    m_processes.clear();
    m_live.clear();
    m_placeOrders.clear();
    m_placeOrder.reset();
    m_opening.clear();
}

Result<> SandboxActor::received(Transaction &tx, const Send &send)
{
    if (send.name == QLatin1StringView("create")) {
        auto creation = decodeSandboxCreation(send.json);
        return creation ? create(tx, *creation) : Result<>(creation.error());
    }
    if (!m_creation)
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("A sandbox that was not created got the message “%1”.").arg(send.name));
    if (send.name == QLatin1StringView("runStage") || send.name == QLatin1StringView("abandonStage")) {
        auto run = decodeRunStage(send.json);
        if (!run)
            return run.error();
        const bool abandon = send.name == QLatin1StringView("abandonStage");
        tx.afterCommit([this, run = *run, abandon] {
            if (abandon)
                abandonStage(run);
            else if (m_orphans > 0)
                m_afterOrphans.append([this, run] { runStage(run); });
            else
                runStage(run);
        });
        return Unit{};
    }
    if (send.name == QLatin1StringView("retire")) {
        tx.setRetired(QJsonDocument::fromJson(send.json).object().value(QLatin1StringView("retired")).toBool());
        return Unit{};
    }
    if (send.name == QLatin1StringView("erase")) {
        tx.setErased();
        return Unit{};
    }
    if (Result<> outcome = Unit{}; receivedPlaceOrder(tx, send, &outcome))
        return outcome;
    if (send.name == QLatin1StringView("prompt")) {
        auto deliver = decodeDeliverPrompt(send.json);
        return deliver ? prompt(tx, *deliver) : Result<>(deliver.error());
    }
    if (send.name == QLatin1StringView("answerPermission")) {
        auto answer = decodePermissionAnswer(send.json);
        if (!answer)
            return answer.error();
        tx.afterCommit([this, answer = *answer] { answerPermission(answer); });
        return Unit{};
    }
    if (send.name == QLatin1StringView("answerQuestion")) {
        auto answer = decodeQuestionAnswer(send.json);
        if (!answer)
            return answer.error();
        tx.afterCommit([this, answer = *answer] { answerQuestion(answer); });
        return Unit{};
    }
    auto request = decodeSessionRequest(send.json);
    if (!request)
        return request.error();
    if (send.name == QLatin1StringView("cancelTurn")) {
        tx.afterCommit([this, request = *request] {
            const auto live = m_live.find(request.session.value);
            if (live != m_live.end() && live->second.turn == request.turn) {
                if (AcpClient *client = clientOf(live->second.agent))
                    client->cancel(live->second.acp.sessionId);
            }
        });
        return Unit{};
    }
    if (send.name == QLatin1StringView("closeSession")) {
        tx.database().run("DELETE FROM agent_sessions WHERE session = ?", request->session.value);
        tx.afterCommit([this, request = *request] { closeSession(request); });
        return Unit{};
    }
    if (send.name == QLatin1StringView("setMode") || send.name == QLatin1StringView("setModel")
        || send.name == QLatin1StringView("setOption")) {
        tx.afterCommit([this, name = send.name, request = *request] { changeSetting(name, request); });
        return Unit{};
    }
    return Actor::received(tx, send);
}

Result<> SandboxActor::create(Transaction &tx, const SandboxCreation &creation)
{
    if (m_creation)
        return Unit{};
    auto provider = makeProvider(creation.provider);
    if (auto stored = tx.database().run("INSERT OR REPLACE INTO record (key, value) VALUES ('creation', ?)", encodeSandboxCreation(creation)); !stored)
        return stored;
    tx.onRollback([this] {
        m_creation.reset();
        m_provider.reset();
    });
    m_creation = creation;
    m_provider = std::move(provider);
    return Unit{};
}

std::unique_ptr<SandboxProvider> SandboxActor::makeProvider(const QString &name) const
{
    const auto known = m_config.providers.find(name);
    return known == m_config.providers.end() ? nullptr : known->second();
}

Error SandboxActor::unknownProvider() const
{
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("unknown_provider"),
        QStringLiteral("This host has no sandboxes of the kind “%1”.").arg(m_creation->provider),
        QStringLiteral("Start the task with the provider “worktree”."));
}

void SandboxActor::runStage(const RunStage &run)
{
    if (m_isClosed) {
        failStage(run.stage, run.attempt,
            makeError(QLatin1StringView("state"), QLatin1StringView("archived"), QStringLiteral("The task was put away."),
                QStringLiteral("Bring it back, then retry from here.")));
        return;
    }
    const QString workflow = stageWorkflow(run.stage);
    const QString step = stageStep(run.stage);
    if (workflow == sandboxWorkflow())
        runPlaceStage(run);
    else if (step == QLatin1StringView("agent_starting"))
        startAgent(run);
    else if (step == QLatin1StringView("agent_ready"))
        awaitAgent(run);
    else if (step == QLatin1StringView("session_creating"))
        createSession(run);
    else if (step == QLatin1StringView("ready"))
        applySettings(run);
    else
        failStage(run.stage, run.attempt,
            makeError(QLatin1StringView("internal"), QLatin1StringView("unknown_stage"),
                QStringLiteral("This host does not know the stage “%1”.").arg(run.stage)));
}

void SandboxActor::runPlaceStage(const RunStage &run)
{
    auto known = m_operations.find(run.stage);
    if (known != m_operations.end()) {
        if (known->attempt == run.attempt && !known->abandoned) { // asked again after a restart of the other side: it is being done
            if (!known->waits.isEmpty())
                context().stream(task(), QStringLiteral("stageProgress"), encodeStageProgress({run.stage, run.attempt, known->waits, {}, true}));
            return;
        }
        known->next = run;
        if (known->running)
            known->running->cancel();
        return;
    }
    if (!m_provider) {
        failStage(run.stage, run.attempt, unknownProvider());
        return;
    }
    SandboxSpec spec;
    spec.organization = m_creation->organization;
    spec.repo = m_creation->repo;
    spec.task = m_creation->task;
    spec.repository = run.repositoryPath;
    spec.branch = run.branch;
    spec.baseBranch = run.baseBranch;
    spec.adopt = run.adopt;
    const int deadline = run.deadlineMs > 0 ? int(qMin<qint64>(run.deadlineMs, 24 * 3600 * 1000)) : 3600 * 1000;
    const auto done = [this, run](Result<SandboxHandle> result) { placeStageEnded(run, result); };
    const auto checked = [this, done](Result<Unit> result) {
        done(result ? Result<SandboxHandle>(m_handle) : Result<SandboxHandle>(result.error()));
    };
    SandboxOperation *operation = nullptr;
    const QString step = stageStep(run.stage);
    // An earlier stage that was begun again after a restart, while word of its first end was under way: nobody waits for it
    // any more, and what it brings is older than what is known.
    for (auto it = m_operations.begin(); it != m_operations.end(); ++it) {
        if (stageWorkflow(it.key()) == sandboxWorkflow())
            it->abandoned = true;
    }
    crashBefore(QStringLiteral("effect ") + step);
    m_operations.insert(run.stage, Operation{run.attempt, nullptr});
    if (step == QLatin1StringView("branch_attach"))
        operation = m_provider->attachBranch(spec, deadline, context().owner(), checked);
    else if (step == QLatin1StringView("sandbox_allocated"))
        operation = m_provider->allocate(spec, deadline, context().owner(), done);
    else
        return preparePlace(
            spec, deadline, [this, run](SandboxOperation *begun) { followStage(run, begun); },
            [this, run] {
                const auto under = m_operations.constFind(run.stage);
                return under != m_operations.cend() && !under->abandoned && !under->next;
            },
            done);
    followStage(run, operation);
}

// After its place was given back a task needs another one before there is anything to prepare.
void SandboxActor::preparePlace(const SandboxSpec &spec, int deadlineMs, const std::function<void(SandboxOperation *)> &follow,
    const std::function<bool()> &stillWanted, const SandboxDone<SandboxHandle> &done)
{
    if (!m_handle.place.isEmpty())
        return follow(m_provider->prepare(spec, m_handle, deadlineMs, context().owner(), done));
    follow(m_provider->allocate(spec, deadlineMs, context().owner(), [this, spec, deadlineMs, follow, stillWanted, done](Result<SandboxHandle> handle) {
        if (!handle)
            return done(handle);
        if (!stillWanted())
            return done(makeError(QLatin1StringView("sandbox"), QLatin1StringView("cancelled"), QStringLiteral("Cancelled.")));
        m_handle = *handle;
        write([this](Transaction &tx) -> Result<> {
            keepHandle(tx);
            return Unit{};
        });
        follow(m_provider->prepare(spec, m_handle, deadlineMs, context().owner(), done));
    }));
}

void SandboxActor::followStage(const RunStage &run, SandboxOperation *operation)
{
    m_operations[run.stage].running = operation;
    QObject::connect(operation, &SandboxOperation::progress, context().owner(), [this, run, last = QString()](double fraction, const QString &text) mutable {
        // A new line only for new words: progress may come many times a second.
        const QString log = text == last ? QString() : text + QLatin1Char('\n');
        last = text;
        StageProgress progress{run.stage, run.attempt, QStringLiteral("%1 (%2 %)").arg(text).arg(int(fraction * 100)), log};
        context().stream(task(), QStringLiteral("stageProgress"), encodeStageProgress(progress));
    });
    QObject::connect(operation, &SandboxOperation::waiting, context().owner(), [this, run](bool waits, const QString &text) {
        if (const auto waiting = m_operations.find(run.stage); waiting != m_operations.end())
            waiting->waits = waits ? text : QString();
        context().stream(task(), QStringLiteral("stageProgress"), encodeStageProgress({run.stage, run.attempt, text, text + QLatin1Char('\n'), waits}));
    });
}

void SandboxActor::placeStageEnded(const RunStage &run, const Result<SandboxHandle> &result)
{
    crashAfter(QStringLiteral("effect ") + stageStep(run.stage));
    const Operation over = m_operations.take(run.stage);
    if (over.next) {
        runPlaceStage(*over.next);
        return;
    }
    if (over.abandoned) {
        somethingStopped();
        return;
    }
    if (!result) {
        failStage(run.stage, run.attempt, result.error());
        return;
    }
    m_handle = *result;
    m_placeKnown = stageStep(run.stage) == QLatin1StringView("repo_prepared");
    StageEnded ended;
    ended.stage = run.stage;
    ended.attempt = run.attempt;
    ended.workTree = m_handle.workTree;
    ended.head = m_handle.head;
    const QString step = stageStep(run.stage);
    ended.message = step == QLatin1StringView("repo_prepared") ? QStringLiteral("Work tree on branch %1").arg(m_handle.branch)
        : step == QLatin1StringView("sandbox_allocated")       ? m_handle.place
                                                               : QStringLiteral("The branch is there");
    write([&](Transaction &tx) -> Result<> {
        keepHandle(tx);
        tx.send(task(), QStringLiteral("stageEnded"), encodeStageEnded(ended));
        return Unit{};
    });
    if (m_placeKnown)
        measure();
}

void SandboxActor::abandonStage(const RunStage &run)
{
    const auto known = m_operations.find(run.stage);
    if (known != m_operations.end() && known->attempt == run.attempt) {
        known->abandoned = true;
        if (known->running)
            known->running->cancel();
        return;
    }
    // An agent that does not come up, or does not answer, is ended; its stage has been told already.
    if (run.stage.startsWith(QLatin1StringView("agent:"))) {
        const auto process = m_processes.find(stageWorkflow(run.stage).mid(6));
        if (process != m_processes.end() && process->second.client) {
            process->second.startingStage.clear();
            process->second.readyStage.clear();
            // The next attempt must wait for its end, not take it for a running one.
            process->second.failure = makeError(QLatin1StringView("agent"), QLatin1StringView("cancelled"),
                QStringLiteral("%1 was stopped while it came up.").arg(process->second.launch.name), QStringLiteral("Retry from here to start it again."));
            process->second.client->stop(true);
        }
    }
}

void SandboxActor::endStage(const StageEnded &ended)
{
    write([&](Transaction &tx) -> Result<> {
        tx.send(task(), QStringLiteral("stageEnded"), encodeStageEnded(ended));
        return Unit{};
    });
}

void SandboxActor::failStage(const QString &stage, qint64 attempt, const Error &error)
{
    StageEnded ended;
    ended.stage = stage;
    ended.attempt = attempt;
    ended.error = error;
    endStage(ended);
}

} // namespace foundry::backend
