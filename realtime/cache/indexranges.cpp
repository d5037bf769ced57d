#include "realtime/cache/indexranges.h"

#include <QStringList>
#include <algorithm>
#include <limits>

namespace foundry::realtime {

void IndexRanges::add(qint64 first, qint64 end)
{
    if (first >= end)
        return;
    remove(first, end);
    m_ranges << IndexRange{first, end, true};
    join();
}

void IndexRanges::remove(qint64 first, qint64 end)
{
    QList<IndexRange> kept;
    for (const IndexRange &range : std::as_const(m_ranges)) {
        if (range.first < first)
            kept << IndexRange{range.first, std::min(range.end, first), range.fresh};
        if (range.end > end)
            kept << IndexRange{std::max(range.first, end), range.end, range.fresh};
    }
    m_ranges = kept;
}

void IndexRanges::age(qint64 first, qint64 end)
{
    const QList<IndexRange> all = m_ranges;
    remove(first, end);
    for (const IndexRange &range : all) {
        const IndexRange aged{std::max(range.first, first), std::min(range.end, end), false};
        if (aged.first < aged.end)
            m_ranges << aged;
    }
    join();
}

void IndexRanges::ageBefore(qint64 index)
{
    age(std::numeric_limits<qint64>::min(), index);
}

bool IndexRanges::contains(qint64 index) const
{
    return std::any_of(m_ranges.cbegin(), m_ranges.cend(),
        [index](const IndexRange &range) { return range.first <= index && index < range.end; });
}

std::optional<IndexRange> IndexRanges::endingAt(std::optional<qint64> before) const
{
    if (!before)
        return m_ranges.isEmpty() ? std::nullopt : std::optional(m_ranges.last());
    for (const IndexRange &range : m_ranges) {
        if (range.first < *before && *before <= range.end)
            return IndexRange{range.first, *before, range.fresh};
    }
    return std::nullopt;
}

void IndexRanges::join()
{
    std::sort(m_ranges.begin(), m_ranges.end(),
        [](const IndexRange &a, const IndexRange &b) { return a.first < b.first; });
    QList<IndexRange> joined;
    for (const IndexRange &range : std::as_const(m_ranges)) {
        if (!joined.isEmpty() && joined.last().end == range.first && joined.last().fresh == range.fresh)
            joined.last().end = range.end;
        else
            joined << range;
    }
    m_ranges = joined;
}

QString IndexRanges::toText() const
{
    QStringList parts;
    for (const IndexRange &range : m_ranges)
        parts << QString::number(range.first) + QLatin1Char('-') + QString::number(range.end)
                + (range.fresh ? QString() : QStringLiteral("a"));
    return parts.join(QLatin1Char(' '));
}

IndexRanges IndexRanges::fromText(const QString &text)
{
    IndexRanges ranges;
    for (QString part : text.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        const bool aged = part.endsWith(QLatin1Char('a'));
        if (aged)
            part.chop(1);
        const IndexRange range{part.section(QLatin1Char('-'), 0, 0).toLongLong(),
            part.section(QLatin1Char('-'), 1).toLongLong(), !aged};
        if (range.first < range.end)
            ranges.m_ranges << range;
    }
    ranges.join();
    return ranges;
}

} // namespace foundry::realtime
