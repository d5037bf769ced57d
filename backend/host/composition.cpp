#include "backend/host/composition.h"

#include "backend/actors/actoraddresses.h"
#include "backend/actors/appactor.h"
#include "backend/actors/auditactor.h"
#include "backend/actors/organizationactor.h"
#include "backend/actors/organizationmessages.h"
#include "backend/actors/repositoryactor.h"
#include "backend/actors/sandboxactor.h"
#include "backend/actors/taskactor.h"
#include "backend/actors/useractor.h"
#include "backend/host/tokenstore.h"
#include "backend/sandboxes/worktreeprovider.h"

#include <QDir>

#include <pwd.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

// What the machine calls its user: the full name where there is one.
QString compositionUserName()
{
    const passwd *entry = getpwuid(geteuid());
    if (!entry)
        return QStringLiteral("local");
    const QString full = QString::fromLocal8Bit(entry->pw_gecos).section(QLatin1Char(','), 0, 0).trimmed();
    return full.isEmpty() ? QString::fromLocal8Bit(entry->pw_name) : full;
}

// {"org", organization, kind, …}. Whether that organization exists is the runtime's to know (ActorFactory::parent).
bool compositionKey(const QStringList &key, const QString &kind, qsizetype size)
{
    return key.size() == size && key.at(0) == QLatin1StringView("org") && isOrganizationId(key.at(1))
        && (kind.isEmpty() || key.at(2) == kind) && !key.last().isEmpty();
}

// `local` exists, whether anybody has asked for it yet or not.
std::optional<ActorAddress> compositionOrganization(const QStringList &key)
{
    const OrganizationId organization(key.value(1));
    return organization.value == QLatin1StringView("local") ? std::nullopt : std::optional(organizationAddress(organization));
}

// What an organization keeps on disk lies apart from the others'; that of `local` where it always lay.
QString compositionFolder(const HostConfig &config, const ActorContext &context)
{
    const QString organization = context.address().key.value(1);
    return organization == QLatin1StringView("local") ? config.dataDir
                                                      : config.dataDir + QStringLiteral("/organizations/") + organization;
}

SandboxProviders compositionProviders(
    const HostServices &services, const GitEnvironment &git, const std::shared_ptr<RepositoryLanes> &lanes, const QString &folder)
{
    SandboxProviders providers = services.providers;
    providers.insert_or_assign(QStringLiteral("worktree"), [git, lanes, worktrees = folder + QStringLiteral("/worktrees")] {
        return std::make_unique<WorktreeProvider>(git, worktrees, lanes);
    });
    return providers;
}

QList<ActorFactory> compositionDomain(const HostConfig &config, const HostServices &services)
{
    const QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    GitEnvironment git = systemGitEnvironment();
    git.metrics = services.metrics;
    git.scratchDir = config.dataDir + QStringLiteral("/scratch");
    QDir().mkpath(git.scratchDir);
    const auto lanes = std::make_shared<RepositoryLanes>(); // of all organizations: two may have the same repository
    DiscoveryConfig discovery;
    discovery.dataDirectory = config.dataDir;
    discovery.programDirectory = config.programDir;
    discovery.environment = environment;

    QList<ActorFactory> factories;
    const auto organization = [config, services, git, lanes, discovery](ActorContext &context) {
        const QString folder = compositionFolder(config, context);
        OrganizationActorConfig made{git, discovery, folder + QStringLiteral("/repositories"), folder + QStringLiteral("/blobs")};
        made.clock = config.clock;
        made.providers.clear();
        for (const auto &[name, make] : compositionProviders(services, git, lanes, folder))
            made.providers.append(name);
        return std::make_unique<OrganizationActor>(context, std::move(made));
    };
    // `local` is there from the first start; the others by createOrganization alone.
    factories.append(ActorFactory{QStringLiteral("organization"),
        [](const QStringList &key) { return compositionKey(key, {}, 2) && key.at(1) == QLatin1StringView("local"); },
        CreatedBy::FirstTouch, organization});
    factories.append(ActorFactory{QStringLiteral("organization"), [](const QStringList &key) { return compositionKey(key, {}, 2); },
        CreatedBy::SendOnly, organization});
    factories.append(ActorFactory{QStringLiteral("repository"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("repo"), 4); }, CreatedBy::FirstTouch,
        [](ActorContext &context) { return std::make_unique<RepositoryActor>(context); }, compositionOrganization});
    factories.append(ActorFactory{QStringLiteral("audit-log"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("audit-log"), 3); }, CreatedBy::FirstTouch,
        [](ActorContext &context) { return std::make_unique<AuditActor>(context); }, compositionOrganization});
    StageDeadlines deadlines = StageDeadlines::fromEnvironment(environment);
    if (auto applied = deadlines.apply(config.stageDeadlines); !applied)
        qWarning("%ls", qUtf16Printable(applied.error().message)); // checked where the options are read
    factories.append(ActorFactory{QStringLiteral("task"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("task"), 5); }, CreatedBy::SendOnly,
        [config, git, deadlines](ActorContext &context) {
            return std::make_unique<TaskActor>(context, git, compositionFolder(config, context) + QStringLiteral("/blobs"), deadlines);
        }});
    factories.append(ActorFactory{QStringLiteral("sandbox"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("sandbox"), 4); }, CreatedBy::SendOnly,
        [config, services, git, lanes, environment](ActorContext &context) {
            const QString folder = compositionFolder(config, context);
            SandboxActorConfig sandbox;
            sandbox.providers = compositionProviders(services, git, lanes, folder);
            sandbox.blobRoot = folder + QStringLiteral("/blobs");
            sandbox.environment = environment;
            return std::make_unique<SandboxActor>(context, sandbox);
        }});
    return factories;
}

} // namespace

QList<ActorFactory> actorFactories(const HostConfig &config, const HostServices &services)
{
    QList<ActorFactory> factories;
    factories.append(ActorFactory{QStringLiteral("app"),
        [](const QStringList &key) { return key == QStringList{QStringLiteral("app")}; }, CreatedBy::FirstTouch,
        [config, services](ActorContext &context) {
            return std::make_unique<AppActor>(context, config.version, config.instance, services.members);
        }});
    factories.append(ActorFactory{QStringLiteral("user"),
        [](const QStringList &key) {
            return key.size() == 2 && key.at(0) == QLatin1StringView("user") // others come with the sign-in
                && (key.at(1) == QLatin1StringView("local") || isTokenUser(key.at(1)));
        },
        CreatedBy::FirstTouch, [name = compositionUserName(), roleOf = services.localRole](ActorContext &context) {
            const QString user = context.address().key.value(1);
            if (!isTokenUser(user))
                return std::make_unique<UserActor>(context, name);
            return std::make_unique<UserActor>(context, user.section(QLatin1Char(':'), 1), roleOf ? roleOf(user) : Role::Member);
        }});
    factories.append(compositionDomain(config, services));
    return factories;
}

} // namespace foundry::backend
