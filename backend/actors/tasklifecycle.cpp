#include "backend/actors/tasklifecycle.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/messagejson.h"
#include "backend/store/database.h"

#include <QDateTime>

namespace foundry::backend {

namespace {

constexpr int lifecycleEditsGraceMs = 5000;
constexpr qint64 lifecycleStopMs = 60 * 1000;
constexpr qint64 lifecycleLookMs = 60 * 1000;

bool isLifecycleAway(const QString &kind)
{
    return kind == QLatin1StringView("archive") || kind == QLatin1StringView("delete");
}

bool isLifecycleReturn(const QString &kind)
{
    return kind == QLatin1StringView("unarchive") || kind == QLatin1StringView("restore");
}

QString lifecycleFailedTitle(const QString &kind)
{
    if (kind == QLatin1StringView("archive"))
        return QStringLiteral("Archiving failed");
    if (kind == QLatin1StringView("delete"))
        return QStringLiteral("Deleting failed");
    return QStringLiteral("Bringing the task back failed");
}

} // namespace

TaskLifecycle::TaskLifecycle(ActorContext &context, TaskStore &store, TaskJobs &jobs, TaskProvisioning &provisioning, TurnWorkflow &turns,
    TaskAttention &attention, GitLane &lane, const StageDeadlines &deadlines)
    : m_context(context)
    , m_store(store)
    , m_jobs(jobs)
    , m_provisioning(provisioning)
    , m_turns(turns)
    , m_attention(attention)
    , m_lane(lane)
{
    addKinds(deadlines);
}

void TaskLifecycle::addKinds(const StageDeadlines &deadlines)
{
    const auto add = [this](const QString &kind, const QList<WorkflowStep> &steps) {
        JobKind made;
        made.kind = kind;
        made.steps = steps;
        made.begin = [this](Transaction &tx, const JobStep &step) { begin(tx, step); };
        made.abandon = [this](Transaction &tx, const JobStep &step) { abandon(tx, step); };
        made.completed = made.failed = made.cancelled = [this](Transaction &tx, Job &job) { over(tx, job); };
        made.refusesCancel = [](const JobStep &step) -> std::optional<Error> {
            if (step.step != QLatin1StringView("release") && step.step != QLatin1StringView("forget"))
                return std::nullopt;
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("It is too late to cancel this: the work is kept, and its place is being given back."),
                QStringLiteral("Bring the task back when it is done."));
        };
        m_jobs.add(std::move(made));
    };
    const WorkflowStep stop{QStringLiteral("stop"), lifecycleStopMs};
    const WorkflowStep save{QStringLiteral("save"), deadlines.save};
    const WorkflowStep release{QStringLiteral("release"), deadlines.release};
    const WorkflowStep prepare{QStringLiteral("prepare"), deadlines.bringBack};
    const WorkflowStep putBack{QStringLiteral("put_back"), deadlines.bringBack};
    const WorkflowStep forget{QStringLiteral("forget"), lifecycleLookMs};
    add(QStringLiteral("archive"), {stop, save, release});
    add(QStringLiteral("delete"), {stop, save, release});
    add(QStringLiteral("unarchive"), {prepare, putBack, forget});
    add(QStringLiteral("restore"), {prepare, putBack, forget});
    add(QStringLiteral("preview_delete"), {{QStringLiteral("look"), lifecycleLookMs}});
    add(QStringLiteral("purge"), {forget});
}

QString TaskLifecycle::phaseText(Phase phase)
{
    switch (phase) {
    case Phase::Active: return {};
    case Phase::Archiving: return QStringLiteral("archiving");
    case Phase::Archived: return QStringLiteral("archived");
    case Phase::Deleting: return QStringLiteral("deleting");
    case Phase::Deleted: return QStringLiteral("deleted");
    case Phase::Returning: return QStringLiteral("returning");
    }
    return {};
}

