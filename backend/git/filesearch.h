// The names of all files of a work tree, and finding some by a few letters: a name that begins with them, then a name or
// path that contains them, then one that has them in this order. Without regard to case. Immutable once made, so it can
// be made aside and read anywhere. 200,000 paths are searched in some tens of milliseconds.
#pragma once

#include <QByteArray>
#include <QList>
#include <QSet>
#include <QString>
#include <QStringList>

namespace foundry::backend {

class FileSearch {
public:
    // names: paths as git has them, each ended by NUL; in any order, twice is once.
    FileSearch(const QByteArray &names, bool truncated);

    qsizetype count() const { return m_starts.size(); }
    bool isTruncated() const { return m_truncated; }
    // Best first; `more`: there were more than limit.
    QStringList find(const QString &query, qsizetype limit, bool *more) const;
    // The folders that hold files, with all above them; the root is the empty one.
    QList<QByteArray> folders() const;
    // What it was made from, for keeping.
    const QByteArray &names() const { return m_names; }

private:
    QByteArrayView nameAt(qsizetype i) const;

    QByteArray m_names;
    QByteArray m_folded; // the same without case
    QList<quint32> m_starts;
    QList<quint32> m_foldedStarts;
    bool m_truncated;
};

} // namespace foundry::backend
