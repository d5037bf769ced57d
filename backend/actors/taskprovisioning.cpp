#include "backend/actors/taskprovisioning.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/messagejson.h"
#include "backend/git/branchname.h"

namespace foundry::backend {

namespace {

SessionId sessionOfWorkflow(const QString &workflow)
{
    return workflow.startsWith(QLatin1StringView("session:")) ? SessionId(workflow.mid(8)) : SessionId();
}

AgentId agentOfWorkflow(const QString &workflow)
{
    return workflow.startsWith(QLatin1StringView("agent:")) ? AgentId(workflow.mid(6)) : AgentId();
}

bool isBranchClash(const Error &error)
{
    return error.group == QLatin1StringView("git")
        && (error.code == QLatin1StringView("branch_exists") || error.code == QLatin1StringView("branch_in_use")
            || error.code == QLatin1StringView("invalid_name") || error.code == QLatin1StringView("missing_ref"));
}

// What an agent reads once, when it begins: asking the same process again gives the same answer.
bool needsFreshAgent(const std::optional<Error> &error)
{
    return error && error->group == QLatin1StringView("agent")
        && (error->code == QLatin1StringView("needs_login") || error->code == QLatin1StringView("refused_as_root"));
}

} // namespace

TaskProvisioning::TaskProvisioning(ActorContext &context, TaskStore &store, StageDeadlines deadlines, Events events)
    : m_context(context)
    , m_store(store)
    , m_deadlines(deadlines)
    , m_events(std::move(events))
    , m_runner(context, provisioningRecipeVersion,
          {[this](Transaction &tx, const StepRecord &record, bool) { begin(tx, record); },
              [this](Transaction &tx, const StepRecord &record) { changed(tx, record); },
              [this](Transaction &tx, const StepRecord &record) { abandon(tx, record); },
              [this](Transaction &tx, const QString &workflow) { completed(tx, workflow); },
              [this](Transaction &tx, const StepRecord &record) { m_events.stageFailed(tx, stageOf(record, 0)); }, {}, {}, {},
              [this](const QString &workflow) { return recipe(workflow); }})
{
}

std::optional<WorkflowRecipe> TaskProvisioning::recipe(const QString &workflow) const
{
    if (workflow == sandboxWorkflow())
        return sandboxRecipe(m_store.creation()->adopt, m_deadlines);
    if (const AgentId agent = agentOfWorkflow(workflow); !agent.isEmpty())
        return agentRecipe(agent, m_deadlines);
    if (const auto state = m_store.state(sessionOfWorkflow(workflow)))
        return sessionRecipe(state->session, state->agent, m_deadlines);
    return std::nullopt;
}

SandboxId TaskProvisioning::sandboxId() const
{
    // One sandbox for a task, and one task for a sandbox: its id needs no asking.
    return SandboxId(m_store.creation()->task.value);
}

ActorAddress TaskProvisioning::sandbox() const
{
    return sandboxAddress(m_store.creation()->organization, sandboxId());
}

void TaskProvisioning::plan(Transaction &tx)
{
    const TaskCreation &creation = *m_store.creation();
    tx.send(sandbox(), QStringLiteral("create"),
        encodeSandboxCreation({creation.organization, creation.repo, creation.task, sandboxId(), creation.provider}));
    m_runner.start(tx, sandboxRecipe(creation.adopt, m_deadlines));
    addSession(tx, creation.session, creation.agent);
}

void TaskProvisioning::addSession(Transaction &tx, const SessionId &session, const AgentId &agent)
{
    m_runner.start(tx, agentRecipe(agent, m_deadlines));
    m_runner.start(tx, sessionRecipe(session, agent, m_deadlines));
}

void TaskProvisioning::dropSession(Transaction &tx, const SessionId &session, const AgentId &agent, bool agentUnused)
{
    const auto drop = [&](const QString &workflow) {
        const QList<StepRecord> steps = m_runner.steps(workflow);
        m_runner.forget(tx, workflow);
        for (const StepRecord &step : steps)
            tx.remove(TaskStore::topic(), QStringLiteral("Stage"), step.workflow + QLatin1Char('/') + step.step);
    };
    drop(sessionWorkflow(session));
    if (agentUnused)
        drop(agentWorkflow(agent));
}

void TaskProvisioning::ensureLive(Transaction &tx, const SessionState &state, bool retryFailed)
{
    const auto firstBroken = [this](const QString &workflow) -> QString {
        for (const StepRecord &step : m_runner.steps(workflow)) {
            if (step.state == StageState::Failed || step.state == StageState::Cancelled)
                return step.step;
        }
        return {};
    };
    const QString agent = agentWorkflow(state.agent);
    const QString session = sessionWorkflow(state.session);
    if (const auto creating = m_runner.step(session, QStringLiteral("session_creating")); creating && retryFailed)
        renewAgent(tx, state, creating->error);
    if (m_runner.isComplete(agent) && !m_store.isAgentLive(state.agent))
        m_runner.retry(tx, agent, QStringLiteral("agent_installing"), QStringLiteral("The agent is started again"));
    else if (const QString broken = firstBroken(agent); retryFailed && !broken.isEmpty()) {
        restorePlace(tx, m_runner.step(agent, broken).value_or(StepRecord{}).error);
        m_runner.retry(tx, agent, QStringLiteral("agent_installing"), QStringLiteral("A prompt asks for it again"));
    }
    if (m_runner.isComplete(session) && !state.live)
        m_runner.retry(tx, session, QStringLiteral("session_creating"), QStringLiteral("The session is opened again"));
    else if (const QString broken = firstBroken(session); retryFailed && !broken.isEmpty())
        m_runner.retry(tx, session, QStringLiteral("session_creating"), QStringLiteral("A prompt asks for it again"));
}

void TaskProvisioning::renewAgent(Transaction &tx, const SessionState &state, const std::optional<Error> &error)
{
    const QString agent = agentWorkflow(state.agent);
    if (!needsFreshAgent(error) || !m_runner.isComplete(agent) || !m_store.isAgentLive(state.agent))
        return;
    for (const SessionState &other : m_store.states()) {
        if (other.agent == state.agent && !other.openTurn.isEmpty())
            return;
    }
    m_runner.retry(tx, agent, QStringLiteral("agent_installing"), QStringLiteral("A new process is started: the one before said “%1”").arg(error->message));
    if (const auto starting = m_runner.step(agent, QStringLiteral("agent_starting")))
        m_store.setValue(tx, QStringLiteral("fresh:") + state.agent.value, QByteArray::number(starting->attempt));
    // Its other sessions go with the process, and come back with their next prompt.
    m_store.setAgentLive(tx, state.agent, false);
    for (SessionState other : m_store.states()) {
        if (other.agent != state.agent || !other.live)
            continue;
        other.live = false;
        m_store.putState(tx, other);
    }
}

void TaskProvisioning::restorePlace(Transaction &tx, const std::optional<Error> &error)
{
    if (error && error->is(QLatin1StringView("sandbox"), QLatin1StringView("gone")) && m_runner.isComplete(sandboxWorkflow()))
        m_runner.retry(tx, sandboxWorkflow(), QStringLiteral("sandbox_allocated"), error->message);
}

Result<> TaskProvisioning::retryStage(Transaction &tx, const QString &stageId)
{
    const auto record = m_runner.step(stageWorkflow(stageId), stageStep(stageId));
    if (!record)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("This task has no stage “%1”.").arg(stageId), {}, QStringLiteral("stageId"));
    if (record->state != StageState::Failed && record->state != StageState::Cancelled && record->state != StageState::Running)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("This stage has not failed: there is nothing to retry."));
    restorePlace(tx, record->error);
    // An agent that failed is looked for anew: it may have been installed or updated meanwhile.
    const QString step = stageWorkflow(stageId).startsWith(QLatin1StringView("agent:")) ? QStringLiteral("agent_installing")
                                                                                      : stageStep(stageId);
    if (auto retried = m_runner.retry(tx, stageWorkflow(stageId), step, QStringLiteral("Retried")); !retried)
        return retried;
    // A session needs its agent: one that has gone meanwhile, or cannot be asked again, is started first.
    if (const SessionId session = sessionOfWorkflow(stageWorkflow(stageId)); !session.isEmpty()) {
        const auto state = m_store.state(session);
        if (state)
            renewAgent(tx, *state, record->error);
        if (state && m_runner.isComplete(agentWorkflow(state->agent)) && !m_store.isAgentLive(state->agent))
            m_runner.retry(tx, agentWorkflow(state->agent), QStringLiteral("agent_installing"), QStringLiteral("The agent is started again"));
    }
    // What was cancelled with it goes on too.
    for (const QString &workflow : m_runner.workflows()) {
        for (const StepRecord &other : m_runner.steps(workflow)) {
            if (other.state == StageState::Cancelled) {
                m_runner.retry(tx, workflow, other.step, {});
                break;
            }
        }
    }
    return Unit{};
}

