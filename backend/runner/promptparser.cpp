#include "backend/runner/promptparser.h"

namespace foundry::runner {

namespace {

bool parserKnows(const QString &name)
{
    for (const CommandInfo &info : knownCommands()) {
        if (info.name == name)
            return true;
    }
    return false;
}

// "/word" alone or before a blank: a command. "/usr/bin/x" and "/ 2" are text.
QString parserCommandName(const QString &line)
{
    if (!line.startsWith(QLatin1Char('/')))
        return {};
    qsizetype end = 1;
    while (end < line.size() && (line[end].isLetter() || line[end] == QLatin1Char('-')))
        ++end;
    return end > 1 && (end == line.size() || line[end].isSpace()) ? line.mid(1, end - 1) : QString();
}

bool parserIsFence(const QString &line)
{
    return line.startsWith(QLatin1String("```"));
}

// A body that is one fenced block means what is inside it; otherwise the lines as they are, without blank ones around.
QString parserBody(QStringList lines)
{
    while (!lines.isEmpty() && lines.first().trimmed().isEmpty())
        lines.removeFirst();
    while (!lines.isEmpty() && lines.last().trimmed().isEmpty())
        lines.removeLast();
    if (lines.size() >= 2 && parserIsFence(lines.first()) && lines.last().trimmed() == QLatin1String("```")) {
        lines.removeFirst();
        lines.removeLast();
    }
    return lines.join(QLatin1Char('\n'));
}

} // namespace

const QList<CommandInfo> &knownCommands()
{
    static const QList<CommandInfo> commands{
        {QStringLiteral("run"), QStringLiteral("COMMAND ARGUMENTS…"), QStringLiteral("Run a program in the work tree (no shell)")},
        {QStringLiteral("test"), QStringLiteral("[ARGUMENTS…]"), QStringLiteral("Run the project's tests")},
        {QStringLiteral("find"), QStringLiteral("TEXT"), QStringLiteral("Find a text in the project's files")},
        {QStringLiteral("replace"), QStringLiteral("OLD NEW [GLOB]"), QStringLiteral("Replace a text in the project's files")},
        {QStringLiteral("write"), QStringLiteral("PATH"), QStringLiteral("Write a file: its text on the lines below")},
        {QStringLiteral("todo"), QString(), QStringLiteral("Make a plan of the TODO and FIXME comments")},
        {QStringLiteral("help"), QString(), QStringLiteral("Say what can be done here")}};
    return commands;
}

bool splitArguments(const QString &text, QStringList *args)
{
    QString word;
    bool inWord = false;
    QChar quote;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text[i];
        if (c == QLatin1Char('\\') && quote != QLatin1Char('\'') && i + 1 < text.size()) {
            word += text[++i];
            inWord = true;
        } else if (!quote.isNull()) {
            if (c == quote)
                quote = QChar();
            else
                word += c;
        } else if (c == QLatin1Char('\'') || c == QLatin1Char('"')) {
            quote = c;
            inWord = true;
        } else if (c.isSpace()) {
            if (inWord)
                args->append(word);
            word.clear();
            inWord = false;
        } else {
            word += c;
            inWord = true;
        }
    }
    if (inWord)
        args->append(word);
    return quote.isNull();
}

ParsedPrompt parsePrompt(const QString &text)
{
    ParsedPrompt parsed;
    QString normal = text;
    normal.replace(QLatin1String("\r\n"), QLatin1String("\n"));
    QStringList body;
    bool fenced = false;
    const auto endBody = [&] {
        if (!parsed.commands.isEmpty())
            parsed.commands.last().body = parserBody(body);
        body.clear();
    };
    const QStringList lines = normal.split(QLatin1Char('\n'));
    for (const QString &line : lines) {
        // Inside a fence a line is text, whatever it looks like.
        if (parserIsFence(line) && !parsed.commands.isEmpty())
            fenced = !fenced;
        const QString name = fenced ? QString() : parserCommandName(line);
        if (name.isEmpty()) {
            body.append(line);
            continue;
        }
        if (!parserKnows(name)) {
            parsed.unknown.append(line);
            continue;
        }
        endBody();
        Command command;
        command.name = name;
        command.rest = line.mid(name.size() + 1).trimmed();
        // /find takes its line as it is; the others are split.
        if (name != QLatin1String("find") && !splitArguments(command.rest, &command.args) && parsed.error.isEmpty())
            parsed.error = QStringLiteral("A quote is not closed in: %1").arg(command.line());
        parsed.commands.append(command);
    }
    endBody();
    return parsed;
}

} // namespace foundry::runner
