// What a folder is to git: inspectRepository, listBranches, checkGitVersion.
#include "backend/git/gittypedjob.h"
#include "backend/git/gittrust.h"
#include "backend/git/giturl.h"

#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>

#include <algorithm>

namespace foundry::backend {

namespace {

constexpr QLatin1StringView inspectHeads("refs/heads/");
constexpr QLatin1StringView inspectOrigins("refs/remotes/origin/");

QString inspectedSetting(const QList<ScopedSetting> &settings, QLatin1StringView key)
{
    QString value;
    for (const ScopedSetting &setting : settings) {
        if (setting.key == key)
            value = setting.value;
    }
    return value;
}

class InspectJob final : public TypedGitJob<RepositoryInfo> {
public:
    InspectJob(const GitEnvironment &git, const QString &path, QObject *context, GitDone<RepositoryInfo> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_path(QDir::cleanPath(path))
    {
    }

private:
    void begin() override
    {
        const QFileInfo folder(m_path);
        if (m_path.isEmpty() || !folder.isAbsolute() || !folder.exists())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("There is no folder “%1”.").arg(m_path)));
        if (!folder.isDir())
            return fail(gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("“%1” is a file, not a folder.").arg(m_path)));
        const QStringList ask{QStringLiteral("rev-parse"), QStringLiteral("--is-bare-repository"),
            QStringLiteral("--is-inside-git-dir"), QStringLiteral("--path-format=absolute"), QStringLiteral("--git-common-dir")};
        gitOk(doing(), {m_path, ask}, [this](const GitOutput &output) {
            const QString text = output.line();
            m_info.isBare = text.section(QLatin1Char('\n'), 0, 0) == QLatin1StringView("true");
            const bool insideGitDir = text.section(QLatin1Char('\n'), 1, 1) == QLatin1StringView("true");
            m_info.commonDir = text.section(QLatin1Char('\n'), 2); // the rest: a path may contain newlines
            m_info.topLevel = m_info.commonDir;
            if (insideGitDir && !m_info.isBare) // the .git folder itself was chosen
                m_path = QFileInfo(m_info.commonDir).absolutePath();
            loadGuard(m_path, [this](const QList<ScopedSetting> &settings) { readAll(settings); });
        });
    }

    void readAll(const QList<ScopedSetting> &settings)
    {
        m_initDefault = inspectedSetting(settings, QLatin1StringView("init.defaultbranch"));
        m_info.originUrl = shownGitUrl(inspectedSetting(settings, QLatin1StringView("remote.origin.url")));
        m_info.hasIdentity = hasIdentity(settings);
        m_settings = settings;
        m_waiting = m_info.isBare ? 4 : 6;
        if (!m_info.isBare) {
            gitOk(doing(), {m_path, {QStringLiteral("rev-parse"), QStringLiteral("--show-toplevel")}}, [this](const GitOutput &output) {
                m_info.topLevel = output.line();
                arrived();
            });
            readDirty();
        }
        // Exit code 1 says: no such thing. Anything else is an error.
        maybe({QStringLiteral("symbolic-ref"), QStringLiteral("-q"), QStringLiteral("HEAD")}, [this](const QString &ref) {
            if (ref.startsWith(inspectHeads))
                m_info.headBranch = ref.mid(inspectHeads.size());
        });
        maybe({QStringLiteral("rev-parse"), QStringLiteral("-q"), QStringLiteral("--verify"), QStringLiteral("HEAD^{commit}")},
            [this](const QString &commit) { m_info.head = commit; });
        maybe({QStringLiteral("symbolic-ref"), QStringLiteral("-q"), QString(inspectOrigins) + QStringLiteral("HEAD")},
            [this](const QString &ref) { m_originHead = ref.mid(inspectOrigins.size()); });
        // Names only, and no more than say whether there is a commit anywhere and which usual names exist.
        QStringList refs{QStringLiteral("for-each-ref"), QStringLiteral("--format=%(refname)"), QStringLiteral("--count=20000"),
            QStringLiteral("refs/heads"), QStringLiteral("refs/remotes/origin")};
        maybe(refs, [this](const QString &names) { m_refs = names.split(QLatin1Char('\n'), Qt::SkipEmptyParts); });
    }

    void readDirty()
    {
        GitCall call{m_path,
            {QStringLiteral("status"), QStringLiteral("--porcelain"), QStringLiteral("-z"), QStringLiteral("--no-renames"),
                QStringLiteral("--untracked-files=normal"), QStringLiteral("--ignore-submodules=dirty")}};
        call.stream = true;
        GitRun *run = gitOk(doing(), std::move(call), [this](const GitOutput &) { arrived(); });
        connect(run, &GitRun::output, this, [this, run] {
            m_info.dirty = true; // one byte says it
            run->finishEarly();
        });
    }

    void maybe(const QStringList &arguments, std::function<void(const QString &)> found)
    {
        git({m_path, arguments}, [this, found = std::move(found)](const GitOutput &output) {
            if (output.ok())
                found(output.line());
            else if (output.outcome.end != ChildEnd::Exited || output.exitCode() != 1)
                return fail(output.error(doing()));
            arrived();
        });
    }

