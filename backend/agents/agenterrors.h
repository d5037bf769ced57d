// The errors of the group `agent`, each with its cause and what to do. Pure.
#pragma once

#include "backend/agents/agenttransport.h"

namespace foundry::backend::agenterrors {

Error notInstalled(const QString &agent, const QString &program);
Error adapterMissing(const QString &agent, const QString &adapterPackage);
Error needsLogin(const QString &agent, const QString &loginHint, const QString &said = {});
Error needsNode(const QString &agent, const QString &needed, const QString &found); // code needs_node
Error refusedAsRoot(const QString &agent); // code refused_as_root
Error unconfirmed(const QString &agent); // code unconfirmed
Error crashed(const QString &agent, const AgentExit &exit);
Error protocol(const QString &agent, const QString &what, const QString &detail = {});
Error timeout(const QString &agent, const QString &what, int seconds, const QString &detail = {});
// An error answer of the agent itself that is none of the above (code `rejected`).
Error rejected(const QString &agent, const QString &what, int rpcCode, const QString &said, const QString &detail = {});

} // namespace foundry::backend::agenterrors
