#include "backend/actors/taskedits.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/audit.h"
#include "backend/actors/changesjob.h"
#include "backend/actors/messagejson.h"
#include "backend/git/gitpath.h"

#include <QDateTime>
#include <QLoggingCategory>
#include <QUuid>

#include <algorithm>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcEdits, "foundry.actors.edits")

namespace {

constexpr Millis editsKept = Millis(14) * 24 * 3600 * 1000;
constexpr qint64 editsStepMs = 240000; // a wait in the lane, and git's own two minutes
constexpr qsizetype editsMostPaths = 2000;
constexpr qsizetype editsMostMessage = 64 * 1024;

QJsonArray editsArray(const QStringList &texts)
{
    return QJsonArray::fromStringList(texts);
}

QStringList editsTexts(const QJsonValue &value)
{
    const QJsonArray array = value.toArray();
    QStringList texts;
    for (const auto &text : array)
        texts.append(text.toString());
    return texts;
}

QJsonObject editsObject(const QByteArray &json)
{
    return QJsonDocument::fromJson(json).object();
}

QString editsFiles(qint64 count)
{
    return count == 1 ? QStringLiteral("1 file") : QStringLiteral("%1 files").arg(count);
}

// A job that has begun to write files is not left in the middle.
std::optional<Error> editsTooLate(const JobStep &step, const QString &from, const QString &action)
{
    if (step.step != from)
        return std::nullopt;
    return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("This is being done right now."), action);
}

MadeCommit editsCommit(const QByteArray &json)
{
    const QJsonObject object = editsObject(json);
    return {object.value(QLatin1StringView("commit")).toString(), object.value(QLatin1StringView("parent")).toString(),
        object.value(QLatin1StringView("files")).toInteger(), object.value(QLatin1StringView("untrusted")).toBool()};
}

} // namespace

TaskEdits::TaskEdits(ActorContext &context, TaskStore &store, GitEnvironment git, GitLane &lane, TaskJobs &jobs, std::function<void()> touched)
    : m_context(context)
    , m_store(store)
    , m_git(std::move(git))
    , m_lane(lane)
    , m_jobs(jobs)
    , m_touched(std::move(touched))
{
    addRevert();
    addUndo();
    addCommit();
}

QString TaskEdits::workTree() const
{
    return m_store.task().value_or(Task{}).workTree.value_or(QString());
}

QString TaskEdits::refOf(const QString &job) const
{
    return QStringLiteral("refs/foundry/revert/%1/%2").arg(m_store.creation()->task.value, job);
}

void TaskEdits::run(Transaction &tx, const JobStep &step, Start start)
{
    m_waiting.insert(step.job);
    tx.afterCommit([this, step, start = std::move(start)] {
        m_lane.enter(GitLane::Urgency::Command, [this, step, start](const GitLane::Release &release) -> GitJob * {
            if (!m_waiting.remove(step.job)) { // cancelled while it waited
                release();
                return nullptr;
            }
            if (workTree().isEmpty()) {
                release();
                ended(step, makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"), QStringLiteral("The task has no work tree now."),
                    QStringLiteral("Bring the task back first.")));
                return nullptr;
            }
            GitJob *job = start(step, release);
            m_running.insert(step.job, job);
            return job;
        });
    });
}

void TaskEdits::ended(const JobStep &step, const Result<QByteArray> &output)
{
    m_running.remove(step.job);
    m_jobs.ended(step, output);
    m_touched();
}

void TaskEdits::abandon(Transaction &tx, const JobStep &step)
{
    m_waiting.remove(step.job);
    tx.afterCommit([this, id = step.job] {
        if (const QPointer<GitJob> job = m_running.value(id))
            job->cancel();
    });
}

GitJob *TaskEdits::apply(const JobStep &step, const ApplyKeptRequest &request, std::function<void()> release)
{
    return applyKept(m_git, request, m_context.owner(), [this, step, release = std::move(release)](const Result<AppliedKept> &applied) {
        release();
        if (!applied)
            return ended(step, applied.error());
        ended(step, messagejson::text({{QStringLiteral("files"), applied->files}, {QStringLiteral("conflicts"), editsArray(applied->conflicts)}}));
    });
}

