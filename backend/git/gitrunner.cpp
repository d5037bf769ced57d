#include "backend/git/gitrunner.h"

#include "backend/git/giterror.h"
#include "backend/git/gitprogress.h"
#include "backend/git/leftlock.h"

#include <QDateTime>
#include <QStandardPaths>

namespace foundry::backend {

namespace {

// A git of the life before has two seconds to end after its SIGTERM.
constexpr int leftLockLooks = 20;
constexpr int leftLockPauseMs = 100;

// Variables that a user sets to reach servers and to name themselves. Every other GIT_… variable is dropped: they
// redirect git to another repository or index, name programs, or change what it prints.
bool runnerKeepsVariable(const QString &name)
{
    if (!name.startsWith(QLatin1StringView("GIT_")))
        return name != QLatin1StringView("LANGUAGE") && name != QLatin1StringView("PAGER");
    static const QLatin1StringView kept[] = {QLatin1StringView("GIT_CONFIG_GLOBAL"),
        QLatin1StringView("GIT_CONFIG_SYSTEM"), QLatin1StringView("GIT_CONFIG_NOSYSTEM"),
        QLatin1StringView("GIT_EXEC_PATH"), QLatin1StringView("GIT_SSH"), QLatin1StringView("GIT_SSH_COMMAND"),
        QLatin1StringView("GIT_SSH_VARIANT"), QLatin1StringView("GIT_SSL_CAINFO"), QLatin1StringView("GIT_SSL_CAPATH"),
        QLatin1StringView("GIT_SSL_CERT"), QLatin1StringView("GIT_SSL_KEY"), QLatin1StringView("GIT_SSL_VERSION"),
        QLatin1StringView("GIT_SSL_NO_VERIFY"), QLatin1StringView("GIT_HTTP_USER_AGENT"),
        QLatin1StringView("GIT_HTTP_PROXY_AUTHMETHOD"), QLatin1StringView("GIT_AUTHOR_NAME"),
        QLatin1StringView("GIT_AUTHOR_EMAIL"), QLatin1StringView("GIT_COMMITTER_NAME"),
        QLatin1StringView("GIT_COMMITTER_EMAIL")};
    return std::find(std::begin(kept), std::end(kept), name) != std::end(kept);
}

ChildSpec runnerSpec(const GitEnvironment &git, const GitCall &call)
{
    ChildSpec spec;
    spec.program = git.program;
    spec.arguments = {QStringLiteral("--no-pager"), QStringLiteral("--literal-pathspecs")};
    // Our own file-name patterns opt out of literal pathspecs by this variable.
    if (call.environment.contains(QStringLiteral("GIT_LITERAL_PATHSPECS")))
        spec.arguments.removeLast();
    if (!call.directory.isEmpty())
        spec.arguments << QStringLiteral("-C") << call.directory;
    spec.arguments += call.arguments;
    spec.environment = git.environment;
    const QList<GitSetting> settings = alwaysSettings() + call.settings;
    for (qsizetype i = 0; i < settings.size(); ++i) {
        spec.environment.insert(QStringLiteral("GIT_CONFIG_KEY_%1").arg(i), settings[i].key);
        spec.environment.insert(QStringLiteral("GIT_CONFIG_VALUE_%1").arg(i), settings[i].value);
    }
    spec.environment.insert(QStringLiteral("GIT_CONFIG_COUNT"), QString::number(settings.size()));
    for (auto it = call.environment.begin(); it != call.environment.end(); ++it)
        spec.environment.insert(it.key(), it.value());
    spec.input = call.input;
    spec.deadlineMs = call.deadlineMs;
    spec.idleDeadlineMs = call.idleDeadlineMs;
    spec.outputCap = call.outputCap;
    spec.streamOutput = call.stream;
    spec.dieWithParent = true;
    return spec;
}

} // namespace

QProcessEnvironment cleanGitEnvironment(const QProcessEnvironment &from)
{
    QProcessEnvironment clean;
    const QStringList names = from.keys();
    for (const QString &name : names) {
        if (runnerKeepsVariable(name))
            clean.insert(name, from.value(name));
    }
    const auto set = [&clean](const char *name, const char *value) {
        clean.insert(QString::fromLatin1(name), QString::fromLatin1(value));
    };
    set("LC_ALL", "C.UTF-8"); // messages are classified by their English text; file names stay UTF-8
    set("TERM", "dumb");
    // Never a question: git's own prompt, its graphical helpers, ssh's, and the credential manager's windows.
    set("GIT_TERMINAL_PROMPT", "0");
    set("GIT_ASKPASS", "");
    set("SSH_ASKPASS", "");
    set("SSH_ASKPASS_REQUIRE", "never");
    set("GCM_INTERACTIVE", "never");
    // Reading never takes the index lock, so that an agent's own git is not disturbed.
    set("GIT_OPTIONAL_LOCKS", "0");
    // Beats protocol.* of every configuration: no ext::, no fd::, no remote helpers.
    set("GIT_ALLOW_PROTOCOL", "file:http:https:ssh");
    set("GIT_PROGRESS_DELAY", "0");
    // Programs that fail at once, should anything ever want an editor.
    set("GIT_EDITOR", "false");
    set("GIT_SEQUENCE_EDITOR", "false");
    return clean;
}

GitEnvironment systemGitEnvironment()
{
    GitEnvironment git;
    git.environment = cleanGitEnvironment(QProcessEnvironment::systemEnvironment());
    git.startedAt = QDateTime::currentMSecsSinceEpoch();
    return git;
}

QList<GitSetting> alwaysSettings()
{
    static const QList<GitSetting> settings = [] {
        QList<GitSetting> list;
        const auto add = [&list](const char *key, const char *value) {
            list.append({QString::fromLatin1(key), QString::fromLatin1(value)});
        };
        add("core.hooksPath", "/dev/null");
        add("core.fsmonitor", "false");
        add("core.untrackedCache", "false");
        add("core.splitIndex", "false");
        add("core.askPass", "");
        add("diff.external", "");
        add("protocol.ext.allow", "never");
        add("submodule.recurse", "false");
        add("fetch.recurseSubmodules", "false");
        add("gc.auto", "0"); // no background process that outlives us
        add("maintenance.auto", "false");
        add("log.showSignature", "false");
        add("commit.gpgSign", "false");
        add("tag.gpgSign", "false");
        add("push.gpgSign", "false");
        add("color.ui", "false");
        add("advice.detachedHead", "false");
        add("diff.suppressBlankEmpty", "false");
        return list;
    }();
    return settings;
}

QString GitOutput::line() const
{
    QByteArray text = outcome.output;
    while (text.endsWith('\n') || text.endsWith('\r'))
        text.chop(1);
    return QString::fromUtf8(text);
}

Error GitOutput::error(const QString &doing) const
{
    return gitError(doing, outcome);
}

GitRun::GitRun(const GitEnvironment &git, GitCall call, QObject *parent)
    : QObject(parent)
    , m_runs(git.metrics ? &git.metrics->gitRuns.with({call.arguments.value(0).toLatin1()}) : nullptr)
    , m_spec(runnerSpec(git, call))
    , m_startedAt(git.startedAt)
{
    m_again.setSingleShot(true);
    connect(&m_again, &QTimer::timeout, this, [this] {
        if (m_last.end == ChildEnd::Cancelled)
            Q_EMIT finished(GitOutput{m_last});
        else
            start();
    });
}

void GitRun::start()
{
    if (m_runs)
        m_runs->add();
    if (m_child)
        m_child->deleteLater(); // we are called long after its end
    m_child = new ChildProcess(m_spec, this);
    connect(m_child, &ChildProcess::output, this, &GitRun::output);
    connect(m_child, &ChildProcess::errorLine, this, [this](const QByteArray &line) {
        if (const auto step = parseGitProgress(line))
            Q_EMIT progress(step->fraction, step->phase);
    });
    connect(m_child, &ChildProcess::finished, this, &GitRun::ended);
    m_child->start();
}

void GitRun::ended(const ChildOutcome &outcome)
{
    if (outcome.end == ChildEnd::Exited && outcome.exitCode != 0 && m_looks < leftLockLooks) {
        const LeftLock lock = clearLeftLock(outcome.errorTail, m_startedAt);
        if (lock != LeftLock::NotOurs) {
            ++m_looks;
            m_last = outcome;
            m_again.start(lock == LeftLock::Held ? leftLockPauseMs : 0);
            return;
        }
    }
    Q_EMIT finished(GitOutput{outcome});
}

void GitRun::cancel()
{
    if (m_again.isActive()) {
        m_last.end = ChildEnd::Cancelled;
        m_again.start(0);
    } else if (m_child) {
        m_child->cancel();
    }
}

void GitRun::finishEarly()
{
    if (m_again.isActive())
        cancel();
    else if (m_child)
        m_child->finishEarly();
}

} // namespace foundry::backend
