#include "views/common/controlpainting.h"

#include "views/common/themeprovider.h"

#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>
#include <QWidget>

namespace foundry::views {

namespace {

void controlBox(QPainter *painter, const QRect &rect, const QColor &fill, const QColor &line, int radius)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(line.isValid() ? QPen(line, 1) : QPen(Qt::NoPen));
    painter->setBrush(fill.isValid() ? QBrush(fill) : QBrush(Qt::NoBrush));
    const QRectF box = line.isValid() ? QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5) : QRectF(rect);
    painter->drawRoundedRect(box, radius, radius);
    painter->restore();
}

bool controlKeyboardFocus(const QStyleOption &option)
{
    return (option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_KeyboardFocusChange);
}

QString controlVariant(const QWidget *widget)
{
    return widget ? widget->property("variant").toString() : QString();
}

} // namespace

void paintFocusRing(QPainter *painter, const ThemeProvider &theme, const QRect &rect, int radius)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(theme.colors().accent, 1.5));
    painter->setBrush(Qt::NoBrush);
    painter->drawRoundedRect(QRectF(rect).adjusted(0.75, 0.75, -0.75, -0.75), radius, radius);
    painter->restore();
}

void paintPushButton(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option, const QWidget *widget)
{
    const Colors &c = theme.colors();
    const bool enabled = option.state & QStyle::State_Enabled;
    const bool over = enabled && (option.state & QStyle::State_MouseOver);
    const bool down = enabled && (option.state & (QStyle::State_Sunken | QStyle::State_On));
    const QString variant = controlVariant(widget);
    if (variant == QLatin1StringView("primary")) {
        QColor fill = !enabled ? c.raised : down ? c.accent.darker(112) : over ? c.accent.lighter(108) : c.accent;
        controlBox(painter, option.rect, fill, enabled ? QColor() : c.hairline, Space::radius);
        if (controlKeyboardFocus(option)) // the accent does not show on itself
            controlBox(painter, option.rect.adjusted(2, 2, -2, -2), {}, c.onAccent, Space::radius - 2);
        return;
    }
    if (variant == QLatin1StringView("ghost")) {
        if (down || over)
            controlBox(painter, option.rect, down ? c.selected : c.hover, {}, Space::radius);
    } else {
        controlBox(painter, option.rect, down ? c.selected : over ? c.hover : c.raised, enabled ? c.border : c.hairline,
            Space::radius);
    }
    if (controlKeyboardFocus(option))
        paintFocusRing(painter, theme, option.rect, Space::radius);
}

