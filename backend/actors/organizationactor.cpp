#include "backend/actors/organizationactor.h"

#include "backend/actors/audit.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcOrganization, "foundry.actors.organization")

namespace {

constexpr int organizationRecipeVersion = 1;

template <class Command>
CommandHandler organizationCommand(std::function<Result<QByteArray>(Transaction &, const Caller &, const Command &)> body)
{
    return [body](Transaction &tx, const Caller &caller, QByteArrayView args) -> Result<QByteArray> {
        auto command = protocol::decodeArgs<Command>(args);
        if (!command)
            return command.error();
        return body(tx, caller, *command);
    };
}

} // namespace

OrganizationActor::OrganizationActor(ActorContext &context, OrganizationActorConfig config)
    : Actor(context)
    , m_config(std::move(config))
    , m_blobs(m_config.blobRoot)
    , m_runner(context, organizationRecipeVersion,
          {[this](Transaction &tx, const StepRecord &record, bool) {
               if (RepositoryChecks::isOurs(record))
                   m_repositories.begin(tx, record);
               else
                   beginInstall(tx, record);
           },
              [this](Transaction &tx, const StepRecord &record) {
                  auto agent = RepositoryChecks::isOurs(record) || !record.dueAt ? std::nullopt : agentRow(AgentId(record.workflow.section(QLatin1Char(':'), 1)));
                  if (!agent)
                      return;
                  agent->detail = record.message; // it waits before it is tried again
                  tx.put(topic(), *agent);
              },
              [this](Transaction &tx, const StepRecord &record) {
                  if (RepositoryChecks::isOurs(record))
                      m_repositories.abandon(tx, record);
                  else
                      abandonInstall(tx, record);
              },
              {},
              [this](Transaction &tx, const StepRecord &record) {
                  if (RepositoryChecks::isOurs(record))
                      m_repositories.failed(tx, record);
                  else
                      installFailed(tx, record);
              },
              {}, [](const StepRecord &record) { return record.error && record.error->code == QLatin1StringView("network"); }})
    , m_repositories(context, m_runner, m_config.git, m_config.cloneRoot, [this](Transaction &tx) { settle(tx); })
    , m_desk(context, loginDeskConfig())
{
}

OrganizationActor::~OrganizationActor() = default;

OrganizationId OrganizationActor::organizationId() const
{
    return OrganizationId(context().address().key.value(1));
}

QStringList OrganizationActor::migrations() const
{
    return {WorkflowRunner::schema() + RepositoryChecks::schema()
        + QStringLiteral("CREATE TABLE tasks (task TEXT PRIMARY KEY, repo TEXT NOT NULL, branch TEXT NOT NULL, status TEXT NOT NULL,"
                         " source_revision INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;"
                         "CREATE INDEX tasks_repo ON tasks (repo, branch);"
                         "CREATE INDEX tasks_status ON tasks (status);"
                         "CREATE TABLE attention_sources (id TEXT PRIMARY KEY, source_revision INTEGER NOT NULL) WITHOUT ROWID;"
                         "CREATE TABLE agent_choices (agent TEXT PRIMARY KEY, confirmed INTEGER NOT NULL, custom TEXT) WITHOUT ROWID;"),
        WorkflowRunner::schema2(), ProcessDesk::schema(), lifecycleSchema(),
        QStringLiteral("CREATE TABLE members (user TEXT PRIMARY KEY, role TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;"),
        purgeSchema(), rebuildSchema(), ordererSchema(), missingSchema(), WorkflowRunner::schema3()};
}

void OrganizationActor::write(const std::function<Result<>(Transaction &)> &body)
{
    auto written = context().transaction(body);
    if (!written)
        qCWarning(lcOrganization, "the organization could not write: %ls", qUtf16Printable(written.error().message));
}

void OrganizationActor::started()
{
    write([this](Transaction &tx) -> Result<> {
        if (isLocal() && !context().row(topic(), QStringLiteral("Organization"), organizationId().value)) {
            Organization organization;
            organization.id = organizationId();
            organization.name = QStringLiteral("This computer");
            organization.kind = OrganizationKind::Local;
            organization.role = QStringLiteral("owner");
            tx.put(topic(), organization);
        }
        m_runner.resume(tx);
        rebuild(tx);
        indexOld(tx);
        purgeDeleted(tx);
        settle(tx);
        return Unit{};
    });
    startDiscovery();
    m_desk.started();
    // The others look when somebody looks at them: five hundred that are made at once need no five hundred scans.
    if (isLocal())
        lookForAgents();
    m_repositories.lookAgain();
}

void OrganizationActor::settle(Transaction &tx)
{
    m_runner.advance(tx);
    std::optional<Millis> due = m_runner.nextDeadline();
    if (const auto purge = nextPurge())
        due = due ? qMin(*due, *purge) : *purge;
    tx.setAlarm(due);
    tx.setNeedsWake(m_runner.hasWork() || ProcessDesk::hasUnended(tx.database()));
}

void OrganizationActor::alarm()
{
    write([this](Transaction &tx) -> Result<> {
        m_runner.checkDeadlines(tx, QDateTime::currentMSecsSinceEpoch());
        purgeDeleted(tx);
        settle(tx);
        return Unit{};
    });
}

bool OrganizationActor::works() const
{
    return m_repositories.isBusy() || !m_installers.isEmpty() || m_runner.hasWork() || m_desk.isBusy() || !m_unresolved.isEmpty();
}

