#include "backend/host/composition.h"

#include "backend/actors/appactor.h"
#include "backend/actors/useractor.h"

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
    return factories;
}

} // namespace foundry::backend
