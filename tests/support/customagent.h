// The command that makes the scripted agent (SCRIPTED_AGENT names its program) in one of its modes known to a host.
#pragma once

#include "models/types/commands.h"

#include <QString>
#include <QStringList>

namespace foundry::test {

inline AddCustomAgent scriptedAgent(const QString &mode, const QStringList &more = {})
{
    AddCustomAgent add;
    add.agentId.value = QStringLiteral("scripted-") + mode;
    add.name = QStringLiteral("Scripted ") + mode;
    add.command = qEnvironmentVariable("SCRIPTED_AGENT");
    add.args = QStringList{mode} + more;
    if (add.command.isEmpty())
        qFatal("SCRIPTED_AGENT does not name the scripted agent's program. ctest sets it; by hand it is BUILD/tests/scriptedagent.");
    return add;
}

} // namespace foundry::test