TaskLifecycle::State TaskLifecycle::load() const
{
    State state;
    const QByteArray json = m_store.value(QStringLiteral("lifecycle"));
    if (json.isEmpty())
        return state;
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    const QString phase = object.value(QLatin1StringView("phase")).toString();
    for (const Phase known : {Phase::Archiving, Phase::Archived, Phase::Deleting, Phase::Deleted, Phase::Returning}) {
        if (phaseText(known) == phase)
            state.phase = known;
    }
    state.order = object.value(QLatin1StringView("order")).toInteger();
    state.job = object.value(QLatin1StringView("job")).toString();
    state.archivedAt = object.value(QLatin1StringView("archivedAt")).toInteger();
    state.hadPlace = object.value(QLatin1StringView("hadPlace")).toBool();
    state.ownBranch = object.value(QLatin1StringView("ownBranch")).toBool();
    state.keepBranch = object.value(QLatin1StringView("keepBranch")).toBool();
    state.failed = object.value(QLatin1StringView("failed")).toString();
    state.notes = object.value(QLatin1StringView("notes")).toString();
    state.saved = decodeSavedWork(messagejson::text(object.value(QLatin1StringView("saved")).toObject()));
    return state;
}

void TaskLifecycle::store(Transaction &tx, const State &state)
{
    m_store.setValue(tx, QStringLiteral("lifecycle"),
        messagejson::text({{QStringLiteral("phase"), phaseText(state.phase)}, {QStringLiteral("order"), state.order}, {QStringLiteral("job"), state.job},
            {QStringLiteral("archivedAt"), state.archivedAt}, {QStringLiteral("hadPlace"), state.hadPlace}, {QStringLiteral("ownBranch"), state.ownBranch},
            {QStringLiteral("keepBranch"), state.keepBranch}, {QStringLiteral("failed"), state.failed}, {QStringLiteral("notes"), state.notes},
            {QStringLiteral("saved"), QJsonDocument::fromJson(encodeSavedWork(state.saved)).object()}}));
}

bool TaskLifecycle::isAway() const
{
    return load().phase != Phase::Active;
}

Error TaskLifecycle::refusal() const
{
    const Phase phase = load().phase;
    if (phase == Phase::Returning)
        return makeError(QLatin1StringView("state"), QLatin1StringView("archived"), QStringLiteral("The task is being brought back."), QStringLiteral("Try again in a moment."));
    if (phase == Phase::Deleting || phase == Phase::Deleted)
        return makeError(QLatin1StringView("state"), QLatin1StringView("archived"), QStringLiteral("The task is being deleted."), QStringLiteral("Restore it to go on with it."));
    return makeError(QLatin1StringView("state"), QLatin1StringView("archived"), QStringLiteral("The task is archived."), QStringLiteral("Unarchive it to go on with it."));
}

void TaskLifecycle::fill(TaskFacts &facts, TaskSummary &summary) const
{
    const State state = load();
    facts.archiving = state.phase == Phase::Archiving;
    facts.archived = state.phase == Phase::Archived;
    facts.deleting = state.phase == Phase::Deleting || state.phase == Phase::Deleted;
    facts.returning = state.phase == Phase::Returning;
    if (state.phase == Phase::Archived && state.archivedAt > 0)
        summary.archivedAt = state.archivedAt;
    if (facts.returning)
        summary.stage = QStringLiteral("Bringing the task back");
}

bool TaskLifecycle::tell(TaskTold &told) const
{
    const State state = load();
    const auto job = m_jobs.job(state.job);
    const bool isUnderWay = job && !job->completedAt;
    if (isUnderWay && job->kind == QLatin1StringView("purge"))
        return false;
    told.lifecycle = state.order;
    if (isUnderWay || state.phase == Phase::Deleted) {
        told.job = state.job;
        told.jobKind = isUnderWay ? job->kind : QStringLiteral("delete");
    }
    return true;
}

void TaskLifecycle::tellDeleted(Transaction &tx)
{
    const State state = load();
    if (state.phase != Phase::Deleted)
        return;
    LifecycleEnded ended;
    ended.task = m_store.creation()->task;
    ended.kind = QStringLiteral("delete");
    ended.job = state.job;
    ended.kept = keptInWords(state);
    ended.again = true;
    tx.send(organizationAddress(m_store.creation()->organization), QStringLiteral("lifecycleEnded"), encodeLifecycleEnded(ended));
}

