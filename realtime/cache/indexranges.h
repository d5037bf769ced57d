// Which entries of a windowed topic are held: runs of indices, each as of the topic's present position (fresh) or of an
// earlier one. Value.
#pragma once

#include <QList>
#include <QString>
#include <optional>

namespace foundry::realtime {

struct IndexRange {
    qint64 first = 0;
    qint64 end = 0; // behind the last
    bool fresh = true;
    friend bool operator==(const IndexRange &, const IndexRange &) = default;
};

class IndexRanges {
public:
    // [first, end) is fresh from now on.
    void add(qint64 first, qint64 end);
    void remove(qint64 first, qint64 end);
    // What of [first, end) is held may have changed.
    void age(qint64 first, qint64 end);
    // What lies before `index` was not looked at while the position moved.
    void ageBefore(qint64 index);

    bool contains(qint64 index) const;
    // The run that ends before `before`, or the last one of all. A fresh and an aged run side by side are two.
    std::optional<IndexRange> endingAt(std::optional<qint64> before) const;
    const QList<IndexRange> &all() const { return m_ranges; }

    QString toText() const; // "0-100a 400-520"
    static IndexRanges fromText(const QString &text);

private:
    void join();

    QList<IndexRange> m_ranges; // ascending, apart or of different age
};

} // namespace foundry::realtime