void TaskEdits::addRevert()
{
    JobKind kind;
    kind.kind = QStringLiteral("revert");
    kind.steps = {{.name = QStringLiteral("keep"), .deadlineMs = editsStepMs}, {.name = QStringLiteral("restore"), .deadlineMs = editsStepMs}};
    kind.begin = [this](Transaction &tx, const JobStep &begun) {
        run(tx, begun, [this](const JobStep &step, std::function<void()> release) -> GitJob * {
            if (step.step == QLatin1StringView("restore"))
                return apply(step, {workTree(), editsObject(m_jobs.output(step.job, QStringLiteral("keep"))).value(QLatin1StringView("commit")).toString()},
                    std::move(release));
            const QJsonObject input = editsObject(step.input);
            KeepRequest request{workTree(), editsTexts(input.value(QLatin1StringView("paths"))), input.value(QLatin1StringView("mergeBase")).toString(), refOf(step.job)};
            return keepForRevert(m_git, request, m_context.owner(), [this, step, release = std::move(release)](const Result<Kept> &kept) {
                release();
                if (!kept)
                    return ended(step, kept.error());
                ended(step, messagejson::text({{QStringLiteral("commit"), kept->commit}, {QStringLiteral("files"), kept->files},
                                {QStringLiteral("left"), editsArray(kept->left)}}));
            });
        });
    };
    kind.abandon = [this](Transaction &tx, const JobStep &step) { abandon(tx, step); };
    kind.completed = [this](Transaction &tx, Job &job) {
        const QJsonObject restored = editsObject(m_jobs.output(job.id, QStringLiteral("restore")));
        const QStringList left = editsTexts(editsObject(m_jobs.output(job.id, QStringLiteral("keep"))).value(QLatin1StringView("left")));
        const qint64 files = restored.value(QLatin1StringView("files")).toInteger();
        job.conflicts = editsTexts(restored.value(QLatin1StringView("conflicts")));
        QString said = QStringLiteral("Took the changes of %1 back.").arg(editsFiles(files));
        if (!job.conflicts.isEmpty())
            said += QStringLiteral(" %1 changed meanwhile and stayed.").arg(editsFiles(job.conflicts.size()));
        if (!left.isEmpty())
            said += QStringLiteral(" Left alone: %1.").arg(left.join(QStringLiteral(", ")));
        job.message = said;
        job.undoUntil = QDateTime::currentMSecsSinceEpoch() + editsKept;
        m_store.note(tx, auditkind::reverted, {{QStringLiteral("job"), job.id}, {QStringLiteral("files"), QString::number(files)}},
            messagejson::optionalText(editsObject(m_jobs.input(job.id)), QLatin1StringView("by")));
    };
    // Perhaps some files were written already: then it can be undone as well.
    kind.failed = [this](Transaction &, Job &job) {
        if (!m_jobs.output(job.id, QStringLiteral("keep")).isEmpty())
            job.undoUntil = QDateTime::currentMSecsSinceEpoch() + editsKept;
    };
    kind.refusesCancel = [](const JobStep &step) {
        return editsTooLate(step, QStringLiteral("restore"), QStringLiteral("Undo it when it is done."));
    };
    m_jobs.add(std::move(kind));
}

void TaskEdits::addUndo()
{
    JobKind kind;
    kind.kind = QStringLiteral("undo_revert");
    kind.steps = {{.name = QStringLiteral("restore"), .deadlineMs = editsStepMs}};
    kind.begin = [this](Transaction &tx, const JobStep &begun) {
        run(tx, begun, [this](const JobStep &step, std::function<void()> release) -> GitJob * {
            const QStringList skip = editsTexts(editsObject(step.input).value(QLatin1StringView("skip")));
            return apply(step, {workTree(), refOf(step.target), true, skip}, std::move(release));
        });
    };
    kind.abandon = [this](Transaction &tx, const JobStep &step) { abandon(tx, step); };
    kind.completed = [this](Transaction &tx, Job &job) {
        const qint64 files = editsObject(m_jobs.output(job.id, QStringLiteral("restore"))).value(QLatin1StringView("files")).toInteger();
        job.message = QStringLiteral("Brought the changes of %1 back.").arg(editsFiles(files));
        m_jobs.change(tx, job.target, [](Job &reverted) { reverted.undoUntil.reset(); });
        m_store.note(tx, auditkind::revertUndone, {{QStringLiteral("job"), job.target}, {QStringLiteral("files"), QString::number(files)}},
            messagejson::optionalText(editsObject(m_jobs.input(job.id)), QLatin1StringView("by")));
    };
    kind.failed = [](Transaction &, Job &job) {
        if (job.error && job.error->code == QLatin1StringView("conflict"))
            job.conflicts = job.error->detail.split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    };
    kind.refusesCancel = [](const JobStep &step) {
        return editsTooLate(step, QStringLiteral("restore"), QStringLiteral("Take the changes back again when it is done."));
    };
    m_jobs.add(std::move(kind));
}

