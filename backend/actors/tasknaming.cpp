#include "backend/actors/tasknaming.h"

#include "backend/git/branchname.h"

#include <QStringList>

namespace foundry::backend {

namespace {

constexpr qsizetype namingTitleLimit = 62;

Error badBranch(const QString &branch)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
        QStringLiteral("“%1” is not a name git accepts for a branch.").arg(branch),
        QStringLiteral("Use letters, digits, “-”, “_” and “/”, without spaces, “..” or a “/” at an end."), QStringLiteral("branch"));
}

} // namespace

QString titleFromPrompt(const QString &prompt)
{
    for (const QString &raw : prompt.split(QLatin1Char('\n'))) {
        QString line = raw.simplified();
        while (!line.isEmpty() && (line.startsWith(QLatin1Char('#')) || line.startsWith(QLatin1Char('>'))))
            line = line.mid(1).trimmed();
        if (line.startsWith(QLatin1StringView("- ")) || line.startsWith(QLatin1StringView("* ")))
            line = line.mid(2).trimmed();
        if (line.isEmpty())
            continue;
        if (line.size() <= namingTitleLimit)
            return line;
        // One longer, so that a word which ends exactly at the limit stays whole.
        const qsizetype space = QStringView(line).left(namingTitleLimit).lastIndexOf(QLatin1Char(' '));
        qsizetype cut = line.at(namingTitleLimit - 1) == QLatin1Char(' ') || line.at(namingTitleLimit) == QLatin1Char(' ')
            ? namingTitleLimit
            : space;
        if (cut < namingTitleLimit / 3)
            cut = namingTitleLimit; // one endless word
        if (cut > 0 && line.at(cut - 1).isHighSurrogate())
            --cut;
        return line.left(cut).trimmed();
    }
    return {};
}

QString titleForTask(const CreateTask &command, const QString &promptText)
{
    if (command.title && !command.title->simplified().isEmpty())
        return command.title->simplified().left(200);
    QString title = titleFromPrompt(promptText);
    if (!title.isEmpty())
        return title;
    return command.onBranch ? *command.onBranch : QStringLiteral("New task");
}

Result<BranchChoice> branchForTask(const CreateTask &command, const QString &title, const std::function<bool(const QString &)> &taken)
{
    BranchChoice choice;
    const auto named = command.onBranch ? command.onBranch : command.branch;
    if (named && !named->trimmed().isEmpty()) {
        choice.branch = named->trimmed();
        choice.adopt = command.onBranch.has_value();
        choice.isExplicit = true;
        if (!isValidBranchName(choice.branch))
            return badBranch(choice.branch);
        if (taken(choice.branch))
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
                QStringLiteral("Another task works on the branch “%1” already.").arg(choice.branch),
                QStringLiteral("Open that task, or choose another branch name."), QStringLiteral("branch"));
        return choice;
    }
    const QString made = slugForBranch(title, command.taskId.value);
    choice.branch = made;
    for (int i = 2; taken(choice.branch); ++i)
        choice.branch = made + QLatin1Char('-') + QString::number(i);
    return choice;
}

} // namespace foundry::backend