bool TaskProvisioning::cancel(Transaction &tx)
{
    const auto cancelledSteps = [this] {
        qsizetype count = 0;
        for (const QString &workflow : m_runner.workflows()) {
            const QList<StepRecord> steps = m_runner.steps(workflow);
            count += std::count_if(steps.cbegin(), steps.cend(), [](const StepRecord &step) { return step.state == StageState::Cancelled; });
        }
        return count;
    };
    const qsizetype before = cancelledSteps();
    for (const QString &workflow : m_runner.workflows())
        m_runner.cancel(tx, workflow);
    return cancelledSteps() > before;
}

void TaskProvisioning::goOn(Transaction &tx)
{
    for (const QString &workflow : m_runner.workflows()) {
        for (const StepRecord &step : m_runner.steps(workflow)) {
            if (step.state != StageState::Cancelled)
                continue;
            auto retried = m_runner.retry(tx, workflow, step.step, QStringLiteral("The task was brought back"));
            Q_UNUSED(retried); // it is there: it was just read
            break;
        }
    }
}

Result<> TaskProvisioning::resolveBranchClash(Transaction &tx, const ResolveBranchClash &command)
{
    const auto record = m_runner.step(sandboxWorkflow(), QStringLiteral("repo_prepared"));
    const auto attach = m_runner.step(sandboxWorkflow(), QStringLiteral("branch_attach"));
    const bool prepareFailed = record && record->state == StageState::Failed && record->error && isBranchClash(*record->error);
    const bool attachFailed = attach && attach->state == StageState::Failed && attach->error && isBranchClash(*attach->error);
    if (!prepareFailed && !attachFailed)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("The branch of this task is not in question."));
    TaskCreation creation = *m_store.creation();
    if (command.newName) {
        const QString name = command.newName->trimmed();
        if (!isValidBranchName(name))
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                QStringLiteral("“%1” is not a name git accepts for a branch.").arg(name),
                QStringLiteral("Use letters, digits, “-”, “_” and “/”."), QStringLiteral("newName"));
        creation.branch = name;
        creation.adopt = false;
    } else if (command.adopt) {
        creation.adopt = true;
    } else {
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
            QStringLiteral("Say whether to adopt the existing branch, or name another."), {}, QStringLiteral("adopt"));
    }
    m_store.setCreation(tx, creation);
    if (attachFailed && !creation.adopt)
        m_runner.skip(tx, sandboxWorkflow(), QStringLiteral("branch_attach"), attach->attempt, QStringLiteral("A new branch is made"));
    return m_runner.retry(tx, sandboxWorkflow(),
        attachFailed && creation.adopt ? QStringLiteral("branch_attach")
                                       : (attachFailed ? QStringLiteral("sandbox_allocated") : QStringLiteral("repo_prepared")),
        creation.adopt ? QStringLiteral("The existing branch is adopted") : QStringLiteral("Another branch name was chosen"));
}

