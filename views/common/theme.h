// Design tokens: what colours, type and measures mean. Delegates paint with them; widgets get them through the
// palette and FoundryStyle. A Theme is a plain value; ask ThemeProvider for the current one and repaint on changed().
#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>

namespace foundry::views {

// Every text colour has a contrast of at least 4.5:1 on window, surface, raised, hover and selected (tested).
struct Colors {
    QColor window;   // the page
    QColor surface;  // sidebar, cards, headers, code blocks
    QColor raised;   // chips, inputs' hover, user bubbles
    QColor hover;    // a row or button under the pointer
    QColor selected; // the current row
    QColor popover;  // menus, sheets, tool tips
    QColor field;    // line edits, combo boxes, composer
    QColor hairline; // 1 px lines between regions
    QColor border;   // outlines of fields and cards

    QColor text;       // first reading
    QColor textMuted;  // second reading
    QColor textFaint;  // third: ages, hints, placeholders
    QColor textDisabled; // no information is carried by it alone

    QColor accent;     // fills and focus rings only
    QColor accentText; // the accent as text or icon
    QColor onAccent;   // text on an accent fill
    QColor selection;  // background of selected text
    QColor link;

    // State, always together with a glyph or a word.
    QColor green;
    QColor amber;
    QColor red;
    QColor greenWash; // quiet backgrounds for the same
    QColor amberWash;
    QColor redWash;
    QColor accentWash;

    // Diff
    QColor addedLine;
    QColor addedWord;
    QColor removedLine;
    QColor removedWord;
};

// Names a colour whatever the theme: `theme.colors().*token`.
using ColorToken = QColor Colors::*;

enum class TextStyle {
    Caption,      // 11 px, section headings and badges
    Small,        // 12 px, ages, counts, hints
    SmallMedium,
    List,         // 13 px, lists, controls
    ListMedium,
    ListSemiBold, // unread titles, headings in cards
    Reading,      // 14 px, transcript
    ReadingSemiBold,
    Heading,      // 16 px semi-bold
    Title,        // 20 px semi-bold
    Mono,         // 13 px
    MonoSmall,    // 12 px
    MonoTiny      // 11 px, branches under titles
};

// The 8-pixel grid and its halves; logical pixels.
struct Space {
    static constexpr int xs = 4;
    static constexpr int s = 8;
    static constexpr int m = 16;
    static constexpr int l = 24;
    static constexpr int xl = 32;
    static constexpr int row = 32;       // a list row, a control
    static constexpr int rowTall = 48;   // a row of two lines
    static constexpr int header = 48;    // a page's header bar
    static constexpr int radius = 6;     // controls, chips
    static constexpr int radiusCard = 8; // cards, bubbles, sheets
    static constexpr int icon = 16;
    static constexpr int sidebar = 280;
    static constexpr int readingColumns = 76; // characters of a transcript line
};

class Theme {
public:
    static Theme light();
    static Theme dark();

    bool isDark() const { return m_dark; }
    const Colors &colors() const { return m_colors; }
    QFont font(TextStyle style) const;
    QPalette palette() const;
    // Name of the KDE Syntax-Highlighting theme that suits.
    QString syntaxTheme() const;

    // Line height of transcript text, as a factor.
    static constexpr double readingLineHeight = 1.5;

private:
    bool m_dark = false;
    Colors m_colors;
};

} // namespace foundry::views
