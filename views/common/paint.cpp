#include "views/common/paint.h"

#include <QFontMetrics>
#include <QLocale>
#include <QPainter>

namespace foundry::views {

namespace {

QString paintShortNumber(qint64 value)
{
    if (value < 1000)
        return QLocale().toString(value);
    if (value < 10'000)
        return QLocale().toString(double(value) / 1000, 'f', 1) + QLatin1Char('k');
    if (value < 1'000'000)
        return QLocale().toString(value / 1000) + QLatin1Char('k');
    return QLocale().toString(value / 1'000'000) + QLatin1Char('M');
}

} // namespace

int textWidth(const QString &text, const QFont &font)
{
    return QFontMetrics(font).horizontalAdvance(text);
}

int paintText(QPainter *painter, const QRect &rect, const QString &text, const QFont &font, const QColor &color,
    Qt::TextElideMode elide, Qt::Alignment align)
{
    if (rect.width() <= 0 || text.isEmpty())
        return 0;
    const QFontMetrics metrics(font);
    // Only the beginning can be seen: measuring a line of a megabyte would take longer than the frame.
    const QString line = text.size() > 512 ? text.left(512) : text;
    const QString shown = metrics.elidedText(line, elide, rect.width());
    painter->setFont(font);
    painter->setPen(color);
    painter->drawText(rect, int(Qt::AlignVCenter | align | Qt::TextSingleLine), shown);
    return qMin(rect.width(), metrics.horizontalAdvance(shown));
}

void paintRounded(QPainter *painter, const QRect &rect, const QColor &fill, const QColor &line, int radius)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(line.isValid() ? QPen(line, 1) : QPen(Qt::NoPen));
    painter->setBrush(fill.isValid() ? QBrush(fill) : QBrush(Qt::NoBrush));
    painter->drawRoundedRect(line.isValid() ? QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5) : QRectF(rect), radius, radius);
    painter->restore();
}

QString addedText(qint64 lines)
{
    return QLatin1Char('+') + paintShortNumber(lines);
}

QString removedText(qint64 lines)
{
    return QChar(0x2212) + paintShortNumber(lines); // a minus sign, as wide as the plus
}

int paintDiffStat(QPainter *painter, const ThemeProvider &theme, const QRect &rect, const std::optional<DiffStat> &stat,
    bool)
{
    if (!stat || (stat->added == 0 && stat->removed == 0))
        return 0;
    const QFont font = theme.font(TextStyle::Small);
    const QString removed = removedText(stat->removed);
    const QString added = addedText(stat->added);
    const int gap = 5;
    int right = rect.right() + 1;
    int taken = 0;
    if (stat->removed > 0) {
        const int width = textWidth(removed, font);
        paintText(painter, QRect(right - width - 1, rect.y(), width + 1, rect.height()), removed, font,
            theme.colors().red, Qt::ElideNone, Qt::AlignRight);
        right -= width + gap;
        taken += width + gap;
    }
    if (stat->added > 0 || stat->removed == 0) {
        const int width = textWidth(added, font);
        paintText(painter, QRect(right - width - 1, rect.y(), width + 1, rect.height()), added, font,
            theme.colors().green, Qt::ElideNone, Qt::AlignRight);
        taken += width;
    }
    return taken;
}

} // namespace foundry::views
