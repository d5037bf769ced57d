// How session tabs are painted.
#include "views/common/controlpainting.h"
#include "views/common/paint.h"
#include "views/session/sessiontabs.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace foundry::views {

namespace {

constexpr int tabHeight = 30;
constexpr int tabWidest = 220;

} // namespace

SessionTabBar::SessionTabBar(ThemeProvider *theme, QWidget *parent)
    : QTabBar(parent)
    , m_theme(theme)
{
    setDrawBase(false);
    setExpanding(false);
    setMovable(false);
    setUsesScrollButtons(true);
    setElideMode(Qt::ElideRight);
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    setFont(theme->font(TextStyle::List));
    setAccessibleName(tr("Sessions and open files"));
    connect(theme, &ThemeProvider::changed, this, [this] {
        setFont(m_theme->font(TextStyle::List));
        update();
    });
}

void SessionTabBar::setLook(const QString &key, const Look &look)
{
    m_looks.insert(key, look);
    update();
}

QSize SessionTabBar::tabSizeHint(int tab) const
{
    const int text = textWidth(tabText(tab), m_theme->font(TextStyle::ListMedium));
    return {std::min(tabWidest, text + 34 + 36), tabHeight};
}

QSize SessionTabBar::minimumTabSizeHint(int tab) const
{
    return {std::min(96, tabSizeHint(tab).width()), tabHeight};
}

void SessionTabBar::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const Colors &c = m_theme->colors();
    const QPoint pointer = mapFromGlobal(QCursor::pos());
    for (int tab = 0; tab < count(); ++tab) {
        const QRect rect = tabRect(tab).adjusted(0, 0, -2, 0);
        const bool current = tab == currentIndex();
        const Look look = m_looks.value(tabData(tab).toString());
        if (current)
            paintRounded(&painter, rect, c.selected, {}, Space::radius);
        else if (underMouse() && rect.contains(pointer))
            paintRounded(&painter, rect, c.hover, {}, Space::radius);
        if (current && hasFocus())
            paintFocusRing(&painter, *m_theme, rect, Space::radius);

        // The agent's glyph; a state that wants eyes takes its place, so that there is never a row of lights.
        Icon icon = Icon(look.icon);
        QColor color = current ? c.textMuted : c.textFaint;
        if (look.session && look.status.is(SessionStatus::Running)) {
            icon = Icon::CircleDot;
            color = c.green;
        } else if (look.session && look.status.is(SessionStatus::Error)) {
            icon = Icon::CircleAlert;
            color = c.red;
        } else if (look.session && (look.status.is(SessionStatus::PendingProvision) || look.status.is(SessionStatus::PendingSessionCreate))) {
            icon = Icon::CircleDashed;
            color = c.amber;
        }
        m_theme->icons().paint(&painter, QRect(rect.left() + 10, rect.top() + (rect.height() - 16) / 2, 16, 16), icon, color);
        const QRect text = rect.adjusted(32, 0, -30, 0);
        const bool loud = current || look.unread;
        paintText(&painter, text, tabText(tab), m_theme->font(loud ? TextStyle::ListMedium : TextStyle::List), loud ? c.text : c.textMuted);
        if (look.unread) {
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(Qt::NoPen);
            painter.setBrush(c.accent);
            painter.drawEllipse(QRectF(rect.left() + 22, rect.top() + 6, 6, 6));
        }
    }
}

void SessionTabBar::mouseDoubleClickEvent(QMouseEvent *event)
{
    const int tab = tabAt(event->position().toPoint());
    if (tab >= 0)
        Q_EMIT renameWanted(tab);
    else
        QTabBar::mouseDoubleClickEvent(event);
}

void SessionTabBar::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_F2 && currentIndex() >= 0)
        Q_EMIT renameWanted(currentIndex());
    else
        QTabBar::keyPressEvent(event);
}

} // namespace foundry::views
