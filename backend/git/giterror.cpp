#include "backend/git/giterror.h"

#include <QRegularExpression>

#include <algorithm>

namespace foundry::backend {

namespace {

struct ErrorAction {
    QLatin1StringView code;
    QLatin1StringView action;
};

// What people can do, by code.
constexpr ErrorAction errorActions[] = {
    {QLatin1StringView("not_installed"), QLatin1StringView("Install git (Debian, Ubuntu: apt install git) and try again.")},
    {QLatin1StringView("too_old"), QLatin1StringView("Install git 2.36 or newer and try again.")},
    {QLatin1StringView("not_found"), QLatin1StringView("Check the spelling of the folder or address, and that you may read it.")},
    {QLatin1StringView("not_a_repository"), QLatin1StringView("Choose a folder that is a git repository, or run `git init` in it and make a first commit.")},
    {QLatin1StringView("empty_repository"), QLatin1StringView("Make a first commit, then try again: a task starts from a commit.")},
    {QLatin1StringView("untrusted"), QLatin1StringView("If you trust it, tell git so and try again: see the command below.")},
    {QLatin1StringView("missing_ref"), QLatin1StringView("Choose a branch or commit that exists.")},
    {QLatin1StringView("branch_exists"), QLatin1StringView("Take that branch over for this task, or choose another name.")},
    {QLatin1StringView("branch_in_use"), QLatin1StringView("Choose another branch, or close the checkout that has it.")},
    {QLatin1StringView("invalid_name"), QLatin1StringView("Choose a name without spaces and special characters, for example fix-login.")},
    {QLatin1StringView("path_exists"), QLatin1StringView("Move the folder away, or choose another place.")},
    {QLatin1StringView("dirty"), QLatin1StringView("Commit the changes or say that they may be lost.")},
    {QLatin1StringView("conflict"), QLatin1StringView("Resolve the conflicts in the files named, then try again.")},
    {QLatin1StringView("locked"), QLatin1StringView("Another git is working in this repository, or one was interrupted. Wait for it; when none runs, delete the lock file named and try again.")},
    {QLatin1StringView("no_space"), QLatin1StringView("Make room on the disk and try again.")},
    {QLatin1StringView("read_only"), QLatin1StringView("Make the folder writable for you, or choose another one.")},
    {QLatin1StringView("auth_failed"), QLatin1StringView("Sign in outside first (an ssh key in the agent, or git's credential helper), check with `git ls-remote`, then try again. No password is ever asked for here.")},
    {QLatin1StringView("host_key"), QLatin1StringView("Connect once with ssh in a terminal and check the server's key, then try again.")},
    {QLatin1StringView("network"), QLatin1StringView("Check the address and your connection, then try again.")},
    {QLatin1StringView("no_identity"), QLatin1StringView("Tell git who you are: git config --global user.name \"Your Name\" and git config --global user.email you@example.com")},
    {QLatin1StringView("nothing_to_commit"), QLatin1StringView("Change a file first, or name other files.")},
    {QLatin1StringView("changed"), QLatin1StringView("Read it again from the beginning.")},
    {QLatin1StringView("damaged"), QLatin1StringView("Check the repository with `git fsck` and its .git/config, then try again.")},
    {QLatin1StringView("timeout"), QLatin1StringView("Try again; if it happens again, look whether the disk or the server hangs.")},
    {QLatin1StringView("cancelled"), QLatin1StringView("")},
    {QLatin1StringView("failed"), QLatin1StringView("See what git wrote below, then try again.")},
};

struct ErrorRule {
    const char *pattern; // of git's or ssh's English words, case-insensitive
    QLatin1StringView code;
    const char *message; // %1: the first captured text, where there is one
};

// The first that fits. Causes before their consequences: a full disk also makes git say "fatal: index-pack failed".
const ErrorRule errorRules[] = {
    {"No space left on device|Disk quota exceeded", QLatin1StringView("no_space"), "There is no space left on the disk."},
    {"detected dubious ownership in repository at '([^']*)'|unsafe repository \\('([^']*)'", QLatin1StringView("untrusted"),
        "The folder %1 belongs to another user, and git refuses to work in it."},
    {"Host key verification failed", QLatin1StringView("host_key"), "The server's ssh key is unknown or has changed."},
    {"terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|Invalid username or password|invalid credentials"
     "|Permission denied \\((?:publickey|password|keyboard|gssapi|hostbased)[^)]*\\)|returned error: 40[13]|HTTP Basic: Access denied|Permission to .* denied to|Too many authentication failures",
        QLatin1StringView("auth_failed"), "The server asks for a sign-in that is not there, or refuses it."},
    {"server certificate verification failed|SSL certificate problem|certificate subject name", QLatin1StringView("network"),
        "The server's certificate could not be verified."},
    {"transport '([^']*)' not allowed", QLatin1StringView("invalid_name"), "Addresses of the kind %1 are not allowed."},
    {"unable to find remote helper for '([^']*)'|remote-([a-z]+) is not a git command|remote helper '([^']*)' aborted", QLatin1StringView("invalid_name"),
        "Addresses of the kind %1 are not supported."},
    {"Could not resolve (?:host|proxy)(?:name)?:? ?([^\\s;,]*)|Name or service not known", QLatin1StringView("network"),
        "The server %1 could not be found."},
    {"Connection refused|Connection timed out|Connection reset|Operation timed out|Failed to connect|Couldn't connect|Network is unreachable|No route to host"
     "|Connection closed by|Empty reply from server|early EOF|unexpected disconnect|The requested URL returned error: 5|TLS connection was non-properly terminated|GnuTLS recv error|RPC failed",
        QLatin1StringView("network"), "The connection to the server failed."},
    {"repository '([^']*)' (?:does not exist|not found)|Repository not found|'([^']*)' does not appear to be a git repository|The requested URL returned error: 404",
        QLatin1StringView("not_found"), "There is no repository at %1, or you may not see it."},
    {"cannot change to '([^']*)': (?:No such file|Not a directory)", QLatin1StringView("not_found"), "There is no folder %1."},
    {"cannot change to '([^']*)': Permission denied", QLatin1StringView("not_found"), "The folder %1 may not be read."},
    {"cannot use bare repository '([^']*)'", QLatin1StringView("untrusted"), "Your git configuration (safe.bareRepository) forbids bare repositories such as %1."},
    {"not a git repository", QLatin1StringView("not_a_repository"), "This folder is not in a git repository."},
    {"Unable to create '([^']*\\.lock)': File exists|could not lock config file ([^:]*): File exists", QLatin1StringView("locked"),
        "The repository is locked: %1 exists."},
    // Git makes that file empty and then fills it; whoever reads all work trees in between ends so, with "Success".
    {"failed to read ([^\n]*/worktrees/[^\n]*/commondir)", QLatin1StringView("locked"), "Another work tree of this repository is being made: %1 is still empty."},
    {"(?:a branch named|fatal: branch) '([^']*)' already exists|refs/heads/([^':]*)': reference already exists|'refs/heads/([^']*)' exists; cannot create"
     "|cannot lock ref 'refs/heads/[^']*': there is a non-empty directory '([^']*)'",
        QLatin1StringView("branch_exists"), "A branch in the way exists already: %1."},
    {"'([^']*)' is already (?:checked out|used by worktree) at '([^']*)'", QLatin1StringView("branch_in_use"),
        "The branch %1 is checked out in another folder."},
    {"is not a valid branch name|not a valid ref name|invalid ref format|refusing to update ref with bad name|'([^']*)' is not a valid (?:branch|ref)", QLatin1StringView("invalid_name"),
        "Git does not allow this name for a branch."},
    {"contains modified or untracked files", QLatin1StringView("dirty"), "There is work in this folder that is in no commit."},
    {"local changes to the following files would be overwritten|You have unstaged changes|index contains uncommitted changes", QLatin1StringView("dirty"),
        "There are changes that are in no commit."},
    {"CONFLICT \\(|fix conflicts|unmerged (?:files|paths)|needs merge", QLatin1StringView("conflict"), "There are conflicts to resolve."},
    {"Please tell me who you are|empty ident name|unable to auto-detect email address|no (?:email|name) was given and auto-detection is disabled",
        QLatin1StringView("no_identity"), "Git does not know your name and e-mail address, so no commit can be made."},
    {"unknown revision|bad revision|Needed a single revision|invalid reference: ?(.*)|couldn't find remote ref (.*)|Remote branch ([^ ]*) not found|not a valid object name:? ?(.*)",
        QLatin1StringView("missing_ref"), "The branch or commit was not found."},
    {"destination path '([^']*)' already exists|fatal: '([^']*)' already exists", QLatin1StringView("path_exists"), "The folder %1 exists already."},
    {"Read-only file system|could not create (?:leading directories|work tree dir|directory)[^\n]*Permission denied|unable to create[^\n]*Permission denied|insufficient permission|Permission denied", QLatin1StringView("read_only"),
        "The folder may not be written."},
    {"object file [^ ]* is empty|loose object [^ ]* .* is corrupt|bad config (?:line|variable|value)|index file (?:corrupt|smaller)|unable to read tree|bad object|missing (?:blob|tree|commit)|bad tree object|packfile .* (?:corrupt|cannot be)",
        QLatin1StringView("damaged"), "Git finds the repository damaged."},
};

QString errorFirstCapture(const QRegularExpressionMatch &match)
{
    for (int i = 1; i <= match.lastCapturedIndex(); ++i) {
        if (!match.captured(i).isEmpty())
            return match.captured(i);
    }
    return {};
}

QString errorTail(const QByteArray &text)
{
    static const QRegularExpression lineEnds(QStringLiteral("[\r\n]+"));
    const QStringList lines = withoutSecrets(QString::fromUtf8(text)).split(lineEnds, Qt::SkipEmptyParts);
    QStringList kept;
    for (const QString &line : lines) {
        if (!line.contains(QLatin1StringView("% (")) || line.contains(QLatin1StringView("fatal")))
            kept.append(line);
    }
    return kept.mid(qMax<qsizetype>(0, kept.size() - 12)).join(QLatin1Char('\n')).right(2000);
}

} // namespace

QString withoutSecrets(const QString &text)
{
    static const QRegularExpression user(QStringLiteral("([A-Za-z][A-Za-z0-9+.-]*://)[^/@\\s'\"]+@"));
    QString clean = text;
    return clean.replace(user, QStringLiteral("\\1"));
}

Error gitErrorOf(QLatin1StringView code, const QString &message, const QString &detail)
{
    const auto found = std::find_if(std::begin(errorActions), std::end(errorActions),
        [code](const ErrorAction &entry) { return entry.code == code; });
    return makeError(QLatin1StringView("git"), code, message,
        found == std::end(errorActions) ? QString() : QString(found->action), detail);
}

Error gitErrorFromText(const QString &doing, int exitCode, const QByteArray &errorText)
{
    const QString text = QString::fromUtf8(errorText);
    const QString detail = errorTail(errorText);
    for (const ErrorRule &rule : errorRules) {
        const QRegularExpression form(QString::fromLatin1(rule.pattern), QRegularExpression::CaseInsensitiveOption);
        const QRegularExpressionMatch match = form.match(text);
        if (!match.hasMatch())
            continue;
        QString message = QString::fromLatin1(rule.message);
        const QString captured = withoutSecrets(errorFirstCapture(match));
        if (message.contains(QLatin1StringView("%1")))
            message = message.arg(captured.isEmpty() ? QStringLiteral("(not named)") : captured);
        message.replace(QStringLiteral(" (not named)"), QString());
        Error error = gitErrorOf(rule.code, QStringLiteral("Could not %1. %2").arg(doing, message), detail);
        if (rule.code == QLatin1StringView("untrusted") && !captured.isEmpty()
            && !text.contains(QLatin1StringView("bare repository"))) {
            error.action = QStringLiteral("If you trust it, run: git config --global --add safe.directory %1").arg(
                captured.contains(QLatin1Char(' ')) ? QLatin1Char('\'') + captured + QLatin1Char('\'') : captured);
        }
        return error;
    }
    return gitErrorOf(QLatin1StringView("failed"),
        QStringLiteral("Could not %1: git ended with code %2.").arg(doing).arg(exitCode), detail);
}

Error gitError(const QString &doing, const ChildOutcome &outcome)
{
    switch (outcome.end) {
    case ChildEnd::FailedToStart:
        return gitErrorOf(QLatin1StringView("not_installed"),
            QStringLiteral("Could not %1: the program git was not found or could not be started.").arg(doing), outcome.startError);
    case ChildEnd::Cancelled:
        return gitErrorOf(QLatin1StringView("cancelled"), QStringLiteral("Cancelled."));
    case ChildEnd::Deadline:
        return gitErrorOf(QLatin1StringView("timeout"),
            QStringLiteral("Could not %1: git did not finish in time and was stopped.").arg(doing), errorTail(outcome.errorTail));
    case ChildEnd::IdleDeadline:
        return gitErrorOf(QLatin1StringView("timeout"),
            QStringLiteral("Could not %1: git stopped answering and was ended.").arg(doing), errorTail(outcome.errorTail));
    case ChildEnd::OutputCap:
        return gitErrorOf(QLatin1StringView("failed"),
            QStringLiteral("Could not %1: git wrote more than can be taken in.").arg(doing));
    case ChildEnd::Crashed:
        return gitErrorOf(QLatin1StringView("failed"),
            QStringLiteral("Could not %1: git was ended by signal %2.").arg(doing).arg(outcome.signal), errorTail(outcome.errorTail));
    case ChildEnd::Exited:
        break;
    }
    return gitErrorFromText(doing, outcome.exitCode, outcome.errorTail);
}

} // namespace foundry::backend
