// A unified diff as lines with old and new numbers. The text is kept once; a line is a view into it, so that a diff of
// 50,000 lines costs one allocation of lines. Bad input never fails: what is no diff line is a Note. Any thread.
#pragma once

#include "views/diff/linediff.h"

#include <QList>
#include <QString>

namespace foundry::views {

enum class DiffLineKind : quint8 { Context, Added, Removed, Hunk, Note };

struct DiffLine {
    DiffLineKind kind = DiffLineKind::Context;
    int oldNumber = 0; // 1-based; 0: the line is not on that side
    int newNumber = 0;
    int start = 0; // into UnifiedDiff::text, without the leading mark
    int length = 0;
    int pair = -1; // the line of the other side that this one replaced, for word marks
    friend bool operator==(const DiffLine &, const DiffLine &) = default;
};

class UnifiedDiff {
public:
    // Adds a page of unified text; a page may end inside a hunk, but only after a whole line.
    void append(const QString &unified);
    void clear();

    qsizetype count() const { return m_lines.size(); }
    const DiffLine &line(qsizetype index) const { return m_lines.at(index); }
    const QList<DiffLine> &lines() const { return m_lines; }
    QStringView text(qsizetype index) const;
    int added() const { return m_added; }
    int removed() const { return m_removed; }
    int largestNumber() const { return m_largest; }
    int longestLine() const { return m_longest; } // characters, of what is not a note
    // First lines of the runs of changes, in order: where "next change" goes.
    const QList<int> &changes() const { return m_changes; }

private:
    void addLine(qsizetype start, qsizetype length);
    void startHunk(QStringView header);
    void pairRun(qsizetype end);

    QString m_text;
    QList<DiffLine> m_lines;
    QList<int> m_changes;
    qsizetype m_runStart = -1; // the run of removals and additions that is open
    int m_oldNext = 1;
    int m_newNext = 1;
    int m_added = 0;
    int m_removed = 0;
    int m_largest = 0;
    int m_longest = 0;
};

} // namespace foundry::views