void TaskProvisioning::begin(Transaction &tx, const StepRecord &record)
{
    const TaskCreation &creation = *m_store.creation();
    const QString stageId = record.workflow + QLatin1Char('/') + record.step;
    if (m_events.stageBegun)
        m_events.stageBegun(tx, stageId);
    if (record.step == QLatin1StringView("agent_installing")) {
        tx.send(organizationAddress(creation.organization), QStringLiteral("resolveAgent"),
            encodeResolveAgent({agentOfWorkflow(record.workflow), stageId, record.attempt}));
        return;
    }
    RunStage run;
    run.stage = stageId;
    run.attempt = record.attempt;
    run.deadlineMs = record.deadlineAt ? *record.deadlineAt - record.progressAt.value_or(0) : 0;
    if (record.workflow == sandboxWorkflow()) {
        run.repositoryPath = creation.repositoryPath;
        run.branch = creation.branch;
        run.baseBranch = creation.baseBranch;
        run.adopt = creation.adopt;
    } else if (const AgentId agent = agentOfWorkflow(record.workflow); !agent.isEmpty()) {
        run.agent = agent;
        run.launch = decodeLaunch(m_runner.input(record.workflow));
        run.fresh = m_store.value(QStringLiteral("fresh:") + agent.value).toLongLong() == record.attempt;
    } else if (const SessionId session = sessionOfWorkflow(record.workflow); !session.isEmpty()) {
        run.session = session;
        const auto state = m_store.state(session);
        if (state) {
            run.agent = state->agent;
            run.launch = decodeLaunch(m_runner.input(agentWorkflow(state->agent)));
            run.model = state->model;
            run.mode = state->mode;
            run.options = state->options;
        }
    }
    tx.send(sandbox(), QStringLiteral("runStage"), encodeRunStage(run));
}

