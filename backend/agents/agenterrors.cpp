#include "backend/agents/agenterrors.h"

#include <QCoreApplication>
#include <cstring>

namespace foundry::backend::agenterrors {

namespace {

QString agentText(const char *text)
{
    return QCoreApplication::translate("AgentErrors", text);
}

Error agentError(const char *code, const QString &message, const QString &action, const QString &detail = {})
{
    return makeError(QLatin1StringView("agent"), QLatin1StringView(code), message, action, detail);
}

QString named(const QString &agent)
{
    return agent.isEmpty() ? agentText("The agent") : agent;
}

} // namespace

Error notInstalled(const QString &agent, const QString &program)
{
    return agentError("not_installed", agentText("%1 is not there: the program “%2” was not found.").arg(named(agent), program),
        agentText("Install it, or choose another agent. The built-in runner is always there."));
}

Error adapterMissing(const QString &agent, const QString &adapterPackage)
{
    return agentError("adapter_missing",
        agentText("%1 was found, but its ACP adapter (%2) is missing.").arg(named(agent), adapterPackage),
        agentText("Install the adapter, or choose another agent."));
}

Error needsLogin(const QString &agent, const QString &loginHint, const QString &said)
{
    return agentError("needs_login", agentText("%1 needs a login before it can work.").arg(named(agent)),
        loginHint.isEmpty() ? agentText("Log in with the agent's own command, then try again.") : loginHint, said);
}

Error needsNode(const QString &agent, const QString &needed, const QString &found)
{
    return agentError("needs_node",
        found.isEmpty() ? agentText("%1 needs Node.js %2 or newer, and there is none.").arg(named(agent), needed)
                        : agentText("%1 needs Node.js %2 or newer; found %3.").arg(named(agent), needed, found),
        agentText("Install a newer Node.js and start the host again, or choose another agent."));
}

Error refusedAsRoot(const QString &agent)
{
    return agentError("refused_as_root", agentText("%1 refuses to work as root.").arg(named(agent)),
        agentText("Run the host as an ordinary user. Only on a machine that is itself a throw-away sandbox: set IS_SANDBOX=1 "
                  "in the environment of the host and start it again. Or choose another agent."));
}

Error unconfirmed(const QString &agent)
{
    return agentError("unconfirmed", agentText("%1 was found here, but nobody has confirmed that it may be used.").arg(named(agent)),
        agentText("Confirm it once under Agents; it may send code to a hosted model."));
}

Error crashed(const QString &agent, const AgentExit &exit)
{
    const QString how = exit.signal != 0
        ? agentText("was ended by signal %1 (%2)").arg(exit.signal).arg(QString::fromLocal8Bit(::strsignal(exit.signal)))
        : agentText("exited with status %1").arg(exit.code);
    return agentError("crashed", agentText("%1 %2.").arg(named(agent), how),
        agentText("Try again. What it said last is below; if it stays so, choose another agent."), exit.stderrTail);
}

Error protocol(const QString &agent, const QString &what, const QString &detail)
{
    return agentError("protocol", agentText("%1 does not speak ACP as expected: %2.").arg(named(agent), what),
        agentText("Check that this program is an ACP agent of a current version, or choose another agent."), detail);
}

Error timeout(const QString &agent, const QString &what, int seconds, const QString &detail)
{
    return agentError("timeout", agentText("%1 did not answer within %2 s (%3).").arg(named(agent)).arg(seconds).arg(what),
        agentText("Check the agent's network and login, then try again."), detail);
}

Error rejected(const QString &agent, const QString &what, int rpcCode, const QString &said, const QString &detail)
{
    return agentError("rejected",
        agentText("%1 refused (%2): %3").arg(named(agent), what, said.isEmpty() ? QString::number(rpcCode) : said),
        agentText("See what it says; change the request or choose another agent."), detail);
}

} // namespace foundry::backend::agenterrors