void TaskLifecycle::acknowledge(Transaction &tx)
{
    State state = load();
    if (state.failed.isEmpty())
        return;
    m_attention.remove(tx, state.failed);
    state.failed.clear();
    store(tx, state);
}

bool TaskLifecycle::received(Transaction &tx, const Send &send, Result<> *outcome)
{
    if (send.name == QLatin1StringView("lifecycle")) {
        auto order = decodeLifecycleOrder(send.json);
        *outcome = order ? ordered(tx, *order) : Result<>(order.error());
        return true;
    }
    if (send.name == QLatin1StringView("placeReport")) {
        auto report = decodePlaceReport(send.json);
        *outcome = report ? reported(tx, *report) : Result<>(report.error());
        return true;
    }
    return false;
}

Result<> TaskLifecycle::ordered(Transaction &tx, const LifecycleOrder &order)
{
    State state = load();
    if (order.order <= state.order)
        return Unit{};
    state.order = order.order;
    store(tx, state);
    const QString target = m_store.creation()->task.value;
    if (order.kind == QLatin1StringView("preview_delete")) {
        auto job = m_jobs.start(tx, order.kind, target, {}, order.job);
        return job ? Result<>(Unit{}) : Result<>(job.error());
    }
    acknowledge(tx);
    state = load();
    state.job = order.job;
    store(tx, state);
    // A later word replaces the earlier one: whoever deletes does not wait for an archiving that hangs.
    for (const Job &job : m_jobs.all()) {
        if (job.id != order.job && (isLifecycleAway(job.kind) || isLifecycleReturn(job.kind)))
            m_jobs.replace(tx, job.id);
    }
    state.notes.clear();
    if (isLifecycleAway(order.kind)) {
        putAway(tx, state, order.kind == QLatin1StringView("delete") ? Phase::Deleting : Phase::Archiving, order);
    } else if (isLifecycleReturn(order.kind)) {
        state.phase = Phase::Returning;
        if (order.kind == QLatin1StringView("restore")) {
            tx.setRetired(false);
            tx.send(sandboxAddress(m_store.creation()->organization, m_provisioning.sandboxId()), QStringLiteral("retire"), QByteArrayLiteral("{\"retired\":false}"));
        }
    }
    store(tx, state);
    auto job = m_jobs.start(tx, order.kind, target, {}, order.job);
    return job ? Result<>(Unit{}) : Result<>(job.error());
}

// Hides the task and begins to stop what runs in it; the rest are the job's steps.
void TaskLifecycle::putAway(Transaction &tx, State &state, Phase phase, const LifecycleOrder &order)
{
    if (state.phase == Phase::Active || state.phase == Phase::Returning) {
        const auto task = m_store.task();
        state.hadPlace = state.hadPlace || (task && task->workTree);
        // A branch whose making failed, because another has its name, is not the task's.
        state.ownBranch = state.hadPlace && !m_store.creation()->adopt;
    }
    state.phase = phase;
    state.keepBranch = order.keepBranch;
    for (const SessionState &session : m_store.states()) {
        if (session.openTurn.isEmpty())
            continue;
        auto cancelled = m_turns.cancelTurn(tx, session.session);
        Q_UNUSED(cancelled); // it is being cancelled already
    }
    m_provisioning.cancel(tx);
}

PlaceOrder TaskLifecycle::orderOf(const JobStep &step, const State &state) const
{
    const TaskCreation &creation = *m_store.creation();
    PlaceOrder order;
    order.job = step.job;
    order.step = step.step;
    order.attempt = step.attempt;
    order.deadlineMs = step.deadlineMs;
    order.what = step.step;
    order.repositoryPath = creation.repositoryPath;
    order.branch = creation.branch;
    order.baseBranch = creation.baseBranch;
    order.ref = QStringLiteral("refs/foundry/trash/") + creation.task.value;
    order.saved = state.saved;
    if (step.kind == QLatin1StringView("delete"))
        order.all = step.step == QLatin1StringView("save") || (state.ownBranch && !state.keepBranch);
    else if (step.kind == QLatin1StringView("purge"))
        order.all = true;
    return order;
}