void TaskProvisioning::changed(Transaction &tx, const StepRecord &record)
{
    const QString id = record.workflow + QLatin1Char('/') + record.step;
    qint64 order = -1;
    qint64 last = -1;
    for (const Stage &stage : m_store.stages()) {
        if (stage.id == id)
            order = stage.order;
        last = qMax(last, stage.order);
    }
    tx.put(TaskStore::topic(), stageOf(record, order >= 0 ? order : last + 1));
    if (record.state == StageState::Done || record.state == StageState::Failed)
        m_store.note(tx, record.state == StageState::Done ? auditkind::stageDone : auditkind::stageFailed,
            {{QStringLiteral("stage"), id}, {QStringLiteral("attempt"), QString::number(record.attempt)},
                {QStringLiteral("error"), record.error ? record.error->key() : QString()}});
}

void TaskProvisioning::abandon(Transaction &tx, const StepRecord &record)
{
    if (record.step == QLatin1StringView("agent_installing")) {
        tx.send(organizationAddress(m_store.creation()->organization), QStringLiteral("resolveAbandoned"),
            encodeResolveAgent({agentOfWorkflow(record.workflow), record.workflow + QLatin1Char('/') + record.step, record.attempt}));
        return;
    }
    RunStage run;
    run.stage = record.workflow + QLatin1Char('/') + record.step;
    run.attempt = record.attempt;
    tx.send(sandbox(), QStringLiteral("abandonStage"), encodeRunStage(run));
}

void TaskProvisioning::completed(Transaction &tx, const QString &workflow)
{
    if (workflow == sandboxWorkflow())
        m_events.sandboxReady(tx);
    if (const SessionId session = sessionOfWorkflow(workflow); !session.isEmpty())
        m_events.sessionReady(tx, session, QString::fromUtf8(m_runner.output(workflow, QStringLiteral("session_creating"))));
}

void TaskProvisioning::resume(Transaction &tx)
{
    const QString cause = QStringLiteral("The host was restarted");
    for (const QString &workflow : m_runner.workflows()) {
        bool isCut = false;
        for (const StepRecord &step : m_runner.steps(workflow))
            isCut = isCut || step.state == StageState::Running;
        if (!isCut)
            continue;
        if (!agentOfWorkflow(workflow).isEmpty())
            m_runner.retry(tx, workflow, QStringLiteral("agent_installing"), cause);
        const SessionId session = sessionOfWorkflow(workflow);
        const auto state = session.isEmpty() ? std::nullopt : m_store.state(session);
        if (!state)
            continue;
        m_runner.retry(tx, workflow, QStringLiteral("session_creating"), cause);
        if (m_runner.isComplete(agentWorkflow(state->agent)))
            m_runner.retry(tx, agentWorkflow(state->agent), QStringLiteral("agent_installing"), cause);
        m_store.setAgentLive(tx, state->agent, false);
    }
    m_runner.resume(tx);
}