void TaskEdits::addCommit()
{
    JobKind kind;
    kind.kind = QStringLiteral("commit");
    // Another git may hold the index for a moment; the commit itself is made by then.
    kind.steps = {{.name = QStringLiteral("trust"), .deadlineMs = 30000}, {.name = QStringLiteral("write"), .deadlineMs = editsStepMs}, {.name = QStringLiteral("record"), .deadlineMs = editsStepMs},
        {.name = QStringLiteral("index"), .deadlineMs = editsStepMs, .waitsMs = {500, 2000, 5000}}};
    kind.begin = [this](Transaction &tx, const JobStep &begun) {
        if (begun.step == QLatin1StringView("trust")) {
            tx.send(organizationAddress(m_store.creation()->organization), QStringLiteral("askTrust"),
                encodeTrustQuestion({m_store.creation()->repo, begun.job, begun.step, begun.attempt}));
            return;
        }
        run(tx, begun, [this](const JobStep &step, std::function<void()> release) -> GitJob * {
            const auto over = [this, step, release](const Result<Unit> &done) {
                release();
                ended(step, done ? Result<QByteArray>(QByteArrayLiteral("{}")) : Result<QByteArray>(done.error()));
            };
            const MadeCommit made = editsCommit(m_jobs.output(step.job, QStringLiteral("write")));
            if (step.step == QLatin1StringView("record"))
                return recordCommit(m_git, workTree(), made, m_context.owner(), over);
            if (step.step == QLatin1StringView("index"))
                return settleIndex(m_git, workTree(), made, m_context.owner(), over);
            const QJsonObject input = editsObject(step.input);
            CommitRequest request{workTree(), input.value(QLatin1StringView("message")).toString()};
            if (input.contains(QLatin1StringView("paths")))
                request.paths = editsTexts(input.value(QLatin1StringView("paths")));
            request.trusted = editsObject(m_jobs.output(step.job, QStringLiteral("trust"))).value(QLatin1StringView("version")).toString();
            return makeCommit(m_git, request, m_context.owner(), [this, step, release](const Result<MadeCommit> &commit) {
                release();
                if (!commit)
                    return ended(step, commit.error());
                ended(step, messagejson::text({{QStringLiteral("commit"), commit->commit}, {QStringLiteral("parent"), commit->parent},
                                {QStringLiteral("files"), commit->files}, {QStringLiteral("untrusted"), commit->untrusted}}));
            });
        });
    };
    kind.abandon = [this](Transaction &tx, const JobStep &step) { abandon(tx, step); };
    kind.completed = [this](Transaction &tx, Job &job) {
        const MadeCommit made = editsCommit(m_jobs.output(job.id, QStringLiteral("write")));
        job.message = QStringLiteral("Committed %1 as %2.").arg(editsFiles(made.files), made.commit.left(10));
        if (made.untrusted)
            *job.message += QStringLiteral(" The repository's hooks and filters did not run: this version of them is not trusted.");
        m_store.note(tx, auditkind::committed, {{QStringLiteral("commit"), made.commit}, {QStringLiteral("files"), QString::number(made.files)}},
            messagejson::optionalText(editsObject(m_jobs.input(job.id)), QLatin1StringView("by")));
    };
    kind.refusesCancel = [](const JobStep &step) -> std::optional<Error> {
        if (step.step == QLatin1StringView("trust") || step.step == QLatin1StringView("write"))
            return std::nullopt;
        return editsTooLate(step, step.step, QStringLiteral("Reset the branch in a terminal, should it not stay."));
    };
    m_jobs.add(std::move(kind));
}

Result<QStringList> TaskEdits::withOldPaths(const QStringList &paths) const
{
    if (paths.size() > editsMostPaths)
        return makeError(QLatin1StringView("input"), QLatin1StringView("too_large"), QStringLiteral("These are more than %1 paths.").arg(editsMostPaths),
            QStringLiteral("Name folders instead."), QStringLiteral("paths"));
    QStringList all;
    for (const QString &path : paths) {
        const QByteArray bytes = pathToGit(path);
        if (auto fits = checkWorkTreePath(bytes.endsWith('/') ? bytes.chopped(1) : bytes); !fits)
            return fits.error();
        if (bytes.isEmpty())
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("A path is empty."), {}, QStringLiteral("paths"));
        all.append(path);
        for (const char *scope : {"staged:", "unstaged:", "committed:"}) {
            const auto row = m_context.row(ChangesJob::topic(), QStringLiteral("FileChange"), QString::fromLatin1(scope) + path);
            const auto *file = row ? std::get_if<FileChange>(&*row) : nullptr;
            if (file && file->oldPath && file->status == QLatin1StringView("R"))
                all.append(*file->oldPath);
        }
    }
    all.removeDuplicates();
    return all;
}

Result<Job> TaskEdits::start(Transaction &tx, const QString &kind, const QString &target, const QByteArray &input)
{
    if (workTree().isEmpty())
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"), QStringLiteral("The work tree is not prepared yet."),
            QStringLiteral("Wait until the repository is prepared."));
    // Only the very same order joins the one that runs.
    const QString id = QUuid::createUuid().toString(QUuid::WithoutBraces);
    QString named = target;
    if (const auto same = m_jobs.running(kind, target); same && m_jobs.input(same->id) != input)
        named += QStringLiteral(" (%1)").arg(id.left(8));
    return m_jobs.start(tx, kind, named, input, id);
}

