#include "tests/backend_actors/domainharness.h"

#include "backend/actors/actoraddresses.h"
#include "backend/host/composition.h"
#include "tests/support/customagent.h"

#include <QElapsedTimer>

namespace foundry::test {

using namespace foundry::backend;

DomainHarness::DomainHarness(QString dataDir)
    : m_dataDir(std::move(dataDir))
{
    qputenv("HOME", git.path(QStringLiteral("home")).toUtf8());
}

DomainHarness::~DomainHarness()
{
    stop();
}

void DomainHarness::start()
{
    HostConfig config;
    config.dataDir = dataDir();
    config.programDir = QStringLiteral(FOUNDRY_BIN_DIR);
    config.clock = hostClock;
    RuntimeOptions options;
    options.dataDir = dataDir();
    options.metrics = &metrics;
    m_runtime = std::make_unique<ActorRuntime>(options, actorFactories(config, HostServices{.metrics = &metrics, .providers = providers}));
    auto opened = m_runtime->open(&ear);
    if (!opened)
        qFatal("%ls", qUtf16Printable(opened.error().message));
    bool ready = false;
    m_runtime->start([&ready] { ready = true; });
    if (!QTest::qWaitFor([&ready] { return ready; }, 30000))
        qFatal("the runtime did not become ready");
}

void DomainHarness::stop()
{
    if (!m_runtime)
        return;
    bool done = false;
    m_runtime->stop([&done] { done = true; });
    if (!QTest::qWaitFor([&done] { return done; }, 30000))
        qFatal("the runtime did not stop");
    m_runtime.reset();
}

ActorAddress DomainHarness::organization() const
{
    return organizationAddress(OrganizationId(QStringLiteral("local")));
}

ActorAddress DomainHarness::task(const RepoId &repo, const TaskId &task) const
{
    return taskAddress(OrganizationId(QStringLiteral("local")), repo, task);
}

void DomainHarness::listen(const ActorAddress &actor, const QString &topic)
{
    const auto ref = m_runtime->getOrCreate(actor);
    if (!ref)
        qFatal("%ls", qUtf16Printable(ref.error().message));
    const ConnectionId connection = ++m_lastConnection;
    auto attached = std::make_shared<std::atomic<bool>>(false);
    m_runtime->attach(ref->id, connection, [attached](const Result<> &) { *attached = true; });
    if (!QTest::qWaitFor([attached] { return attached->load(); }, 20000))
        qFatal("not attached");
    m_runtime->subscribe(ref->id, connection, topic, true);
}

Result<QByteArray> DomainHarness::call(const ActorAddress &actor, const QString &action, const QByteArray &args, double *ms)
{
    auto ref = m_runtime->getOrCreate(actor);
    if (!ref)
        return ref.error();
    QElapsedTimer clock;
    clock.start();
    struct Answer {
        std::mutex mutex;
        std::optional<Result<QByteArray>> value;
    };
    auto answer = std::make_shared<Answer>();
    m_runtime->act(ref->id, ActorCall{action, args, caller, {}}, [answer](Result<QByteArray> result) {
        const std::lock_guard lock(answer->mutex);
        answer->value = std::move(result);
    });
    const auto there = [answer] {
        const std::lock_guard lock(answer->mutex);
        return answer->value.has_value();
    };
    while (!there() && clock.elapsed() < 20000)
        QTest::qSleep(1);
    if (ms)
        *ms = double(clock.nsecsElapsed()) / 1e6;
    if (!there())
        qFatal("no answer to %ls", qUtf16Printable(action));
    return *answer->value;
}

QList<Entity> DomainHarness::allRows(const ActorAddress &actor, const QString &topic)
{
    QList<Entity> found;
    ChangesSince since;
    since.topic = topic;
    for (;;) {
        auto answer = call(actor, QStringLiteral("changesSince"), protocol::encodeArgs(since));
        if (!answer)
            return found;
        auto page = protocol::decodeChangesPage(*answer);
        if (!page)
            qFatal("a page cannot be read: %ls", qUtf16Printable(page.error().message));
        found.append(page->upserts);
        if (!page->cursor)
            return found;
        since.cursor = page->cursor;
    }
}

QList<TranscriptEntry> DomainHarness::transcript(const ActorAddress &task, const SessionId &session)
{
    QList<TranscriptEntry> all;
    GetTranscript asked;
    asked.sessionId = session;
    asked.after = -1;
    for (;;) {
        auto answer = call(task, QStringLiteral("getTranscript"), protocol::encodeArgs(asked));
        if (!answer)
            return all;
        auto page = protocol::decodeValue<TranscriptPage>(*answer);
        if (!page || page->entries.isEmpty())
            return all;
        all.append(page->entries);
        asked.after = all.last().index;
    }
}

std::optional<Repository> DomainHarness::repository(const RepoId &id)
{
    for (const Repository &repository : rows<Repository>(organization(), QStringLiteral("organization"))) {
        if (repository.id == id)
            return repository;
    }
    return std::nullopt;
}

AgentId DomainHarness::addScriptedAgent(const QString &mode, const QStringList &more)
{
    const AddCustomAgent add = scriptedAgent(mode, more);
    if (auto added = command(organization(), QStringLiteral("addCustomAgent"), add); !added)
        qFatal("%ls", qUtf16Printable(added.error().message));
    return add.agentId;
}

RepoId DomainHarness::addRepository(const QString &path)
{
    AddRepository add;
    add.repoId = makeId<RepoId>();
    add.path = path;
    auto answer = command(organization(), QStringLiteral("addRepository"), add);
    if (!answer)
        qFatal("addRepository: %ls", qUtf16Printable(answer.error().message));
    const bool over = QTest::qWaitFor(
        [&] {
            const auto row = repository(add.repoId);
            return row && (row->state == RepositoryState::Ready || row->state == RepositoryState::Error);
        },
        30000);
    if (!over)
        qFatal("the repository stays %ls", qUtf16Printable(repository(add.repoId).value_or(Repository{}).state.text()));
    return add.repoId;
}

std::optional<TaskSummary> DomainHarness::summary(const TaskId &id)
{
    for (const TaskSummary &summary : rows<TaskSummary>(organization(), QStringLiteral("organization"))) {
        if (summary.id == id)
            return summary;
    }
    return std::nullopt;
}

std::optional<Session> DomainHarness::session(const ActorAddress &task, const SessionId &id)
{
    for (const Session &session : rows<Session>(task, QStringLiteral("task"))) {
        if (session.id == id)
            return session;
    }
    return std::nullopt;
}

std::optional<Stage> DomainHarness::stage(const ActorAddress &task, const QString &id)
{
    for (const Stage &stage : rows<Stage>(task, QStringLiteral("task"))) {
        if (stage.id == id)
            return stage;
    }
    return std::nullopt;
}

DomainHarness::Made DomainHarness::createTask(const RepoId &repo, const QString &prompt, const std::function<void(CreateTask &)> &change)
{
    Made made;
    CreateTask create;
    create.taskId = made.task;
    create.sessionId = made.session;
    create.repoId = repo;
    if (!prompt.isEmpty())
        create.prompt = Prompt{prompt};
    create.agent = AgentId(QStringLiteral("runner"));
    if (change)
        change(create);
    made.address = task(repo, made.task);
    auto answer = command(organization(), QStringLiteral("createTask"), create, &made.ms);
    if (!answer) {
        made.error = answer.error();
        return made;
    }
    auto decoded = protocol::decodeValue<CreateTaskAnswer>(*answer);
    if (!decoded)
        qFatal("createTask's answer: %ls", qUtf16Printable(decoded.error().message));
    made.answer = *decoded;
    return made;
}

bool DomainHarness::waitForStatus(const Made &made, SessionStatus status, int ms)
{
    const bool came = QTest::qWaitFor(
        [&] {
            const auto row = session(made.address, made.session);
            return row && row->status == status;
        },
        ms);
    if (came)
        return true;
    const auto row = session(made.address, made.session);
    qWarning("the session stays %ls: %ls", qUtf16Printable(row ? row->status.text() : QStringLiteral("away")),
        qUtf16Printable(row && row->error ? row->error->message : QString()));
    for (const Stage &stage : rows<Stage>(made.address, QStringLiteral("task")))
        qWarning("  %ls %ls attempt %lld %ls", qUtf16Printable(stage.id), qUtf16Printable(stage.state.text()), qlonglong(stage.attempt),
            qUtf16Printable(stage.error ? stage.error->message : stage.message.value_or(QString())));
    return false;
}

bool DomainHarness::answerPermission(const Made &made, const QString &kind, int ms)
{
    AnswerPermission answer;
    answer.sessionId = made.session;
    const bool asked = QTest::qWaitFor(
        [&] {
            for (const Attention &attention : rows<Attention>(organization(), QStringLiteral("organization"))) {
                if (!(attention.taskId == made.task) || !attention.requestId)
                    continue;
                for (const PermissionOption &option : attention.options) {
                    if (option.kind == kind) {
                        answer.permissionRequestId = *attention.requestId;
                        answer.optionId = option.id;
                        return true;
                    }
                }
            }
            return false;
        },
        ms);
    return asked && command(made.address, QStringLiteral("answerPermission"), answer).ok();
}

} // namespace foundry::test
