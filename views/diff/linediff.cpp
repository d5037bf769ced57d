#include "views/diff/linediff.h"

#include <algorithm>

namespace foundry::views {

namespace {

constexpr qsizetype wordMaxLine = 2000; // characters; longer lines get no word marks

void editsBruteForce(QList<Edit> &out, int oldFrom, int oldTo, int newFrom, int newTo)
{
    for (int i = oldFrom; i < oldTo; ++i)
        out.append({EditKind::Removed, i, newFrom});
    for (int i = newFrom; i < newTo; ++i)
        out.append({EditKind::Added, oldTo, i});
}

// Within one run of changes, removals first: that is how people read a diff.
void editsSortRuns(QList<Edit> &edits)
{
    for (qsizetype i = 0; i < edits.size();) {
        qsizetype end = i;
        while (end < edits.size() && edits.at(end).kind != EditKind::Same)
            ++end;
        std::stable_partition(edits.begin() + i, edits.begin() + end,
            [](const Edit &edit) { return edit.kind == EditKind::Removed; });
        i = end + 1;
    }
}

QList<QStringView> lineWords(const QString &line, QList<int> &starts)
{
    QList<QStringView> words;
    const QStringView view(line);
    const auto kindOf = [](QChar c) { return c.isLetterOrNumber() || c == QLatin1Char('_') ? 1 : c.isSpace() ? 2 : 0; };
    for (qsizetype i = 0; i < view.size();) {
        const int kind = kindOf(view.at(i));
        qsizetype end = i + 1;
        while (kind != 0 && end < view.size() && kindOf(view.at(end)) == kind)
            ++end;
        starts.append(int(i));
        words.append(view.mid(i, end - i));
        i = end;
    }
    return words;
}

void addRange(QList<TextRange> &ranges, int start, int length)
{
    if (!ranges.isEmpty() && ranges.last().start + ranges.last().length == start)
        ranges.last().length += length;
    else
        ranges.append({start, length});
}

} // namespace

QList<Edit> shortestEdit(const QList<QStringView> &before, const QList<QStringView> &after, int maxEdits)
{
    int head = 0;
    const int oldSize = int(before.size());
    const int newSize = int(after.size());
    while (head < oldSize && head < newSize && before.at(head) == after.at(head))
        ++head;
    int tail = 0;
    while (tail < oldSize - head && tail < newSize - head
           && before.at(oldSize - 1 - tail) == after.at(newSize - 1 - tail))
        ++tail;

    QList<Edit> edits;
    for (int i = 0; i < head; ++i)
        edits.append({EditKind::Same, i, i});

    const int n = oldSize - head - tail;
    const int m = newSize - head - tail;
    const int limit = std::min(n + m, maxEdits);
    // trace[d] holds, for each diagonal k of round d, the furthest old position reached.
    QList<QList<int>> trace;
    QList<int> reach(2 * limit + 3, 0);
    const int middle = limit + 1;
    bool found = n == 0 && m == 0;
    for (int d = 0; d <= limit && !found; ++d) {
        trace.append(reach.mid(middle - d - 1, 2 * d + 3));
        for (int k = -d; k <= d; k += 2) {
            int x = k == -d || (k != d && reach.at(middle + k - 1) < reach.at(middle + k + 1))
                ? reach.at(middle + k + 1)
                : reach.at(middle + k - 1) + 1;
            int y = x - k;
            while (x < n && y < m && y >= 0 && before.at(head + x) == after.at(head + y)) {
                ++x;
                ++y;
            }
            reach[middle + k] = x;
            if (x >= n && y >= m) {
                found = true;
                break;
            }
        }
    }
    if (!found) {
        editsBruteForce(edits, head, head + n, head, head + m);
    } else {
        QList<Edit> back;
        int x = n;
        int y = m;
        for (int d = int(trace.size()) - 1; d >= 0; --d) {
            const QList<int> &row = trace.at(d);
            const auto at = [&](int k) { return row.at(k + d + 1); };
            const int k = x - y;
            const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
            const int fromX = at(down ? k + 1 : k - 1);
            const int fromY = fromX - (down ? k + 1 : k - 1);
            while (x > fromX && y > fromY && x > 0 && y > 0) {
                --x;
                --y;
                back.append({EditKind::Same, head + x, head + y});
            }
            if (d == 0)
                break;
            if (down)
                back.append({EditKind::Added, head + x, head + --y});
            else
                back.append({EditKind::Removed, head + --x, head + y});
        }
        std::reverse(back.begin(), back.end());
        edits.append(back);
    }
    for (int i = 0; i < tail; ++i)
        edits.append({EditKind::Same, oldSize - tail + i, newSize - tail + i});
    editsSortRuns(edits);
    return edits;
}

WordChanges wordChanges(const QString &before, const QString &after)
{
    if (before.size() > wordMaxLine || after.size() > wordMaxLine || before == after)
        return {};
    QList<int> oldStarts;
    QList<int> newStarts;
    const QList<QStringView> oldWords = lineWords(before, oldStarts);
    const QList<QStringView> newWords = lineWords(after, newStarts);
    WordChanges changes;
    qsizetype common = 0;
    for (const Edit &edit : shortestEdit(oldWords, newWords, 80)) {
        if (edit.kind == EditKind::Removed)
            addRange(changes.removed, oldStarts.at(edit.oldAt), int(oldWords.at(edit.oldAt).size()));
        else if (edit.kind == EditKind::Added)
            addRange(changes.added, newStarts.at(edit.newAt), int(newWords.at(edit.newAt).size()));
        else if (!oldWords.at(edit.oldAt).trimmed().isEmpty())
            common += oldWords.at(edit.oldAt).size();
    }
    // Two lines that share less than a quarter are two lines, not one that was edited.
    if (common * 4 < std::max(before.trimmed().size(), after.trimmed().size()))
        return {};
    return changes;
}

} // namespace foundry::views
