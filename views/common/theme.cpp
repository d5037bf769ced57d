#include "views/common/theme.h"

namespace foundry::views {

namespace {

QColor themeRgb(quint32 rgb)
{
    return QColor(QRgb(0xff000000u | rgb));
}

struct ThemeTypeStyle {
    int pixels;
    QFont::Weight weight;
    bool mono;
};

ThemeTypeStyle themeTypeStyle(TextStyle style)
{
    switch (style) {
    case TextStyle::Caption:
        return {11, QFont::Medium, false};
    case TextStyle::Small:
        return {12, QFont::Normal, false};
    case TextStyle::SmallMedium:
        return {12, QFont::Medium, false};
    case TextStyle::List:
        return {13, QFont::Normal, false};
    case TextStyle::ListMedium:
        return {13, QFont::Medium, false};
    case TextStyle::ListSemiBold:
        return {13, QFont::DemiBold, false};
    case TextStyle::Reading:
        return {14, QFont::Normal, false};
    case TextStyle::ReadingSemiBold:
        return {14, QFont::DemiBold, false};
    case TextStyle::Heading:
        return {16, QFont::DemiBold, false};
    case TextStyle::Title:
        return {20, QFont::DemiBold, false};
    case TextStyle::Mono:
        return {13, QFont::Normal, true};
    case TextStyle::MonoSmall:
        return {12, QFont::Normal, true};
    case TextStyle::MonoTiny:
        return {11, QFont::Normal, true};
    }
    return {13, QFont::Normal, false};
}

} // namespace

Theme Theme::light()
{
    Theme theme;
    Colors &c = theme.m_colors;
    c.window = themeRgb(0xffffff);
    c.surface = themeRgb(0xfafafa);
    c.raised = themeRgb(0xf4f4f5);
    c.hover = themeRgb(0xf1f1f3);
    c.selected = themeRgb(0xececee);
    c.popover = themeRgb(0xffffff);
    c.field = themeRgb(0xffffff);
    c.hairline = themeRgb(0xe6e6e9);
    c.border = themeRgb(0xd6d6da);
    c.text = themeRgb(0x18181b);
    c.textMuted = themeRgb(0x52525b);
    c.textFaint = themeRgb(0x65656e);
    c.textDisabled = themeRgb(0x9a9aa3);
    c.accent = themeRgb(0xff4f00);
    c.accentText = themeRgb(0xc23b00);
    c.onAccent = themeRgb(0x1a0700);
    c.selection = themeRgb(0xffd9c7);
    c.link = themeRgb(0x1d5fb8);
    c.green = themeRgb(0x15743a);
    c.amber = themeRgb(0x8a5300);
    c.red = themeRgb(0xc01c1c);
    c.greenWash = themeRgb(0xecf8f0);
    c.amberWash = themeRgb(0xfdf5e4);
    c.redWash = themeRgb(0xfdeeee);
    c.accentWash = themeRgb(0xfff1ea);
    c.addedLine = themeRgb(0xe9f7ed);
    c.addedWord = themeRgb(0xb9e8c6);
    c.removedLine = themeRgb(0xfdeeee);
    c.removedWord = themeRgb(0xf9c9c9);
    return theme;
}

Theme Theme::dark()
{
    Theme theme;
    theme.m_dark = true;
    Colors &c = theme.m_colors;
    c.window = themeRgb(0x0c0c0d);
    c.surface = themeRgb(0x121214);
    c.raised = themeRgb(0x19191c);
    c.hover = themeRgb(0x1b1b1e);
    c.selected = themeRgb(0x232327);
    c.popover = themeRgb(0x19191c);
    c.field = themeRgb(0x121214);
    c.hairline = themeRgb(0x242428);
    c.border = themeRgb(0x35353b);
    c.text = themeRgb(0xececee);
    c.textMuted = themeRgb(0xa3a3ad);
    c.textFaint = themeRgb(0x8b8b96);
    c.textDisabled = themeRgb(0x5f5f68);
    c.accent = themeRgb(0xff4f00);
    c.accentText = themeRgb(0xff6a26);
    c.onAccent = themeRgb(0x1a0700);
    c.selection = themeRgb(0x5c2610);
    c.link = themeRgb(0x6ea8ff);
    c.green = themeRgb(0x46c46f);
    c.amber = themeRgb(0xe2a630);
    c.red = themeRgb(0xf6736f);
    c.greenWash = themeRgb(0x10231a);
    c.amberWash = themeRgb(0x272010);
    c.redWash = themeRgb(0x2b1516);
    c.accentWash = themeRgb(0x2a1710);
    c.addedLine = themeRgb(0x10241a);
    c.addedWord = themeRgb(0x1f5133);
    c.removedLine = themeRgb(0x2b1517);
    c.removedWord = themeRgb(0x66262a);
    return theme;
}

QFont Theme::font(TextStyle style) const
{
    const ThemeTypeStyle type = themeTypeStyle(style);
    QFont font;
    // The emoji family must be named, or fontconfig may prefer a monochrome face.
    if (type.mono)
        font.setFamilies({QStringLiteral("JetBrains Mono"), QStringLiteral("Noto Color Emoji"), QStringLiteral("monospace")});
    else
        font.setFamilies({QStringLiteral("Inter"), QStringLiteral("Noto Color Emoji"), QStringLiteral("sans-serif")});
    font.setPixelSize(type.pixels);
    font.setWeight(type.weight);
    if (type.mono)
        font.setStyleHint(QFont::Monospace);
    return font;
}

QPalette Theme::palette() const
{
    const Colors &c = m_colors;
    QPalette p;
    p.setColor(QPalette::Window, c.window);
    p.setColor(QPalette::WindowText, c.text);
    p.setColor(QPalette::Base, c.field);
    p.setColor(QPalette::AlternateBase, c.surface);
    p.setColor(QPalette::Text, c.text);
    p.setColor(QPalette::Button, c.raised);
    p.setColor(QPalette::ButtonText, c.text);
    p.setColor(QPalette::BrightText, c.red);
    p.setColor(QPalette::ToolTipBase, c.popover);
    p.setColor(QPalette::ToolTipText, c.text);
    p.setColor(QPalette::PlaceholderText, c.textFaint);
    p.setColor(QPalette::Highlight, c.selection);
    p.setColor(QPalette::HighlightedText, c.text);
    p.setColor(QPalette::Link, c.link);
    p.setColor(QPalette::LinkVisited, c.link);
    p.setColor(QPalette::Light, c.raised);
    p.setColor(QPalette::Midlight, c.hover);
    p.setColor(QPalette::Mid, c.hairline);
    p.setColor(QPalette::Dark, c.border);
    p.setColor(QPalette::Shadow, m_dark ? QColor(Qt::black) : QColor(0, 0, 0, 60));
    for (const QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, c.textDisabled);
    return p;
}

QString Theme::syntaxTheme() const
{
    return m_dark ? QStringLiteral("GitHub Dark") : QStringLiteral("GitHub Light");
}

} // namespace foundry::views
