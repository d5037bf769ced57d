// Processes that users start in a sandbox: in its work tree, once there is one.
#include "backend/actors/audit.h"
#include "backend/actors/sandboxactor.h"
#include "backend/store/database.h"

namespace foundry::backend {

ProcessDeskConfig SandboxActor::processDeskConfig()
{
    ProcessDeskConfig config;
    config.environment = m_config.environment;
    config.settle = [this](Transaction &tx) { noteWake(tx); };
    config.touched = [this](Transaction &tx) {
        if (m_creation)
            tx.send(task(), QStringLiteral("workTreeTouched"), QByteArrayLiteral("{}"));
    };
    config.created = [this](Transaction &tx, const foundry::Process &process) {
        // The program alone: arguments may hold what nobody else is to see.
        audit(tx, m_creation->organization, {auditkind::processStarted, m_creation->task, m_creation->repo,
                {{QStringLiteral("process"), process.id.value}, {QStringLiteral("command"), process.command}}});
    };
    return config;
}

Result<QString> SandboxActor::processRoot() const
{
    if (m_isClosed)
        return makeError(QLatin1StringView("state"), QLatin1StringView("archived"), QStringLiteral("The task was put away."),
            QStringLiteral("Bring it back to go on with it."));
    if (!m_handle.workTree.isEmpty())
        return m_handle.workTree;
    return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
        QStringLiteral("The work tree of this task is not there yet."), QStringLiteral("Wait until it is prepared, then try again."));
}

// While a process is on record, a restarted host opens this actor to end what was left.
void SandboxActor::noteWake(Transaction &tx) const
{
    bool hasAgents = false;
    {
        auto q = tx.database().query("SELECT EXISTS(SELECT 1 FROM agent_processes)");
        hasAgents = q.next() && q.flag(0);
    }
    tx.setNeedsWake(hasAgents || ProcessDesk::hasUnended(tx.database()));
}

} // namespace foundry::backend