    void arrived()
    {
        if (--m_waiting > 0)
            return;
        const auto hasLocal = [this](const QString &name) { return !name.isEmpty() && m_refs.contains(inspectHeads + name); };
        m_info.isEmpty = !m_info.head && m_refs.isEmpty();
        if (!m_originHead.isEmpty() && (m_refs.contains(inspectOrigins + m_originHead) || hasLocal(m_originHead)))
            m_info.defaultBranch = m_originHead;
        for (const QString &name : {m_initDefault, QStringLiteral("main"), QStringLiteral("master")}) {
            if (!m_info.defaultBranch && hasLocal(name))
                m_info.defaultBranch = name;
        }
        if (!m_info.defaultBranch)
            m_info.defaultBranch = m_info.headBranch;
        const OwnPrograms own = ownPrograms(m_settings, m_info.commonDir, m_info.topLevel);
        m_info.ownPrograms = own.version;
        m_info.ownNames = own.names;
        answerWith(std::move(m_info));
    }

    bool hasIdentity(const QList<ScopedSetting> &settings) const
    {
        const auto known = [&](QLatin1StringView user, QLatin1StringView committer, QLatin1StringView variable) {
            return !inspectedSetting(settings, user).isEmpty() || !inspectedSetting(settings, committer).isEmpty()
                || m_git.environment.contains(variable);
        };
        return known(QLatin1StringView("user.name"), QLatin1StringView("committer.name"), QLatin1StringView("GIT_COMMITTER_NAME"))
            && (known(QLatin1StringView("user.email"), QLatin1StringView("committer.email"), QLatin1StringView("GIT_COMMITTER_EMAIL"))
                || m_git.environment.contains(QStringLiteral("EMAIL")));
    }

    static QString doing() { return QStringLiteral("read the repository"); }

    QString m_path;
    RepositoryInfo m_info;
    QList<ScopedSetting> m_settings;
    QString m_initDefault;
    QString m_originHead;
    QStringList m_refs;
    int m_waiting = 0;
};

class BranchesJob final : public TypedGitJob<QList<BranchInfo>> {
public:
    BranchesJob(const GitEnvironment &git, const QString &repository, QObject *context, GitDone<QList<BranchInfo>> done, int limit, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
        , m_repository(repository)
        , m_limit(limit)
    {
    }

private:
    void begin() override
    {
        const QStringList arguments{QStringLiteral("for-each-ref"), QStringLiteral("--sort=-committerdate"),
            QStringLiteral("--count=%1").arg(m_limit),
            QStringLiteral("--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(symref)%00%(HEAD)"),
            QStringLiteral("refs/heads"), QStringLiteral("refs/remotes")};
        gitOk(QStringLiteral("read the branches"), {m_repository, arguments}, [this](const GitOutput &output) {
            QList<BranchInfo> branches;
            const QList<QByteArray> lines = output.out().split('\n');
            for (const QByteArray &line : lines) {
                const QList<QByteArray> fields = line.split('\0');
                if (fields.size() != 5 || !fields[3].isEmpty()) // origin/HEAD is only another name
                    continue;
                const QString ref = QString::fromUtf8(fields[0]);
                const bool remote = !ref.startsWith(inspectHeads);
                branches.append({ref.section(QLatin1Char('/'), 2), remote, fields[4] == "*", QString::fromLatin1(fields[1]),
                    fields[2].toLongLong() * 1000});
            }
            answerWith(std::move(branches));
        });
    }

    QString m_repository;
    int m_limit;
};

class VersionJob final : public TypedGitJob<QString> {
public:
    VersionJob(const GitEnvironment &git, QObject *context, GitDone<QString> done, int deadlineMs)
        : TypedGitJob(git, deadlineMs, context, std::move(done))
    {
    }

private:
    void begin() override
    {
        gitOk(QStringLiteral("ask git for its version"), {{}, {QStringLiteral("version")}}, [this](const GitOutput &output) {
            static const QRegularExpression form(QStringLiteral("^git version (\\d+)\\.(\\d+)([^ ]*)"));
            const QRegularExpressionMatch match = form.match(output.line());
            if (!match.hasMatch())
                return fail(gitErrorOf(QLatin1StringView("not_installed"), QStringLiteral("The program git does not say its version."), output.line().left(200)));
            const QString version = match.captured(1) + QLatin1Char('.') + match.captured(2) + match.captured(3);
            if (match.captured(1).toInt() < 2 || (match.captured(1).toInt() == 2 && match.captured(2).toInt() < 36))
                return fail(gitErrorOf(QLatin1StringView("too_old"), QStringLiteral("This machine's git is version %1.").arg(version)));
            answerWith(version);
        });
    }
};

} // namespace

GitJob *inspectRepository(const GitEnvironment &git, const QString &path, QObject *context, GitDone<RepositoryInfo> done, int deadlineMs)
{
    return new InspectJob(git, path, context, std::move(done), deadlineMs);
}

GitJob *listBranches(const GitEnvironment &git, const QString &repository, QObject *context, GitDone<QList<BranchInfo>> done,
    int limit, int deadlineMs)
{
    return new BranchesJob(git, repository, context, std::move(done), limit, deadlineMs);
}

GitJob *checkGitVersion(const GitEnvironment &git, QObject *context, GitDone<QString> done, int deadlineMs)
{
    return new VersionJob(git, context, std::move(done), deadlineMs);
}

} // namespace foundry::backend
