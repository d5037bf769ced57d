#include "backend/host/composition.h"

#include "backend/actors/appactor.h"
#include "backend/actors/auditactor.h"
#include "backend/actors/organizationactor.h"
#include "backend/actors/repositoryactor.h"
#include "backend/actors/sandboxactor.h"
#include "backend/actors/taskactor.h"
#include "backend/actors/useractor.h"
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

// {"org", "local", kind, …}: this host has one organization.
bool compositionKey(const QStringList &key, const QString &kind, qsizetype size)
{
    return key.size() == size && key.at(0) == QLatin1StringView("org") && key.at(1) == QLatin1StringView("local")
        && (kind.isEmpty() || key.at(2) == kind) && !key.last().isEmpty();
}

QList<ActorFactory> compositionDomain(const HostConfig &config)
{
    const QString blobs = config.dataDir + QStringLiteral("/blobs");
    const QString worktrees = config.dataDir + QStringLiteral("/worktrees");
    const QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    GitEnvironment git = systemGitEnvironment();
    git.scratchDir = config.dataDir + QStringLiteral("/scratch");
    QDir().mkpath(git.scratchDir);
    DiscoveryConfig discovery;
    discovery.dataDirectory = config.dataDir;
    discovery.programDirectory = config.programDir;
    discovery.environment = environment;

    QList<ActorFactory> factories;
    OrganizationActorConfig organization{git, discovery, config.repositoriesDir(), blobs};
    organization.clock = config.clock;
    factories.append(ActorFactory{QStringLiteral("organization"), [](const QStringList &key) { return compositionKey(key, {}, 2); },
        CreatedBy::FirstTouch, [organization](ActorContext &context) { return std::make_unique<OrganizationActor>(context, organization); }});
    factories.append(ActorFactory{QStringLiteral("repository"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("repo"), 4); }, CreatedBy::FirstTouch,
        [](ActorContext &context) { return std::make_unique<RepositoryActor>(context); }});
    factories.append(ActorFactory{QStringLiteral("audit-log"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("audit-log"), 3); }, CreatedBy::FirstTouch,
        [](ActorContext &context) { return std::make_unique<AuditActor>(context); }});
    const StageDeadlines deadlines = StageDeadlines::fromEnvironment(environment);
    factories.append(ActorFactory{QStringLiteral("task"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("task"), 5); }, CreatedBy::SendOnly,
        [git, blobs, deadlines](ActorContext &context) { return std::make_unique<TaskActor>(context, git, blobs, deadlines); }});
    SandboxActorConfig sandbox;
    sandbox.provider = [git, worktrees](const QString &name) -> std::unique_ptr<SandboxProvider> {
        if (name == QLatin1StringView("worktree"))
            return std::make_unique<WorktreeProvider>(git, worktrees);
        return nullptr;
    };
    sandbox.blobRoot = blobs;
    sandbox.environment = environment;
    factories.append(ActorFactory{QStringLiteral("sandbox"),
        [](const QStringList &key) { return compositionKey(key, QStringLiteral("sandbox"), 4); }, CreatedBy::SendOnly,
        [sandbox](ActorContext &context) { return std::make_unique<SandboxActor>(context, sandbox); }});
    return factories;
}

} // namespace

QList<ActorFactory> actorFactories(const HostConfig &config)
{
    QList<ActorFactory> factories;
    factories.append(ActorFactory{QStringLiteral("app"),
        [](const QStringList &key) { return key == QStringList{QStringLiteral("app")}; }, CreatedBy::FirstTouch,
        [config](ActorContext &context) { return std::make_unique<AppActor>(context, config.version, config.instance); }});
    factories.append(ActorFactory{QStringLiteral("user"),
        [](const QStringList &key) {
            return key == QStringList{QStringLiteral("user"), QStringLiteral("local")}; // others come with the sign-in
        },
        CreatedBy::FirstTouch, [name = compositionUserName()](ActorContext &context) {
            return std::make_unique<UserActor>(context, name);
        }});
    factories.append(compositionDomain(config));
    return factories;
}

} // namespace foundry::backend
