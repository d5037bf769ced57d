// Small themed widgets that every page uses: labels, buttons, lines and surfaces that take their colours from tokens and
// follow a change of theme. GUI thread; the provider must outlive them.
#pragma once

#include "views/common/themeprovider.h"

#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <QWidget>

namespace foundry::views {

// Text in one style and colour. Elides at the end when `setElided(true)`, with the whole text as tool tip.
class Label : public QLabel {
    Q_OBJECT
public:
    Label(const ThemeProvider *theme, TextStyle style, ColorToken color, const QString &text = {},
        QWidget *parent = nullptr);

    void setStyleToken(TextStyle style);
    void setColorToken(ColorToken color);
    void setElided(bool elided, Qt::TextElideMode mode = Qt::ElideRight);
    QSize minimumSizeHint() const override;
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    void refresh();

    const ThemeProvider *m_theme;
    TextStyle m_style;
    ColorToken m_color;
    bool m_elided = false;
    Qt::TextElideMode m_elideMode = Qt::ElideRight;
};

enum class ButtonLook { Plain, Primary, Ghost, Danger };

class Button : public QPushButton {
    Q_OBJECT
public:
    Button(const ThemeProvider *theme, const QString &text, ButtonLook look = ButtonLook::Plain,
        QWidget *parent = nullptr);
    Button(const ThemeProvider *theme, Icon icon, const QString &text, ButtonLook look = ButtonLook::Plain,
        QWidget *parent = nullptr);

    void setSmall(bool small);

private:
    void refresh();

    const ThemeProvider *m_theme;
    ButtonLook m_look;
    int m_icon = -1;
};

// A square button with an icon alone; its name is said to screen readers and shown as tool tip, with the shortcut.
class IconButton : public QToolButton {
    Q_OBJECT
public:
    IconButton(const ThemeProvider *theme, Icon icon, const QString &name, QWidget *parent = nullptr);

    void setGlyph(Icon icon);
    void setColorToken(ColorToken color);
    void setName(const QString &name, const QString &shortcut = {});
    QSize sizeHint() const override { return {m_extent, m_extent}; }
    void setExtent(int pixels);

private:
    void refresh();

    const ThemeProvider *m_theme;
    Icon m_glyph;
    ColorToken m_color = &Colors::textMuted;
    int m_extent = 28;
};

// An icon to look at.
class IconLabel : public QWidget {
    Q_OBJECT
public:
    IconLabel(const ThemeProvider *theme, Icon icon, ColorToken color, int size = Space::icon, QWidget *parent = nullptr);

    void set(Icon icon, ColorToken color);
    QSize sizeHint() const override { return {m_size, m_size}; }

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    const ThemeProvider *m_theme;
    Icon m_icon;
    ColorToken m_color;
    int m_size;
};

// A line of one pixel.
class Hairline : public QWidget {
    Q_OBJECT
public:
    Hairline(const ThemeProvider *theme, Qt::Orientation orientation, QWidget *parent = nullptr);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    const ThemeProvider *m_theme;
};

// An area filled with a token; with a border and rounded corners when asked.
class Surface : public QWidget {
    Q_OBJECT
public:
    Surface(const ThemeProvider *theme, ColorToken fill, QWidget *parent = nullptr);

    void setFill(ColorToken fill);
    void setCard(ColorToken border, int radius = Space::radiusCard);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    const ThemeProvider *m_theme;
    ColorToken m_fill;
    ColorToken m_border = nullptr;
    int m_radius = 0;
};

} // namespace foundry::views