void TaskLifecycle::sendOrder(Transaction &tx, const QString &name, const PlaceOrder &order)
{
    tx.send(sandboxAddress(m_store.creation()->organization, m_provisioning.sandboxId()), name, encodePlaceOrder(order));
}

void TaskLifecycle::begin(Transaction &tx, const JobStep &step)
{
    const State state = load();
    if (isLifecycleReturn(step.kind) && !state.hadPlace) { // it never came so far: provisioning goes on instead
        m_jobs.skip(tx, step, QStringLiteral("There was no work tree"));
        return;
    }
    if (!isLifecycleAway(step.kind))
        return sendOrder(tx, QStringLiteral("placeOrder"), orderOf(step, state));
    tx.afterCommit([this, step] {
        if (step.step == QLatin1StringView("stop"))
            m_jobs.endKinds({QStringLiteral("commit"), QStringLiteral("revert"), QStringLiteral("undo_revert")}, lifecycleEditsGraceMs);
        if (m_laneJob == step.job)
            return orderInLane(step);
        m_lane.enter(GitLane::Urgency::Command, [this, step](const GitLane::Release &release) -> GitJob * {
            m_laneJob = step.job;
            m_release = release;
            orderInLane(step);
            return nullptr;
        });
    });
}

void TaskLifecycle::orderInLane(const JobStep &step)
{
    if (!m_jobs.isRunning(step))
        return giveLane(step.job); // over while it waited
    const auto sent = m_context.transaction([&](Transaction &tx) -> Result<> {
        sendOrder(tx, QStringLiteral("placeOrder"), orderOf(step, load()));
        return Unit{};
    });
    if (!sent) // nobody was asked: the step is over, and says why
        m_jobs.ended(step, sent.error());
}

void TaskLifecycle::giveLane(const QString &job)
{
    if (m_laneJob != job)
        return;
    m_laneJob.clear();
    std::exchange(m_release, {})();
}

void TaskLifecycle::abandon(Transaction &tx, const JobStep &step)
{
    sendOrder(tx, QStringLiteral("abandonPlaceOrder"), orderOf(step, load()));
}

Result<> TaskLifecycle::reported(Transaction &tx, const PlaceReport &report)
{
    JobStep step;
    step.job = report.job;
    step.step = report.step;
    step.attempt = report.attempt;
    if (!m_jobs.isRunning(step))
        return Unit{};
    if (report.error) {
        m_jobs.finish(tx, step, *report.error);
        return Unit{};
    }
    State state = load();
    if (!report.note.isEmpty())
        state.notes = state.notes.isEmpty() ? report.note : state.notes + QLatin1Char(' ') + report.note;
    if (report.saved) {
        if (report.saved->head.isEmpty()) { // there was no work tree: what was kept before still is
            if (!report.saved->kept.isEmpty())
                state.saved.kept = report.saved->kept;
            if (!report.saved->branchTip.isEmpty())
                state.saved.branchTip = report.saved->branchTip;
        } else {
            state.saved = *report.saved;
        }
    }
    if (report.loss)
        m_jobs.change(tx, report.job, [&report](Job &job) { job.loss = report.loss; });
    auto task = m_store.task();
    if (task && report.step == QLatin1StringView("release")) {
        task->workTree.reset();
        tx.put(TaskStore::topic(), *task);
        placeGone(tx);
    } else if (task && !report.workTree.isEmpty()) {
        task->workTree = report.workTree;
        tx.put(TaskStore::topic(), *task);
    }
    store(tx, state);
    m_jobs.finish(tx, step, QByteArrayLiteral("{}"));
    return Unit{};
}

