#include "backend/agents/agentcatalogue.h"

namespace foundry::backend {

namespace {

constexpr qint64 catalogueMegabyte = 1000000;

AgentRow catalogueClaude()
{
    AgentRow row;
    row.id = AgentId(QStringLiteral("claude"));
    row.name = QStringLiteral("Claude");
    row.program = QStringLiteral("claude-agent-acp");
    row.companions = {QStringLiteral("claude")};
    row.install = {QStringLiteral("@agentclientprotocol/claude-agent-acp"), QStringLiteral("0.101.0"), 401 * catalogueMegabyte};
    row.needsNodeMajor = 22;
    row.runsFromNodeMajor = 20;
    row.loginHint = QStringLiteral("Run “claude” once in a terminal and log in, or set ANTHROPIC_API_KEY for the host.");
    row.login = {QStringLiteral("claude")};
    row.environment = {{QStringLiteral("DISABLE_AUTOUPDATER"), QStringLiteral("1")}};
    row.askingMode = QStringLiteral("default"); // its own default, `auto`, lets the model decide and asks nobody
    // As root: this version works, and does not offer the mode that skips permissions. Older ones refuse the session, and
    // are reported as agent.refused_as_root; IS_SANDBOX=1 is the user's word, never ours.
    return row;
}

AgentRow catalogueCodex()
{
    AgentRow row;
    row.id = AgentId(QStringLiteral("codex"));
    row.name = QStringLiteral("Codex");
    row.program = QStringLiteral("codex-acp");
    row.companions = {QStringLiteral("codex")};
    row.install = {QStringLiteral("@agentclientprotocol/codex-acp"), QStringLiteral("2.6.0"), 457 * catalogueMegabyte};
    row.needsNodeMajor = 18;
    row.runsFromNodeMajor = 18;
    row.loginHint = QStringLiteral("Run “codex login” in a terminal, or set OPENAI_API_KEY for the host.");
    row.login = {QStringLiteral("codex"), QStringLiteral("login")};
    // The mode of a session that was not told another: its own default writes in the work tree without asking.
    row.environment = {{QStringLiteral("NO_BROWSER"), QStringLiteral("1")},
        {QStringLiteral("INITIAL_AGENT_MODE"), QStringLiteral("read-only")}};
    row.askingMode = QStringLiteral("read-only");
    return row;
}

AgentRow catalogueOpencode()
{
    AgentRow row;
    row.id = AgentId(QStringLiteral("opencode"));
    row.name = QStringLiteral("opencode");
    row.program = QStringLiteral("opencode");
    row.args = {QStringLiteral("acp")};
    row.install = {QStringLiteral("opencode-ai"), QStringLiteral("1.18.33"), 354 * catalogueMegabyte};
    row.loginHint = QStringLiteral("Run “opencode auth login” in a terminal.");
    row.login = {QStringLiteral("opencode"), QStringLiteral("auth"), QStringLiteral("login")};
    row.environment = {{QStringLiteral("OPENCODE_DISABLE_AUTOUPDATE"), QStringLiteral("1")}};
    // Its permissions are configuration and not a mode; sharing puts sessions on a server.
    row.jsonVariable = QStringLiteral("OPENCODE_CONFIG_CONTENT");
    row.jsonDefaults = R"({"autoupdate":false,"share":"disabled","permission":{"edit":"ask","bash":"ask"}})";
    return row;
}

AgentRow catalogueGemini()
{
    AgentRow row;
    row.id = AgentId(QStringLiteral("gemini"));
    row.name = QStringLiteral("Gemini");
    row.program = QStringLiteral("gemini");
    row.args = {QStringLiteral("--acp")};
    row.install = {QStringLiteral("@google/gemini-cli"), QStringLiteral("0.61.0"), 100 * catalogueMegabyte};
    row.needsNodeMajor = 20;
    row.runsFromNodeMajor = 20;
    row.loginHint = QStringLiteral("Run “gemini” once in a terminal and log in, or set GEMINI_API_KEY for the host.");
    row.login = {QStringLiteral("gemini")};
    row.askingMode = QStringLiteral("default");
    return row;
}

AgentRow catalogueQwen()
{
    AgentRow row;
    row.id = AgentId(QStringLiteral("qwen"));
    row.name = QStringLiteral("Qwen Code");
    row.program = QStringLiteral("qwen");
    row.args = {QStringLiteral("--acp")};
    row.install = {QStringLiteral("@qwen-code/qwen-code"), QStringLiteral("0.24.4"), 144 * catalogueMegabyte};
    row.needsNodeMajor = 22;
    row.runsFromNodeMajor = 20;
    row.loginHint = QStringLiteral("Run “qwen” once in a terminal and log in, or set OPENAI_API_KEY and OPENAI_BASE_URL for the host.");
    row.login = {QStringLiteral("qwen")};
    row.askingMode = QStringLiteral("default"); // its `auto` asks nobody
    return row;
}

AgentRow catalogueRunner()
{
    AgentRow row;
    row.id = builtinRunnerId();
    row.name = QStringLiteral("Built-in runner (no AI model)");
    row.program = QStringLiteral("foundry-runner");
    row.builtin = true;
    return row;
}

} // namespace

AgentId builtinRunnerId()
{
    return AgentId(QStringLiteral("runner"));
}

const QList<AgentRow> &agentCatalogue()
{
    static const QList<AgentRow> rows{catalogueClaude(), catalogueCodex(), catalogueOpencode(), catalogueGemini(),
        catalogueQwen(), catalogueRunner()};
    return rows;
}

const AgentRow *findAgentRow(const AgentId &id)
{
    for (const AgentRow &row : agentCatalogue()) {
        if (row.id == id)
            return &row;
    }
    return nullptr;
}

AgentRow customAgentRow(const AgentId &id, const QString &name, const QString &command, const QStringList &args)
{
    AgentRow row;
    row.id = id;
    row.name = name.isEmpty() ? command : name;
    row.program = command;
    row.args = args;
    return row;
}

} // namespace foundry::backend
