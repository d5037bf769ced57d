// What delegates paint with: elided text, pills, +a −r, all from tokens. Rects are logical pixels; texts are clipped to
// them, never wrapped.
#pragma once

#include "views/common/themeprovider.h"

#include "models/types/task.h"

class QPainter;

namespace foundry::views {

// Paints `text` at the left, vertically centred; returns the width it took.
int paintText(QPainter *painter, const QRect &rect, const QString &text, const QFont &font, const QColor &color,
    Qt::TextElideMode elide = Qt::ElideRight, Qt::Alignment align = Qt::AlignLeft);
int textWidth(const QString &text, const QFont &font);

void paintRounded(QPainter *painter, const QRect &rect, const QColor &fill, const QColor &line, int radius);

// "+12 −3" ending at the right edge of `rect`; returns the width it took, 0 when there is nothing to say.
int paintDiffStat(QPainter *painter, const ThemeProvider &theme, const QRect &rect, const std::optional<DiffStat> &stat,
    bool selected = false);
// The numbers as they are shown and read out: "+1.2k", "−3".
QString addedText(qint64 lines);
QString removedText(qint64 lines);

} // namespace foundry::views
