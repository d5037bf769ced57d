#include "views/dashboard/taskcard.h"

#include "views/common/controlpainting.h"
#include "views/common/minuteclock.h"
#include "views/common/paint.h"
#include "views/common/statelook.h"

#include <QCoreApplication>
#include <QPainter>

namespace foundry::views {

namespace {

// "Running 4m", "Preparing the repository", "Run cargo test?"
QString cardStateText(const TaskCard &card, const StateLook &look, Millis now)
{
    if (!card.asked.isEmpty())
        return card.asked;
    const TaskSummary &task = card.row.task;
    if (card.row.needs == NeedsYou::Nothing && task.status.is(TaskStatus::Provisioning) && task.stage)
        return stageWords(*task.stage);
    if (card.row.needs == NeedsYou::Error && task.stage)
        return QCoreApplication::translate("State", "Failed: %1").arg(stageWords(*task.stage));
    Millis since = 0;
    if (task.status.is(TaskStatus::Running)) {
        for (const SessionBrief &session : task.sessions)
            since = qMax(since, session.turnStartedAt.value_or(0));
    }
    return since > 0 ? look.word + QLatin1Char(' ') + shortAge(since, now) : look.word;
}

} // namespace

void paintTaskCard(QPainter *painter, const ThemeProvider &theme, const MinuteClock &clock, const QRect &rect,
    const TaskCard &card)
{
    const Colors &c = theme.colors();
    const TaskRow &row = card.row;
    const StateLook look = lookOf(row);
    paintRounded(painter, rect, card.over || card.selected ? c.hover : c.surface, c.hairline, Space::radiusCard);
    if (card.focused)
        paintFocusRing(painter, theme, rect, Space::radiusCard);

    const QRect inner = rect.adjusted(12, 10, -12, -10);
    const QFont small = theme.font(TextStyle::Small);
    const QRect first(inner.x(), inner.y(), inner.width(), 20);
    theme.icons().paint(painter, QRect(first.x(), first.y() + 2, 16, 16), look.icon, c.*look.color);
    const QString age = shortAge(row.activityAt(), clock.now());
    const int ageWidth = textWidth(age, small);
    paintText(painter, QRect(first.right() - ageWidth, first.y(), ageWidth + 1, 20), age, small, c.textFaint,
        Qt::ElideNone);
    paintText(painter, first.adjusted(24, 0, -ageWidth - 12, 0), row.task.title,
        theme.font(row.unread() ? TextStyle::ListSemiBold : TextStyle::ListMedium), row.isOpen() ? c.text : c.textMuted);

    const QRect second(inner.x() + 24, first.bottom() + 3, inner.width() - 24, 16);
    const int name = paintText(painter, second.adjusted(0, 0, -second.width() / 2, 0), card.repository, small, c.textMuted);
    paintText(painter, second.adjusted(name + 8, 0, 0, 0), row.task.branch, theme.font(TextStyle::MonoTiny), c.textFaint,
        Qt::ElideMiddle);

    const QRect third(inner.x() + 24, inner.bottom() - 16, inner.width() - 24, 17);
    const int stat = paintDiffStat(painter, theme, third, row.task.diffStat);
    const QString agents = agentWords(row.task);
    QRect left = third.adjusted(0, 0, stat ? -stat - 12 : 0, 0);
    const int agentWidth = agents.isEmpty() ? 0 : qMin(textWidth(agents, small), left.width() / 3);
    const bool urgent = row.needs != NeedsYou::Nothing || row.task.status.is(TaskStatus::Running)
        || row.task.status.is(TaskStatus::Provisioning);
    const int state = paintText(painter, left.adjusted(0, 0, agentWidth ? -agentWidth - 16 : 0, 0),
        cardStateText(card, look, clock.now()), small, urgent ? c.*look.color : c.textMuted);
    if (agentWidth) {
        left.setLeft(left.x() + state + 7);
        const int dot = paintText(painter, left, QStringLiteral("·"), small, c.textFaint);
        paintText(painter, left.adjusted(dot + 6, 0, 0, 0), agents, small, c.textFaint);
    }
}

void paintCardSkeleton(QPainter *painter, const ThemeProvider &theme, const QRect &rect)
{
    const Colors &c = theme.colors();
    paintRounded(painter, rect, c.surface, c.hairline, Space::radiusCard);
    const QRect inner = rect.adjusted(12, 12, -12, -12);
    const auto bar = [&](int x, int y, int width, int height) {
        paintRounded(painter, QRect(inner.x() + x, inner.y() + y, width, height), c.selected, {}, 4);
    };
    bar(0, 0, 16, 16);
    bar(24, 3, inner.width() * 5 / 10, 10);
    bar(24, 27, inner.width() * 3 / 10, 8);
    bar(24, 51, inner.width() * 4 / 10, 8);
}

} // namespace foundry::views
