// How FoundryStyle paints each control. Free functions over tokens, so that the style itself only chooses.
#pragma once

class QPainter;
class QRect;
class QStyleOption;
class QStyleOptionButton;
class QStyleOptionComboBox;
class QStyleOptionMenuItem;
class QStyleOptionProgressBar;
class QStyleOptionSlider;
class QWidget;

namespace foundry::views {

class ThemeProvider;

void paintFocusRing(QPainter *painter, const ThemeProvider &theme, const QRect &rect, int radius);
void paintPushButton(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option, const QWidget *widget);
void paintPushButtonLabel(QPainter *painter, const ThemeProvider &theme, const QStyleOptionButton &option,
    const QWidget *widget);
void paintToolButton(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option);
void paintFieldFrame(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option);
void paintCheckBox(QPainter *painter, const ThemeProvider &theme, const QStyleOption &option, bool round);
void paintComboBox(QPainter *painter, const ThemeProvider &theme, const QStyleOptionComboBox &option);
void paintComboBoxLabel(QPainter *painter, const ThemeProvider &theme, const QStyleOptionComboBox &option);
void paintMenuItem(QPainter *painter, const ThemeProvider &theme, const QStyleOptionMenuItem &option);
void paintMenuPanel(QPainter *painter, const ThemeProvider &theme, const QRect &rect);
void paintProgressBar(QPainter *painter, const ThemeProvider &theme, const QStyleOptionProgressBar &option);
void paintScrollBar(QPainter *painter, const ThemeProvider &theme, const QStyleOptionSlider &option, const QRect &thumb);

} // namespace foundry::views