Result<Job> TaskEdits::revert(Transaction &tx, const Revert &command, const QString &by)
{
    const auto paths = withOldPaths(command.paths);
    if (!paths)
        return paths.error();
    const auto task = m_store.task();
    const QByteArray input = messagejson::text({{QStringLiteral("paths"), editsArray(*paths)},
        {QStringLiteral("mergeBase"), task ? task->git.mergeBase.value_or(QString()) : QString()}, {QStringLiteral("by"), by}});
    const QString target = command.paths.isEmpty() ? QString() : command.paths.size() == 1 ? command.paths.first() : QStringLiteral("%1 paths").arg(command.paths.size());
    return start(tx, QStringLiteral("revert"), target, input);
}

Result<Job> TaskEdits::undoRevert(Transaction &tx, const UndoRevert &command, const QString &by)
{
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    std::optional<Job> reverted;
    for (Job &job : m_jobs.all()) {
        if (job.kind != QLatin1StringView("revert") || (command.jobId && job.id != *command.jobId))
            continue;
        if (command.jobId || (job.undoUntil.value_or(0) > now && (!reverted || job.createdAt.value_or(0) >= reverted->createdAt.value_or(0))))
            reverted = std::move(job);
    }
    if (!reverted)
        return command.jobId
            ? makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("This task has no such job."), {}, QStringLiteral("jobId"))
            : makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("Nothing was taken back that could be undone."));
    if (!m_jobs.running(QStringLiteral("undo_revert"), reverted->id) && reverted->undoUntil.value_or(0) <= now)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            reverted->completedAt ? QStringLiteral("This cannot be undone any more: it was undone already, or is too long ago.")
                                  : QStringLiteral("This is not done yet."));
    return start(tx, QStringLiteral("undo_revert"), reverted->id,
        messagejson::text({{QStringLiteral("skip"), editsArray(reverted->conflicts)}, {QStringLiteral("by"), by}}));
}

Result<Job> TaskEdits::commit(Transaction &tx, const Commit &command, const QString &by)
{
    const QString message = command.message.trimmed();
    if (message.isEmpty())
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("A commit needs a message."),
            QStringLiteral("Say in a line what it changes."), QStringLiteral("message"));
    if (message.size() > editsMostMessage)
        return makeError(QLatin1StringView("input"), QLatin1StringView("too_large"), QStringLiteral("The message is too long."),
            QStringLiteral("Shorten it."), QStringLiteral("message"));
    QJsonObject input{{QStringLiteral("message"), message}, {QStringLiteral("by"), by}};
    if (command.paths) {
        const auto paths = withOldPaths(*command.paths);
        if (!paths)
            return paths.error();
        if (paths->isEmpty())
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("No file was named."),
                QStringLiteral("Name files, or leave the paths out to commit everything."), QStringLiteral("paths"));
        input.insert(QStringLiteral("paths"), editsArray(*paths));
    }
    return start(tx, QStringLiteral("commit"), message.section(QLatin1Char('\n'), 0, 0).left(100), messagejson::text(input));
}

bool TaskEdits::received(Transaction &tx, const Send &send, Result<> *outcome)
{
    if (send.name != QLatin1StringView("trustTold"))
        return false;
    const auto told = decodeTrustQuestion(send.json);
    if (!told) {
        *outcome = told.error();
        return true;
    }
    JobStep step;
    step.job = told->job;
    step.step = told->step;
    step.attempt = told->attempt;
    m_jobs.finish(tx, step, messagejson::text({{QStringLiteral("version"), told->version}}));
    return true;
}

void TaskEdits::forgetOld()
{
    const QList<Job> jobs = m_jobs.all();
    const bool any = std::any_of(jobs.begin(), jobs.end(), [](const Job &job) { return job.kind == QLatin1StringView("revert"); });
    if (!any || workTree().isEmpty())
        return;
    m_lane.enter(GitLane::Urgency::Background, [this](const GitLane::Release &release) -> GitJob * {
        if (workTree().isEmpty()) {
            release();
            return nullptr;
        }
        const QString prefix = QStringLiteral("refs/foundry/revert/%1/").arg(m_store.creation()->task.value);
        return forgetKept(m_git, workTree(), prefix, QDateTime::currentMSecsSinceEpoch() - editsKept, m_context.owner(), [release](const Result<Unit> &gone) {
            if (release() && !gone)
                qCWarning(lcEdits, "old refs were not forgotten: %ls", qUtf16Printable(gone.error().message));
        });
    });
}

} // namespace foundry::backend