void OrganizationActor::registerActions(ActionTable &table)
{
    registerRepositoryCommands(table);
    registerAgentCommands(table);
    registerLifecycleCommands(table);
    m_desk.registerActions(table, {}); // no createProcess: only logins run here
    table.command(QStringLiteral("loginAgent"), organizationCommand<LoginAgent>([this](Transaction &tx, const Caller &, const LoginAgent &command) -> Result<QByteArray> {
        auto process = login(tx, command.agentId);
        return process ? Result<QByteArray>(protocol::encodeValue(*process)) : Result<QByteArray>(process.error());
    }));
    table.command(QStringLiteral("createTask"), organizationCommand<CreateTask>([this](Transaction &tx, const Caller &caller, const CreateTask &command) {
        return createTask(tx, caller, command);
    }));
    table.command(QStringLiteral("putBlob"), organizationCommand<PutBlob>([this](Transaction &, const Caller &, const PutBlob &command) -> Result<QByteArray> {
        if (command.blobId.isEmpty())
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("An upload needs an id."), {},
                QStringLiteral("blobId"));
        if (auto put = m_blobs.put(command.blobId, command.offset, command.data, command.last); !put)
            return put.error();
        return QByteArrayLiteral("null");
    }));
}

void OrganizationActor::registerRepositoryCommands(ActionTable &table)
{
    table.command(QStringLiteral("addRepository"), organizationCommand<AddRepository>([this](Transaction &tx, const Caller &, const AddRepository &command) -> Result<QByteArray> {
        auto repository = m_repositories.add(tx, command.repoId, command.path, command.url);
        if (!repository)
            return repository.error();
        audit(tx, organizationId(), {auditkind::repositoryAdded, {}, command.repoId, {{QStringLiteral("name"), repository->name}}});
        settle(tx);
        const auto stored = context().row(topic(), QStringLiteral("Repository"), command.repoId.value);
        if (const auto *row = stored ? std::get_if<Repository>(&*stored) : nullptr)
            return protocol::encodeValue(*row);
        return protocol::encodeValue(*repository);
    }));
    table.command(QStringLiteral("trustRepository"), organizationCommand<TrustRepository>([this](Transaction &tx, const Caller &caller, const TrustRepository &command) -> Result<QByteArray> {
        auto repository = m_repositories.trust(tx, command.repoId, command.version);
        if (!repository)
            return repository.error();
        audit(tx, organizationId(), {.kind = auditkind::repositoryTrusted, .repoId = command.repoId, .payload = {{QStringLiteral("version"), command.version}}, .actorUser = caller.userId});
        return protocol::encodeValue(*repository);
    }));
    table.command(QStringLiteral("removeRepository"), organizationCommand<RemoveRepository>([this](Transaction &tx, const Caller &, const RemoveRepository &command) -> Result<QByteArray> {
        const auto entity = context().row(topic(), QStringLiteral("Repository"), command.repoId.value);
        const auto *repository = entity ? std::get_if<Repository>(&*entity) : nullptr;
        if (!repository)
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is no such repository."), {},
                QStringLiteral("repoId"));
        qint64 tasks = 0;
        {
            auto q = tx.database().query("SELECT count(*) FROM tasks WHERE repo = ?", command.repoId.value);
            tasks = q.next() ? q.integer(0) : 0;
        }
        if (tasks > 0)
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
                QStringLiteral("%1 has %2 tasks: %3.").arg(repository->name).arg(tasks).arg(titlesOf(command.repoId, tasks)),
                QStringLiteral("Its tasks have to be deleted before the repository can be taken out."));
        m_repositories.remove(tx, command.repoId);
        audit(tx, organizationId(), {auditkind::repositoryRemoved, {}, command.repoId, {{QStringLiteral("name"), repository->name}}});
        settle(tx);
        return protocol::encodeValue(*repository);
    }));
}

Result<> OrganizationActor::received(Transaction &tx, const Send &send)
{
    tx.setCause(Cause{QStringLiteral("workflow")});
    if (send.name == QLatin1StringView("create")) {
        const auto creation = decodeOrganizationCreation(send.json);
        return creation ? create(tx, *creation) : Result<>(creation.error());
    }
    const auto handle = [&](auto decoded, auto apply) -> Result<> { return decoded ? apply(*decoded) : Result<>(decoded.error()); };
    if (send.name == QLatin1StringView("summary"))
        return handle(decodeSummary(send.json), [&](const SummaryPush &push) { return summaryPushed(tx, push); });
    if (send.name == QLatin1StringView("attention"))
        return handle(decodeAttention(send.json), [&](const AttentionPush &push) { return attentionPushed(tx, push); });
    if (send.name == QLatin1StringView("taskTold"))
        return handle(decodeTaskTold(send.json), [&](const TaskTold &told) { return taskTold(tx, told); });
    if (send.name == QLatin1StringView("lifecycleEnded"))
        return handle(decodeLifecycleEnded(send.json), [&](const LifecycleEnded &ended) { return lifecycleEnded(tx, ended); });
    if (send.name == QLatin1StringView("askTrust")) {
        return handle(decodeTrustQuestion(send.json), [&](const TrustQuestion &asked) -> Result<> {
            TrustQuestion answer = asked;
            answer.version = m_repositories.trusted(asked.repo);
            tx.send(send.from, QStringLiteral("trustTold"), encodeTrustQuestion(answer));
            return Unit{};
        });
    }
    if (send.name == QLatin1StringView("resolveAgent"))
        return handle(decodeResolveAgent(send.json), [&](const ResolveAgent &ask) { return resolveAgent(tx, send.from, ask); });
    if (send.name == QLatin1StringView("resolveAbandoned"))
        return handle(decodeResolveAgent(send.json), [&](const ResolveAgent &ask) -> Result<> {
            resolveAbandoned(tx, send.from, ask);
            return Unit{};
        });
    if (send.name == QLatin1StringView("agentReported"))
        return handle(decodeAgentReport(send.json), [&](const AgentReport &report) { return agentReported(tx, report); });
    return Actor::received(tx, send);
}

} // namespace foundry::backend
