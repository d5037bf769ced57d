#include "views/diff/unifieddiff.h"

#include <algorithm>

namespace foundry::views {

namespace {

constexpr int diffMaxNumber = 1'000'000'000;

// Reads "12" or "12,3" and returns the first number, or -1.
int hunkNumber(QStringView field)
{
    const qsizetype comma = field.indexOf(QLatin1Char(','));
    bool ok = false;
    const int number = (comma < 0 ? field : field.left(comma)).toInt(&ok);
    return ok && number >= 0 && number <= diffMaxNumber ? number : -1;
}

} // namespace

void UnifiedDiff::clear()
{
    *this = UnifiedDiff();
}

QStringView UnifiedDiff::text(qsizetype index) const
{
    const DiffLine &line = m_lines.at(index);
    return QStringView(m_text).mid(line.start, line.length);
}

void UnifiedDiff::append(const QString &unified)
{
    qsizetype at = m_text.size();
    m_text += unified;
    m_lines.reserve(m_lines.size() + unified.count(QLatin1Char('\n')) + 1);
    while (at < m_text.size()) {
        qsizetype end = m_text.indexOf(QLatin1Char('\n'), at);
        if (end < 0)
            end = m_text.size();
        addLine(at, end - at);
        at = end + 1;
    }
    // The last run stays open for the next page, but is paired as far as it goes.
    if (m_runStart >= 0)
        pairRun(m_lines.size());
}

void UnifiedDiff::addLine(qsizetype start, qsizetype length)
{
    const QStringView text = QStringView(m_text).mid(start, length);
    const QChar mark = text.isEmpty() ? QLatin1Char(' ') : text.front();
    DiffLine line;
    line.start = int(std::min<qsizetype>(start + (text.isEmpty() ? 0 : 1), m_text.size()));
    line.length = int(std::max<qsizetype>(0, length - 1));
    if (line.length > 0 && m_text.at(line.start + line.length - 1) == QLatin1Char('\r'))
        --line.length;

    if (mark == QLatin1Char('+') || mark == QLatin1Char('-')) {
        if (m_runStart < 0) {
            m_runStart = m_lines.size();
            m_changes.append(int(m_lines.size()));
        }
        if (mark == QLatin1Char('+')) {
            line.kind = DiffLineKind::Added;
            line.newNumber = m_newNext++;
            ++m_added;
        } else {
            line.kind = DiffLineKind::Removed;
            line.oldNumber = m_oldNext++;
            ++m_removed;
        }
    } else {
        if (mark == QLatin1Char(' ')) {
            line.oldNumber = m_oldNext++;
            line.newNumber = m_newNext++;
        } else if (text.startsWith(QLatin1StringView("@@"))) {
            line.kind = DiffLineKind::Hunk;
            line.start = int(start);
            line.length = int(length);
            startHunk(text);
        } else {
            line.kind = DiffLineKind::Note; // "\ No newline at end of file", or what git may add one day
            line.start = int(start);
            line.length = int(length);
        }
        // A note between the two sides ("no newline") does not part what belongs together.
        if (m_runStart >= 0 && line.kind != DiffLineKind::Note) {
            pairRun(m_lines.size());
            m_runStart = -1;
        }
    }
    m_largest = std::max({m_largest, line.oldNumber, line.newNumber});
    if (line.kind != DiffLineKind::Note && line.kind != DiffLineKind::Hunk)
        m_longest = std::max(m_longest, line.length);
    m_lines.append(line);
}

void UnifiedDiff::startHunk(QStringView header)
{
    // @@ -old[,count] +new[,count] @@ section
    const qsizetype minus = header.indexOf(QLatin1Char('-'));
    const qsizetype plus = header.indexOf(QLatin1Char('+'));
    if (minus < 0 || plus < minus)
        return;
    const int oldAt = hunkNumber(header.mid(minus + 1, plus - minus - 1).trimmed());
    const QStringView rest = header.mid(plus + 1);
    const qsizetype space = rest.indexOf(QLatin1Char(' '));
    const int newAt = hunkNumber(space < 0 ? rest : rest.left(space));
    if (oldAt >= 0)
        m_oldNext = oldAt;
    if (newAt >= 0)
        m_newNext = newAt;
}

// Pairs the n-th removed line of a run with its n-th added one, when the run replaces line by line.
void UnifiedDiff::pairRun(qsizetype end)
{
    QList<int> removed;
    QList<int> added;
    for (qsizetype i = m_runStart; i < end; ++i) {
        m_lines[i].pair = -1;
        if (m_lines.at(i).kind == DiffLineKind::Removed)
            removed.append(int(i));
        else if (m_lines.at(i).kind == DiffLineKind::Added)
            added.append(int(i));
    }
    const qsizetype pairs = std::min(removed.size(), added.size());
    for (qsizetype i = 0; i < pairs; ++i) {
        m_lines[removed.at(i)].pair = added.at(i);
        m_lines[added.at(i)].pair = removed.at(i);
    }
}

} // namespace foundry::views
