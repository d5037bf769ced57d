// Cuts the text of a diff into pages while git writes it: keeps the hunks of one file, drops the header lines, counts what
// a page will be as JSON text, and ends pages at line borders (a line longer than a page is cut between characters).
// Pages put together give the whole text. No processes.
#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QString>
#include <optional>

namespace foundry::backend {

class DiffPager {
public:
    // path: the file whose hunks are wanted, as git has it. cursor: from the page before.
    DiffPager(const QByteArray &path, const std::optional<QString> &cursor, qint64 pageBytes);

    bool cursorIsValid() const { return m_cursorValid; }
    // False when the page is full: no more text is needed.
    bool feed(const QByteArray &chunk);
    // No more text comes.
    void end();

    // The text changed between two pages: what was skipped is not what the page before had shown.
    bool hasChanged() const { return m_changed || m_offset < m_skip; }
    bool isBinary() const { return m_binary; }
    QString page() const;
    std::optional<QString> next() const; // cursor; absent when this was the last page

private:
    bool takeLine(const QByteArray &line);
    bool takeText(QByteArrayView text);
    void takePiece();
    void count(QByteArrayView text);
    bool skipText(QByteArrayView &text);

    QByteArray m_path;
    QByteArray m_pending; // a line whose end has not come yet
    QByteArray m_page;
    quint64 m_hash = 0xcbf29ce484222325ULL; // over all text up to m_offset
    quint64 m_expected = 0;
    qint64 m_pageBytes;
    qint64 m_skip = 0;
    qint64 m_offset = 0;
    qint64 m_cost = 0;
    bool m_cursorValid = true;
    bool m_inHunks = false;
    bool m_ours = false;
    bool m_midLine = false;
    bool m_binary = false;
    bool m_changed = false;
    bool m_full = false;
};

// What a text costs within JSON: escapes, and three bytes for each one that is not UTF-8 (at most).
qint64 jsonCost(QByteArrayView text);

} // namespace foundry::backend
