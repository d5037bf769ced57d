#include "backend/git/diffpager.h"

#include "backend/git/gitpath.h"

#include <algorithm>
#include <array>

namespace foundry::backend {

namespace {

constexpr qsizetype pagerLineBuffer = 64 * 1024; // longer lines are taken in pieces

// Whether a header line of git ("+++ b/NAME", NAME possibly quoted and followed by a tab) names this file.
bool pagerNames(QByteArrayView headerName, const QByteArray &path)
{
    QByteArray name = headerName.toByteArray();
    if (name.startsWith('"')) {
        const qsizetype close = name.lastIndexOf('"');
        if (close <= 0)
            return false;
        // Git writes the common control characters as letters; gitpath.h knows the octal form.
        static constexpr std::array<std::pair<char, char>, 7> letters{
            {{'a', 7}, {'b', 8}, {'t', 9}, {'n', 10}, {'v', 11}, {'f', 12}, {'r', 13}}};
        QByteArray plain;
        for (qsizetype i = 1; i < close; ++i) {
            if (name[i] != '\\') {
                plain += name[i];
                continue;
            }
            ++i;
            const char c = name[i];
            const auto letter = std::find_if(letters.begin(), letters.end(), [c](const auto &pair) { return pair.first == c; });
            if (letter != letters.end()) {
                plain += letter->second;
            } else if (c >= '0' && c <= '7' && i + 2 < close) {
                plain += static_cast<char>(name.mid(i, 3).toInt(nullptr, 8));
                i += 2;
            } else {
                plain += c;
            }
        }
        name = plain;
    } else if (name.endsWith('\t')) {
        name.chop(1); // after a name with spaces
    }
    return name.mid(2) == path; // without a/ or b/
}

// The nearest border of a character at or before `at`; `at` itself in text that is not UTF-8.
qsizetype pagerBorder(QByteArrayView text, qsizetype at)
{
    qsizetype border = at;
    while (border > 0 && at - border < 4 && (static_cast<unsigned char>(text[border]) & 0xc0) == 0x80)
        --border;
    return border > 0 && at - border < 4 ? border : at;
}

} // namespace

qint64 jsonCost(QByteArrayView text)
{
    qint64 cost = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '"' || byte == '\\' || byte == '\n' || byte == '\t' || byte == '\r' || byte == '\b' || byte == '\f')
            cost += 2;
        else if (byte < 0x20 || byte == 0x7f)
            cost += 6;
        else
            cost += byte < 0x80 ? 1 : 3;
    }
    return cost;
}

DiffPager::DiffPager(const QByteArray &path, const std::optional<QString> &cursor, qint64 pageBytes)
    : m_path(path)
    , m_pageBytes(std::max<qint64>(pageBytes, 64))
{
    if (!cursor)
        return;
    // <offset>-<hash of the text before it>
    m_skip = cursor->section(QLatin1Char('-'), 0, 0).toLongLong(&m_cursorValid);
    bool hashValid = false;
    m_expected = cursor->section(QLatin1Char('-'), 1).toULongLong(&hashValid, 16);
    m_cursorValid = m_cursorValid && hashValid && m_skip > 0;
}

bool DiffPager::feed(const QByteArray &chunk)
{
    qsizetype from = 0;
    while (!m_full && !m_changed) {
        const qsizetype newline = chunk.indexOf('\n', from);
        if (newline < 0)
            break;
        m_pending += QByteArrayView(chunk).sliced(from, newline + 1 - from);
        from = newline + 1;
        takeLine(std::exchange(m_pending, {}));
    }
    if (!m_full && !m_changed) {
        m_pending += QByteArrayView(chunk).sliced(from);
        // A very long line of a hunk goes on in pieces; only its first one says what kind it is.
        if (m_inHunks && m_ours && m_pending.size() > pagerLineBuffer)
            takePiece();
    }
    return !m_full && !m_changed;
}

void DiffPager::takePiece()
{
    const qsizetype border = pagerBorder(m_pending, m_pending.size() - 1);
    const QByteArray rest = m_pending.mid(border);
    m_pending.truncate(border);
    m_midLine = true;
    takeText(std::exchange(m_pending, rest));
}

void DiffPager::end()
{
    if (!m_full && !m_changed && !m_pending.isEmpty())
        takeLine(std::exchange(m_pending, {}));
}

bool DiffPager::takeLine(const QByteArray &line)
{
    if (std::exchange(m_midLine, false)) // the rest of a line is no header, whatever it looks like
        return takeText(line);
    if (line.startsWith("diff --git ") || line.startsWith("diff --cc ") || line.startsWith("* Unmerged path ")) {
        m_inHunks = false;
        m_ours = false;
        return true;
    }
    if (!m_inHunks) {
        QByteArrayView text(line);
        if (text.endsWith('\n'))
            text.chop(1);
        if (text.startsWith("--- ") || text.startsWith("+++ "))
            m_ours = m_ours || pagerNames(text.sliced(4), m_path);
        else if (text.startsWith("Binary files "))
            m_binary = true;
        else if (text.startsWith("@@"))
            m_inHunks = true;
    }
    return m_inHunks && m_ours ? takeText(line) : true;
}

bool DiffPager::skipText(QByteArrayView &text)
{
    const qint64 skipped = std::min<qint64>(text.size(), m_skip - m_offset);
    count(text.first(skipped));
    text = text.sliced(skipped);
    if (m_offset == m_skip && m_hash != m_expected)
        m_changed = true;
    return !m_changed;
}

bool DiffPager::takeText(QByteArrayView text)
{
    if (m_offset < m_skip && !skipText(text))
        return false;
    if (text.isEmpty())
        return true;
    const qint64 cost = jsonCost(text);
    if (m_cost + cost > m_pageBytes) {
        m_full = true;
        if (!m_page.isEmpty())
            return false; // the page ends before this line
        // A line longer than a page: as much of it as fits, not within a character.
        qsizetype fits = 0;
        for (qint64 used = 0; fits < text.size(); ++fits) {
            used += jsonCost(text.sliced(fits, 1));
            if (used > m_pageBytes)
                break;
        }
        text = text.first(pagerBorder(text, fits));
    }
    m_page += text;
    m_cost += cost;
    count(text);
    return !m_full;
}

// FNV-1a: it tells accidents, it keeps nobody out.
void DiffPager::count(QByteArrayView text)
{
    for (const char c : text)
        m_hash = (m_hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    m_offset += text.size();
}

QString DiffPager::page() const
{
    return QString::fromUtf8(m_page);
}

std::optional<QString> DiffPager::next() const
{
    if (!m_full)
        return std::nullopt;
    return QString::number(m_offset) + QLatin1Char('-') + QString::number(m_hash, 16);
}

} // namespace foundry::backend
