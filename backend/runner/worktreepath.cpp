#include "backend/runner/worktreepath.h"

#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>

namespace foundry::runner {

namespace {

bool pathIsBelow(const QString &path, const QString &root)
{
    return path == root || path.startsWith(root.endsWith(QLatin1Char('/')) ? root : root + QLatin1Char('/'));
}

ResolvedPath pathRefused(const QString &path, const char *why)
{
    return {{}, {}, QStringLiteral("“%1” %2.").arg(path, QLatin1String(why))};
}

} // namespace

ResolvedPath resolveInside(const QString &root, const QString &path)
{
    const QString canonicalRoot = QFileInfo(root).canonicalFilePath();
    if (path.trimmed().isEmpty() || canonicalRoot.isEmpty())
        return pathRefused(path, "is no path");
    const QString wanted = QDir::cleanPath(QDir::isAbsolutePath(path) ? path : root + QLatin1Char('/') + path);
    // The deepest part that is there decides where the rest would come to lie.
    QString existing = wanted;
    QString missing;
    while (!QFileInfo::exists(existing)) {
        if (QFileInfo(existing).isSymLink())
            return pathRefused(path, "is a link that leads nowhere");
        missing = QFileInfo(existing).fileName() + (missing.isEmpty() ? QString() : QLatin1Char('/') + missing);
        const QString parent = QFileInfo(existing).path();
        if (parent == existing)
            return pathRefused(path, "is no path");
        existing = parent;
    }
    const QString canonical = QFileInfo(existing).canonicalFilePath();
    const QString full = missing.isEmpty() ? canonical : canonical + QLatin1Char('/') + missing;
    if (!pathIsBelow(full, canonicalRoot))
        return pathRefused(path, "lies outside of the work tree");
    const QString relative = full.mid(canonicalRoot.size() + 1);
    if (QFileInfo(full).isDir())
        return pathRefused(path, "is a folder");
    if (!missing.isEmpty() && !QFileInfo(existing).isDir())
        return pathRefused(path, "goes through a file");
    for (const QString &part : relative.split(QLatin1Char('/'))) {
        if (part.compare(QLatin1String(".git"), Qt::CaseInsensitive) == 0)
            return pathRefused(path, "lies in git's own folder");
    }
    return {full, relative, {}};
}

bool matchesGlob(const QString &relative, const QString &glob)
{
    if (glob.isEmpty())
        return true;
    const QString subject = glob.contains(QLatin1Char('/')) ? relative : relative.section(QLatin1Char('/'), -1);
    // Qt's wildcard stops `*` at a slash; `**` is ours.
    QString pattern = QRegularExpression::wildcardToRegularExpression(glob, QRegularExpression::UnanchoredWildcardConversion);
    pattern.replace(QLatin1String("[^/]*[^/]*/"), QLatin1String("(?:.*/)?")).replace(QLatin1String("[^/]*[^/]*"), QLatin1String(".*"));
    return QRegularExpression(QRegularExpression::anchoredPattern(pattern)).match(subject).hasMatch();
}

} // namespace foundry::runner
