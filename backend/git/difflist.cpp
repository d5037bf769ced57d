#include "backend/git/difflist.h"

#include "backend/git/gitpath.h"

#include <QHash>

namespace foundry::backend {

namespace {

// The pieces between NULs; the last is dropped when it is not ended by one.
class DiffTokens {
public:
    explicit DiffTokens(const QByteArray &text)
        : m_text(text)
    {
    }
    bool next(QByteArray &token)
    {
        const qsizetype end = m_text.indexOf('\0', m_at);
        if (end < 0)
            return false;
        token = m_text.mid(m_at, end - m_at);
        m_at = end + 1;
        return true;
    }

private:
    const QByteArray &m_text;
    qsizetype m_at = 0;
};

} // namespace

QString changeId(ChangeScope scope, const QString &path)
{
    return OpenEnum<ChangeScope>(scope).text() + QLatin1Char(':') + path;
}

QList<FileChange> parseDiffList(const QByteArray &listed, ChangeScope scope)
{
    QList<FileChange> changes;
    QHash<QByteArray, qsizetype> byPath;
    DiffTokens tokens(listed);
    QByteArray token;
    while (tokens.next(token)) {
        if (token.startsWith(':')) {
            // :<mode> <mode> <id> <id> <status>[score] NUL path NUL [new path NUL]
            const QByteArray status = token.mid(token.lastIndexOf(' ') + 1);
            const char letter = status.isEmpty() ? 'M' : status[0];
            QByteArray path;
            QByteArray oldPath;
            if (!tokens.next(path))
                break;
            if (letter == 'R' || letter == 'C') {
                oldPath = path;
                if (!tokens.next(path))
                    break;
            }
            const auto known = byPath.constFind(path);
            if (known != byPath.constEnd()) { // an unmerged file comes twice
                if (letter == 'U')
                    changes[*known].status = QStringLiteral("U");
                continue;
            }
            FileChange change;
            change.path = pathFromGit(path);
            change.id = changeId(scope, change.path);
            if (!oldPath.isEmpty())
                change.oldPath = pathFromGit(oldPath);
            change.scope = scope;
            change.status = QString(QLatin1Char(QByteArrayView("AMDRCTU").contains(letter) ? letter : 'M'));
            byPath.insert(path, changes.size());
            changes.append(change);
            continue;
        }
        // <added>TAB<removed>TAB<path> NUL, or with an empty path: NUL old NUL new NUL
        const qsizetype first = token.indexOf('\t');
        const qsizetype second = first < 0 ? -1 : token.indexOf('\t', first + 1);
        if (second < 0)
            continue;
        QByteArray path = token.mid(second + 1);
        if (path.isEmpty()) {
            QByteArray oldPath;
            if (!tokens.next(oldPath) || !tokens.next(path))
                break;
        }
        const auto known = byPath.constFind(path);
        if (known == byPath.constEnd())
            continue;
        FileChange &change = changes[*known];
        if (token.startsWith('-')) {
            change.binary = true;
        } else {
            change.added += token.left(first).toLongLong();
            change.removed += token.mid(first + 1, second - first - 1).toLongLong();
        }
    }
    return changes;
}

QList<QByteArray> parseNameList(const QByteArray &listed)
{
    QList<QByteArray> names;
    DiffTokens tokens(listed);
    QByteArray token;
    while (tokens.next(token)) {
        if (!token.isEmpty())
            names.append(token);
    }
    return names;
}

} // namespace foundry::backend