void paintPushButtonLabel(QPainter *painter, const ThemeProvider &theme, const QStyleOptionButton &option,
    const QWidget *widget)
{
    const Colors &c = theme.colors();
    const bool enabled = option.state & QStyle::State_Enabled;
    QColor text = c.text;
    if (!enabled)
        text = c.textFaint;
    else if (controlVariant(widget) == QLatin1StringView("primary"))
        text = c.onAccent;
    else if (controlVariant(widget) == QLatin1StringView("danger"))
        text = c.red;
    painter->save();
    painter->setPen(text);
    QRect rect = option.rect.adjusted(4, 0, -4, 0);
    const int iconWidth = option.icon.isNull() ? 0 : Space::icon;
    const int gap = option.icon.isNull() || option.text.isEmpty() ? 0 : 6;
    const int textWidth = option.fontMetrics.size(Qt::TextShowMnemonic, option.text).width();
    int x = rect.x() + qMax(0, (rect.width() - iconWidth - gap - textWidth) / 2);
    if (widget && widget->property("leading").toBool())
        x = rect.x() + 4;
    if (iconWidth) {
        const QRect icon(x, rect.center().y() - Space::icon / 2 + 1, Space::icon, Space::icon);
        option.icon.paint(painter, icon, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
        x += iconWidth + gap;
    }
    const bool underline = option.state & QStyle::State_KeyboardFocusChange;
    const QRect textRect(x, rect.y(), rect.right() - x + 5, rect.height());
    painter->drawText(textRect,
        Qt::AlignVCenter | Qt::AlignLeft | (underline ? Qt::TextShowMnemonic : Qt::TextHideMnemonic), option.text);
    painter->restore();
}

void paintToolButton(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option)
{
    const Colors &c = theme.colors();
    const bool enabled = option.state & QStyle::State_Enabled;
    const bool down = enabled && (option.state & (QStyle::State_Sunken | QStyle::State_On));
    if (down || (enabled && (option.state & QStyle::State_MouseOver)))
        controlBox(painter, option.rect, down ? c.selected : c.hover, {}, Space::radius);
    if (controlKeyboardFocus(option))
        paintFocusRing(painter, theme, option.rect, Space::radius);
}

void paintFieldFrame(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option)
{
    const Colors &c = theme.colors();
    const bool enabled = option.state & QStyle::State_Enabled;
    controlBox(painter, option.rect, enabled ? c.field : c.surface, enabled ? c.border : c.hairline, Space::radius);
    if (option.state & QStyle::State_HasFocus)
        paintFocusRing(painter, theme, option.rect, Space::radius);
}

void paintCheckBox(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option, bool round)
{
    const Colors &c = theme.colors();
    const bool enabled = option.state & QStyle::State_Enabled;
    const bool on = option.state & (QStyle::State_On | QStyle::State_NoChange);
    const int radius = round ? option.rect.width() / 2 : 4;
    const QColor fill = on && enabled ? c.accent : c.field;
    controlBox(painter, option.rect, fill, on && enabled ? QColor() : c.border, radius);
    const QColor mark = enabled ? c.onAccent : c.textFaint;
    if (on && round) {
        const int inset = option.rect.width() / 3;
        controlBox(painter, option.rect.adjusted(inset, inset, -inset, -inset), mark, {}, inset);
    } else if (on) {
        const Icon icon = option.state & QStyle::State_NoChange ? Icon::Minus : Icon::Check;
        theme.icons().paint(painter, option.rect.adjusted(2, 2, -2, -2), icon, mark);
    }
}

void paintComboBox(QPainter *painter, const ThemeProvider &theme, const QStyleOptionComboBox &option)
{
    const Colors &c = theme.colors();
    const bool enabled = option.state & QStyle::State_Enabled;
    const bool over = enabled && (option.state & QStyle::State_MouseOver);
    controlBox(painter, option.rect, over ? c.hover : c.field, enabled ? c.border : c.hairline, Space::radius);
    const QRect arrow(option.rect.right() - 24, option.rect.center().y() - 7, Space::icon, Space::icon);
    theme.icons().paint(painter, arrow, Icon::ChevronsUpDown, enabled ? c.textFaint : c.textDisabled);
    if (option.state & QStyle::State_HasFocus)
        paintFocusRing(painter, theme, option.rect, Space::radius);
}

void paintComboBoxLabel(QPainter *painter, const ThemeProvider &theme, const QStyleOptionComboBox &option)
{
    const Colors &c = theme.colors();
    const bool enabled = option.state & QStyle::State_Enabled;
    QRect rect = option.rect.adjusted(10, 0, -30, 0);
    painter->save();
    if (!option.currentIcon.isNull()) {
        const QRect icon(rect.x(), rect.center().y() - Space::icon / 2 + 1, Space::icon, Space::icon);
        option.currentIcon.paint(painter, icon, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
        rect.setLeft(icon.right() + 8);
    }
    painter->setPen(enabled ? c.text : c.textFaint);
    painter->drawText(rect, Qt::AlignVCenter | Qt::AlignLeft,
        option.fontMetrics.elidedText(option.currentText, Qt::ElideRight, rect.width()));
    painter->restore();
}

void paintMenuPanel(QPainter *painter, const ThemeProvider &theme, const QRect &rect)
{
    painter->fillRect(rect, theme.colors().popover);
    painter->save();
    painter->setPen(theme.colors().border);
    painter->drawRect(rect.adjusted(0, 0, -1, -1));
    painter->restore();
}

void paintMenuItem(QPainter *painter, const ThemeProvider &theme, const QStyleOptionMenuItem &option)
{
    const Colors &c = theme.colors();
    if (option.menuItemType == QStyleOptionMenuItem::Separator) {
        painter->fillRect(QRect(option.rect.x() + 8, option.rect.center().y(), option.rect.width() - 16, 1), c.hairline);
        return;
    }
    const bool enabled = option.state & QStyle::State_Enabled;
    if (enabled && (option.state & QStyle::State_Selected))
        controlBox(painter, option.rect.adjusted(4, 0, -4, 0), c.selected, {}, Space::radius - 2);
    painter->save();
    const QRect rect = option.rect.adjusted(12, 0, -12, 0);
    const QRect icon(rect.x(), rect.center().y() - Space::icon / 2 + 1, Space::icon, Space::icon);
    if (option.checkType != QStyleOptionMenuItem::NotCheckable && option.checked)
        theme.icons().paint(painter, icon, Icon::Check, enabled ? c.text : c.textFaint);
    else if (!option.icon.isNull())
        option.icon.paint(painter, icon, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
    painter->setFont(option.font);
    const QString label = option.text.section(QLatin1Char('\t'), 0, 0);
    const QString shortcut = option.text.section(QLatin1Char('\t'), 1);
    const QRect text = rect.adjusted(Space::icon + 8, 0, 0, 0);
    painter->setPen(enabled ? c.text : c.textFaint);
    painter->drawText(text, Qt::AlignVCenter | Qt::AlignLeft | Qt::TextHideMnemonic | Qt::TextSingleLine, label);
    if (!shortcut.isEmpty()) {
        painter->setPen(c.textFaint);
        painter->drawText(text, Qt::AlignVCenter | Qt::AlignRight | Qt::TextSingleLine, shortcut);
    }
    if (option.menuItemType == QStyleOptionMenuItem::SubMenu)
        theme.icons().paint(painter, QRect(rect.right() - 14, icon.y(), 14, 16), Icon::ChevronRight, c.textFaint);
    painter->restore();
}

void paintProgressBar(QPainter *painter, const ThemeProvider &theme, const QStyleOptionProgressBar &option)
{
    const QRect track(option.rect.x(), option.rect.center().y() - 1, option.rect.width(), 4);
    controlBox(painter, track, theme.colors().selected, {}, 2);
    QRect filled = track;
    if (option.maximum > option.minimum) {
        const double part = double(option.progress - option.minimum) / (option.maximum - option.minimum);
        filled.setWidth(qRound(track.width() * qBound(0.0, part, 1.0)));
    } else {
        filled.setWidth(track.width() / 3); // unknown: no motion, the text beside it says what happens
    }
    controlBox(painter, filled, theme.colors().accent, {}, 2);
}

void paintScrollBar(QPainter *painter, const ThemeProvider &theme, const QStyleOptionSlider &option, const QRect &thumb)
{
    if (option.maximum <= option.minimum)
        return;
    const Colors &c = theme.colors();
    const bool active = option.state & (QStyle::State_MouseOver | QStyle::State_Sunken);
    QRect bar = thumb;
    const int inset = active ? 2 : 3;
    if (option.orientation == Qt::Vertical)
        bar.adjust(inset, 2, -inset, -2);
    else
        bar.adjust(2, inset, -2, -inset);
    controlBox(painter, bar, active ? c.textDisabled : c.border, {}, qMin(bar.width(), bar.height()) / 2);
}

} // namespace foundry::views
