// What a prompt asks of the runner: commands, in order, each with its arguments and the text that belongs to it. Pure.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>

namespace foundry::runner {

struct Command {
    QString name;         // without the slash: run, test, find, replace, write, todo, help
    QString rest;         // of its line, as typed
    QStringList args;     // of `rest`, split
    QString body;         // the lines below it, up to the next command; a fenced block gives its inside
    QString line() const { return rest.isEmpty() ? QLatin1Char('/') + name : QLatin1Char('/') + name + QLatin1Char(' ') + rest; }
};

struct ParsedPrompt {
    QList<Command> commands;
    QStringList unknown;  // command lines of no known name
    QString error;        // e.g. a quote that is not closed; nothing is to be done then
};

struct CommandInfo {
    QString name;
    QString hint;
    QString description;
};
const QList<CommandInfo> &knownCommands();

ParsedPrompt parsePrompt(const QString &text);
// Splits like a command line, without any shell: blanks part, '…' and "…" hold together, a backslash keeps the next
// character (inside '…' it is itself). No variables, globs, pipes or redirections. False when a quote is open.
bool splitArguments(const QString &text, QStringList *args);

} // namespace foundry::runner
