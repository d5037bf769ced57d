// The shortest edit between two sequences (Myers), for lines of a tool's edit and for words of a changed line.
// Bounded: when the sequences are too different, the middle is reported as one replacement. Any thread.
#pragma once

#include <QList>
#include <QString>

namespace foundry::views {

enum class EditKind : quint8 { Same, Removed, Added };

struct Edit {
    EditKind kind = EditKind::Same;
    int oldAt = 0; // index into the old sequence; for Added: where it would stand
    int newAt = 0;
    friend bool operator==(const Edit &, const Edit &) = default;
};

// In order; within one replacement, removals come before additions. `maxEdits` bounds the work.
QList<Edit> shortestEdit(const QList<QStringView> &before, const QList<QStringView> &after, int maxEdits = 400);

struct TextRange {
    int start = 0;
    int length = 0;
    friend bool operator==(const TextRange &, const TextRange &) = default;
};

struct WordChanges {
    QList<TextRange> removed; // in the old line
    QList<TextRange> added;   // in the new line
};

// What changed inside one line. Empty on both sides when the lines have too little in common for marks to help.
WordChanges wordChanges(const QString &before, const QString &after);

} // namespace foundry::views
