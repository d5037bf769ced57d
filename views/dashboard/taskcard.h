// Paints one task as a card: title, repository and branch, what it does or wants with its time, agent, +a −r, age.
#pragma once

#include "models/tasklistmodel.h"

#include <QRect>

class QPainter;

namespace foundry::views {

class MinuteClock;
class ThemeProvider;

struct TaskCard {
    static constexpr int height = 88;
    static constexpr int minimumWidth = 296;

    const TaskRow &row;
    QString repository;
    QString asked; // what it waits for, in its own words; may be empty
    bool over = false;
    bool focused = false;
    bool selected = false;
};

void paintTaskCard(QPainter *painter, const ThemeProvider &theme, const MinuteClock &clock, const QRect &rect,
    const TaskCard &card);
// The shape of a card whose content is not known yet.
void paintCardSkeleton(QPainter *painter, const ThemeProvider &theme, const QRect &rect);

} // namespace foundry::views
