#include "backend/git/giturl.h"

#include <QRegularExpression>

#include <algorithm>

namespace foundry::backend {

namespace {

Error urlError(const QString &message, const QString &action)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, action, QStringLiteral("url"));
}

Error urlKindError()
{
    return urlError(QStringLiteral("This is not an address that a repository can be cloned from."),
        QStringLiteral("Use https://host/owner/name.git, ssh://git@host/name.git, git@host:owner/name.git or file:///folder."));
}

bool urlLooksLikeToken(const QString &user)
{
    static const QRegularExpression token(QStringLiteral("^(gh[pousr]_|github_pat_|glpat-|x-token|ATBB|dckr_pat_)|^[A-Za-z0-9_-]{32,}$"));
    return token.match(user).hasMatch();
}

QString urlName(const QString &path)
{
    QString rest = path;
    while (rest.endsWith(QLatin1Char('/')))
        rest.chop(1);
    static const QRegularExpression separators(QStringLiteral("[/:]"));
    QString name = rest.section(separators, -1);
    if (name.endsWith(QLatin1StringView(".git")))
        name.chop(4);
    if (name.isEmpty() && rest.endsWith(QLatin1StringView("/.git")))
        name = rest.section(QLatin1Char('/'), -2, -2);
    return name.isEmpty() ? QStringLiteral("repository") : name;
}

const QRegularExpression &urlForm()
{
    static const QRegularExpression form(QStringLiteral("^([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/@]*)@)?([^/]*)(/.*)?$"));
    return form;
}

const QRegularExpression &scpForm()
{
    static const QRegularExpression form(QStringLiteral("^(?:([^@/:]+)@)?(\\[[^\\]]+\\]|[^:/@]+):(?!:)(.+)$"));
    return form;
}

} // namespace

Result<GitUrl> parseGitUrl(const QString &text)
{
    const QString url = text.trimmed();
    const bool printable = std::all_of(url.begin(), url.end(), [](QChar c) { return c.unicode() > 0x20 && c.unicode() != 0x7f; });
    const QRegularExpressionMatch full = urlForm().match(url);
    // Spaces are allowed in file:// only: folders have them.
    if (url.isEmpty() || url.startsWith(QLatin1Char('-')) || url.size() > 4096)
        return urlKindError();
    if (full.hasMatch()) {
        const QString scheme = full.captured(1).toLower();
        const QString user = full.captured(2);
        const QString host = full.captured(3);
        static const QStringList allowed{QStringLiteral("file"), QStringLiteral("http"), QStringLiteral("https"), QStringLiteral("ssh")};
        if (!allowed.contains(scheme))
            return urlError(QStringLiteral("Addresses that begin with %1:// are not supported.").arg(scheme),
                QStringLiteral("Use https, ssh or file."));
        const bool isFile = scheme == QLatin1StringView("file");
        if ((!printable && !isFile) || host.startsWith(QLatin1Char('-')) || user.startsWith(QLatin1Char('-'))
            || (host.isEmpty() != isFile) || full.captured(4).size() < 2)
            return urlKindError();
        if (user.contains(QLatin1Char(':')) || (scheme != QLatin1StringView("ssh") && urlLooksLikeToken(user)))
            return urlError(QStringLiteral("The address contains a password or token, which would be stored in plain files."),
                QStringLiteral("Leave it out of the address and store it with git's credential helper, or use ssh."));
        return GitUrl{scheme, url, shownGitUrl(url), urlName(full.captured(4))};
    }
    const QRegularExpressionMatch scp = scpForm().match(url);
    if (!printable || !scp.hasMatch() || scp.captured(2).startsWith(QLatin1Char('-'))
        || scp.captured(1).startsWith(QLatin1Char('-')) || scp.captured(3).startsWith(QLatin1Char('-')))
        return urlKindError();
    return GitUrl{QStringLiteral("ssh"), url, shownGitUrl(url), urlName(scp.captured(3))};
}

QString shownGitUrl(const QString &url)
{
    if (const QRegularExpressionMatch full = urlForm().match(url); full.hasMatch())
        return full.captured(1) + QStringLiteral("://") + full.captured(3) + full.captured(4);
    if (const QRegularExpressionMatch scp = scpForm().match(url); scp.hasMatch() && !url.startsWith(QLatin1Char('/')))
        return scp.captured(2) + QLatin1Char(':') + scp.captured(3);
    return url;
}

} // namespace foundry::backend