// Each job's end, in whatever way.
void TaskLifecycle::over(Transaction &tx, Job &job)
{
    State state = load();
    if (isLifecycleAway(job.kind))
        tx.afterCommit([this, id = job.id] { giveLane(id); });
    const bool done = job.status == JobStatus::Completed;
    const bool replaced = state.job != job.id; // by a later order, which says how it goes on
    if (job.kind == QLatin1StringView("purge")) {
        if (done)
            purged(tx);
        tellOrganization(tx, job);
        return;
    }
    if (job.kind == QLatin1StringView("preview_delete")) {
        tellOrganization(tx, job);
        return;
    }
    if (replaced)
        return;
    if (!state.notes.isEmpty())
        job.message = state.notes;
    if (done && job.kind == QLatin1StringView("archive")) {
        state.phase = Phase::Archived;
        state.archivedAt = QDateTime::currentMSecsSinceEpoch();
    } else if (done && job.kind == QLatin1StringView("delete")) {
        state.phase = Phase::Deleted;
        job.message = keptInWords(state);
        store(tx, state);
        tellOrganization(tx, job, *job.message);
        tx.send(sandboxAddress(m_store.creation()->organization, m_provisioning.sandboxId()), QStringLiteral("retire"), QByteArrayLiteral("{\"retired\":true}"));
        tx.setRetired(true);
        return;
    } else if (done) {
        state.phase = Phase::Active;
        state.archivedAt = 0;
        state.saved = {};
        state.hadPlace = false;
    } else if (isLifecycleAway(job.kind) && state.archivedAt > 0) {
        state.phase = Phase::Archived; // as it was before
    } else if (isLifecycleAway(job.kind)) {
        state.phase = Phase::Active;
    } else {
        state.phase = Phase::Archived;
        state.archivedAt = qMax<Millis>(state.archivedAt, job.completedAt.value_or(1));
    }
    if (job.status == JobStatus::Error)
        sayFailed(tx, state, job);
    store(tx, state);
    if (state.phase == Phase::Active) {
        PlaceOrder open;
        open.step = open.what = QStringLiteral("open");
        sendOrder(tx, QStringLiteral("placeOrder"), open);
        m_provisioning.goOn(tx);
        active(tx);
    }
    tellOrganization(tx, job);
}

void TaskLifecycle::sayFailed(Transaction &tx, State &state, const Job &job)
{
    Attention attention;
    attention.id = QStringLiteral("job:%1:%2").arg(m_store.creation()->task.value, job.kind);
    attention.reason = AttentionReason::Error;
    attention.title = lifecycleFailedTitle(job.kind);
    if (job.error)
        attention.detail = job.error->action.isEmpty() ? job.error->message : job.error->message + QLatin1Char(' ') + job.error->action;
    m_attention.put(tx, attention);
    state.failed = attention.id;
}

void TaskLifecycle::tellOrganization(Transaction &tx, const Job &job, const QString &kept)
{
    LifecycleEnded ended;
    ended.task = m_store.creation()->task;
    ended.kind = job.kind;
    ended.job = job.id;
    ended.error = job.error;
    ended.cancelled = job.status == JobStatus::Cancelled;
    ended.kept = kept;
    ended.loss = job.loss;
    tx.send(organizationAddress(m_store.creation()->organization), QStringLiteral("lifecycleEnded"), encodeLifecycleEnded(ended));
}

QString TaskLifecycle::keptInWords(const State &state) const
{
    QStringList words;
    if (state.saved.uncommitted > 0)
        words.append(state.saved.uncommitted == 1 ? QStringLiteral("1 changed file") : QStringLiteral("%1 changed files").arg(state.saved.uncommitted));
    if (state.saved.untracked > 0)
        words.append(state.saved.untracked == 1 ? QStringLiteral("1 new file") : QStringLiteral("%1 new files").arg(state.saved.untracked));
    QString said = words.isEmpty() ? QStringLiteral("Nothing was uncommitted.") : QStringLiteral("Kept: %1.").arg(words.join(QStringLiteral(" and ")));
    if (!state.notes.isEmpty())
        said += QLatin1Char(' ') + state.notes;
    return said;
}

// Its time is over: all that the task and its sandbox had stored goes.
void TaskLifecycle::purged(Transaction &tx)
{
    tx.send(sandboxAddress(m_store.creation()->organization, m_provisioning.sandboxId()), QStringLiteral("erase"), QByteArrayLiteral("{}"));
    tx.setErased();
}

} // namespace foundry::backend
