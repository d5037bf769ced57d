#include "views/common/controls.h"

#include <QPainter>

namespace foundry::views {

Label::Label(const ThemeProvider *theme, TextStyle style, ColorToken color, const QString &text, QWidget *parent)
    : QLabel(text, parent)
    , m_theme(theme)
    , m_style(style)
    , m_color(color)
{
    setTextFormat(Qt::PlainText);
    connect(theme, &ThemeProvider::changed, this, &Label::refresh);
    refresh();
}

void Label::setStyleToken(TextStyle style)
{
    m_style = style;
    refresh();
}

void Label::setColorToken(ColorToken color)
{
    m_color = color;
    refresh();
}

void Label::setElided(bool elided, Qt::TextElideMode mode)
{
    m_elided = elided;
    m_elideMode = mode;
    updateGeometry();
    update();
}

QSize Label::minimumSizeHint() const
{
    return m_elided ? QSize(fontMetrics().averageCharWidth() * 4, fontMetrics().height()) : QLabel::minimumSizeHint();
}

QSize Label::sizeHint() const
{
    if (!m_elided)
        return QLabel::sizeHint();
    return {fontMetrics().horizontalAdvance(text()) + 2, fontMetrics().height()};
}

void Label::paintEvent(QPaintEvent *event)
{
    if (!m_elided) {
        QLabel::paintEvent(event);
        return;
    }
    QPainter painter(this);
    painter.setPen(palette().color(foregroundRole()));
    const QString shown = fontMetrics().elidedText(text(), m_elideMode, width());
    painter.drawText(rect(), int(Qt::AlignVCenter | (alignment() & Qt::AlignHorizontal_Mask)), shown);
    const QString tip = shown == text() ? QString() : text();
    if (toolTip() != tip)
        setToolTip(tip);
}

void Label::refresh()
{
    setFont(m_theme->font(m_style));
    QPalette colors = m_theme->theme().palette();
    colors.setColor(QPalette::WindowText, m_theme->colors().*m_color);
    setPalette(colors);
}

Button::Button(const ThemeProvider *theme, const QString &text, ButtonLook look, QWidget *parent)
    : QPushButton(text, parent)
    , m_theme(theme)
    , m_look(look)
{
    static constexpr QLatin1StringView names[] = {QLatin1StringView("plain"), QLatin1StringView("primary"),
        QLatin1StringView("ghost"), QLatin1StringView("danger")};
    setProperty("variant", QString(names[size_t(look)]));
    setCursor(Qt::ArrowCursor);
    setAutoDefault(false);
    connect(theme, &ThemeProvider::changed, this, &Button::refresh);
    refresh();
}

Button::Button(const ThemeProvider *theme, Icon icon, const QString &text, ButtonLook look, QWidget *parent)
    : Button(theme, text, look, parent)
{
    m_icon = int(icon);
    refresh();
}

void Button::setSmall(bool small)
{
    setProperty("small", small);
    updateGeometry();
}

void Button::refresh()
{
    setFont(m_theme->font(TextStyle::ListMedium));
    if (m_icon < 0)
        return;
    const Colors &c = m_theme->colors();
    setIcon(m_theme->icons().icon(Icon(m_icon), m_look == ButtonLook::Primary ? c.onAccent : c.textMuted, c.textFaint));
}

IconButton::IconButton(const ThemeProvider *theme, Icon icon, const QString &name, QWidget *parent)
    : QToolButton(parent)
    , m_theme(theme)
    , m_glyph(icon)
{
    setAutoRaise(true);
    setFocusPolicy(Qt::TabFocus);
    setName(name);
    setExtent(m_extent);
    connect(theme, &ThemeProvider::changed, this, &IconButton::refresh);
    refresh();
}

void IconButton::setGlyph(Icon icon)
{
    m_glyph = icon;
    refresh();
}

void IconButton::setColorToken(ColorToken color)
{
    m_color = color;
    refresh();
}

void IconButton::setName(const QString &name, const QString &shortcut)
{
    setAccessibleName(name);
    setToolTip(shortcut.isEmpty() ? name : tr("%1  (%2)").arg(name, shortcut));
}

void IconButton::setExtent(int pixels)
{
    m_extent = pixels;
    setFixedSize(pixels, pixels);
}

void IconButton::refresh()
{
    const Colors &c = m_theme->colors();
    setIcon(m_theme->icons().icon(m_glyph, c.*m_color, c.textDisabled));
    setIconSize({Space::icon, Space::icon});
}

IconLabel::IconLabel(const ThemeProvider *theme, Icon icon, ColorToken color, int size, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_icon(icon)
    , m_color(color)
    , m_size(size)
{
    setFixedSize(size, size);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

void IconLabel::set(Icon icon, ColorToken color)
{
    m_icon = icon;
    m_color = color;
    update();
}

void IconLabel::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    m_theme->icons().paint(&painter, rect(), m_icon, m_theme->colors().*m_color);
}

Hairline::Hairline(const ThemeProvider *theme, Qt::Orientation orientation, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    if (orientation == Qt::Horizontal)
        setFixedHeight(1);
    else
        setFixedWidth(1);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

void Hairline::paintEvent(QPaintEvent *)
{
    QPainter(this).fillRect(rect(), m_theme->colors().hairline);
}

Surface::Surface(const ThemeProvider *theme, ColorToken fill, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_fill(fill)
{
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

void Surface::setFill(ColorToken fill)
{
    m_fill = fill;
    update();
}

void Surface::setCard(ColorToken border, int radius)
{
    m_border = border;
    m_radius = radius;
    update();
}

void Surface::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const Colors &c = m_theme->colors();
    if (!m_border) {
        painter.fillRect(rect(), c.*m_fill);
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(c.*m_border);
    painter.setBrush(c.*m_fill);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), m_radius, m_radius);
}

} // namespace foundry::views
