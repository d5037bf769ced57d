#include "views/transcript/heighttree.h"

namespace foundry::views {

void HeightTree::clear()
{
    m_heights.clear();
    m_sums.clear();
    m_total = 0;
}

void HeightTree::set(int row, int height)
{
    const qint64 delta = qint64(height) - m_heights.at(row);
    if (delta == 0)
        return;
    m_heights[row] = height;
    m_total += delta;
    for (qsizetype i = row + 1; i < m_sums.size(); i += i & -i)
        m_sums[i] += delta;
}

void HeightTree::append(int height)
{
    if (m_sums.isEmpty())
        m_sums.append(0);
    m_heights.append(height);
    m_total += height;
    // A new Fenwick node covers (i - lowbit(i), i]: the height itself and the nodes right below it.
    const qsizetype i = m_sums.size();
    qint64 sum = height;
    for (qsizetype step = 1; step < (i & -i); step <<= 1)
        sum += m_sums.at(i - step);
    m_sums.append(sum);
}

void HeightTree::insert(int row, int count, int height)
{
    insert(row, QList<int>(count, height));
}

void HeightTree::insert(int row, const QList<int> &heights)
{
    if (row == count()) {
        for (const int height : heights)
            append(height);
        return;
    }
    m_heights.insert(row, heights.size(), 0);
    for (qsizetype i = 0; i < heights.size(); ++i)
        m_heights[row + i] = heights.at(i);
    rebuild();
}

void HeightTree::remove(int row, int count)
{
    m_heights.remove(row, count);
    rebuild();
}

qint64 HeightTree::top(int row) const
{
    qint64 sum = 0;
    for (qsizetype i = row; i > 0; i -= i & -i)
        sum += m_sums.at(i);
    return sum;
}

int HeightTree::rowAt(qint64 y) const
{
    const qsizetype n = m_heights.size();
    if (n == 0)
        return -1;
    if (y < 0)
        return 0;
    qsizetype step = 1;
    while (step * 2 <= n)
        step *= 2;
    qsizetype row = 0;
    for (; step > 0; step /= 2) {
        if (row + step <= n && m_sums.at(row + step) <= y) {
            row += step;
            y -= m_sums.at(row);
        }
    }
    return int(std::min(row, n - 1));
}

void HeightTree::rebuild()
{
    const qsizetype n = m_heights.size();
    m_sums = QList<qint64>(n + 1, 0);
    m_total = 0;
    for (qsizetype i = 1; i <= n; ++i) {
        m_sums[i] += m_heights.at(i - 1);
        m_total += m_heights.at(i - 1);
        const qsizetype parent = i + (i & -i);
        if (parent <= n)
            m_sums[parent] += m_sums.at(i);
    }
}

} // namespace foundry::views