bool TaskProvisioning::received(Transaction &tx, const Send &send, Result<> *outcome)
{
    if (send.name == QLatin1StringView("stageEnded")) {
        auto ended = decodeStageEnded(send.json);
        *outcome = ended ? stageEnded(tx, *ended) : Result<>(ended.error());
        return true;
    }
    if (send.name == QLatin1StringView("agentInstalling")) {
        auto ask = decodeResolveAgent(send.json);
        const auto record = ask ? m_runner.step(stageWorkflow(ask->stage), stageStep(ask->stage)) : std::nullopt;
        // Only what failed for want of it, and was not begun anew since.
        if (record && record->attempt == ask->attempt && record->state == StageState::Failed)
            m_runner.retry(tx, record->workflow, record->step, QStringLiteral("The agent is being installed"));
        *outcome = ask ? Result<>(Unit{}) : Result<>(ask.error());
        return true;
    }
    if (send.name == QLatin1StringView("agentResolved")) {
        auto resolved = decodeAgentResolved(send.json);
        *outcome = resolved ? agentResolved(tx, *resolved) : Result<>(resolved.error());
        return true;
    }
    return false;
}

Result<> TaskProvisioning::stageEnded(Transaction &tx, const StageEnded &ended)
{
    const QString workflow = stageWorkflow(ended.stage);
    const QString step = stageStep(ended.stage);
    if (!ended.message.isEmpty())
        m_runner.progress(tx, workflow, step, ended.attempt, ended.message, ended.message + QLatin1Char('\n'));
    if (ended.error) {
        m_runner.finish(tx, workflow, step, ended.attempt, *ended.error);
        return Unit{};
    }
    const auto record = m_runner.step(workflow, step);
    if (!record || record->attempt != ended.attempt || record->state != StageState::Running)
        return Unit{};
    if (ended.stage == QLatin1StringView("sandbox/repo_prepared")) {
        if (auto task = m_store.task()) {
            task->workTree = ended.workTree;
            task->sandboxId = sandboxId();
            task->git.head = ended.head;
            tx.put(TaskStore::topic(), *task);
        }
        m_store.setValue(tx, QStringLiteral("baseCommit"), ended.head.toUtf8());
    }
    if (step == QLatin1StringView("agent_ready"))
        m_store.setAgentLive(tx, agentOfWorkflow(workflow), true);
    m_runner.finish(tx, workflow, step, ended.attempt, ended.origin.toUtf8());
    return Unit{};
}

Result<> TaskProvisioning::agentResolved(Transaction &tx, const AgentResolved &resolved)
{
    const QString workflow = stageWorkflow(resolved.stage);
    const QString step = stageStep(resolved.stage);
    if (resolved.error || !resolved.launch) {
        m_runner.finish(tx, workflow, step, resolved.attempt,
            resolved.error.value_or(makeError(QLatin1StringView("agent"), QLatin1StringView("not_installed"),
                QStringLiteral("The agent is not known here."), QStringLiteral("Choose another agent."))));
        return Unit{};
    }
    m_runner.setInput(tx, workflow, encodeLaunch(*resolved.launch));
    m_runner.skip(tx, workflow, step, resolved.attempt, QStringLiteral("Found: %1").arg(resolved.launch->program));
    return Unit{};
}

void TaskProvisioning::progressed(const StageProgress &progress)
{
    // Progress may be lost; an error of storage shows at the next durable write.
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        m_runner.progress(tx, stageWorkflow(progress.stage), stageStep(progress.stage), progress.attempt, progress.message, progress.log);
        if (progress.waits && m_runner.hold(tx, stageWorkflow(progress.stage), stageStep(progress.stage), progress.attempt, *progress.waits))
            m_events.deadlineMoved(tx);
        return Unit{};
    });
    Q_UNUSED(written);
}

std::optional<QString> TaskProvisioning::log(const QString &stageId, std::optional<qint64> attempt) const
{
    return m_runner.log(stageWorkflow(stageId), stageStep(stageId), attempt);
}

} // namespace foundry::backend
