// Heights of many rows with their running sums: an order-statistic tree (Fenwick). Setting one height, the y of a row
// and the row at a y cost O(log n); appending costs O(log n) a row; inserting or removing elsewhere rebuilds in O(n).
// Pixels. Any thread, not shared.
#pragma once

#include <QList>

namespace foundry::views {

class HeightTree {
public:
    int count() const { return int(m_heights.size()); }
    qint64 total() const { return m_total; }
    int height(int row) const { return m_heights.at(row); }

    void clear();
    void set(int row, int height);
    void append(int height);
    void insert(int row, int count, int height);
    void insert(int row, const QList<int> &heights);
    void remove(int row, int count);

    // The sum of the heights of the rows before `row` (0…count).
    qint64 top(int row) const;
    // The row that covers y: 0 for y < 0, the last for y ≥ total; -1 when there are none.
    int rowAt(qint64 y) const;

private:
    void rebuild();

    QList<int> m_heights;
    QList<qint64> m_sums; // 1-based Fenwick sums; m_sums[0] is unused
    qint64 m_total = 0;
};

} // namespace foundry::views
