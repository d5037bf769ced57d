#include "backend/git/filesearch.h"

#include "backend/git/gitpath.h"

#include <algorithm>
#include <cstring>

namespace foundry::backend {

namespace {

struct FileSearchHit {
    int rank = 0;
    qsizetype length = 0;
    qsizetype at = 0;
};

QByteArray fileSearchFolded(QByteArrayView name)
{
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return plain ? name.toByteArray().toLower() : QString::fromUtf8(name).toLower().toUtf8();
}

bool fileSearchInOrder(QByteArrayView text, QByteArrayView letters)
{
    const char *at = text.begin();
    for (const char letter : letters) {
        at = static_cast<const char *>(std::memchr(at, letter, size_t(text.end() - at)));
        if (!at)
            return false;
        ++at;
    }
    return true;
}

// Lower is better; -1: not at all.
int fileSearchRank(QByteArrayView path, QByteArrayView wanted)
{
    const QByteArrayView base = path.sliced(path.lastIndexOf('/') + 1);
    if (base.startsWith(wanted))
        return base.size() == wanted.size() ? 0 : 1;
    if (base.contains(wanted))
        return 2;
    if (path.contains(wanted))
        return 3;
    if (fileSearchInOrder(base, wanted))
        return 4;
    return fileSearchInOrder(path, wanted) ? 5 : -1;
}

} // namespace

FileSearch::FileSearch(const QByteArray &names, bool truncated)
    : m_truncated(truncated)
{
    QList<QByteArray> all = names.split('\0');
    all.removeAll(QByteArray());
    std::sort(all.begin(), all.end());
    all.resize(std::distance(all.begin(), std::unique(all.begin(), all.end())));
    m_names.reserve(names.size());
    m_folded.reserve(names.size());
    m_starts.reserve(all.size());
    m_foldedStarts.reserve(all.size());
    for (const QByteArray &name : std::as_const(all)) {
        if (name.endsWith('/')) // a repository inside
            continue;
        m_starts.append(quint32(m_names.size()));
        m_names += name + '\0';
        m_foldedStarts.append(quint32(m_folded.size()));
        m_folded += fileSearchFolded(name) + '\0';
    }
}

QByteArrayView FileSearch::nameAt(qsizetype i) const
{
    const qsizetype from = m_starts.at(i);
    const qsizetype to = (i + 1 < m_starts.size() ? qsizetype(m_starts.at(i + 1)) : m_names.size()) - 1;
    return QByteArrayView(m_names).sliced(from, to - from);
}

QStringList FileSearch::find(const QString &query, qsizetype limit, bool *more) const
{
    QString letters = query.toLower();
    letters.remove(QLatin1Char(' '));
    const QByteArray wanted = letters.toUtf8();
    QList<FileSearchHit> hits;
    for (qsizetype i = 0; i < m_starts.size(); ++i) {
        const qsizetype from = m_foldedStarts.at(i);
        const qsizetype to = (i + 1 < m_foldedStarts.size() ? qsizetype(m_foldedStarts.at(i + 1)) : m_folded.size()) - 1;
        const int rank = fileSearchRank(QByteArrayView(m_folded).sliced(from, to - from), wanted);
        if (rank >= 0)
            hits.append({rank, to - from, i});
    }
    const auto better = [](const FileSearchHit &a, const FileSearchHit &b) {
        if (a.rank != b.rank)
            return a.rank < b.rank;
        return a.length != b.length ? a.length < b.length : a.at < b.at;
    };
    *more = hits.size() > limit;
    const qsizetype shown = qMin(limit, hits.size());
    std::partial_sort(hits.begin(), hits.begin() + shown, hits.end(), better);
    QStringList paths;
    for (qsizetype i = 0; i < shown; ++i)
        paths.append(pathFromGit(nameAt(hits.at(i).at).toByteArray()));
    return paths;
}

QList<QByteArray> FileSearch::folders() const
{
    QSet<QByteArray> found{QByteArray()};
    for (qsizetype i = 0; i < m_starts.size(); ++i) {
        QByteArrayView folder = nameAt(i);
        for (qsizetype cut = folder.lastIndexOf('/'); cut > 0; cut = folder.lastIndexOf('/')) {
            folder = folder.first(cut);
            const QByteArray name = folder.toByteArray();
            if (found.contains(name))
                break;
            found.insert(name);
        }
    }
    QList<QByteArray> sorted(found.cbegin(), found.cend());
    // The shallow ones first: where there are too many, those are the ones to watch.
    std::sort(sorted.begin(), sorted.end(), [](const QByteArray &a, const QByteArray &b) {
        const auto depth = a.count('/');
        const auto other = b.count('/');
        return depth != other ? depth < other : a < b;
    });
    return sorted;
}

} // namespace foundry::backend
