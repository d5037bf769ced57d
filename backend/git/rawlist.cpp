#include "backend/git/rawlist.h"

namespace foundry::backend {

namespace {

TreeEntry rawEntry(const QByteArray &mode, const QByteArray &id)
{
    return mode == "000000" ? TreeEntry{} : TreeEntry{mode, id};
}

} // namespace

QStringList rawListArguments()
{
    return {QStringLiteral("--raw"), QStringLiteral("--no-abbrev"), QStringLiteral("--no-renames"), QStringLiteral("--ignore-submodules=dirty"), QStringLiteral("-z")};
}

RawList parseRawList(const QByteArray &listed)
{
    RawList changes;
    const QList<QByteArray> parts = listed.split('\0');
    // :<mode> <mode> <id> <id> <status> NUL path NUL
    for (qsizetype i = 0; i + 1 < parts.size(); i += 2) {
        const QList<QByteArray> words = parts.at(i).mid(1).split(' ');
        if (!parts.at(i).startsWith(':') || words.size() != 5)
            break;
        RawChange &change = changes[parts.at(i + 1)];
        if (words.at(4).startsWith('U')) {
            change.unmerged = true;
            continue;
        }
        change.before = rawEntry(words.at(0), words.at(2));
        change.after = rawEntry(words.at(1), words.at(3));
    }
    return changes;
}

QByteArray indexInfo(const QMap<QByteArray, TreeEntry> &entries, qsizetype idLength)
{
    QByteArray gone;
    QByteArray there;
    for (auto it = entries.cbegin(); it != entries.cend(); ++it) {
        if (it->isThere())
            there += it->mode + ' ' + it->id + '\t' + it.key() + '\0';
        else
            gone += "0 " + QByteArray(idLength, '0') + '\t' + it.key() + '\0';
    }
    return gone + there;
}

QByteArray nameInput(const QList<QByteArray> &names)
{
    QByteArray input;
    for (const QByteArray &name : names)
        input += name + '\0';
    return input;
}

bool isAtOrBelow(const QByteArray &path, const QByteArray &place)
{
    return path == place || (path.startsWith(place) && path.size() > place.size() && (place.endsWith('/') || path.at(place.size()) == '/'));
}

} // namespace foundry::backend
