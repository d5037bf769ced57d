#include "backend/git/refresolver.h"

#include <QRegularExpression>

#include <algorithm>

namespace foundry::backend {

namespace {

QStringList refNames(const QString &name)
{
    return {QStringLiteral("refs/heads/") + name, QStringLiteral("refs/remotes/") + name,
        QStringLiteral("refs/remotes/origin/") + name, QStringLiteral("refs/tags/") + name};
}

} // namespace

QStringList refCandidateArguments(const QString &name)
{
    return QStringList{QStringLiteral("for-each-ref"), QStringLiteral("--format=%(refname)")} + refNames(name)
        + QStringList{QStringLiteral("refs/remotes/*/") + name};
}

std::optional<QString> bestRef(const QString &name, const QByteArray &listed)
{
    const QStringList found = QString::fromUtf8(listed).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    const QStringList wanted = refNames(name);
    for (const QString &ref : wanted) {
        if (found.contains(ref))
            return ref;
    }
    // The one remote that has it, when it is not origin.
    const auto other = std::find_if(found.begin(), found.end(), [&name](const QString &ref) {
        return ref.startsWith(QLatin1StringView("refs/remotes/")) && ref.section(QLatin1Char('/'), 3) == name;
    });
    return other == found.end() ? std::nullopt : std::optional<QString>(*other);
}

bool isObjectId(const QString &text)
{
    static const QRegularExpression form(QStringLiteral("^(?:[0-9a-f]{40}|[0-9a-f]{64})$"));
    return form.match(text).hasMatch();
}

bool isPlausibleRevision(const QString &text)
{
    return !text.isEmpty() && text.size() <= 1000 && !text.startsWith(QLatin1Char('-')) && !text.contains(QLatin1StringView(".."))
        && !text.contains(QLatin1Char(':')) && !text.startsWith(QLatin1Char('^'))
        && std::all_of(text.begin(), text.end(), [](QChar c) { return c.unicode() > 0x20; });
}

} // namespace foundry::backend
