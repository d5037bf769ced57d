#include "backend/runner/helptext.h"

#include "backend/runner/promptparser.h"

namespace foundry::runner {

QString helpText()
{
    QString text = QStringLiteral("I work on this task's work tree by commands, one to a line. Several are done in order, until one fails.\n\n"
                                  "| command | what it does |\n|---|---|\n");
    for (const CommandInfo &info : knownCommands())
        text += QStringLiteral("| `/%1%2` | %3 |\n").arg(info.name, info.hint.isEmpty() ? QString() : QLatin1Char(' ') + info.hint, info.description);
    text += QStringLiteral("\nBefore a program runs or a file is written I ask. `/run` starts a program with its arguments, not a shell: for pipes "
                           "and the like name one, as in `/run sh -c 'ls | wc -l'`. The text for `/write` may stand in a fenced block.");
    return text;
}

QString freeTextAnswer()
{
    return QStringLiteral("I am the built-in runner. There is no AI model behind me, so I cannot work from free text, and nothing was done.\n\n")
        + helpText()
        + QStringLiteral("\n\nTo have an AI agent do this, add one: the agent picker of a new session shows which ones were found here and which can be "
                         "installed (Claude, Codex, opencode, Gemini, Qwen, or a command of your own that speaks ACP).");
}

QString unknownCommandText(const QStringList &lines)
{
    QString text = QStringLiteral("There is no such command, and nothing was done:\n\n");
    for (const QString &line : lines)
        text += QStringLiteral("- `%1`\n").arg(QString(line).replace(QLatin1Char('`'), QLatin1Char('\'')));
    return text + QLatin1Char('\n') + helpText();
}

} // namespace foundry::runner
