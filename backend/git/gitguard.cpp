#include "backend/git/gitguard.h"

#include "backend/git/giterror.h"

#include <QSet>

#include <algorithm>

namespace foundry::backend {

namespace {

constexpr qsizetype guardLimit = 2000; // they travel in the environment

struct GuardRule {
    const char *section;
    bool subsection; // section.<anything>.variable; else section.variable
    const char *variable;
    const char *neutral; // nullptr: cannot be overridden, see GitGuard::environment
};

// What git (and git-lfs, which reads the same configuration) runs or obeys as a program.
constexpr GuardRule guardRules[] = {
    {"filter", true, "clean", ""},
    {"filter", true, "smudge", ""},
    {"filter", true, "process", ""},
    {"filter", true, "required", "false"},
    {"diff", true, "command", ""},
    {"diff", true, "textconv", ""},
    {"diff", false, "external", ""},
    {"merge", true, "driver", "false"},
    {"core", false, "sshcommand", "ssh"},
    {"core", false, "gitproxy", "none"},
    {"core", false, "askpass", ""},
    {"core", false, "editor", "false"},
    {"core", false, "pager", "cat"},
    {"core", false, "alternaterefscommand", "true"},
    {"ssh", false, "variant", "auto"},
    {"sequence", false, "editor", "false"},
    {"gpg", false, "program", "false"},
    {"gpg", true, "program", "false"},
    {"gpg", true, "defaultkeycommand", "false"},
    {"remote", true, "uploadpack", nullptr},
    {"remote", true, "receivepack", nullptr},
    {"submodule", true, "update", "none"},
    {"interactive", false, "difffilter", "cat"},
    {"lfs", true, "path", "false"},
    {"lfs", true, "clean", "false"},
    {"lfs", true, "smudge", "false"},
    {"lfs", true, "standalonetransferagent", ""},
    {"lfs", false, "standalonetransferagent", ""},
};

struct GuardKey {
    QStringView section;
    bool hasSubsection = false;
    QStringView variable;
};

GuardKey guardSplit(const QString &key)
{
    const QStringView view(key);
    const qsizetype first = view.indexOf(QLatin1Char('.'));
    const qsizetype last = view.lastIndexOf(QLatin1Char('.'));
    if (first < 0)
        return {view, false, {}};
    return {view.left(first), last > first, view.mid(last + 1)};
}

const GuardRule *guardRule(const QString &key)
{
    const GuardKey parts = guardSplit(key);
    const auto found = std::find_if(std::begin(guardRules), std::end(guardRules), [&parts](const GuardRule &rule) {
        return rule.subsection == parts.hasSubsection
            && parts.section.compare(QLatin1StringView(rule.section), Qt::CaseInsensitive) == 0
            && parts.variable.compare(QLatin1StringView(rule.variable), Qt::CaseInsensitive) == 0;
    });
    return found == std::end(guardRules) ? nullptr : found;
}

bool guardIsCredentialHelper(const QString &key)
{
    const GuardKey parts = guardSplit(key);
    return parts.section.compare(QLatin1StringView("credential"), Qt::CaseInsensitive) == 0
        && parts.variable.compare(QLatin1StringView("helper"), Qt::CaseInsensitive) == 0;
}

bool guardIsOfRepository(const ScopedSetting &setting)
{
    return setting.scope == QLatin1StringView("local") || setting.scope == QLatin1StringView("worktree");
}

bool guardIsOfUser(const ScopedSetting &setting)
{
    return setting.scope == QLatin1StringView("global") || setting.scope == QLatin1StringView("system");
}

} // namespace

QStringList guardListArguments()
{
    return {QStringLiteral("config"), QStringLiteral("--list"), QStringLiteral("--includes"),
        QStringLiteral("--show-scope"), QStringLiteral("-z")};
}

Result<QList<ScopedSetting>> parseScopedSettings(const QByteArray &listed)
{
    QList<ScopedSetting> settings;
    QList<QByteArray> parts = listed.split('\0');
    if (!parts.isEmpty() && parts.last().isEmpty())
        parts.removeLast();
    if (parts.size() % 2 != 0)
        return gitErrorOf(QLatin1StringView("damaged"), QStringLiteral("Git's configuration could not be read."));
    for (qsizetype i = 0; i < parts.size(); i += 2) {
        const qsizetype newline = parts[i + 1].indexOf('\n');
        // A name without a value means true.
        const QByteArray key = newline < 0 ? parts[i + 1] : parts[i + 1].left(newline);
        const QByteArray value = newline < 0 ? QByteArray("true") : parts[i + 1].mid(newline + 1);
        settings.append({QString::fromUtf8(parts[i]), QString::fromUtf8(key), QString::fromUtf8(value)});
    }
    return settings;
}

bool namesProgramOfRepository(const ScopedSetting &setting)
{
    if (!guardIsOfRepository(setting) || setting.value.isEmpty())
        return false;
    if (guardIsCredentialHelper(setting.key))
        return true;
    const QStringView variable = guardSplit(setting.key).variable;
    if (!guardRule(setting.key) || variable == QLatin1StringView("required") || variable == QLatin1StringView("variant"))
        return false;
    return variable != QLatin1StringView("update") || setting.value.startsWith(QLatin1Char('!'));
}

Result<GitGuard> guardAgainst(const QList<ScopedSetting> &settings)
{
    GitGuard guard;
    QSet<QString> done;
    bool ownHelpers = false;
    for (const ScopedSetting &setting : settings) {
        if (!guardIsOfRepository(setting))
            continue;
        if (guardIsCredentialHelper(setting.key)) {
            ownHelpers = true;
            continue;
        }
        const GuardRule *rule = guardRule(setting.key);
        if (!rule || done.contains(setting.key))
            continue;
        if (!rule->neutral) {
            guard.environment.insert(QStringLiteral("GIT_ALLOW_PROTOCOL"), QStringLiteral("none"));
            continue;
        }
        // A name that is not UTF-8 cannot be handed over exactly; overriding another one would protect nothing.
        if (setting.key.contains(QChar::ReplacementCharacter))
            return gitErrorOf(QLatin1StringView("damaged"),
                QStringLiteral("The repository's own configuration has a setting whose name cannot be read."));
        done.insert(setting.key);
        QString value = QString::fromLatin1(rule->neutral);
        for (const ScopedSetting &other : settings) {
            if (other.key == setting.key && guardIsOfUser(other))
                value = other.value;
        }
        guard.settings.append({setting.key, value});
    }
    if (ownHelpers) {
        // An empty helper empties the list; then the user's own follow in their order.
        guard.settings.append({QStringLiteral("credential.helper"), {}});
        for (const ScopedSetting &setting : settings) {
            if (guardIsOfUser(setting) && guardIsCredentialHelper(setting.key))
                guard.settings.append({setting.key, setting.value});
        }
    }
    if (guard.settings.size() > guardLimit)
        return gitErrorOf(QLatin1StringView("damaged"),
            QStringLiteral("The repository's own configuration names %1 programs, more than can be switched off.")
                .arg(guard.settings.size()));
    return guard;
}

} // namespace foundry::backend
