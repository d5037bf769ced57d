#include "backend/actors/repositoryactor.h"

namespace foundry::backend {

void RepositoryActor::registerActions(ActionTable &table)
{
    for (const char *name : {"requestOverviewRefresh", "runRepoAction", "cancelJob", "undoJob"}) {
        table.command(QString::fromLatin1(name), [name](Transaction &, const Caller &, QByteArrayView) -> Result<QByteArray> {
            return makeError(QLatin1StringView("state"), QLatin1StringView("not_available"),
                QStringLiteral("This version of the host cannot do “%1” yet.").arg(QLatin1StringView(name)),
                QStringLiteral("Use git in the repository meanwhile."));
        });
    }
}

} // namespace foundry::backend
