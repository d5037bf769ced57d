// The agents this version knows: what they are called, how they are found, started and installed, and which of their
// modes asks before it writes. Pinned and measured. Pure data, any thread.
#pragma once

#include "models/types/organization.h"

#include <QMap>
#include <QStringList>

namespace foundry::backend {

struct AgentRow {
    AgentId id;
    QString name;
    QString program;       // the executable that speaks ACP
    QStringList args = {}; // of that executable
    QStringList companions = {}; // other executables that show the agent is there but its adapter is not
    AgentInstall install = {};   // empty package: cannot be installed
    int needsNodeMajor = 0;      // what it declares; 0: needs no Node.js
    int runsFromNodeMajor = 0;   // what it was measured to run with all the same; below it, it is not started
    QString loginHint;           // what a person does to log in
    QStringList login = {};      // the command for it, to be run on a terminal; empty: none is known
    QMap<QString, QString> environment = {}; // set for its processes, unless the host's environment has it
    QString jsonVariable = {};   // an environment variable that holds a JSON object: `jsonDefaults` is merged below it
    QByteArray jsonDefaults = {};
    QString askingMode = {};     // ACP mode that asks before it writes; empty: its default asks
    bool builtin = false;
};

// claude, codex, opencode, gemini, qwen, runner.
const QList<AgentRow> &agentCatalogue();
const AgentRow *findAgentRow(const AgentId &id); // nullptr: unknown
AgentRow customAgentRow(const AgentId &id, const QString &name, const QString &command, const QStringList &args);
AgentId builtinRunnerId();

} // namespace foundry::backend
